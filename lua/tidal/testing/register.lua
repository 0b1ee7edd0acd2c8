-- How assertions come to luassert: M.add(name, check) adds assert.<name>, and
-- with it assert.is_not.<name>.
--
--   check(...) -> ok, text [, result]
--
-- text.yes says what is wrong where ok was expected, text.no where it was
-- not; both say what was expected, what is, and how to look closer. The
-- assertion returns the result. A check refuses its arguments with
-- M.wrong: an error at the line of the spec.
local found, luassert = pcall(require, "luassert")
if not found then
  error("tidal.testing needs busted: apt-get install lua-busted\n"
        .. tostring(luassert), 0)
end
local say = require "say"
local faults = require "tidal.faults"
local layouts = require "tidal.cluster.layout"

local M = {}

local Wrong <const> = {}

---Raises what is wrong with the arguments of an assertion.
function M.wrong(form, ...)
  error(setmetatable({ message = form:format(...) }, Wrong), 0)
end

---A layout, or what to write instead.
---@param value any
---@param where string "assert.covers(layout)"
function M.layout(value, where)
  if layouts.is(value) then return value end
  local hint = type(value) == "table" and value.router
    and ": it is one of another run of the modules; require \"tidal.testing\""
        .. " in the file that loads it"
    or ""
  M.wrong("%s: a layout expected, got %s%s", where, faults.shown(value), hint)
end

---What a message calls a layout, and what a command line does.
function M.name(layout)
  return layout.file and ("%s (%s)"):format(layout.name, layout.file)
      or layout.name, layout.file or "LAYOUT"
end

---@param name string what it is called behind `assert.`
---@param check function
function M.add(name, check)
  local yes, no = "assertion." .. name .. ".positive",
                  "assertion." .. name .. ".negative"
  say:set(yes, "%s")
  say:set(no, "%s")
  local function callback(state, arguments, level)
    local result = table.pack(pcall(check, table.unpack(arguments, 1,
                                                        arguments.n)))
    if not result[1] then
      local why = result[2]
      if getmetatable(why) ~= Wrong then error(why, 0) end
      error(why.message, (level or 1) + 1)
    end
    local ok, text = result[2] and true or false, result[3]
    for i = 1, arguments.n do arguments[i] = nil end
    arguments[1] = state.mod and text.yes or text.no
    arguments.n, arguments.nofmt = 1, { true }
    return ok, { result[4] }
  end
  luassert:register("assertion", name, callback, yes, no)
end

return M
