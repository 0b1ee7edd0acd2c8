-- tidal.wal.lines: events out of text into a builder. The forms themselves
-- are tested in runtime/test/lines_test.c.
local core = require "tidal.core"
local gen = dofile "spec/support/gen.lua"
local raised = dofile "spec/support/raised.lua"

local LINE <const> = "0x2a,3,0.5,1700000000000000000\n"

local function read_all(text, piece, most)
  local lines, builder = core.wal.lines(), core.wal.builder()
  for first = 1, #text, piece or #text do
    local part, at = text:sub(first, first + (piece or #text) - 1), 0
    while at < #part do at = lines:read(part, at, builder, most) end
  end
  lines:finish(builder)
  return builder, lines
end

local function events_of(builder)
  local batch = core.wal.decode_batch(builder:seal { first_seq = 1 })
  return batch:events()
end

describe("lines", function()
  it("put events into a builder", function()
    local builder, lines = read_all(LINE .. "18446744073709551615,255,-0,0xffffffffffffffff")
    assert.same({ lines = 2, events = 2, bad = 0, form = "csv", foreign = false },
                lines:counts())
    local events = events_of(builder)
    assert.same({ 42, 3, 0.5, 1700000000000000000 }, { events[1].entity, events[1].signal_type,
                                                       events[1].weight, events[1].timestamp_ns })
    assert.same({ -1, 255, -1 }, { events[2].entity, events[2].signal_type,
                                   events[2].timestamp_ns })
    assert.equal("-0.0", tostring(events[2].weight))
  end)

  it("take JSON, too, and know nothing of an empty text", function()
    local _, lines = read_all '{"entity":1,"signal_type":2,"weight":3,"timestamp_ns":4}\n'
    assert.same({ lines = 1, events = 1, bad = 0, form = "json", foreign = false },
                lines:counts())
    _, lines = read_all("\n\n", 1)
    assert.same({ lines = 2, events = 0, bad = 0, foreign = false }, lines:counts())
  end)

  it("stop where the builder has had enough, and go on there", function()
    local lines, builder = core.wal.lines(), core.wal.builder()
    local text = LINE:rep(5)
    local at = lines:read(text, 0, builder, 2)
    assert.same({ 2 * #LINE, 2 }, { at, #builder })
    at = lines:read(text, at, builder, 100)
    assert.same({ #text, 5 }, { at, #builder })
    assert.equal(#text, lines:read(text, #text, builder))
  end)

  it("tell faults by line, column and field; twenty of them, but count all", function()
    local _, lines = read_all("1,256,0,1\nx\n" .. LINE)
    assert.same({
      'line 1, column 3: signal_type "256": write an integer 0..255',
      'line 2, column 1: "x": write the 4 fields entity,signal_type,weight,timestamp_ns',
    }, lines:faults())
    assert.same({ 1, 2 }, { lines:counts().events, lines:counts().bad })
    _, lines = read_all(("x\n"):rep(21))
    assert.same({ 20, 21 }, { #lines:faults(), lines:counts().bad })
    assert.matches("^line 20,", lines:faults()[20])
  end)

  it("say when the columns are others", function()
    local builder, lines = read_all("timestamp_ns,entity\n" .. LINE)
    assert.same({ 0, true, 1 }, { #builder, lines:counts().foreign, lines:counts().bad })
  end)

  it("read nothing once they are finished", function()
    local builder, lines = read_all(LINE)
    assert.equal("the lines are finished", raised(lines.read, lines, LINE, 0, builder))
    assert.equal("the lines are finished", raised(lines.finish, lines, builder))
    assert.equal(1, #builder)
  end)

  it("leave all as it was when the builder is full", function()
    local lines, builder = core.wal.lines(), core.wal.builder()
    for _ = 1, 798912 do builder:add(1, 1, 1, 1) end
    assert.equal("a batch holds at most 798912 events", raised(lines.read, lines, LINE, 0, builder))
    builder:clear()
    assert.equal(#LINE, lines:read(LINE, 0, builder, 798912))
    assert.same({ 1, 1 }, { #builder, lines:counts().events })
  end)

  it("give back what a walk printed, in pieces of any size (property)", function()
    gen.property("text of events both ways", 60, function(rng)
      local builder, seq = core.wal.builder(), {}
      for i = 1, rng:int(1, 40) do
        local weight = string.unpack("<f", string.pack("<I4", rng:u32()))
        seq[i] = ("%s,%d,%.9g,%s"):format(core.u64.hex(rng:u64()), rng:int(0, 255), weight,
                                          core.u64.str(rng:u64())):gsub("%-?nan", "nan")
        local e, s, _, t = seq[i]:match "(.-),(.-),(.-),(.*)"
        builder:add(e, tonumber(s), weight ~= weight and 0 / 0 or weight, t)
      end
      local text = table.concat(seq, rng:once_in(2) and "\r\n" or "\n")
      local want = events_of(builder)
      local got = events_of((read_all(text, rng:int(1, #text), rng:int(1, 50))))
      if #want ~= #got then return #got .. " of " .. #want .. " events" end
      for i = 1, #want do
        local a, b = want[i], got[i]
        local same = string.pack("<f", a.weight) == string.pack("<f", b.weight)
          or a.weight ~= a.weight and b.weight ~= b.weight
        if a.entity ~= b.entity or a.signal_type ~= b.signal_type
           or a.timestamp_ns ~= b.timestamp_ns or not same then
          return seq[i]
        end
      end
    end)
  end)
end)
