-- Which keys change their shard between two routings, and how many of all
-- 2^64: exact where both look at the same thing (ids, or hashes of ids, which
-- are as many: over 8 bytes XXH3-64 is a bijection).
--
-- crossing = { moves =, keys = extent that moves or nil, share = of 1, exact
--   = boolean, space = "ids" | "hashes" | nil, listed = boolean }
--
-- With a space the moves are { first =, last =, source =, target =, share = }
-- in order of the keys. Else (a remainder by n is no range) they are { source
-- =, target =, share =, keys = }, by pair of shards; where those are more
-- than can be listed, by source alone, target nil. Between ranges of ids and
-- hashes shares are what hashing is expected to do: exact is false, keys nil.
local extent = require "tidal.plan.extent"
local tables = require "tidal.plan.tables"

local M = {}

local PAIRS_MAX <const> = 65536  -- pairs of shards listed
local WORK_MAX <const> = 1048576 -- pieces looked at to find them

local function gcd(a, b)
  while b ~= 0 do a, b = b, a % b end
  return a
end

---The least common multiple of two numbers of shards.
function M.period(n, m)
  return n // gcd(n, m) * m
end

-- x with a * x % m == 1, for gcd(a, m) == 1.
local function inverse(a, m)
  local x, y, r, s = 1, 0, a % m, m
  while s ~= 0 do
    local q = r // s
    r, s, x, y = s, r - q * s, y, x - q * y
  end
  return x % m
end

---How many keys each shard of a layout owns: { [shard] = extent }.
---@param layout table
function M.owned(layout)
  local t = tables.of(layout)
  if t then return tables.owned(t) end
  local out, n = {}, layout.shards
  for s = 0, n - 1 do out[s] = extent.residues(s, n) end
  return out
end

-- Pairs as a list, by source and target.
local function listed(by_source, shards)
  local out = {}
  for source = 0, shards - 1 do
    local row, targets = by_source[source], {}
    for target in next, row or {} do targets[#targets + 1] = target end
    table.sort(targets)
    for _, target in ipairs(targets) do
      if target ~= source and row[target] ~= extent.none then
        out[#out + 1] = { source = source, target = target,
                          keys = row[target], share = row[target]:share() }
      end
    end
  end
  return out
end

local function add(by_source, source, target, keys)
  local row = by_source[source] or {}
  by_source[source] = row
  row[target] = row[target] and row[target] + keys or keys
end

-- h % n and h % m for all h: one residue modulo their least common multiple
-- for each pair that occurs.
local function hash_pairing(n, m)
  local g, out, period = gcd(n, m), {}, M.period(n, m)
  local step = m // g
  local back = inverse(n // g, step)
  for a = 0, n - 1 do
    for b = a % g, m - 1, g do
      local residue = a + n * ((b - a) // g * back % step)
      add(out, a, b, extent.residues(residue, period))
    end
  end
  return out, period
end

-- What stays, by shard.
local function hash_kept(n, m)
  local out, period = {}, M.period(n, m)
  for s = 0, math.min(n, m) - 1 do out[s] = extent.residues(s, period) end
  return out
end

-- A table of hashes against a remainder by n.
local function table_pairing(t, n, turned)
  local out = {}
  for i, shard in ipairs(t.owners) do
    local last = tables.last(t, i)
    for rest = 0, n - 1 do
      local keys = extent.residues(rest, n, t.firsts[i], last)
      if turned then add(out, rest, shard, keys)
      else add(out, shard, rest, keys) end
    end
  end
  return out
end

local function table_kept(t, n)
  local out = {}
  for i, shard in ipairs(t.owners) do
    if shard < n then
      local keys = extent.residues(shard, n, t.firsts[i], tables.last(t, i))
      out[shard] = out[shard] and out[shard] + keys or keys
    end
  end
  return out
end

-- The crossing of what is kept, with pairs if they can be listed.
local function exact(from, kept, by_source)
  local owned, stays, by_shard = M.owned(from), extent.none, {}
  for s = 0, from.shards - 1 do
    local own, keeps = owned[s] or extent.none, kept[s] or extent.none
    stays = stays + keeps
    if own ~= keeps then
      by_shard[#by_shard + 1] = { source = s, keys = own - keeps,
                                  share = (own - keeps):share() }
    end
  end
  local keys = extent.all - stays
  return {
    moves = by_source and listed(by_source, from.shards) or by_shard,
    keys = keys, share = keys:share(), exact = true,
    listed = by_source ~= nil,
  }
end

-- Ids against hashes: as if hashes were drawn at random.
local function expected(from, to)
  local mine, theirs, moves, share = M.owned(from), M.owned(to), {}, 0.0
  local few = from.shards * to.shards <= PAIRS_MAX
  local function move(source, target, part)
    if part > 0 then
      moves[#moves + 1] = { source = source, target = target, share = part }
    end
  end
  for s = 0, from.shards - 1 do
    local own = mine[s] and mine[s]:share() or 0.0
    local away = own * (1 - (theirs[s] and theirs[s]:share() or 0.0))
    share = share + away
    if not few then move(s, nil, away) end
    for target = 0, few and to.shards - 1 or -1 do
      local part = theirs[target] and theirs[target]:share() or 0.0
      if target ~= s then move(s, target, own * part) end
    end
  end
  return { moves = moves, share = share, exact = false, listed = few }
end

local function between_tables(a, b, space)
  local moves, most = tables.moves(a, b)
  local low = 0
  for _, move in ipairs(moves) do
    low = low + (move.last - move.first + 1)
    move.share = extent.share(move.first, move.last)
  end
  local keys = #moves > 0 and low == 0 and extent.all or extent.count(low)
  return { moves = moves, keys = keys, share = keys:share(), exact = true,
           space = space, listed = true, most = most }
end

---Of two tables whose strategies differ: whether the first is called by the
---name of the second before anything moves (it has one owner, so that this
---moves nothing), or the second by its own after all has moved.
function M.relabels_first(a, b)
  return tables.space(a) == "any" and b.strategy ~= "single"
end

---@param from table a layout
---@param to table a layout
---@return table crossing
function M.of(from, to)
  local a, b = tables.of(from), tables.of(to)
  local n, m = from.shards, to.shards
  if not a and not b then
    local few = M.period(n, m) <= PAIRS_MAX
    return exact(from, hash_kept(n, m), few and hash_pairing(n, m) or nil)
  end
  local mine = a and tables.space(a) or "hashes"
  local theirs = b and tables.space(b) or "hashes"
  if mine ~= theirs and mine ~= "any" and theirs ~= "any" then
    return expected(from, to)
  elseif a and b then
    local first = M.relabels_first(a, b)
    local strategy = first and b.strategy or a.strategy
    return between_tables(a, b, strategy == "hash_ranges" and "hashes"
                                or "ids")
  end
  local t, by = a or b, a and m or n
  local few = n * m <= PAIRS_MAX and #t.firsts * by <= WORK_MAX
  return exact(from, table_kept(t, by), few and table_pairing(t, by, b) or nil)
end

return M
