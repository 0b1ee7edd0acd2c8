-- tidal.cluster{...}: a layout from what a script declares.
--
--   name     text, [A-Za-z0-9._-], at most 64 bytes
--   epoch    1..4294967295, default 1; grows by one at each change
--   regions  list of names: r0, r1, ... in that order
--   shards   1..65536: s0, s1, ..., in every region
--   routing  tidal.routing.*, default even()
--   leaders  a region, "spread", "all", or { [0] = region, s1 = region };
--            default the first region, also for shards not named
--   rules    list of tidal.rules.*, default none
--
-- Every fault is reported at once, with file and line where the script's
-- source is at hand.
local core = require "tidal.core"
local faults = require "tidal.faults"
local layout = require "tidal.cluster.layout"
local origin = require "tidal.cluster.origin"
local ranges = require "tidal.cluster.ranges"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local suggest = require "tidal.suggest"

local NAME_BYTES_MAX <const> = 64
local EPOCH_MAX <const> = 0xffffffff
local SHARDS_MAX <const> = 65536
local REGIONS_MAX <const> = 65536
local KEYS <const> = {
  "name", "epoch", "regions", "shards", "routing", "leaders", "rules",
}
local KNOWN <const> = {}
for _, key in ipairs(KEYS) do KNOWN[key] = true end

local function shown(value)
  if type(value) == "string" then return ("%q"):format(value) end
  if math.type(value) == "float" then return ("%.17g"):format(value) end
  return tostring(value)
end

