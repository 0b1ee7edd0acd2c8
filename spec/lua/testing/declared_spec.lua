local declared = require "tidal.testing.declared"
local gen = require "spec.support.gen"
local pairs_of = require "spec.support.pairs"
local script = require "spec.support.script"
local tidal = require "tidal"

-- What the text makes.
local function back(text)
  return assert(load("return " .. text, "=text", "t", { tidal = tidal }))()
end

local function same(a, b)
  return a == b and a:line() == b:line() and a:leads_as(b)
end

describe("declared", function()
  it("makes the same layout again, from fields and from text", function()
    gen.property("declared layouts", 300, function(stream)
      local layout = pairs_of.layout(stream, stream:int(1, 9))
      if not same(layout, tidal.cluster(declared.fields(layout))) then
        return "fields: " .. layout:line()
      end
      if not same(layout, back(declared.text(layout))) then
        return "text: " .. declared.text(layout)
      end
    end)
  end)

  it("reads like a script", function()
    assert.equal([[
tidal.cluster {
  name = "prod", epoch = 1, shards = 5,
  regions = { "us-east", "eu-west", "ap-south" },
  routing = tidal.routing.even(),
  leaders = "us-east",
  -- rules: survives region, max_leaders(5)
}]], declared.text(tidal.cluster.load "scripts/cluster.lua"))
    assert.equal([[
tidal.cluster {
  name = "n", epoch = 7, shards = 2,
  regions = { "a", "b" },
  routing = tidal.routing.hash_ranges [[
    s1 0x0000000000000000..0x7fffffffffffffff
    s0 0x8000000000000000..0xffffffffffffffff
  ]] .. "]]" .. [[,
  leaders = { [0] = "a", "b" },
}]], declared.text(tidal.cluster { name = "n", epoch = 7, shards = 2, regions = { "a", "b" },
      leaders = "spread", routing = tidal.routing.hash_ranges [[
        s1 0x0..0x7fffffffffffffff s0 0x8000000000000000..0xffffffffffffffff ]] }))
  end)

  it("keeps rules as rules", function()
    local layout = tidal.cluster.load "scripts/cluster.lua"
    local again = tidal.cluster(declared.fields(layout))
    assert.equal(layout.rules[1], again.rules[1])
    assert.equal("survives region", again.rules[1].name)
    assert.is_true(again:plan():ok())
    assert.is_true((again.rules[1].check(layout)))
  end)

  it("gives ranges only where there are any", function()
    assert.is_nil(declared.ranges(script.layout { routing = tidal.routing.hash() }))
    assert.same({ { shard = 0, first = 0, last = math.maxinteger },
                  { shard = 1, first = math.mininteger, last = -1 } },
                declared.ranges(script.layout { shards = 2 }))
  end)
end)
