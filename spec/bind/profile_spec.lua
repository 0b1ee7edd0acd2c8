-- tidal.profile: which ids the events of a log touch.
local core = require "tidal.core"
local gen = dofile "spec/support/gen.lua"
local golden = dofile "spec/support/golden.lua"
local oracle = dofile "spec/support/oracle.lua"
local raised = dofile "spec/support/raised.lua"
local wal = core.wal

local function batch_of(ids)
  local builder = wal.builder()
  for _, id in ipairs(ids) do builder:add(id, 1, 1, 1) end
  return wal.decode_batch(builder:seal { first_seq = 1 })
end

-- The same counting with tables: events per key, keys rising unsigned.
local function counted(ids, key_of)
  local count, keys = {}, {}
  for _, id in ipairs(ids) do
    local key = key_of(id)
    if not count[key] then keys[#keys + 1] = key end
    count[key] = (count[key] or 0) + 1
  end
  table.sort(keys, math.ult)
  return count, keys
end

-- The least weight that the heaviest of `parts` pieces can have.
local function best_split(weights, parts)
  local low, high = 0, 0
  for _, weight in ipairs(weights) do low, high = math.max(low, weight), high + weight end
  while low < high do
    local middle = (low + high) // 2
    local used, sum = 1, 0
    for _, weight in ipairs(weights) do
      if sum + weight > middle then used, sum = used + 1, 0 end
      sum = sum + weight
    end
    if used <= parts then high = middle else low = middle + 1 end
  end
  return low
end

describe("a profile", function()
  it("counts events, ids and shards", function()
    local router = core.router.even(4)
    local profile = core.profile(router, 64)
    profile:add(batch_of { 1, 1, -1, math.mininteger, 1 })
    assert.same({ 5, 3, true }, { profile:events(), profile:distinct(), profile:exact() })
    assert.same({ [0] = 3, 0, 1, 1 }, profile:counts())
    assert.same({ { entity = 1, events = 3 }, { entity = math.mininteger, events = 1 } },
                profile:hottest(2))
    assert.same({ { entity = 1, events = 3 }, { entity = math.mininteger, events = 1 },
                  { entity = -1, events = 1 } }, profile:hottest(65536))
  end)

  it("is empty at first", function()
    local profile = core.profile(core.router.single(3))
    assert.same({ 0, 0, true }, { profile:events(), profile:distinct(), profile:exact() })
    assert.same({ [0] = 0, 0, 0, 0 }, profile:counts())
    assert.same({}, profile:hottest(5))
    for _, piece in ipairs(profile:split(3)) do assert.equal(0, piece.events) end
  end)

  it("does not count session events", function()
    local profile = core.profile(core.router.hash(2), 64)
    profile:add(wal.decode_batch(wal.encode_batch { first_seq = 1, kind = 1, event_count = 9,
                                                    payload = ("x"):rep(42) }))
    assert.equal(0, profile:events())
  end)

  it("holds its router", function()
    local seen = setmetatable({}, { __mode = "k" })
    local profile
    do
      local router = core.router.starts({ 0, 100, -100 }, { 2, 0, 1 })
      seen[router] = true
      profile = core.profile(router, 64)
    end
    collectgarbage()
    collectgarbage()
    assert.is_not_nil(next(seen))
    profile:add(batch_of { 5, 100, -1, -1 })
    assert.same({ [0] = 1, 2, 1 }, profile:counts())
    profile = nil
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(seen))
  end)

  it("agrees with counting in tables", function()
    gen.property("profile", 60, function(g)
      local ids, pool = {}, {}
      for i = 1, g:int(1, 30) do pool[i] = g:u64() end
      for i = 1, g:int(1, 400) do ids[i] = g:pick(pool) end
      local hashed = g:once_in(3)
      local make = hashed and core.router.hash_ranges or core.router.even
      local router = make(g:int(1, 9))
      local profile = core.profile(router, 64)
      profile:add(batch_of(ids))
      local count, keys = counted(ids, function(id) return router:key(id) end)
      if profile:events() ~= #ids or profile:distinct() ~= #keys or not profile:exact() then
        return "totals"
      end
      local shards = profile:counts()
      for shard, events in pairs(router:histogram(ids)) do
        if shards[shard] ~= events then return "shard " .. shard end
      end
      local sum, before = 0, math.maxinteger
      for _, heat in ipairs(profile:hottest(#keys)) do
        if count[router:key(heat.entity)] ~= heat.events or heat.events > before then
          return "hottest " .. core.u64.hex(heat.entity)
        end
        sum, before = sum + heat.events, heat.events
      end
      if sum ~= #ids then return "hottest gives " .. sum .. " events" end
      local parts, weights = g:int(1, 12), {}
      for i, key in ipairs(keys) do weights[i] = count[key] end
      local pieces, heaviest, first = profile:split(parts), 0, 0
      if #pieces > parts or #pieces ~= math.min(parts, #keys) then return #pieces .. " pieces" end
      for _, piece in ipairs(pieces) do
        local inside = 0
        for _, key in ipairs(keys) do
          if oracle.owner({ piece }, key) ~= nil or not math.ult(key, piece.first)
             and not math.ult(piece.last, key) then
            inside = inside + count[key]
          end
        end
        if piece.first ~= first or piece.events ~= inside then return "piece" end
        first, heaviest = piece.last + 1, math.max(heaviest, piece.events)
      end
      if first ~= 0 then return "the pieces do not reach 2^64-1" end
      if heaviest ~= best_split(weights, parts) then return "not the best split: " .. heaviest end
    end)
  end)

  it("stays right in its totals when there are too many ids", function()
    local profile, ids = core.profile(core.router.even(4), 64), {}
    for i = 1, 5000 do ids[i] = i % 10 == 0 and 42 or i * 0x9e3779b97f4a7c15 end
    profile:add(batch_of(ids))
    assert.equal(5000, profile:events())
    assert.is_false(profile:exact())
    assert.is_true(profile:distinct() <= 64)
    local sum = 0
    for shard = 0, 3 do sum = sum + profile:counts()[shard] end
    assert.equal(5000, sum)
    assert.equal(42, profile:hottest(1)[1].entity)
    local pieces, events = profile:split(4), 0
    for _, piece in ipairs(pieces) do events = events + piece.events end
    assert.equal(5000, events)
    assert.equal(-1, pieces[#pieces].last)
  end)
end)

describe("profile:cut", function()
  local profile = core.profile(core.router.even(2), 64)
  profile:add(batch_of { 10, 10, 20, 30, -1 })

  it("gives the part at either end, or the key that is too heavy", function()
    assert.same({ 10, 2 }, { profile:cut(0, -1, 2) })
    assert.same({ 30, 2 }, { profile:cut(0, -1, 2, "upper") })
    assert.same({ 29, 3 }, { profile:cut(0, 29, 9, "lower") })
    assert.same({ nil, 10, 2 }, { profile:cut(0, -1, 1) })
    assert.same({ -1, 5 }, { profile:cut(0, -1, -1) })
    assert.same({ 0, 5 }, { profile:cut(0, -1, 5, "upper") })
  end)

  it("refuses", function()
    assert.matches("lies below first", raised(profile.cut, profile, 5, 4, 1), 1, true)
    assert.matches("lower", raised(profile.cut, profile, 0, 4, 1, "middle"), 1, true)
    assert.matches("first", raised(profile.cut, profile, 1.5, 4, 1), 1, true)
  end)
end)

describe("profile:read", function()
  it("reads a log in bounded steps", function()
    local reader <close> = assert(wal.reader(golden.dir .. "/v1-single"))
    local whole, steps = core.profile(core.router.even(4)), core.profile(core.router.even(4))
    local all <close> = reader:cursor(0)
    assert.equal(reader:bytes(), whole:read(all, 0xffffffff))
    assert.equal(0, whole:read(all))
    local cursor <close> = reader:cursor(0)
    local read, count = 0, 0
    repeat
      local bytes = assert(steps:read(cursor, 10000))
      assert.is_true(bytes < 10000 + 64 + 21 * 100)
      read, count = read + bytes, count + 1
    until bytes == 0
    assert.equal(reader:bytes(), read)
    assert.is_true(count > 50)
    assert.equal(40000, whole:events())
    assert.same(whole:hottest(100), steps:hottest(100))
    assert.same(whole:split(8), steps:split(8))
    assert.same(whole:counts(), steps:counts())
  end)

  it("gives nil, err where the log is damaged, keeping what it counted", function()
    local reader <close> = assert(wal.reader(golden.dir .. "/damaged/flip-in-middle"))
    local profile = core.profile(core.router.single())
    local cursor <close> = reader:cursor(0)
    local read, err = profile:read(cursor)
    assert.is_nil(read)
    assert.equal("payload_hash", err.code)
    assert.equal(331, profile:events())
    assert.is_nil((profile:read(cursor)))
    assert.equal(331, profile:events())
  end)

  it("takes only an open cursor", function()
    local profile = core.profile(core.router.single(), 64)
    local reader = assert(wal.reader(golden.dir .. "/v1-single"))
    local cursor = reader:cursor(0)
    assert.equal("bad argument #2 (tidal.WalCursor expected, got tidal.WalReader)",
                 raised(profile.read, profile, reader))
    assert.equal("bad argument #3 (bytes_max: 0 is outside 1..4294967295)",
                 raised(profile.read, profile, cursor, 0))
    reader:close()
    assert.equal("the reader of this cursor is closed", raised(profile.read, profile, cursor))
    cursor:close()
    assert.equal("the cursor is closed", raised(profile.read, profile, cursor))
    assert.equal(0, profile:events())
  end)
end)

describe("core.profile", function()
  local router = core.router.hash(2)
  it("takes a power of two of slots, 64 to 16777216 (TD_PROFILE_SLOTS_MAX)", function()
    assert.equal(0, core.profile(router, 64):events())
    for _, slots in ipairs { 32, 63, 16777217, 33554432, 0, -1 } do
      assert.equal(("bad argument #2 (slots: %d is outside 64..16777216)"):format(slots),
                   raised(core.profile, router, slots))
    end
    assert.equal("bad argument #2 (slots: 100 is not a power of two)",
                 raised(core.profile, router, 100))
  end)

  it("names what is wrong", function()
    local profile = core.profile(router, 64)
    assert.equal("bad argument #1 (tidal.Router expected, got 5)", raised(core.profile, 5))
    assert.equal("bad argument #2 (tidal.Batch expected, got table)",
                 raised(profile.add, profile, {}))
    for _, method in ipairs { "hottest", "split" } do
      for _, n in ipairs { 0, 65537, -1 } do
        assert.equal(("bad argument #2 (n: %d is outside 1..65536)"):format(n),
                     raised(profile[method], profile, n))
      end
      assert.equal("bad argument #2 (n: an integer in 1..65536 expected, got nothing)",
                   raised(profile[method], profile))
    end
  end)
end)
