-- home:migration: one directory on its way to the next layout, step by step,
-- over real files and over a simulated disk.
local churn = dofile "spec/support/churn.lua"
local collector = dofile "spec/support/collector.lua"
local core = require "tidal.core"
local raised = dofile "spec/support/raised.lua"
local scene = dofile "spec/support/migration.lua"
local script = dofile "spec/support/script.lua"
local tidal = require "tidal"
local wal = core.wal

local must = scene.must

local function layout(epoch, shards)
  return tidal.cluster { name = "spec", epoch = epoch, regions = { "us" }, shards = shards,
                         routing = tidal.routing.even(), leaders = "all" }
end

local FROM <const>, TO <const> = layout(1, 2), layout(2, 3)
local EVENTS <const> = 30
local SIZE <const> = 1000  -- about that of what is collected

local function event(id)
  return { entity = id, signal_type = 1, weight = 1, timestamp_ns = 1 }
end

-- f(directory, simulated disk or nil) over both.
local function both(f)
  local disk <close> = tidal.sim.disk { seed = 1 }
  scene.write(disk:dir "us", FROM, 0, scene.events(1, EVENTS))
  f(disk:dir "us", disk)
  script.within({}, function(dir)
    scene.write(dir .. "/us", FROM, 0, scene.events(1, EVENTS))
    f(dir .. "/us")
  end)
end

local function open(dir) return must(wal.open(dir, { layout = FROM })) end

-- Where logs ended when their migration made its first lap.
local starts = setmetatable({}, { __mode = "k" })

