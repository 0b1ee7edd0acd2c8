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
local keys = require "tidal.cluster.keys"
local layout = require "tidal.cluster.layout"
local leaders = require "tidal.cluster.leaders"
local origin = require "tidal.cluster.origin"
local ranges = require "tidal.cluster.ranges"
local routing = require "tidal.routing"
local rules = require "tidal.rules"

local shown <const> = faults.shown
local NAME_BYTES_MAX <const> = 64
local EPOCH_MAX <const> = 0xffffffff
local SHARDS_MAX <const> = 65536
local REGIONS_MAX <const> = 65536
local NODES_MAX <const> = 4194304
local KEYS <const> = {
  "name", "epoch", "regions", "shards", "routing", "leaders", "rules",
}

-- ": write 5", where a number was written in another way.
local function written_as(value, min, max)
  local kind = math.type(value) or type(value)
  local number = (kind == "float" or kind == "string") and tonumber(value)
  number = number and math.tointeger(number)
  if not number or number < min or number > max then return "" end
  return (": write %d"):format(number)
end

local function check_integer(t, key, default, min, max, found)
  local value = rawget(t, key)
  if value == nil then
    if default then return default end
    found:add_format(key, "is missing: an integer %d..%d", min, max)
    return nil
  end
  if math.type(value) ~= "integer" or value < min or value > max then
    found:add_format(key, "an integer %d..%d expected, got %s%s", min, max,
                     shown(value), written_as(value, min, max))
    return nil
  end
  return value
end

local function is_name(value)
  return type(value) == "string" and #value <= NAME_BYTES_MAX
     and value:find "^[%w._-]+$" ~= nil
end

local NAME <const> = "letters, digits, '.', '_' or '-', at most 64 bytes"
local NO_NAME <const> = "%s is not a name (" .. NAME .. ")"

local function check_name(t, found)
  local value = rawget(t, "name")
  if is_name(value) then return value end
  found:add("name", value == nil and "is missing: " .. NAME
                    or NO_NAME:format(shown(value)))
end

-- The list of names as { { id = 0, name = }, ... }.
local function check_regions(t, found)
  local list = rawget(t, "regions")
  if list == nil or type(list) == "table" and next(list) == nil then
    found:add("regions", (list and "is empty" or "is missing")
                         .. ": a list of names, r0 first")
    return nil
  elseif type(list) ~= "table" then
    found:add_format("regions", "a list of names expected, got %s",
                     shown(list))
    return nil
  end
  if #list > REGIONS_MAX then
    found:add_format("regions", "are %d, at most %d are possible", #list,
                     REGIONS_MAX)
    return nil
  end
  local out, first = {}, {}
  for i = 1, #list do
    local name, path = list[i], ("regions[%d]"):format(i)
    if not is_name(name) then
      found:add_format(path, NO_NAME, shown(name))
    elseif first[name] then
      found:add_format(path, "%q is already regions[%d]", name, first[name])
    else
      first[name] = i
    end
    out[i] = { id = i - 1, name = tostring(name) }
  end
  keys.check_list(list, "regions", "names", found)
  return #out > 0 and out or nil
end

local function check_rules(t, found)
  local list = rawget(t, "rules")
  if list == nil then return {} end
  if type(list) ~= "table" or rules.is(list) then
    found:add_format("rules", "a list of rules expected, got %s",
                     rules.is(list) and "one rule: write { ... } around it"
                     or shown(list))
    return nil
  end
  local out = {}
  for i = 1, #list do
    local rule = list[i]
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
  keys.check_list(list, "rules", "rules", found)
  return out
end

-- `shards` is nil where it was refused: what does not depend on it is
-- checked all the same.
local function check_routing(t, shards, found)
  local value = rawget(t, "routing")
  if value == nil then value = routing.even() end
  if not routing.is(value) then
    found:add_format("routing", "tidal.routing.* expected, got %s",
                     shown(value))
    return nil
  end
  if value.strategy == "single" and shards and shards ~= 1 then
    found:add_format("routing", "single() sends every id to s0, but there "
                     .. "are %d shards: write shards = 1, or even()", shards)
    return nil
  end
  return ranges.router(value, shards or SHARDS_MAX, found)
end

local function check_size(regions, shards, found)
  if regions and shards and #regions * shards > NODES_MAX then
    found:add_format("shards", "%d regions x %d shards are %d nodes, at most "
                     .. "%d are possible", #regions, shards,
                     #regions * shards, NODES_MAX)
  end
end

-- A key that stands twice: Lua keeps the last and says nothing.
local function add_duplicates(index, found)
  for _, twice in ipairs(index and index.duplicates or {}) do
    found:add(twice.path, ("is already set on line %d"):format(twice.first),
              twice.line)
  end
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

-- Operators that go wrong for half of the ids.
local function add_traps(index, found)
  for _, trap in ipairs(index and index.traps or {}) do
    found:add(trap.text, trap.why, trap.line)
  end
end

-- Called by the constructor, and not as a tail call: levels are counted.
local function declare(t)
  if type(t) ~= "table" then
    error(("tidal.cluster: a table expected, got %s"):format(shown(t)), 3)
  end
  local file, index = origin.find(2)
  local found = faults.new(file, index)
  keys.check(t, KEYS, "", found)
  local fields = {
    name = check_name(t, found),
    epoch = check_integer(t, "epoch", 1, 1, EPOCH_MAX, found),
    regions = check_regions(t, found),
    shards = check_integer(t, "shards", nil, 1, SHARDS_MAX, found),
    rules = check_rules(t, found),
    file = file,
  }
  check_size(fields.regions, fields.shards, found)
  fields.router = check_routing(t, fields.shards, found)
  if fields.regions then
    fields.leaders = leaders.check(rawget(t, "leaders"), fields.regions,
                                   fields.shards or SHARDS_MAX, found)
  end
  add_duplicates(index, found)
  add_literals(index, found)
  add_traps(index, found)
  if found:any() then found:raise "layout" end
  return layout.new(fields)
end

local M = {}

---True for a value that tidal.cluster{...} returned.
M.is_layout = layout.is

local function compile(path)
  return loadfile(path, "t", setmetatable(
    { tidal = require "tidal" }, { __index = _G, __newindex = _G }))
end

---Runs a layout script and returns its layout. Raises what the script
---raises; an error object with code "layout" when it returns none.
---@param path string
---@param loads? fun(path): function?, string? in full Lua by default
function M.load(path, loads)
  local chunk, why = (loads or compile)(path)
  if not chunk then
    local named = why:find(path, 1, true) and why or path .. ": " .. why
    error(core.error { code = "layout", message = named }, 0)
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
  __call = function(_, t)
    local made = declare(t)
    return made
  end,
})
