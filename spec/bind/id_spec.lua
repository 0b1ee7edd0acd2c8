-- ShardId, RegionId, LogId: interned objects. (WalSegmentId: segment_spec)
local core = require "tidal.core"
local gen = dofile "spec/support/gen.lua"
local golden = dofile "spec/support/golden.lua"
local raised = dofile "spec/support/raised.lua"

describe("an id", function()
  it("is one object per value", function()
    assert.equal(core.shard(3), core.shard "s3")
    assert.equal(core.shard(3), core.parse "s3")
    assert.are_not.equal(core.shard(3), core.shard(4))
    assert.equal(core.region(0), core.parse "r0")
    assert.equal(core.log(2, 3), core.log("r2", core.shard(3)))
    assert.equal(core.log(2, 3), core.parse "r2:s3")
    assert.are_not.equal(core.log(2, 3), core.log(3, 2))
  end)

  it("of one kind never equals one of another", function()
    assert.are_not.equal(core.shard(3), core.region(3))
    assert.is_false(core.shard(3) == 3)
    assert.is_false(core.shard(3) == "s3")
    assert.is_false(core.log(0, 3) == core.shard(3))
  end)

  it("is a table key", function()
    local t = { [core.shard(1)] = "a", [core.region(1)] = "b", [core.log(1, 1)] = "c" }
    assert.same({ "a", "b", "c" }, { t[core.shard "s1"], t[core.parse "r1"], t[core.log "r1:s1"] })
    assert.is_nil(t[core.shard(2)])
  end)

  it("has its parts", function()
    assert.equal(65535, core.shard(65535).value)
    assert.equal("integer", math.type(core.region(0).value))
    assert.equal(core.region(7), core.log(7, 9).region)
    assert.equal(core.shard(9), core.log(7, 9).shard)
  end)

  it("has nothing else", function()
    for _, id in ipairs { core.shard(1), core.region(1), core.log(1, 1) } do
      for _, key in ipairs { "nothing", "value\0", "", 1, 1.5, true, id } do
        assert.is_nil(id[key])
      end
    end
    assert.is_nil(core.log(1, 1).value)
    assert.is_nil(core.shard(1).region)
  end)

  it("prints as it is parsed", function()
    assert.equal("s65535 r65535 r65535:s0", table.concat({
      tostring(core.shard(65535)), tostring(core.region(65535)), tostring(core.log(65535, 0)),
    }, " "))
  end)
end)

describe("all shards and regions", function()
  it("go to text and back, 0 to 65535", function()
    local faults = 0
    for n = 0, 65535 do
      local shard, region = core.shard(n), core.region(n)
      if shard.value ~= n or core.parse(tostring(shard)) ~= shard then faults = faults + 1 end
      if region.value ~= n or core.parse(tostring(region)) ~= region then faults = faults + 1 end
      if tostring(shard) ~= "s" .. n or tostring(region) ~= "r" .. n then faults = faults + 1 end
    end
    assert.equal(0, faults)
  end)
end)

describe("the order of ids", function()
  it("is numeric", function()
    assert.is_true(core.shard(9) < core.shard(10))
    assert.is_true(core.shard(9) <= core.shard(9))
    assert.is_false(core.shard(9) < core.shard(9))
    assert.is_true(core.region(65535) > core.region(255))
    assert.is_true(core.log(0, 65535) < core.log(1, 0))
    assert.is_true(core.log(1, 0) < core.log(1, 1))
  end)

  it("sorts", function()
    gen.property("order of logs", 50, function(g)
      local list = {}
      for i = 1, g:int(1, 40) do list[i] = core.log(g:u16(), g:u16()) end
      table.sort(list)
      for i = 2, #list do
        local a, b = list[i - 1], list[i]
        local x = a.region.value << 16 | a.shard.value
        local y = b.region.value << 16 | b.shard.value
        if x > y or (a < b) ~= (x < y) or (a <= b) ~= (x <= y) or (b < a) then
          return tostring(a) .. " before " .. tostring(b)
        end
      end
    end)
  end)

  local function less(a, b) return a < b end
  it("stops between kinds, naming both", function()
    assert.equal("cannot order s3 and r3: different kinds of id",
                 raised(less, core.shard(3), core.region(3)))
    assert.equal("cannot order r0:s3 and s3: different kinds of id",
                 raised(less, core.log(0, 3), core.shard(3)))
    assert.equal("cannot order s3 and 4: different kinds of id", raised(less, core.shard(3), 4))
    assert.equal("cannot order 4 and r3: different kinds of id", raised(less, 4, core.region(3)))
    assert.equal("cannot order s3 and table: different kinds of id",
                 raised(less, core.shard(3), {}))
    assert.equal("cannot order a string of 100 bytes and s3: different kinds of id",
                 raised(less, ("x"):rep(100), core.shard(3)))
    assert.matches("^cannot order s3 and file %(0x%x+%): ", raised(less, core.shard(3), io.stdout))
    assert.is_string(raised(function(a, b) return a >= b end, core.shard(3), core.log(0, 3)))
  end)
end)

