-- What must be true before a migration begins: each rule, all of them at once,
-- and nothing is changed by asking.
local core = require "tidal.core"
local migrate = require "tidal.migrate"
local record = require "tidal.migrate.record"
local scene = dofile "spec/support/migration.lua"
local script = dofile "spec/support/script.lua"
local tidal = require "tidal"

local function layout(changes)
  local fields = { name = "spec", epoch = 1, regions = { "us", "eu" }, shards = 2,
                   routing = tidal.routing.even(), leaders = "all" }
  for key, value in pairs(changes or {}) do fields[key] = value end
  return tidal.cluster(fields)
end

local FROM <const>, TO <const> = layout(), layout { epoch = 2, shards = 3 }

local function written(from)
  local disk = tidal.sim.disk { seed = 1 }
  for i, region in ipairs((from or FROM).regions) do
    scene.write(disk:dir(region.name), from or FROM, i - 1, scene.events(i * 1000, 20))
  end
  return disk, { us = disk:dir "us", eu = disk:dir "eu" }
end

-- The faults, one a line; "" where it may begin. The disk stays as it is, but
-- that a directory where nobody has ever written gets its LOCK.
local function faults(disk, wal, from, to)
  for _, dir in ipairs { "us", "eu" } do
    if #disk:files(dir) > 0 and not disk:read(dir, "LOCK") then disk:write(dir, "LOCK", "") end
  end
  local before = disk:hash()
  local m = migrate((from or FROM):diff(to or TO)) { wal = wal }
  local out = script.faults(m.check, m)
  assert.equal(before, disk:hash())
  assert.is_nil(m.journal)
  return out
end

describe("a migration may begin", function()
  it("where the published layout is the one it leads from", function()
    assert.equal("", faults(written()))
  end)

  it("where none is published yet", function()
    local disk = tidal.sim.disk { seed = 1 }
    scene.put_v1(disk, "us", 2)
    scene.put_v1(disk, "eu", 2)
    assert.equal("eu: mismatch: holds the logs r0:s0, none of eu, which is r1",
                 faults(disk, { us = disk:dir "us", eu = disk:dir "eu" }))
    local one, two = layout { regions = { "us" } }, layout { regions = { "us" }, epoch = 9 }
    assert.equal("", faults(disk, { us = disk:dir "us" }, one, two))
  end)

  it("in a home that is open already", function()
    local disk, wal = written()
    local home <close> = scene.must(core.wal.open(wal.us, { layout = FROM }))
    assert.matches("^us: LOCK: locked", faults(disk, wal))
    assert.equal("", faults(disk, { us = { dir = wal.us, home = home }, eu = wal.eu }))
  end)

  it("after one that was aborted, under a higher epoch", function()
    local disk, wal = written()
    local m = migrate(FROM:diff(TO)) { wal = wal }
    m:begin()
    m:close()
    migrate.abort { wal = wal }
    assert.equal("us: a migration to epoch 2 was begun here, and an epoch is used once: take epoch "
                 .. "3\neu: a migration to epoch 2 was begun here, and an epoch is used once: take "
                 .. "epoch 3", faults(disk, wal))
    assert.equal("", faults(disk, wal, FROM, layout { epoch = 3, shards = 3 }))
  end)
end)

-- The end is noted in the first directory, then in the others: a crash between
-- leaves it in one of them.
describe("after one whose end is noted in the first directory only, it may begin", function()
  local function drop_last_line(disk, dir)
    local text = disk:read(dir, record.name(2))
    assert.matches('"step":"%a+ed"}\n$', text)
    disk:write(dir, record.name(2), (text:gsub("[^\n]*\n$", "")))
  end

  it("when it was finished", function()
    local disk, wal = written()
    scene.migrate(FROM, TO, { wal = wal })
    drop_last_line(disk, "eu")
    local third = layout { epoch = 3 }
    assert.equal("", faults(disk, wal, TO, third))
    scene.migrate(TO, third, { wal = wal })
    assert.equal("finished", migrate.status { wal = wal }.state)
  end)

  it("when it was aborted", function()
    local disk, wal = written()
    local m = migrate(FROM:diff(TO)) { wal = wal }
    m:begin()
    m:close()
    migrate.abort { wal = wal }
    drop_last_line(disk, "eu")
    assert.equal("", faults(disk, wal, FROM, layout { epoch = 3, shards = 3 }))
    drop_last_line(disk, "us")
    assert.matches("^us: a migration to epoch 2 is under way.*\neu: a migration to epoch 2 is",
                   faults(disk, wal, FROM, layout { epoch = 3, shards = 3 }))
  end)
end)

