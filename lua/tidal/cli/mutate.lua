-- tidal-lua mutate [--json] [--jobs N] [--timeout SECONDS] [--only N]
--   LAYOUT SPEC [busted arguments]
--
-- Makes small wrong variants of the layout and runs the spec against each,
-- in a process of its own: which does it notice? The spec gets the variant
-- when it loads the file of the layout (testing/stand_in.lua). Status 1 if
-- any survives. --only N runs one of them, with busted's own output, to see
-- what the spec says; 0 is the layout itself.
local mutants = require "tidal.testing.mutants"
local options = require "tidal.cli.options"
local runs = require "tidal.testing.runs"
local table_of = require "tidal.render.mutants"

local M = {}

local SYNOPSIS <const> = "mutate [--json] [--jobs N] [--timeout SECONDS] "
  .. "[--only N] LAYOUT SPEC [busted arguments]"

local SPEC <const> = { json = "flag", jobs = "value", timeout = "value",
                       only = "value" }

-- Our own options, wherever they stand before `--`; the rest is for busted.
local function split(args)
  local ours, rest, i = {}, {}, 1
  while i <= #args do
    local word = args[i]
    local name = word:match "^%-%-([%w-]+)"
    if word == "--" then
      table.move(args, i + 1, #args, #rest + 1, rest)
      break
    elseif name and SPEC[name] or #rest < 2 and word:find "^%-" then
      ours[#ours + 1] = word
      if SPEC[name] == "value" and not word:find("=", 1, true) then
        i = i + 1
        ours[#ours + 1] = args[i]
      end
    else
      rest[#rest + 1] = word
    end
    i = i + 1
  end
  return options.parse(ours, SPEC, SYNOPSIS), rest
end

local function number(opts, name, least)
  if not opts[name] then return nil end
  local value = math.tointeger(tonumber(opts[name]))
  if not value or value < least then
    options.usage("--%s: an integer >= %d expected, got %s\nusage: "
                  .. "tidal-lua %s", name, least, opts[name], SYNOPSIS)
  end
  return value
end

-- Runs the spec against one variant, in this process.
local function run_one(n, layout, path, args)
  local list = mutants.list(layout)
  if n > #list then
    options.fail("--only %d: %s has the mutants 1..%d", n, path, #list)
  end
  require "tidal.testing.stand_in".install(path, n, function(found)
    if n == 0 then return found end
    local same = mutants.list(found)[n]
    if not same or same.name ~= list[n].name then
      error(("%s is another layout each time it is loaded"):format(path), 0)
    end
    return same.layout
  end)
  return require "tidal.cli.test".run(args)
end

-- The spec must be green, and must load the layout, before it can be judged.
local function check(base, path, args)
  local command = ("tidal-lua test %s"):format(table.concat(args, " "))
  if base.status == "timeout" then
    options.fail("%s did not end in time against the layout itself", args[1])
  elseif not base.report then
    options.fail("%s ended without a word (status %d): %s shows why", args[1],
                 base.status, command)
  elseif base.status ~= 0 then
    options.fail("%s is red against the layout itself: '%s'; %s shows why",
                 args[1], tostring(base.report.first), command)
  elseif base.report.tests == 0 then
    options.fail("%s has no test that runs", args[1])
  elseif base.report.served == 0 then
    options.fail("%s does not load %s: load it by tidal.cluster.load, dofile "
                 .. "or require, in the process of the spec", args[1], path)
  end
end

-- What could not be run says nothing about the spec.
local function check_run(result, i)
  local status = result and result.status
  if not status or status == 125 or status == 126 or status == 127 then
    options.fail("mutant %d could not be run (status %s): timeout, xargs and "
                 .. "seq are needed", i, tostring(status))
  end
end

-- One line on a terminal while the mutants run.
local function progress(total)
  if not options.is_tty(io.stderr) then return function() end end
  return function(done, survived)
    local text = done == total and "\r\27[K"
      or ("\r%d of %d mutants, %d survived\27[K"):format(done, total, survived)
    io.stderr:write(text)
    io.stderr:flush()
  end
end

-- A file or a directory; busted says nothing of what is not there.
local function check_there(path)
  local file, why = io.open(path)
  if not file then options.fail("cannot open %s", why) end
  file:close()
end

---Prints which variants the spec notices. Status 1 if one survives.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = split(args)
  options.expect(rest, 2, nil, SYNOPSIS)
  local only = number(opts, "only", 0)
  local settings = { jobs = number(opts, "jobs", 1),
                     timeout = number(opts, "timeout", 1) }
  local path = table.remove(rest, 1)
  local layout = options.layout(path)
  check_there(rest[1])
  if only then return run_one(only, layout, path, rest) end
  local base = runs.base(path, rest, settings)
  check(base, path, rest)
  local list = mutants.list(layout)
  assert(#list > 0, "every layout has a next epoch or one before")
  local results = runs.all(list, path, rest, settings, base,
                           progress(#list))
  for i = 1, #list do check_run(results[i], i) end
  local made = table_of.new(path, rest[1], list, results)
  print(opts.json and made:json() or made:text(options.style(io.stdout)))
  return made.survived > 0 and 1 or 0
end

return M
