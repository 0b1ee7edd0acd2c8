-- One directory of a migration: open and closed, its journal, whole logs.
local place = require "tidal.migrate.place"
local raised = dofile "spec/support/raised.lua"
local record = require "tidal.migrate.record"
local scene = dofile "spec/support/migration.lua"
local setup = dofile "spec/support/migration_place.lua"

local TO <const>, SMALL <const>, TASK <const> = setup.TO, setup.SMALL, setup.TASK
local written, open, shut, run = setup.written, setup.open, setup.shut, setup.run
local finish, lines, layout, part = setup.finish, setup.lines, setup.layout, setup.part

describe("a directory", function()
  it("is copied, verified, cut over; each step is noted before it is taken", function()
    local disk, before = written()
    local one = open(disk, nil, { slice_bytes = 50 })
    assert.is_true(run(one, "copy") > 5)
    assert.same({ "begin", "start", "lap", "copied" }, lines(disk))
    assert.same(before, (scene.live(disk:dir "us")))
    assert.is_true(run(one, "verify") > 3)
    assert.same({ "begin", "start", "lap", "copied" }, lines(disk))
    assert.equal(1, run(one, "cut_over"))
    assert.same({ "begin", "start", "lap", "copied", "publish", "published" }, lines(disk))
    assert.is_true(one.pause >= 0)
    shut(one)
    assert.equal(2, place.published(disk:dir "us"))
    assert.same({}, scene.faults(disk:dir "us", before, TO))
  end)

  it("knows its published epoch; nil where there is none", function()
    local disk = written()
    assert.equal(1, place.published(disk:dir "us"))
    disk:write("v1", "other", "")
    assert.is_nil(place.published(disk:dir "v1"))
    assert.matches("none: io: opening the directory failed: No such file",
                   raised(place.published, disk:dir "none"))
  end)

  it("that is published already has nothing to do but to say so", function()
    local disk, before = written()
    finish(disk, before)
    for _ = 1, 2 do
      local one = open(disk)
      assert.equal(1, run(one, "copy"))
      assert.is_nil(one.home)
      shut(one)
    end
    assert.equal("published", lines(disk)[#lines(disk)])
  end)

  it("like another layout in the directory is refused", function()
    local disk = written()
    local other = place.new({ region = "us", id = 0, dir = disk:dir "us" },
                            { from = part(layout(1, 5)), to = part(TO) }, SMALL)
    other.journal = record.open(disk:dir "us", 2, "create")
    other.journal:note(record.begin(TASK))
    assert.matches("layout%-0000000001", raised(run, other, "copy"))
    shut(other)
  end)
end)

describe("a region that comes", function()
  local function new(disk, dir)
    local one = open(disk, { region = "us", id = 0 })
    shut(one)
    local fresh = place.new({ region = "us", id = 0, kind = "comes", dir = dir }, TASK, SMALL)
    fresh.journal = record.open(disk:dir "us", 2, "write")
    return fresh
  end

  it("gets a directory, and the next layout in it, once", function()
    local disk = written()
    local fresh = new(disk, disk:dir "new")
    for _ = 1, 2 do fresh:make() end
    assert.is_nil(place.published(disk:dir "new"))
    for _ = 1, 2 do fresh:come() end
    assert.equal(2, place.published(disk:dir "new"))
    assert.is_true(fresh:state().published)
    shut(fresh)
  end)

  it("is handed the logs of another one, as they lie there, once", function()
    local disk, before = written()
    finish(disk, before)
    local target = new(disk, disk:dir "new")
    target:make()
    target:come()
    target.journal:close()
    local one = open(disk)
    target.journal = one.journal
    local work = coroutine.wrap(function() one:hand_over(target) return "done" end)
    local pieces = 0
    repeat pieces = pieces + 1 until work() == "done"
    assert.is_true(pieces > 3)
    assert.is_true(target:state().handed.us)
    assert.same({}, scene.faults(disk:dir "new/from-r00000", before, TO))
    local calls = disk:calls()
    one:hand_over(target)
    assert.equal(calls, disk:calls())
    shut(one)
  end)
end)
