-- Each step: what it does, what takes it back, when it is refused.
local draft = require "tidal.plan.draft"
local script = require "spec.support.script"
local steps = require "tidal.plan.steps"

local REGIONS <const> = { "us-east", "eu-west", "ap-south" }

local function words(layout)
  local leaders, regions, ranges = {}, {}, {}
  for i, region in ipairs(layout.regions) do regions[i] = region.name end
  if layout.leaders ~= "all" then
    for s = 0, layout.shards - 1 do leaders[s + 1] = layout.leaders[s] end
  end
  for i, range in ipairs(layout:ranges() or {}) do
    ranges[i] = ("s%d:%x"):format(range.shard.value, range.first)
  end
  return ("%s|%d|%s|%s|%d"):format(table.concat(regions, " "), layout.shards,
    layout.leaders == "all" and "all" or table.concat(leaders, ""),
    layout:ranges() and table.concat(ranges, " ") or layout.router:strategy(), layout.epoch)
end

local FIELDS <const> = { shards = 2, leaders = { [0] = "us-east", s1 = "eu-west" } }
local START <const> = "us-east eu-west ap-south|2|01|s0:0 s1:8000000000000000|1"
local HALF <const> = math.mininteger
local EVEN <const> = { strategy = "ranges", ranges = {
  { shard = 0, first = 0, last = math.maxinteger }, { shard = 1, first = HALF, last = -1 } } }
local HASH <const> = { strategy = "hash", num_shards = 2 }

local TAKEN = {
  { { kind = "rename_region", region = "eu-west", to = "eu" },
    "us-east eu ap-south|2|01|s0:0 s1:8000000000000000|1" },
  { { kind = "add_region", region = "sa", at = 0 },
    "sa us-east eu-west ap-south|2|12|s0:0 s1:8000000000000000|1" },
  { { kind = "remove_region", region = "ap-south", at = 2 },
    "us-east eu-west|2|01|s0:0 s1:8000000000000000|1" },
  { { kind = "order_regions", source = REGIONS, target = { "eu-west", "ap-south", "us-east" } },
    "eu-west ap-south us-east|2|20|s0:0 s1:8000000000000000|1" },
  { { kind = "add_shard", first = 2, last = 3, leader = "ap-south" },
    "us-east eu-west ap-south|4|0122|s0:0 s1:8000000000000000|1" },
  { { kind = "strategy", source = EVEN, target = HASH }, "us-east eu-west ap-south|2|01|hash|1" },
  { { kind = "move", first = 16, last = 31, source = 0, target = 1 },
    "us-east eu-west ap-south|2|01|s0:0 s1:10 s0:20 s1:8000000000000000|1" },
  { { kind = "move", first = HALF, last = -1, source = 1, target = 0 },
    "us-east eu-west ap-south|2|01|s0:0|1" },
  { { kind = "leader", first = 1, last = 1, source = "eu-west", target = "ap-south" },
    "us-east eu-west ap-south|2|02|s0:0 s1:8000000000000000|1" },
  { { kind = "leaders", source = { { first = 0, last = 0, leader = "us-east" },
                                   { first = 1, last = 1, leader = "eu-west" } }, target = "all" },
    "us-east eu-west ap-south|2|all|s0:0 s1:8000000000000000|1" },
  { { kind = "epoch", source = 1, target = 9 },
    "us-east eu-west ap-south|2|01|s0:0 s1:8000000000000000|9" },
}

describe("a step", function()
  for _, row in ipairs(TAKEN) do
    it("does what it says, and its inverse takes it back: " .. row[1].kind, function()
      local now = draft.new(script.layout(FIELDS))
      assert.equal(START, words(now:layout {}))
      assert.is_true(steps.take(now, row[1]))
      local after = now:layout {}
      assert.is_true(steps.take(now, steps.inverse(row[1])))
      assert.equal(START, words(now:layout {}))
      assert.equal(row[2], words(after))
      assert.same(row[1], steps.inverse(steps.inverse(row[1])))
    end)
  end
end)

