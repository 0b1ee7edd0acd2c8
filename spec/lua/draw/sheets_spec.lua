local pictures = require "spec.support.pictures"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local script = require "spec.support.script"
local sheets = require "tidal.draw.sheets"

local function of_layout(changes)
  local out = {}
  for _, sheet in ipairs(sheets.of_layout(script.layout(changes):plan())) do
    out[sheet.title] = sheet
  end
  return out
end

describe("the sheets of a layout", function()
  it("tell shards, ranges, losses and rules", function()
    local found = of_layout { shards = 2, rules = { rules.max_leaders(1) } }
    assert.same({ { "s0", "50.00 %", "us-east" }, { "s1", "50.00 %", "us-east" } },
                found.Shards.rows)
    assert.same({ "0x8000000000000000", "0xffffffffffffffff", "s1" }, found.Ranges.rows[2])
    assert.same({ "us-east", "2", "2" }, found["If a region is lost"].rows[1])
    assert.same({ { "max_leaders(1)", "no",
                    "us-east leads 2 shards, at most 1: let eu-west lead s0" } },
                found.Rules.rows)
  end)

  it("add up the ranges of a shard, and leave none out", function()
    local rows = of_layout { shards = 3, routing = routing.ranges [[
      s0 0..0x3fffffffffffffff s1 0x4000000000000000..0x7fffffffffffffff
      s0 0x8000000000000000..0xffffffffffffffff ]] }.Shards.rows
    assert.same({ "75.00 %", "25.00 %", "0.00 %" }, { rows[1][2], rows[2][2], rows[3][2] })
  end)

  it("have no ranges where there are none", function()
    assert.is_nil(of_layout { routing = routing.hash() }.Ranges)
    assert.equal("20.00 %", of_layout { routing = routing.hash() }.Shards.rows[5][2])
    assert.equal("100.00 %", of_layout { shards = 1, routing = routing.single() }.Shards.rows[1][2])
    assert.equal("all regions", of_layout { leaders = "all" }.Shards.rows[1][3])
  end)

  it("are cut where they are long, and say so", function()
    local sheet = of_layout { shards = 65535 }.Shards
    assert.same({ 40, "and 65495 more shards" }, { #sheet.rows, sheet.more })
    assert.is_nil(of_layout { shards = 40 }.Shards.more)
  end)

  it("tell the load of a log", function()
    local sheet = sheets.of_layout(pictures.weighed())[1]
    assert.same({ "shard", "keys", "leader", "events", "share", "hottest id" }, sheet.head)
    assert.same({ "s0", "20.00 %", "us-east", "40000", "100.00 %",
                  "0x0b031c9af598e101, 4532 events" }, sheet.rows[1])
    assert.equal("", sheet.rows[2][6])
  end)
end)

describe("the sheets of a plan", function()
  local function of_plan(from, to)
    local plan = pictures.layouts[from]:diff(pictures.layouts[to])
    return sheets.of_plan(plan), plan
  end

  it("tell steps and moves", function()
    local found = of_plan("even", "split")
    assert.same({ "1", "+ shard s5 led by us-east" }, found[1].rows[1])
    assert.same({ "s4", "s5", "0xe000000000000000", "0xffffffffffffffff", "12.50 %" },
                found[2].rows[1])
  end)

  it("tell moves of single keys by pairs", function()
    local found = of_plan("hash5", "hash6")
    local rows = found[2].rows
    assert.same({ 25, "s0", "s1", "", "" }, { #rows, table.unpack(rows[1], 1, 4) })
  end)

  it("have no moves where nothing moves", function()
    assert.equal(1, #of_plan("even", "even"))
  end)

  it("tell bytes where the plan was weighed", function()
    local _, plan = of_plan("even", "split")
    local found = sheets.of_plan(assert(plan:weigh { ["us-east"] = "spec/golden/v2-five-shards" }))
    assert.equal("bytes", found[2].head[6])
    assert.matches("B$", found[2].rows[1][6])
  end)

  it("have the waves of a plan that is shown in them", function()
    local _, plan = of_plan("even", "split")
    local weighed = assert(plan:weigh { ["us-east"] = "spec/golden/v2-five-shards" })
    assert.equal(2, #sheets.of_plan(weighed))
    local found = sheets.of_plan(weighed:in_waves { per_link = "1kB/s" })[3]
    assert.same({ "Waves", { "wave", "day", "bytes", "time", "copies" } },
                { found.title, found.head })
    assert.same(weighed:waves { per_link = "1kB/s" }:words(), found.rows)
  end)
end)
