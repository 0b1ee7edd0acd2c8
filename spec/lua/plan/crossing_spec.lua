-- What moves between two routings, against routing many ids by both.
local core = require "tidal.core"
local crossing = require "tidal.plan.crossing"
local extent = require "tidal.plan.extent"
local gen = require "spec.support.gen"
local pairs_of = require "spec.support.pairs"
local routing = require "tidal.routing"
local script = require "spec.support.script"
local unhash = require "tidal.inspect.unhash"

local function layout(strategy, shards, list)
  local make = routing[strategy]
  return script.layout { shards = shards, routing = list and make(list) or make() }
end

describe("hash n -> m", function()
  it("keeps what the remainders keep", function()
    for _, row in ipairs {
      { 5, 6, "83.33" }, { 15, 16, "93.75" }, { 15, 20, "75.00" }, { 2, 4, "50.00" },
      { 4, 2, "50.00" }, { 1, 7, "85.71" }, { 7, 1, "85.71" }, { 6, 6, "0.00" },
      { 65535, 65536, "100.00" }, { 65536, 32768, "50.00" },
    } do
      local crossed = crossing.of(layout("hash", row[1]), layout("hash", row[2]))
      assert.same({ true, row[3] }, { crossed.exact, ("%.2f"):format(crossed.share * 100) })
    end
  end)

  it("counts every pair exactly", function()
    -- Over one period of the remainders all pairs are known; 2^64 is many.
    for _, row in ipairs { { 5, 6 }, { 6, 4 }, { 4, 6 }, { 12, 18 }, { 1, 3 } } do
      local n, m = row[1], row[2]
      local crossed, count = crossing.of(layout("hash", n), layout("hash", m)), {}
      local period = n * m  -- a multiple of it
      for r = 0, period - 1 do
        local key = r % n .. ">" .. r % m
        count[key] = (count[key] or extent.none) + extent.residues(r, period)
      end
      local sum = extent.none
      for _, move in ipairs(crossed.moves) do
        assert.equal(count[move.source .. ">" .. move.target], move.keys)
        assert.equal(move.keys:share(), move.share)
        sum = sum + move.keys
      end
      assert.equal(crossed.keys, sum)
    end
  end)

  it("names sources only where pairs are too many", function()
    local crossed = crossing.of(layout("hash", 1000), layout("hash", 1001))
    assert.same({ false, 1000 }, { crossed.listed, #crossed.moves })
    local sum = extent.none
    for _, move in ipairs(crossed.moves) do
      assert.is_nil(move.target)
      sum = sum + move.keys
    end
    assert.equal(crossed.keys, sum)
    assert.is_true(crossing.of(layout("hash", 255), layout("hash", 256)).listed)
  end)
end)

describe("hashes in ranges and by remainder", function()
  it("are counted exactly, both ways", function()
    gen.property("table pairs", 100, function(g)
      local n, m = g:int(1, 6), g:int(1, 6)
      local a = layout("hash_ranges", n, g:ranges(g:int(1, 8), n))
      local b = layout("hash", m)
      for _, both in ipairs { { a, b }, { b, a } } do
        local crossed, sum = crossing.of(both[1], both[2]), extent.none
        for _, move in ipairs(crossed.moves) do sum = sum + move.keys end
        if not crossed.exact or sum ~= crossed.keys then return "the sum is another one" end
        -- Few hashes, all looked at: a range that small is counted by hand.
        local seen, moved = 4000, 0
        for _ = 1, seen do
          local id = unhash.id(g:next())
          if both[1]:route(id) ~= both[2]:route(id) then moved = moved + 1 end
        end
        if math.abs(moved / seen - crossed.share) > 0.06 then
          return ("share %.3f, seen %.3f"):format(crossed.share, moved / seen)
        end
      end
    end)
  end)
end)

describe("ids and hashes", function()
  it("meet as if hashes were drawn", function()
    local crossed = crossing.of(layout("even", 5), layout("hash", 5))
    assert.same({ false, nil, "80.00" },
                { crossed.exact, crossed.keys, ("%.2f"):format(crossed.share * 100) })
    assert.equal(20, #crossed.moves)
    crossed = crossing.of(layout("hash_ranges", 300), layout("even", 300))
    assert.same({ false, 300 }, { crossed.listed, #crossed.moves })
  end)

  it("are exact where one shard owns everything", function()
    local whole = "s0 0..0xffffffffffffffff"
    for _, row in ipairs { { "single", 1 }, { "ranges", 1, whole }, { "hash_ranges", 1, whole } } do
      local from = layout(row[1], row[2], row[3])
      for _, strategy in ipairs { "even", "hash", "hash_ranges" } do
        local crossed = crossing.of(from, layout(strategy, 4))
        assert.same({ true, 0.75 }, { crossed.exact, crossed.share })
      end
    end
  end)
end)

describe("any pair of layouts", function()
  it("moves about as many ids as it says", function()
    gen.property("crossing", 150, function(g)
      local from, to = pairs_of.pair(g)
      local crossed, moved, seen = crossing.of(from, to), 0, 3000
      local a, b = from.router:bind(), to.router:bind()
      for _ = 1, seen do
        local id = g:next()
        if a(id) ~= b(id) then moved = moved + 1 end
      end
      if math.abs(moved / seen - crossed.share) > 0.06 then
        return ("share %.3f, seen %.3f\n%s%s"):format(crossed.share, moved / seen, from:line(),
                                                      to:line())
      end
    end)
  end)
end)

describe("owned()", function()
  it("is what each shard owns, of every strategy", function()
    for _, strategy in ipairs { "even", "hash", "hash_ranges" } do
      local owned, sum = crossing.owned(layout(strategy, 7)), extent.none
      for s = 0, 6 do sum = sum + owned[s] end
      assert.equal(extent.all, sum)
      assert.is_true(core.u64.lt((owned[0] - owned[6]).low, 8))
    end
    assert.equal(extent.all, crossing.owned(layout("single", 1))[0])
  end)
end)
