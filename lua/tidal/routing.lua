-- tidal.routing: how a layout spreads ids over its shards, as a value.
--
-- A routing is { strategy = "single|hash|ranges|hash_ranges", even = bool,
-- ranges = what the script gave: a list of { shard =, first =, last = } or
-- text }. Nothing is judged here: the layout knows the number of shards and
-- reports every fault at once.
local suggest = require "tidal.suggest"

local Routing = { __name = "tidal.Routing" }

local M = {}

local function routing(fields)
  return setmetatable(fields, Routing)
end

---True for a value that one of these functions made.
function M.is(value)
  return getmetatable(value) == Routing
end

-- Numbers of shards belong to the layout: an argument would be ignored.
local function no_argument(name, ...)
  if select("#", ...) > 0 then
    error(("tidal.routing.%s takes no argument: the layout's shards = n "
           .. "decides"):format(name), 3)
  end
end

---Every id to shard 0.
function M.single(...)
  no_argument("single", ...)
  return routing { strategy = "single" }
end

---XXH3-64(id) % shards. Fixed for good: another number of shards moves
---nearly every id.
function M.hash(...)
  no_argument("hash", ...)
  return routing { strategy = "hash" }
end

---Equal shares of the id space: shard = floor(id * shards / 2^64).
function M.even(...)
  no_argument("even", ...)
  return routing { strategy = "ranges", even = true }
end

---Ranges of ids: { { shard = 0, first = "0x0", last = "0x33..." }, ... }, or
---the same as text: [[ s0 0x0..0x33...  s1 0x34...  ]]. Bounds are
---inclusive; a shard may own several ranges.
---@param list table|string
function M.ranges(list)
  return routing { strategy = "ranges", ranges = list }
end

---Ranges of XXH3-64(id): the spread of hashing, and a new shard moves only
---what it gets. Without an argument, equal shares.
---@param list? table|string
function M.hash_ranges(list)
  return routing { strategy = "hash_ranges", even = list == nil,
                   ranges = list }
end

return suggest.guard(M, "tidal.routing")
