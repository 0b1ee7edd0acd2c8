-- Tables of keys against routers: what is laid over, moved and found.
local core = require "tidal.core"
local gen = require "spec.support.gen"
local routing = require "tidal.routing"
local script = require "spec.support.script"
local tables = require "tidal.plan.tables"

-- A random table, and the router of the same ranges.
local function random(g, shards)
  local list = g:ranges(g:int(1, 12), shards)
  local made = script.layout { shards = shards, routing = routing.ranges(list) }
  return tables.of(made), made.router
end

-- Keys at which anything may change, and some others.
local function probes(g, ...)
  local out = { 0, -1 }
  for _, t in ipairs { ... } do
    for _, first in ipairs(t.firsts) do
      out[#out + 1], out[#out + 2] = first, first - 1
    end
  end
  for _ = 1, 20 do out[#out + 1] = g:next() end
  return out
end

describe("tables.of", function()
  it("joins neighbours of one owner", function()
    local made = script.layout { shards = 2, routing = routing.ranges [[
      s0 0..4 s0 5..9 s1 10..19 s1 20..0x7fffffffffffffff s0 0x8000000000000000..0xffffffffffffffff
    ]] }
    assert.same({ firsts = { 0, 10, math.mininteger }, owners = { 0, 1, 0 },
                  strategy = "ranges" }, tables.of(made))
  end)

  it("knows what the keys are", function()
    local function space(fields) return tables.space(tables.of(script.layout(fields))) end
    assert.equal("ids", space {})
    assert.equal("hashes", space { routing = routing.hash_ranges() })
    assert.equal("any", space { shards = 1, routing = routing.hash_ranges() })
    assert.equal("any", space { shards = 1, routing = routing.single() })
    assert.is_nil(tables.of(script.layout { routing = routing.hash() }))
  end)
end)

describe("moves()", function()
  it("are what differs, and overlay() makes them", function()
    gen.property("tables", 1000, function(g)
      local shards = g:int(1, 5)
      local a, from = random(g, shards)
      local b, to = random(g, shards)
      local moves, most = tables.moves(a, b)
      local after = assert(tables.overlay(a, g:shuffle(table.move(moves, 1, #moves, 1, {}))))
      if not tables.same(after, b) then return "overlay makes another table" end
      local router = tables.router(after)
      for _, key in ipairs(probes(g, a, b)) do
        local source, target = from:route(key), to:route(key)
        local found
        for _, move in ipairs(moves) do
          if not math.ult(key, move.first) and not math.ult(move.last, key) then found = move end
        end
        if found and (found.source ~= source.value or found.target ~= target.value)
           or not found and source ~= target then
          return core.u64.hex(key) .. " moves otherwise"
        end
        if router:route(key) ~= target then return core.u64.hex(key) .. " is routed otherwise" end
        local i = tables.find(a, key)
        if a.owners[i] ~= source.value then return core.u64.hex(key) .. " is found elsewhere" end
      end
      for i = 1, #moves do
        local part = tables.overlay(a, table.move(moves, 1, i, 1, {}))
        if #part.firsts > most then return ("%d ranges, at most %d"):format(#part.firsts, most) end
      end
    end)
  end)

  it("join pieces of one source and target", function()
    local a = { firsts = { 0, 10 }, owners = { 0, 1 }, strategy = "ranges" }
    local b = { firsts = { 0, 20 }, owners = { 1, 1 }, strategy = "ranges" }
    assert.same({ { first = 0, last = 9, source = 0, target = 1 } }, (tables.moves(a, b)))
  end)
end)

describe("overlay() refuses", function()
  local a = { firsts = { 0, 10, 20 }, owners = { 0, 1, 2 }, strategy = "ranges" }
  local function move(first, last, source, target)
    return { first = first, last = last, source = source, target = target }
  end
  for name, row in pairs {
    ["another owner"] = { move(0, 5, 1, 2), 1 },
    ["keys of two owners"] = { move(5, 15, 0, 2), 1 },
    ["a move that ends before it starts"] = { move(5, 4, 0, 2), 1 },
    ["keys moved twice"] = { move(0, 5, 0, 2), 2, move(4, 6, 0, 1) },
    ["a part moved again"] = { move(0, 5, 0, 2), 2, move(2, 3, 0, 1) },
  } do
    it(name, function()
      local after, misfit = tables.overlay(a, { row[1], row[3] })
      assert.same({ nil, ({ row[1], row[3] })[row[2]] }, { after, misfit })
    end)
  end
end)

describe("follow()", function()
  it("moves keys again, in the order given", function()
    gen.property("follow", 300, function(g)
      local a, b, c = random(g, 4), random(g, 4), random(g, 4)
      local moves = tables.moves(a, b)
      local more = tables.moves(b, c)
      table.move(more, 1, #more, #moves + 1, moves)
      if not tables.same(assert(tables.follow(a, moves)), c) then return "another table" end
    end)
    local whole = tables.single("ranges", 0)
    local odd = { { first = 0, last = 3, source = 0, target = 1 },
                  { first = 2, last = 5, source = 0, target = 1 } }
    assert.same({ nil, odd[2] }, { tables.follow(whole, odd) })
  end)
end)

describe("owned()", function()
  it("adds up by shard, to all keys", function()
    gen.property("owned", 300, function(g)
      local t = random(g, g:int(1, 5))
      local extent = require "tidal.plan.extent"
      local want, sum = {}, extent.none
      for i, shard in ipairs(t.owners) do
        want[shard] = (want[shard] or extent.none) + extent.of(t.firsts[i], tables.last(t, i))
      end
      for shard, keys in pairs(tables.owned(t)) do
        if keys ~= want[shard] then return "s" .. shard end
        sum = sum + keys
      end
      if sum ~= extent.all then return "sum " .. tostring(sum) end
    end)
  end)
end)
