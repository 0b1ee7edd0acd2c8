local core = require "tidal.core"
local gen = require "spec.support.gen"
local prove = require "tidal.inspect.prove"
local routing = require "tidal.routing"
local script = require "spec.support.script"

local ALL <const> = "18446744073709551616"

-- A layout that is none: what it says of its ranges need not be so.
local function fake(router, ranges, shards)
  for _, range in ipairs(ranges or {}) do range.shard = core.shard(range.shard) end
  return { shards = shards or 5, router = router, ranges = function() return ranges end }
end

local function verdict(proof)
  return ("%s %s %s"):format(proof.total and "total" or "-", proof.unique and "unique" or "-",
                             proof.equal and "equal" or "-")
end

describe("prove()", function()
  local rows = {
    { "even", {}, "ranges", 10, 5,
      "total: yes  unique: yes  (10 boundaries decide " .. ALL .. " ids)   "
      .. "C router = Lua reference: equal on all 5 pieces and 10000 ids" },
    { "hash_ranges", { routing = routing.hash_ranges() }, "hash_ranges", 10, 5,
      "total: yes  unique: yes  (10 boundaries decide " .. ALL .. " hashes)   "
      .. "C router = Lua reference: equal on all 5 pieces and 10000 ids" },
    { "hash", { routing = routing.hash() }, "hash", 0, 5,
      "total: yes  unique: yes  (a hash has one remainder by 5)   "
      .. "C router = Lua reference: equal on all 5 pieces and 10000 ids" },
    { "single", { shards = 1, routing = routing.single() }, "single", 0, 1,
      "total: yes  unique: yes  (every id goes to s0)   "
      .. "C router = Lua reference: equal on all 1 piece and 10000 ids" },
    { "one range", { shards = 1 }, "ranges", 2, 1,
      "total: yes  unique: yes  (2 boundaries decide " .. ALL .. " ids)   "
      .. "C router = Lua reference: equal on all 1 piece and 10000 ids" },
    { "more ranges than are walked", { shards = 257 }, "ranges", 514, 257,
      "total: yes  unique: yes  (514 boundaries decide " .. ALL .. " ids)   "
      .. "C router = Lua reference: equal on all 257 pieces and 10000 ids" },
  }
  for _, row in ipairs(rows) do
    it("is right for " .. row[1], function()
      local proof = prove.prove(script.layout(row[2]))
      assert.same({ true, true, true, true, row[3], row[4], row[5], 10000 },
                  { proof.ok, proof.total, proof.unique, proof.equal, proof.strategy,
                    proof.points, proof.pieces, proof.samples })
      assert.is_nil(proof.fault)
      assert.equal(row[6], prove.text(proof))
    end)
  end

  it("is right for random tables of both kinds", function()
    gen.property("prove", 12, function(g)
      local list = g:ranges(g:int(1, g:pick { 3, 30, 300 }), 40)
      local kind = g:pick { "ranges", "hash_ranges" }
      local proof = script.layout { shards = 40, routing = routing[kind](list) }:prove()
      if not proof.ok then return proof.fault end
      if proof.points < 2 then return "no points" end
    end)
  end)

  it("is right for every number of shards up to 40, by hash", function()
    for n = 1, 40 do
      assert.is_true(script.layout { shards = n, routing = routing.hash() }:prove().ok)
    end
  end)
end)

