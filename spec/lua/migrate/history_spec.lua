-- A migration that was begun: found again by its journal, gone on with, given
-- up, asked for.
local core = require "tidal.core"
local history = require "tidal.migrate.history"
local migrate = require "tidal.migrate"
local raised = dofile "spec/support/raised.lua"
local record = require "tidal.migrate.record"
local scene = dofile "spec/support/migration.lua"
local tidal = require "tidal"

local function layout(epoch, shards)
  return tidal.cluster { name = "spec", epoch = epoch, regions = { "us", "eu" }, shards = shards,
                         routing = tidal.routing.even(), leaders = "all" }
end

local FROM <const>, TO <const> = layout(1, 2), layout(2, 3)

-- Directories on a disk, and a migration of them that was begun and left.
local function begun(steps)
  local disk = tidal.sim.disk { seed = 1 }
  local options = { wal = {}, lap_events = 10, slice_bytes = 100, rest_events = 5 }
  local before = {}
  for i, region in ipairs { "us", "eu" } do
    scene.write(disk:dir(region), FROM, i - 1, scene.events(i * 1000, 40))
    options.wal[region] = disk:dir(region)
    before[region] = scene.live(disk:dir(region))
  end
  local m = migrate(FROM:diff(TO))(options)
  if steps then m:begin() end
  local at = 0
  while steps and steps ~= at and not (type(steps) == "function" and steps(m)) do
    at = at + 1
    if not m:step(at) then break end
  end
  m:close()
  return disk, options, before
end

local function states(options)
  local status = history.status(options)
  return { status.state, status.regions[1].state, status.regions[2].state }
end

local function has(region, what)
  return function(m) return m:place(region):state()[what] end
end

describe("where a migration is", function()
  it("is said from the journal and the directories", function()
    local rows = {
      { 0, { "running", "waiting", "waiting" } },
      { function(m) return m:place("us"):state().laps > 0 end,
        { "running", "copying", "waiting" } },
      { has("us", "published"), { "running", "published", "copying" } },
      { 1 << 40, { "finished", "published", "published" } },
    }
    for _, row in ipairs(rows) do
      local disk, options = begun(row[1])
      local before = disk:hash()
      assert.same(row[2], states(options))
      assert.equal(before, disk:hash())
      local status = history.status(options)
      assert.same({ 1, 2, "spec", "us", "eu" }, { status.from, status.epoch, status.name,
                  status.regions[1].region, status.regions[2].region })
    end
  end)

  it("is nowhere where none was begun", function()
    local disk, options = begun()
    for _, ask in ipairs { history.status, history.resume, history.abort } do
      assert.equal("no migration was begun here", raised(ask, options))
    end
    record.open(disk:dir "us", 9, "create"):close()   -- a crash before its first line
    assert.equal("no migration was begun here", raised(history.status, options))
  end)

  it("wants every region's directory", function()
    local disk, options = begun(3)
    local eu = options.wal.eu
    options.wal.eu = nil
    assert.equal("wal.eu: is missing: the migration that is under way has this region, too",
                 raised(history.status, options))
    options.wal = { eu = eu }
    assert.equal("the journal of the migration to epoch 2 is in us's directory: give all regions",
                 raised(history.status, options))
    options.wal = { us = disk:dir "none" }   -- perhaps a region that is to come
    assert.equal("no migration was begun here", raised(history.status, options))
    assert.equal("us: cannot read the directory none: No such file or directory; give the one "
                 .. "that holds the segments (wal-*.seg) of us", raised(history.resume, options))
  end)

  it("says which journal lost its first line", function()
    local disk, options = begun(3)
    local name = "migration-0000000002.journal"
    local bytes = disk:read("us", name)
    disk:write("us", name, "x" .. bytes:match "[^\n]+\n":sub(2))
    assert.equal("us=us: the first line of " .. name .. " is gone, which the migration to epoch 2 "
                 .. "lives by: restore it from a copy", raised(history.status, options))
  end)
end)

describe("going on", function()
  it("ends in the new layout; then there is nothing to do", function()
    local disk, options, before = begun(6)
    scene.run(history.resume(options))
    for _, region in ipairs { "us", "eu" } do
      assert.same({}, scene.faults(disk:dir(region), before[region], TO))
    end
    local calls = disk:hash()
    local m = history.resume(options)
    for _, step in ipairs(m.steps) do assert.is_true(step.done) end
    assert.is_false(m:step(1))
    m:close()
    assert.equal(calls, disk:hash())
  end)

  it("is not possible after it was given up", function()
    local _, options = begun(6)
    history.abort(options)
    assert.equal("the migration to epoch 2 was aborted: begin a new one with a higher epoch",
                 raised(history.resume, options))
    assert.same("aborted", states(options)[1])
  end)
end)

