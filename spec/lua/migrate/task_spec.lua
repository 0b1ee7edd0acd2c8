-- What is to be done, from a plan and from a journal.
local json = require "tidal.json"
local raised = dofile "spec/support/raised.lua"
local record = require "tidal.migrate.record"
local tasks = require "tidal.migrate.task"
local tidal = require "tidal"

local function layout(epoch, regions)
  return tidal.cluster { name = "spec", epoch = epoch, regions = regions, shards = 2,
                         routing = tidal.routing.even(), leaders = "all" }
end

local function kinds(task)
  local out = {}
  for i, one in ipairs(task.places) do
    out[i] = ("%s r%d %s %s"):format(one.region, one.id, one.kind, tostring(one.dir))
  end
  return out
end

local WAL <const> = { us = "a", eu = { dir = "b", home = "h" }, ap = "c" }

describe("a task", function()
  it("has both layouts as they are written", function()
    local from, to = layout(3, { "us" }), layout(4, { "us" })
    local task = tasks.of_plan(from:diff(to), WAL)
    assert.equal("spec", task.name)
    assert.same({ epoch = 3, hash = from:hash(), text = from:text() }, task.from)
    assert.same({ epoch = 4, hash = to:hash(), text = to:text() }, task.to)
  end)

  it("knows which regions stay, come and go, those that stay first", function()
    local two, three = { "us", "eu" }, { "us", "eu", "ap" }
    assert.same({ "us r0 stays a", "eu r1 stays b" },
                kinds(tasks.of_plan(layout(1, two):diff(layout(2, two)), WAL)))
    assert.same({ "us r0 stays a", "eu r1 stays b", "ap r2 comes c" },
                kinds(tasks.of_plan(layout(1, two):diff(layout(2, three)), WAL)))
    assert.same({ "us r0 stays a", "eu r1 stays b", "ap r2 goes c" },
                kinds(tasks.of_plan(layout(1, three):diff(layout(2, two)), WAL)))
  end)

  it("comes back from the first line of a journal", function()
    local task = tasks.of_plan(layout(1, { "us", "eu" }):diff(layout(2, { "us", "eu", "ap" })), WAL)
    local line = json.decode(json.encode(record.begin(task)))
    assert.same(task, tasks.of_journal(line, WAL))
    assert.equal("wal.eu: is missing: the migration that is under way has this region, too",
                 raised(tasks.of_journal, line, { us = "a", ap = "c" }))
    assert.equal("wal.au: is not a region of the migration that is under way",
                 raised(tasks.of_journal, line, { us = "a", eu = "b", ap = "c", au = "d" }))
  end)

  it("takes a directory, or one with a home that is open", function()
    assert.same({ us = "a", eu = "b", ap = "c" }, tasks.dirs(WAL))
    assert.equal("h", tasks.place({ name = "eu", id = 1 }, WAL.eu, "stays").home)
    assert.is_nil(tasks.place({ name = "us", id = 0 }, WAL.us, "stays").home)
    assert.is_nil(tasks.place({ name = "us", id = 0 }, nil, "stays").dir)
  end)
end)
