-- Runs a spec against variants of a layout, each in a process of its own,
-- some at once: `tidal-lua mutate --only N` with testing/report.lua.
--
-- A result is { status = exit status or "timeout", report = what the process
-- reported (testing/report.lua), or nil }.
local json = require "tidal.json"

local M = {}

local BASE_SECONDS <const> = 600  -- for the layout itself
local LEAST_SECONDS <const> = 10  -- for a variant, or this many times
local TIMES <const> = 20          -- what the layout itself took
local STATUS_TIMEOUT <const> = { [124] = true, [137] = true }

local function quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

local function host()
  return require "tidal.host"
end

-- The script that runs variant $1: its report, then "N STATUS".
local function script(path, args, seconds)
  local words = { "timeout -k 1", tostring(seconds), quote(host().path),
                  'mutate --only "$1"', quote(path) }
  for _, word in ipairs(args) do words[#words + 1] = quote(word) end
  words[#words + 1] = "--output=tidal.testing.report -Xoutput /dev/fd/3"
  return table.concat(words, " ")
    .. ' 3>&1 >/dev/null 2>&1 </dev/null; echo "$1 $?"'
end

-- Without what would change where the report goes.
local function for_report(args)
  local out, i = {}, 1
  while i <= #args do
    local word = args[i]
    if word == "-o" or word == "--output" or word == "-Xoutput" then
      i = i + 1
    elseif not word:find "^%-%-output=" then
      out[#out + 1] = word
    end
    i = i + 1
  end
  return out
end

local function processors()
  local pipe = io.popen "getconf _NPROCESSORS_ONLN 2>/dev/null"
  local count = pipe and pipe:read "n"
  if pipe then pipe:close() end
  return count or 1
end

-- Runs variants first..last; calls done(n, result) as each ends. A report
-- comes before the status of its process, maybe with others between.
local function run(first, last, text, jobs, done)
  local command = ("seq %d %d | xargs -n 1 -P %d sh -c %s sh"):format(
    first, last, jobs, quote(text))
  local pipe, reports = assert(io.popen(command)), {}
  for line in pipe:lines() do
    local n, status = line:match "^(%d+) (%d+)$"
    if n then
      n, status = math.tointeger(n), math.tointeger(status)
      done(n, { report = reports[n],
                status = STATUS_TIMEOUT[status] and "timeout" or status })
    else
      local read, report = pcall(json.decode, line)
      if read and type(report) == "table" and report.number then
        reports[report.number] = report
      end
    end
  end
  pipe:close()
end

---The result for the layout itself, with `seconds` that it took.
---@param path string of the layout
---@param args string[] the spec and what busted takes
---@param settings { jobs: integer?, timeout: integer? }
function M.base(path, args, settings)
  local base
  local start = host().clock()
  local text = script(path, for_report(args),
                      settings.timeout or BASE_SECONDS)
  run(0, 0, text, 1, function(_, result) base = result end)
  base = base or { status = 127 }
  base.seconds = host().clock() - start
  return base
end

---The results for all variants, by number.
---@param list table[] of testing/mutants.lua
---@param base table what M.base gave
---@param progress fun(done: integer, survived: integer)
function M.all(list, path, args, settings, base, progress)
  local results, count, survived = {}, 0, 0
  local seconds = settings.timeout
    or math.max(LEAST_SECONDS, math.ceil(base.seconds * TIMES))
  local text = script(path, for_report(args), seconds)
  run(1, #list, text, settings.jobs or processors(), function(n, result)
    results[n], count = result, count + 1
    if result.status == 0 then survived = survived + 1 end
    progress(count, survived)
  end)
  return results
end

return M
