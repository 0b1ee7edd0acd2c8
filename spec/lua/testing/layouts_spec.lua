local choices = require "tidal.testing.choices"
local declared = require "tidal.testing.declared"
local gen = require "spec.support.gen"
local layouts = require "tidal.testing.layouts"
local tidal = require "tidal"

local function draw(of, count)
  local out = {}
  for i = 1, count do out[i] = of.make(choices.source(gen.seed + i)) end
  return out
end

describe("layouts.layout", function()
  it("makes layouts of every strategy, size and leadership", function()
    local seen = {}
    for _, layout in ipairs(draw(layouts.layout(), 500)) do
      seen[layout.router:strategy()] = true
      seen["regions " .. #layout.regions], seen["shards " .. layout.shards] = true, true
      seen[layout.leaders == "all" and "all" or "by shard"] = true
    end
    for _, what in ipairs { "single", "hash", "ranges", "hash_ranges", "regions 1", "regions 4",
                            "shards 1", "shards 8", "all", "by shard" } do
      assert.is_true(seen[what], what)
    end
    assert.is_nil(seen["regions 5"])
    assert.is_nil(seen["shards 9"])
  end)

  it("keeps what is asked for", function()
    local rule = tidal.rules.survives "node"
    for _, layout in ipairs(draw(layouts.layout {
      regions = 6, shards = 2, name = "mine", rules = { rule } }, 50)) do
      assert.is_true(layout.shards <= 2)
      assert.equal("mine", layout.name)
      assert.equal("survives node", layout.rules[1].name)
    end
  end)

  it("starts from one node", function()
    local of = layouts.layout()
    local layout = of.make(choices.replay {})
    assert.same({ 1, 1, "single" }, { #layout.regions, layout.shards, layout.router:strategy() })
    assert.equal(declared.text(layout), of.show(layout))
  end)

  it("makes them valid however its choices are changed", function()
    gen.property("changed choices", 300, function(stream)
      local list = {}
      for i = 1, stream:int(0, 30) do list[i] = stream:u64() end
      local ok, why = pcall(layouts.layout().make, choices.replay(list))
      if not ok then return tostring(why) end
      ok, why = pcall(layouts.pair().make, choices.replay(list))
      if not ok then return tostring(why) end
    end)
  end)

  it("refuses unknown options", function()
    local ok, why = pcall(layouts.layout, { region = 3 })
    assert.is_false(ok)
    assert.matches("prop.layout%(options%): unknown key region; the keys are: regions shards "
                   .. "name rules$", why)
  end)
end)

describe("layouts.pair", function()
  it("makes two that meet", function()
    local seen = {}
    for _, pair in ipairs(draw(layouts.pair(), 300)) do
      local plan = pair.from:diff(pair.to)
      local last
      for _, state in plan:states() do last = state end
      assert.is_true(last == pair.to)
      for _, step in ipairs(plan.steps) do seen[step.kind] = true end
    end
    for _, kind in ipairs { "move", "leader", "add_region", "remove_region", "add_shard",
                            "remove_shard", "strategy", "epoch" } do
      assert.is_true(seen[kind], kind)
    end
  end)

  it("starts from two that differ by their epoch", function()
    local of = layouts.pair()
    local pair = of.make(choices.replay {})
    assert.equal(1, #pair.from:diff(pair.to).steps)
    assert.equal("from " .. declared.text(pair.from) .. "\nto " .. declared.text(pair.to),
                 of.show(pair))
  end)
end)
