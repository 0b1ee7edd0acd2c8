local places = require "tidal.cluster.places"
local script = require "spec.support.script"

-- The places of a script's layout, and the layout.
local function of(text)
  local where, made
  script.run(text, function(path)
    made = require "tidal.cluster".load(path)
    where = places.of(made)
    return made
  end)
  return where, made
end

-- The lines of all ranges, - for one that is not known.
local function lines(text)
  local where, made = of(text)
  local out = {}
  for i, range in ipairs(made:ranges()) do out[i] = where:range(range) or "-" end
  return table.concat(out, " ")
end

describe("places", function()
  it("finds ranges in a text, in any order", function()
    assert.equal("6 5 6", lines [[
return tidal.cluster {
  name = "n", regions = { "a" }, shards = 3,
  routing = tidal.routing.ranges [=[
    -- the upper half first
    s1 0x10..0xff
    s0 0..15  s2 256..18446744073709551615 ]=],
}]])
  end)

  it("finds ranges in a list, written as text or numbers", function()
    assert.equal("4 6 9", lines [[
return tidal.cluster {
  name = "n", regions = { "a" }, shards = 3,
  routing = tidal.routing.ranges {
    { shard = 0, first = 0, last = 0xf },

    { shard = 1,
      first = "0x10", last = '255' },

    { shard = 2, first = 256, last = "0xffffffffffffffff" },
  },
}]])
  end)

  it("finds ranges of a text on the line on which it begins", function()
    assert.equal("2 3", lines [[
return tidal.cluster { name = "n", regions = { "a" }, shards = 2,
  routing = tidal.routing.ranges [=[ s0 0..15
    s1 16..0xffffffffffffffff ]=] }]])
    assert.equal("2 2", lines [[
return tidal.cluster { name = "n", regions = { "a" }, shards = 2,
  routing = tidal.routing.ranges 's0 0..15, s1 16..0xffffffffffffffff' }]])
  end)

  it("names no line for ranges that are computed", function()
    assert.equal("- -", lines [[
local half = 0x8000000000000000
return tidal.cluster {
  name = "n", regions = { "a" }, shards = 2,
  routing = tidal.routing.ranges {
    { shard = 0, first = 0, last = half - 1 }, { shard = 1, first = half, last = -1 },
  },
}]])
    assert.equal("- -", lines [[
return tidal.cluster { name = "n", regions = { "a" }, shards = 2 }]])
  end)

  it("names no line for a range that is another one", function()
    local where = of [[
return tidal.cluster { name = "n", regions = { "a" }, shards = 2,
  routing = tidal.routing.ranges "s0 0..15 s1 16..18446744073709551615" }]]
    assert.equal(2, where:range { first = 0, last = 15 })
    assert.is_nil(where:range { first = 0, last = 14 })
    assert.is_nil(where:range { first = 1, last = 15 })
  end)

  it("finds rules", function()
    local where = of [[
return tidal.cluster { name = "n", regions = { "a" }, shards = 2, rules = {
  tidal.rules.spread(2),

  tidal.rules.copies(1), } }]]
    assert.same({ 2, 4 }, { where:rule(1), where:rule(2) })
    assert.is_nil(where:rule(3))
  end)

  it("knows nothing where there is no file", function()
    local made = script.layout { rules = { function() return true end } }
    local where = places.of { file = "no/such.lua", rules = made.rules }
    assert.is_nil(where:rule(1))
    assert.is_nil(where:range(made:ranges()[1]))
    assert.is_nil(places.of { rules = {} }:rule(1))
  end)
end)
