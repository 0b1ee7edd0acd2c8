-- The order of steps, in one word a step.
local course = require "tidal.plan.course"
local crossing = require "tidal.plan.crossing"
local routing = require "tidal.routing"
local script = require "spec.support.script"

local function word(step)
  if step.kind == "move" then return ("s%d>s%d"):format(step.source, step.target) end
  if step.kind == "strategy" then
    return step.source.strategy .. ">" .. step.target.strategy
  elseif step.kind == "leader" then
    return ("lead %d-%d %s>%s"):format(step.first, step.last, step.source, step.target)
  elseif step.kind == "add_shard" or step.kind == "remove_shard" then
    return ("%s %d-%d %s"):format(step.kind == "add_shard" and "+s" or "-s", step.first, step.last,
                                  step.leader or "all")
  elseif step.kind == "leaders" then
    return ("leaders %s>%s"):format(step.source == "all" and "all" or #step.source,
                                    step.target == "all" and "all" or #step.target)
  end
  return ({ add_region = "+", remove_region = "-", rename_region = "=", order_regions = "order",
            epoch = "epoch" })[step.kind] .. (step.region or "")
end

local function words(before, after)
  local from, to = script.layout(before), script.layout(after)
  local out = {}
  for i, step in ipairs(course.between(from, to, crossing.of(from, to))) do out[i] = word(step) end
  return table.concat(out, ", ")
end

local ROWS = {
  { "nothing", {}, {}, "" },
  { "an epoch", {}, { epoch = 2 }, "epoch" },
  { "regions come before and go after", { leaders = "ap-south" },
    { regions = { "us-east", "eu-west", "sa", "af" }, leaders = "af", shards = 6, epoch = 2 },
    "=ap-south, +af, +s 5-5 af, s0>s1, s1>s2, s2>s3, s3>s4, s4>s5, lead 0-4 sa>af, epoch" },
  { "a region less", { leaders = "spread" }, { regions = { "us-east", "ap-south" } },
    "lead 1-1 eu-west>us-east, lead 2-2 ap-south>us-east, lead 4-4 eu-west>us-east, -eu-west" },
  { "other numbers", {}, { regions = { "ap-south", "us-east", "eu-west" }, leaders = "us-east" },
    "order" },
  { "shards go from the last on", { shards = 4, leaders = "spread" }, { shards = 1 },
    "s1>s0, s2>s0, s3>s0, -s 3-3 us-east, -s 2-2 ap-south, -s 1-1 eu-west" },
  { "single is a table while there are more shards", { shards = 1, routing = routing.single() },
    { shards = 2 }, "single>ranges, +s 1-1 us-east, s0>s1" },
  { "and the other way", { shards = 2 }, { shards = 1, routing = routing.single() },
    "s1>s0, -s 1-1 us-east, ranges>single" },
  { "single to hash", { shards = 1, routing = routing.single() },
    { shards = 2, routing = routing.hash() },
    "single>ranges, +s 1-1 us-east, ranges>hash" },
  { "hash to single", { shards = 2, routing = routing.hash() },
    { shards = 1, routing = routing.single() }, "hash>ranges, -s 1-1 us-east, ranges>single" },
  { "hash to hash", { shards = 2, routing = routing.hash() },
    { shards = 3, routing = routing.hash() }, "+s 2-2 us-east, hash>hash" },
  { "one owner's ids to hashes", { shards = 2, routing = routing.ranges
                                   "s1 0..0xffffffffffffffff" },
    { shards = 2, routing = routing.hash_ranges() }, "ranges>hash_ranges, s1>s0" },
  { "hashes to one owner's ids", { shards = 2, routing = routing.hash_ranges() },
    { shards = 2, routing = routing.ranges "s1 0..0xffffffffffffffff" },
    "s0>s1, hash_ranges>ranges" },
  { "ids to hashes", {}, { routing = routing.hash_ranges() }, "ranges>hash_ranges" },
  { "all lead", {}, { leaders = "all", shards = 6 },
    "+s 5-5 us-east, s0>s1, s1>s2, s2>s3, s3>s4, s4>s5, leaders 1>all" },
  { "one leads again", { leaders = "all", shards = 2 }, { leaders = "spread", shards = 1 },
    "s1>s0, leaders all>1, -s 1-1 us-east" },
  { "all led, all lead", { leaders = "all" }, { leaders = "all", shards = 4 },
    "s1>s0, s2>s1, s3>s2, s4>s3, -s 4-4 all" },
}

describe("the steps", function()
  for _, row in ipairs(ROWS) do
    it(row[1], function() assert.equal(row[4], words(row[2], row[3])) end)
  end
end)

describe("leaders_of()", function()
  it("is all, or runs of shards", function()
    assert.equal("all", course.leaders_of(script.layout { leaders = "all" }))
    assert.same({ { first = 0, last = 4, leader = "us-east" } },
                course.leaders_of(script.layout()))
    assert.same({ { first = 0, last = 0, leader = "us-east" },
                  { first = 1, last = 1, leader = "eu-west" } },
                course.leaders_of(script.layout { shards = 2, leaders = "spread" }))
  end)
end)
