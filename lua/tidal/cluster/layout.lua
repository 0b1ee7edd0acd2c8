-- A layout: what a cluster is, as a frozen value.
--
--   name, epoch, shards, regions = { { id = 0, name = }, ... }, router,
--   leaders = { [shard] = region id } or "all", rules, file, load = what was
--   seen, or nil: { regions = { [name] = bytes }, shards = { [shard] = events
--   } or nil, absent = { [shard] = copies that are lost } or nil }
--
-- Two layouts are equal when their first lines and their leaders are: rules
-- are functions, which cannot be compared.
local core = require "tidal.core"
local frozen = require "tidal.frozen"
local json = require "tidal.json"

local M = {}

local Layout = {}

local META <const> = { __name = "tidal.Layout", __metatable = "locked" }
local fields_of = setmetatable({}, { __mode = "k" })  -- what methods read
local leads_of = setmetatable({}, { __mode = "k" })   -- { [region] = count }

-- What scripts see as views; the rest they see as it is.
local VIEWED <const> = {
  regions = true, rules = true, leaders = true, load = true,
}

function META.__index(self, key)
  local method = Layout[key]
  if method ~= nil then return method end
  local value = fields_of[self][key]
  if VIEWED[key] and type(value) == "table" then
    return frozen.view(value, "layout")
  end
  return value
end

function META.__newindex(_, key)
  frozen.refuse("layout", key)
end

-- Whether two layouts have the same first line. Of many ranges that is long:
-- where the router is one and the same it need not be written.
local function same_line(a, b)
  if a.shards ~= b.shards or not rawequal(a.router, b.router) then
    return a:line() == b:line()
  end
  if a.name ~= b.name or a.epoch ~= b.epoch or #a.regions ~= #b.regions then
    return false
  end
  for i, region in ipairs(a.regions) do
    if region.name ~= b.regions[i].name then return false end
  end
  return true
end

function META.__eq(a, b)
  return M.is(a) and M.is(b) and same_line(a, b) and a:leads_as(b)
end

function META.__tostring(self)
  return ("tidal.Layout(%s, epoch %d, %d region%s x %d shard%s)"):format(
    self.name, self.epoch, #self.regions, #self.regions == 1 and "" or "s",
    self.shards, self.shards == 1 and "" or "s")
end

-- Fields that are made when they are first read.
local function make_when_read(fields, makers)
  return setmetatable(fields, { __index = function(_, key)
    local make = makers[key]
    if not make then return nil end
    local value = make()
    fields[key] = value
    return value
  end })
end

---The leaders of a layout themselves, not a view of them, for the modules
---that look at all of them: not to be changed.
---@return table|string { [shard] = region id } or "all"
function M.leaders(self)
  return fields_of[self].leaders
end

---The fields of a layout themselves, for the modules that look at very many
---layouts: not to be changed.
function M.fields(self)
  return fields_of[self]
end

---From fields that tidal.cluster has checked; they belong to the layout now.
---@param fields table
---@param makers? { [string]: fun(): any } fields that are made when read
---@param leads? { [integer]: integer } shards led by region, where known
function M.new(fields, makers, leads)
  local self = {}
  fields_of[self] = makers and make_when_read(fields, makers) or fields
  leads_of[self] = leads
  return setmetatable(self, META)
end

---True for a value that M.new made.
function M.is(value)
  return type(value) == "table" and fields_of[value] ~= nil
end

---The shard an id belongs to.
---@return userdata ShardId
function Layout:route(id)
  return self.router:route(id)
end

---True for the strategies that route by ranges.
function Layout:has_ranges()
  local strategy = self.router:strategy()
  return strategy == "ranges" or strategy == "hash_ranges"
end

---The ranges of a range strategy, rising; nil for single and hash.
---@return table[]? list of { shard = ShardId, first =, last = }
function Layout:ranges()
  return self:has_ranges() and self.router:ranges() or nil
end

---True if this region leads this shard.
function Layout:is_leader(region, shard)
  local leaders = fields_of[self].leaders
  return leaders == "all" or leaders[shard] == region
end

-- True for a table of counts.
local function are_counts(t)
  if type(t) ~= "table" then return false end
  for _, value in next, t do
    if math.type(value) ~= "integer" or value < 0 then return false end
  end
  return true
end

