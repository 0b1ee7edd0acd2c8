-- A migration under way: its options, its journals, turns, and its rate.
local migrate = require "tidal.migrate"
local migration = require "tidal.migrate.migration"
local raised = dofile "spec/support/raised.lua"
local record = require "tidal.migrate.record"
local scene = dofile "spec/support/migration.lua"
local tidal = require "tidal"

local function layout(epoch, shards)
  return tidal.cluster { name = "spec", epoch = epoch, regions = { "us", "eu", "ap" },
                         shards = shards, routing = tidal.routing.even(), leaders = "all" }
end

local FROM <const>, TO <const> = layout(1, 2), layout(2, 3)

local function new(more)
  local disk = tidal.sim.disk { seed = 1 }
  local options = { wal = {}, slice_bytes = 100 }
  for i, region in ipairs { "us", "eu", "ap" } do
    scene.write(disk:dir(region), FROM, i - 1, scene.events(i * 1000, 40))
    options.wal[region] = disk:dir(region)
  end
  for key, value in pairs(more or {}) do options[key] = value end
  return migrate(FROM:diff(TO))(options), disk
end

describe("the options of a migration", function()
  local wrong = {
    { nil, "{ wal = { [region] = directory } } expected" },
    { {}, "{ wal = { [region] = directory } } expected" },
    { { wal = "us" }, "{ wal = { [region] = directory } } expected" },
    { { wal = {}, rates = 1 }, "unknown option rates" },
    { { wal = {}, rate = "quick" }, "rate: " },
    { { wal = {}, node_rate = "1" }, "node_rate: " },
    { { wal = {}, link_rate = 5 }, "link_rate: " },
    { { wal = {}, concurrency = 0 }, "concurrency is a number of regions, 1 or more" },
    { { wal = {}, concurrency = 1.0 }, "concurrency is a number of regions, 1 or more" },
    { { wal = {}, concurrency = "1" }, "concurrency is a number of regions, 1 or more" },
  }
  for i, row in ipairs(wrong) do
    it("are refused: " .. i, function()
      local why = raised(migration.check_options, row[1])
      assert.matches("tidal.migrate: " .. row[2], why, 1, true)
    end)
  end

  it("are a copy, the rate in bytes", function()
    local given = { wal = { us = "a" }, rate = "30MB/s", concurrency = 2 }
    local out = migration.check_options(given)
    assert.equal("30MB/s", given.rate)
    assert.same({ 30000000, 2, given.wal }, { out.rate, out.concurrency, out.wal })
  end)

  it("are refused where there is no plan", function()
    assert.matches("tidal.migrate%(plan%): what from:diff%(to%) gives expected",
                   raised(migrate, FROM))
  end)
end)

describe("a migration", function()
  it("is begun once: a journal in the first directory, and who has it in the others", function()
    local m, disk = new()
    assert.is_nil(m.journal)
    m:begin()
    local before = disk:hash()
    m:begin()
    assert.equal(before, disk:hash())
    m:close()
    m:close()
    local first = record.open(disk:dir "us", 2, "read")
    assert.equal("spec", first.state.begin.name)
    first:close()
    local ids = {}
    for _, region in ipairs { "eu", "ap" } do
      local journal = record.open(disk:dir(region), 2, "read")
      assert.equal("us", journal.state.part.main)
      ids[#ids + 1] = journal.state.part.id
      journal:close()
    end
    assert.same({ ids[1], ids[1] }, ids)
  end)

  it("notes its end in every directory, the first one first", function()
    local m, disk = new()
    local order = {}
    m:run { progress = function()
      for _, region in ipairs { "us", "eu", "ap" } do
        local journal = record.open(disk:dir(region), 2, "read")
        if journal.state.finished then order[#order + 1] = region end
        journal:close()
      end
    end }
    assert.same({ "us", "eu", "ap" }, order)
  end)

  it("takes turns between as many regions as it may, and cuts one by one", function()
    for most = 1, 3 do
      local m = new { concurrency = most }
      local last, seen, cuts = {}, 0, {}
      m:run { progress = function(now)
        local step = now.step_now
        if step.name == "copy" then
          last[#last + 1] = step.region
          local different = {}
          for i = math.max(1, #last - most + 1), #last do different[last[i]] = true end
          local count = 0
          for _ in pairs(different) do count = count + 1 end
          seen = math.max(seen, count)
        elseif step.name == "cut over" and step.done then
          cuts[#cuts + 1] = step.region
        end
      end }
      assert.equal(most, seen)
      assert.same({ "us", "eu", "ap" }, cuts)
    end
  end)

  it("waits as its rate wants, by the clock it is given", function()
    local m = new { rate = "1kB/s" }
    local now, waited = 100, 0
    while true do
      local more, wait = m:step(now)
      if not more then break end
      assert.is_true(wait >= 0)
      now, waited = now + wait, waited + wait
    end
    assert.is_true(m.read > 3 * 40 * 21)
    assert.is_true(math.abs(waited - m.read / 1000) < 1e-6)
  end)

  it("waits for what it read, not for what it may read at once", function()
    local m = new { rate = "1kB/s", slice_bytes = 1 << 20 }
    local now = 0
    repeat
      local more, wait = m:step(now)
      now = now + (wait or 0)
    until not more
    assert.is_true(m.read >= 2 * 3 * 13 * 21 and m.read < 3 * 3 * 40 * 21)
    assert.is_true(now <= m.read / 1000 + 1e-6)
  end)

  it("lets the others go on while one directory has read enough", function()
    local m = new { node_rate = "1kB/s" }
    local now, read = 0, {}
    m.pace:spend({ region = "us" }, 3000, 0)
    for _ = 1, 200 do
      local before = m.read or 0
      local more, wait = m:step(now)
      assert.is_true(more)
      local step = m.step_now
      if step and m.read and m.read > before then
        read[step.region] = (read[step.region] or 0) + m.read - before
        -- A slice more at most.
        assert.is_true(read[step.region] - 120 <= now * 1000)
      end
      now = now + wait
      if now < 3 then assert.is_nil(read.us) end
      if read.us then break end
    end
    assert.is_true(read.us > 0 and read.eu > 800 and read.ap > 800)
    m:close()
  end)

  it("without a rate does not wait", function()
    local m = new()
    local more, wait = m:step(1)
    assert.same({ true, nil }, { more, wait })
    m:close()
  end)

  it("sleeps in run, and tells its progress", function()
    local m = new { rate = "1kB/s" }
    local now, calls = 0, 0
    m:run { clock = function() return now end, sleep = function(s) now = now + s end,
            progress = function(one) calls = calls + 1 assert.equal(m, one) end }
    assert.is_true(calls > 20)
    assert.is_true(math.abs(now - m.read / 1000) < 1e-6)
  end)

  it("knows the place of a region", function()
    local m = new()
    assert.equal("eu", m:place("eu").region)
    assert.is_nil(m:place "mars")
  end)
end)
