local draft = require "tidal.plan.draft"
local gen = require "spec.support.gen"
local pairs_of = require "spec.support.pairs"
local script = require "spec.support.script"
local steps = require "tidal.plan.steps"

describe("a draft", function()
  it("begins as the layout itself", function()
    gen.property("drafts", 300, function(g)
      local layout = pairs_of.layout(g, 3)
      local now = draft.new(layout)
      now.given = layout
      local same = now:layout(layout.rules)
      if same ~= layout then return layout:line() end
      for region = 0, #layout.regions - 1 do
        if same:leads(region) ~= layout:leads(region) then return "leads" end
      end
    end)
  end)

  it("keeps the router as long as nothing moves", function()
    local made = script.layout()
    local now = draft.new(made)
    assert.is_true(steps.take(now, { kind = "leader", first = 0, last = 0, source = "us-east",
                                     target = "eu-west" }))
    assert.is_true(rawequal(made.router, now:layout({}).router))
    assert.is_true(steps.take(now, { kind = "move", first = 0, last = 9, source = 0,
                                     target = 4 }))
    assert.equal(4, now:layout({}).router:route(9).value)
  end)

  it("gives layouts that keep what they saw", function()
    local now = draft.new(script.layout { leaders = "spread" })
    local before = now:layout {}
    for _, step in ipairs {
      { kind = "add_shard", first = 5, last = 5, leader = "ap-south" },
      { kind = "leader", first = 0, last = 0, source = "us-east", target = "eu-west" },
      { kind = "add_region", region = "sa", at = 0 },
      { kind = "rename_region", region = "us-east", to = "us" },
      { kind = "move", first = 0, last = 9, source = 0, target = 5 },
      { kind = "remove_region", region = "sa", at = 0 },
    } do assert.is_true(steps.take(now, step)) end
    local after = now:layout {}
    assert.equal(script.layout { leaders = "spread" }, before)
    assert.equal("us", after.regions[1].name)
    assert.same({ 1, 1, 2, 0, 1, 2 }, { after.leaders[0], after.leaders[1], after.leaders[2],
                                        after.leaders[3], after.leaders[4], after.leaders[5] })
    assert.same({ 1, 3, 2 }, { after:leads(0), after:leads(1), after:leads(2) })
    assert.equal(5, after:route(9).value)
    assert.equal(0, before:route(9).value)
  end)

  it("shows a region's new name at once, and not in the layout before", function()
    local now = draft.new(script.layout())
    local before = now:layout {}
    assert.is_true(steps.take(now, { kind = "rename_region", region = "us-east", to = "us" }))
    assert.same({ "us-east", "us" }, { before.regions[1].name, now:layout {}.regions[1].name })
  end)

  it("tells when its routing is looked at, once", function()
    local seen = 0
    local layout = draft.new(script.layout()):layout({}, function() seen = seen + 1 end)
    assert.same({ 3, 5, 5, 0 }, { #layout.regions, layout.shards, layout:leads(0),
                                  layout.leaders[4] })
    assert.equal(0, seen)
    layout:route(1)
    layout:ranges()
    assert.equal(1, seen)
  end)

  it("takes another epoch", function()
    local layout = script.layout { epoch = 4, leaders = "all" }
    assert.equal(script.layout { epoch = 9, leaders = "all" }, draft.at_epoch(layout, 9))
  end)
end)