---The same layout, with what was seen of it.
---@param load { regions: table, shards: table?, absent: table? } by name, by
---  shard, by shard
function Layout:with_load(load)
  if type(load) ~= "table" or not are_counts(load.regions)
     or load.shards ~= nil and not are_counts(load.shards)
     or load.absent ~= nil and not are_counts(load.absent) then
    error("layout:with_load: { regions = bytes by name, shards = events by "
          .. "number } expected", 2)
  end
  return M.new(setmetatable({ load = load }, {
    __index = fields_of[self],
  }), nil, leads_of[self])
end

---True if every region leads every shard. Makes no leaders.
function Layout:all_lead()
  return leads_of[self] == nil and fields_of[self].leaders == "all"
end

---How many shards a region leads.
function Layout:leads(region)
  local counts = leads_of[self]
  if not counts then
    local leaders, shards = fields_of[self].leaders, self.shards
    if leaders == "all" then return shards end
    counts = {}
    for s = 0, shards - 1 do
      counts[leaders[s]] = (counts[leaders[s]] or 0) + 1
    end
    leads_of[self] = counts
  end
  return counts[region] or 0
end

---True if each shard has the same leader in both layouts.
function Layout:leads_as(other)
  local a, b = fields_of[self].leaders, fields_of[other].leaders
  if a == "all" or b == "all" then return a == b end
  for s = 0, math.max(self.shards, other.shards) - 1 do
    if a[s] ~= b[s] then return false end
  end
  return true
end

---"single" where there is one node, else "leader" or "follower".
function Layout:role(region, shard)
  local fields = fields_of[self]
  if #fields.regions * fields.shards == 1 then return "single" end
  local leaders = fields.leaders
  return (leaders == "all" or leaders[shard] == region) and "leader"
      or "follower"
end

---The region of that name, or nil.
function Layout:region(name)
  for _, region in ipairs(self.regions) do
    if region.name == name then return region end
  end
end

---NodeConfigs of all nodes, in order of (region, shard).
function Layout:nodes()
  local leaders = fields_of[self].leaders
  if leaders ~= "all" then
    leaders = table.move(leaders, 0, self.shards - 1, 1, {})
  end
  return core.nodes {
    regions = #self.regions, shards = self.shards, leaders = leaders,
    router = self.router,
  }
end

local written = setmetatable({}, { __mode = "k" })  -- by router, by key

---The ranges of a range strategy as a JSON value.
---@param key string what the shard is called: "shard" or "id"
function Layout:ranges_json(key)
  local known = written[self.router] or {}
  if not known[key] then
    known[key] = json.raw(core.ranges_json(self.router, key))
    written[self.router] = known
  end
  return known[key]
end

-- While shards are added or removed, hashes may have another number of them
-- than the layout.
local function routing_json(self)
  local strategy = self.router:strategy()
  local hashed = strategy == "hash"
  local routing = {
    { "strategy", strategy },
    { "num_shards", hashed and self.router:num_shards() or self.shards },
  }
  if self:has_ranges() then
    routing[3] = { "ranges", self:ranges_json "shard" }
  end
  return json.object(routing)
end

---The regions as JSON values.
function Layout:regions_json()
  local list = {}
  for i, region in ipairs(self.regions) do
    list[i] = json.object { { "id", region.id }, { "name", region.name } }
  end
  return json.list(list)
end

---The first line of the layout's file, with its line feed: what the layout
---is, without leaders and rules.
function Layout:line()
  return json.encode(json.object {
    { "format", "tidal-layout/1" },
    { "name", self.name },
    { "epoch", self.epoch },
    { "regions", self:regions_json() },
    { "routing", routing_json(self) },
  }) .. "\n"
end

---XXH3-128 of that line, 32 hex digits.
function Layout:hash()
  return core.checksum(self:line())
end

---The whole of the layout's file: the line and its hash.
function Layout:text()
  local line = self:line()
  return line .. core.checksum(line) .. "\n"
end

---What this layout means, node by node.
function Layout:plan()
  return require "tidal.plan.meaning".new(self)
end

---What it takes to make another layout of this one: plan/diff.lua.
function Layout:diff(to)
  return require "tidal.plan.diff".new(self, to)
end

---The plan to boundaries that spread what logs hold: plan/balance.lua.
function Layout:balance(options)
  return require "tidal.plan.balance".balance(self, options)
end

---Whether its routing is total and unique over all 2^64 ids.
function Layout:prove()
  return require "tidal.inspect.prove".prove(self)
end

return M