-- Everything that is there is copied in one lap; what was copied before, again.
local function lap(m, bytes)
  local list = {}
  starts[m] = starts[m] or {}
  for _, log in ipairs(must(m:logs())) do
    local s = log.log.shard.value
    starts[m][s] = starts[m][s] or log.last
    list[#list + 1] = { shard = s, start = starts[m][s], upto = starts[m][s] }
  end
  m:set(list)
  assert.is_true(must(m:lap()))
  local steps = 0
  repeat
    local more, err = m:step(bytes or 1 << 20)
    if more == nil then error(err, 0) end
    steps = steps + 1
  until not more
  return steps
end

local function check(m, shard, after, bytes)
  assert.is_true(must(m:check(shard, after)))
  repeat
    local more, err = m:check_step(bytes or 1 << 20)
    if more == nil then error(err, 0) end
  until not more
  return m:found()
end

describe("a migration of a directory", function()
  it("knows its logs, moves, counts, holds and publishes", function()
    both(function(dir)
      local home <close> = open(dir)
      local before = scene.live(dir)
      local m <close> = must(home:migration(TO))
      local logs = must(m:logs())
      assert.equal(3, #logs)
      local total = 0
      for s, log in ipairs(logs) do
        assert.equal(core.log(0, s - 1), log.log)
        assert.equal(s < 3, log.there)
        total = total + log.last
      end
      assert.equal(EVENTS, total)
      assert.same({ 0, 0 }, { m:bytes() })
      assert.is_true(lap(m, 50) > 5)
      local read, written = m:bytes()
      assert.equal(EVENTS * 21, read)
      local moved, sum = m:moved(), 0
      for _, log in ipairs(moved) do
        sum = sum + log.count
        local found = check(m, log.log.shard, logs[log.log.shard.value + 1].last, 20)
        assert.same({ log.count, log.low, log.high }, { found.count, found.low, found.high })
        assert.equal(log.next, found.count > 0 and found.last or log.next)
      end
      assert.equal(written, sum * 21)
      assert.is_true(sum > 5)
      assert.same(before, (scene.live(dir)))
      assert.is_true(must(m:hold()))
      assert.is_true(must(m:publish(TO:text())))
      m:let_go()
      m:let_go()
      assert.is_true(m:close())
      assert.is_true(m:close())
      assert.equal(2, scene.epoch(dir))
      assert.same({}, scene.faults(dir, before, TO))
    end)
  end)

  it("neither copies nor cuts a log that set() does not name", function()
    both(function(dir)
      local before = scene.live(dir)
      local home <close> = open(dir)
      local m <close> = must(home:migration(TO))
      m:set {}
      assert.is_true(must(m:lap()))
      assert.is_false(must({ m:step(1000) })[1])
      must(m:hold())
      must(m:publish(TO:text()))
      m:close()
      assert.same({}, scene.faults(dir, before))
    end)
  end)

  it("takes from set() what is on disk already, and skips it", function()
    both(function(dir)
      local home <close> = open(dir)
      local m = must(home:migration(TO, { flush_bytes = 21 }))
      lap(m)
      local first = m:moved()
      must(m:close())
      m = must(home:migration(TO:text(), { resume = true, region = 0, flush_bytes = 21 }))
      local list, start = {}, {}
      for _, log in ipairs(must(m:logs())) do
        local s = log.log.shard.value
        for _, one in ipairs(first) do
          if one.log == log.log then start[s] = log.last - one.count end
        end
        list[#list + 1] = { shard = s, start = start[s], upto = start[s],
                            skip = check(m, s, start[s]).count }
      end
      m:set(list)
      must(m:lap())
      while must({ m:step(100) })[1] do end
      local again = m:moved()
      for i, one in ipairs(first) do
        assert.same({ one.log, one.count, one.low, one.high, one.left },
                    { again[i].log, again[i].count, again[i].low, again[i].high, again[i].left })
      end
      assert.equal(0, select(2, m:bytes()))
    end)
  end)

  it("holds writers: whatever they do raises until let_go", function()
    both(function(dir)
      local home <close> = open(dir)
      local writer = must(home:writer { shard = 0 })
      local add = writer:bind()
      local m <close> = must(home:migration(TO))
      assert.is_true(must(m:hold()))
      assert.equal("it is held already", raised(m.hold, m))
      local HELD <const> = "a migration holds the logs until let_go()"
      for _, call in ipairs {
        { writer.append, { event(1) } }, { writer.append_each, { event(1) } },
        { writer.add, 1, 1, 1, 1 }, { writer.commit }, { writer.sync }, { writer.durable },
        { writer.discard }, { writer.checkpoint, { seqno = 0 } }, { writer.truncate, 0 },
        { writer.bind }, { writer.recovery }, { writer.log },
      } do
        assert.equal(HELD, raised(call[1], writer, table.unpack(call, 2)))
      end
      assert.equal(HELD, raised(add, 1, 1, 1, 1))
      assert.equal(HELD, raised(home.commit, home))
      m:let_go()
      assert.is_true(must(writer:sync()))
      assert.equal(1 + must(writer:durable()), must(writer:append { event(1) }))
      add(2, 1, 1, 1)
      assert.equal(1, must(home:commit())[1].events)
    end)
  end)

  it("goes on when writers are opened and closed beside it", function()
    both(function(dir)
      local home <close> = open(dir)
      local before = scene.live(dir)
      local writer = must(home:writer { shard = 0 })
      local m <close> = must(home:migration(TO))
      must(writer:close())
      assert.equal(3, #must(m:logs()))
      local first = must(home:writer { shard = 0 })  -- the migration had it open
      local second = must(home:writer { shard = 2 })
      lap(m)
      must(m:hold())
      local third, err = home:writer { shard = 1 }
      assert.same({ nil, "locked" }, { third, err.code })
      must(first:close())
      must(second:close())
      must(m:publish(TO))
      m:let_go()
      assert.same({}, scene.faults(dir, before, TO))
    end)
  end)

  it("is closed with its home, and then its methods say so", function()
    both(function(dir)
      local home = open(dir)
      local writer <const> = must(home:writer { shard = 1 })
      local m <close> = must(home:migration(TO))
      must(m:hold())
      must(home:close())
      assert.equal("the writer is closed", raised(writer.sync, writer))
      local CLOSED <const> = "the migration is closed"
      for _, call in ipairs {
        { m.logs }, { m.set, {} }, { m.lap }, { m.step, 1 }, { m.moved }, { m.bytes },
        { m.check, 0, 0 }, { m.check_step, 1 }, { m.found }, { m.hold }, { m.let_go },
        { m.publish, TO },
      } do
        assert.equal(CLOSED, raised(call[1], m, table.unpack(call, 2)))
      end
      assert.is_true(m:close())
      assert.equal("the directory is closed", raised(home.migration, home, TO))
      assert.equal(1, scene.epoch(dir))
    end)
  end)

  it("is collected, held or not, in any order, and gives all up", function()
    both(function(dir)
      local before = scene.live(dir)
      for i = 1, 12 do
        local home = open(dir)
        local writer = i % 2 == 0 and must(home:writer { shard = 0 }) or nil
        do
          local m = must(home:migration(TO, { resume = i > 1 }))
          if i % 3 == 0 then must(m:hold()) end
          if i % 4 == 0 then must(m:logs()) m:set {} must(m:lap()) end
          m = nil
        end
        if i % 5 < 3 then
          churn(SIZE)
          if writer then assert.equal(must(writer:append { event(1) }) + 0, writer:durable()) end
          assert.is_true(must(must(home:migration(TO, { resume = true })):close()))
        end
        home, writer = nil, nil
        churn(SIZE)
      end
      local _, count = scene.live(dir)
      assert.is_true(count > EVENTS)
      for line in pairs(before) do assert.truthy(scene.live(dir)[line]) end
      assert.equal(1, scene.epoch(dir))
    end)
  end)
end)

describe("a migration of a directory is refused", function()
  it("beside another one", function()
    both(function(dir)
      local home <close> = open(dir)
      local m <close> = must(home:migration(TO))
      assert.equal("a migration is open in this directory", raised(home.migration, home, TO))
      must(m:close())
      must(must(home:migration(TO)):close())
    end)
  end)

  it("to an epoch that is not higher, or with a text that is no layout", function()
    both(function(dir)
      local home <close> = open(dir)
      local m, err = home:migration(FROM)
      assert.same({ nil, "epoch" }, { m, err.code })
      m, err = home:migration "no layout\n"
      assert.is_nil(m)
      assert.is_true(core.is_error(err))
      must(must(home:migration(TO)):close())
    end)
  end)

  it("when its epoch was used before", function()
    both(function(dir)
      local home <close> = open(dir)
      local m = must(home:migration(TO))
      lap(m)
      must(m:close())
      m = must(home:migration(TO))
      local list = {}
      for _, log in ipairs(must(m:logs())) do
        list[#list + 1] = { shard = log.log.shard.value, start = log.last, upto = log.last }
      end
      m:set(list)
      must(m:lap())
      local more, err
      repeat more, err = m:step(1 << 20) until not more
      assert.same({ nil, "dead" }, { more, err.code })
      assert.matches("wal%-.*earlier migration left", tostring(err))
      must(m:close())
    end)
  end)

  it("a lap ahead of the log; a check of a log that is none", function()
    both(function(dir)
      local home <close> = open(dir)
      local m <close> = must(home:migration(TO))
      m:set { { shard = 0, upto = "18446744073709551615" } }
      local done, err = m:lap()
      assert.same({ nil, "ahead" }, { done, err.code })
      done, err = m:check(9, 0)
      assert.same({ nil, "out_of_range" }, { done, err.code })
      assert.equal("logs[2]: s9 is no log of this directory or layout",
                   raised(m.set, m, { { shard = 0, upto = 1 }, { shard = 9 } }))
      done, err = m:lap()   -- and nothing was changed
      assert.same({ nil, "ahead" }, { done, err.code })
      m:set {}
      assert.is_true(must(m:lap()))
      assert.is_false(m:step(1))
      assert.same({}, m:moved())
    end)
  end)

  it("to publish what is not held, or another layout than the prepared one", function()
    both(function(dir)
      local home <close> = open(dir)
      local m <close> = must(home:migration(TO))
      assert.equal("hold() comes before publish()", raised(m.publish, m, TO))
      must(m:hold())
      local done, err = m:publish(layout(2, 4))
      assert.is_nil(done)
      assert.is_true(core.is_error(err))
      assert.equal(1, scene.epoch(dir))
    end)
  end)

  local wrong = {
    { "an option that is none", { TO, { regions = 1 } }, "regions" },
    { "a region that is none", { TO, { region = "x" } }, "region" },
    { "a number that is too small", { TO, { flush_bytes = 0 } }, "flush_bytes.*1" },
    { "a number that is too large", { TO, { flush_bytes = 1 << 40 } }, "flush_bytes" },
    { "resume that is no boolean", { TO, { resume = 1 } }, "resume" },
    { "options that are no table", { TO, 5 }, "a table { region =, flush_bytes =, resume = }" },
    { "no layout", {}, "a layout or the text of a layout file" },
    { "a plan", { FROM:diff(TO) }, "a layout or the text of a layout file" },
  }
  for _, row in ipairs(wrong) do
    it("with " .. row[1], function()
      both(function(dir)
        local home <close> = open(dir)
        assert.matches(row[3], raised(home.migration, home, table.unpack(row[2])))
        must(must(home:migration(TO)):close())
      end)
    end)
  end

  it("on a disk that is full: raises nothing, says so, and goes on later", function()
    local disk <close> = tidal.sim.disk { seed = 1 }
    local dir = disk:dir "us"
    scene.write(dir, FROM, 0, scene.events(1, EVENTS))
    local before = scene.live(dir)
    local home <close> = open(dir)
    local m <close> = must(home:migration(TO))
    disk:fault { capacity = 1 }
    local ok, err = pcall(lap, m)
    assert.is_false(ok)
    assert.matches("No space left on device", tostring(err))
    disk:fault()
    lap(m)
    must(m:hold())
    must(m:publish(TO))
    m:let_go()
    assert.same({}, scene.faults(dir, before, TO))
  end)
end)

-- Fields, methods and finalizers run in the middle of a call.
describe("whoever closes it in the middle of a call", function()
  local NEXT <const> = TO:text()

  local function fields_that(f)
    return setmetatable({}, { __index = function() f() return nil end })
  end

  local function text_that(f)
    return setmetatable({ text = function() f() return NEXT end }, { __name = "tidal.Layout" })
  end

  local function with(f)
    local disk <close> = tidal.sim.disk { seed = 1 }
    scene.write(disk:dir "us", FROM, 0, scene.events(1, EVENTS))
    local home <close> = open(disk:dir "us")
    f(home)
  end

  it("is told: the home by an option or by the layout", function()
    local CLOSED <const> = "the directory is closed"
    with(function(home)
      local function close() home:close() end
      assert.equal(CLOSED, raised(home.migration, home, NEXT, fields_that(close)))
    end)
    with(function(home)
      assert.equal(CLOSED, raised(home.migration, home, text_that(function() home:close() end)))
    end)
    with(function(home)
      local m
      local text = text_that(function() m = must(home:migration(NEXT)) end)
      assert.equal("a migration is open in this directory", raised(home.migration, home, text))
      must(m:close())
    end)
  end)

  it("is told: the migration by a field of set() or by what is published", function()
    local CLOSED <const> = "the migration is closed"
    with(function(home)
      local m = must(home:migration(NEXT))
      local log = setmetatable({ shard = 0 }, { __index = function() m:close() end })
      assert.equal(CLOSED, raised(m.set, m, { log }))
      m = must(home:migration(NEXT))
      must(m:hold())
      assert.equal(CLOSED, raised(m.publish, m, text_that(function() m:close() end)))
    end)
  end)

  it("is told: a finalizer", collector(function()
    for _, name in ipairs { "logs", "moved", "found" } do
      with(function(home)
        local m = must(home:migration(NEXT))
        local call = m[name]
        for round = 1, 40 do
          setmetatable({}, { __gc = function() m:close() end })
          collectgarbage("incremental", 100 + round, 100 + round)
          for _ = 1, 200 do
            if raised(call, m) then break end
          end
          if raised(call, m) then
            assert.equal("the migration is closed", raised(call, m))
            m = must(home:migration(NEXT))
          end
        end
        m:close()
      end)
    end
  end))
end)
