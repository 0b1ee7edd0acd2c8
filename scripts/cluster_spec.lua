-- A spec for scripts/cluster.lua, as one would keep it beside a layout.
local layout = require "tidal".cluster.load "scripts/cluster.lua"

describe("the cluster", function()
  it("routes every id to one of five shards", function()
    assert.is_true(layout:prove().ok)
  end)

  it("keeps its promises", function()
    assert.is_true(layout:plan():ok())
  end)

  it("is led from us-east", function()
    assert.equal(5, layout:leads(layout:region "us-east".id))
  end)
end)
