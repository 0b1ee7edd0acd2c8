local gen = require "spec.support.gen"
local pairs_of = require "spec.support.pairs"
local pictures = require "spec.support.pictures"
local rules = require "tidal.rules"
local scene = require "tidal.draw.scene"
local script = require "spec.support.script"

local limits <const> = pictures.limits

local function captions(one)
  local out = {}
  for i, frame in ipairs(one.frames) do out[i] = frame.caption end
  return out
end

describe("the scene of a layout", function()
  it("is one frame and what is said of it", function()
    local one = pictures.scene "even"
    assert.same({ "layout", "prod", "prod, epoch 1", 1 },
                { one.kind, one.name, one.title, #one.frames })
    assert.same({ "3 regions x 5 shards, ranges of ids",
                  "layout " .. pictures.layouts.even:hash() }, one.facts)
    assert.same({ {}, {} }, { one.warnings, one.notes })
    assert.is_nil(one.heat)
  end)

  it("is the same from its plan", function()
    assert.same(pictures.scene "even", pictures.scene(pictures.layouts.even:plan()))
  end)

  it("warns of broken rules", function()
    local one = pictures.scene(script.layout { rules = { rules.max_leaders(1) } })
    assert.same({ "rule max_leaders(1) is broken: us-east leads 5 shards, at most 1: "
                  .. "let eu-west lead s0" }, one.warnings)
  end)

  it("says what is put together", function()
    local regions = {}
    for i = 1, 100 do regions[i] = "r" .. i end
    local one = pictures.scene(script.layout { shards = 1000, regions = regions })
    assert.same({ "1000 ranges are too narrow to be seen: they share arcs with their neighbours",
                  "a column is 16 shards", "a row is 2 regions" }, one.notes)
  end)

  it("says what is there and cannot be seen", function()
    local one = pictures.scene(script.layout { shards = 2,
      routing = require "tidal.routing".ranges [[ s0 0..5 s1 6..0xffffffffffffffff ]] })
    assert.same({ "1 arc is less than a thousandth of the ring and cannot be seen" }, one.notes)
  end)

  it("says that a hash has no places", function()
    assert.same({ "a hash deals keys out: arcs show how many a shard has, not which" },
                pictures.scene "hash5".notes)
  end)
end)

describe("the heat of a log", function()
  it("is a share a column, and the hottest ids where they stand", function()
    local heat = pictures.scene(pictures.weighed()).heat
    assert.same({ 1.0, 0.0, 0.0, 0.0, 0.0 }, heat.shares)
    assert.equal(1.0, heat.peak)
    assert.same({ "0x0b031c9af598e101", 0, "4532" },
                { heat.hot[1].id, heat.hot[1].shard, heat.hot[1].events })
    assert.is_true(heat.hot[1].at > 0.0430 and heat.hot[1].at < 0.0431)
  end)

  it("adds up in groups", function()
    local one = pictures.scene(pictures.weighed { shards = 1000 })
    local sum = 0
    for _, share in ipairs(one.heat.shares) do sum = sum + share end
    assert.is_true(math.abs(sum - 1) < 1e-9)
    assert.equal(#one.frames[1].columns, #one.heat.shares)
  end)

  it("has no places where ids are hashed", function()
    local one = pictures.scene(pictures.weighed { routing = require "tidal.routing".hash_ranges() })
    assert.is_nil(one.heat.hot[1].at)
  end)
end)

describe("the scene of a plan", function()
  it("has a frame a step, from what was before", function()
    assert.same({
      "before: 3 regions x 5 shards, ranges of ids",
      "step 1 of 3: + shard s5 led by us-east",
      "step 2 of 3: s4 -> s5 0xe000000000000000..0xffffffffffffffff",
      "step 3 of 3: epoch 1 -> 2",
    }, captions(pictures.scene("even", "split")))
  end)

  it("says what it costs", function()
    local facts = pictures.scene("even", "split").facts
    assert.matches("^Plan: 1 split. Moves 12.50 %% of all keys.", facts[3])
  end)

  it("draws some of many steps, the first and last among them", function()
    local one = pictures.scene("many", "more")
    assert.equal(limits.frames, #one.frames)
    assert.same({ 0, one.steps }, { one.frames[1].step, one.frames[#one.frames].step })
    assert.equal(("24 of %d steps are drawn"):format(one.steps), one.notes[#one.notes])
    assert.matches("^steps %d+ to %d+ of %d+, the last: ", one.frames[2].caption)
  end)

  it("warns of a plan that is refused", function()
    local one = pictures.scene("even", "crowded")
    assert.matches("^plan rejected: ", one.warnings[1])
  end)

  it("is one frame where nothing changes", function()
    assert.equal(1, #pictures.scene("even", "even").frames)
  end)

  it("knows a region that is renamed, and one that takes its old name", function()
    local from = script.layout { regions = { "a", "b" } }
    local to = script.layout { epoch = 2, regions = { "c", "b", "a" } }
    local last = pictures.scene(from:diff(to)).frames
    last = last[#last]
    local signs = {}
    for i, row in ipairs(last.rows) do signs[i] = (row.sign or "=") .. row.name end
    table.sort(signs)
    assert.same({ 3, 3 }, { #signs, last.rows[1].there + last.rows[2].there + last.rows[3].there })
  end)

  it("holds the layouts on the way, whatever they are", function()
    gen.property("scenes", 200, function(g)
      local from, to = pairs_of.pair(g)
      local plan = from:diff(to)
      local one = scene.of(plan, { arcs = 360, rows = 64, columns = 64, frames = 1000 })
      local n = 0
      for i, layout in plan:states() do
        local frame = one.frames[i + 1]
        local nodes, leads, want = 0, 0, 0
        for _, row in ipairs(frame.cells) do
          for _, cell in ipairs(row) do
            if cell then nodes, leads = nodes + cell.of, leads + cell.leads end
          end
        end
        for _, region in ipairs(layout.regions) do want = want + layout:leads(region.id) end
        assert(nodes == #layout.regions * layout.shards and leads == want, frame.caption)
        n = i
      end
      assert(#one.frames == n + 1)
      local turned = 0
      for _, row in ipairs(one.frames[1].cells) do
        for _, cell in ipairs(row) do turned = turned + (cell and cell.turned or 0) end
      end
      assert(turned == 0, "nobody is new before the first step")
    end)
  end)

  it("refuses a part of a plan", function()
    local part = pictures.layouts.even:diff(pictures.layouts.split):only "eu-west"
    local ok, err = pcall(pictures.scene, part)
    assert.is_false(ok)
    assert.matches("this is eu-west's part of a plan: draw the whole", tostring(err), 1, true)
  end)
end)

it("refuses what is no layout and no plan", function()
  for _, value in ipairs { 5, "x", {}, print } do
    local ok, err = pcall(scene.of, value, limits)
    assert.is_false(ok)
    assert.matches("a layout or a plan expected, got " .. type(value), err, 1, true)
  end
end)
