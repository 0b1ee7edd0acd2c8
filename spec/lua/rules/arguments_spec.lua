-- The readers of rules' arguments; what they say is in rules_spec.
local arguments = require "tidal.rules.arguments"
local script = require "spec.support.script"

describe("arguments", function()
  it("take integers from a least one on", function()
    assert.equal(1, arguments.integer(1, 1))
    assert.is_nil(arguments.integer(0, 1))
    assert.is_nil(arguments.integer(1.0, 1))
  end)

  it("take ids of both halves, as numbers and text", function()
    assert.equal(-1, arguments.id(-1, "last"))
    assert.equal(-1, arguments.id("18446744073709551615", "last"))
    assert.equal(math.mininteger, arguments.id("0x8000000000000000", "last"))
    assert.same({ nil, "last: an id expected (an integer, \"0x\" and 1-16 hex digits, or decimal "
      .. "text up to \"18446744073709551615\"), got \"0x10000000000000000\"" },
      { arguments.id("0x10000000000000000", "last") })
  end)

  it("read a table by region in the order of names", function()
    local list = arguments.by_region({ b = 2, a = 1 }, "x", function(value) return value * 10 end)
    assert.same({ { "a", 10 }, { "b", 20 } }, list)
  end)

  it("find regions", function()
    assert.equal(1, arguments.region(script.layout(), "eu-west").id)
    assert.same({ nil, "prod has no region 'us-eats' (did you mean 'us-east'?)" },
                { arguments.region(script.layout(), "us-eats") })
  end)
end)
