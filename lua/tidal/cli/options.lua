-- Arguments of verbs: `--name`, `--name VALUE`, `--name=VALUE`, -o for
-- --output, and what is left over. Also what verbs share: usage errors,
-- styles, whole files.
local core = require "tidal.core"
local suggest = require "tidal.suggest"
local terminal = require "tidal.render.terminal"

local M = {}

local Usage = { __tostring = function(self) return self.message end }

---Raises an error that ends the verb with exit status 2.
function M.usage(form, ...)
  error(setmetatable({ message = form:format(...) }, Usage), 0)
end

-- The first line of a synopsis: more than a usage error needs not be told.
local function first_line(synopsis)
  return synopsis:match "^[^\n]*"
end

---The same, with the first line of a verb's synopsis below.
---@param synopsis string
function M.wrong(synopsis, form, ...)
  M.usage("%s\nusage: tidal-lua %s", form:format(...), first_line(synopsis))
end

-- Ends the verb with the synopsis on standard output and exit status 0.
local function help(synopsis)
  error(setmetatable({ help = "usage: tidal-lua " .. synopsis }, Usage), 0)
end

---True for an error that M.usage raised, or that shows help.
function M.is_usage(value)
  return getmetatable(value) == Usage
end

local function names_of(spec)
  local out = {}
  for name in pairs(spec) do out[#out + 1] = "--" .. name end
  table.sort(out)
  return out
end

-- The name and value of an option; nil for another word.
local function split(word)
  if word == "-o" then return "output" end
  local name, equals, value = word:match "^%-%-([%w-]+)(=?)(.*)$"
  if equals == "" then value = nil end
  return name, value
end

-- One option with its value; adds it to `out`.
local function store(out, kind, name, value, fail)
  if kind == "list" then
    out[name] = out[name] or {}
    table.insert(out[name], value)
  elseif out[name] then
    fail("--%s is given twice", name)
  else
    out[name] = value
  end
end

---@param args string[]
---@param spec { [string]: "flag"|"value"|"list" }
---@param synopsis string its first line is shown with a usage error, all of
---  it as help
---@return table options by name, string[] rest
function M.parse(args, spec, synopsis)
  local out, rest, i = {}, {}, 1
  local function fail(form, ...)
    M.usage("%s\nusage: tidal-lua %s", form:format(...),
            first_line(synopsis))
  end
  while i <= #args do
    local word = args[i]
    local name, value = split(word)
    if word == "--" then
      table.move(args, i + 1, #args, #rest + 1, rest)
      break
    elseif word == "--help" or word == "-h" then
      help(synopsis)
    elseif not name and (word == "-" or not word:find "^%-%D") then
      rest[#rest + 1] = word
    elseif not name or not spec[name] then
      fail("unknown option %s%s", word,
           name and suggest.unknown("--" .. name, names_of(spec)) or "")
    elseif spec[name] == "flag" then
      if value then fail("--%s takes no value", name) end
      out[name] = true
    else
      if not value then
        i = i + 1
        value = args[i] or fail("%s needs a value", word)
      end
      store(out, spec[name], name, value, fail)
    end
    i = i + 1
  end
  return out, rest
end

---Raises a usage error unless there are min..max words left.
function M.expect(rest, min, max, synopsis)
  synopsis = first_line(synopsis)
  if #rest < min then M.usage("too few arguments\nusage: tidal-lua %s",
                              synopsis) end
  if max and #rest > max then
    M.usage("unexpected argument %s\nusage: tidal-lua %s", rest[max + 1],
            synopsis)
  end
end

---Raises an error that ends the verb with exit status 1.
function M.fail(form, ...)
  error(core.error { code = "refused", message = form:format(...) }, 0)
end

---What the executable knows about the system; nil in another interpreter.
function M.host()
  local found, host = pcall(require, "tidal.host")
  return found and host or nil
end

---True if a standard stream is a terminal; the host knows.
function M.is_tty(stream)
  local host = M.host()
  return host ~= nil and host.isatty(stream == io.stdout and 1 or 2)
end

---A progress line on standard error; silent where that is no terminal.
function M.progress(label)
  local host = M.host()
  return terminal.progress(io.stderr, M.is_tty(io.stderr), label,
                           host and host.clock)
end

---How to write to a standard stream: in colour or plain.
function M.style(stream)
  return terminal.style_for(M.is_tty(stream))
end

---A whole file; fails with the system's reason.
function M.read(path)
  local file, why = io.open(path, "rb")
  if not file then M.fail("%s", why) end
  local bytes, bad = file:read "a"
  file:close()
  if not bytes then M.fail("%s: %s", path, bad) end
  return bytes
end

---A reader over a directory of logs; fails with the system's reason.
function M.reader(path)
  local reader, err = core.wal.reader(path)
  if not reader then error(err, 0) end
  return reader
end

---What M.parse takes for a verb with a LAYOUT, beside its own options.
---@param spec table as for M.parse; changed
function M.with_layout(spec)
  spec.trust, spec["no-isolate"] = "flag", "flag"
  return spec
end

local function warn(form, ...)
  io.stderr:write("tidal-lua: ", form:format(...), "\n")
end

-- Codes of errors that are no fault of the layout's author, or already told
-- as one (cli/init.lua).
local AS_THEY_ARE <const> = { isolation = true, layout = true, budget = true }

-- What the loading of a layout raised, as the fault of its author.
local function fault_of(why)
  if core.is_error(why) then
    if AS_THEY_ARE[why.code] then return why end
    return core.error { code = "script", message = tostring(why),
                        faults = why.faults }
  end
  local raised = require "tidal.raised"
  local meta = type(why) == "table" and getmetatable(why)
  local tells = type(meta) == "table" and meta.__tostring
  local text = type(why) == "string" and raised.trimmed(why)
            or tells and tostring(why) or raised.untold(why)
  return core.error { code = "script", message = text }
end

local function load_trusted(path)
  local raised = require "tidal.raised"
  local fine, made = xpcall(require "tidal.cluster".load, raised.traced, path)
  if fine then return made end
  error(fault_of(made), 0)
end

local function load_foreign(host, path, open)
  local fine, made = xpcall(require "tidal.hermetic".load, debug.traceback,
                            host, path, { filter = not open })
  if fine then return made end
  error(core.is_error(made) and fault_of(made) or made, 0)
end

---The layout that a script returns, evaluated in a process of its own;
---with --trust in full Lua, here. Another interpreter than tidal-lua has
---chosen full Lua for all it does.
---@param path string
---@param opts? table what M.parse gave for M.with_layout
function M.layout(path, opts)
  local host = M.host()
  local trusted = opts and opts.trust
  if trusted then
    warn("%s runs in full Lua, without limits (--trust)", path)
  end
  if trusted or not host then return load_trusted(path) end
  local open = opts and opts["no-isolate"]
  if open then
    warn("%s runs without a system-call filter (--no-isolate)", path)
  end
  return load_foreign(host, path, open)
end

---A .plan file. Its layouts have no rules but those that come with --from and
---with --to.
---@param path string
---@param opts table what M.parse gave for M.with_layout, from and to
function M.saved_plan(path, opts)
  local from = opts.from and M.layout(opts.from, opts)
  local to = opts.to and M.layout(opts.to, opts)
  return require "tidal.plan.file".read(path, from, to)
end

---The region of that name; fails with those there are.
---@param given string the option as it was given, for the message
function M.region(layout, name, given)
  local region = layout:region(name)
  if region then return region end
  local names = {}
  for i, one in ipairs(layout.regions) do names[i] = one.name end
  M.fail("%s: %s has no region '%s'%s; its regions are: %s", given,
         layout.name, name, suggest.unknown(name, names),
         table.concat(names, " "))
end

---{ [region name] = directory } from words "us-east=/srv/wal".
---@param layout table names the regions
---@param given string[]? the values of --wal
---@param synopsis string
function M.wal_dirs(layout, given, synopsis)
  local dirs = {}
  for _, word in ipairs(given or {}) do
    local name, dir = word:match "^([^=]+)=(.+)$"
    if not name then
      M.usage("--wal takes REGION=DIR, got %q\nusage: tidal-lua %s", word,
              first_line(synopsis))
    end
    M.region(layout, name, "--wal " .. word)
    if dirs[name] then
      M.usage("--wal %s: once per region\nusage: tidal-lua %s", word,
              first_line(synopsis))
    end
    dirs[name] = dir
  end
  return dirs
end

---Weighs a plan, of a layout or between two, with progress; fails with the
---reason.
---@param plan table
---@param dirs { [string]: string }
---@return table plan
function M.weigh(plan, dirs)
  local bar = M.progress "reading"
  local weighed, err = plan:weigh(dirs, bar.update)
  bar.finish()
  if not weighed then error(err, 0) end
  return weighed
end

---Prints a text, or writes it to the file `path`; fails with the reason.
function M.write(text, path)
  if not path then
    print(text)
    return
  end
  local file, why = io.open(path, "wb")
  if not file then M.fail("%s", why) end
  local written, bad = file:write(text, "\n")
  local closed, worse = file:close()
  if written and closed then return end
  M.fail("%s: %s", path, bad or worse)
end

return M
