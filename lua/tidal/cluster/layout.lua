-- A layout: what a cluster is, as a frozen value.
--
--   name, epoch, shards, regions = { { id = 0, name = }, ... }, router,
--   leaders = { [shard] = region id } or "all", rules, file
local core = require "tidal.core"
local json = require "tidal.json"

local M = {}

local Layout = {}

local META <const> = { __name = "tidal.Layout", __metatable = "locked" }
local fields_of = setmetatable({}, { __mode = "k" })  -- what methods read
local views_of = setmetatable({}, { __mode = "k" })   -- what scripts see

local function refuse(_, key)
  error(("a layout is a value: %s cannot be set; declare another one")
        :format(tostring(key)), 2)
end

META.__newindex = refuse

function META.__index(self, key)
  local method = Layout[key]
  if method ~= nil then return method end
  return views_of[self][key]
end

function META.__tostring(self)
  return ("tidal.Layout(%s, epoch %d, %d region%s x %d shard%s)"):format(
    self.name, self.epoch, #self.regions, #self.regions == 1 and "" or "s",
    self.shards, self.shards == 1 and "" or "s")
end

-- A view of a table through which nothing can be set.
local function frozen(t)
  return setmetatable({}, {
    __index = t, __newindex = refuse, __metatable = "locked",
    __len = function() return #t end,
    __pairs = function()
      return function(_, key) return next(t, key) end, nil, nil
    end,
  })
end

local function frozen_list(list)
  local out = {}
  for i, entry in ipairs(list) do out[i] = frozen(entry) end
  return frozen(out)
end

---From fields that tidal.cluster has checked; they belong to the layout now.
function M.new(fields)
  local self, views = {}, {}
  for key, value in next, fields do views[key] = value end
  views.regions = frozen_list(fields.regions)
  views.rules = frozen_list(fields.rules)
  if fields.leaders ~= "all" then views.leaders = frozen(fields.leaders) end
  fields_of[self], views_of[self] = fields, views
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

---How many shards a region leads.
function Layout:leads(region)
  local leaders, shards = fields_of[self].leaders, self.shards
  if leaders == "all" then return shards end
  local count = 0
  for s = 0, shards - 1 do
    if leaders[s] == region then count = count + 1 end
  end
  return count
end

---"single" where there is one node, else "leader" or "follower".
function Layout:role(region, shard)
  local fields = fields_of[self]
  if #fields.regions * fields.shards == 1 then return "single" end
  return self:is_leader(region, shard) and "leader" or "follower"
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

-- Numbers and fixed words: nothing to escape.
local RANGE_JSON <const> =
  '{"%s":%d,"first":"0x%016x","last":"0x%016x"}'

---The ranges of a range strategy as a JSON value.
---@param key string what the shard is called: "shard" or "id"
function Layout:ranges_json(key)
  local list = {}
  for i, range in ipairs(self:ranges()) do
    list[i] = RANGE_JSON:format(key, range.shard.value, range.first,
                                range.last)
  end
  return json.raw("[" .. table.concat(list, ",") .. "]")
end

local function routing_json(self)
  local routing = {
    { "strategy", self.router:strategy() },
    { "num_shards", self.shards },
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
  return require "tidal.cluster.plan".new(self)
end

---Whether its routing is total and unique over all 2^64 ids.
function Layout:prove()
  return require "tidal.cluster.prove".prove(self)
end

return M