local REFUSED = {
  { { kind = "rename_region", region = "mars", to = "x" }, "there is no region mars" },
  { { kind = "rename_region", region = "us-east", to = "eu-west" },
    "there is a region eu-west already" },
  { { kind = "add_region", region = "eu-west", at = 3 }, "there is a region eu-west already" },
  { { kind = "add_region", region = "sa", at = 4 }, "the last region is r2" },
  { { kind = "remove_region", region = "us-east", at = 0 }, "region us-east leads 1 shards" },
  { { kind = "remove_region", region = "ap-south", at = 1 }, "region ap-south is r2" },
  { { kind = "remove_region", region = "mars", at = 1 }, "there is no region mars" },
  { { kind = "order_regions", target = { "eu-west" } }, "it does not name all regions" },
  { { kind = "order_regions", target = { "x" } }, "there is no region x" },
  { { kind = "add_shard", first = 3, last = 3, leader = "us-east" }, "there are 2 shards" },
  { { kind = "add_shard", first = 2, last = 2 }, "no region is named to lead them" },
  { { kind = "remove_shard", first = 1, last = 1, leader = "eu-west" }, "s1 owns keys" },
  { { kind = "remove_shard", first = 1, last = 1, leader = "us-east" },
    "s1 is not led by us-east" },
  { { kind = "remove_shard", first = 0, last = 1, leader = "us-east" },
    "it would remove every shard" },
  { { kind = "remove_shard", first = 0, last = 0, leader = "us-east" }, "there are 2 shards" },
  { { kind = "strategy", source = HASH, target = EVEN }, "the routing is another one" },
  { { kind = "strategy", source = EVEN, target = { strategy = "hash", num_shards = 3 } },
    "there are 2 shards" },
  { { kind = "strategy", source = EVEN, target = { strategy = "hash_ranges", ranges = {
    { shard = 0, first = 0, last = 9 }, { shard = 2, first = 10, last = -1 } } } },
    "there are 2 shards" },
  { { kind = "strategy", source = EVEN, target = { strategy = "single", num_shards = 1 } },
    "single() has one shard" },
  { { kind = "move", first = 0, last = 1, source = 0, target = 2 }, "there are 2 shards" },
  { { kind = "leader", first = 0, last = 1, source = "us-east", target = "eu-west" },
    "s1 is not led by us-east" },
  { { kind = "leader", first = 0, last = 0, source = "x", target = "eu-west" },
    "there is no region x" },
  { { kind = "leader", first = 0, last = 0, source = "us-east", target = "x" },
    "there is no region x" },
  { { kind = "leaders", source = "all", target = "all" }, "the leaders are others" },
  { { kind = "leaders", source = {}, target = { { first = 0, last = 0, leader = "us-east" } } },
    "it names leaders of 1 shards of 2" },
  { { kind = "epoch", source = 2, target = 3 }, "the epoch is 1" },
  { { kind = "jump" }, "no such step: jump" },
}

describe("a step is refused", function()
  for _, row in ipairs(REFUSED) do
    it(row[1].kind .. ": " .. row[2], function()
      local now = draft.new(script.layout(FIELDS))
      assert.same({ nil, row[2] }, { steps.take(now, row[1]) })
      assert.equal(START, words(now:layout {}))
    end)
  end

  it("where all lead, or ids are hashed", function()
    local now = draft.new(script.layout { leaders = "all", routing =
                                          require "tidal.routing".hash() })
    for _, row in ipairs {
      { { kind = "leader", first = 0, last = 0, source = "us-east", target = "eu-west" },
        "all regions lead" },
      { { kind = "add_shard", first = 5, last = 5, leader = "us-east" }, "all regions lead" },
      { { kind = "move", first = 0, last = 0, source = 0, target = 1 },
        "hash has no ranges to move" },
      { { kind = "remove_shard", first = 4, last = 4 }, "s4 owns keys" },
    } do
      assert.same({ nil, row[2] }, { steps.take(now, row[1]) })
    end
    assert.is_true(steps.take(now, { kind = "add_shard", first = 5, last = 6 }))
    assert.is_true(steps.take(now, { kind = "remove_shard", first = 5, last = 6 }))
  end)

  it("that moves keys of another shard, when a table is made", function()
    local now = draft.new(script.layout(FIELDS))
    assert.is_true(steps.take(now, { kind = "move", first = 0, last = 1, source = 1, target = 0 }))
    local _, why = pcall(function() return now:layout({}).router end)
    assert.equal("s1 does not own 0x0000000000000000..0x0000000000000001", why)
    assert.same({ nil, "s1 lacks keys" }, { steps.take(now, { kind = "remove_shard", first = 1,
                                                               last = 1, leader = "eu-west" }) })
  end)
end)
