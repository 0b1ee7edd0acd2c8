-- Laws of plans over random layouts.
local gen = require "spec.support.gen"
local pairs_of = require "spec.support.pairs"
local raised = require "spec.support.raised"
local script = require "spec.support.script"
local tidal = require "tidal"

-- A property over three layouts, one after the other.
local function over_three(name, count, check)
  gen.property(name, count, function(g)
    local a, b = pairs_of.pair(g)
    local c = pairs_of.layout(g, b.epoch + g:int(1, 2))
    local fine, why = pcall(check, a, b, c, g)
    if not fine then return ("%s\n%s%s%s"):format(tostring(why), a:line(), b:line(), c:line()) end
  end)
end

local function same_moves(p, q)
  if #p.moves ~= #q.moves then return false end
  for i, move in ipairs(p.moves) do
    local other = q.moves[i]
    if move.first ~= other.first or move.last ~= other.last or move.source ~= other.source
       or move.target ~= other.target then
      return false
    end
  end
  return true
end

describe("p .. q", function()
  it("is what diff gives", function()
    over_three("concatenation", 1000, function(a, b, c)
      local p, q = a:diff(b), b:diff(c)
      local both, straight = p .. q, a:diff(c)
      assert(both:apply(a) == c and both.from == a and both.to == c)
      assert(same_moves(both, straight) and #both.steps == #straight.steps)
      assert(both.keys == straight.keys and both.share == straight.share)
      assert(both.share <= p.share + q.share + 1e-9, "moves more than both")
    end)
  end)

  it("does nothing there and back", function()
    over_three("nothing", 300, function(a, b)
      local p = a:diff(b)
      assert((p .. p:inverse()):empty() and (p:inverse() .. p):empty())
      assert(p:inverse():inverse():apply(a) == b)
    end)
  end)

  it("refuses plans that do not meet", function()
    local a, b = script.layout(), script.layout { epoch = 2, shards = 6 }
    local p = a:diff(b)
    local ok, err = pcall(function() return p .. p end)
    assert.same({ false, "diff" }, { ok, err.code })
    assert.matches("plans do not meet: the first leads to epoch 2 %(%x+%), the second "
                   .. "begins at epoch 1 %(%x+%)", err.message)
    assert.equal("a plan .. a plan expected", raised(function() return p .. "x" end))
    assert.equal("a plan .. a plan expected", raised(function() return "x" .. p end))
  end)
end)

describe("tidal.apply", function()
  it("gives the new layout, with its rules", function()
    local rules = { tidal.rules.survives "region" }
    local a, b = script.layout(), script.layout { epoch = 2, shards = 6, rules = rules }
    local made = tidal.apply(a, a:diff(b))
    assert.equal(b, made)
    assert.equal("survives region", made.rules[1].name)
    assert.same({ b:hash(), b:text() }, { made:hash(), made:text() })
  end)

  it("refuses another layout, and a part", function()
    local a, b = script.layout(), script.layout { epoch = 2, shards = 6 }
    local p = a:diff(b)
    local ok, err = pcall(tidal.apply, b, p)
    assert.same({ false, "stale" }, { ok, err.code })
    ok, err = pcall(tidal.apply, a, p:only "us-east")
    assert.same({ false, "part", "this is us-east's part of a plan: apply the whole" },
                { ok, err.code, err.message })
  end)
end)

describe("inverse()", function()
  it("takes the steps back in turn", function()
    local p = script.layout():diff(script.layout { epoch = 2, shards = 6 })
    local back = p:inverse()
    assert.same({ #p.steps, "epoch", "remove_shard" },
                { #back.steps, back.steps[1].kind, back.steps[#back.steps].kind })
    assert.equal(1, back.to.epoch)
  end)

  it("is a change of its own under another epoch", function()
    over_three("back", 300, function(a, b)
      local back = a:diff(b):inverse(b.epoch + 4)
      local to = back:apply(b)
      assert(to.epoch == b.epoch + 4 and to:leads_as(a) and to.router:strategy()
             == a.router:strategy())
      assert(back .. to:diff(to) ~= nil)
    end)
    local p = script.layout():diff(script.layout { epoch = 2, shards = 6 })
    assert.matches("epoch 2 does not follow epoch 2", raised(p.inverse, p, 2), 1, true)
  end)
end)

describe("rebase()", function()
  it("makes the same changes on a layout that has changed elsewhere", function()
    local a = script.layout()
    local p = a:diff(script.layout { epoch = 2, shards = 6 })
    local now = script.layout { epoch = 5, leaders = "spread" }
    local rebased = p:rebase(now)
    assert.same({ 5, 6, 6 }, { rebased.from.epoch, rebased.to.epoch, rebased.to.shards })
    assert.equal("spread", rebased.to.leaders[1] == 1 and "spread")
    assert.is_true(same_moves(p, rebased))
    assert.equal(rebased.to, rebased:apply(now))
  end)

  it("is the plan itself on its own layout, and nothing where all is done", function()
    over_three("rebasing", 300, function(a, b)
      local p = a:diff(b)
      local again = p:rebase(a)
      assert(again.to == b and same_moves(p, again))
    end)
    local p = script.layout():diff(script.layout { epoch = 2, shards = 6 })
    assert.is_true(p:rebase(script.layout { epoch = 2, shards = 6 }):empty())
  end)

  it("passes over what is done already", function()
    local p = script.layout():diff(script.layout { epoch = 2, shards = 6, leaders = "eu-west" })
    local now = script.layout { epoch = 2, leaders = "eu-west" }
    local rebased = p:rebase(now)
    assert.same({ 3, 6 }, { rebased.to.epoch, rebased.to.shards })
    assert.equal(6, rebased.to:leads(1))
  end)

  it("names the steps that do not fit", function()
    local p = script.layout():diff(script.layout { epoch = 2, shards = 6 })
    local ok, err = pcall(p.rebase, p, script.layout { epoch = 3, shards = 4 })
    assert.same({ false, "stale" }, { ok, err.code })
    assert.matches("^the plan cannot be rebased on layout %x+, epoch 3:\n  step 1 %(%+ shard s5 "
      .. "led by us%-east%) does not fit: there are 4 shards\n", err.message)
    assert.matches("does not fit: its keys belong to s3 now", err.message, 1, true)
    assert.equal("plan:rebase(layout): a layout expected", raised(p.rebase, p, 1))
  end)
end)

describe("least()", function()
  it("says when it takes too many ranges", function()
    local p = script.layout { shards = 40000 }:diff(script.layout { shards = 40001, epoch = 2 })
    local ok, err = pcall(p.least, p)
    assert.same({ false, "diff" }, { ok, err.code })
    assert.equal("to move the least the table would have 80000 ranges, at most 65536 are possible",
                 err.message)
  end)
end)
