local json = require "tidal.json"
local motion = require "tidal.inspect.motion"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local script = require "spec.support.script"

describe("motion.read", function()
  local rows = {
    { "s3 us-east->eu-west", { kind = "leader", shard = 3, source = "us-east",
                               target = "eu-west" } },
    { "move s3  r0 -> r1 ", { kind = "leader", shard = 3, source = "r0", target = "r1" } },
    { "s1->s4", { kind = "range", source = 1, target = 4 } },
    { "s1 s2->s3", { kind = "leader", shard = 1, source = "s2", target = "s3" } },
    { "0x0-0xff s1->s4", { kind = "range", source = 1, target = 4, first = 0, last = 255 } },
    { "0..18446744073709551615 s1 -> s65535",
      { kind = "range", source = 1, target = 65535, first = 0, last = -1 } },
    { "s1", nil }, { "42", nil }, { "s1->r1", nil }, { "us-east->eu-west", nil },
    { "0xg-0xff s1->s4", nil }, { "0-1-2 s1->s4", nil }, { "s123456->s1", nil }, { "", nil },
    { "0x0-0x10000000000000000 s1->s4", nil }, { "1 s1->s4", nil },
  }
  for _, row in ipairs(rows) do
    it("takes '" .. row[1] .. "'", function() assert.same(row[2], motion.read(row[1])) end)
  end
end)

local function answer(text, changes)
  return motion.move(script.layout(changes), motion.read(text))
end

describe("a move that cannot be", function()
  local HASH <const> = { routing = routing.hash() }
  local rows = {
    { "s5 us-east->eu-west", {}, "s5 is not a shard of this layout (s0..s4)" },
    { "s0 us-eats->eu-west", {}, "prod has no region 'us-eats' (did you mean 'us-east'?)" },
    { "s0 us-east->r3", {}, "prod has no region 'r3'" },
    { "s0 r0->r99999999999999999999", {}, "prod has no region 'r99999999999999999999'" },
    { "s0 eu-west->us-east", {}, "s0 is led by us-east, not by eu-west" },
    { "s0 us-east->us-east", {}, "us-east leads s0 already" },
    { "s0 us-east->eu-west", { leaders = "all" },
      "every region leads every shard: there is no lead of s0 to hand over" },
    { "s0->s5", {}, "s5 is not a shard of this layout (s0..s4)" },
    { "s5->s0", {}, "s5 is not a shard of this layout (s0..s4)" },
    { "s1->s1", {}, "s1 owns it already" },
    { "s1->s2", HASH, "XXH3-64(id) % 5 alone decides where ids are: hash has no ranges to "
      .. "move, hash_ranges would" },
    { "s0->s0", { shards = 1, routing = routing.single() },
      "single() sends every id to s0: there is no other shard" },
    { "9-0 s0->s1", {},
      "0x0000000000000009 is above 0x0000000000000000: bounds are inclusive" },
    { "0-0x3333333333333334 s0->s1", {},
      "s0 does not own all of it: 0x3333333333333334..0x3333333333333334 belongs to s1" },
    { "0-0x3333333333333334 s1->s2", {},
      "s1 does not own all of it: 0x0000000000000000..0x3333333333333333 belongs to s0" },
    { "s1->s0", { shards = 2, routing = routing.ranges "s0 0..0xffffffffffffffff" },
      "s1 owns nothing" },
  }
  for _, row in ipairs(rows) do
    it(row[1] .. ": " .. row[3], function()
      local found = answer(row[1], row[2])
      assert.same({ false, row[3] }, { found.allowed, found.why })
      assert.is_nil(found.rule)
    end)
  end
end)

describe("a move of a leader", function()
  local LED <const> = { [0] = "us-east", "us-east", "eu-west", "eu-west", "ap-south" }

  it("is allowed where every rule holds after it", function()
    local found = answer("s0 us-east->ap-south", { leaders = LED,
                                                   rules = { rules.max_leaders(2) } })
    assert.is_true(found.allowed)
    assert.same({ "us-east", "ap-south" }, { found.source, found.target })
  end)

  it("is not where a rule binds; the next best is the region that leads least", function()
    local found = answer("s0 r0->r1", { leaders = LED, rules = { rules.max_leaders(2) } })
    assert.same({ false, "max_leaders(2)", false },
                { found.allowed, found.rule, found.before })
    assert.equal("eu-west leads 3 shards, at most 2", found.why)
    assert.same({ target = "ap-south", leads = 2 }, found.instead)
  end)

  it("does not name the way back as a way out, but every other", function()
    local function why(rule, move, changes)
      local fields = { leaders = LED, rules = { rule } }
      for key, value in pairs(changes or {}) do fields[key] = value end
      return answer(move, fields).why
    end
    assert.equal("eu-west leads 3 shards, at most 2: let ap-south lead s1",
                 why(rules.max_leaders(2), "s2 r0->r1", { leaders = { [0] = "us-east", "eu-west",
                   "us-east", "eu-west", "us-east" } }))
    assert.matches("; only us%-east may: move these ids to a shard that it leads$",
                   why(rules.residency { first = 0, last = 9, regions = { "us-east" } },
                       "s0 r0->r1"))
  end)

  it("says that a rule is broken without it too, and that there is no other", function()
    local found = answer("s0 us-east->eu-west", { rules = { rules.copies(4) } })
    assert.same({ false, "copies(4)", true, nil, 1 },
                { found.allowed, found.rule, found.before, found.instead, found.tried })
  end)

  it("is allowed where it mends a rule", function()
    assert.is_true(answer("s0 us-east->eu-west", { rules = { rules.max_leaders(4) } }).allowed)
  end)
end)

