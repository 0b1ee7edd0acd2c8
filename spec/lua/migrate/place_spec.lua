-- One directory of a migration: each of its three steps, what the journal has
-- of them, and what is done again after it was left anywhere.
local core = require "tidal.core"
local place = require "tidal.migrate.place"
local raised = dofile "spec/support/raised.lua"
local record = require "tidal.migrate.record"
local scene = dofile "spec/support/migration.lua"
local tidal = require "tidal"

local must = scene.must

local function layout(epoch, shards)
  return tidal.cluster { name = "spec", epoch = epoch, regions = { "us" }, shards = shards,
                         routing = tidal.routing.hash(), leaders = "all" }
end

local FROM <const>, TO <const> = layout(1, 2), layout(2, 3)
local EVENTS <const> = 40

local function part(one) return { epoch = one.epoch, hash = one:hash(), text = one:text() } end

local TASK <const> = { name = "spec", from = part(FROM), to = part(TO),
                       places = { { region = "us", id = 0 } } }
local SMALL <const> = { lap_events = 6, slice_bytes = 50, rest_events = 4 }

local function written()
  local disk = tidal.sim.disk { seed = 1 }
  scene.write(disk:dir "us", FROM, 0, scene.events(1, EVENTS), { segment_bytes = 4096 })
  return disk, scene.live(disk:dir "us")
end

-- The place over a directory whose journal is open; begun if it is not.
local function open(disk, more, options)
  local given = { region = "us", id = 0, dir = disk:dir "us" }
  for key, value in pairs(more or {}) do given[key] = value end
  local one = place.new(given, TASK, options or SMALL)
  one.journal = record.open(given.dir, 2, "create")
  if not one.journal.state.begin then one.journal:note(record.begin(TASK)) end
  return one
end

local function shut(one)
  one:close()
  one.journal:close()
end

-- A step, all of it or so many pieces. Gives how many there were.
local function run(one, name, most)
  local work = coroutine.wrap(function() one[name](one) return "done" end)
  for piece = 1, most or math.huge do
    if work() == "done" then return piece end
  end
  return most
end

local function all(one)
  for _, name in ipairs { "copy", "verify", "cut_over" } do run(one, name) end
end

local function lines(disk)
  local journal <close>, list = core.wal.journal(disk:dir "us", record.name(2))
  assert(journal, list)
  local out = {}
  for i, line in ipairs(list) do out[i] = line:match '"step":"(%a+)"' end
  return out
end

-- From what is on disk to the end.
local function finish(disk, before)
  local one = open(disk)
  all(one)
  shut(one)
  assert.equal(2, scene.epoch(disk:dir "us"))
  assert.same({}, scene.faults(disk:dir "us", before, TO))
end

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

  it("is copied in laps of a bounded length, until little is left", function()
    local disk = written()
    local one = open(disk)
    run(one, "copy")
    local state = one:state()
    assert.is_true(state.laps >= EVENTS // 2 // SMALL.lap_events)
    local rest = 0
    for _, log in ipairs(one:logs()) do
      if log.there then rest = rest + log.last - (state.after[log.shard] or 0) end
    end
    assert.is_true(rest <= SMALL.rest_events)
    shut(one)
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

  it("is left after any piece of work, and gone on with", function()
    for _, name in ipairs { "copy", "verify" } do
      local pieces, last = 0, nil
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
    local calls, ended = 0, false
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
