-- What is wrong with a declaration, collected so that its author sees all of
-- it at once, each fault with the line it stands on.
--
-- A fault is { path = "regions[2]", message = "...", file =, line = }; the
-- error raised is { code =, message =, faults = { fault, ... } }.
local core = require "tidal.core"

local Faults = {}
Faults.__index = Faults

local M = {}

local SHOWN_BYTES_MAX <const> = 64

---A value as a message shows it: on one line, short, and the same in every
---process (no addresses).
---@param value any
---@return string
function M.shown(value)
  local kind = math.type(value) or type(value)
  if kind == "float" then return ("the float %.17g"):format(value) end
  if kind == "userdata" then return tostring(value) end
  if kind == "table" or kind == "function" or kind == "thread" then
    return "a " .. kind
  end
  if kind ~= "string" then return tostring(value) end
  local text = value:gsub("%c", "?")
  if #text > SHOWN_BYTES_MAX then
    text = text:sub(1, SHOWN_BYTES_MAX):gsub("[\xC0-\xFF]?[\x80-\xBF]*$", "")
        .. "..."
  end
  return '"' .. text .. '"'
end

---Raises one thing that is wrong.
---@param code string for programs, e.g. "plan"
function M.refuse(code, form, ...)
  error(core.error { code = code, message = form:format(...) }, 0)
end

---@param file? string name to print before each line
---@param index? table of tidal.source: finds the line of a path
function M.new(file, index)
  return setmetatable({ file = file, index = index, list = {} }, Faults)
end

---The line a path stands on, or nil.
function Faults:line(path)
  return self.index and self.index:line(path)
end

---@param path string which entry, e.g. "regions[2]"
---@param message string what is wrong, what was given, how to mend it
---@param line? integer when the caller knows better than the path
function Faults:add(path, message, line)
  self.list[#self.list + 1] = {
    path = path,
    message = message,
    file = self.file,
    line = line or self:line(path),
  }
end

---The same, with a message to be formatted.
function Faults:add_format(path, form, ...)
  self:add(path, form:format(...))
end

---True if there is any.
function Faults:any()
  return #self.list > 0
end

local function place(fault)
  if fault.file and fault.line then
    return ("%s:%d: "):format(fault.file, fault.line)
  end
  return fault.file and fault.file .. ": " or ""
end

---One fault as text.
function M.text(fault)
  return ("%s%s: %s"):format(place(fault), fault.path, fault.message)
end

---The faults of an error as one JSON object ("tidal-faults/1"). One that has
---no list is one fault; its file and line are taken from its message.
---@param err table an error object
---@return string
function M.json(err)
  local json, list, out = require "tidal.json", err.faults, {}
  if not list then
    local file, line, rest = err.message:match "^([^\n]-):(%d+): (.*)$"
    list = { { file = file, line = line and math.tointeger(tonumber(line)),
               message = rest or err.message } }
  end
  for i, fault in ipairs(list) do
    out[i] = json.object {
      { "file", fault.file or json.null }, { "line", fault.line or json.null },
      { "path", fault.path or "" }, { "message", fault.message },
    }
  end
  return json.encode(json.object { { "format", "tidal-faults/1" },
                                   { "faults", json.list(out) } })
end

---Raises all faults as one error, in the order of their lines.
---@param code string for programs, e.g. "layout"
function Faults:raise(code)
  local order = {}
  for i, fault in ipairs(self.list) do
    order[i] = { fault = fault, line = fault.line or 0, i = i }
  end
  table.sort(order, function(a, b)
    if a.line ~= b.line then return a.line < b.line end
    return a.i < b.i
  end)
  local sorted, lines = {}, {}
  for i, entry in ipairs(order) do
    sorted[i] = entry.fault
    if i <= 100 then lines[i] = M.text(entry.fault) end
  end
  if #order > 100 then
    lines[#lines + 1] = ("... and %d more"):format(#order - 100)
  end
  if #order > 1 then
    lines[#lines + 1] = ("%d faults; nothing planned"):format(#order)
  end
  error(core.error {
    code = code, message = table.concat(lines, "\n"), faults = sorted,
  }, 0)
end

return M
