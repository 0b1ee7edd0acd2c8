-- Random layouts and pairs of layouts for properties: small, of every
-- strategy, with regions that come, go, change name or place.
local routing = require "tidal.routing"

local M = {}

-- tidal.cluster from a place that has no file: no lines to be looked up, which
-- takes longer than all else.
local cluster = assert(load([[
  local fields = ...
  local made = require "tidal.cluster"(fields)
  return made
]], "=pairs"))

local NAMES = { "us", "eu", "ap", "sa", "af", "oc" }

local function routing_of(stream, shards)
  local kind = stream:int(1, shards == 1 and 6 or 5)
  if kind == 6 then return routing.single() end
  if kind == 1 then return routing.even() end
  if kind == 2 then return routing.hash() end
  local list = stream:ranges(stream:int(1, 9), shards)
  if kind == 3 then return routing.hash_ranges(list) end
  return routing.ranges(list)
end

local function regions_of(stream)
  local names = stream:shuffle(table.move(NAMES, 1, #NAMES, 1, {}))
  return table.move(names, 1, stream:int(1, 4), 1, {})
end

local function leaders_of(stream, regions, shards)
  local kind = stream:int(1, 4)
  if kind == 1 then return "all" end
  if kind == 2 then return "spread" end
  if kind == 3 then return stream:pick(regions) end
  local out = {}
  for s = 0, shards - 1 do out[s] = stream:pick(regions) end
  return out
end

---A random layout; `fields` that are given are kept.
function M.layout(stream, epoch, fields)
  fields = fields or {}
  local regions = fields.regions or regions_of(stream)
  local shards = fields.shards or stream:once_in(5) and 1 or stream:int(1, 9)
  local made = cluster {
    name = "pairs", epoch = epoch, regions = regions, shards = shards,
    routing = fields.routing or routing_of(stream, shards),
    leaders = leaders_of(stream, regions, shards), rules = fields.rules,
  }
  return made
end

---The same layout with these rules.
function M.again(layout, rules)
  local names, leaders = {}, layout.leaders
  for i, region in ipairs(layout.regions) do names[i] = region.name end
  if leaders ~= "all" then
    leaders = {}
    for s = 0, layout.shards - 1 do leaders[s] = names[layout.leaders[s] + 1] end
  end
  local strategy, list = layout.router:strategy(), nil
  for i, range in ipairs(layout:ranges() or {}) do
    list = list or {}
    list[i] = { shard = range.shard.value, first = range.first, last = range.last }
  end
  local made = cluster {
    name = layout.name, epoch = layout.epoch, regions = names, shards = layout.shards,
    routing = list and routing[strategy](list) or routing[strategy](), leaders = leaders,
    rules = rules,
  }
  return made
end

-- Another table near the first: some ranges cut, some given away.
local function near(stream, from, shards)
  local list, strategy = {}, from.router:strategy()
  for _, range in ipairs(from:ranges()) do
    local shard = math.min(range.shard.value, shards - 1)
    local size = range.last - range.first
    if stream:once_in(3) and size ~= 0 then
      local cut = range.first + (stream:next() & (size >> 1))
      list[#list + 1] = { shard = shard, first = range.first, last = cut }
      list[#list + 1] = { shard = stream:int(0, shards - 1), first = cut + 1,
                          last = range.last }
    else
      if stream:once_in(5) then shard = stream:int(0, shards - 1) end
      list[#list + 1] = { shard = shard, first = range.first, last = range.last }
    end
  end
  return routing[strategy](list)
end

---Two layouts, the second one's epoch higher; near ones as often as not.
function M.pair(stream)
  local from = M.layout(stream, stream:int(1, 5))
  local fields = {}
  if from:has_ranges() and stream:once_in(2) then
    fields.shards = math.max(1, from.shards + stream:int(-2, 2))
    fields.routing = near(stream, from, fields.shards)
  end
  if stream:once_in(2) then
    fields.regions = {}
    for i, region in ipairs(from.regions) do fields.regions[i] = region.name end
  end
  return from, M.layout(stream, from.epoch + stream:int(1, 3), fields)
end

return M
