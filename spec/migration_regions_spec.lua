-- Regions that come and go: whole logs are handed over.
local core = require "tidal.core"
local dirs = dofile "spec/support/migration_dirs.lua"
local gen = dofile "spec/support/gen.lua"
local migrate = require "tidal.migrate"
local processes = dofile "spec/support/process.lua"
local raised = dofile "spec/support/raised.lua"
local scene = dofile "spec/support/migration.lua"

local layout, settings, written = scene.layout, scene.settings, scene.written

describe("regions", function()
  it("that come get the logs of the others, as they lie there", function()
    local names = { "us", "eu" }
    local from, to = layout(1, 2, nil, names), layout(2, 3, nil, { "us", "eu", "ap" })
    local disk, before = written(from, 30)
    scene.put_v1(disk, "us", 2)
    before.us = scene.live(disk:dir "us")
    local m = migrate(from:diff(to))(settings(disk, to.regions))
    m:run()
    assert.same({}, scene.all_faults(disk, before, layout(2, 3, nil, names)))
    assert.equal(2, scene.epoch(disk:dir "ap"))
    for i, name in ipairs(names) do
      local copy = disk:dir("ap/from-r0000" .. i - 1)
      assert.same({}, scene.faults(copy, before[name], to))
      assert.equal(2, scene.epoch(copy))
    end
    local home <close> = scene.must(core.wal.open(disk:dir "ap", { layout = to }))
    scene.must(home:writer { shard = 2, region = 2 })
  end)

  it("that go leave their logs to one that stays", function()
    local from, to = layout(1, 2, nil, { "us", "eu" }), layout(2, 3, nil, { "us" })
    local disk, before = written(from, 30)
    assert.matches("wal.eu: is missing: every region's directory is needed",
                   raised(scene.migrate, from, to, settings(disk, to.regions)))
    scene.migrate(from, to, settings(disk, from.regions))
    assert.same({}, scene.faults(disk:dir "us", before.us, to))
    assert.same({}, scene.faults(disk:dir "us/from-r00001", before.eu, to))
  end)

  it("that go take nothing more from the cut on, and say why", function()
    local from, to = layout(1, 2, nil, { "us", "eu" }), layout(2, 2, nil, { "us" })
    local disk = written(from, 8)
    local home <close> = scene.must(core.wal.open(disk:dir "eu", { layout = from }))
    local writer <close> = scene.must(home:writer { region = 1 })
    local event = { entity = 4, timestamp_ns = 1, signal_type = 1, weight = 1 }
    scene.must(writer:append { event })
    scene.migrate(from, to, settings(disk, {}, { wal = {
      us = disk:dir "us", eu = { dir = disk:dir "eu", home = home },
    } }))
    local first, err = writer:append { event }
    assert.same({ nil, "region" }, { first, err.code })
    assert.equal("layout-0000000002.json: region: region r1 is none of the 1 regions of the "
                 .. "layout: nothing more is written to its logs", tostring(err))
  end)

  it("keep their numbers", function()
    local from = layout(1, 2, nil, { "us", "eu" })
    local disk = written(from, 3)
    assert.matches("^us: goes, and eu would take its number r0: only the last regions can go\n"
                   .. "eu: is r1 and would be r0",
                   raised(scene.migrate, from, layout(2, 2, nil, { "eu" }),
                          settings(disk, from.regions)))
  end)

  it("keep their logs apart from those of an earlier region of their number", function()
    local one, two = { "us" }, { "us", "eu" }
    local disk, before = written(layout(1, 2, nil, two), 30)
    scene.migrate(layout(1, 2, nil, two), layout(2, 2, nil, one), settings(disk, {}, {
      wal = { us = disk:dir "us", eu = disk:dir "eu" } }))
    local ap = { "us", "ap" }
    local wal = { us = disk:dir "us", ap = disk:dir "ap" }
    scene.migrate(layout(2, 2, nil, one), layout(3, 2, nil, ap), settings(disk, {}, { wal = wal }))
    assert.matches("ap: from%-r00001: occupied: directory holds the logs of an earlier copy",
                   raised(scene.migrate, layout(3, 2, nil, ap), layout(4, 2, nil, one),
                          settings(disk, {}, { wal = wal })))
    assert.same({}, scene.faults(disk:dir "us/from-r00001", before.eu))
  end)
end)

-- --- real directories, kill -9 ---------------------------------------------

local WHOLE <const> = dofile "spec/support/build.lua".kind == "release"
local SCENES <const> = os.getenv "TIDAL_SOAK" and 200 or WHOLE and 3 or 1

-- What is in a copy of logs: nothing that was not in them, nothing twice.
local function check_copy(path, want)
  local done, now, _, twice = pcall(scene.live, path)
  if not done then return end  -- nothing is there yet, or not all of a segment
  assert.same({}, twice)
  for event in pairs(now) do assert.truthy(want[event], event) end
end

-- Runs a migration from e1 to e2 that is killed and gone on with until it ends.
-- Gives how often it was killed.
local function killed(here, rng, check)
  local words = here:words("--from", here:path "e1.lua", "--to", here:path "e2.lua", "--apply",
                           "--trust", "--rate", "150kB/s")
  for kills = 0, 200 do
    local process = processes.start(words, here:path "err")
    process:signal("KILL", rng:int(10, 150 + 60 * kills) / 1000)
    local exit = process:finish()
    assert.is_true(exit == 137 or exit == 0, dirs.read(here:path "err"))
    check()
    if exit == 0 then return kills end
    local begun = here:run "--status" == 0
    if begun then words = here:words("--resume", "--rate", "150kB/s") end
  end
  error "it never ends"
end

-- The directories of regions hold what they held.
local function check_own(here, names)
  for _, region in ipairs(names) do
    assert.same({}, scene.faults(here:path(region), here.before[region]))
    local sound, says = dirs.sound(here:path(region))
    assert.is_true(sound, says)
  end
end

describe("kill -9, again and again,", function()
  local rng = gen.stream "kill -9 of regions that come and go"

  it("a region that goes leaves all of its events, once", function()
    local kills = 0
    for _ = 1, SCENES do
      dirs.with({ count = 300, batch = 30 }, function(here)
        local to = here:layout(2, 3, { "us" })
        kills = kills + killed(here, rng, function()
          check_own(here, here.regions)
          check_copy(here:path "us/from-r00001", here.before.eu)
        end)
        assert.same({}, scene.faults(here:path "us", here.before.us, to))
        assert.same({}, scene.faults(here:path "us/from-r00001", here.before.eu, to))
      end)
    end
    assert.is_true(kills >= SCENES)
  end)

  it("a region that comes gets all that there was, once", function()
    local kills = 0
    for _ = 1, SCENES do
      dirs.with({ count = 300, batch = 30 }, function(here)
        local names = { "us", "eu" }
        here.regions = { "us", "eu", "ap" }
        local to = here:layout(2, 3)
        kills = kills + killed(here, rng, function()
          check_own(here, names)
          for i, name in ipairs(names) do
            check_copy(here:path("ap/from-r0000" .. i - 1), here.before[name])
          end
        end)
        for i, name in ipairs(names) do
          assert.same({}, scene.faults(here:path(name), here.before[name], to))
          assert.same({}, scene.faults(here:path("ap/from-r0000" .. i - 1), here.before[name], to))
        end
        assert.equal(2, scene.epoch(here:path "ap"))
      end)
    end
    assert.is_true(kills >= SCENES)
  end)
end)
