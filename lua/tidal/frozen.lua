-- Views of tables through which nothing can be set: what a value shows of
-- itself to scripts. A view costs nothing until it is looked through: tables
-- inside are shown as views when they are reached. What guards itself (has a
-- metatable that is locked) is shown as it is.
local M = {}

local under = setmetatable({}, { __mode = "k" })   -- view -> table
local names = setmetatable({}, { __mode = "k" })   -- view -> what it belongs to
local views = setmetatable({}, { __mode = "kv" })  -- table -> view

local Frozen = { __name = "tidal.frozen", __metatable = "locked" }

local function shown(value, name)
  if type(value) ~= "table" or getmetatable(value) == "locked" then
    return value
  end
  return M.view(value, name)
end

function Frozen.__index(self, key)
  return shown(under[self][key], names[self])
end

function Frozen.__newindex(self, key)
  M.refuse(names[self], key)
end

function Frozen.__len(self)
  return #under[self]
end

function Frozen.__pairs(self)
  local t, name = under[self], names[self]
  return function(_, key)
    local value
    key, value = next(t, key)
    return key, shown(value, name)
  end, nil, nil
end

---Raises what one says who sets a field of a value.
---@param name string "layout", what the field belongs to
---@param key any
function M.refuse(name, key)
  error(("a %s is a value: %s cannot be set; declare another one")
        :format(name, tostring(key)), 3)
end

---The view of a table.
---@param t table
---@param name string "layout", what the table belongs to
---@return table
function M.view(t, name)
  local view = views[t]
  if view then return view end
  view = setmetatable({}, Frozen)
  under[view], names[view], views[t] = t, name, view
  return view
end

return M