-- Keys of a table in an order that does not depend on the hash.
local function sorted_keys(t)
  local keys = {}
  for key in next, t do keys[#keys + 1] = key end
  table.sort(keys, function(a, b)
    local ta, tb = type(a), type(b)
    if ta ~= tb then return ta < tb end
    if ta == "number" or ta == "string" then return a < b end
    return tostring(a) < tostring(b)
  end)
  return keys
end

local function check_keys(t, found)
  for _, key in ipairs(sorted_keys(t)) do
    if not KNOWN[key] then
      local hint = type(key) == "string" and suggest.unknown(key, KEYS) or ""
      found:add(tostring(key), "unknown key" .. hint)
    end
  end
end

local function check_integer(t, key, default, min, max, found)
  local value = rawget(t, key)
  if value == nil then
    if default then return default end
    found:add_format(key, "is missing: an integer %d..%d", min, max)
    return nil
  end
  if math.type(value) ~= "integer" or value < min or value > max then
    found:add_format(key, "an integer %d..%d expected, got %s", min, max,
                     shown(value))
    return nil
  end
  return value
end

local function is_name(value)
  return type(value) == "string" and #value <= NAME_BYTES_MAX
     and value:find "^[%w._-]+$" ~= nil
end

local NAME_RULE <const> =
  "a name of letters, digits, '.', '_' or '-', at most 64 bytes, expected"

local function check_name(t, found)
  local value = rawget(t, "name")
  if is_name(value) then return value end
  found:add_format("name", "%s, got %s", NAME_RULE, shown(value))
end

-- The list of names as { { id = 0, name = }, ... }.
local function check_regions(t, found)
  local list = rawget(t, "regions")
  if type(list) ~= "table" or #list == 0 then
    found:add_format("regions", "a list of names expected, got %s",
                     type(list) == "table" and "an empty one" or shown(list))
    return nil
  end
  if #list > REGIONS_MAX then
    found:add_format("regions", "are %d, at most %d are possible", #list,
                     REGIONS_MAX)
    return nil
  end
  local out, first, good = {}, {}, true
  for i = 1, #list do
    local name, path = list[i], ("regions[%d]"):format(i)
    if not is_name(name) then
      found:add_format(path, "%s, got %s", NAME_RULE, shown(name))
      good = false
    elseif first[name] then
      found:add_format(path, "%q is already regions[%d]", name, first[name])
      good = false
    else
      first[name] = i
    end
    out[i] = { id = i - 1, name = tostring(name) }
  end
  for _, key in ipairs(sorted_keys(list)) do
    if math.type(key) ~= "integer" or key < 1 or key > #list then
      found:add_format("regions." .. tostring(key), "only a list of names")
    end
  end
  return out, good
end

local function region_ids(regions)
  local ids, names = {}, {}
  for i, region in ipairs(regions) do
    ids[region.name] = region.id
    names[i] = region.name
  end
  return ids, names
end

local function shard_of_key(key)
  if math.type(key) == "integer" then return key end
  local text = type(key) == "string" and key:match "^s(%d+)$"
  if text then return math.tointeger(tonumber(text)) end
  local ok, value = pcall(function() return key.value end)
  return ok and type(key) == "userdata" and value or nil
end

local function check_leader_table(t, regions, shards, found)
  local ids, names = region_ids(regions)
  local out = {}
  for s = 0, shards - 1 do out[s] = 0 end
  for _, key in ipairs(sorted_keys(t)) do
    local value = t[key]
    local shard = shard_of_key(key)
    local path = ("leaders.%s"):format(shard and "s" .. shard or
                                       tostring(key))
    if not shard or shard < 0 or shard >= shards then
      found:add_format(path, "is not a shard of this layout (s0..s%d)",
                       shards - 1)
    elseif not ids[value] then
      found:add_format(path, "%s is not a region%s", shown(value),
                       type(value) == "string"
                       and suggest.unknown(value, names) or "")
    else
      out[shard] = ids[value]
    end
  end
  return out
end

-- { [shard] = region id }, or "all".
local function check_leaders(t, regions, shards, found)
  local value = rawget(t, "leaders")
  local ids, names = region_ids(regions)
  local out = {}
  if value == "all" and not ids.all then return "all" end
  if type(value) == "table" then
    return check_leader_table(value, regions, shards, found)
  end
  local spread = value == "spread" and not ids.spread
  local one = value == nil and 0 or ids[value]
  if not spread and not one then
    local words = { "spread", "all", table.unpack(names, 1, 100) }
    found:add_format("leaders",
                     "a region, \"spread\", \"all\" or a table by shard "
                     .. "expected, got %s%s", shown(value),
                     type(value) == "string"
                     and suggest.unknown(value, words) or "")
    return nil
  end
  for s = 0, shards - 1 do out[s] = spread and s % #regions or one end
  return out
end

local function check_rules(t, found)
  local list = rawget(t, "rules")
  if list == nil then return {} end
  if type(list) ~= "table" then
    found:add_format("rules", "a list of rules expected, got %s",
                     shown(list))
    return nil
  end
  local out = {}
  for i, rule in ipairs(list) do
    if type(rule) == "function" then
      rule = rules.new(("rule %d"):format(i), rule)
    end
    if not rules.is(rule) then
      found:add_format(("rules[%d]"):format(i),
                       "tidal.rules.* or a function expected, got %s",
                       shown(rule))
    end
    out[i] = rule
  end
  return out
end

local function check_routing(t, shards, found)
  local value = rawget(t, "routing")
  if value == nil then value = routing.even() end
  if not routing.is(value) then
    found:add_format("routing", "tidal.routing.* expected, got %s",
                     shown(value))
    return nil
  end
  if value.strategy == "single" and shards ~= 1 then
    found:add_format("routing", "single() sends every id to s0, but there "
                     .. "are %d shards: write shards = 1, or even()", shards)
    return nil
  end
  return ranges.router(value, shards, found)
end

-- Numerals that Lua's lexer changes before a script sees them. A float that
-- was already reported as a value is not reported again as a numeral.
local function add_literals(index, found)
  local told = {}
  for _, fault in ipairs(found.list) do
    if fault.message:find("the float", 1, true) then
      told[fault.line or 0] = true
    end
  end
  for _, literal in ipairs(index and index.literals or {}) do
    local float = literal.why:find("float", 1, true)
    if not (float and told[literal.line]) then
      found:add(literal.text, literal.why, literal.line)
    end
  end
end

local function declare(t)
  if type(t) ~= "table" then
    error(("tidal.cluster: a table expected, got %s"):format(type(t)), 3)
  end
  local file, index = origin.find(4)
  local found = faults.new(file, index)
  check_keys(t, found)
  local fields = {
    name = check_name(t, found),
    epoch = check_integer(t, "epoch", 1, 1, EPOCH_MAX, found),
    regions = check_regions(t, found),
    shards = check_integer(t, "shards", nil, 1, SHARDS_MAX, found),
    rules = check_rules(t, found),
    file = file,
  }
  if fields.shards then
    fields.router = check_routing(t, fields.shards, found)
    if fields.regions then
      fields.leaders = check_leaders(t, fields.regions, fields.shards, found)
    end
  end
  add_literals(index, found)
  if found:any() then found:raise "layout" end
  return layout.new(fields)
end

local M = {}

---True for a value that tidal.cluster{...} returned.
M.is_layout = layout.is

---Runs a layout script and returns its layout. Raises what the script
---raises; an error object with code "layout" when it returns none.
---@param path string
function M.load(path)
  local chunk, why = loadfile(path, "t", setmetatable(
    { tidal = require "tidal" }, { __index = _G, __newindex = _G }))
  if not chunk then
    error(core.error { code = "layout", message = why }, 0)
  end
  local value = origin.within(path, chunk)
  if layout.is(value) then return value end
  error(core.error {
    code = "layout",
    message = ("%s: returned %s, not a layout: end it with "
               .. "`return tidal.cluster { ... }`")
              :format(path, value == nil and "nothing" or "a "
                      .. type(value)),
  }, 0)
end

return setmetatable(M, {
  __call = function(_, t) return declare(t) end,
})
