-- tidal.wal.writer: events on disk, numbers, checkpoints, truncation, and
-- how a writer ends.
local core = require "tidal.core"
local churn = dofile "spec/support/churn.lua"
local gen = dofile "spec/support/gen.lua"
local lfs = require "lfs"
local raised = dofile "spec/support/raised.lua"
local script = dofile "spec/support/script.lua"
local wal = core.wal

local function event(i)
  return { entity = i, signal_type = 2, weight = 0.5, timestamp_ns = -i }
end

local function within(f) return script.within({}, f) end

-- Every event of shard 0 as text, from the files.
local function on_disk(dir)
  local reader <close> = assert(wal.reader(dir))
  local layouts <close> = assert(wal.layouts(reader))
  local walk <close> = assert(layouts:live(0))
  local out = {}
  for text in function() return walk:text("csv", false, 1 << 20) end do out[#out + 1] = text end
  return table.concat(out)
end

describe("a writer", function()
  it("appends batches and gives their first number", function()
    within(function(dir)
      local writer <close> = assert(wal.writer { dir = dir })
      assert.equal(0, writer:durable())
      assert.equal(1, writer:append { event(1), event(2), event(3) })
      assert.equal(4, writer:append { event(-1) })
      assert.equal(4, writer:durable())
      assert.equal("0,0,1,0x0000000000000001,2,0.5,18446744073709551615\n"
        .. "0,0,2,0x0000000000000002,2,0.5,18446744073709551614\n"
        .. "0,0,3,0x0000000000000003,2,0.5,18446744073709551613\n"
        .. "0,0,4,0xffffffffffffffff,2,0.5,1\n", on_disk(dir))
    end)
  end)

  it("collects what is added until it is committed", function()
    within(function(dir)
      local writer <close> = assert(wal.writer { dir = dir })
      local add = writer:bind()
      assert.equal(0, writer:commit())
      writer:add(1, 2, 3, 4)
      add("0xffffffffffffffff", 2, 3, "18446744073709551615")
      assert.same({ 2, "" }, { #writer, on_disk(dir) })
      assert.equal(1, writer:commit())
      assert.same({ 0, 2 }, { #writer, writer:durable() })
      writer:add(1, 2, 3, 4)
      assert.equal(1, writer:discard())
      assert.equal(0, writer:commit())
      assert.equal(2, select(2, on_disk(dir):gsub("\n", "")))
    end)
  end)

  it("refuses what is no event, and keeps what it has", function()
    within(function(dir)
      local writer <close> = assert(wal.writer { dir = dir })
      writer:add(1, 2, 3, 4)
      assert.equal("bad argument #3 (signal_type: 256 is outside 0..255)",
                   raised(writer.add, writer, 1, 256, 3, 4))
      assert.equal("bad argument #4 (weight: does not fit into 32 bits)",
                   raised(writer.add, writer, 1, 2, 1e39, 4))
      assert.equal("bad argument #2 (events: a batch has at least one event)",
                   raised(writer.append, writer, {}))
      assert.equal("events[2].entity: an integer, \"0x\" and 1-16 hex digits, or decimal text up "
        .. "to \"18446744073709551615\" expected, got the float 1.5",
        raised(writer.append, writer, { event(1), event(1.5) }))
      assert.matches("events%[1%]: a table", raised(writer.append, writer, { 5 }))
      assert.same({ 1, 0 }, { #writer, writer:durable() })
      writer:discard()
    end)
  end)

  it("goes on where the last one ended", function()
    within(function(dir)
      for i = 1, 3 do
        local writer = assert(wal.writer { dir = dir })
        assert.same({ i > 1, false, i - 1 }, { writer:recovery().clean, writer:recovery().torn,
                                               writer:recovery().last_seq })
        assert.equal(i, writer:append { event(i) })
        assert.is_true(writer:close())
      end
      local writer = assert(wal.writer { dir = dir })
      writer:close { clean = false }
      assert.is_false(wal.recover { dir = dir }.clean)
    end)
  end)

  it("leaves checkpoints and removes segments they do not need", function()
    within(function(dir)
      local writer <close> = assert(wal.writer { dir = dir, segment_bytes = 4096 })
      for _ = 1, 20 do
        for i = 1, 50 do writer:add(i, 1, 1, 1) end
        writer:commit()
      end
      assert.equal(0, writer:truncate(900))
      local marks = { { log = "r1:s0", epoch = 1, seqno = -1 } }
      assert.is_true(writer:checkpoint { seqno = 600, marks = marks, hlc_wall_ns = -5 })
      assert.equal("ahead", select(2, writer:checkpoint { seqno = 1001 }).code)
      assert.equal("backward", select(2, writer:checkpoint { seqno = 599 }).code)
      assert.equal(0, writer:truncate(900))
      assert.is_true(writer:checkpoint { seqno = 700, marks = marks, hlc_wall_ns = -5 })
      assert.equal(4, writer:truncate(900))  -- the older checkpoint needs 601
      local newest = assert(wal.checkpoint { dir = dir })
      assert.same({ 700, -5, core.log(1, 0), -1 }, { newest.seqno, newest.hlc_wall_ns,
                  newest.marks[#newest.marks].log, newest.marks[#newest.marks].seqno })
      assert.is_true(writer:sync())
      local reader <close> = wal.reader(dir)
      assert.equal(601, reader:segments()[1].first_seq)
    end)
  end)

  it("checks a checkpoint's fields", function()
    within(function(dir)
      local writer <close> = assert(wal.writer { dir = dir })
      assert.matches("seqno: an integer", raised(writer.checkpoint, writer, {}))
      assert.matches("unknown key \"mark\"", raised(writer.checkpoint, writer, { mark = 1 }))
      assert.matches("marks%[1%]: a table", raised(writer.checkpoint, writer,
                                                   { seqno = 0, marks = { 5 } }))
      local twice = { log = "r1:s0", epoch = 1, seqno = 1 }
      assert.equal("duplicate", select(2, writer:checkpoint { seqno = 0,
                                                             marks = { twice, twice } }).code)
    end)
  end)

  it("recognises events that come again, within its window", function()
    within(function(dir)
      for round = 1, 2 do  -- the second one after it was opened anew
        local writer <close> = assert(wal.writer { dir = dir, window_events = 4 })
        local first = round == 1 and { 1, 2, 3 } or { 0, 0, 0 }
        assert.same(first, writer:append_each { event(1), event(2), event(3) })
        assert.same({ 0, round == 1 and 4 or 0 }, writer:append_each { event(2), event(4) })
        assert.equal(0, writer:append { event(4), event(3) })
        assert.equal("length", select(2, writer:append_each { event(1), event(2), event(3),
                                                              event(4), event(5) }).code)
      end
      assert.equal(4, select(2, on_disk(dir):gsub("\n", "")))
      local writer <close> = assert(wal.writer { dir = dir })
      assert.same({ 5, 6 }, writer:append_each { event(4), event(4) })
    end)
  end)

  it("acknowledges before it syncs only under an unsafe policy", function()
    within(function(dir)
      for _, sync in ipairs { "unsafe_never", "unsafe_interval" } do
        local writer <close> = assert(wal.writer { dir = dir, sync = sync,
          sync_interval_ns = sync == "unsafe_interval" and 60000000000 or nil })
        local before = writer:durable()
        writer:append { event(1) }
        assert.equal(before, writer:durable())
        assert.is_true(writer:sync())
        assert.equal(before + 1, writer:durable())
      end
    end)
  end)

  it("keeps any events, as many as there are (property)", function()
    local total = 0
    gen.property("writer and reader", 6, function(rng)
      return within(function(dir)
        local builder = wal.builder()
        for _ = 1, rng:int(1, 4) do
          local writer <close> = assert(wal.writer { dir = dir, segment_bytes = 4096 })
          for _ = 1, rng:int(1, 6) do
            local events = rng:events(rng:int(1, 60))
            for _, e in ipairs(events) do
              builder:add(e.entity, e.signal_type, e.weight, e.timestamp_ns)
            end
            if rng:once_in(2) then
              writer:append(events)
            else
              for _, e in ipairs(events) do
                writer:add(e.entity, e.signal_type, e.weight, e.timestamp_ns)
              end
              writer:commit()
            end
          end
        end
        total = total + #builder
        local want = builder:seal { first_seq = 1 }:sub(65)
        local reader <close> = wal.reader(dir)
        local got = {}
        for batch in reader:batches(0) do got[#got + 1] = batch.payload end
        if table.concat(got) ~= want then return "other bytes" end
      end)
    end)
    assert.is_true(total > 100)
  end)
end)

describe("the end of a writer", function()
  it("is asked for once and can be asked for again", function()
    within(function(dir)
      local writer = assert(wal.writer { dir = dir })
      local add = writer:bind()
      assert.is_true(writer:close())
      assert.is_true(writer:close())
      for _, method in ipairs { "append", "append_each", "add", "bind", "commit",
                                "discard", "durable", "sync", "checkpoint", "truncate",
                                "recovery", "log" } do
        assert.equal("the writer is closed", raised(writer[method], writer, 1, 1, 1, 1), method)
      end
      assert.equal("the writer is closed", raised(add, 1, 2, 3, 4))
    end)
  end)

  it("does not lose what waits without a word", function()
    within(function(dir)
      local writer = assert(wal.writer { dir = dir })
      writer:add(1, 2, 3, 4)
      assert.equal("r0:s0: 1 events wait: commit() or discard() them first",
                   raised(writer.close, writer))
      assert.equal(1, writer:commit())
      assert.matches("clean: a boolean", raised(writer.close, writer, { clean = 1 }))
      assert.matches("unknown key", raised(writer.close, writer, { clear = true }))
      writer:close()
      local message = raised(function()
        local scoped <close> = assert(wal.writer { dir = dir })
        scoped:add(1, 2, 3, 4)
      end)
      assert.equal("the scope ended with 1 events that nobody committed: they are gone", message)
      message = raised(function()
        local scoped <close> = assert(wal.writer { dir = dir })
        scoped:add(1, 2, 3, 4)
        error("the first error", 0)
      end)
      assert.equal("the first error", message)
      assert.is_true(wal.recover { dir = dir }.clean)
      assert.equal(1, select(2, on_disk(dir):gsub("\n", "")))
    end)
  end)

  it("comes with the collector, which lets go of lock and files", function()
    local function open_files()
      local count = 0
      for _ in lfs.dir "/proc/self/fd" do count = count + 1 end
      return count
    end
    within(function(dir)
      collectgarbage()
      local before = open_files()
      for i = 1, 3 do
        local writer = assert(wal.writer { dir = dir })
        writer:append { event(i) }
        writer:add(1, 1, 1, 1)
        assert.is_true(open_files() > before)
        writer = nil
        collectgarbage()
        collectgarbage()
        assert.equal(before, open_files())
      end
      assert.equal(3, select(2, on_disk(dir):gsub("\n", "")))
    end)
  end)

  it("does not come while a bound add is held", function()
    within(function(dir)
      local home = assert(wal.open(dir))
      local add = assert(home:writer()):bind()
      churn(4096)
      for i = 1, 300 do add(i, 1, 1, 1) end
      assert.equal(300, home:commit()[1].events)
      home:close()
    end)
  end)

  it("is cleanly survived by its home and brings it down when it is its own", function()
    within(function(dir)
      local home = assert(wal.open(dir))
      do
        local writer <close> = assert(home:writer())
        writer:append { event(1) }
      end
      local again = assert(home:writer())
      assert.equal(2, again:append { event(2) })
      home:close()
      assert(wal.open(dir)):close()
    end)
  end)
end)
