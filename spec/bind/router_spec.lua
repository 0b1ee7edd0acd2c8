-- tidal.router: every id has exactly one shard, in every form of asking.
local core = require "tidal.core"
local gen = dofile "spec/support/gen.lua"
local golden = dofile "spec/support/golden.lua"
local oracle = dofile "spec/support/oracle.lua"
local raised = dofile "spec/support/raised.lua"
local router = core.router

local EDGES <const> = { 0, 1, math.maxinteger, math.mininteger, math.mininteger + 1, -2, -1 }

local function packed(ids) return ("<i8"):rep(#ids):pack(table.unpack(ids)) end

-- What every way of asking says, against owner(id) -> number; nil or a fault.
local function disagreement(of, ids, owner)
  local bound, many, histogram = of:bind(), of:route_many(ids), of:histogram(ids)
  local bytes, counts = of:route_packed(packed(ids)), of:histogram(packed(ids))
  local mine = {}
  for i, id in ipairs(ids) do
    local want = owner(id)
    if want == nil then return ("the oracle has no single owner for %d"):format(id) end
    local by_packed = ("<I2"):unpack(bytes, 2 * i - 1)
    if of:route(id).value ~= want or bound(id) ~= want or many[i] ~= want or by_packed ~= want then
      return ("%s: s%d expected; route %s, bound s%d, many s%d, packed s%d"):format(
        core.u64.hex(id), want, tostring(of:route(id)), bound(id), many[i], by_packed)
    end
    mine[want] = (mine[want] or 0) + 1
  end
  for shard = 0, of:shard_max().value do
    if histogram[shard] ~= (mine[shard] or 0) or counts[shard] ~= (mine[shard] or 0) then
      return ("histogram of s%d"):format(shard)
    end
  end
end

-- Edges, every boundary with its neighbours, and some others.
local function probes(g, starts)
  local ids = table.move(EDGES, 1, #EDGES, 1, {})
  for _, first in ipairs(starts) do
    ids[#ids + 1], ids[#ids + 2], ids[#ids + 3] = first - 1, first, first + 1
  end
  for _ = 1, 20 do ids[#ids + 1] = g:u64() end
  return ids
end

describe("router.hash", function()
  it("is XXH3-64 mod n, frozen by golden values", function()
    local checked = 0
    for _, vector in ipairs(golden.json("vectors.json").hash_route) do
      for shards, want in pairs(vector.shards) do
        local of = router.hash(math.tointeger(tonumber(shards)))
        assert.equal(want, of:route(vector.id).value)
        assert.equal(want, of:bind()(core.u64.parse(vector.id)))
        checked = checked + 1
      end
    end
    assert.equal(13 * 7, checked)
  end)

  it("agrees with a plain remainder", function()
    gen.property("hash routing", 60, function(g)
      local n = g:once_in(4) and g:pick { 1, 2, 65535, 65536 } or g:int(1, 65536)
      return disagreement(router.hash(n), probes(g, {}), function(id)
        return oracle.remainder(core.hash(id), n)
      end)
    end)
  end)
end)

describe("router.even", function()
  it("is floor(id * n / 2^64)", function()
    gen.property("even routing", 60, function(g)
      local n = g:once_in(3) and g:pick { 1, 2, 3, 5, 255, 256 } or g:int(1, 600)
      local list = {}
      for i = 0, n - 1 do
        list[i + 1] = { shard = i, first = oracle.even_first(i, n),
                        last = i + 1 < n and oracle.even_first(i + 1, n) - 1 or -1 }
      end
      local starts = { list[g:int(1, n)].first, list[n].first }
      return disagreement(router.even(n), probes(g, starts), function(id)
        return oracle.owner(list, id)
      end)
    end)
  end)

  it("gives its ranges: 5 shards", function()
    local text = {}
    for i, range in ipairs(router.even(5):ranges()) do
      text[i] = ("%s %s..%s"):format(tostring(range.shard), core.u64.hex(range.first),
                                     core.u64.hex(range.last))
    end
    assert.same({ "s0 0x0000000000000000..0x3333333333333333",
                  "s1 0x3333333333333334..0x6666666666666666",
                  "s2 0x6666666666666667..0x9999999999999999",
                  "s3 0x999999999999999a..0xcccccccccccccccc",
                  "s4 0xcccccccccccccccd..0xffffffffffffffff" }, text)
  end)

  it("takes 1 to 65536 shards (TD_SHARDS_MAX)", function()
    assert.equal(65536, router.even(65536):num_shards())
    assert.equal(core.shard(65535), router.even(65536):route(-1))
    assert.equal(core.shard(65535), router.hash(65536):shard_max())
    for _, n in ipairs { 0, 65537, -1, math.mininteger } do
      for _, make in ipairs { router.even, router.hash, router.hash_ranges } do
        assert.equal(("bad argument #1 (number of shards: %d is outside 1..65536)"):format(n),
                     raised(make, n))
      end
    end
  end)
end)

describe("router.ranges", function()
  it("routes as a linear scan does, whatever the order of the list", function()
    gen.property("ranges", 120, function(g)
      local list = g:ranges(g:once_in(4) and g:int(1, 400) or g:int(1, 12), g:int(1, 9))
      local starts = {}
      for i, range in ipairs(list) do starts[i] = #list < 20 and range.first or nil end
      local of = router.ranges(g:shuffle(list))
      return disagreement(of, probes(g, starts), function(id) return oracle.owner(list, id) end)
    end)
  end)

  it("looks hashes up for hash_ranges", function()
    gen.property("hash_ranges", 60, function(g)
      local list = g:ranges(g:int(1, 30), 7)
      return disagreement(router.hash_ranges(list), probes(g, {}), function(id)
        return oracle.owner(list, core.hash(id))
      end)
    end)
    assert.equal("hash_ranges", router.hash_ranges(8):strategy())
    assert.equal(core.hash(42), router.hash_ranges(8):key(42))
    assert.equal(42, router.even(8):key(42))
  end)

  it("gives back what it was made of, ascending", function()
    gen.property("ranges of a router", 50, function(g)
      local list = g:ranges(g:int(1, 60), 5)
      local ranges = router.ranges(g:shuffle(table.move(list, 1, #list, 1, {}))):ranges()
      if #ranges ~= #list then return ("%d of %d ranges"):format(#ranges, #list) end
      for i, range in ipairs(ranges) do
        if range.first ~= list[i].first or range.last ~= list[i].last
           or range.shard ~= core.shard(list[i].shard) then
          return "range " .. i
        end
      end
    end)
    assert.same({}, router.hash(5):ranges())
    assert.same({}, router.single():ranges())
  end)

  it("does not change its list", function()
    local list = { { shard = 1, first = 5, last = -1 }, { shard = 0, first = 0, last = 4 } }
    router.ranges(list)
    assert.same({ { shard = 1, first = 5, last = -1 }, { shard = 0, first = 0, last = 4 } }, list)
  end)

  it("takes every form of ids, and several ranges a shard", function()
    local of = router.ranges {
      { shard = core.shard(2), first = "0x8000000000000000", last = "18446744073709551615" },
      { shard = "s1", first = 100, last = math.maxinteger }, { shard = 2, first = "0", last = 99 },
    }
    assert.equal(2, of:num_shards())
    assert.equal(core.shard(2), of:shard_max())
    assert.equal(core.shard(2), of:route(99))
    assert.equal(core.shard(1), of:route "9223372036854775807")
    assert.equal(core.shard(2), of:route "0x8000000000000000")
  end)

  it("takes 65536 ranges and no more (TD_RANGES_MAX)", function()
    local list = {}
    for i = 0, 65535 do
      list[i + 1] = { shard = i, first = i << 48, last = (i << 48) | (1 << 48) - 1 }
    end
    local of = router.ranges(list)
    assert.equal(core.shard(65535), of:route(-1))
    assert.equal(core.shard(0x8000), of:route(math.mininteger))
    local ranges = of:ranges()
    assert.equal(65536, #ranges)
    assert.same({ 0x8000 << 48, 0x8000 }, { ranges[0x8001].first, ranges[0x8001].shard.value })
    list[65537] = list[1]
    assert.equal("bad argument #1 (ranges: 65537 entries, at most 65536 are possible)",
                 raised(router.ranges, list))
  end)
end)

describe("a table of ranges that does not cover all ids once", function()
  local function r(shard, first, last) return { shard = shard, first = first, last = last } end
  local cases = {
    { "none", {}, { code = "no_ranges" } },
    { "a gap", { r(0, 0, 9), r(1, 12, -1) }, { code = "gap", index = 1, other = 2, bound = 10,
                                               got = 11 } },
    { "a gap above 2^63", { r(0, 0, -10), r(1, -8, -1) }, { code = "gap", bound = -9, got = -9 } },
    { "an overlap", { r(0, 0, 12), r(1, 10, -1) }, { code = "overlap", index = 1, other = 2,
                                                     bound = 10, got = 12 } },
    { "an overlap, unsorted", { r(1, -5, -1), r(0, 0, -3) }, { code = "overlap", bound = -5,
                                                              got = -3 } },
    { "a start above 0", { r(0, 1, -1) }, { code = "not_from_zero", got = 1 } },
    { "an end below 2^64-1", { r(0, 0, -2) }, { code = "not_to_last", got = -2 } },
    { "an inverted one", { r(0, 0, -1), r(1, -1, 5) }, { code = "inverted", index = 2,
                                                         bound = -1, got = 5 } },
  }
  for _, case in ipairs(cases) do
    it("is refused: " .. case[1], function()
      for _, make in ipairs { router.ranges, router.hash_ranges } do
        local fine, err = pcall(make, case[2])
        assert.is_false(fine)
        for field, value in pairs(case[3]) do assert.equal(value, err.faults[1][field]) end
      end
    end)
  end

  it("is refused with the entry that is no range", function()
    local good = { shard = 0, first = 0, last = 5 }
    assert.equal("ranges[2]: a table { shard =, first =, last = } expected, got 5",
                 raised(router.ranges, { good, 5 }))
    assert.matches("^ranges%[2%].last: an integer, .* got nil$",
                   raised(router.ranges, { good, { shard = 0, first = 6 } }))
    assert.matches("^ranges%[1%].shard: a shard .* got 1.5$",
                   (raised(router.ranges, { r(1.5, 0, -1) }):gsub("the float ", "")))
    assert.equal("ranges[1].shard: 65536 is outside 0..65535",
                 raised(router.ranges, { r(65536, 0, -1) }))
    assert.equal("bad argument #1 (ranges: a list of ranges or a number of shards expected, "
                 .. "got the float 5)", raised(router.hash_ranges, 5.0))
  end)
end)

describe("router.starts", function()
  it("is the flat form of ranges", function()
    gen.property("starts", 60, function(g)
      local starts = g:starts(g:int(1, 40))
      local shards = {}
      for i = 1, #starts do shards[i] = g:u16() end
      local named = g:once_in(2)
      local kind = g:pick { "ranges", "hash_ranges" }
      local of = router.starts(starts, named and shards or nil, kind)
      if of:strategy() ~= kind then return "strategy" end
      for i, range in ipairs(of:ranges()) do
        if range.first ~= starts[i] or range.last ~= (starts[i + 1] or 0) - 1
           or range.shard.value ~= (named and shards[i] or i - 1) then
          return "range " .. i
        end
      end
    end)
  end)

  it("refuses starts that do not rise", function()
    assert.equal("starts[3]: does not lie above starts[2]", raised(router.starts, { 0, -1, 5 }))
    assert.equal("starts[2]: does not lie above starts[1]", raised(router.starts, { 0, 0 }))
    assert.matches("^starts%[2%]: an integer, .* got nil$",
                   raised(router.starts, { 0, nil, 5 }))
    assert.equal("bad argument #2 (shards: 1 shards for 2 starts)",
                 raised(router.starts, { 0, 5 }, { 1 }))
    assert.equal("shards[2]: 65536 is outside 0..65535",
                 raised(router.starts, { 0, 5 }, { 0, 65536 }))
    assert.equal('bad argument #3 (strategy: one of ranges, hash_ranges expected, got "hash")',
                 raised(router.starts, { 0 }, nil, "hash"))
    local fine, err = pcall(router.starts, { 7, 9 })
    assert.is_false(fine)
    assert.equal("not_from_zero", err.code)
  end)
end)

describe("a router", function()
  it("tells what it is", function()
    assert.equal("tidal.Router(ranges, 5 shards)", tostring(router.even(5)))
    assert.same({ "single", "hash", "ranges", "hash_ranges" },
                { router.single():strategy(), router.hash(2):strategy(), router.even(2):strategy(),
                  router.hash_ranges(2):strategy() })
    assert.equal(core.shard(9), router.single(9):route(-1))
    assert.equal(core.shard(0), router.single():shard_max())
    for _, of in ipairs { router.single(), router.hash(9), router.even(9),
                          router.hash_ranges(9) } do
      assert.is_true(of:bytes() > 0)
      assert.is_string(of:kernel())
    end
  end)

  it("lives as long as a closure bound to it", function()
    local seen, bound = setmetatable({}, { __mode = "k" })
    do
      local of = router.starts({ 0, 100, -100 }, { 7, 8, 9 })
      seen[of] = true
      bound = of:bind()
    end
    for _ = 1, 3 do
      collectgarbage()
      assert.is_not_nil(next(seen))
      assert.same({ 7, 8, 9 }, { bound(99), bound(100), bound(-1) })
    end
    bound = nil
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(seen))
  end)

  it("takes ids as text everywhere", function()
    local of = router.even(4)
    assert.equal(3, of:bind() "18446744073709551615")
    assert.same({ 3, 0, 2 }, of:route_many { "0xffffffffffffffff", 0, math.mininteger })
    assert.equal(1, of:histogram({ "0x0", "1", -1 })[3])
  end)

  it("takes many ids: none, a chunk, one more", function()
    local of, ids = router.hash(7), {}
    for _, count in ipairs { 0, 1, 511, 512, 513, 1024, 1537 } do
      for i = #ids + 1, count do ids[i] = -i end
      if count == 0 then ids = {} end
      local fault = disagreement(of, ids, function(id) return of:route(id).value end)
      assert.is_nil(fault)
      assert.equal(count, #of:route_many(ids))
      assert.equal(2 * count, #of:route_packed(("x"):rep(8 * count)))
    end
  end)

  it("names the id of a list that is wrong", function()
    local ids = {}
    for i = 1, 600 do ids[i] = i end
    ids[599] = 1.5
    for _, method in ipairs { "route_many", "histogram" } do
      local of = router.hash(3)
      assert.matches("^ids%[599%]: an integer, .* got the float 1.5$", raised(of[method], of, ids))
      assert.equal("bad argument #2 (ids: a list of ids expected, got 5)",
                   raised(of[method], of, 5))
    end
    local of = router.hash(3)
    assert.equal("bad argument #2 (ids: 9 bytes are no whole number of ids, 8 bytes each)",
                 raised(of.route_packed, of, ("x"):rep(9)))
    assert.equal("bad argument #2 (ids: 9 bytes are no whole number of ids, 8 bytes each)",
                 raised(of.histogram, of, ("x"):rep(9)))
    assert.equal("bad argument #2 (ids: a string of packed ids expected, got table)",
                 raised(of.route_packed, of, {}))
    assert.matches("^bad argument #2 %(entity id: an integer, ", raised(of.route, of, nil))
    assert.matches("^bad argument #1 %(entity id: an integer, ", raised(of:bind(), core.shard(1)))
  end)
end)