describe("a move of ids", function()
  it("has its ranges and its share", function()
    local found = answer("0x8000000000000000-0x9999999999999999 s2->s4", {})
    assert.is_true(found.allowed)
    assert.same({ { first = math.mininteger, last = 0x9999999999999999 } }, found.ranges)
    assert.is_true(math.abs(found.share - 0.1) < 1e-9)
    assert.same({ { first = 16, last = 31 } }, answer("0x10-0x1f s0->s4", {}).ranges)
    assert.equal(2, #answer("s0->s1", { shards = 2, routing = routing.ranges
      "s0 0..9 s1 10..19 s0 20..18446744073709551615" }).ranges)
  end)

  it("moves hashes under hash_ranges", function()
    local found = answer("s1->s4", { routing = routing.hash_ranges() })
    assert.is_true(found.allowed)
    assert.is_true(math.abs(found.share - 0.2) < 1e-9)
  end)

  it("is bound by rules; the next best is the shard that owns least", function()
    local found = answer("0xff-0xff s0->s1", {
      shards = 4, leaders = { [0] = "us-east", "eu-west", "eu-west", "us-east" },
      routing = routing.ranges [[ s0 0..0xff  s1 0x100..0x1ff  s2 0x200..0x2ff
                                  s3 0x300..0xffffffffffffffff ]],
      rules = { rules.residency { first = 0, last = 0xff, regions = { "us-east" } } },
    })
    assert.is_false(found.allowed)
    assert.matches("^eu%-west leads s1, which has ids of 0x00000000000000ff", found.why)
    assert.same({ 3, 2 }, { found.instead.target, found.tried })
  end)

  it("tries the lowest number among those that own as much", function()
    local found = answer("s0->s1", { shards = 4, rules = {
      function(layout) return layout:route(0).value ~= 1 end } })
    assert.same({ 2, 1 }, { found.instead.target, found.tried })
  end)

  it("costs what logs hold of it, allowed or not", function()
    local function price(text, rule)
      local layout = script.layout { rules = { rule } }
      local found = motion.move(layout, motion.read(text), function(plan)
        return assert(plan:weigh { ["us-east"] = "spec/golden/v2-five-shards" })
      end)
      return found.allowed, found.price and found.price.events, found.price and found.price.bytes
    end
    local _, all = price "s0->s1"
    assert.same({ true, all, all * 21 }, { price "s0->s1" })
    assert.is_true(all > 0)
    assert.same({ false, all, all * 21 },
                { price("s0->s1", function() return false end) })
    assert.same({ true, nil, nil }, { price "s0 r0->r1" })
    assert.same({ false, nil, nil }, { price "s0->s9" })
  end)

  it("may have no other shard", function()
    local found = answer("s0->s1", { shards = 2, rules = { function() return false end } })
    assert.same({ "rule 1", "broken", true, nil, 0 },
                { found.rule, found.why, found.before, found.instead, found.tried })
  end)
end)

describe("motion.json", function()
  it("holds the move and the verdict", function()
    local value = json.decode(motion.json(answer("s1->s4", {})))
    assert.same({ "tidal-explain/1", true, "range", 1, 4 },
                { value.format, value.allowed, value.move.kind, value.move.source,
                  value.move.target })
    assert.same({ { first = "0x3333333333333334", last = "0x6666666666666666" } },
                { value.move.ranges[1] })
    value = json.decode(motion.json(answer("s0 r0->r1", { rules = {
      function(layout) return layout:leads(1) == 0, "no" end } })))
    assert.same({ false, "rule 1", "no", false, "ap-south" },
                { value.allowed, value.rule, value.why, value.broken_before,
                  value.instead.target })
  end)
end)
