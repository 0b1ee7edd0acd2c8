-- A spec for scripts/cluster.lua, as one would keep it beside a layout. It
-- notices every wrong variant of it:
--   tidal-lua mutate scripts/cluster.lua scripts/cluster_spec.lua
local tidal = require "tidal"
local prop = require "tidal.testing".prop

local layout = tidal.cluster.load "scripts/cluster.lua"

describe("the cluster", function()
  it("routes every id to one of five shards", function()
    assert.covers(layout)
    assert.equal(5, layout.shards)
    assert.equal("ranges", layout.router:strategy())
  end)

  it("gives each shard a fifth of the ids", function()
    local starts = { "0x3333333333333334", "0x6666666666666667",
                     "0x999999999999999a", "0xcccccccccccccccd" }
    assert.routes(layout, 0, "s0")
    for s, start in ipairs(starts) do
      assert.routes(layout, start, s)
      assert.routes(layout, tidal.u64.parse(start) - 1, s - 1)
    end
  end)

  it("never routes a larger id to a smaller shard", function()
    prop.forall(prop.id(layout), prop.id(layout), function(a, b)
      prop.assume(math.ult(a, b))
      assert.is_true(layout:route(a) <= layout:route(b))
    end)
  end)

  it("keeps its promises", function()
    assert.is_true(layout:plan():ok())
    assert.keeps(layout, "survives region")
    assert.keeps(layout, "max_leaders(5)")
    assert.survives(layout, "node")
  end)

  it("is led from us-east", function()
    assert.regions(layout, { "us-east", "eu-west", "ap-south" })
    for s = 0, 4 do assert.leads(layout, "us-east", s) end
  end)

  it("can grow by a shard", function()
    local wider = tidal.cluster {
      name = "prod", epoch = 2, shards = 6,
      regions = { "us-east", "eu-west", "ap-south" },
      rules = { tidal.rules.survives "region" },
    }
    assert.plan(layout, wider).moves_at_most "50 %".takes_at_most(7)
      .keeps "survives region"
  end)
end)
