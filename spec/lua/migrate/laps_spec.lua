-- The work on one directory: laps, what arrived, the cut; and what is done again
-- after it was left anywhere.
local core = require "tidal.core"
local raised = dofile "spec/support/raised.lua"
local scene = dofile "spec/support/migration.lua"
local setup = dofile "spec/support/migration_place.lua"
local tidal = require "tidal"

local must = scene.must
local FROM <const>, TO <const>, EVENTS <const> = setup.FROM, setup.TO, setup.EVENTS
local written, open, shut, run, all, finish = setup.written, setup.open, setup.shut, setup.run,
  setup.all, setup.finish

describe("a directory", function()
  it("is copied in laps of a bounded length, until little is left", function()
    local disk = written()
    local one = open(disk, nil, { lap_events = 2, slice_bytes = 50, rest_events = 4 })
    run(one, "copy")
    local state = one:state()
    assert.is_true(state.laps > 8)
    local rest = 0
    for _, log in ipairs(one:logs()) do
      if log.there then rest = rest + log.last - (state.after[log.shard] or 0) end
    end
    assert.is_true(rest <= 4)
    shut(one)
  end)

  it("whose writers are faster than the copy says so, and goes on when they rest", function()
    local disk = written()
    local home = must(core.wal.open(disk:dir "us", { layout = FROM }))
    local writer, n = must(home:writer { shard = 0 }), 500
    local one = open(disk, { home = home })
    local work = coroutine.wrap(function() one:copy() end)
    local why = raised(function()
      while work() do
        for _ = 1, 3 do
          repeat n = n + 1 until FROM:route(n).value == 0
          must(writer:append { { entity = n, timestamp_ns = n, signal_type = 1, weight = 1 } })
        end
      end
    end)
    assert.matches("^us: writers are faster than the copy: %d+ events are left, and 8 laps did not "
                   .. "make them fewer", why)
    shut(one)
    home:close()
    finish(disk, scene.live(disk:dir "us"))
  end)

  it("knows how much is left to read", function()
    local disk = written()
    local one = open(disk)
    assert.same({}, { one:left_to_copy(), one:left_to_verify() })
    for _, name in ipairs { "copy", "verify" } do
      local left = {}
      local work = coroutine.wrap(function() one[name](one) end)
      while work() do left[#left + 1] = one["left_to_" .. name](one) end
      assert.is_true(#left > 3 and left[1] > 5 * left[#left] and left[1] <= EVENTS * 21,
                     name .. " " .. table.concat(left, " "))
    end
    shut(one)
  end)

  it("has a log copied that is new, and closed again before anybody looks", function()
    local from = setup.layout(1, 3)
    for _, name in ipairs { "copy", "verify" } do
      local disk <close> = tidal.sim.disk { seed = 1 }
      local home = must(core.wal.open(disk:dir "us", { create = true, layout = from }))
      local function write(shard, first)
        local writer <close> = must(home:writer { shard = shard })
        for id = first, first + 50 do
          if from:route(id).value == shard then
            must(writer:append { { entity = id, timestamp_ns = id, signal_type = 1, weight = 1 } })
          end
        end
      end
      write(0, 1)
      local m = tidal.migrate(from:diff(setup.layout(2, 2))) {
        wal = { us = { dir = disk:dir "us", home = home } },
      }
      m:begin()
      for _, step in ipairs(m.steps) do
        step:run()
        if step.name == name then
          write(1, 100)
          write(2, 200)
        end
      end
      m:close()
      home:close()
      local live, count = scene.live(disk:dir "us")
      assert.same({}, scene.faults(disk:dir "us", live, setup.layout(2, 2)))
      local wanted = 0
      for s, first in pairs { [0] = 1, 100, 200 } do
        for id = first, first + 50 do
          if from:route(id).value == s then wanted = wanted + 1 end
        end
      end
      assert.equal(wanted, count)
    end
  end)

  it("is verified at the pace of what is read, also of what others wrote", function()
    local disk = written()
    local home = must(core.wal.open(disk:dir "us", { layout = FROM }))
    local one = open(disk, { home = home })
    run(one, "copy")
    local writer, wrote = must(home:writer { shard = 0 }), 0
    for id = 1000, 1200 do
      if FROM:route(id).value == 0 then
        must(writer:append { { entity = id, timestamp_ns = id, signal_type = 1, weight = 1 } })
        wrote = wrote + 1
      end
    end
    local work, read = coroutine.wrap(function() one:verify() end), 0
    for bytes in work do read = read + bytes end
    local _, moved = one.move:bytes()
    assert.equal(moved + wrote * 21, read)
    shut(one)
    home:close()
  end)

  it("that was truncated has no more to read than is there", function()
    local disk <close> = tidal.sim.disk { seed = 1 }
    scene.write(disk:dir "us", FROM, 0, scene.events(1, 1000), { segment_bytes = 4096 })
    do
      local home <close> = must(core.wal.open(disk:dir "us", { layout = FROM }))
      local writer = must(home:writer { shard = 0 })
      for _ = 1, 2 do must(writer:checkpoint { seqno = writer:durable() }) end
      assert.is_true(must(writer:truncate(writer:durable())) > 2)
    end
    local one = open(disk, nil, { lap_events = 1 << 20, slice_bytes = 21 })
    local left
    local work = coroutine.wrap(function() one:copy() end)
    while work() do left = left or one:left_to_copy() + one.move:bytes() end
    assert.equal(one.move:bytes(), left)
    shut(one)
  end)

  it("has batches of many events moved whole, with borders in the middle of them", function()
    local disk = tidal.sim.disk { seed = 1 }
    scene.write(disk:dir "us", FROM, 0, scene.events(1, 5000), { batch = 3000 })
    local before = scene.live(disk:dir "us")
    local one = open(disk, nil, { lap_events = 1201, slice_bytes = 1 << 20, rest_events = 100 })
    all(one)
    assert.is_true(one:state().laps >= 2)
    shut(one)
    assert.same({}, scene.faults(disk:dir "us", before, TO))
  end)

  it("is left after any piece of work, and gone on with", function()
    for _, name in ipairs { "copy", "verify" } do
      local pieces, last = 0
      repeat
        pieces = pieces + 1
        local disk, before = written()
        local one = open(disk)
        if name == "verify" then run(one, "copy") end
        last = run(one, name, pieces)
        shut(one)
        assert.same({}, scene.faults(disk:dir "us", before, FROM))
        finish(disk, before)
      until last < pieces
      assert.is_true(pieces > 10)
    end
  end)

  it("whose power fails behind any write is gone on with", function()
    local calls, ended = 0
    repeat
      local disk, before = written()
      calls = calls + 3
      disk:fault { last_call = disk:calls() + calls }
      ended = pcall(function()
        local one = open(disk)
        all(one)
        shut(one)
      end)
      disk:fault()
      local after = disk:crash { seed = calls }
      assert.same({}, scene.faults(after:dir "us", before), "call " .. calls)
      finish(after, before)
    until ended
    assert.is_true(calls > 100)
  end)

  it("lets its writers go when the cut fails, and is cut later", function()
    local disk, before = written()
    local home = must(core.wal.open(disk:dir "us", { layout = FROM }))
    local writer = must(home:writer { shard = 0 })
    local one = open(disk, { home = home })
    run(one, "copy")
    run(one, "verify")
    disk:fault { fail_call = disk:calls() + 1, fail_too = 1 << 40 }
    local done = pcall(run, one, "cut_over")
    disk:fault()
    assert.is_false(done)
    assert.is_true(pcall(writer.durable, writer))
    shut(one)
    home:close()
    assert.same({}, scene.faults(disk:dir "us", before, FROM))
    finish(disk, before)
  end)

  it("that is full says so, loses nothing, and goes on when there is room", function()
    for capacity = 1, 12001, 1500 do
      local disk, before = written()
      local one = open(disk, nil, { rest_events = 0 })
      disk:fault { capacity = capacity }
      local done, why = pcall(all, one)
      shut(one)
      disk:fault()
      if not done then assert.matches("[Nn]o space", tostring(why)) end
      assert.same({}, scene.faults(disk:dir "us", before, done and TO or FROM))
      finish(disk, before)
    end
  end)
end)

describe("what was changed meanwhile", function()
  -- Writes events under the next epoch into a log, as nobody should.
  local function put(disk, shard, count)
    local home <close> = must(core.wal.open(disk:dir "us", { layout = FROM }))
    local m <close> = must(home:migration(TO, { resume = true }))
    local from
    for _, log in ipairs(must(m:logs())) do
      if log.log.shard.value ~= shard and log.there then from = log end
    end
    m:set { { shard = from.log.shard, start = 0, after = 0, upto = count } }
    must(m:lap())
    while m:step(1 << 20) do end
  end

  it("is found by verify, before anything is published", function()
    local disk, before = written()
    local one = open(disk)
    run(one, "copy")
    shut(one)
    put(disk, 2, EVENTS // 4)
    one = open(disk)
    assert.matches("us: r0:s%d: %d+ events? with sum %x+ left other logs for it, %d+ events? with "
                   .. "sum %x+ arrived; nothing was published: abort, and take a new epoch",
                   raised(run, one, "verify"))
    shut(one)
    assert.same({}, scene.faults(disk:dir "us", before, FROM))
  end)

  it("is found in the rest that the cut copies", function()
    local disk, before = written()
    local one = open(disk, nil, { lap_events = 1 << 20, rest_events = 1 << 20 })
    run(one, "copy")
    shut(one)
    one = open(disk)
    run(one, "verify")
    for s in pairs(one.checked) do one.checked[s] = 0 end
    local lies = one.journal.state.places.us
    for s in pairs(lies.after) do lies.after[s] = lies.after[s] - 3 end
    assert.matches("left other logs for it", raised(run, one, "cut_over"))
    shut(one)
    assert.same({}, scene.faults(disk:dir "us", before, FROM))
  end)

  it("that is gone is missed when the copy goes on", function()
    local disk = written()
    local one = open(disk)
    run(one, "copy", 12)
    local state = one:state()
    local s = next(state.got)
    assert.is_true(state.laps > 0)
    if not state.lap then one:note("lap", {}, {}) end
    shut(one)
    one = open(disk)
    one:state().got[s] = { count = 1000, low = 0, high = 0 }
    assert.matches("us: r0:s%d: 1000 events had arrived and %d+ are there: somebody changed this "
                   .. "log", raised(run, one, "copy"))
    shut(one)
  end)

end)
