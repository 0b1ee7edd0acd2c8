-- Keys of the tables that a script declares: in an order that does not
-- depend on the hash, so that the same layout gives the same faults in every
-- process, and written as one would write them.
local faults = require "tidal.faults"
local suggest = require "tidal.suggest"

local M = {}

local function by_text(a, b)
  return tostring(a) < tostring(b)
end

-- Numbers and texts have an order that needs no function of Lua: a table by
-- shard may have 65,536 keys.
local function sort(keys, kind)
  if kind == "number" or kind == "string" then table.sort(keys)
  else table.sort(keys, by_text) end
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

---The keys of a table: by type, then rising.
---@param t table
---@param belongs? fun(key): boolean those that are left out; none by default
---@return any[]
function M.sorted(t, belongs)
  local by_kind, kinds, out = {}, {}, {}
  for key in next, t do
    if not belongs or not belongs(key) then
      local kind = type(key)
      local list = by_kind[kind]
      if not list then
        list = {}
        by_kind[kind], kinds[#kinds + 1] = list, kind
      end
      list[#list + 1] = key
    end
  end
  table.sort(kinds)
  for _, kind in ipairs(kinds) do
    sort(by_kind[kind], kind)
    table.move(by_kind[kind], 1, #by_kind[kind], #out + 1, out)
  end
  return out
end

---Adds a fault for every key that is not one of `known`.
---@param t table
---@param known string[]
---@param parent string path of t
---@param found table of tidal.faults
---@return boolean fine
function M.check(t, known, parent, found)
  local is_known = {}
  for _, key in ipairs(known) do is_known[key] = true end
  local odd = M.sorted(t, function(key) return is_known[key] end)
  for _, key in ipairs(odd) do
    local hint = type(key) == "string" and suggest.unknown(key, known) or ""
    if hint == "" then
      hint = "; the keys are: " .. table.concat(known, " ")
    end
    found:add(M.path(parent, key), "unknown key" .. hint)
  end
  return #odd == 0
end

---Adds a fault for every key that does not belong to a list.
---@param t table
---@param parent string path of t
---@param what string "names", what the list holds
---@param found table of tidal.faults
---@return boolean fine
function M.check_list(t, parent, what, found)
  local count = #t
  local odd = M.sorted(t, function(key)
    return math.type(key) == "integer" and key >= 1 and key <= count
  end)
  for _, key in ipairs(odd) do
    found:add_format(M.path(parent, key), "only a list of %s", what)
  end
  return #odd == 0
end

return M
