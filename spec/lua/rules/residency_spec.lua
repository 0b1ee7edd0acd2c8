local core = require "tidal.core"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local verdict = require "spec.support.verdict"

local HALF <const> = "0x8000000000000000"

-- Two shards, the upper half of the ids in s1.
local function halves(leaders)
  return {
    shards = 2, leaders = leaders,
    routing = routing.ranges [[ s0 0x0..0x7fffffffffffffff
                                s1 0x8000000000000000..0xffffffffffffffff ]],
  }
end

local function eu(first, last)
  return rules.residency { first = first, last = last, regions = { "eu-west", "ap-south" } }
end

local EAST <const> = { [0] = "eu-west", "us-east" }
local WEST <const> = { [0] = "us-east", "ap-south" }

describe("residency()", function()
  local UPPER <const> = "us-east leads s1, which has ids of %s..%s; only eu-west ap-south may: "
    .. "let eu-west lead s1, or move these ids to a shard that it leads"
  local rows = {
    { "ids led there", eu(0, 9), EAST, true },
    { "up to the last of them", eu(0, "0x7fffffffffffffff"), EAST, true },
    { "one past it", eu(0, HALF), EAST, UPPER:format(HALF, HALF) },
    { "the upper half", eu(HALF, -1), EAST, UPPER:format(HALF, "0xffffffffffffffff") },
    { "the last id", eu(-1, "18446744073709551615"), EAST,
      UPPER:format("0xffffffffffffffff", "0xffffffffffffffff") },
    { "the upper half led there", eu(HALF, -1), WEST, true },
    { "from the first of them", eu("0x7fffffffffffffff", -1), WEST,
      "us-east leads s0, which has ids of 0x7fffffffffffffff..0x7fffffffffffffff; only eu-west "
      .. "ap-south may: let eu-west lead s0, or move these ids to a shard that it leads" },
    { "every region leads", eu(0, 9), "all",
      "us-east leads s0, which has ids of 0x0000000000000000..0x0000000000000009; only eu-west "
      .. "ap-south may: let eu-west lead s0, or move these ids to a shard that it leads" },
  }
  for _, row in ipairs(rows) do
    it(row[1], function() assert.equal(row[4], verdict(row[2], halves(row[3]))) end)
  end

  it("takes all regions that lead everything", function()
    assert.is_true(verdict(rules.residency {
      first = 0, last = -1, regions = { "us-east", "eu-west", "ap-south" },
    }, halves "all"))
  end)

  it("sees a shard that owns several ranges", function()
    local rule = rules.residency { first = "0xf0", last = "0xff", regions = { "us-east" } }
    local layout = { shards = 2, leaders = { [0] = "eu-west", "us-east" },
                     routing = routing.ranges [[
                       s1 0..0xef  s0 0xf0..0xf0  s1 0xf1..0xffffffffffffffff ]] }
    assert.matches("^eu%-west leads s0, which has ids of 0x00000000000000f0..0x00000000000000f0;",
                   verdict(rule, layout))
  end)

  it("looks at the one shard of single", function()
    local layout = { shards = 1, routing = routing.single(), leaders = "us-east" }
    assert.matches("^us%-east leads s0, ", verdict(eu(-1, -1), layout))
    layout.leaders = "eu-west"
    assert.is_true(verdict(eu(0, -1), layout))
  end)

  for _, strategy in ipairs { "hash", "hash_ranges" } do
    it("finds each id of a short range under " .. strategy, function()
      local layout = { shards = 2, routing = routing[strategy]() }
      local router = strategy == "hash" and core.router.hash(2) or core.router.hash_ranges(2)
      for id = -128, 127 do
        local shard = router:route(id).value
        layout.leaders = { [shard] = "us-east", [1 - shard] = "eu-west" }
        assert.matches("^us%-east leads s" .. shard, verdict(eu(id, id), layout))
        layout.leaders = { [shard] = "eu-west", [1 - shard] = "us-east" }
        assert.is_true(verdict(eu(id, id), layout))
      end
    end)

    it("takes a long range to be in every shard under " .. strategy, function()
      local layout = { shards = 64, routing = routing[strategy](), leaders = {} }
      for s = 0, 63 do layout.leaders[s] = s == 63 and "us-east" or "eu-west" end
      assert.matches("^us%-east leads s63, which has ids of 0x0000000000000000..",
                     verdict(eu(0, 256), layout))
    end)
  end

  it("says which of its regions is not there", function()
    assert.equal("prod has no region 'eu-wst' (did you mean 'eu-west'?)",
                 verdict(rules.residency { first = 0, last = 0, regions = { "eu-wst" } }))
  end)
end)
