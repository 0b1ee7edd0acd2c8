-- Arguments of ready rules: each reader gives the value, or nil and what is
-- wrong with it. Also the regions that rules name.
local core = require "tidal.core"
local faults = require "tidal.faults"
local keys = require "tidal.cluster.keys"
local suggest = require "tidal.suggest"

local M = {}

local NAMES_MAX <const> = 1000  -- regions that a hint is looked for among

---@param value any
---@param least integer
function M.integer(value, least)
  if math.type(value) == "integer" and value >= least then return value end
  return nil, ("an integer >= %d expected, got %s"):format(least,
                                                           tostring(value))
end

---A table that has no other keys than these.
---@param value any
---@param known string[]
---@param form string how it is written, for the message
function M.record(value, known, form)
  if type(value) ~= "table" then
    return nil, ("%s expected, got %s"):format(form, faults.shown(value))
  end
  local is_known = {}
  for _, key in ipairs(known) do is_known[key] = true end
  local odd = keys.sorted(value, function(key) return is_known[key] end)[1]
  if odd == nil then return value end
  local hint = type(odd) == "string" and suggest.unknown(odd, known) or ""
  if hint == "" then hint = "; the keys are: " .. table.concat(known, " ") end
  return nil, ("unknown key %s%s"):format(faults.shown(odd), hint)
end

---An id; `key` names it.
function M.id(value, key)
  if math.type(value) == "integer" then return value end
  local fine, id = pcall(core.u64.parse, value)
  if fine then return id end
  return nil, ("%s: %s"):format(
    key, require "tidal.cluster.ranges".id_fault(value))
end

---{ [region] = value } as a list of { name, read(value) }, by name; at least
---one. read gives nil and why for what is wrong.
function M.by_region(value, form, read)
  if type(value) ~= "table" or next(value) == nil then
    return nil, ("%s expected, got %s"):format(
      form, type(value) == "table" and "an empty table"
            or faults.shown(value))
  end
  local out = {}
  for i, name in ipairs(keys.sorted(value)) do
    if type(name) ~= "string" then
      return nil, ("%s expected, got the key %s"):format(form,
                                                         faults.shown(name))
    end
    local amount, why = read(value[name])
    if amount == nil then return nil, ("%s: %s"):format(name, why) end
    out[i] = { name, amount }
  end
  return out
end

---The region that a rule names; nil and why where the layout has none of
---that name.
function M.region(layout, name)
  local region = layout:region(name)
  if region then return region end
  local names = {}
  for i = 1, math.min(#layout.regions, NAMES_MAX) do
    names[i] = layout.regions[i].name
  end
  return nil, ("%s has no region '%s'%s"):format(
    layout.name, name, suggest.unknown(name, names))
end

return M
