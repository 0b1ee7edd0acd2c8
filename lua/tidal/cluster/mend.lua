-- Which one change would make a broken table of ranges whole.
--
-- In a whole table every range starts where another one ends; 0 and 2^64 are
-- the same place. One wrong bound leaves one place with a start too many and
-- one with an end too many: then one of the two is to be moved onto the
-- other. What is tried is checked, never guessed.
--
-- A range is { shard =, first =, last = }, a change { range = one of the
-- list, key = "first"|"last"|"both", value =, other = } or { range =, key =
-- "drop" }.
local core = require "tidal.core"

local M = {}

local TRIES_MAX <const> = 8  -- of each kind; each checks the whole table

-- The place that is counted more often here than there, and by how much in
-- all.
local function excess(here, there)
  local place, count = nil, 0
  for _, entry in ipairs(here.places) do
    local more = here[entry] - (there[entry] or 0)
    if more > 0 then place, count = entry, count + more end
  end
  return place, count
end

local function add_place(places, place)
  if not places[place] then
    places[place] = 0
    table.insert(places.places, place)
  end
  places[place] = places[place] + 1
end

-- The start and the end that have no partner; nil unless it is one of each.
local function loose_ends(list)
  local starts, ends = { places = {} }, { places = {} }
  for _, range in ipairs(list) do
    add_place(starts, range.first)
    add_place(ends, range.last + 1)
  end
  local start, start_count = excess(starts, ends)
  local stop, stop_count = excess(ends, starts)
  if start_count == 1 and stop_count == 1 then return start, stop end
end

-- True if the list is whole once the range has these bounds.
local function heals(list, range, first, last)
  local before_first, before_last = range.first, range.last
  range.first, range.last = first, last
  local whole = pcall(core.router.ranges, list)
  range.first, range.last = before_first, before_last
  return whole
end

local function heals_without(list, at)
  local range = table.remove(list, at)
  local whole = pcall(core.router.ranges, list)
  table.insert(list, at, range)
  return whole
end

-- Moving a bound of a range that touches a loose end onto the other one.
local function moves(list, start, stop)
  local out, tries = {}, 0
  local function try(range, key, value)
    tries = tries + 1
    if tries > TRIES_MAX then return end
    local first = key == "first" and value or range.first
    local last = key == "last" and value or range.last
    if heals(list, range, first, last) then
      out[#out + 1] = { range = range, key = key, value = value }
    end
  end
  for _, range in ipairs(list) do
    if range.last + 1 == stop then try(range, "last", start - 1) end
  end
  for _, range in ipairs(list) do
    if range.first == start then try(range, "first", stop) end
  end
  return out
end

-- Ranges that are too many.
local function drops(list, start, stop)
  local out, tries = {}, 0
  for i = 1, #list do
    local range = list[i]
    if range.first == start or range.last + 1 == stop then
      tries = tries + 1
      if tries <= TRIES_MAX and heals_without(list, i) then
        out[#out + 1] = { range = range, key = "drop" }
      end
    end
  end
  return out
end

-- The one range that ends before it starts, the other way round.
local function swaps(list)
  local turned
  for _, range in ipairs(list) do
    if core.u64.lt(range.last, range.first) then
      if turned then return {} end
      turned = range
    end
  end
  if turned and heals(list, turned, turned.last, turned.first) then
    return { { range = turned, key = "both", value = turned.last,
               other = turned.first } }
  end
  return {}
end

---All single changes that heal the list; none when more than one is needed.
---@param list table[] ranges with numbers
---@return table[] changes
function M.find(list)
  local start, stop = loose_ends(list)
  local out = start and moves(list, start, stop) or {}
  if #out == 0 then out = swaps(list) end
  if #out == 0 and start then out = drops(list, start, stop) end
  return out
end

return M
