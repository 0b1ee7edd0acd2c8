-- Plans between layouts: their laws over random pairs, what refuses to meet,
-- and a few as they are printed.
local cluster = require "tidal.cluster"
local diff = require "tidal.plan.diff"
local extent = require "tidal.plan.extent"
local gen = require "spec.support.gen"
local pairs_of = require "spec.support.pairs"
local raised = require "spec.support.raised"
local routing = require "tidal.routing"
local script = require "spec.support.script"
local unhash = require "tidal.inspect.unhash"

-- Ids at the boundaries of both layouts and some others, by plan.space.
local function probes(g, plan)
  local out = { 0, -1, math.mininteger, math.maxinteger }
  for _, move in ipairs(plan.space and plan.moves or {}) do
    for _, key in ipairs { move.first, move.last, move.first - 1, move.last + 1 } do
      out[#out + 1] = plan.space == "hashes" and unhash.id(key) or key
    end
  end
  for _ = 1, 30 do out[#out + 1] = g:next() end
  return out
end

-- The move of an id, found among all.
local function move_of(plan, id)
  local key = plan.space == "hashes" and require "tidal.core".hash(id) or id
  for _, move in ipairs(plan.moves) do
    if not math.ult(key, move.first) and not math.ult(move.last, key) then return move end
  end
end

local function check_moves(g, plan, from, to)
  for _, id in ipairs(probes(g, plan)) do
    local source, target = from:route(id).value, to:route(id).value
    if plan.space then
      local move = move_of(plan, id)
      assert(not move == (source == target), "an id moves, or does not")
      assert(not move or move.source == source and move.target == target, "the wrong shards")
    elseif source ~= target then
      local named = false
      for _, move in ipairs(plan.moves) do
        named = named or move.source == source and (not move.target or move.target == target)
      end
      assert(named, "a pair is missing")
    end
  end
end

local function check_cost(plan)
  local bound = plan.lower_bound
  if not plan.exact then
    assert(plan.keys == nil and not plan.minimal)
    assert(plan.share > bound.share - 1e-9, "share below the bound")
    return
  end
  local sum = extent.none
  for _, move in ipairs(plan.moves) do
    sum = sum + (move.keys or extent.of(move.first, move.last))
  end
  assert(sum == plan.keys, "moves do not add up")
  assert(plan.keys >= bound.keys, "cost below the bound")
  assert(plan.minimal == (plan.keys == bound.keys), "minimal")
end

-- A property over pairs; a fault names both layouts.
local function over_pairs(name, count, check)
  gen.property(name, count, function(g)
    local from, to = pairs_of.pair(g)
    local fine, why = pcall(check, g, from, to)
    if not fine then return ("%s\n%s%s"):format(tostring(why), from:line(), to:line()) end
  end)
end

describe("from:diff(to)", function()
  it("leads to the new layout, and back", function()
    over_pairs("there and back", 2000, function(_, from, to)
      local plan = from:diff(to)
      assert(plan:apply(from) == to, "apply")
      local back = plan:inverse()
      assert(back:apply(to) == from, "inverse")
      assert(back.keys == plan.keys and #back.steps == #plan.steps)
    end)
  end)

  it("says of every id whether and where it moves", function()
    over_pairs("ids", 700, function(g, from, to)
      check_moves(g, from:diff(to), from, to)
    end)
  end)

  it("costs at least the lower bound, and just that where it is minimal", function()
    over_pairs("cost", 2000, function(_, from, to) check_cost(from:diff(to)) end)
  end)

  it("has layouts between its steps, the first and last its own", function()
    over_pairs("states", 60, function(_, from, to)
      local plan, count = from:diff(to), 0
      for i, state, step in plan:states() do
        assert(i == count and (step ~= nil) == (i > 0))
        count = count + 1
        if i == 0 then assert(state == from, "first") end
        if i == #plan.steps then assert(state == to, "last") end
        local proof = state:prove()
        -- While shards come or go, hashes have another number of them.
        local hashed = state.router:strategy() == "hash"
                   and state.router:num_shards() ~= state.shards
        assert(proof.total and proof.unique and (proof.equal or hashed), "a state is no layout")
        assert(state.epoch == (i == #plan.steps and to or from).epoch)
      end
      assert(count == #plan.steps + 1)
    end)
  end)

  it("gives those of its layouts that are wanted", function()
    over_pairs("wanted", 60, function(g, from, to)
      local plan, all, wanted = from:diff(to), {}, {}
      for i, state in plan:states() do
        all[i], wanted[i] = state, g:int(0, 2) == 0 or nil
      end
      for i, state, step in plan:states(wanted) do
        assert(wanted[i] and state == all[i] and step == (i > 0 and plan.steps[i] or nil))
        wanted[i] = nil
      end
      assert(next(wanted) == nil, "one is missing")
    end)
  end)

  it("is empty between equal layouts only", function()
    over_pairs("empty", 200, function(_, from, to)
      assert(from:diff(from):empty() and #from:diff(from).changes == 0)
      assert(not from:diff(to):empty())
      assert(tostring(from:diff(from)) == "no changes")
    end)
  end)
end)

describe("a plan", function()
  local plan = script.layout():diff(script.layout { epoch = 2, shards = 6 })

  it("is a frozen value", function()
    assert.equal("a plan is a value: share cannot be set; declare another one",
                 raised(function() plan.share = 0 end))
    assert.equal("a plan is a value: source cannot be set; declare another one",
                 raised(function() plan.moves[1].source = 9 end))
    assert.same({ "ids", 5, 0.5, true, true, false },
                { plan.space, #plan.moves, plan.share, plan.exact, diff.is(plan), diff.is {} })
    assert.equal("9223372036854775808", tostring(plan.keys))
    assert.equal("3074457345618258602", tostring(plan.lower_bound.keys))
    assert.is_nil(plan.price)
    assert.is_nil(plan.nothing)
  end)

  it("prints itself", function()
    assert.equal(plan:text(), tostring(plan))
  end)

  it("counts all 2^64 keys", function()
    local one = { shards = 2, routing = routing.ranges "s0 0..0xffffffffffffffff" }
    local two = { shards = 2, routing = routing.ranges "s1 0..0xffffffffffffffff", epoch = 2 }
    local all = script.layout(one):diff(script.layout(two))
    assert.same({ extent.all, 1.0, true }, { all.keys, all.share, all.minimal })
  end)
end)

describe("layouts that do not meet", function()
  local function refused(before, after)
    local from, to = script.layout(before), script.layout(after)
    local ok, err = pcall(from.diff, from, to)
    assert.is_false(ok)
    assert.equal("diff", err.code)
    return (err.message:gsub("^.-do not meet: ", ""))
  end

  it("say why", function()
    assert.equal("one is called prod, the other test: a plan is for one cluster",
                 refused({}, { name = "test", epoch = 2 }))
    assert.equal("epoch 1 does not follow epoch 1, but they differ: write epoch = 2",
                 refused({}, { shards = 6 }))
    assert.equal("epoch 3 does not follow epoch 7, but they differ: write epoch = 8",
                 refused({ epoch = 7 }, { epoch = 3 }))
    assert.equal("epoch 1 does not follow epoch 1, but they differ: write epoch = 2",
                 refused({}, { leaders = "all" }))
    assert.equal("one is called prod, the other test: a plan is for one cluster; epoch 1 does "
                 .. "not follow epoch 1, but they differ: write epoch = 2",
                 refused({}, { name = "test" }))
  end)

  it("need not be told of rules", function()
    local rules = { require "tidal.rules".max_leaders(5) }
    assert.is_true(script.layout():diff(script.layout { rules = rules }):empty())
  end)

  it("have too many pieces on the way", function()
    local shifted = {}
    for i = 0, 65535 do
      local first = i << 47
      shifted[i + 1] = { shard = i, first = i == 0 and 0 or first,
                         last = i == 65535 and -1 or (i + 1 << 47) - 1 }
    end
    local to = cluster { name = "prod", regions = { "a" }, shards = 65536, epoch = 2,
                         routing = routing.ranges(shifted) }
    local from = cluster { name = "prod", regions = { "a" }, shards = 65536 }
    local ok, err = pcall(from.diff, from, to)
    assert.is_false(ok)
    assert.matches("on the way the table would have 98304 ranges, at most 65536 are possible: "
                   .. "go there by a layout between the two",
                   err.message, 1, true)
  end)

  it("are two layouts", function()
    local from = script.layout()
    assert.equal("layout:diff(to): two layouts expected", raised(from.diff, from, {}))
    assert.equal("layout:diff(to): two layouts expected", raised(from.diff, from))
  end)
end)

describe("gains()", function()
  it("is what shards get more", function()
    assert.equal(7, diff.gains({ [0] = 5, 1, 9 }, { [0] = 6, 7, 2 }, 3, 0))
    assert.equal(3, diff.gains({}, { [2] = 3 }, 3, 0))
    assert.equal(0, diff.gains({ [0] = 3 }, {}, 1, 0))
  end)
end)
