-- Cuts from shards that have too much and gives it to shards that have room,
-- moving nothing else: boundaries that need not move stay.
--
-- What is cut lies at an end of a range, at the one whose neighbour has room
-- if there is such a neighbour, so that ranges rarely become more.
--
-- A measure says how much keys weigh: cut(first, last, most, upper) -> key,
-- amount: the lower part of first..last, up to that key, or the upper one,
-- from that key on, with at most so much; nil and the key at that end where
-- nothing fits. Less than measure.worth is not cut. Amounts are
-- extents (plan/extent.lua) or numbers: what has + - < and ==. Keys that
-- are too heavy for anyone stay, and what lies behind them is cut out.
local extent = require "tidal.plan.extent"
local tables = require "tidal.plan.tables"

local M = {}

local SKIPS_MAX <const> = 256  -- heavy keys of one range that stay

---Keys themselves, counted.
M.keys = {
  none = extent.none, worth = extent.none,
  cut = function(first, last, most, upper)
    local all = extent.of(first, last)
    if all <= most then return upper and first or last, all end
    if upper then return last - most.low + 1, most end
    return first + most.low - 1, most
  end,
}

---Events that a profile counted under its router's keys.
---@param profile userdata
---@param worth? integer fewer are not worth a cut
function M.events(profile, worth)
  return {
    none = 0, worth = worth or 1,
    cut = function(first, last, most, upper)
      return profile:cut(first, last, most, upper and "upper" or "lower")
    end,
  }
end

-- The shards with room, most first, as the next one that is not `owner`.
local function roomiest(room, shards, none)
  local best
  for _, s in ipairs(shards) do
    if none < room[s] and (not best or room[best] < room[s]) then best = s end
  end
  return best
end

local function less(a, b)
  return a < b and a or b
end

-- Leaves the key at one end of a part to its owner.
local function skip(part, key, upper)
  part.empty = key == (upper and part.first or part.last)
  if upper then part.last = key - 1 else part.first = key + 1 end
end

-- One cut from a part for `target`: the amount that went, or nil and the key
-- that is in the way.
local function give(out, part, target, most, upper, measure)
  local key, amount = measure.cut(part.first, part.last, most, upper)
  if not key then return nil, amount end
  if amount == measure.none then return nil end
  if upper then
    out[#out + 1] = { first = key, last = part.last, source = part.owner,
                      target = target }
    part.last, part.empty = key - 1, key == part.first
  else
    out[#out + 1] = { first = part.first, last = key, source = part.owner,
                      target = target }
    part.first, part.empty = key + 1, key == part.last
  end
  return amount
end

-- Gives from one range until its owner has no more to give, nobody has room,
-- or nothing that is left is small enough.
local function carve_range(out, t, i, give_away, room, shards, measure)
  local none, owner = measure.none, t.owners[i]
  local part = { first = t.firsts[i], last = tables.last(t, i),
                 owner = owner, empty = false }
  local above, below = t.owners[i + 1], t.owners[i - 1]
  local function try(target, upper)
    if part.empty or not target or give_away[owner] == none
       or not room[target] or room[target] == none then
      return false
    end
    local most = less(give_away[owner], room[target])
    if most < measure.worth then return false end
    local amount, heavy = give(out, part, target, most, upper, measure)
    if not amount then return false, heavy end
    give_away[owner] = give_away[owner] - amount
    room[target] = room[target] - amount
    return true
  end
  try(above, true)
  try(below, false)
  for _ = 1, SKIPS_MAX do
    local gave, heavy
    repeat gave, heavy = try(roomiest(room, shards, none), true) until not gave
    if not heavy then return end
    skip(part, heavy, true)
  end
end

---The table after giving away as much as can be, and the moves.
---@param t table of plan/tables.lua
---@param give_away { [integer]: any } by shard
---@param room { [integer]: any } by shard; changed, as give_away
---@param measure table
---@return table after, table[] moves
function M.carve(t, give_away, room, measure)
  local shards, out = {}, {}
  for s in next, room do shards[#shards + 1] = s end
  table.sort(shards)
  for i, owner in ipairs(t.owners) do
    if give_away[owner] and measure.none < give_away[owner] then
      carve_range(out, t, i, give_away, room, shards, measure)
    end
  end
  return assert(tables.overlay(t, out)), out
end

return M
