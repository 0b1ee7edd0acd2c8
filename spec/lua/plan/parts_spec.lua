-- Parts of plans add up to the whole.
local extent = require "tidal.plan.extent"
local gen = require "spec.support.gen"
local golden = require "spec.support.golden"
local pairs_of = require "spec.support.pairs"
local raised = require "spec.support.raised"
local routing = require "tidal.routing"
local script = require "spec.support.script"

local DIRS <const> = { ["us-east"] = golden.dir .. "/v1-single",
                       ["eu-west"] = golden.dir .. "/v2-five-shards" }

local function weighed()
  local from = script.layout { routing = routing.hash_ranges() }
  return assert(from:diff(script.layout { routing = routing.hash_ranges(), shards = 8, epoch = 2,
    regions = { "us-east", "eu-west", "ap-south", "sa" } }):weigh(DIRS))
end

describe("split()", function()
  it("gives plans that follow each other and lead to the same", function()
    gen.property("split", 500, function(g)
      local from, to = pairs_of.pair(g)
      local plan, most = from:diff(to), g:int(1, 60) / 100
      if not plan.space then return nil end
      local now, keys, whole = from, extent.none, nil
      local parts = plan:split(most)
      for i, part in ipairs(parts) do
        if part.from ~= now then return "part " .. i .. " begins elsewhere" end
        now = part:apply(now)
        if #part.moves > 1 and part.share > most + 1e-9 then return "part " .. i .. " is large" end
        keys, whole = keys + part.keys, whole and whole .. part or part
      end
      if keys ~= plan.keys then return "other keys move" end
      local epoch = math.max(to.epoch, from.epoch + #parts)
      if now.epoch ~= epoch then return ("epoch %d, not %d"):format(now.epoch, epoch) end
      if epoch == to.epoch and now ~= to then return "they lead elsewhere" end
      if whole.keys ~= plan.keys then return "as one they move other keys" end
    end)
  end)

  it("goes by bytes once weighed, and divides the price", function()
    local plan, bytes, events, copies = weighed(), 0, 0, 0
    local parts = plan:split "100kB"
    assert.is_true(#parts > 3)
    for _, part in ipairs(parts) do
      local moved = 0
      for _, cost in ipairs(part.price.moves) do moved = moved + cost.bytes end
      assert.is_true(moved <= 100000 or #part.moves == 1)
      bytes, events = bytes + part.price.bytes, events + part.price.events
      copies = copies + #part.price.copies
      assert.equal(#part.moves, #part.price.moves)
    end
    assert.same({ plan.price.bytes, plan.price.events, #plan.price.copies },
                { bytes, events, copies })
  end)

  it("refuses what is no size, and what cannot be split", function()
    local plan = script.layout():diff(script.layout { epoch = 2, shards = 6 })
    assert.equal('plan:split("5GB"): the plan has not been weighed; split by a share of 1',
                 raised(plan.split, plan, "5GB"))
    assert.matches('plan:split: "5 apples" has an unknown unit',
                   raised(plan.split, plan, "5 apples"), 1, true)
    for _, value in ipairs { 0, -1, {}, 0 / 0 } do
      assert.equal('plan:split(most): a size ("5GB") or a share of 1 (0.1) expected',
                   raised(plan.split, plan, value))
    end
    local hashed = script.layout { routing = routing.hash() }
      :diff(script.layout { routing = routing.hash(), shards = 6, epoch = 2 })
    assert.equal("a change of strategy moves all at once: it cannot be split; go there by a "
                 .. "layout between the two", raised(hashed.split, hashed, 0.5))
  end)
end)

describe("only()", function()
  it("is what a region pays and sees, by name or number", function()
    local plan = weighed()
    local part = plan:only "eu-west"
    assert.same({ "eu-west", 20000, 1 }, { part.region, part.price.copies[1].events,
                                           #part.price.regions })
    assert.equal(part.price.bytes, plan:only("r1").price.bytes)
    assert.equal(part.price.bytes, plan:only(1).price.bytes)
    local sum = 0
    for _, name in ipairs { "us-east", "eu-west", "ap-south" } do
      for _, region in ipairs(plan:only(name).price.regions) do sum = sum + region.bytes end
    end
    local copies = 0
    for _, copy in ipairs(plan.price.copies) do copies = copies + copy.bytes end
    assert.equal(plan.price.bytes, sum + copies)
    assert.equal(copies, plan:only("sa").price.bytes)
    for _, change in ipairs(part.changes) do
      assert.is_true(change.kind ~= "add_region")
    end
    assert.equal("add_region", plan:only("r3").changes[1].kind)
  end)

  it("refuses a region that is in neither layout", function()
    local plan = weighed()
    for _, name in ipairs { "mars", "r9", 4 } do
      assert.equal("prod has no region " .. name, raised(plan.only, plan, name))
    end
  end)
end)
