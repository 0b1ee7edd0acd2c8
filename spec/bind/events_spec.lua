-- Lists of events that wait: what builders and writers share.
local core = require "tidal.core"
local churn = dofile "spec/support/churn.lua"
local collector = dofile "spec/support/collector.lua"
local gen = dofile "spec/support/gen.lua"
local oracle = dofile "spec/support/oracle.lua"

describe("a list of events", function()
  it("is emptied by clear and keeps on taking", function()
    local builder = core.wal.builder()
    for i = 1, 300 do builder:add(i, 1, 1, i) end
    builder:clear()
    assert.equal(0, #builder)
    builder:add(7, 1, 1, 7)
    local batch = core.wal.decode_batch(builder:seal { first_seq = 1 })
    assert.same({ 1, 7 }, { batch.event_count, (batch:event(1)) })
  end)

  it("tells the shards its events belong to, each once, rising", function()
    local builder = core.wal.builder()
    assert.same({}, builder:shards(core.router.even(5)))
    for _, id in ipairs { -1, 5, -2, 1 << 63, 6 } do builder:add(id, 1, 1, 1) end
    local out = {}
    for i, shard in ipairs(builder:shards(core.router.even(5))) do out[i] = tostring(shard) end
    assert.same({ "s0", "s2", "s4" }, out)
    assert.same({ core.shard(65535) }, builder:shards(core.router.single(65535)))
    assert.equal(5, #builder)
  end)

  it("agrees with the router about them (property)", function()
    gen.property("shards of a builder", 50, function(rng)
      local builder, seen, want = core.wal.builder(), {}, {}
      local router = rng:once_in(2) and core.router.hash(rng:int(1, 9))
        or core.router.ranges(rng:ranges(rng:int(1, 5), 9))
      for _ = 1, rng:int(0, 8) do
        local id = rng:u64()
        builder:add(id, 1, 1, 1)
        seen[router:route(id).value] = true
      end
      for s = 0, 8 do if seen[s] then want[#want + 1] = core.shard(s) end end
      local got = builder:shards(router)
      if #got ~= #want then return #got .. " shards, want " .. #want end
      for i = 1, #want do if got[i] ~= want[i] then return tostring(got[i]) end end
    end)
  end)

  -- To grow may collect, and a finalizer may add to the same list.
  it("grows right when a finalizer adds to it meanwhile", collector(function()
    local builder = core.wal.builder()
    local added, alive = 0, true
    local function again()
      setmetatable({}, { __gc = function()
        if not alive then return end
        local more = added < 100000 and #builder + 500 or 1  -- more than it has grown by
        for i = 1, more do builder:add(i, 2, 1, 1) end
        added = added + more
        again()
      end })
    end
    again()
    collectgarbage("incremental", 1, 1000, 30)  -- a whole cycle at every allocation
    collectgarbage()
    local mine = 0
    while mine < 10000 do
      builder:add(mine, 1, 1, 1)
      mine = mine + 1
    end
    alive = false
    collectgarbage("incremental", 200, 100, 13)
    collectgarbage()
    assert.is_true(added > 0)
    assert.equal(mine + added, #builder)
    local next_id, faults = 0, 0
    for _, event in ipairs(oracle.read_segment(builder:seal { first_seq = 1 })[1].events) do
      if event.signal_type == 1 then
        if event.entity ~= next_id then faults = faults + 1 end
        next_id = next_id + 1
      end
    end
    assert.same({ 0, mine }, { faults, next_id })
  end))

  it("keeps its events through collections, by itself", function()
    local add = core.wal.builder():bind()
    for i = 1, 1000 do add(i, 1, 1, i) end
    churn(24 * 1600)
    for i = 1, 1000 do add(i, 1, 1, i) end
  end)
end)