describe("it may not", function()
  local cases = {
    { "where a directory is missing", function(wal) wal.eu = nil end,
      "wal.eu: is missing: every region's directory is needed, or events would be left behind" },
    { "where a region is none", function(wal) wal.usa = wal.us end,
      "wal.usa: there is no such region (did you mean 'us'?)" },
    { "where two regions have one directory", function(wal) wal.eu = wal.us end,
      "eu: has the directory of us: each region has its own\n"
      .. "eu: mismatch: holds the logs r0:s0 r0:s1, none of eu, which is r1" },
    { "where directories are mixed up", function(wal) wal.us, wal.eu = wal.eu, wal.us end,
      "us: mismatch: holds the logs r1:s0 r1:s1, none of us, which is r0\n"
      .. "eu: mismatch: holds the logs r0:s0 r0:s1, none of eu, which is r1" },
    { "where a directory is not there", function(wal, disk) wal.us = disk:dir "none" end,
      "us: cannot read the directory none: No such file or directory; give the one that holds "
      .. "the segments (wal-*.seg) of us" },
  }
  for _, case in ipairs(cases) do
    it(case[1], function()
      local disk, wal = written()
      case[2](wal, disk)
      assert.equal(case[3], faults(disk, wal))
    end)
  end

  it("to an epoch that is not higher", function()
    local disk, wal = written()
    assert.equal("plan: leads from epoch 1 to epoch 1: the next layout takes epoch 2 or higher",
                 faults(disk, wal, FROM, FROM):match "^[^\n]*")
  end)

  it("where another epoch is published", function()
    local second = layout { epoch = 2 }
    local disk, wal = written(second)
    assert.matches("^us: epoch 2 is published here already: the next layout takes epoch 3 or "
                   .. "higher\neu: epoch 2 is published here already", faults(disk, wal))
    assert.matches("^us: epoch 2 is published here, the plan begins at epoch 3: make it anew from "
                   .. "what is there\neu: ", faults(disk, wal, layout { epoch = 3 },
                                                 layout { epoch = 4, shards = 3 }))
  end)

  it("where the published layout is another one of that epoch", function()
    local disk, wal = written()
    assert.matches("^us: layout%-0000000001.json: .*\neu: layout%-0000000001.json: ",
                   faults(disk, wal, layout { shards = 1, routing = tidal.routing.single() }))
  end)

  it("where a region would get another number", function()
    local disk, wal = written()
    assert.matches("^us: is r0 and would be r1, and its logs say r0: keep the order of the regions,"
                   .. " add new ones behind them\neu: is r1 and would be r0", faults(disk, wal,
                   FROM, layout { epoch = 2, regions = { "eu", "us" } }))
  end)

  it("where the plan breaks a rule", function()
    local rules = { tidal.rules.max_leaders(1) }
    local from = layout { leaders = { [0] = "us", s1 = "eu" }, rules = rules }
    local to = layout { epoch = 2, shards = 3, rules = rules,
                        leaders = { [0] = "us", s1 = "eu", s2 = "us" } }
    local disk, wal = written(from)
    assert.matches("^plan: after step %d+ rule 'max_leaders%(1%)' is broken: us", faults(disk, wal,
                   from, to))
  end)

  it("while another one is under way", function()
    local disk, wal = written()
    local m = migrate(FROM:diff(TO)) { wal = wal }
    m:begin()
    m:close()
    local third = layout { epoch = 3, shards = 4 }
    assert.matches("^us: a migration to epoch 2 is under way %(migration%-0000000002.journal%): "
                   .. "%-%-resume goes on with it, %-%-abort gives it up\neu: a migration to epoch "
                   .. "2 is under way", faults(disk, wal, FROM, third))
  end)

  it("beside a journal that cannot be read; one without a line is none", function()
    local disk, wal = written()
    record.open(wal.us, 2, "create"):close()
    assert.equal("", faults(disk, wal))
    local journal <close> = assert(core.wal.journal(wal.eu, record.name(7), "create"))
    assert(journal:append '{"step":"jump"}')
    assert.matches('^eu: eu/migration%-0000000007.journal: line 1: "{"step":"jump"}": a step '
                   .. '"jump"', faults(disk, wal))
  end)

  it("and all that is wrong is said at once", function()
    local disk, wal = written()
    wal.au, wal.us, wal.eu = wal.us, disk:dir "none", nil
    local to = layout { regions = { "eu", "us" }, epoch = 2 }
    local text = faults(disk, wal, FROM, to)
    assert.equal(5, select(2, text:gsub("[^\n]+", "")), text)
  end)
end)
