local rules = require "tidal.rules"
local verdict = require "spec.support.verdict"

local function led(a, b, c)
  local out = {}
  for s, name in ipairs { a, b, c } do out[s - 1] = name end
  return out
end

describe("max_leaders()", function()
  local rows = {
    { 5, "us-east", true },
    { 4, "us-east", "us-east leads 5 shards, at most 4: let eu-west lead s0" },
    { 4, "ap-south", "ap-south leads 5 shards, at most 4: let us-east lead s0" },
    { 2, "spread", true },
    { 1, "spread", "us-east leads 2 shards, at most 1: no region may lead one more: 3 regions "
      .. "need a limit of 2" },
    { 1, { [0] = "us-east", "eu-west", "us-east", "eu-west", "us-east" },
      "us-east leads 3 shards, at most 1: let ap-south lead s0" },
    { 5, "all", true },
    { 4, "all",
      'us-east leads 5 shards, at most 4: name one leader a shard, leaders = "spread"' },
    { 1 << 40, "all", true },
  }
  for _, row in ipairs(rows) do
    it(("max_leaders(%d): %s"):format(row[1], tostring(row[3])), function()
      assert.equal(row[3], verdict(rules.max_leaders(row[1]), { leaders = row[2] }))
    end)
  end

  it("names the first region that leads too many", function()
    assert.equal("eu-west leads 2 shards, at most 1: let ap-south lead s0",
                 verdict(rules.max_leaders(1), {
                   leaders = led("eu-west", "eu-west", "us-east"), shards = 3,
                 }))
  end)
end)

describe("spread()", function()
  local rows = {
    { nil, "spread", true },  -- 2 2 1
    { 5, "us-east", true },
    { 4, "us-east",
      "us-east leads 5 shards, eu-west 0: they may differ by 4; let eu-west lead s0" },
    { 1, { [0] = "us-east", "us-east", "ap-south", "ap-south", "ap-south" },
      "ap-south leads 3 shards, eu-west 0: they may differ by 1; let eu-west lead s2" },
    { 3, { [0] = "us-east", "us-east", "ap-south", "ap-south", "ap-south" }, true },
    { 1, "all", true },
  }
  for _, row in ipairs(rows) do
    it(("spread(%s): %s"):format(tostring(row[1]), tostring(row[3])), function()
      assert.equal(row[3], verdict(rules.spread(row[1]), { leaders = row[2] }))
    end)
  end
end)

describe("weights()", function()
  local function weights(of, tolerance, a, b, c)
    return rules.weights {
      of = of, tolerance = tolerance,
      regions = { ["us-east"] = a, ["eu-west"] = b, ["ap-south"] = c },
    }
  end
  local rows = {
    { "a share that is met", weights(nil, 0, 2, 2, 1), "spread", true },
    { "whatever the scale", weights(nil, 0, 0.4, 0.4, 0.2), "spread", true },
    { "at the tolerance", weights(nil, 0.2, 3, 1, 1), "spread", true },
    { "past the tolerance", weights(nil, 0.19, 3, 1, 1), "spread",
      "eu-west has 40.00 % of the leaders, its weight is 20.00 % (+- 19.00 %); "
      .. "let us-east lead s1" },
    { "a region without a weight", weights("leaders", nil, 1, nil, nil), "us-east", true },
    { "one that leads without a weight", weights("leaders", nil, nil, 1, nil), "us-east",
      "us-east has 100.00 % of the leaders, its weight is 0.00 % (+- 10.00 %); "
      .. "let eu-west lead s0" },
    { "every region leads", weights(nil, 0, 1, 1, 1), "all", true },
    { "every region leads, other weights", weights(nil, 0, 1, 1, nil), "all",
      "ap-south has 33.33 % of the leaders, its weight is 0.00 % (+- 0.00 %); "
      .. 'name one leader a shard, leaders = "spread"' },
    { "a load that nobody knows", weights("load", 0, 1, nil, nil), "spread", true },
  }
  for _, row in ipairs(rows) do
    it(row[1], function() assert.equal(row[4], verdict(row[2], { leaders = row[3] })) end)
  end

  local LOAD <const> = { regions = {}, shards = { [0] = 60, 10, 10, 20 } }  -- s4 has none
  it("follows the load, once it is known", function()
    assert.is_true(verdict(weights("load", 0, 8, 1, 1), { leaders = "spread" }, LOAD))
    assert.equal("us-east has 80.00 % of the load, its weight is 33.33 % (+- 46.00 %); "
                 .. "let eu-west lead s0",
                 verdict(weights("load", 0.46, 1, 1, 1), { leaders = "spread" }, LOAD))
    assert.is_true(verdict(weights("load", 0.47, 1, 1, 1), { leaders = "spread" }, LOAD))
    assert.is_true(verdict(weights("load", 0, 1, 1, 1), { leaders = "all" }, LOAD))
    assert.is_true(verdict(weights("load", 0, 1, 1, 1), {}, { regions = {}, shards = {} }))
  end)

  it("says which of its regions is not there", function()
    assert.equal("prod has no region 'eu-wset' (did you mean 'eu-west'?)",
                 verdict(rules.weights { regions = { ["eu-wset"] = 1 } }))
  end)
end)
