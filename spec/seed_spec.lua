-- What the seed of this project asks for, one test for each of its sentences.
local tidal = require "tidal"
local gen = dofile "spec/support/gen.lua"
local golden = dofile "spec/support/golden.lua"
local hex = dofile "spec/support/hex.lua"
local oracle = dofile "spec/support/oracle.lua"

local EDGES <const> = { 0, math.maxinteger, math.mininteger, -1 }  -- .. 2^63-1, 2^63, 2^64-1

local EVENTS <const> = {
  { entity = 42, signal_type = 1, weight = 1.0, timestamp_ns = 1700000000000000000 },
  { entity = -1, signal_type = 2, weight = -3.5, timestamp_ns = 1700000000000000001 },
}

-- Makes one id of each kind from a number, twice from scratch.
local KINDS <const> = {
  ShardId = function(n) return tidal.shard(n) end,
  RegionId = function(n) return tidal.region(n) end,
  WalSegmentId = function(n) return tidal.segment(n, 65535 - n, n << 48) end,
}

describe("ShardId, RegionId and WalSegmentId", function()
  it("are Copy: a copy is the same id, and nothing can change it", function()
    for _, make in pairs(KINDS) do
      local id = make(7)
      local copy, text = id, tostring(id)
      assert.equal(id, copy)
      for _, field in ipairs { "value", "seqno", "shard", "anything" } do
        assert.is_false(pcall(function() copy[field] = 1 end))
      end
      assert.equal(text, tostring(id))
    end
  end)

  it("are Eq: the same number is the same id, another number or kind is not", function()
    gen.property("Eq", 2000, function(g)
      local a, b = g:u16(), g:u16()
      for name, make in pairs(KINDS) do
        if (make(a) == make(b)) ~= (a == b) then return name .. " " .. a .. " " .. b end
      end
      if tidal.shard(a) == tidal.region(a) then return "shard and region " .. a end
    end)
  end)

  it("are Hash: they are keys of tables", function()
    local faults = 0
    for _, make in pairs(KINDS) do
      local map = {}
      for n = 0, 999 do map[make(n * 65)] = n end
      for n = 0, 999 do
        if map[make(n * 65)] ~= n then faults = faults + 1 end
      end
      if map[make(1)] ~= nil then faults = faults + 1 end
    end
    assert.equal(0, faults)
  end)

  it("are Ord: region, then shard, then sequence number, all unsigned", function()
    local list = {}
    for _, region in ipairs { 0, 1, 65535 } do
      for _, shard in ipairs { 0, 2, 65535 } do
        for _, seqno in ipairs { 0, 1, math.maxinteger, math.mininteger, -1 } do
          list[#list + 1] = tidal.segment(region, shard, seqno)
        end
      end
    end
    local shuffled = gen.stream("Ord"):shuffle(table.move(list, 1, #list, 1, {}))
    table.sort(shuffled)
    local faults = 0
    for i, id in ipairs(list) do
      if shuffled[i] ~= id then faults = faults + 1 end
      for j, other in ipairs(list) do
        if (id < other) ~= (i < j) or (id <= other) ~= (i <= j) then faults = faults + 1 end
      end
    end
    assert.equal(0, faults)
    assert.is_true(tidal.shard(9) < tidal.shard(10) and tidal.region(9) < tidal.region(10))
  end)

  it("are Serialize: text and bytes go both ways", function()
    gen.property("Serialize", 2000, function(g)
      local id = tidal.segment(g:u16(), g:u16(), g:u64())
      local shard, region = tidal.shard(g:u16()), tidal.region(g:u16())
      if tidal.parse(tostring(id)) ~= id or tidal.unpack_segment(id:pack()) ~= id
         or tidal.parse(tostring(shard)) ~= shard or tidal.parse(tostring(region)) ~= region
         or tidal.shard(shard.value) ~= shard or tidal.region(region.value) ~= region then
        return tostring(id)
      end
    end)
  end)

  it("display: WalSegmentId as r0:s0:42", function()
    assert.equal("r0:s0:42", tostring(tidal.segment(tidal.region(0), tidal.shard(0), 42)))
    assert.equal("r2:s3:18446744073709551615", tostring(tidal.segment(2, 3, -1)))
    assert.equal("s3 r2", tostring(tidal.shard(3)) .. " " .. tostring(tidal.region(2)))
  end)
end)

describe("the batch header", function()
  it("carries shard_id at bytes 58-59 and region_id at bytes 60-61", function()
    gen.property("header tags", 500, function(g)
      local shard, region = g:u16(), g:u16()
      local bytes = tidal.wal.encode_batch { first_seq = 1, shard = shard, region = region,
                                             events = EVENTS }
      local at58, at60 = ("<I2I2"):unpack(bytes, 58 + 1)
      local batch = tidal.wal.decode_batch(bytes)
      if at58 ~= shard or at60 ~= region or batch.shard ~= tidal.shard(shard)
         or batch.region ~= tidal.region(region) then
        return ("s%d r%d"):format(shard, region)
      end
    end)
  end)

  it("of v1 decodes as shard 0, region 0", function()
    local seen = 0
    for batch in tidal.wal.scan(golden.read "v1-single/wal-00000000000000000001.seg"):batches() do
      if batch.version == 1 and batch.shard == tidal.shard(0) and batch.region == tidal.region(0)
         and batch.layout_epoch == 0 then
        seen = seen + 1
      end
    end
    assert.equal(132, seen)
  end)

  it("has FORMAT_VERSION 2", function()
    local bytes = tidal.wal.encode_batch { first_seq = 1, events = EVENTS }
    assert.equal(2, (("<I2"):unpack(bytes, 5)))
    assert.equal(2, tidal.wal.decode_batch(bytes).version)
    assert.equal(64, #bytes - 21 * #EVENTS)
  end)
end)

describe("the router", function()
  it("routes by hash: XXH3-64(id) mod shards", function()
    local faults = 0
    for _, vector in ipairs(golden.json("vectors.json").hash_route) do
      for shards, want in pairs(vector.shards) do
        local of = tidal.router.hash(math.tointeger(tonumber(shards)))
        if of:route(vector.id) ~= tidal.shard(want) then faults = faults + 1 end
      end
    end
    assert.equal(0, faults)
  end)

  it("routes by range: the bounds belong to their range", function()
    local of = tidal.router.ranges {
      { shard = 0, first = 0, last = 99 }, { shard = 1, first = 100, last = math.maxinteger },
      { shard = 2, first = math.mininteger, last = -1 },
    }
    local got = {}
    for i, id in ipairs { 0, 99, 100, math.maxinteger, math.mininteger, -1 } do
      got[i] = of:route(id).value
    end
    assert.same({ 0, 0, 1, 1, 2, 2 }, got)
  end)

  it("takes only ranges that do not overlap and cover all ids", function()
    gen.property("cover", 400, function(g)
      local list = g:ranges(g:int(2, 12), 5)
      local i = g:int(1, #list)
      local range, wrong = list[i]
      if g:once_in(2) and i < #list then
        wrong, range.last = "overlap", range.last + 1
      elseif i < #list and range.first ~= range.last then
        wrong, range.last = "gap", range.last - 1
      elseif i == #list and range.first ~= range.last then
        wrong, range.last = "not_to_last", range.last - 1
      elseif i == 1 then
        wrong, range.first = "inverted", range.last + 1
      else
        wrong = "gap"
        table.remove(list, i)
        if i > #list then wrong = "not_to_last" end
      end
      local fine, err = pcall(tidal.router.ranges, g:shuffle(list))
      if fine then return wrong .. " is taken" end
      local found = false
      for _, fault in ipairs(err.faults) do found = found or fault.code == wrong end
      if not found then return wrong .. " is called " .. err.code end
    end)
  end)

  it("gives each of 10,000 random ids exactly one shard", function()
    local g, faults = gen.stream "10,000 ids", 0
    local list = g:ranges(15, 5)
    local routers = { tidal.router.ranges(list), tidal.router.even(5), tidal.router.hash(5),
                      tidal.router.hash_ranges(5), tidal.router.single(4) }
    local even = tidal.router.even(5):ranges()
    for _ = 1, 10000 do
      local id = g:next()
      for _, of in ipairs(routers) do
        local shard = of:route(id).value
        if math.type(shard) ~= "integer" or shard < 0 or shard > 4 then faults = faults + 1 end
      end
      -- oracle.owner is nil unless exactly one range holds the id.
      if oracle.owner(list, id) ~= routers[1]:route(id).value
         or oracle.owner(even, id) ~= routers[2]:route(id) then
        faults = faults + 1
      end
    end
    assert.equal(0, faults, "TIDAL_SEED=" .. gen.seed)
  end)

  it("is a pure function of id and table", function()
    local g, faults = gen.stream "pure", 0
    local list = g:ranges(40, 9)
    local first = tidal.router.ranges(list)
    local ids, want = {}, {}
    for i = 1, 10000 do ids[i] = g:next() end
    for i, id in ipairs(ids) do want[i] = first:route(id).value end
    g:shuffle(list)
    local second = tidal.router.ranges(list)
    for _, range in ipairs(list) do range.shard, range.first, range.last = 77, 5, 6 end
    collectgarbage()
    local bound = second:bind()
    for i = #ids, 1, -1 do
      if first:route(ids[i]).value ~= want[i] or bound(ids[i]) ~= want[i] then
        faults = faults + 1
      end
    end
    assert.equal(0, faults, "TIDAL_SEED=" .. gen.seed)
  end)

  it("is right at every boundary of 1,000 random tables, 0, 2^63-1, 2^63 and 2^64-1", function()
    gen.property("1,000 tables", 1000, function(g, case)
      local list = g:ranges(case % 100 == 0 and 300 or g:int(1, 16), g:int(1, 9))
      local hashed = case % 5 == 0
      local of = hashed and tidal.router.hash_ranges(list) or tidal.router.ranges(list)
      local route = of:bind()
      local function wrong(id)
        if oracle.owner(list, hashed and tidal.hash(id) or id) ~= route(id) then
          return ("%s is routed to s%d"):format(tidal.u64.hex(id), route(id))
        end
      end
      for _, id in ipairs(EDGES) do
        local fault = wrong(id)
        if fault then return fault end
      end
      for i = 1, #list, #list > 50 and 29 or 1 do
        local range = list[i]
        local fault = wrong(range.first) or wrong(range.last) or wrong(range.first - 1)
          or wrong(range.last + 1)
        if fault then return fault end
      end
    end)
  end)
end)

describe("NodeConfig", function()
  it("defaults to a single node: role single, shard 0, region 0, no peers", function()
    local node = tidal.node()
    assert.same({ "single", "r0:s0", 0, true, true },
                { node.role, tostring(node.log), #node.peers, node:is_single_node(),
                  node:accepts_writes() })
    assert.is_nil(node.router)
  end)
end)

describe("ReplicationState", function()
  it("is atomic per shard: a call changes one mark, whole or not at all", function()
    local logs = {}
    for shard = 0, 9 do logs[#logs + 1] = tidal.log(0, shard) end
    local state = tidal.state(logs)
    for shard = 0, 9 do assert(state:advance(logs[shard + 1], 1, 10 * shard + 1)) end
    assert.is_nil((state:advance("r0:s3", 100, 200)))
    assert.is_nil((state:restore { { log = "r0:s3", epoch = 1, seqno = 999 },
                                   { log = "r7:s7", epoch = 1, seqno = 999 } }))
    assert.is_true(state:advance("r0:s5", 52, 60))
    local got = {}
    for i, log in ipairs(logs) do got[i] = (state:get(log)) end
    assert.same({ 1, 11, 21, 31, 41, 60, 61, 71, 81, 91 }, got)
  end)

  it("goes forward only", function()
    local state, faults = tidal.state { "r0:s0" }, 0
    local g, mark = gen.stream "forward", 0
    for _ = 1, 5000 do
      local first = math.max(1, mark + g:int(-50, 5))
      state:advance("r0:s0", first, first + g:int(0, 40))
      state:restore { { log = "r0:s0", epoch = 0, seqno = g:int(0, mark) } }
      local now = state:get "r0:s0"
      if now < mark then faults = faults + 1 end
      mark = now
    end
    assert.equal(0, faults, "TIDAL_SEED=" .. gen.seed)
    assert.is_true(mark > 5000)
  end)
end)

describe("segment names", function()
  it("keep the old form for shard 0", function()
    assert.equal("wal-00000000000000000042.seg", tidal.wal.segment_name(0, 42))
    local shard, first = tidal.wal.parse_segment_name "wal-00000000000000000042.seg"
    assert.same({ tidal.shard(0), 42 }, { shard, first })
    assert.is_nil((tidal.wal.parse_segment_name "wal-s00000-00000000000000000042.seg"))
  end)

  it("are wal-s{shard:05}-{first_seq:020}.seg for any other", function()
    gen.property("segment names", 2000, function(g)
      local shard, first = g:int(1, 65535), g:seqno(1)
      local digits = oracle.decimal(first)
      local want = ("wal-s%05d-%s%s.seg"):format(shard, ("0"):rep(20 - #digits), digits)
      local parsed, number = tidal.wal.parse_segment_name(want)
      if tidal.wal.segment_name(shard, first) ~= want or parsed ~= tidal.shard(shard)
         or number ~= first then
        return want
      end
    end)
  end)
end)

describe("a single node", function()
  it("works as before: a v1 log is read with nothing but defaults", function()
    local node = tidal.node { data_dir = golden.dir .. "/v1-single" }
    local reader <close> = assert(tidal.wal.reader(node.data_dir))
    local events, seq, faults = 0, 0, 0
    for batch, name in reader:batches(node.shard) do
      if batch.first_seq ~= seq + 1 or batch.log ~= node.log or batch.version ~= 1
         or name ~= tidal.wal.segment_name(node.shard, tidal.parse("r0:s0:"
              .. name:match "%d+":gsub("^0+", "")).seqno) then
        faults = faults + 1
      end
      events, seq = events + #batch:events(), batch.last_seq
    end
    assert.same({ 40000, 40000, 0 }, { events, seq, faults })
    local checkpoint = tidal.wal.decode_checkpoint(golden.read "v1-single/checkpoint.meta")
    assert.same({ 12000, node.shard }, { checkpoint.seqno, checkpoint.shard })
    local router = tidal.router.single()
    for _, id in ipairs(EDGES) do assert.equal(node.shard, router:route(id)) end
  end)
end)

describe("a developer", function()
  it("can construct a NodeConfig with 3 regions and 5 shards per region, create a ShardRouter "
     .. "from range boundaries, route EntityIds to shards, construct a batch header v2 with "
     .. "shard/region tags", function()
    local router = tidal.router.ranges {
      { shard = 0, first = "0x0000000000000000", last = "0x3333333333333333" },
      { shard = 1, first = "0x3333333333333334", last = "0x6666666666666666" },
      { shard = 2, first = "0x6666666666666667", last = "0x9999999999999999" },
      { shard = 3, first = "0x999999999999999a", last = "0xcccccccccccccccc" },
      { shard = 4, first = "0xcccccccccccccccd", last = "0xffffffffffffffff" },
    }
    local nodes = tidal.nodes { regions = 3, shards = 5, router = router }
    assert.equal(15, #nodes)
    local entity = tidal.u64.parse "0x9999999999999999"
    local shard = nodes[1].router:route(entity)
    assert.equal(tidal.shard(2), shard)
    local node
    for _, one in ipairs(nodes) do
      if one.region == tidal.region(1) and one.shard == shard then node = one end
    end
    assert.equal("tidal.NodeConfig(r1:s2, follower)", tostring(node))
    local bytes = tidal.wal.encode_batch {
      first_seq = 1, timestamp_ns = 1700000000000000000, shard = node.shard, region = node.region,
      events = { { entity = entity, signal_type = 1, weight = 1.0, timestamp_ns = 0 } },
    }
    assert.equal("02000100", hex.encode(bytes:sub(59, 62)))
    local batch = tidal.wal.decode_batch(bytes)
    assert.same({ 2, node.shard, node.region, entity },
                { batch.version, batch.shard, batch.region, (batch:event(1)) })
  end)
end)
