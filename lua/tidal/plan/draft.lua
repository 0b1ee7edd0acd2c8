-- A layout on which steps are taken: what a cluster is between two layouts.
--
-- Steps are the flat tables of plan/steps.lua. A draft changes with each;
-- draft:layout() is the layout it is now, as a value. Its router and leaders
-- are made when they are first read: most rules read neither.
--
-- Regions have marks here, so that a region may get another name or number
-- without its shards having to be touched.
local core = require "tidal.core"
local layout = require "tidal.cluster.layout"
local tables = require "tidal.plan.tables"

local M = {}

local Draft = {}
Draft.__index = Draft

-- { [shard] = mark }, or "all".
local function leaders_of(from, shards)
  local out, leads, leaders = {}, {}, layout.leaders(from)
  if leaders == "all" then return "all", {} end
  for s = 0, shards - 1 do
    local mark = leaders[s] + 1
    out[s], leads[mark] = mark, (leads[mark] or 0) + 1
  end
  return out, leads
end

---@param from table a layout
function M.new(from)
  local order, names = {}, {}
  for i, region in ipairs(from.regions) do
    order[i], names[i] = i, region.name
  end
  local leaders, leads = leaders_of(from, from.shards)
  local routing = tables.of(from) or { strategy = "hash", n = from.shards }
  return setmetatable({
    from = from, epoch = from.epoch, shards = from.shards,
    order = order,      -- marks by position
    names = names,      -- by mark
    marks = #order,     -- given so far
    leaders = leaders,  -- marks by shard, or "all"
    leads = leads,      -- shards led, by mark
    base = leaders ~= "all" and table.move(leaders, 0, from.shards - 1, 0, {})
           or "all",
    turns = {},         -- leaders that changed since base: shard, mark, ...
    routing = routing,
    start = routing,    -- what it was: as long as it is, so is the router
    moves = {},         -- since routing
    load = from.load and { regions = from.load.regions },
  }, Draft)
end

---The mark and position of a region, or nil and why.
function Draft:region(name)
  for i, mark in ipairs(self.order) do
    if self.names[mark] == name then return mark, i end
  end
  return nil, ("there is no region %s"):format(name)
end

---The table of keys as it is now; the remainder for hash. Nil and the move
---that its source cannot make.
function Draft:table()
  if #self.moves > 0 then
    local after, misfit = tables.follow(self.routing, self.moves)
    if not after then return nil, misfit end
    self.routing, self.moves = after, {}
  end
  return self.routing
end

-- Copies on write: layouts made before keep what they saw.
local function own(list)
  return table.move(list, 1, #list, 1, {})
end

---Sets the leader of a shard.
function Draft:lead(shard, mark)
  local leads, was = self.leads, self.leaders[shard]
  if was then leads[was] = leads[was] - 1 end
  if mark then leads[mark] = (leads[mark] or 0) + 1 end
  self.leaders[shard] = mark
  local turns = self.turns
  turns[#turns + 1] = shard
  turns[#turns + 1] = mark or false
end

---Sets all leaders: "all", or marks by shard.
function Draft:lead_all(leaders)
  self.leaders, self.leads, self.turns, self.base = leaders, {}, {}, leaders
  if leaders == "all" then return end
  self.base = table.move(leaders, 0, self.shards - 1, 0, {})
  for s = 0, self.shards - 1 do
    local mark = leaders[s]
    self.leads[mark] = (self.leads[mark] or 0) + 1
  end
end

---Puts a region at a position, 0 the first.
function Draft:insert(name, at)
  self.marks = self.marks + 1
  self.order, self.names = own(self.order), own(self.names)
  self.names[self.marks] = name
  table.insert(self.order, at + 1, self.marks)
end

---Takes the region at a position out.
function Draft:drop(at)
  self.order = own(self.order)
  table.remove(self.order, at + 1)
end

---Gives a region another name.
function Draft:rename(mark, name)
  self.names = own(self.names)
  self.names[mark] = name
end

-- The region at each mark, 0 the first.
local function numbers_of(order)
  local out = {}
  for i, mark in ipairs(order) do out[mark] = i - 1 end
  return out
end

-- What makes the leaders of this moment, when they are asked for.
local function leaders_maker(self)
  local base, turns, count = self.base, self.turns, #self.turns
  local order, shards = self.order, self.shards
  return function()
    if base == "all" then return "all" end
    local now, numbers, out = {}, numbers_of(order), {}
    for i = 1, count, 2 do now[turns[i]] = turns[i + 1] end
    for s = 0, shards - 1 do
      local mark = now[s]
      if mark == nil then mark = base[s] end
      out[s] = numbers[mark]
    end
    return out
  end
end

-- The same for the router. `seen` is called when it is asked for.
local function router_maker(self, seen)
  local routing, moves, count = self.routing, self.moves, #self.moves
  local given, from = self.given, self.from
  local untouched = routing == self.start and count == 0 and not given
  return function()
    if seen then seen() end
    if untouched then return from.router end
    if routing.strategy == "hash" then return core.router.hash(routing.n) end
    local after, misfit = tables.follow(routing,
                                        table.move(moves, 1, count, 1, {}))
    if not after then
      error(("s%d does not own %s..%s"):format(misfit.source,
            core.u64.hex(misfit.first), core.u64.hex(misfit.last)), 0)
    end
    -- A table may be written in more pieces than it needs.
    if given and tables.same(tables.of(given), after) then
      return given.router
    end
    return tables.router(after)
  end
end

-- The regions as a layout has them; the same list while they stay the same.
function Draft:regions()
  local shown = self.shown
  if shown and shown.order == self.order and shown.names == self.names then
    return shown.list
  end
  local list = {}
  for i, mark in ipairs(self.order) do
    list[i] = { id = i - 1, name = self.names[mark] }
  end
  self.shown = { order = self.order, names = self.names, list = list }
  return list
end

---The layout of this moment.
---@param rules table list of rules
---@param seen? fun() called when its routing is read for the first time
---@return table layout
function Draft:layout(rules, seen)
  local regions, leads = self:regions(), {}
  for i, mark in ipairs(self.order) do leads[i - 1] = self.leads[mark] or 0 end
  local from = self.from
  return layout.new({
    name = from.name, epoch = self.epoch, file = from.file, rules = rules,
    regions = regions, shards = self.shards, load = self.load,
  }, {
    router = router_maker(self, seen), leaders = leaders_maker(self),
  }, self.leaders ~= "all" and leads or nil)
end

---A layout like another one, with another epoch.
---@param like table
---@param epoch integer
---@return table layout
function M.at_epoch(like, epoch)
  local now = M.new(like)
  now.epoch, now.given = epoch, like
  return now:layout(like.rules)
end

return M
