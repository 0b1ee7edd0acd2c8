-- Losses against a model that looks at every node.
local gen = require "spec.support.gen"
local losses = require "tidal.inspect.loss"
local pairs_of = require "spec.support.pairs"
local script = require "spec.support.script"

local function lost(loss, region, shard)
  return loss.regions[region] or loss.nodes[region] and loss.nodes[region][shard]
end

-- Regions that hold a shard, by number.
local function holders(layout, loss, shard)
  local out = {}
  for r = 0, #layout.regions - 1 do
    if not lost(loss, r, shard) then out[#out + 1] = r end
  end
  return out
end

-- Who leads in the end, and how many shards keep their leader.
local function model_leaders(layout, loss)
  local leads, kept, now = {}, 0, {}
  for r = 0, #layout.regions - 1 do leads[r] = 0 end
  for s = 0, layout.shards - 1 do
    local leader = layout.leaders[s]
    if not lost(loss, leader, s) then
      leads[leader], now[s], kept = leads[leader] + 1, leader, kept + 1
    end
  end
  for s = 0, layout.shards - 1 do
    local best
    for _, r in ipairs(now[s] and {} or holders(layout, loss, s)) do
      if not best or leads[r] < leads[best] then best = r end
    end
    if best then now[s], leads[best] = best, leads[best] + 1 end
  end
  return now, leads, kept
end

local function random_loss(g, layout)
  local loss = losses.none()
  for r = 0, #layout.regions - 1 do
    if g:once_in(4) then loss.regions[r] = true end
    for s = 0, layout.shards - 1 do
      if g:once_in(5) then losses.add_node(loss, r, s) end
    end
  end
  return loss
end

-- What differs from the model, or nil.
local function copies_differ(layout, loss, left)
  local least, most, below, none = math.huge, 0, 0, {}
  for s = 0, layout.shards - 1 do
    local copies = #holders(layout, loss, s)
    least, most = math.min(least, copies), math.max(most, copies)
    if copies < 2 then below = below + 1 end
    if copies == 0 then none[#none + 1] = s end
  end
  if left.copies.least ~= least or left.copies.most ~= most then return "copies" end
  if left.below ~= below then return "below" end
  if table.concat(left.none, " ") ~= table.concat(none, " ") then return "none" end
end

local function leaders_differ(layout, loss, left, events)
  local now, leads, kept = model_leaders(layout, loss)
  local arrive = {}
  if left.writable ~= kept then return "writable" end
  for s = 0, layout.shards - 1 do
    if now[s] then arrive[now[s]] = (arrive[now[s]] or 0) + events[s] end
  end
  for r = 0, #layout.regions - 1 do
    local here = not loss.regions[r]
    if left.leads[r] ~= (here and leads[r] or nil) then return "leads" end
    if left.events[r] ~= (here and (arrive[r] or 0) or nil) then return "events" end
  end
  for _, change in ipairs(left.elect) do
    if now[change.shard] ~= change.target
       or layout.leaders[change.shard] ~= change.source then
      return "elect"
    end
  end
end

local function all_differ(layout, loss, left, events)
  local arrive, writable = {}, 0
  for s = 0, layout.shards - 1 do
    local here = holders(layout, loss, s)
    if #here > 0 then writable = writable + 1 end
    for _, r in ipairs(here) do arrive[r] = (arrive[r] or 0) + events[s] / #here end
  end
  if left.writable ~= writable or #left.elect > 0 then return "writable" end
  for r = 0, #layout.regions - 1 do
    local events_here = not loss.regions[r] and (arrive[r] or 0) or nil
    if (left.events[r] == nil) ~= (events_here == nil)
       or events_here and math.abs(left.events[r] - events_here) > 1e-6 then
      return "events"
    end
  end
end

describe("losses", function()
  it("leave what a model of every node says", function()
    gen.property("loss", 2000, function(g)
      local layout, events = pairs_of.layout(g, 3), {}
      for s = 0, layout.shards - 1 do events[s] = g:int(0, 100) end
      layout = layout:with_load { regions = {}, shards = events }
      local loss = random_loss(g, layout)
      local left = losses.left(losses.base(layout), loss)
      local differ = layout.leaders == "all" and all_differ or leaders_differ
      local why = copies_differ(layout, loss, left) or differ(layout, loss, left, events)
      return why and why .. " of " .. tostring(layout) .. tostring(layout.leaders)
    end)
  end)

  it("of regions are counted alike without elections", function()
    gen.property("loss counts", 500, function(g)
      local layout, ids = pairs_of.layout(g, 3), {}
      for r = 0, #layout.regions - 1 do
        if g:once_in(2) then ids[#ids + 1] = r end
      end
      local left = losses.left(losses.base(layout), losses.of_regions(table.unpack(ids)))
      local counted = losses.count(layout, ids)
      if counted.copies ~= left.copies.least or counted.writable ~= left.writable
         or counted.promote ~= #left.elect then
        return tostring(layout)
      end
    end)
  end)

  it("elect the region that leads least, the lowest number among equals", function()
    local base = losses.base(script.layout { leaders = {
      [0] = "us-east", "us-east", "us-east", "eu-west", "us-east" } })
    local left = losses.left(base, losses.of_regions(0))
    assert.same({ { shard = 0, source = 0, target = 2 }, { shard = 1, source = 0, target = 1 },
                  { shard = 2, source = 0, target = 2 }, { shard = 4, source = 0, target = 1 } },
                left.elect)
    assert.same({ 3, 2, 1 }, { left.leads[1], left.leads[2], left.writable })
  end)

  it("elect the one that leads least also behind a region that lost its node", function()
    local loss = losses.of_regions(4)
    losses.add_node(loss, 0, 0)
    local left = losses.left(losses.base(script.layout {
      regions = { "a", "b", "c", "d", "e" }, shards = 4, leaders = "e",
    }), loss)
    local targets = {}
    for i, change in ipairs(left.elect) do targets[i] = change.target end
    assert.same({ 1, 0, 2, 3 }, targets)
  end)

  it("elect nobody for a shard without a copy", function()
    local loss = losses.none()
    for r = 0, 2 do losses.add_node(loss, r, 4) end
    local left = losses.left(losses.base(script.layout()), loss)
    assert.same({ { 4 }, {}, 4, 0, 3, 1 }, { left.none, left.elect, left.writable,
                left.copies.least, left.copies.most, left.below })
  end)
end)