describe("giving up", function()
  it("leaves the old layout, and may be said twice", function()
    local disk, options, before = begun(8)
    for _ = 1, 2 do assert.equal(2, history.abort(options)) end
    for _, region in ipairs { "us", "eu" } do
      assert.same({}, scene.faults(disk:dir(region), before[region], FROM))
      local journal = record.open(disk:dir(region), 2, "read")
      assert.is_true(journal.state.aborted)
      journal:close()
    end
  end)

  it("is refused once a directory is published, with the way back", function()
    local _, options = begun(has("us", "published"))
    local BACK <const> = "The way back is a migration to the old layout under epoch 3"
    assert.equal("epoch 2 is published in us and cannot be aborted. --resume goes on. " .. BACK,
                 raised(history.abort, options))
    scene.run(history.resume(options))
    assert.equal("epoch 2 is published in us, eu and cannot be aborted. " .. BACK,
                 raised(history.abort, options))
  end)

  it("is refused while somebody has a directory", function()
    local disk, options = begun(4)
    local home = scene.must(core.wal.open(disk:dir "eu"))
    assert.matches("locked", raised(history.abort, options))
    assert.equal("running", history.status(options).state)
    home:close()
    assert.equal(2, history.abort(options))
  end)
end)

describe("whether it was finished", function()
  it("is known of the very same migration alone", function()
    local _, options = begun(1 << 40)
    local found = history.finished(FROM:diff(TO), options.wal)
    assert.equal("spec", found.task.name)
    assert.is_nil(history.finished(FROM:diff(layout(2, 4)), options.wal))
    assert.is_nil(history.finished(FROM:diff(layout(3, 3)), options.wal))
    assert.is_nil(history.finished(layout(1, 4):diff(TO), options.wal))
    local _, half = begun(5)
    assert.is_nil(history.finished(FROM:diff(TO), half.wal))
    local _, none = begun()
    assert.is_nil(history.finished(FROM:diff(TO), none.wal))
  end)
end)

describe("after the last line of the journal", function()
  it("the other directories are told, when it is gone on with", function()
    local disk, options = begun(function(m) return m.steps[6].done end)
    local journal = record.open(disk:dir "us", 2, "write")
    journal:note(record.line "finished")
    journal:close()
    local function told()
      local part = record.open(disk:dir "eu", 2, "read")
      part:close()
      return part.state.finished
    end
    assert.is_nil(told())
    history.resume(options):close()
    assert.is_true(told())
  end)
end)

it("two regions may come at once", function()
  local wide = tidal.cluster { name = "spec", epoch = 2, regions = { "us", "eu", "ap", "sa" },
                               shards = 2, routing = tidal.routing.even(), leaders = "all" }
  local disk, options, before = begun(nil)
  options.wal.ap, options.wal.sa = disk:dir "ap", disk:dir "sa"
  scene.run(migrate(FROM:diff(wide))(options))
  for _, region in ipairs { "ap", "sa" } do
    assert.same({}, scene.faults(disk:dir(region .. "/from-r00000"), before.us, wide))
    assert.same({}, scene.faults(disk:dir(region .. "/from-r00001"), before.eu, wide))
  end
end)

it("a log whose writer died is mended before it is handed over", function()
  local wide = tidal.cluster { name = "spec", epoch = 2, regions = { "us", "eu", "ap" },
                               shards = 2, routing = tidal.routing.even(), leaders = "all" }
  local disk, options, before = begun(nil)
  options.wal.ap = disk:dir "ap"
  local m = migrate(FROM:diff(wide))(options)
  while not (m.step_now and m.step_now.name == "open" and m.step_now.done) do m:step(0) end
  m:close()
  -- A write that was cut off, in a log that was not closed.
  local home = scene.must(core.wal.open(disk:dir "us", { layout = wide }))
  local writer = scene.must(home:writer { shard = 0 })
  scene.must(home:close { clean = false })
  assert.is_not_nil(writer)
  local name
  for _, file in ipairs(disk:files "us") do
    if file.name:find "^wal%-0.*%.seg$" then name = file.name end
  end
  local bytes = disk:read("us", name)
  disk:write("us", name, bytes .. bytes:sub(1, 30))
  scene.run(history.resume(options))
  assert.same({}, scene.faults(disk:dir "ap/from-r00000", before.us, wide))
end)
