-- A routing as a table of keys: firsts[i] is the first key of range i, and
-- owners[i] its shard; neighbours of one owner are one range. Two tables over
-- the same keys can be laid over each other.
--
-- table = { firsts =, owners =, strategy = "single" | "ranges" |
--   "hash_ranges" }; a move is { first =, last =, source =, target = }.
local core = require "tidal.core"
local extent = require "tidal.plan.extent"

local M = {}

local ult <const> = math.ult

-- Adds a range behind the others, or to the last one.
local function put(out, first, owner)
  local n = #out.firsts
  if n > 0 and out.owners[n] == owner then return end
  out.firsts[n + 1], out.owners[n + 1] = first, owner
end

local function empty(strategy)
  return { firsts = {}, owners = {}, strategy = strategy }
end

---Every key to one shard.
function M.single(strategy, shard)
  return { firsts = { 0 }, owners = { shard or 0 }, strategy = strategy }
end

local by_router = setmetatable({}, { __mode = "k" })

-- The table of a router that has ranges; made once, since a plan asks often.
local function table_of(router, strategy)
  local out = by_router[router]
  if not out then
    out = empty(strategy)
    for _, range in ipairs(router:ranges()) do
      put(out, range.first, range.shard.value)
    end
    by_router[router] = out
  end
  return out
end

---The table of a layout, not to be changed; nil for hash, which has none.
---@param layout table
---@return table?
function M.of(layout)
  local router = layout.router
  local strategy = router:strategy()
  if strategy == "hash" then return nil end
  if strategy == "single" then return M.single "single" end
  return table_of(router, strategy)
end

---The last key of range i.
function M.last(t, i)
  local behind = t.firsts[i + 1]
  return behind and behind - 1 or -1
end

---What the keys are; "any" where all of them have one owner, so that it does
---not matter.
---@return "ids"|"hashes"|"any"
function M.space(t)
  if #t.firsts == 1 then return "any" end
  return t.strategy == "hash_ranges" and "hashes" or "ids"
end

---True if both send every key to the same shard.
function M.same(a, b)
  if a.strategy ~= b.strategy or #a.firsts ~= #b.firsts then return false end
  for i = 1, #a.firsts do
    if a.firsts[i] ~= b.firsts[i] or a.owners[i] ~= b.owners[i] then
      return false
    end
  end
  return true
end

---How many keys each shard owns: { [shard] = extent }.
function M.owned(t)
  local out, firsts = {}, t.firsts
  if #firsts == 1 then return { [t.owners[1]] = extent.all } end
  for i, shard in ipairs(t.owners) do
    out[shard] = (out[shard] or 0) + (firsts[i + 1] or 0) - firsts[i]
  end
  for shard, count in next, out do out[shard] = extent.count(count) end
  return out
end

---Calls visit(first, last, owner in a, owner in b, ranges) for each piece in
---which both have one owner, by rising keys; ranges is how many a table has
---at most that is b up to there and a behind.
function M.walk(a, b, visit)
  local i, j, first, left = 1, 1, 0, #a.firsts
  local a_last, b_last = M.last(a, i), M.last(b, j)
  while true do
    local last = ult(a_last, b_last) and a_last or b_last
    local behind = left - i + (last == a_last and 0 or 1)
    visit(first, last, a.owners[i], b.owners[j], j + behind)
    if last == -1 then return end
    first = last + 1
    if last == a_last then
      i = i + 1
      a_last = M.last(a, i)
    end
    if last == b_last then
      j = j + 1
      b_last = M.last(b, j)
    end
  end
end

---The keys whose shard differs, as moves in order of the keys, and the most
---ranges that a table has on the way from a to b in that order.
---@return table[] moves, integer most
function M.moves(a, b)
  local out, most = {}, math.max(#a.firsts, #b.firsts)
  M.walk(a, b, function(first, last, source, target, ranges)
    if source == target then return end
    local before = out[#out]
    most = math.max(most, ranges)
    if before and before.last + 1 == first and before.source == source
       and before.target == target then
      before.last = last
    else
      out[#out + 1] = { first = first, last = last, source = source,
                        target = target }
    end
  end)
  return out, most
end

-- The moves in order of the keys; they come so, or nearly.
local function sorted(moves)
  for i = 2, #moves do
    if ult(moves[i].first, moves[i - 1].first) then
      local out = table.move(moves, 1, #moves, 1, {})
      table.sort(out, function(x, y) return ult(x.first, y.first) end)
      return out
    end
  end
  return moves
end

-- Range i of t, without what moves away from moves[j] on. Gives the next j,
-- or nil and the move that does not fit.
local function put_range(out, t, i, moves, j)
  local at, last, owner = t.firsts[i], M.last(t, i), t.owners[i]
  while moves[j] and not ult(last, moves[j].first) do
    local move = moves[j]
    if move.source ~= owner or ult(last, move.last)
       or ult(move.first, at) or ult(move.last, move.first) then
      return nil, move
    end
    if at ~= move.first then put(out, at, owner) end
    put(out, move.first, move.target)
    if move.last == last then return j + 1 end
    at, j = move.last + 1, j + 1
  end
  put(out, at, owner)
  return j
end

---The table after these moves, in any order.
---@param t table
---@param moves table[] of keys that their source owns, none moved twice
---@return table? after, table? move that does not fit
function M.overlay(t, moves)
  if #moves == 0 then return t end
  local out, j = empty(t.strategy), 1
  moves = sorted(moves)
  for i = 1, #t.firsts do
    local misfit
    j, misfit = put_range(out, t, i, moves, j)
    if not j then return nil, misfit end
  end
  if moves[j] then return nil, moves[j] end
  return out
end

---The table after these moves one after the other: keys may move again.
---@return table? after, table? move that does not fit
function M.follow(t, moves)
  local after, misfit = M.overlay(t, moves)
  if after or #moves == 1 then return after, misfit end
  local half = #moves // 2
  after, misfit = M.follow(t, table.move(moves, 1, half, 1, {}))
  if not after then return nil, misfit end
  return M.follow(after, table.move(moves, half + 1, #moves, 1, {}))
end

---The router of a table.
function M.router(t)
  if t.strategy == "single" then return core.router.single(0) end
  return core.router.starts(t.firsts, t.owners, t.strategy)
end

---The number of the range that holds a key.
function M.find(t, key)
  local low, high = 1, #t.firsts
  while low < high do
    local middle = (low + high + 1) // 2
    if ult(key, t.firsts[middle]) then high = middle - 1
    else low = middle end
  end
  return low
end

return M