describe("core.parse", function()
  for _, text in ipairs { "", "s", "r", "3", "s-1", "s+1", " s1", "s1 ", "s01", "s65536", "S1",
                          "s1.0", "r65536", "r1:", ":s1", "r1:s", "r1:s1:", "s1:r1", "r1 :s1",
                          "r01:s1",
                          "r1:s01", "r1:s65536", "s1\0", "r1:s1\0", "r1:s1:1:1", "x1" } do
    it(("gives nil, err for %q"):format(text), function()
      local id, err = core.parse(text)
      assert.is_nil(id)
      assert.is_true(core.is_error(err))
      assert.is_true(err.code == "text" or err.code == "out_of_range")
    end)
  end

  it("raises for what is no text", function()
    assert.equal('bad argument #1 (id: text as "s3" or "r0:s3:42" expected, got 3)',
                 raised(core.parse, 3))
  end)
end)

describe("logs", function()
  it("are as many as pairs of region and shard", function()
    gen.property("logs", 3000, function(g)
      local a, b = g:u16(), g:u16()
      local c, d = g:pick { a, g:u16(), b }, g:pick { b, g:u16(), b ~ 0x8000 }
      if g:once_in(4) then c, d = a ~ 1, b ~ 0x8000 end
      local one, other = core.log(a, b), core.log(c, d)
      if (one == other) ~= (a == c and b == d) or one.shard.value ~= b or other.region.value ~= c
         or tostring(other) ~= ("r%d:s%d"):format(c, d) then
        return tostring(one) .. " " .. tostring(other)
      end
    end)
  end)

  it("live as long as a script holds them", function()
    local seen = setmetatable({}, { __mode = "k" })
    local kept = core.log(5, 5)
    seen[kept] = true
    for i = 1, 200 do seen[core.log(9, i)] = true end
    collectgarbage()
    collectgarbage()
    local alive = 0
    for _ in pairs(seen) do alive = alive + 1 end
    assert.equal(1, alive)
    assert.equal(kept, core.log(5, 5))
    assert.equal("r9:s7", tostring(core.log(9, 7)))
  end)

  it("are made from region and shard, or from text", function()
    assert.equal('bad argument #2 (shard: a shard (tidal.shard(3), 3 or "s3") expected, got nil)',
                 raised(core.log, 0, nil))
    assert.equal('bad argument #1 (region: a region (tidal.region(2), 2 or "r2") expected, '
                 .. "got nothing)", raised(core.log))
  end)
end)

describe("core.hash", function()
  it("gives the frozen values", function()
    local count = 0
    for _, vector in ipairs(golden.json("vectors.json").hash_route) do
      assert.equal(vector.xxh3_64, core.u64.hex(core.hash(vector.id)))
      assert.equal(vector.xxh3_64, core.u64.hex(core.hash(core.u64.parse(vector.id))))
      count = count + 1
    end
    assert.equal(13, count)
  end)
end)

describe("core.checksum", function()
  -- XXH3-128 of no bytes, as libxxhash gives it.
  it("is 32 hex digits, high half first", function()
    assert.equal("99aa06d3014798d86001c324468d497f", core.checksum "")
    local vector = golden.json("vectors.json").headers[1].hex
    local payload = dofile("spec/support/hex.lua").decode(vector):sub(65)
    assert.equal("a524586b2011dceba8cde3c8e32de26e", core.checksum(payload))
  end)

  it("takes nothing but a string", function()
    assert.equal("bad argument #1 (bytes: a string expected, got 5)", raised(core.checksum, 5))
  end)
end)
