local core = require "tidal.core"
local golden = require "spec.support.golden"
local logs = require "tidal.plan.logs"
local script = require "spec.support.script"

describe("read()", function()
  local layout = script.layout()
  local dirs = { ["us-east"] = golden.dir .. "/v1-single",
                 ["eu-west"] = golden.dir .. "/v2-five-shards" }

  it("counts region by region, in their order, in every counter", function()
    local seen = {}
    assert(logs.read(layout, dirs, function(region, bytes)
      local one = core.profile(layout.router)
      local two = core.traffic(layout.router, core.router.single())
      assert.is_true(bytes > 100000)
      return { one, two }, function()
        local sum = 0
        for _, pair in ipairs(two:counts()) do sum = sum + pair.events end
        seen[#seen + 1] = ("%s %d %d"):format(region.name, one:events(), sum)
      end
    end))
    assert.same({ "us-east 40000 40000", "eu-west 20000 20000" }, seen)
  end)

  it("asks nobody where there are no directories", function()
    assert.is_true(logs.read(layout, {}, function() error "asked" end))
  end)

  it("stops at a directory that cannot be read", function()
    local called = 0
    local done, err = logs.read(layout, { ["us-east"] = dirs["us-east"],
                                          ["eu-west"] = dirs["us-east"] }, function()
      called = called + 1
      return {}, nil
    end)
    assert.same({ nil, "mismatch", 2 }, { done, err.code, called })
  end)
end)
