-- tidal.traffic: events by pair of shards.
local core = require "tidal.core"
local gen = dofile "spec/support/gen.lua"
local golden = dofile "spec/support/golden.lua"
local raised = dofile "spec/support/raised.lua"
local wal = core.wal

local function batch_of(ids, kind)
  local builder = wal.builder()
  for _, id in ipairs(ids) do builder:add(id, 1, 1, 1) end
  return wal.decode_batch(builder:seal { first_seq = 1, kind = kind })
end

describe("traffic", function()
  it("counts pairs, and what arrives", function()
    local from, to = core.router.even(2), core.router.even(3)
    local traffic = core.traffic(from, to)
    traffic:add(batch_of { 0, 0, math.maxinteger, -1 })
    assert.same({ { source = 0, target = 0, events = 2 }, { source = 0, target = 1, events = 1 },
                  { source = 1, target = 2, events = 1 } }, traffic:counts())
    assert.same({ [0] = 2, 1, 1 }, traffic:arrived())
    assert.is_true(traffic:paired())
  end)

  it("is empty at first", function()
    local traffic = core.traffic(core.router.single(), core.router.single(2))
    assert.same({ {}, { [0] = 0, 0, 0 } }, { traffic:counts(), traffic:arrived() })
  end)

  it("agrees with both routers", function()
    gen.property("traffic", 60, function(g)
      local from = core.router.ranges(g:ranges(g:int(1, 8), 5))
      local to = g:once_in(2) and core.router.hash(g:int(1, 9))
              or core.router.hash_ranges(g:int(1, 9))
      local traffic, ids, want = core.traffic(from, to), {}, {}
      for i = 1, g:int(1, 600) do
        ids[i] = g:u64()
        local key = from:route(ids[i]).value .. ">" .. to:route(ids[i]).value
        want[key] = (want[key] or 0) + 1
      end
      traffic:add(batch_of(ids))
      for _, pair in ipairs(traffic:counts()) do
        local key = pair.source .. ">" .. pair.target
        if want[key] ~= pair.events then return key end
        want[key] = nil
      end
      if next(want) then return next(want) .. " is missing" end
    end)
  end)

  it("tells sources apart only, where pairs are too many", function()
    local from, to = core.router.hash(1024), core.router.hash(1025)
    local traffic, id = core.traffic(from, to), 0
    repeat id = id + 1 until from:route(id) ~= to:route(id)
    traffic:add(batch_of { id, id })
    assert.is_false(traffic:paired())
    assert.same({ { source = from:route(id).value, events = 2 } }, traffic:counts())
    assert.equal(2, traffic:arrived()[to:route(id).value])
  end)

  it("keeps its routers", function()
    local traffic
    do traffic = core.traffic(core.router.hash(50), core.router.hash(60)) end
    for _ = 1, 3 do collectgarbage() end
    traffic:add(batch_of { 1, 2, 3 })
    local sum = 0
    for _, pair in ipairs(traffic:counts()) do sum = sum + pair.events end
    assert.equal(3, sum)
  end)

  it("reads live events of a log", function()
    local reader = assert(wal.reader(golden.dir .. "/v1-single"))
    local layouts = assert(wal.layouts(reader))
    local walk = assert(layouts:live(0))
    local traffic = core.traffic(core.router.single(), core.router.single())
    repeat local bytes = assert(walk:read(traffic, 1000)) until bytes == 0
    assert.same({ { source = 0, target = 0, events = 40000 } }, traffic:counts())
    walk:close()
    layouts:close()
    reader:close()
  end)

  it("refuses what is no router", function()
    assert.matches("tidal.Router expected, got 1", raised(core.traffic, 1, 2), 1, true)
    assert.matches("bad argument #2 (tidal.Router expected",
                   raised(core.traffic, core.router.single()), 1, true)
  end)
end)
