-- Proves that a routing is total and unique over all 2^64 ids, by its
-- boundaries instead of by samples.
--
-- A range table is constant between two starts, so 2n points decide: the
-- first and last key of each range. The reference below is written against
-- the layout's own list, in plain Lua, and must agree with the C router on
-- every piece; keys that are hashes are turned back into ids. For hash
-- routing the pieces are residues: a hash has exactly one remainder, so the
-- argument is n cases long; ids are compared as well.
--
-- proof = { total =, unique =, equal =, points =, pieces =, samples =,
--   fault = text or nil }
local core = require "tidal.core"
local prng = require "tidal.prng"
local unhash = require "tidal.inspect.unhash"

local M = {}

local SAMPLES <const> = 10000
local WALK_MAX <const> = 256  -- ranges; a walk for each point is quadratic

-- Unsigned order without the C library: flip the sign bit.
local function below(a, b)
  return a ~ math.mininteger < b ~ math.mininteger
end

-- Unsigned remainder for 1 <= n <= 65536, from two halves of 32 bits.
local function remainder(value, n)
  local high = (value >> 32) % n
  return ((high << 32) % n + (value & 0xffffffff) % n) % n
end

-- The owner of a key by walking the whole table: dumb on purpose.
local function owners_of(ranges, key)
  local found, count = nil, 0
  for _, range in ipairs(ranges) do
    if not below(key, range.first) and not below(range.last, key) then
      found, count = range.shard.value, count + 1
    end
  end
  return found, count
end

-- The same for tables too long to walk 2n times: binary search, on starts
-- that were checked to rise without gap or overlap.
local function owner_by_search(ranges, key)
  local low, high = 1, #ranges
  while low < high do
    local middle = (low + high + 1) // 2
    if below(key, ranges[middle].first) then high = middle - 1
    else low = middle end
  end
  return ranges[low].shard.value
end

-- Seeded ids: 0, the ends, and a walk over the space.
local function sample_ids(count)
  local ids = { 0, 1, math.maxinteger, math.mininteger, -2, -1 }
  local next_id = prng.new(0x5eed)
  for i = #ids + 1, count do ids[i] = next_id() end
  return ids
end

local function fault(proof, form, ...)
  proof.fault = proof.fault or form:format(...)
end

-- A range starts right behind the one before.
local function check_next(ranges, i, proof)
  local range, behind = ranges[i], ranges[i - 1].last + 1
  if range.first ~= behind then
    if below(range.first, behind) then proof.unique = false
    else proof.total = false end
    fault(proof, "range %d starts at %s, not at %s", i,
          core.u64.hex(range.first), core.u64.hex(behind))
  end
end

-- Every range behind the one before; the ends are 0 and 2^64-1.
local function check_cover(ranges, proof)
  if #ranges == 0 then
    proof.total = false
    fault(proof, "no shard owns anything")
    return
  end
  if ranges[1].first ~= 0 then
    proof.total = false
    fault(proof, "no shard owns the ids below %s",
          core.u64.hex(ranges[1].first))
  end
  for i, range in ipairs(ranges) do
    if i > 1 then check_next(ranges, i, proof) end
    if below(range.last, range.first) then
      proof.total = false
      fault(proof, "range %d ends at %s, before its first key", i,
            core.u64.hex(range.last))
    end
  end
  if ranges[#ranges].last ~= -1 then
    proof.total = false
    fault(proof, "no shard owns the ids above %s",
          core.u64.hex(ranges[#ranges].last))
  end
end

-- The owner of a key, and how many ranges claim it.
local function owner_of(ranges, range, key)
  if #ranges > WALK_MAX then return range.shard.value, 1 end
  return owners_of(ranges, key)
end

local function check_points(layout, ranges, proof)
  local route = layout.router:bind()
  local hashed = proof.strategy == "hash_ranges"
  for _, range in ipairs(ranges) do
    for _, key in ipairs { range.first, range.last } do
      local want, count = owner_of(ranges, range, key)
      local got = route(hashed and unhash.id(key) or key)
      proof.points = proof.points + 1
      if count == 0 then proof.total = false end
      if count > 1 then proof.unique = false end
      if got ~= want then
        proof.equal = false
        fault(proof, "%s routes to s%d, the table says s%s",
              core.u64.hex(key), got, tostring(want))
      end
    end
  end
end

local function check_samples(layout, reference, proof)
  local route = layout.router:bind()
  for _, id in ipairs(sample_ids(SAMPLES)) do
    proof.samples = proof.samples + 1
    local want = reference(id)
    if route(id) ~= want then
      proof.equal = false
      fault(proof, "%s routes to s%d, the reference says s%d",
            core.u64.hex(id), route(id), want)
    end
  end
end

---@param layout table
function M.prove(layout)
  local proof = { total = true, unique = true, equal = true, points = 0,
                  pieces = layout.shards, samples = 0,
                  strategy = layout.router:strategy() }
  local ranges = layout:ranges()
  local reference
  if ranges then
    proof.pieces = #ranges
    check_cover(ranges, proof)
    check_points(layout, ranges, proof)
    local hashed = proof.strategy == "hash_ranges"
    function reference(id)
      return owner_by_search(ranges, hashed and core.hash(id) or id)
    end
  elseif proof.strategy == "hash" then
    function reference(id) return remainder(core.hash(id), layout.shards) end
  else
    function reference() return 0 end
  end
  if not ranges or #ranges > 0 then check_samples(layout, reference, proof) end
  proof.ok = proof.total and proof.unique and proof.equal
  return proof
end

local SAY <const> = {
  ranges = "%d boundaries decide 18446744073709551616 ids",
  hash_ranges = "%d boundaries decide 18446744073709551616 hashes",
}

---A proof as one line of text.
function M.text(proof)
  local function yes(value) return value and "yes" or "NO" end
  local how = SAY[proof.strategy]
          and SAY[proof.strategy]:format(proof.points)
          or proof.strategy == "hash"
          and ("a hash has one remainder by %d"):format(proof.pieces)
          or "every id goes to s0"
  local line = ("total: %s  unique: %s  (%s)   C router = Lua reference: %s")
    :format(yes(proof.total), yes(proof.unique), how,
            proof.equal and ("equal on all %d piece%s and %d ids")
              :format(proof.pieces, proof.pieces == 1 and "" or "s",
                      proof.samples) or "NO")
  return proof.fault and line .. "\n  " .. proof.fault or line
end

return M
