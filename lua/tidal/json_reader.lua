-- Reads JSON strictly: one value, nothing behind it, no key twice.
--
-- Objects become tables, lists tables that are marked as lists, null becomes
-- M.null; integers stay integers where they fit and are floats beyond.
local core = require "tidal.core"

local M = {}

--- Marks lists, so that an empty one is told from an empty object.
M.List = { __name = "tidal.json.list" }

M.null = setmetatable({}, {
  __name = "tidal.json.null", __tostring = function() return "null" end,
})

--- Reads one value. Raises for anything else, naming the offset in bytes.
---@param text string
---@return any
function M.decode(text)
  local length, bad = utf8.len(text)
  if not length then
    error(("json: a byte that is no UTF-8 at offset %d"):format(bad - 1), 0)
  end
  return core.json_read(text, M.List, M.null)
end

return M
