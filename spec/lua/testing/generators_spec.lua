local choices = require "tidal.testing.choices"
local core = require "tidal.core"
local gen = require "spec.support.gen"
local generators = require "tidal.testing.generators"
local tidal = require "tidal"

-- `count` values of a generator.
local function draw(of, count)
  local out = {}
  for i = 1, count do out[i] = of.make(choices.source(gen.seed + i)) end
  return out
end

local function simplest(of)
  return of.make(choices.replay {})
end

local function seen(of, count)
  local out = {}
  for _, value in ipairs(draw(of, count)) do out[value] = true end
  return out
end

describe("generators", function()
  it("start from the simplest value", function()
    assert.equal(0, simplest(generators.integer(-5, 5)))
    assert.equal(3, simplest(generators.integer(3, 5)))
    assert.equal(-3, simplest(generators.integer(-5, -3)))
    assert.is_false(simplest(generators.boolean()))
    assert.equal("a", simplest(generators.one_of { "a", "b" }))
    assert.equal(7, simplest(generators.any_of { generators.constant(7), generators.id() }))
    assert.same({}, simplest(generators.list(generators.id())))
    assert.same({ 0, 0 }, simplest(generators.list(generators.id(), 2)))
    assert.equal(0, simplest(generators.id()))
    assert.equal(1, #simplest(generators.batch()).events)
  end)

  it("give every value of a small range", function()
    local all = {}
    for n = -3, 3 do all[n] = true end
    assert.same(all, seen(generators.integer(-3, 3), 300))
    assert.same({ [-2] = true, [-1] = true }, seen(generators.integer(-2, -1), 100))
    assert.same({ [true] = true, [false] = true }, seen(generators.boolean(), 100))
    assert.same({ a = true, b = true, c = true }, seen(generators.one_of { "a", "b", "c" }, 100))
    local both = seen(generators.any_of { generators.constant(1), generators.constant(2) }, 100)
    assert.same({ true, true }, both)
  end)

  it("reach the ends of 64-bit ranges", function()
    local faults = {}
    for _, n in ipairs(draw(generators.integer(math.mininteger, math.maxinteger), 200)) do
      if math.type(n) ~= "integer" then faults[#faults + 1] = n end
    end
    for _, n in ipairs(draw(generators.integer(1, math.maxinteger), 200)) do
      if n < 1 then faults[#faults + 1] = n end
    end
    for _, n in ipairs(draw(generators.integer(math.mininteger, -1), 200)) do
      if n >= 0 then faults[#faults + 1] = n end
    end
    assert.same({}, faults)
  end)

  it("give the edges of ids, and those of a layout", function()
    local ids = seen(generators.id(), 2000)
    for _, edge in ipairs { 0, 1, math.maxinteger, math.mininteger, -1 } do
      assert.is_true(ids[edge], tidal.u64.hex(edge))
    end
    local layout = tidal.cluster.load "scripts/cluster.lua"
    ids = seen(generators.id(layout), 3000)
    for _, edge in ipairs { 0x3333333333333333, 0x3333333333333334, 0x6666666666666666,
                            0xcccccccccccccccc, 0xcccccccccccccccd } do
      assert.is_true(ids[edge], tidal.u64.hex(edge))
    end
    layout = tidal.cluster.load "scripts/layouts/hash_ranges.lua"
    local first = layout:ranges()[2].first
    local hit = false
    for id in pairs(seen(generators.id(layout), 3000)) do
      hit = hit or core.hash(id) == first
    end
    assert.is_true(hit)
  end)

  it("keep lists and records within bounds", function()
    local of = generators.list(generators.record { a = generators.integer(1, 3) }, 2, 4)
    local lengths = {}
    for _, list in ipairs(draw(of, 200)) do
      lengths[#list] = true
      for _, one in ipairs(list) do assert.is_true(one.a >= 1 and one.a <= 3) end
    end
    assert.same({ [2] = true, [3] = true, [4] = true }, lengths)
  end)

  it("make batches that encode and decode", function()
    for _, batch in ipairs(draw(generators.batch(5), 100)) do
      local decoded = assert(tidal.wal.decode_batch(tidal.wal.encode_batch(batch)))
      assert.equal(#batch.events, decoded.event_count)
      assert.equal(batch.first_seq, decoded.first_seq)
      local i = 0
      for event in decoded:events() do
        i = i + 1
        assert.equal(batch.events[i].entity, event.entity)
        assert.equal(batch.events[i].weight, event.weight)
      end
    end
  end)

  it("map", function()
    local even = generators.integer(0, 9):map(function(n) return 2 * n end)
    for _, n in ipairs(draw(even, 50)) do assert.equal(0, n % 2) end
  end)

  it("show values on one line, keys sorted", function()
    local shown = generators.shown
    assert.equal('{ 1, "a", b = true, c = { } }', (shown { 1, "a", c = {}, b = true }
      :gsub("{}", "{ }")))
    assert.equal("0.5", shown(0.5))
    assert.equal("{ [7] = 1 }", shown { [7] = 1 })
    assert.equal("{ 0x0000000000000001, 0xffffffffffffffff }",
                 generators.list(generators.id()).show { 1, -1 })
    assert.equal("{ entity = 0x0000000000000001, signal_type = 2, timestamp_ns = "
      .. "0x0000000000000003, weight = 1.5 }", generators.event().show {
        entity = 1, signal_type = 2, timestamp_ns = 3, weight = 1.5 })
  end)

  it("refuse wrong arguments", function()
    local rows = {
      { function() generators.integer(2, 1) end, "two integers expected, low <= high" },
      { function() generators.integer(1.5, 2) end, "two integers expected, low <= high" },
      { function() generators.one_of {} end, "a list that is not empty expected" },
      { function() generators.any_of {} end, "a list that is not empty expected" },
      { function() generators.any_of { 1 } end, "a generator %(.*%) expected, got 1$" },
      { function() generators.list(3) end, "prop.list%(of, min, max%): a generator" },
      { function() generators.record { a = 3 } end, "prop.record%(fields%).a: a generator" },
      { function() generators.id(7) end, "prop.id%(layout%): a layout expected, got 7" },
    }
    for _, row in ipairs(rows) do
      local ok, why = pcall(row[1])
      assert.is_false(ok)
      assert.matches(row[2], why)
      assert.matches("generators_spec.lua:%d+: ", why)
    end
  end)
end)