local EVEN = core.router.even(2)
local HALF <const> = math.mininteger
local BAD = {
  { "a gap between", "- unique -", "range 2 starts at 0x8000000000000001, not at "
    .. "0x8000000000000000", EVEN,
    { { shard = 0, first = 0, last = HALF - 1 }, { shard = 1, first = HALF + 1, last = -1 } } },
  { "an overlap", "total - -", "range 2 starts at 0x7fffffffffffffff, not at 0x8000000000000000",
    EVEN,
    { { shard = 0, first = 0, last = HALF - 1 }, { shard = 1, first = HALF - 1, last = -1 } } },
  { "a start above 0", "- unique equal", "no shard owns the ids below 0x0000000000000001", EVEN,
    { { shard = 0, first = 1, last = HALF - 1 }, { shard = 1, first = HALF, last = -1 } } },
  { "an end below 2^64-1", "- unique equal", "no shard owns the ids above 0xfffffffffffffffe", EVEN,
    { { shard = 0, first = 0, last = HALF - 1 }, { shard = 1, first = HALF, last = -2 } } },
  { "a range that ends before it starts", "- - -",
    "range 2 ends at 0x0000000000000005, before its first key", EVEN,
    { { shard = 0, first = 0, last = HALF - 1 }, { shard = 1, first = HALF, last = 5 },
      { shard = 1, first = 6, last = -1 } } },
  { "the wrong owner", "total unique -",
    "0x0000000000000000 routes to s0, the table says s1", EVEN,
    { { shard = 1, first = 0, last = HALF - 1 }, { shard = 1, first = HALF, last = -1 } } },
  { "a boundary that is off by one", "total unique -",
    "0x8000000000000000 routes to s1, the table says s0", EVEN,
    { { shard = 0, first = 0, last = HALF }, { shard = 1, first = HALF + 1, last = -1 } } },
  { "a boundary that is off by one the other way", "total unique -",
    "0x7fffffffffffffff routes to s0, the table says s1", EVEN,
    { { shard = 0, first = 0, last = HALF - 2 }, { shard = 1, first = HALF - 1, last = -1 } } },
  { "no range", "- unique equal", "no shard owns anything", EVEN, {} },
  { "the wrong owner of a hash", "total unique -",
    "0x8000000000000000 routes to s1, the table says s0", core.router.hash_ranges(2),
    { { shard = 0, first = 0, last = HALF }, { shard = 1, first = HALF + 1, last = -1 } } },
  { "a gap between hashes", "- unique equal",
    "range 2 starts at 0x8000000000000001, not at 0x8000000000000000",
    core.router.hash_ranges(2),
    { { shard = 0, first = 0, last = HALF - 1 }, { shard = 1, first = HALF + 1, last = -1 } } },
}

describe("prove() finds", function()
  for _, row in ipairs(BAD) do
    it(row[1], function()
      local proof = prove.prove(fake(row[4], row[5]))
      assert.equal(row[2], verdict(proof))
      assert.equal(row[3], proof.fault)
      assert.is_false(proof.ok)
      assert.matches("\n  " .. row[3], prove.text(proof), 1, true)
    end)
  end

  it("a hash router of another number of shards", function()
    local proof = prove.prove(fake(core.router.hash(6), nil, 5))
    assert.equal("total unique -", verdict(proof))
    assert.matches("routes to s5, the reference says s", prove.text(proof), 1, true)
  end)

  it("a single router to another shard", function()
    local proof = prove.prove(fake(core.router.single(1), nil, 1))
    assert.equal("total unique -", verdict(proof))
    assert.equal("total: yes  unique: yes  (every id goes to s0)   C router = Lua reference: NO\n"
                 .. "  0x0000000000000000 routes to s1, the reference says s0", prove.text(proof))
  end)

  it("one wrong boundary in a thousand, of ids and of hashes", function()
    gen.property("planted", 20, function(g)
      local n = g:pick { 200, 1000 }
      local list, kind = g:ranges(n, 2), g:pick { "ranges", "hash_ranges" }
      for i, range in ipairs(list) do range.shard = i % 2 end
      local router = core.router[kind](list)
      local i = g:int(2, n)
      if list[i - 1].first == list[i - 1].last then return nil end
      list[i].first, list[i - 1].last = list[i].first - 1, list[i - 1].last - 1
      local proof = prove.prove(fake(router, list))
      if verdict(proof) ~= "total unique -" then return verdict(proof) end
    end)
  end)
end)

describe("text()", function()
  it("says NO for each thing that is not so", function()
    local text = prove.text { total = false, unique = false, equal = false, points = 4,
                              strategy = "ranges", pieces = 2, samples = 1, fault = "why" }
    assert.equal("total: NO  unique: NO  (4 boundaries decide " .. ALL .. " ids)   "
                 .. "C router = Lua reference: NO\n  why", text)
  end)
end)
