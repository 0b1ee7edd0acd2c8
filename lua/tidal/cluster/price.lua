-- What a plan costs, from write-ahead logs: live events, and 21 bytes for the
-- record of each, which is what a migration copies.
--
-- price = {
--   bytes =, events =   of all moves in all regions, and of copies
--   moves = { { bytes =, events = }, ... } as plan.moves; nil where they
--           cannot be told apart, see below
--   regions = { { region = name, bytes =, events =, moves = { events, ... }
--             or nil }, ... } of each region that was read and stays
--   copies = { { region =, source =, bytes =, events = }, ... } whole logs,
--            as they lie there, of each region that was read to each new one,
--            and of a region whose number changes to itself
-- }
--
-- Each region moves keys within its own logs. Moves of ranges are counted by
-- a router whose shards are the pieces between the boundaries of both
-- layouts; those between two hashes by one that hashes to the least common
-- multiple; any other change of strategy by td_traffic.
local core = require "tidal.core"
local json = require "tidal.json"
local logs = require "tidal.cluster.logs"
local tables = require "tidal.cluster.tables"

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

-- Counters of a plan with ranges: { routers, pairs(counts of router n) ->
-- calls each(source, target, move or nil, events) }.
local function by_pieces(plan)
  local a, b = tables.of(plan.from), tables.of(plan.to)
  local strategy = plan.space == "hashes" and "hash_ranges" or "ranges"
  local pieces, routers, move = {}, {}, 1
  tables.walk(a, b, function(first, last, source, target)
    local moves = source ~= target
    pieces[#pieces + 1] = { first = first, source = source, target = target,
                            move = moves and move or nil }
    if moves and plan.moves[move].last == last then move = move + 1 end
  end)
  for from = 1, #pieces, PIECES_MAX do
    local upto = math.min(from + PIECES_MAX - 1, #pieces)
    routers[#routers + 1] = router_of(pieces, from, upto, strategy)
  end
  return routers, function(n, counts, each)
    local from = (n - 1) * PIECES_MAX
    for i = 1, math.min(PIECES_MAX, #pieces - from) do
      local piece = pieces[from + i]
      each(piece.source, piece.target, piece.move, counts[i] or 0)
    end
  end
end

-- Between two hashes: the residue by both tells the shard in each.
local function by_residues(plan)
  local n, m = plan.from.shards, plan.to.shards
  local a, b = n, m
  while b ~= 0 do a, b = b, a % b end
  local period, move = n // a * m, {}
  for i, pair in ipairs(plan.moves) do
    move[pair.source * 65536 + pair.target] = i
  end
  return { core.router.hash(period) }, function(_, counts, each)
    for r = 0, period - 1 do
      local source, target = r % n, r % m
      each(source, target, move[source * 65536 + target], counts[r] or 0)
    end
  end
end

local function counters(plan)
  if plan.space then return by_pieces(plan) end
  local hashed = plan.from.router:strategy() == "hash"
             and plan.to.router:strategy() == "hash"
  if hashed and plan.listed then return by_residues(plan) end
  return nil
end

local function refuse(text)
  return nil, core.error { code = "price", message = text }
end

-- What a region's counts say: events by move, and what shards gain.
local function tally(plan, profiles, read)
  local moves, before, after, events = {}, {}, {}, 0
  for i = 1, #plan.moves do moves[i] = 0 end
  for n, profile in ipairs(profiles) do
    read(n, profile:counts(), function(source, target, move, count)
      before[source] = (before[source] or 0) + count
      after[target] = (after[target] or 0) + count
      if source ~= target then events = events + count end
      if move then moves[move] = moves[move] + count end
    end)
  end
  local gains = 0
  for s = 0, plan.to.shards - 1 do
    gains = gains + math.max(0, (after[s] or 0) - (before[s] or 0))
  end
  return moves, events, gains
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

-- Adds up what was read of each region.
local function sum(plan, seen, read)
  local stays, copies = regions(plan)
  local price = { bytes = 0, events = 0, moves = {}, regions = {},
                  copies = {} }
  local least = 0
  for i = 1, #plan.moves do price.moves[i] = { bytes = 0, events = 0 } end
  for _, source in ipairs(seen) do
    local moves, events, gains = tally(plan, source.profiles, read)
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
      least = least + gains * RECORD_BYTES
    end
    for _, name in ipairs(copies[source.region]) do
      price.copies[#price.copies + 1] = {
        region = name, source = source.region, bytes = source.bytes,
        events = source.profiles[1]:events(),
      }
    end
  end
  price.bytes = price.events * RECORD_BYTES
  for _, copy in ipairs(price.copies) do
    price.bytes = price.bytes + copy.bytes
    price.events = price.events + copy.events
    least = least + copy.bytes
  end
  return price, least
end

---@param plan table the fields of cluster/diff.lua
---@param dirs { [string]: string } directory by region of the old layout
---@param progress? fun(done: integer, total: integer)
---@return table? price, any least bytes that any such plan costs; or err
function M.of(plan, dirs, progress)
  local routers, read = counters(plan)
  if not routers then
    return refuse "events cannot be told apart across these strategies"
  end
  local seen = {}
  local fine, err = logs.read(plan.from, dirs, function(region, bytes)
    local profiles = {}
    for i, router in ipairs(routers) do profiles[i] = core.profile(router) end
    seen[#seen + 1] = { region = region.name, bytes = bytes,
                        profiles = profiles }
    return profiles
  end, progress)
  if not fine then return nil, err end
  return sum(plan, seen, read)
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
