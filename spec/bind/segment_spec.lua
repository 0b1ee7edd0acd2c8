-- WalSegmentId: r0:s0:42.
local core = require "tidal.core"
local gen = dofile "spec/support/gen.lua"
local hex = dofile "spec/support/hex.lua"
local raised = dofile "spec/support/raised.lua"

describe("a segment id", function()
  it("is one object per value while it lives", function()
    local id = core.segment(0, 3, 42)
    assert.equal(id, core.segment("r0", core.shard(3), "0x2a"))
    assert.equal(id, core.parse "r0:s3:42")
    assert.are_not.equal(id, core.segment(0, 3, 43))
    assert.equal("here", ({ [id] = "here" })[core.parse "r0:s3:42"])
  end)

  it("has its parts", function()
    local id = core.segment(65535, 65534, -1)
    assert.equal(core.region(65535), id.region)
    assert.equal(core.shard(65534), id.shard)
    assert.equal(-1, id.seqno)
    assert.equal(core.log(65535, 65534), id.log)
    assert.is_nil(id.value)
    assert.is_nil(id["seqno\0"])
    assert.is_nil(id[1])
  end)

  it("prints as r0:s0:42", function()
    assert.equal("r0:s0:42", tostring(core.segment(0, 0, 42)))
    assert.equal("r65535:s65535:18446744073709551615", tostring(core.segment(65535, 65535, -1)))
    assert.equal("r0:s0:9223372036854775808", tostring(core.segment(0, 0, math.mininteger)))
  end)

  it("packs into 12 bytes whose order is its own", function()
    assert.equal("0001020300000000000000ff", hex.encode(core.segment(1, 0x203, 255):pack()))
    local twin = core.unpack_segment(core.segment(1, 0x203, 255):pack())
    assert.equal("r1:s515:255", tostring(twin))
  end)

  for _, text in ipairs { "r0:s0:", "r0:s0:-1", "r0:s0:042", "r0:s0:18446744073709551616",
                          "r0:s0:0x1", "r0:s65536:1", "r0:s0:1 ", "r0:r0:1", "s0:s0:1" } do
    it(("is not parsed from %q"):format(text), function()
      local id, err = core.parse(text)
      assert.is_nil(id)
      assert.is_true(core.is_error(err))
    end)
  end

  it("is unpacked from 12 bytes only", function()
    for _, size in ipairs { 0, 11, 13 } do
      local id, err = core.unpack_segment(("x"):rep(size))
      assert.is_nil(id)
      assert.equal("length", err.code)
    end
    assert.equal("bad argument #1 (bytes: a string of 12 bytes expected, got nil)",
                 raised(core.unpack_segment, nil))
  end)

  it("names the argument that is wrong", function()
    assert.matches("^bad argument #1 %(region: ", raised(core.segment, core.shard(1), 1, 1))
    assert.matches("^bad argument #2 %(shard: ", raised(core.segment, 1, core.region(1), 1))
    assert.matches("^bad argument #3 %(seqno: ", raised(core.segment, 1, 1, 1.0))
    assert.matches("^bad argument #3 %(seqno: .* got nothing%)", raised(core.segment, 1, 1))
  end)

  it("is not ordered against other kinds", function()
    assert.equal("cannot order r0:s0:1 and r0:s0: different kinds of id",
                 raised(function(a, b) return a < b end, core.segment(0, 0, 1), core.log(0, 0)))
  end)
end)

describe("segment ids", function()
  it("go to text and to bytes and back; one order in all", function()
    gen.property("segment ids", 3000, function(g)
      local a = core.segment(g:u16(), g:u16(), g:u64())
      local b = core.segment(g:u16(), g:u16(), g:u64())
      if g:once_in(3) then b = core.segment(a.region, a.shard, g:u64()) end
      if core.parse(tostring(a)) ~= a then return tostring(a) .. " as text" end
      if core.unpack_segment(a:pack()) ~= a then return tostring(a) .. " as bytes" end
      local less = a:pack() < b:pack()
      if (a < b) ~= less or (b > a) ~= less or (a <= b) ~= (less or a == b) then
        return tostring(a) .. " against " .. tostring(b)
      end
    end)
  end)

  it("die when no script holds them, and come back", function()
    local seen = setmetatable({}, { __mode = "k" })
    local kept = core.segment(1, 1, 1)
    for i = 1, 500 do seen[core.segment(1, 1, i)] = i end
    collectgarbage()
    collectgarbage()
    local alive = 0
    for id in pairs(seen) do
      alive = alive + 1
      assert.equal(kept, id)
    end
    assert.equal(1, alive)
    assert.equal("r1:s1:2", tostring(core.segment(1, 1, 2)))
  end)

  it("keep their identity through collections", function()
    local held = {}
    for i = 1, 300 do held[i] = core.segment(i & 7, i & 3, -i) end
    for _ = 1, 3 do
      collectgarbage()
      for i = 1, 300 do
        if core.segment(i & 7, i & 3, -i) ~= held[i] then error("id " .. i .. " is new") end
      end
    end
  end)

  -- Ids are found by seqno + (region << 16 | shard) * this: the second id of
  -- each pair takes the place of the first.
  local STEP <const> = 0x9e3779b97f4a7c15
  it("whose places meet stay apart", function()
    local first, second = core.segment(0, 1, 5), core.segment(0, 0, 5 + STEP)
    local third = core.segment(1, 0, 5 + STEP - (STEP << 16))
    for _ = 1, 3 do
      assert.equal("r0:s1:5", tostring(core.segment(0, 1, 5)))
      assert.equal(first, core.segment(0, 1, 5))
      assert.equal(second, core.segment(0, 0, 5 + STEP))
      assert.equal(third, core.segment(1, 0, 5 + STEP - (STEP << 16)))
      assert.are_not.equal(first, second)
      collectgarbage()
    end
    first = nil
    collectgarbage()
    collectgarbage()
    assert.equal(second, core.segment(0, 0, 5 + STEP))
    local again = core.segment(0, 1, 5)
    assert.equal("r0:s1:5", tostring(again))
    assert.equal(again, core.parse "r0:s1:5")
    assert.equal(second, core.unpack_segment(second:pack()))
    assert.are_not.equal(again, second)
  end)
end)
