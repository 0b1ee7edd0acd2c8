-- Rules on every prefix: which break refuses a plan, how it is shrunk, what
-- repairs it.
local gen = require "spec.support.gen"
local pairs_of = require "spec.support.pairs"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local script = require "spec.support.script"

local LEADERS <const> = { [0] = "us-east", s1 = "us-east", s2 = "eu-west", s3 = "eu-west",
                          s4 = "ap-south", s5 = "ap-south" }

local function plan(before, after)
  after.epoch = 2
  return script.layout(before):diff(script.layout(after))
end

-- Leaders trade places: one region leads too many on the way, whatever the
-- order.
local function traded(most)
  return plan({ shards = 6, leaders = LEADERS },
              { shards = 6, rules = { rules.max_leaders(most) }, leaders = {
                [0] = "eu-west", s1 = "us-east", s2 = "us-east", s3 = "eu-west", s4 = "ap-south",
                s5 = "ap-south" } })
end

describe("check()", function()
  it("finds nothing where there are no rules, or all hold", function()
    assert.same({ nil, 1 }, { plan({}, { shards = 6 }):check() })
    assert.same({ nil, 1 }, { traded(3):check() })
    assert.is_nil(plan({}, { shards = 6, rules = { rules.survives "region" } }):check())
  end)

  local WHY <const> = "eu-west leads 3 shards, at most 2: let us-east lead s0"

  it("names step, rule and why", function()
    local refusal = traded(2):check()
    assert.same({ 1, "max_leaders(2)", WHY, 1, 1, "leader" },
                { refusal.step, refusal.rule, refusal.why, #refusal.steps, refusal.numbers[1],
                  refusal.steps[1].kind })
    assert.is_nil(refusal.repair)
    assert.matches("plan rejected: after step 1 of 3 rule 'max_leaders(2)' is broken: "
      .. WHY .. ". shrunk 1 -> 1 step:\n  1. leader of s0  us-east -> eu-west\n"
      .. "  no other order near this one keeps the rules", traded(2):text(), 1, true)
  end)

  it("names a layout that breaks its own rule", function()
    local alone = plan({ regions = { "a", "b" }, shards = 1 },
                       { regions = { "a" }, shards = 1, rules = { rules.survives "region" } })
    local refusal = alone:check()
    assert.same({ 0, "survives region", 0 }, { refusal.step, refusal.rule, #refusal.steps })
    assert.matches("plan rejected: the layout itself breaks rule 'survives region': a "
                   .. "holds the only copy of s0: add a second region", alone:text(), 1, true)
  end)

  it("lets a rule be broken until it first holds", function()
    assert.is_nil(plan({ regions = { "a" }, shards = 1 },
                       { regions = { "a", "b" }, shards = 1, rules = { rules.survives "region" } })
                  :check())
  end)

  it("counts a rule that raises as broken, by what it raised", function()
    local refusal = plan({}, { rules = { function(layout)
      if layout.epoch == 1 then return true end
      error("no epoch", 0)
    end } }):check()
    assert.same({ 0, "rule 1", "no epoch" }, { refusal.step, refusal.rule, refusal.why })
  end)

  it("refuses to be applied", function()
    local refused = traded(2)
    local ok, err = pcall(refused.apply, refused, refused.from)
    assert.same({ false, "rule", "the plan is refused: after step 1 of 3 rule 'max_leaders(2)' is "
                  .. "broken: " .. WHY }, { ok, err.code, err.message })
    assert.is_nil(refused:repaired())
  end)
end)

-- "While us-east leads s0, s5 does not own this id": the leader must change
-- before the keys move.
local WATCHED <const> = "0x9000000000000000"

local function watched()
  local after = { [0] = "eu-west" }
  for s = 1, 5 do after[s] = LEADERS["s" .. s] end
  return plan({ shards = 6, leaders = LEADERS }, {
    shards = 6, leaders = after,
    routing = routing.ranges "s0 0..0x7fffffffffffffff s5 0x8000000000000000..0xffffffffffffffff",
    rules = { rules.new("watched", function(layout)
      if layout.leaders[0] ~= 0 or layout:route(WATCHED).value ~= 5 then return true end
      return false, "s5 owns it too early"
    end) },
  })
end

describe("a counterexample", function()
  it("is shrunk to the steps that matter, and another order repairs it", function()
    local refused = watched()
    local refusal = refused:check()
    assert.same({ 3, 1, 3 }, { refusal.step, #refusal.steps, refusal.numbers[1] })
    assert.equal("swap 3 and 5", refusal.repair.text)
    local repaired = refused:repaired()
    assert.is_nil(repaired:check())
    assert.equal(refused.to, repaired:apply(refused.from))
    assert.equal(repaired, repaired:repaired())
  end)

  it("keeps two steps that break a rule only together", function()
    local both = plan({ shards = 4, leaders = "us-east" }, {
      shards = 4, leaders = { [0] = "eu-west", s1 = "ap-south", s2 = "eu-west", s3 = "us-east" },
      rules = { rules.new("not yet", function(layout)
        if layout.epoch == 2 then return true end
        local a, b = layout.leaders[0], layout.leaders[2]
        return not (a == 1 and b == 1), "s0 and s2 both"
      end) },
    })
    local refusal = both:check()
    assert.same({ 3, 2, 1, 3 }, { refusal.step, #refusal.steps, refusal.numbers[1],
                                  refusal.numbers[2] })
  end)
end)

describe("rules are asked", function()
  -- A rule that counts how often it was asked.
  local function counting(reads)
    local asked = 0
    return rules.new("counting", function(layout)
      asked = asked + 1
      if reads then layout:route(0) end
      return true
    end), function() return asked end
  end

  it("after moves only if they read the routing", function()
    local after = { shards = 9 }
    local lazy, lazily = counting(false)
    local keen, keenly = counting(true)
    after.rules = { lazy, keen }
    local made = plan({}, after)
    assert.is_nil(made:check())
    local moves = #made.moves
    assert.equal(#made.steps - moves + 2, lazily())  -- and on both ends
    assert.equal(#made.steps + 2, keenly())
  end)

  it("in blocks where very many moves meet a rule that reads them", function()
    local turned = {}
    for i, range in ipairs(script.layout { shards = 5000 }:ranges()) do
      turned[i] = { shard = i % 5000, first = range.first, last = range.last }
    end
    local keen, keenly = counting(true)
    local made = plan({ shards = 5000 }, { shards = 5000, routing = routing.ranges(turned),
                                           rules = { keen } })
    local refusal, stride = made:check()
    assert.same({ nil, 2 }, { refusal, stride })
    assert.is_true(keenly() < 2600)
    assert.matches("\nrules were checked after every 2 moves", made:text(), 1, true)
  end)
end)

describe("the answer", function()
  it("is that of asking every rule on every state", function()
    gen.property("prefixes", 300, function(g)
      local from, to = pairs_of.pair(g)
      local limit = g:int(1, 6)
      local watch = rules.new("watch", function(layout)
        local owned = 0
        for _, range in ipairs(layout:ranges() or {}) do
          if range.shard.value == 0 then owned = owned + 1 end
        end
        return owned <= limit and layout:leads(0) <= limit + 2, "watched"
      end)
      local after = require "spec.support.pairs".again(to, { watch })
      local made = from:diff(after)
      local held, want = nil, nil
      for i, state in made:states() do
        local ok = watch.check(state)
        if held and not ok then want = want or i end
        held = ok
      end
      if not watch.check(after) then want = 0 end
      local refusal = made:check()
      local got = refusal and refusal.step
      if got ~= want then return ("step %s, not %s"):format(tostring(got), tostring(want)) end
      local repair = refusal and refusal.repair and made:repaired()
      if repair and (repair:check() or repair:apply(from) ~= after) then return "no repair" end
    end)
  end)
end)

-- A rule that is told ahead, and what it was told: how many layouts each time.
local function told(check)
  local counts, told_of = {}, {}
  local rule = rules.new("watch", check, function(layouts)
    counts[#counts + 1] = #layouts
    for _, made in ipairs(layouts) do told_of[made] = true end
    error "what goes wrong here is told by check()"
  end)
  return rule, counts, told_of
end

-- `count` leaders change, one by one; then the epoch.
local function changes_of(count, rule)
  local leaders = {}
  for s = 0, 2 * count - 1, 2 do leaders[s] = "eu-west" end
  return plan({ shards = 2 * count }, { shards = 2 * count, leaders = leaders, rules = { rule } })
end

describe("a rule that is told ahead", function()
  it("is told of every layout that it is asked for, 32 at once", function()
    local untold, asked = 0, 0
    local rule, counts, told_of
    rule, counts, told_of = told(function(made)
      asked = asked + 1
      if not told_of[made] then untold = untold + 1 end
      return true
    end)
    assert.is_nil(changes_of(100, rule):check())
    assert.same({ 32, 32, 32, 6 }, counts)     -- 100 changes, the epoch and the start
    assert.same({ 103, 1 }, { asked, untold }) -- `to` itself was not among them
  end)

  it("refuses at the same step, also where a later one cannot be taken", function()
    local rule = told(function(made) return made:leads(1) < 2, "two" end)
    local made = changes_of(3, rules.new("none", function() return true end))
    local judge = require "tidal.plan.judge"
    local list = { table.unpack(require "tidal.plan.diff".fields(made).steps) }
    list[3] = { kind = "leader", first = 99, last = 99, source = "us-east", target = "eu-west" }
    local to = script.layout { shards = 6, epoch = 2, rules = { rule } }
    local refusal = judge.judge { from = made.from, to = to, steps = list }
    assert.same({ 2, "watch", "two" }, { refusal.step, refusal.rule, refusal.why })
    list[2] = list[3]
    refusal = judge.judge { from = made.from, to = to, steps = list }
    assert.same({ 2, "step can be taken" }, { refusal.step, refusal.rule })
  end)
end)

describe("a break behind thousands of steps", function()
  it("is shrunk with so much work, and then told as it is", function()
    local asked = 0
    local rule = rules.new("few", function(made)
      asked = asked + 1
      return made:leads(1) < 3000 or made.epoch == 2, "many"
    end)
    local refusal = changes_of(3000, rule):check()
    assert.same({ 3000, "many", 3000 }, { refusal.step, refusal.why, #refusal.steps })
    assert.is_true(asked < 3000 + 1000, asked)
  end)
end)
