-- How fast a migration may be: all of it, a directory, a pair of regions.
local pace = require "tidal.migrate.pace"

local US <const>, EU <const> = { region = "us" }, { region = "eu" }
local LINK <const> = { region = "us", target = "ap" }

describe("a pace", function()
  it("without rates limits nothing", function()
    local one = pace.new {}
    one:spend(LINK, 1 << 40, 0)
    assert.is_nil(one:wait(LINK, 0))
    assert.is_nil(one:wait({}, 0))
  end)

  it("of all counts whatever is read, a step of no region, too", function()
    local one = pace.new { rate = 100 }
    assert.equal(0, one:wait(US, 7))
    one:spend(US, 50, 7)
    assert.equal(0.5, one:wait(EU, 7))
    assert.equal(0.25, one:wait({}, 7.25))
    assert.equal(0, one:wait(US, 7.5))
  end)

  it("of a node counts what its directory reads, or gets", function()
    local one = pace.new { node_rate = 100 }
    one:spend(LINK, 300, 0)
    assert.same({ 3, 0, 3 }, { one:wait(US, 0), one:wait(EU, 0), one:wait({ region = "ap" }, 0) })
    assert.is_nil(one:wait({}, 0))
  end)

  it("of a link counts what one region hands to another", function()
    local one = pace.new { link_rate = 10, node_rate = 1000 }
    one:spend(LINK, 100, 0)
    assert.equal(10, one:wait(LINK, 0))
    assert.equal(0, one:wait({ region = "us", target = "eu" }, 0.1))
    assert.equal(0, one:wait({ region = "eu", target = "ap" }, 0.1))
  end)

  it("is the narrowest of them", function()
    local one = pace.new { rate = 100, node_rate = 50, link_rate = 25 }
    one:spend(LINK, 100, 0)
    assert.same({ 4, 2, 1 }, { one:wait(LINK, 0), one:wait(US, 0), one:wait(EU, 0) })
  end)

  it("saves nothing up for who was idle", function()
    local one = pace.new { rate = 100 }
    one:spend(US, 100, 0)
    one:spend(US, 100, 50)
    assert.equal(1, one:wait(US, 50))
    one:spend(US, 100, 50)
    assert.equal(2, one:wait(US, 50))
  end)
end)
