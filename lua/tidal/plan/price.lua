-- What a plan costs, from write-ahead logs: live events, and 21 bytes for the
-- record of each, which is what a migration copies.
--
-- price = {
--   bytes =, events =   of all moves in all regions, and of copies
--   moves = { { bytes =, events = }, ... } as plan.moves
--   regions = { { region = name, bytes =, events =, moves = { events, ... }
--             or nil }, ... } of each region that was read and stays
--   copies = { { region =, source =, bytes =, events = }, ... } whole logs,
--            as they lie there, of each region that was read to each new one,
--            and of a region whose number changes to itself
-- }
--
-- Each region moves keys within its own logs. Moves of ranges are counted by
-- a router whose shards are the pieces between the boundaries of both
-- layouts; where single keys move, each pair of shards by td_traffic.
local core = require "tidal.core"
local crossing = require "tidal.plan.crossing"
local json = require "tidal.json"
local logs = require "tidal.plan.logs"
local tables = require "tidal.plan.tables"

local M = {}

local RECORD_BYTES <const> = 21
local PIECES_MAX <const> = 65534  -- of one router, which has two more

-- One router that tells pieces `from`..`upto` apart, the rest being shard 0.
local function router_of(pieces, from, upto, strategy)
  local t = { firsts = {}, owners = {}, strategy = strategy }
  if from > 1 then t.firsts[1], t.owners[1] = 0, 0 end
  for i = from, upto do
    t.firsts[#t.firsts + 1] = pieces[i].first
    t.owners[#t.owners + 1] = i - from + 1
  end
  if upto < #pieces then
    t.firsts[#t.firsts + 1] = pieces[upto + 1].first
    t.owners[#t.owners + 1] = 0
  end
  return tables.router(t)
end

-- Counters of a plan with ranges: a list of functions that make them, and
-- read(n, counter, each), which calls each(source, target, move or nil,
-- events) for what the n-th counted.
local function by_pieces(plan)
  local a, b = tables.of(plan.from), tables.of(plan.to)
  local strategy = plan.space == "hashes" and "hash_ranges" or "ranges"
  local pieces, makers, move = {}, {}, 1
  tables.walk(a, b, function(first, last, source, target)
    local moves = source ~= target
    pieces[#pieces + 1] = { first = first, source = source, target = target,
                            move = moves and move or nil }
    if moves and plan.moves[move].last == last then move = move + 1 end
  end)
  for from = 1, #pieces, PIECES_MAX do
    local upto = math.min(from + PIECES_MAX - 1, #pieces)
    local router = router_of(pieces, from, upto, strategy)
    makers[#makers + 1] = function()
      return core.traffic(router, core.router.single())
    end
  end
  return makers, function(n, traffic, each)
    local from = (n - 1) * PIECES_MAX
    for _, count in ipairs(traffic:counts()) do
      local piece = count.source > 0 and pieces[from + count.source]
      if piece then
        each(piece.source, piece.target, piece.move, count.events)
      end
    end
  end
end

-- Counters of a plan by pair of shards, or by source alone.
local function by_pairing(plan)
  local from, to, move = plan.from.router, plan.to.router, {}
  for i, pair in ipairs(plan.moves) do
    move[pair.source * 65537 + (pair.target or 65536)] = i
  end
  return { function() return core.traffic(from, to) end },
         function(_, traffic, each)
    local arrived = traffic:arrived()
    for _, pair in ipairs(traffic:counts()) do
      local source, target = pair.source, pair.target
      local listed = move[source * 65537 + (target or 65536)]
      if not listed and source ~= target then
        listed = move[source * 65537 + 65536]
      end
      each(source, target, listed, pair.events)
    end
    return arrived
  end
end

-- Between two hashes whose pairs are listed: the remainder by the least common
-- multiple tells the shard in each. Shards may be too many to count by pair.
local function by_remainders(plan)
  local n, m = plan.from.shards, plan.to.shards
  local period, move = crossing.period(n, m), {}
  for i, pair in ipairs(plan.moves) do
    move[pair.source * 65536 + pair.target] = i
  end
  return { function()
    return core.traffic(core.router.hash(period), core.router.single())
  end }, function(_, traffic, each)
    for _, count in ipairs(traffic:counts()) do
      local source, target = count.source % n, count.source % m
      each(source, target, move[source * 65536 + target], count.events)
    end
  end
end

local function counters_of(plan)
  if plan.space then return by_pieces(plan) end
  local hashed = plan.from.router:strategy() == "hash"
             and plan.to.router:strategy() == "hash"
  return (hashed and plan.listed and by_remainders or by_pairing)(plan)
end

-- What a region's counts say: events by move, and what shards gain.
local function tally(plan, counters, read)
  local moves, before, after, events, all = {}, {}, {}, 0, 0
  for i = 1, #plan.moves do moves[i] = 0 end
  for n, counter in ipairs(counters) do
    local arrived = read(n, counter, function(source, target, move, count)
      before[source], all = (before[source] or 0) + count, all + count
      if target then after[target] = (after[target] or 0) + count end
      if source ~= target then events = events + count end
      if move then moves[move] = moves[move] + count end
    end)
    after = arrived or after
  end
  local gains = 0
  for s = 0, plan.to.shards - 1 do
    gains = gains + math.max(0, (after[s] or 0) - (before[s] or 0))
  end
  return moves, events, gains, all
end

-- Which old regions are left in the end, and for each the regions that get a
-- copy of its logs.
local function regions(plan)
  local stays, new, copies = {}, {}, {}
  for _, region in ipairs(plan.from.regions) do stays[region.name] = true end
  for _, step in ipairs(plan.steps) do
    if step.kind == "add_region" then new[#new + 1] = step.region end
    if step.kind == "remove_region" then stays[step.region] = nil end
  end
  for _, region in ipairs(plan.from.regions) do
    copies[region.name] = table.move(new, 1, #new, 1, {})
  end
  for _, change in ipairs(plan.changes) do
    if change.kind == "renumber_region" then
      table.insert(copies[change.old], change.region)
    end
  end
  return stays, copies
end

-- Adds up what was read of each region, { region =, bytes =, moves =, events
-- =, gains =, all = }. Gives the price, the least bytes, and { [region] =
-- bytes it holds once all is copied and nothing removed }.
local function sum(plan, seen)
  local stays, copies = regions(plan)
  local price = { bytes = 0, events = 0, moves = {}, regions = {},
                  copies = {} }
  local least, held = 0, {}
  for i = 1, #plan.moves do price.moves[i] = { bytes = 0, events = 0 } end
  for _, source in ipairs(seen) do
    local moves, events = source.moves, source.events
    held[source.region] = (held[source.region] or 0) + source.bytes
    if stays[source.region] then
      for i, count in ipairs(moves) do
        local cost = price.moves[i]
        cost.events = cost.events + count
        cost.bytes = cost.events * RECORD_BYTES
      end
      price.regions[#price.regions + 1] = {
        region = source.region, events = events,
        bytes = events * RECORD_BYTES, moves = moves,
      }
      price.events = price.events + events
      held[source.region] = held[source.region] + events * RECORD_BYTES
      least = least + source.gains * RECORD_BYTES
    end
    for _, name in ipairs(copies[source.region]) do
      price.copies[#price.copies + 1] = {
        region = name, source = source.region, bytes = source.bytes,
        events = source.all,
      }
    end
  end
  price.bytes = price.events * RECORD_BYTES
  for _, copy in ipairs(price.copies) do
    price.bytes = price.bytes + copy.bytes
    price.events = price.events + copy.events
    least = least + copy.bytes
    held[copy.region] = (held[copy.region] or 0) + copy.bytes
  end
  return price, least, held
end

---@param plan table the fields of plan/diff.lua
---@param dirs { [string]: string } directory by region of the old layout
---@param progress? fun(done: integer, total: integer)
---@return table? price, any least bytes that any such plan costs; or err
---@return table? held bytes by region, once all is copied
function M.of(plan, dirs, progress)
  local makers, read = counters_of(plan)
  local seen = {}
  local fine, err = logs.read(plan.from, dirs, function(region, bytes)
    local counters = {}
    for i, make in ipairs(makers) do counters[i] = make() end
    return counters, function()
      local moves, events, gains, all = tally(plan, counters, read)
      seen[#seen + 1] = { region = region.name, bytes = bytes, all = all,
                          moves = moves, events = events, gains = gains }
    end
  end, progress)
  if not fine then return nil, err end
  return sum(plan, seen)
end

local function cost_members(cost)
  return { "bytes", core.u64.str(cost.bytes) },
         { "events", core.u64.str(cost.events) }
end

---A price as a JSON value.
---@param price table
function M.json(price)
  local by_region, copies = {}, {}
  for i, region in ipairs(price.regions) do
    by_region[i] = json.object {
      { "region", region.region }, cost_members(region),
    }
  end
  for i, copy in ipairs(price.copies) do
    copies[i] = json.object {
      { "region", copy.region }, { "source", copy.source },
      cost_members(copy),
    }
  end
  return json.object {
    { "bytes", core.u64.str(price.bytes) },
    { "events", core.u64.str(price.events) },
    { "regions", json.list(by_region) }, { "copies", json.list(copies) },
  }
end

return M
