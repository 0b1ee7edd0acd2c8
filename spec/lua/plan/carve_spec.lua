-- Carving by keys and by events: nothing more is moved than has to be.
local carve = require "tidal.plan.carve"
local core = require "tidal.core"
local crossing = require "tidal.plan.crossing"
local extent = require "tidal.plan.extent"
local gen = require "spec.support.gen"
local routing = require "tidal.routing"
local script = require "spec.support.script"
local tables = require "tidal.plan.tables"

local function table_of(text, shards)
  return tables.of(script.layout { shards = shards, routing = routing.ranges(text) })
end

local TWO <const> = "s0 0..0x7fffffffffffffff s1 0x8000000000000000..0xffffffffffffffff"

describe("carve()", function()
  it("gives to the neighbour above, below, then to others", function()
    local t = table_of("s0 0..99 s1 100..199 s2 200..0xffffffffffffffff", 4)
    local function given(room)
      local after, moves = carve.carve(t, { [1] = extent.count(30) }, room, carve.keys)
      local out = {}
      for i, move in ipairs(moves) do
        out[i] = ("s%d %d..%d"):format(move.target, move.first, move.last)
      end
      assert.is_true(tables.same(after, assert(tables.overlay(t, moves))))
      return table.concat(out, " ")
    end
    local n = extent.count
    assert.equal("s2 170..199", given { [0] = n(99), [2] = n(40), [3] = n(99) })
    assert.equal("s2 190..199 s0 100..119", given { [0] = n(99), [2] = n(10) })
    assert.equal("s2 190..199 s0 100..104 s3 175..189",
                 given { [0] = n(5), [2] = n(10), [3] = n(99) })
    assert.equal("", given {})
  end)

  it("gives away all of a range", function()
    local t = table_of(TWO, 2)
    local after = carve.carve(t, { [0] = extent.count(math.mininteger) },
                              { [1] = extent.count(math.mininteger) }, carve.keys)
    assert.same({ firsts = { 0 }, owners = { 1 }, strategy = "ranges" }, after)
  end)

  it("moves exactly what is given, by keys", function()
    gen.property("carving", 500, function(g)
      local shards = g:int(2, 6)
      local t = tables.of(script.layout { shards = shards,
                                          routing = routing.ranges(g:ranges(8, shards)) })
      local owned, away, room = tables.owned(t), {}, {}
      local sum = extent.none
      for s = 0, shards - 1 do
        if g:once_in(2) and owned[s] and not owned[s].whole then
          away[s] = extent.count(g:next() & math.maxinteger)
          if owned[s] < away[s] then away[s] = owned[s] end
          sum = sum + away[s]
        end
      end
      local target = g:int(0, shards - 1)
      if away[target] then return nil end
      room[target] = sum
      local after, moves = carve.carve(t, away, room, carve.keys)
      local moved = extent.none
      for _, move in ipairs(moves) do moved = moved + extent.of(move.first, move.last) end
      if moved ~= sum then return "moved " .. tostring(moved) end
      if sum > extent.none and tables.owned(after)[target]
         ~= (owned[target] or extent.none) + sum then
        return "the target has another share"
      end
    end)
  end)

  it("moves at most what is given, by events, and stops at heavy ids", function()
    local router = core.router.even(2)
    local profile = core.profile(router, 1024)
    local builder = core.wal.builder()
    for _, row in ipairs { { 10, 5 }, { 20, 1 }, { 30, 1 }, { 40, 50 } } do
      for _ = 1, row[2] do builder:add(row[1], 1, 1, 1) end
    end
    profile:add(core.wal.decode_batch(builder:seal { first_seq = 1 }))
    local t, measure = table_of(TWO, 2), carve.events(profile)
    local after, moves = carve.carve(t, { [0] = 20 }, { [1] = 40 }, measure)
    -- 40 is too heavy: it stays, and what lies below it goes.
    assert.same({ { first = 0, last = 39, source = 0, target = 1 } }, { moves[1] })
    assert.same({ { 0, 40, math.mininteger }, 1 }, { after.firsts, #moves })
    local less, two = carve.carve(t, { [0] = 4 }, { [1] = 4 }, measure)
    assert.same({ { 0, 20, 40, math.mininteger }, { 0, 1, 0, 1 }, 1 },
                { less.firsts, less.owners, #two })
    local _, none = carve.carve(t, { [0] = 4 }, { [1] = 4 }, carve.events(profile, 5))
    assert.same({}, none)
  end)
end)

describe("plan:least()", function()
  it("moves the lower bound and gives every shard as much", function()
    gen.property("least", 300, function(g)
      local from, to = require "spec.support.pairs".pair(g)
      local plan = from:diff(to)
      local least = plan:least()
      if not least then return plan:has_least() and "none" or nil end
      if least.keys ~= plan.lower_bound.keys or not least.minimal then return "moves more" end
      local want, got = crossing.owned(to), crossing.owned(least.to)
      for s = 0, to.shards - 1 do
        if (want[s] or extent.none) ~= (got[s] or extent.none) then return "s" .. s end
      end
      if least:apply(from) ~= least.to then return "it cannot be applied" end
    end)
  end)
end)
