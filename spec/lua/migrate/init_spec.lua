-- tidal.migrate: from one layout to the next, whatever happens on the way.
local core = require "tidal.core"
local migrate = require "tidal.migrate"
local prop = require "tidal.testing.prop"
local raised = dofile "spec/support/raised.lua"
local scene = dofile "spec/support/migration.lua"
local tidal = require "tidal"

local routing = tidal.routing
local dirs, layout, settings, written = scene.dirs, scene.layout, scene.settings, scene.written

local function check(disk, before, want, what)
  assert.same({}, scene.all_faults(disk, before, want), what)
end

describe("a migration", function()
  it("moves every event to where the next layout routes it", function()
    local from, to = layout(1, 2, nil, { "us", "eu" }), layout(2, 3, nil, { "us", "eu" })
    local disk, before = written(from, 60, { segment_bytes = 4096 })
    local m = migrate(from:diff(to))(settings(disk, to.regions))
    assert.equal("copy us", tostring(m.steps[1]))
    m:run()
    check(disk, before, to)
    for _, step in ipairs(m.steps) do assert.is_true(step.done) end
    assert.equal(2, scene.epoch(disk:dir "us"))
    local status = migrate.status(settings(disk, to.regions))
    assert.equal("finished", status.state)
    assert.same({ "published", "published" },
                { status.regions[1].state, status.regions[2].state })
  end)

  it("can be told step by step, in its order only", function()
    local from, to = layout(1, 2), layout(2, 3)
    local disk, before = written(from, 40)
    local m = migrate(from:diff(to))(settings(disk, to.regions))
    m:begin()
    assert.equal("order: cut over us: copy us comes first",
                 "order: " .. raised(m.steps[3].run, m.steps[3]))
    for _, step in ipairs(m.steps) do
      assert.truthy(step.says and step.back)
      step:run()
      step:run()
    end
    check(disk, before, to)
  end)

  it("goes on beside writers and fences them at the cut", function()
    local from, to = layout(1, 2), layout(2, 3)
    local disk, before = written(from, 60)
    local home <close> = scene.must(core.wal.open(disk:dir "us", { layout = from }))
    local writers, n = {}, 5000  -- opened as they are needed
    local m = migrate(from:diff(to))(settings(disk, {}, {
      wal = { us = { dir = disk:dir "us", home = home } }, rest_events = 20,
    }))
    local clock = 0
    while m:step(clock) do
      clock = clock + 1
      n = n + 1
      local event = { entity = n * 0x9E3779B97F4A7C15, timestamp_ns = n, signal_type = 1,
                      weight = 1 }
      local s = from:route(event.entity).value
      writers[s] = writers[s] or scene.must(home:writer { shard = s })
      local done, err = writers[s]:append { event }
      if not done then
        assert.equal("moved", err.code)
        assert.equal(to:route(event.entity).value, err.bound)
        s = to:route(event.entity).value
        writers[s] = writers[s] or scene.must(home:writer { shard = s })
        scene.must(writers[s]:append { event })
      end
    end
    m:close()
    scene.must(home:close())
    local now, count, twice = scene.live(disk:dir "us")
    assert.same({}, twice)
    assert.equal(60 + n - 5000, count)
    for event in pairs(before.us) do assert.truthy(now[event]) end
    assert.same({}, scene.faults(disk:dir "us", now, to))
  end)

  it("lets the new owner know what was sent to the old one", function()
    local from, to = layout(1, 3), layout(2, 2, routing.ranges {
      { shard = 0, first = 0, last = 0x7fffffffffffffff },
      { shard = 1, first = 1 << 63, last = -1 },
    })
    local disk = written(from, 50)
    scene.migrate(from, to, settings(disk, to.regions))
    local home <close> = scene.must(core.wal.open(disk:dir "us", { layout = to }))
    for _, event in ipairs(scene.events(1000, 50)) do
      event.signal_type, event.weight = 1, 1
      local shard = to:route(event.entity).value
      local writer <close> = scene.must(home:writer { shard = shard, window_events = 50 })
      assert.equal(0, scene.must(writer:append { event }))
      event.timestamp_ns = event.timestamp_ns + 50
      assert.is_true(scene.must(writer:append { event }) > 0)
    end
  end)

  it("keeps the order that events had in their log", function()
    local from, to = layout(1, 1), layout(2, 2)
    local disk = written(from, 60)
    scene.migrate(from, to, settings(disk, to.regions))
    local reader <close> = scene.must(core.wal.reader(disk:dir "us"))
    local layouts <close> = scene.must(core.wal.layouts(reader))
    for s = 0, 1 do
      local walk <close> = scene.must(layouts:live(s))
      local last, seen = 0, 0
      while true do
        local text = walk:text("csv", false)
        if not text then break end
        for time in text:gmatch ",(%d+)\n" do
          assert.is_true(last < tonumber(time))
          last, seen = tonumber(time), seen + 1
        end
      end
      assert.is_true(seen > 10)
    end
  end)

  it("reads what moves once and writes it once, and reads it again to verify", function()
    local from, to = layout(1, 1, routing.single()),
                     layout(2, 2, routing.ranges "s1 0..0xffffffffffffffff")
    local disk = written(from, 40000, { batch = 1000 })
    local m = migrate(from:diff(to))({ wal = { us = disk:dir "us" } })
    m:begin()
    m.places[1]:open()  -- recovered, where that is to be done
    local moved, seen = 40000 * 21, disk:counts()
    local function check_step(step, read, write)
      step:run()
      local now = disk:counts()
      assert.is_true(now.bytes_read - seen.bytes_read <= read * moved * 1.01 + 4096)
      assert.is_true(now.bytes_written - seen.bytes_written <= write * moved * 1.01 + 8192)
      seen = now
    end
    check_step(m.steps[1], 1, 1)
    check_step(m.steps[2], 1, 0)
    check_step(m.steps[3], 0, 0)
  end)

  it("retires segments in which nothing counts any more, when asked", function()
    local from, to = layout(1, 2), layout(2, 2, routing.ranges "s1 0..0xffffffffffffffff")
    local disk, before = written(from, 900, { segment_bytes = 4096, batch = 40 })
    scene.migrate(from, to, { wal = dirs(disk, to.regions) })
    assert.is_nil((disk:files "us/retired"))
    local m = migrate.resume { wal = dirs(disk, to.regions), retire = true }
    scene.run(m)
    assert.is_true(m.places[1].retired > 1)
    assert.equal(m.places[1].retired, #disk:files "us/retired")
    check(disk, before, to)
    -- It is a log still: it opens, verifies, and moves back.
    local reader <close> = scene.must(core.wal.reader(disk:dir "us"))
    local verifier <close> = scene.must(core.wal.verifier(reader))
    for report in function() return verifier:next() end do
      assert.equal("clean", report.verdict)
    end
    local back = layout(3, 2)
    scene.migrate(to, back, { wal = dirs(disk, to.regions) })
    check(disk, before, back)
  end)

  it("begins where nothing was published, and with v1 logs", function()
    local from, to = layout(1, 1, routing.single()), layout(2, 4)
    local disk = tidal.sim.disk { seed = 1 }
    local count = scene.put_v1(disk, "us", 4)
    assert.equal(count, select(2, scene.live(disk:dir "us")))
    scene.write(disk:dir "us", from, 0, scene.events(1, 30))
    local before = scene.live(disk:dir "us")
    scene.migrate(from, to, { wal = dirs(disk, to.regions), lap_events = 500 })
    check(disk, { us = before }, to)
    assert.equal(2, scene.epoch(disk:dir "us"))
  end)
end)

describe("after a power failure at any call", function()
  local from, to = layout(1, 2), layout(2, 3, routing.hash())
  local disk, before = written(from, 24, { segment_bytes = 4096, batch = 3 })

  -- Crashes behind each call of a migration, and hands over what is left.
  local function crashes(each)
    local call, finished = 0, nil
    repeat
      local now = disk:copy()
      call = call + 1
      now:fault { last_call = now:calls() + call }
      finished = pcall(scene.migrate, from, to, settings(now, to.regions))
      now:fault()
      each(call % 3 == 0 and now:crash { way = 0 } or now:crash { seed = call }, call)
    until finished
    return call
  end

  it("it goes on to the new layout", function()
    local calls = crashes(function(now, call)
      local what = "call " .. call
      check(now, before, scene.epoch(now:dir "us") == 2 and to or from, what)
      local done, m = pcall(migrate.resume, settings(now, to.regions))
      if done then
        scene.run(m)
      elseif m.message ~= "no migration was begun here" then
        error(m, 0)
      else
        scene.migrate(from, to, settings(now, to.regions))
      end
      check(now, before, to, what)
      assert.equal(2, scene.epoch(now:dir "us"))
    end)
    assert.is_true(calls > 150)
  end)

  it("it can be given up, and another one begun", function()
    local third = layout(3, 3, routing.hash())
    local aborted = 0
    crashes(function(now, call)
      local what = "call " .. call
      local published = scene.epoch(now:dir "us") == 2
      local done, why = pcall(migrate.abort, settings(now, to.regions))
      if published then
        assert.matches("^epoch 2 is published in us and cannot be aborted", tostring(why))
        return
      elseif done then
        aborted = aborted + 1
        assert.equal(2, migrate.abort(settings(now, to.regions)))
        assert.matches("was aborted", raised(migrate.resume, settings(now, to.regions)))
      else
        assert.equal("no migration was begun here", why.message)
      end
      check(now, before, from, what)
      scene.migrate(from, third, settings(now, to.regions))
      check(now, before, third, what)
    end)
    assert.is_true(aborted > 100)
  end)
end)

-- Runs until a step of that name is done.
local function until_done(m, name)
  while m:step(0) do
    if m.step_now.name == name and m.step_now.done then return end
  end
end

describe("an error while a layout is published", function()
  local from, to = layout(1, 2, routing.hash()), layout(2, 3, routing.hash())

  -- Who did not see the rename must not write beside it.
  it("stops the writers of a home that was given", function()
    local failed, call = true, 0
    while failed do
      call = call + 1
      local disk, before = written(from, 20)
      local home = scene.must(core.wal.open(disk:dir "us", { layout = from }))
      local writers = {}
      for s = 0, 1 do writers[s] = scene.must(home:writer { shard = s }) end
      local m = migrate(from:diff(to)) { wal = { us = { dir = disk:dir "us", home = home } } }
      until_done(m, "verify")
      disk:fault { fail_call = disk:calls() + call }
      failed = not pcall(m.run, m)
      disk:fault()
      m:close()
      for n = 5001, 5010 do
        local event = scene.events(n, 1)[1]
        event.signal_type, event.weight = 1, 1
        writers[from:route(event.entity).value]:append { event }
      end
      local epoch = scene.epoch(disk:dir "us")
      if epoch == 2 then  -- to go on leaves the home as it is, also a given one
        local again = migrate.resume { wal = { us = { dir = disk:dir "us", home = home } } }
        scene.run(again)
        assert.is_true(pcall(home.commit, home))
      end
      local now = scene.live(disk:dir "us")
      assert.same({}, scene.faults(disk:dir "us", now, epoch == 2 and to or from))
      for event in pairs(before.us) do assert.truthy(now[event]) end
    end
    assert.is_true(call > 10)
  end)

  it("is not believed before the name is on disk", function()
    local names, call, finished = { "us", "eu" }, 0, false
    local two, three = layout(1, 2, nil, names), layout(2, 3, nil, names)
    while not finished do
      call = call + 1
      local disk, before = written(two, 8)
      disk = disk:crash { way = 0 }
      local m = migrate(two:diff(three))(settings(disk, three.regions))
      until_done(m, "cut over")
      disk:fault { last_call = disk:calls() + call }
      finished = pcall(m.run, m)
      local killed = disk:copy()  -- the cache is kept; then the power fails
      local again = migrate.resume(settings(killed, three.regions))
      pcall(until_done, again, "cut over")
      again:close()
      local after = killed:crash { way = 0 }
      scene.run(migrate.resume(settings(after, three.regions)))
      check(after, before, three, "call " .. call)
      assert.equal(2, scene.epoch(after:dir "eu"))
    end
  end)
end)

it("a log whose front is gone migrates from what is there", function()
  local from, to = layout(1, 2), layout(2, 3)
  local disk = written(from, 900, { segment_bytes = 4096, batch = 20 })
  local home = scene.must(core.wal.open(disk:dir "us", { layout = from }))
  for s = 0, 1 do
    local writer = scene.must(home:writer { shard = s })
    for _ = 1, 2 do scene.must(writer:checkpoint { seqno = 300 }) end
    assert.is_true(scene.must(writer:truncate(300)) > 0)
  end
  scene.must(home:close { clean = true })
  local before = scene.live(disk:dir "us")
  scene.migrate(from, to, { wal = dirs(disk, to.regions), lap_events = 50 })
  check(disk, { us = before }, to)
end)

it("a log keeps its segments until a migration that was left is over", function()
  local names = { "us", "eu" }
  local from, to = layout(1, 2, nil, names), layout(2, 3, nil, names)
  for _, how in ipairs { "resume", "abort" } do
    local disk = written(from, 900, { segment_bytes = 4096, batch = 20 })
    local function truncated(epoch)
      local home <close> = scene.must(core.wal.open(disk:dir "eu", { layout = epoch }))
      local writer <close> = scene.must(home:writer { shard = 0, region = 1 })
      for _ = 1, 2 do scene.must(writer:checkpoint { seqno = 300 }) end
      return scene.must(writer:truncate(300))
    end
    local m = migrate(from:diff(to))(settings(disk, to.regions))
    m:step(0)
    m:close()
    assert.equal(0, truncated(from))
    if how == "resume" then
      scene.run(migrate.resume(settings(disk, to.regions)))
      assert.is_true(truncated(to) > 0)
    else
      migrate.abort(settings(disk, to.regions))
      assert.is_true(truncated(from) > 0)
    end
  end
end)

it("random layouts and logs: there, and back", function()
  -- Other ones in each build that the tests run in: a thousand in all.
  local seed = ({ release = 1, ["lua5.4"] = 2, asan = 3 })[dofile "spec/support/build.lua".kind]
  local runs = tonumber(os.getenv "TIDAL_MIGRATIONS") or seed == 3 and 160 or 420
  prop.forall(prop.pair { regions = 1, shards = 6, name = "spec" }, prop.integer(0, 60),
              prop.integer(0, 2), prop.boolean(), { runs = runs, seed = seed },
              function(pair, count, tries, v1)
    local from, to = pair.from, pair.to
    prop.assume(#to.regions == 1 and from.regions[1].name == to.regions[1].name)
    local region = to.regions[1].name
    local disk = tidal.sim.disk { seed = count }
    if v1 then scene.put_v1(disk, region, 2) end
    scene.write(disk:dir(region), from, 0, scene.events(7, count), { segment_bytes = 4096 })
    local before = { [region] = scene.live(disk:dir(region)) }
    local options = settings(disk, to.regions,
                             v1 and { lap_events = 500, slice_bytes = 8000 })
    local epoch = to.epoch
    for _ = 1, tries do  -- given up half way: they leave no trace
      local m = migrate(from:diff(require "tidal.plan.draft".at_epoch(to, epoch)))(options)
      for step = 1, 4 + count % 5 do m:step(step) end
      m:close()
      if not migrate.status(options).regions[1].state:find "published" then
        migrate.abort(options)
        epoch = epoch + 1
      else
        return  -- it was short
      end
      assert.same({}, scene.faults(disk:dir(region), before[region]))
    end
    to = require "tidal.plan.draft".at_epoch(to, epoch)
    scene.migrate(from, to, options)
    check(disk, before, to)
    local back = require "tidal.plan.draft".at_epoch(from, epoch + 1)
    scene.migrate(to, back, options)
    if not v1 then check(disk, before, back) end
    assert.same({}, scene.faults(disk:dir(region), before[region], back))
  end)
end)
