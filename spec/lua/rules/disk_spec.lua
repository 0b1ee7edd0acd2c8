local golden = require "spec.support.golden"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local script = require "spec.support.script"
local verdict = require "spec.support.verdict"
local weigh = require "tidal.plan.weigh"

describe("disk()", function()
  local rule = rules.disk { ["us-east"] = "1kB", ["ap-south"] = "1KiB" }
  local rows = {
    { "nothing weighed", nil, true }, { "other regions weighed", { ["eu-west"] = 5000 }, true },
    { "at the limit", { ["us-east"] = 1000, ["ap-south"] = 1024 }, true },
    { "past it", { ["us-east"] = 1001, ["ap-south"] = 1024 },
      "us-east holds 1.0 kB in 5 shards, 1 B more than its disk of 1kB: give it a larger disk, "
      .. "or remove logs that every region has" },
    { "past another", { ["us-east"] = 1000, ["ap-south"] = 2024 },
      "ap-south holds 2.0 kB in 5 shards, 1.0 kB more than its disk of 1KiB: give it a larger "
      .. "disk, or remove logs that every region has" },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      assert.equal(row[3], verdict(rule, {}, row[2] and { regions = row[2] }))
    end)
  end

  it("says which of its regions is not there", function()
    assert.equal("prod has no region 'moon'", verdict(rules.disk { moon = "1TB" }))
  end)
end)

describe("disk() against logs", function()
  local V1 <const> = golden.dir .. "/v1-single"
  local held  -- bytes of that directory

  local function layout(size, epoch)
    return script.layout {
      regions = epoch and { "us-east", "eu-west" } or { "us-east" }, shards = 1,
      epoch = epoch, rules = { rules.disk { ["us-east"] = size } },
    }
  end

  setup(function()
    held = assert(weigh.weigh(layout "1TB", { ["us-east"] = V1 })).held["us-east"]
    assert.is_true(held > 840000)
  end)

  it("is asked again once a plan is weighed", function()
    for _, row in ipairs { { held, true }, { held - 1, false } } do
      local plan = layout(tostring(row[1])):plan()
      assert.is_true(plan:ok())
      assert(plan:weigh { ["us-east"] = V1 })
      assert.equal(row[2], plan:ok())
    end
  end)

  it("holds on the way to another layout, with what is copied", function()
    local function check(name, size)
      local to = script.layout {
        regions = { "us-east", "eu-west" }, shards = 1, epoch = 2,
        rules = { rules.disk { [name] = tostring(size) } },
      }
      local plan = script.layout { regions = { "us-east" }, shards = 1 }:diff(to)
      return (assert(plan:weigh { ["us-east"] = V1 }):check())
    end
    assert.is_nil(check("us-east", held))
    assert.matches("^us%-east holds ", check("us-east", held - 1).why)
    assert.is_nil(check("eu-west", held))
    assert.matches("^eu%-west holds ", check("eu-west", held - 1).why)
  end)

  it("counts what moves within a region twice until it is removed", function()
    local to = { regions = { "us-east" }, shards = 2, epoch = 2,
                 routing = routing.ranges("s1 0..0x0ab45479ed178a03 s0 0x0ab45479ed178a04.."
                   .. "0xffffffffffffffff") }
    local plan = assert(script.layout { regions = { "us-east" }, shards = 1 }
                        :diff(script.layout(to)):weigh { ["us-east"] = V1 })
    assert.is_true(plan.price.bytes > 0)
    for _, row in ipairs { { 0, true }, { 1, false } } do
      to.rules = { rules.disk { ["us-east"] = tostring(held + plan.price.bytes - row[1]) } }
      local next_plan = script.layout { regions = { "us-east" }, shards = 1 }
                        :diff(script.layout(to))
      assert.is_nil((next_plan:check()))
      local refusal = assert(next_plan:weigh { ["us-east"] = V1 }):check()
      assert.equal(row[2], refusal == nil)
    end
  end)
end)
