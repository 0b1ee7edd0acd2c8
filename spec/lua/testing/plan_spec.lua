local failing = require "spec.support.failing"
local script = require "spec.support.script"
local tidal = require "tidal"
require "tidal.testing"

local HERE <const> = "^spec/lua/testing/plan_spec.lua:%d+$"
local rules = tidal.rules

local function layout(changes)
  changes.rules = changes.rules or { rules.survives "region" }
  return script.layout(changes)
end

local five = layout { leaders = "us-east" }
local six = layout { epoch = 2, shards = 6 }
local alone = layout { epoch = 2, regions = { "us-east" }, rules = {} }
-- s5 takes half of s4: no plan to such shares moves less.
local split = layout { epoch = 2, shards = 6, routing = tidal.routing.ranges [[
  s0 0x0..0x3333333333333333                s1 0x3333333333333334..0x6666666666666666
  s2 0x6666666666666667..0x9999999999999999 s3 0x999999999999999a..0xcccccccccccccccc
  s4 0xcccccccccccccccd..0xe666666666666666 s5 0xe666666666666667..0xffffffffffffffff ]] }
-- Two regions change places: for a while there are three.
local moved = layout { epoch = 2, regions = { "us-east", "eu-north", "ap-south" } }

describe("assert.plan", function()
  it("goes on check by check", function()
    local chain = assert.plan(five, six)
      .moves_at_most("50 %").moves_at_most("50.0%").moves_at_most(0.5).moves_at_most(1)
      .takes_at_most(7).keeps(rules.survives "region").keeps "survives region"
      .keeps(function(l) return #l.regions == 3 end)
    assert.equal(0.5, chain.plan.share)
    assert.plan(five, split).minimal().moves_at_most "10 %"
    assert.plan(five, five).moves_at_most(0).takes_at_most(0).minimal()
    assert.plan(five, moved).keeps "survives region"
  end)

  it("turns one check round", function()
    assert.plan(five, six).is_not.minimal().moves_at_most("50 %")
      .does_not.moves_at_most("49.9 %").is_not.takes_at_most(6).is_not.is_not.takes_at_most(7)
    assert.plan(five, alone).does_not.keeps(rules.survives "region")
    assert.plan(five, alone).does_not.keeps "survives region"
    assert.is_not.plan(six, five)
  end)

  it("counts the bytes of logs", function()
    local dirs = { ["us-east"] = "spec/golden/v2-five-shards" }
    local wider = script.layout { epoch = 2, shards = 6, routing = tidal.routing.ranges [[
      s0 0x0..0x09ffffffffffffff                s5 0x0a00000000000000..0x3333333333333333
      s1 0x3333333333333334..0x6666666666666666 s2 0x6666666666666667..0x9999999999999999
      s3 0x999999999999999a..0xcccccccccccccccc s4 0xcccccccccccccccd..0xffffffffffffffff ]] }
    local plan = assert.plan(five, wider, dirs).plan
    assert.is_true(plan.price.bytes > 0)
    local exact = tostring(plan.price.bytes)
    assert.plan(five, wider, dirs).moves_at_most(exact).moves_at_most "8GB"
      .is_not.moves_at_most(tostring(plan.price.bytes - 1))
    local text = failing(function() assert.plan(five, wider, dirs).moves_at_most "1kB" end)
    assert.matches(("^expected the plan of prod, epoch 1 %%-> 2 to move at most 1kB\n"
      .. "it moves %%S+ kB %%(%d bytes%%), the least possible is %%S+ kB\nlook closer: "
      .. "tidal%%-lua diff spec/support/script.lua spec/support/script.lua$")
      :format(plan.price.bytes), text)
    text = failing(function() assert.plan(five, wider, { ["us-east"] = "spec/nowhere" }) end)
    assert.matches("\nthere is none: .*spec/nowhere", text)
  end)

  local CLOSER <const> = "\nlook closer: tidal-lua diff spec/support/script.lua "
    .. "spec/support/script.lua"
  local rows = {
    { "a share", function() assert.plan(five, six).moves_at_most "10 %" end, [[
expected the plan of prod, epoch 1 -> 2 to move at most 10 %
it moves 50.00 % of all keys, the least possible is 16.67 %
  s4 -> s5  16.67 %  0xd555555555555556..0xffffffffffffffff
  s3 -> s4  13.33 %  0xaaaaaaaaaaaaaaab..0xcccccccccccccccc
  s2 -> s3  10.00 %  0x8000000000000000..0x9999999999999999
  ... 2 more]] .. CLOSER },
    { "no share", function() assert.plan(five, six).is_not.moves_at_most(0.5) end, [[
expected the plan of prod, epoch 1 -> 2 to move more than 50.00 %
it moves 50.00 % of all keys, the least possible is 16.67 %
  s4 -> s5  16.67 %  0xd555555555555556..0xffffffffffffffff
  s3 -> s4  13.33 %  0xaaaaaaaaaaaaaaab..0xcccccccccccccccc
  s2 -> s3  10.00 %  0x8000000000000000..0x9999999999999999
  ... 2 more]] .. CLOSER },
    { "hashes", function()
      assert.plan(layout { routing = tidal.routing.hash() },
                  layout { routing = tidal.routing.hash(), epoch = 2, shards = 6 }).minimal()
    end, [[
expected the plan of prod, epoch 1 -> 2 to be minimal
it moves 83.33 % of all keys, the least possible is 16.67 %]] .. CLOSER },
    { "a strategy", function()
      assert.plan(five, layout { routing = tidal.routing.hash(), epoch = 2 }).minimal()
    end, [[
expected the plan of prod, epoch 1 -> 2 to be minimal
single keys move by their hash: about 80.00 %, the least possible is 0.00 %]] .. CLOSER },
    { "minimal", function() assert.plan(five, split).is_not.minimal() end, [[
expected the plan of prod, epoch 1 -> 2 to move more than it has to
it moves 10.00 % of all keys, the least possible is 10.00 %]] .. CLOSER },
    { "steps", function() assert.plan(five, split).takes_at_most(1) end, [[
expected the plan of prod, epoch 1 -> 2 to take at most 1 steps
it takes 3:
  1. + shard s5 led by us-east
  2. s4 -> s5 0xe666666666666667..0xffffffffffffffff
  3. epoch 1 -> 2]] .. CLOSER },
    { "no steps", function() assert.plan(five, five).is_not.takes_at_most(0) end, [[
expected the plan of prod, epoch 1 -> 1 to take more than 0 steps
it takes 0]] .. CLOSER },
    { "a rule at the end", function()
      assert.plan(five, alone).keeps(rules.survives "region")
    end, [[
expected the plan of prod, epoch 1 -> 2 to keep 'survives region' at every step
the new layout breaks it: us-east holds the only copy of every shard (s0..s4): add a ]]
      .. [[second region]] .. CLOSER },
    { "a rule before", function()
      assert.plan(layout { regions = { "us-east" }, rules = {} }, six)
        .keeps(rules.survives "region")
    end, [[
expected the plan of prod, epoch 1 -> 2 to keep 'survives region' at every step
the old layout breaks it before the first step: us-east holds the only copy of every ]]
      .. [[shard (s0..s4): add a second region]] .. CLOSER },
    { "a rule on the way", function()
      assert.plan(five, layout { epoch = 2, leaders = "eu-west",
        regions = { "us-east", "eu-west", "ap-south", "sa-east" } })
        .keeps(function(l) return #l.regions == 3 or not l:is_leader(0, 0), "three first" end)
    end, [[
expected the plan of prod, epoch 1 -> 2 to keep 'the given function' at every step
after step 1 of 3 it is broken: three first
these steps are enough:
  1. + region r3 sa-east
  to repair: swap 1 and 2]] .. CLOSER },
    { "no broken rule", function() assert.plan(five, six).does_not.keeps "survives region" end, [[
expected the plan of prod, epoch 1 -> 2 to break 'survives region' at some step
it holds before it and after each of its 7 steps]] .. CLOSER },
    { "a rule that is not declared", function() assert.plan(five, six).keeps "mine" end, [[
expected prod (spec/support/script.lua) to declare the rule 'mine'
its rules: survives region
look closer: tidal-lua plan spec/support/script.lua]] },
    { "layouts that do not meet", function() assert.plan(six, five) end, [[
expected a plan from prod (spec/support/script.lua) to prod (spec/support/script.lua)
there is none: spec/support/script.lua and spec/support/script.lua do not meet: epoch 1 does ]]
      .. "not follow epoch 2, but they differ: write epoch = 3" },
    { "layouts that meet", function() assert.is_not.plan(five, six) end,
      "expected no plan from prod (spec/support/script.lua) to prod (spec/support/script.lua), "
      .. "but there is one" },
    { "wrong amounts", function() assert.plan(five, six).moves_at_most "8 apples" end,
      '.moves_at_most(most): a size ("8GB") or a share ("20 %", 0.2) expected, got "8 apples"' },
    { "numbers that are no share", function() assert.plan(five, six).moves_at_most(2) end,
      '.moves_at_most(most): a size ("8GB") or a share ("20 %", 0.2) expected, got 2' },
    { "sizes without logs", function() assert.plan(five, six).moves_at_most "8GB" end,
      '.moves_at_most(most): a size needs the logs: assert.plan(from, to, { ["REGION"] = DIR })' },
    { "wrong steps", function() assert.plan(five, six).takes_at_most "3" end,
      '.takes_at_most(steps): an integer >= 0 expected, got "3"' },
    { "wrong rules", function() assert.plan(five, six).keeps(3) end, ".keeps(rule): tidal.rules.*, "
      .. "a function or the name of a rule expected, got 3" },
    { "unknown checks", function() assert.plan(five, six).is_minimal() end,
      "assert.plan has no .is_minimal; there are: moves_at_most keeps minimal takes_at_most "
      .. "is_not does_not" },
  }
  for _, row in ipairs(rows) do
    it("speaks of " .. row[1], function()
      local text, place = failing(row[2])
      assert.equal(row[3], text)
      assert.matches(HERE, place)
    end)
  end
end)
