local crossing = require "tidal.plan.crossing"
local frame = require "tidal.draw.frame"
local gen = require "spec.support.gen"
local pairs_of = require "spec.support.pairs"
local pictures = require "spec.support.pictures"
local routing = require "tidal.routing"
local script = require "spec.support.script"

local function frames(value, to, limits)
  return pictures.scene(value, to, limits).frames
end

local function limits(changes)
  local out = { arcs = 360, rows = 64, columns = 64, frames = 25 }
  for key, value in pairs(changes) do out[key] = value end
  return out
end

describe("groups()", function()
  local rows = { { 1, 4, 1, 1 }, { 4, 4, 4, 1 }, { 5, 4, 3, 2 }, { 65536, 64, 64, 1024 },
                 { 65535, 64, 64, 1024 }, { 1025, 32, 32, 33 } }
  for _, row in ipairs(rows) do
    it(("makes %d of %d, at most %d"):format(row[3], row[1], row[2]), function()
      local groups, size = frame.groups(row[1], row[2])
      assert.same({ row[3], row[4] }, { #groups, size })
      assert.same({ 0, row[1] - 1 }, { groups[1].first, groups[#groups].last })
      for i = 2, #groups do assert.equal(groups[i - 1].last + 1, groups[i].first) end
    end)
  end
end)

describe("the arcs", function()
  it("are the ranges", function()
    local one = frames("even")[1]
    assert.equal("ids", one.keys)
    assert.equal(5, #one.arcs)
    assert.same({ shard = 2, source = 2, moved = false, ranges = 1, from = 0.4, to = 0.6,
                  first = "0x6666666666666667", last = "0x9999999999999999" }, one.arcs[3])
  end)

  it("go to the last key, above 2^63", function()
    local arcs = frames(script.layout { shards = 2, routing = routing.ranges {
      { shard = 0, first = 0, last = math.mininteger - 1 + (1 << 62) },
      { shard = 1, first = math.mininteger + (1 << 62), last = -1 } } })[1].arcs
    assert.same({ 0.75, 1.0, "0xffffffffffffffff" }, { arcs[1].to, arcs[2].to, arcs[2].last })
  end)

  it("are remainders of a hash: even shares without places", function()
    local one = frames("hash5")[1]
    assert.equal("remainders", one.keys)
    assert.same({ 0.2, 0.4, nil }, { one.arcs[2].from, one.arcs[2].to, one.arcs[2].first })
    assert.is_false(one.arcs[2].moved)
  end)

  it("are one circle where there is one shard", function()
    assert.same({ 0.0, 1.0 }, { frames("single")[1].arcs[1].from, frames("single")[1].arcs[1].to })
  end)

  it("say what moved, and from where", function()
    local list = frames("even", "split")
    local last = list[#list].arcs
    assert.same({ true, 4, 5 }, { last[#last].moved, last[#last].source, last[#last].shard })
    for i = 1, #last - 1 do assert.is_false(last[i].moved) end
  end)

  for _, to in ipairs { "hash_ranges6" } do
    it("have all moved when a strategy becomes another one: " .. to, function()
      local list = frames("even", to)
      for _, arc in ipairs(list[#list].arcs) do assert.is_true(arc.moved) end
    end)
  end

  it("have all moved when a hash gets another number of shards", function()
    local list = frames("hash5", "hash6")
    for _, arc in ipairs(list[#list].arcs) do assert.is_true(arc.moved) end
    assert.equal(6, #list[#list].arcs)
  end)

  it("cover the ring once, whatever is drawn, and count what moved", function()
    gen.property("arcs", 200, function(g)
      local from, to = pairs_of.pair(g)
      local plan = from:diff(to)
      local scene = pictures.scene(plan, nil, limits { arcs = g:pick { 3, 10, 360 } })
      for _, one in ipairs(scene.frames) do
        local at = 0.0
        for _, arc in ipairs(one.arcs) do
          assert(arc.from == at and arc.to >= at, "a gap")
          at = arc.to
        end
        assert(at == 1.0)
      end
      local last, moved = scene.frames[#scene.frames], 0.0
      for _, arc in ipairs(last.arcs) do moved = moved + (arc.moved and arc.to - arc.from or 0) end
      if plan.exact and plan.space and last.merged == 0 then
        assert(math.abs(moved - plan.share) < 1e-9, "moved " .. moved .. " of " .. plan.share)
      end
    end)
  end)
end)

describe("arcs too narrow to be seen", function()
  it("are put together and counted", function()
    local one = frames(script.layout { shards = 1000 }, nil, limits { arcs = 100 })[1]
    assert.is_true(#one.arcs <= 100 and #one.arcs >= 40, #one.arcs)
    local ranges = 0
    for _, arc in ipairs(one.arcs) do ranges = ranges + arc.ranges end
    assert.same({ 1000, 1000 }, { ranges, one.merged })
    assert.is_nil(one.arcs[1].shard)
  end)

  it("are counted, alone or not", function()
    local one = frames(script.layout { shards = 2, routing = routing.ranges [[
      s0 0..0x7fffffffffffffff s1 0x8000000000000000..0x8000000000000000
      s0 0x8000000000000001..0xffffffffffffffff ]] })[1]
    assert.same({ 3, 1, 0 }, { #one.arcs, one.hidden, one.merged })
  end)

  it("leave a wide one alone", function()
    local list, step = {}, 1 << 40
    for s = 0, 99 do list[s + 1] = { shard = s, first = s * step, last = (s + 1) * step - 1 } end
    list[101] = { shard = 100, first = 100 * step, last = -1 }
    local one = frames(script.layout { shards = 101, routing = routing.ranges(list) }, nil,
                       limits { arcs = 20 })[1]
    assert.same({ 2, 100, 100 }, { #one.arcs, one.merged, one.arcs[2].shard })
    assert.is_nil(one.arcs[1].shard)
  end)
end)

describe("the grid", function()
  it("has a cell a node, and says who leads", function()
    local one = frames(script.layout { leaders = { [1] = "eu-west" } })[1]
    assert.same({ "r0 us-east", 4 }, { one.rows[1].label, one.rows[1].leads })
    assert.same({ "s1", 1, 1 }, { one.columns[2].label, one.columns[2].first, one.columns[2].last })
    assert.same({ leads = 0, of = 1, turned = 0 }, one.cells[1][2])
    assert.same({ leads = 1, of = 1, turned = 0 }, one.cells[2][2])
  end)

  it("of all leaders is full", function()
    local one = frames(script.layout { leaders = "all" })[1]
    assert.same({ leads = 1, of = 1, turned = 0 }, one.cells[3][5])
  end)

  it("marks what comes, goes, and leads anew", function()
    local list = frames("even", "wider")
    local last = list[#list]
    assert.same({ "r1 eu", "+" }, { last.rows[2].label, last.rows[4].sign })
    assert.is_nil(last.rows[2].sign)
    assert.equal("+", last.columns[6].sign)
    assert.same({ leads = 1, of = 1, turned = 1 }, last.cells[2][2])
    assert.is_false(list[1].cells[4][1])
    assert.is_false(list[1].cells[1][6])
  end)

  it("does not call the leader of a new shard a new leader", function()
    local list = frames("even", "split")
    assert.same({ leads = 1, of = 1, turned = 0 }, list[#list].cells[1][6])
  end)

  it("marks those who lead anew when all do, and nobody when all did", function()
    local one, all = script.layout {}, script.layout { epoch = 2, leaders = "all" }
    local list = frames(one:diff(all))
    assert.same({ 0, 1 }, { list[#list].cells[1][1].turned, list[#list].cells[2][1].turned })
    list = frames(all:diff(script.layout { epoch = 3 }))
    assert.same({ 0, 1 }, { list[#list].cells[1][1].turned, list[#list].cells[1][1].leads })
  end)

  it("keeps a place for a region that goes", function()
    local list = frames(script.layout {}:diff(script.layout { epoch = 2,
                        regions = { "us-east", "ap-south" } }))
    local last = list[#list]
    local row = last.rows[2]
    assert.same({ "eu-west", "-", 0 }, { row.label, row.sign, row.there })
    assert.is_false(last.cells[2][1])
  end)

  it("counts in groups as without them", function()
    gen.property("groups", 200, function(g)
      local layout = pairs_of.layout(g, 1)
      local one = frames(layout, nil, limits { rows = g:int(1, 4), columns = g:int(1, 9) })[1]
      local leads, of = 0, 0
      for _, row in ipairs(one.cells) do
        for _, cell in ipairs(row) do leads, of = leads + cell.leads, of + cell.of end
      end
      local want = 0
      for _, region in ipairs(layout.regions) do want = want + layout:leads(region.id) end
      assert(leads == want and of == #layout.regions * layout.shards)
    end)
  end)
end)

describe("sizes", function()
  it("of arcs are the keys that shards own", function()
    gen.property("owned", 100, function(g)
      local layout = pairs_of.layout(g, 1)
      local owned, seen = crossing.owned(layout), {}
      for _, arc in ipairs(frames(layout)[1].arcs) do
        seen[arc.shard] = (seen[arc.shard] or 0) + arc.to - arc.from
      end
      for s = 0, layout.shards - 1 do
        local share = owned[s] and owned[s]:share() or 0
        assert(math.abs((seen[s] or 0) - share) < 1e-9, "s" .. s)
      end
    end)
  end)
end)
