-- tidal.sim: disks in memory, and all of tidal.wal on them.
local core = require "tidal.core"
local raised = dofile "spec/support/raised.lua"
local script = dofile "spec/support/script.lua"
local wal, sim = core.wal, core.sim

local LAYOUT <const> = script.layout { shards = 2 }:text()

local function events(first, count)
  local out = {}
  for i = 1, count do
    out[i] = { entity = first + i - 1, signal_type = 1, weight = 1, timestamp_ns = 1 }
  end
  return out
end

-- The entities of a log, in order; their batches must be whole.
local function entities(place, shard)
  local out = {}
  local reader <close> = assert(wal.reader(place))
  for batch in reader:batches(shard or 0) do
    for _, entity in batch:each() do out[#out + 1] = entity end
  end
  return out
end

local function written(disk, fields)
  local home <close> = assert(wal.open(disk:dir "r0", { create = true, layout = LAYOUT }))
  local writer = assert(home:writer(fields))
  assert(writer:append(events(1, 3)))
  writer:sync()
  return assert(home:close())
end

-- What assert of Lua does: the error is raised as it is.
local function must(value, err)
  if not value then error(err, 0) end
  return value
end

-- Opens, appends, commits and closes; returns how many events were
-- acknowledged, and how many may be there.
local function work(place)
  local acknowledged, added = 0, 0
  local function run()
    local home <close> = must(wal.open(place, { create = true, layout = LAYOUT }))
    local writer <close> = must(home:writer { segment_bytes = 4096 })
    for i = 1, 3 do
      added = i
      must(writer:append(events(i, 1)))
      acknowledged = i
    end
    must(writer:checkpoint { seqno = 2 })
    must(writer:close())
    must(home:close())
  end
  local fine, err = pcall(run)
  assert(fine or core.is_error(err), err)
  return acknowledged, added
end

-- Nothing acknowledged is gone, nothing else has come.
local function check(disk, acknowledged, added, what)
  local there = wal.open(disk:dir "r0", {})
  if not there then return assert(acknowledged == 0, what) end
  there:close()
  assert(wal.recover { dir = disk:dir "r0" }, what)
  local found = entities(disk:dir "r0")
  for i, entity in ipairs(found) do assert(entity == i, what) end
  assert(#found >= acknowledged and #found <= added,
         ("%s: %d of %d..%d"):format(what, #found, acknowledged, added))
end

local function calls_of(f)
  local disk = sim.disk { seed = 1 }
  f(disk:dir "r0")
  return disk:calls()
end

describe("a power failure", function()
  it("keeps what is synced and may lose the rest", function()
    local disk = sim.disk { seed = 7 }
    local home <close> = assert(wal.open(disk:dir "r0", { create = true }))
    local writer <close> = assert(home:writer { sync = "unsafe_never" })
    assert(writer:append(events(1, 3)))
    assert(writer:sync())
    assert.equal(1, disk:ways())
    assert(writer:append(events(4, 1)))
    assert.equal(4, disk:ways())  -- one sector: absent, written, zeros, garbage
    local found = {}
    for way = 0, 3 do
      local after = disk:crash { way = way }
      assert(wal.recover { dir = after:dir "r0" })
      found[way + 1] = #entities(after:dir "r0")
    end
    assert.same({ 3, 4, 3, 3 }, found)
    assert.same({ 1, 2, 3, 4 }, entities(disk:copy():dir "r0"))
    assert.same({ 1, 2, 3 }, entities(disk:crash():dir "r0"))
    assert.equal("way: 4 is outside 0..3", raised(disk.crash, disk, { way = 4 }))
  end)

  it("by chance is the same for the same seed", function()
    local disk = sim.disk { seed = 7 }
    local home <close> = assert(wal.open(disk:dir "r0", { create = true }))
    local writer <close> = assert(home:writer { sync = "unsafe_never" })
    assert(writer:append(events(1, 200)))
    local seen, kinds = {}, 0
    for seed = 1, 60 do
      local hash = disk:crash { seed = seed }:hash()
      assert.equal(hash, disk:crash { seed = seed }:hash())
      if not seen[hash] then kinds, seen[hash] = kinds + 1, true end
    end
    assert.is_true(kinds > 20, kinds)
    assert.equal("way: goes without a seed: one of them says how",
                 raised(disk.crash, disk, { seed = 1, way = 0 }))
  end)

  it("at any call, in any way, loses nothing acknowledged", function()
    local calls, states = calls_of(work), 0
    assert.is_true(calls > 30, calls)
    for last = 1, calls do
      local disk = sim.disk { seed = last }
      disk:fault { last_call = last }
      local acknowledged, added = work(disk:dir "r0")
      local ways = disk:ways()
      for i = 0, math.min(ways, 64) - 1 do
        local after = disk:crash(ways <= 64 and { way = i } or { seed = i })
        check(after, acknowledged, added, ("call %d, %d of %d"):format(last, i, ways))
        states = states + 1
      end
      check(disk:copy(), acknowledged, added, "end of the process at " .. last)
    end
    assert.is_true(states > 100, states)
  end)
end)

describe("a call that fails", function()
  for what, fault in pairs {
    ["once"] = {}, ["from there on"] = { fail_on = true }, ["on xfs"] = { personality = "xfs" },
    ["on btrfs"] = { personality = "btrfs" }, ["for want of space"] = { errno = 28 },
    ["in the middle"] = { short = "half" },
  } do
    it(what .. " loses nothing acknowledged", function()
      local failed = 0
      for call = 1, calls_of(work) do
        local disk = sim.disk { seed = call }
        fault.fail_call = call
        disk:fault(fault)
        local acknowledged, added = work(disk:dir "r0")
        if acknowledged < 3 then failed = failed + 1 end
        assert.equal(0, disk:counts().syncs_after_failed)
        assert.equal(0, disk:counts().writes_after_failed)
        check(disk:crash(), acknowledged, added, what .. " at " .. call)
        check(disk:crash { seed = call }, acknowledged, added, what .. " at " .. call)
      end
      assert.equal(fault.short == nil, failed > 10, failed)
    end)
  end

  it("has the number that was asked for", function()
    local disk = sim.disk()
    disk:fault { fail_call = disk:calls() + 1, errno = 13 }
    local home, err = wal.open(disk:dir "")
    assert.is_nil(home)
    assert.same({ "io", 13 }, { err.code, err.sys })
    assert(wal.open(disk:dir "")):close()
    disk:fault { capacity = 100 }
    home = assert(wal.open(disk:dir ""))
    local writer = assert(home:writer {})
    local seq, full = writer:append(events(1, 1))
    assert.is_nil(seq)
    assert.equal("full", full.code)
    disk:fault()
    assert.equal(1, writer:append(events(1, 1)))
    assert(home:close())
    assert.equal("errno: goes without short: one of them says how",
                 raised(disk.fault, disk, { short = "one", errno = 5 }))
  end)

  it("may not be the last", function()
    local disk = sim.disk()
    disk:fault { fail_call = 1, fail_on = true }
    for _ = 1, 3 do assert.is_nil((wal.open(disk:dir ""))) end
    disk:fault()
    assert(wal.open(disk:dir "")):close()
  end)

  it("of a sync leaves what its system leaves", function()
    for system, works in pairs { ext4 = true, btrfs = true, xfs = false } do
      local call, disk = 0
      repeat
        disk, call = sim.disk(), call + 1
        disk:fault { fail_call = call, personality = system }
        work(disk:dir "r0")
      until disk:counts().failed_syncs > 0
      disk:fault()
      local home = wal.open(disk:dir "")
      assert.equal(works, home ~= nil, system)
      if home then home:close() end
      assert(wal.open(disk:crash():dir "")):close()
    end
  end)

  it("is counted", function()
    local disk = sim.disk()
    written(disk, { sync = "unsafe_never" })
    local counts = disk:counts()
    assert.equal(disk:calls(), counts.calls)
    assert.is_true(counts.calls > 10 and counts.syncs > 0 and counts.failed_syncs == 0)
    assert.same({ 0, 0 }, { counts.files_open, counts.dirs_open })
    assert.equal(0, disk:copy():calls())
    local home <close> = assert(wal.open(disk:dir "r0"))
    assert.is_true(disk:counts().files_open == 1 and disk:counts().dirs_open == 1)
    assert.equal("1 files and 1 directories are open on the simulated disk: close what uses them "
                 .. "first", raised(disk.close, disk))
    assert(home:close())
  end)
end)

describe("a place on a disk", function()
  it("is taken by all of tidal.wal", function()
    local disk = sim.disk { seed = 1 }
    local place = disk:dir "r0/inner"
    assert.equal("r0/inner", tostring(place))
    local home, err = wal.open(place, { create = true })
    assert.same({ "io", 2 }, { err.code, err.sys })
    assert.is_nil(home)
    assert(wal.open(disk:dir "r0", { create = true })):close()
    local writer = assert(wal.writer { dir = place, create = true, layout = LAYOUT, shard = 1 })
    assert(writer:append(events(-2, 2)))  -- the last two ids, of s1
    assert(writer:checkpoint { seqno = 1 })
    assert.equal("locked", select(2, wal.open(place)).code)
    assert(wal.open(disk:copy():dir "r0/inner")):close()
    assert.equal(2, writer:durable())
    local follower <close> = assert(wal.follow { dir = place, shard = 1 })
    assert.equal(2, follower:next(2).last_seq)
    assert(writer:close())
    assert.is_true(wal.recover { dir = place, shard = 1 }.clean)
    assert.equal(1, wal.checkpoint { dir = place, shard = 1 }.seqno)
    local reader <close> = assert(wal.reader(place))
    local layouts <close> = assert(wal.layouts(reader))
    assert.same({ 1 }, layouts:epochs())
    local walk <close> = assert(layouts:live(1))
    assert.equal("0,1,1,0xfffffffffffffffe,1,1,1\n0,1,2,0xffffffffffffffff,1,1,1\n",
                 (walk:text("csv", false, 1 << 20)))
    local verifier <close> = assert(wal.verifier(reader))
    assert.same({ "clean", 2 }, { verifier:next().verdict, reader:segments(1)[1].first_seq + 1 })
  end)

  it("is where repair keeps what it takes away", function()
    local disk = sim.disk()
    written(disk)
    local name = wal.segment_name(0, 1)
    local bytes = disk:read("r0", name)
    local broken = bytes:sub(1, 70) .. "!" .. bytes:sub(72)
    assert.is_true(disk:write("r0", name, broken))
    local actions = assert(wal.repair(disk:dir "r0", true))
    assert.same({ 2, name, "move", "checkpoint-s00000.0", "move" },
                { #actions, actions[1].file, actions[1].action, actions[2].file,
                  actions[2].action })
    local kept = disk:files "r0/quarantine"
    assert.equal(2, #kept)
    assert.equal(broken, disk:read("r0/quarantine", kept[2].name))
    assert.same(kept, disk:crash():files "r0/quarantine")
    assert.same({}, wal.repair(disk:dir "r0", true))
  end)

  it("keeps its disk, and what is open keeps the place", function()
    local held = {}
    local disks = setmetatable({}, { __mode = "v" })
    local function hold(name, open)
      local disk = sim.disk { seed = 3 }
      written(disk)
      disks[name] = disk
      held[name] = open(disk:dir "r0")
    end
    hold("place", function(place) return place end)
    hold("reader", function(place) return assert(wal.reader(place)) end)
    hold("cursor", function(place) return assert(wal.reader(place)):cursor(0) end)
    hold("follower", function(place) return assert(wal.follow { dir = place }) end)
    hold("home", function(place) return assert(wal.open(place, { layout = LAYOUT })) end)
    hold("writer", function(place) return assert(wal.writer { dir = place, layout = LAYOUT }) end)
    hold("nothing", function() end)
    collectgarbage()
    for name in pairs(held) do assert.is_truthy(disks[name], name) end
    assert.is_nil(disks.nothing)
    assert.equal(3, held.reader:cursor(0):next().last_seq)
    assert.equal(3, held.cursor:next().last_seq)
    assert.equal(3, held.follower:next(3).last_seq)
    assert(held.home:writer {}):append(events(4, 1))
    assert.equal(4, held.writer:append(events(4, 1)))
    assert(held.home:close())
    held = {}
    collectgarbage()
    assert.same({}, disks)
  end)

  it("may be opened by a finalizer, whatever ends first", function()
    local done, left = 0, nil
    do
      local disk = sim.disk()
      local function finalizer()
        return setmetatable({}, { __gc = function()
          done = done + 1
          left = wal.open(disk:dir "", {}) or left
        end })
      end
      local first = finalizer()
      written(disk)
      local second = finalizer()
      first.other, second.other = second, first
    end
    for _ = 1, 4 do
      collectgarbage()
      left = nil
    end
    assert.equal(2, done)
  end)

  it("on a closed disk is refused", function()
    local disk <close> = sim.disk()
    local place = disk:dir()
    disk:close()
    disk:close()
    assert.equal("bad argument #1 (directory: the simulated disk is closed)",
                 raised(wal.reader, place))
    assert.equal("the simulated disk is closed", raised(disk.files, disk))
  end)
end)

describe("a disk", function()
  it("has the same hash for the same content, in any order", function()
    local one, two = sim.disk { seed = 1 }, sim.disk { seed = 2 }
    assert.matches("^%x+$", one:hash())
    assert.equal(32, #one:hash())
    for i = 1, 60 do
      one:write("r" .. i % 3, "f" .. i, "bytes " .. i)
      local back = 61 - i
      two:write("r" .. back % 3 .. "/", "f" .. back, "bytes " .. back)
    end
    assert.equal(one:hash(), two:hash())
    assert.equal(one:hash(), one:copy():hash())
    assert.equal(one:hash(), one:crash():hash())
    two:write("r0", "f3", "bytes 4")
    assert.are_not.equal(one:hash(), two:hash())
    two:write("r0", "f3", "bytes 3")
    assert.equal(one:hash(), two:hash())
    two:write("r3", "f3", "bytes 3")
    assert.are_not.equal(one:hash(), two:hash())
    local a, b = sim.disk { seed = 5 }, sim.disk { seed = 5 }
    written(a)
    written(b)
    assert.equal(a:hash(), b:hash())
  end)

  it("lists and gives files", function()
    local disk = sim.disk()
    for i, name in ipairs { "b", "a", "c" } do disk:write("r0/x", name, ("\0"):rep(i)) end
    disk:write("", "top", "")
    assert.same({ { name = "a", size = 2 }, { name = "b", size = 1 }, { name = "c", size = 3 } },
                disk:files "r0/x")
    assert.same({ { name = "top", size = 0 } }, disk:files())
    assert.same({ {}, "\0\0" }, { disk:files "r0", disk:read("r0/x", "a") })
    for what, got in pairs { opening = table.pack(disk:files "r1"), file = table.pack(
                             disk:read("r0", "a")) } do
      assert.is_nil(got[1], what)
      assert.same({ "io", 2 }, { got[2].code, got[2].sys })
    end
    for _, path in ipairs { "r0", "r0/x/a" } do
      local fine, err = disk:write(path, "x", "")
      assert.same({ "io", 17 }, { err.code, err.sys })
      assert.is_nil(fine)
    end
    assert.equal("bad argument #2 (directory: no way leads up: there is no \"..\")",
                 raised(disk.dir, disk, "r0/.."))
    assert.equal("bad argument #3 (name: a name has at most 63 bytes, got 64)",
                 raised(disk.write, disk, "", ("x"):rep(64), ""))
    assert.is_true(disk:write("", ("x"):rep(63), ""))
    assert.equal("bad argument #3 (name: the name of a file expected, got \"a/b\")",
                 raised(disk.read, disk, "", "a/b"))
  end)
end)
