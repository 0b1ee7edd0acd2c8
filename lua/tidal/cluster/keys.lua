-- Keys of the tables that a script declares: in an order that does not
-- depend on the hash, so that the same layout gives the same faults in every
-- process, and written as one would write them.
local faults = require "tidal.faults"
local suggest = require "tidal.suggest"

local M = {}

local function before(a, b)
  local kind_a, kind_b = type(a), type(b)
  if kind_a ~= kind_b then return kind_a < kind_b end
  if kind_a == "number" or kind_a == "string" then return a < b end
  return tostring(a) < tostring(b)
end

---The keys of a table: by type, then rising.
---@param t table
---@return any[]
function M.sorted(t)
  local keys = {}
  for key in next, t do keys[#keys + 1] = key end
  table.sort(keys, before)
  return keys
end

---The path of an entry, as tidal.source writes it: regions[2], leaders.s3,
---leaders["us-east"].
---@param parent string "" for the outermost table
---@param key any
---@return string
function M.path(parent, key)
  if type(key) ~= "string" then
    return ("%s[%s]"):format(parent, faults.shown(key))
  end
  if not key:find "^[%a_][%w_]*$" then
    return ("%s[%s]"):format(parent, faults.shown(key))
  end
  return parent == "" and key or parent .. "." .. key
end

---Adds a fault for every key that is not one of `known`.
---@param t table
---@param known string[]
---@param parent string path of t
---@param found table of tidal.faults
---@return boolean fine
function M.check(t, known, parent, found)
  local is_known, fine = {}, true
  for _, key in ipairs(known) do is_known[key] = true end
  for _, key in ipairs(M.sorted(t)) do
    if not is_known[key] then
      local hint = type(key) == "string" and suggest.unknown(key, known) or ""
      if hint == "" then
        hint = "; the keys are: " .. table.concat(known, " ")
      end
      found:add(M.path(parent, key), "unknown key" .. hint)
      fine = false
    end
  end
  return fine
end

---Adds a fault for every key that does not belong to a list.
---@param t table
---@param parent string path of t
---@param what string "names", what the list holds
---@param found table of tidal.faults
---@return boolean fine
function M.check_list(t, parent, what, found)
  local fine = true
  for _, key in ipairs(M.sorted(t)) do
    if math.type(key) ~= "integer" or key < 1 or key > #t then
      found:add_format(M.path(parent, key), "only a list of %s", what)
      fine = false
    end
  end
  return fine
end

return M
