-- tidal.wal, reading bytes: batches, headers, segments in memory, names.
local core = require "tidal.core"
local churn = dofile "spec/support/churn.lua"
local gen = dofile "spec/support/gen.lua"
local golden = dofile "spec/support/golden.lua"
local hex = dofile "spec/support/hex.lua"
local oracle = dofile "spec/support/oracle.lua"
local raised = dofile "spec/support/raised.lua"
local wal = core.wal

local BATCH <const> = wal.encode_batch {
  first_seq = 42, timestamp_ns = 9, shard = 3, region = 2, epoch = 7,
  events = { { entity = 7, signal_type = 3, weight = 1.5, timestamp_ns = 9 },
             { entity = -7, signal_type = 4, weight = 2.5, timestamp_ns = 10 } },
}

-- The header hash of these bytes, as the decoder says it.
local function rehashed(bytes)
  local zero = hex.put(bytes, 48, "\0\0\0\0")
  local _, err = wal.decode_header(zero)
  if not err then return zero end
  assert(err.code == "header_hash")
  return hex.put(bytes, 48, ("<I4"):pack(err.bound))
end

describe("wal.decode_batch", function()
  it("reads at an offset, from 0", function()
    local bytes = "xyz" .. BATCH .. BATCH .. "behind"
    local batch = assert(wal.decode_batch(bytes, 3))
    assert.equal(3, batch.offset)
    assert.equal(42, batch.first_seq)
    assert.equal(3 + #BATCH, assert(wal.decode_batch(bytes, 3 + #BATCH)).offset)
    assert.equal(BATCH, batch:encode())
  end)

  it("tells where what is wrong lies", function()
    local _, err = wal.decode_batch("xyz" .. BATCH, 1)
    assert.same({ "magic", 1 }, { err.code, err.offset })
    _, err = wal.decode_batch(BATCH, #BATCH)
    assert.same({ "short", 0, 64, #BATCH }, { err.code, err.got, err.bound, err.offset })
  end)

  it("raises for offsets outside of the bytes", function()
    assert.equal("bad argument #2 (offset: 4 is outside 0..3)", raised(wal.decode_batch, "abc", 4))
    assert.equal("bad argument #2 (offset: -1 is outside 0..3)",
                 raised(wal.decode_batch, "abc", -1))
    assert.equal("bad argument #1 (bytes: a string expected, got 5)", raised(wal.decode_batch, 5))
  end)

  it("refuses every cut", function()
    local codes = {}
    for size = 0, #BATCH - 1 do
      local batch, err = wal.decode_batch(BATCH:sub(1, size))
      assert(batch == nil and err.code == "short", size)
      codes[err.subject] = true
    end
    assert.same({ ["batch header"] = true, payload = true }, codes)
  end)

  it("refuses every flipped bit", function()
    local silent, codes = 0, {}
    for bit = 0, 8 * #BATCH - 1 do
      local batch, err = wal.decode_batch(hex.flip(BATCH, bit))
      if batch then silent = silent + 1 else codes[err.code] = (codes[err.code] or 0) + 1 end
    end
    assert.equal(0, silent)
    assert.same({ magic = 32, header_hash = 60 * 8, payload_hash = 42 * 8 }, codes)
  end)

  it("never crashes on anything", function()
    gen.property("random bytes", 3000, function(g)
      local bytes = g:bytes(g:int(0, 140))
      if g:once_in(2) then bytes = "TIDL" .. bytes end
      local batch, err = wal.decode_batch(bytes)
      if batch or not core.is_error(err) then return hex.encode(bytes) end
    end)
  end)

  -- A changed header whose hash is right again.
  local forged = {
    { "version 0", 4, "\0\0", "unsupported" }, { "version 3", 4, "\3\0", "unsupported" },
    { "kind 2", 6, "\2\0", "unsupported" }, { "flag 32", 6, "\32\0", "unsupported" },
    { "flag 32768", 6, "\0\x80", "unsupported" }, { "byte 56", 56, "\1", "reserved" },
    { "byte 57", 57, "\1", "reserved" }, { "byte 62", 62, "\1", "reserved" },
    { "byte 63", 63, "\x80", "reserved" }, { "no events", 24, "\0\0\0\0", "length" },
    { "an odd length", 28, ("<I4"):pack(41), "length" },
    { "too long a payload", 28, ("<I4"):pack(16777153), "length" },
    { "number 0", 8, ("<i8"):pack(0), "sequence" },
    { "numbers past 2^64-1", 8, ("<i8"):pack(-1), "sequence" },
    { "v1 with tags", 4, "\1\0", "reserved" },
  }
  for _, case in ipairs(forged) do
    it("refuses " .. case[1] .. " under a right hash", function()
      local bytes = rehashed(hex.put(BATCH, case[2], case[3]))
      for _, decode in ipairs { wal.decode_batch, wal.decode_header } do
        local batch, err = decode(bytes)
        assert.is_nil(batch)
        assert.equal(case[4], err.code)
      end
    end)
  end

  it("takes a v1 header whose tags are zero as r0:s0 under no epoch", function()
    local bytes = rehashed(hex.put(hex.put(BATCH, 4, "\1\0"), 52, ("\0"):rep(12)))
    local batch = assert(wal.decode_batch(bytes))
    assert.same({ 1, core.shard(0), core.region(0), 0 },
                { batch.version, batch.shard, batch.region, batch.epoch })
    for at = 52, 63 do
      local _, err = wal.decode_batch(rehashed(hex.put(bytes, at, "\1")))
      assert.equal("reserved", err.code)
    end
    for _, flags in ipairs { "\1\0", "\16\0", "\0\1" } do
      local _, err = wal.decode_batch(rehashed(hex.put(bytes, 6, flags)))
      assert.equal("reserved", err.code)
    end
  end)
end)

describe("wal.decode_header", function()
  it("gives the fields without a payload", function()
    local head, batch = assert(wal.decode_header(BATCH:sub(1, 64))), wal.decode_batch(BATCH)
    for _, name in ipairs { "version", "kind", "lazy", "first_seq", "last_seq", "timestamp_ns",
                            "event_count", "payload_len", "payload_hash", "layout_epoch", "epoch",
                            "shard", "region", "log", "size" } do
      assert.equal(batch[name], head[name])
      head[name] = nil
    end
    assert.is_nil(next(head))
  end)

  it("does not look behind the 64 bytes", function()
    local head = assert(wal.decode_header("xx" .. hex.flip(BATCH, 8 * 70), 2))
    assert.equal(2, head.event_count)
  end)
end)

describe("wal.scan", function()
  it("walks over batches, then zeros", function()
    local scan = wal.scan(BATCH .. BATCH .. ("\0"):rep(100))
    assert.equal(0, scan:offset())
    assert.equal(0, scan:next().offset)
    assert.equal(#BATCH, scan:offset())
    assert.equal(#BATCH, scan:next().offset)
    assert.is_nil(scan:next())
    assert.equal(1, select("#", scan:next()))
    assert.equal(2 * #BATCH, scan:offset())
  end)

  it("stops at damage and says so again", function()
    local bytes = BATCH .. hex.flip(BATCH, 8 * 70) .. BATCH
    local scan = wal.scan(bytes)
    scan:next()
    for _ = 1, 3 do
      local batch, err = scan:next()
      assert.is_nil(batch)
      assert.same({ "payload_hash", #BATCH }, { err.code, err.offset })
      assert.equal(#BATCH, scan:offset())
    end
  end)

  it("raises in a loop, so that none ends early by itself", function()
    local count = 0
    local fine, err = pcall(function()
      for _ in wal.scan(BATCH .. BATCH .. "\0\1"):batches() do count = count + 1 end
    end)
    assert.is_false(fine)
    assert.is_true(core.is_error(err))
    assert.equal(2, count)
  end)

  it("goes on where it was after a broken loop", function()
    local scan = wal.scan(BATCH:rep(3))
    for _ in scan:batches() do break end
    local rest = 0
    for _ in scan:batches() do rest = rest + 1 end
    assert.equal(2, rest)
  end)

  it("holds its bytes", function()
    local scan = wal.scan(table.concat { BATCH, BATCH })
    churn(2 * #BATCH)
    assert.equal(42, scan:next().first_seq)
    local step, state = scan:batches()
    scan = nil
    churn(2 * #BATCH)
    assert.equal(42, step(state).first_seq)
    assert.is_nil(step(state))
    assert.is_nil(wal.scan(""):next())
    assert.equal("bad argument #1 (tidal.Scan expected, got 5)", raised(step, 5))
  end)

  it("reads every golden segment as an independent reader does", function()
    local totals = { ["v1-single"] = { 40000, 442 }, ["v2-five-shards"] = { 20000, 231 } }
    for dir, want in pairs(totals) do
      local events, batches, faults = 0, 0, {}
      for _, name in ipairs(golden.segments(dir)) do
        local bytes, at = golden.read(dir .. "/" .. name), 0
        local scan = wal.scan(bytes)
        for i, expected in ipairs(oracle.read_segment(bytes)) do
          local batch = scan:next()
          local same = batch.offset == expected.offset
            and batch.first_seq == expected.first_seq
            and batch.version == expected.version and batch.shard.value == expected.shard
            and batch.region.value == expected.region and batch.payload == expected.payload
            and batch.layout_epoch == expected.layout_epoch
            and batch.timestamp_ns == expected.timestamp_ns
          local whole = bytes:sub(at + 1, at + batch.size) == batch:encode()
          for n, entity, signal, weight, stamp in batch:each() do
            local e = expected.events[n]
            same = same and e.entity == entity and e.signal_type == signal and e.weight == weight
              and e.timestamp_ns == stamp
            events = events + 1
          end
          if not same or not whole then faults[#faults + 1] = name .. " batch " .. i end
          at = at + batch.size
          batches = batches + 1
        end
        if scan:next() then faults[#faults + 1] = name .. " goes on" end
      end
      assert.equal("", table.concat(faults, "\n"))
      assert.same(want, { events, batches })
    end
  end)
end)

describe("every damaged segment", function()
  local codes = { ["torn-header"] = "short", ["torn-payload"] = "short",
                  ["flip-in-middle"] = "payload_hash", ["flip-in-sealed"] = "header_hash",
                  ["cut-sealed"] = "short", ["version-3"] = "unsupported",
                  ["v1-with-tags"] = "reserved" }
  for case, expected in pairs(golden.json "damaged/expect.json") do
    it(case .. " gives its verdict's error at its offset", function()
      local file, damaged = nil, 0
      for _, name in ipairs(golden.segments("damaged/" .. case)) do
        local scan = wal.scan(golden.read("damaged/" .. case .. "/" .. name))
        local batch, err
        repeat batch, err = scan:next() until not batch
        if err then
          damaged, file = damaged + 1, name
          assert.same({ codes[case], expected.offset }, { err.code, err.offset })
        end
      end
      -- What is wrong between segments only the reader of a directory sees.
      assert.equal(codes[case] and 1 or 0, damaged)
      assert.equal(codes[case] and expected.file, file)
    end)
  end
end)

describe("segment names", function()
  local vectors = golden.json "vectors.json"

  it("are the golden ones, both ways", function()
    for _, vector in ipairs(vectors.segment_names) do
      assert.equal(vector.name, wal.segment_name(vector.shard, vector.first_seq))
      local shard, first = wal.parse_segment_name(vector.name)
      assert.same({ core.shard(vector.shard), vector.first_seq }, { shard, first })
    end
    assert.equal(5, #vectors.segment_names)
  end)

  for _, name in ipairs(table.move({
    "wal-00000000000000000000.seg", "wal-s00001-00000000000000000000.seg", "wal-",
    "wal-s00001-.seg",
    "wal-00000000000000000001.seg\0", "wal-s0000a-00000000000000000001.seg",
    "wal-s00001-00000000000000000001.segx", " wal-00000000000000000001.seg",
    "wal-s00001_00000000000000000001.seg", ("w"):rep(4000),
  }, 1, 10, #vectors.bad_segment_names + 1, vectors.bad_segment_names)) do
    it(("are not %q"):format(name:sub(1, 40)), function()
      local shard, err = wal.parse_segment_name(name)
      assert.is_nil(shard)
      assert.equal("name", err.code)
    end)
  end

  it("go both ways", function()
    gen.property("segment names", 3000, function(g)
      local shard, first = g:u16(), g:seqno(1)
      local name = wal.segment_name(shard, first)
      if name ~= oracle.segment_name(shard, first) then return name end
      local parsed, number = wal.parse_segment_name(name)
      if parsed ~= core.shard(shard) or number ~= first then return name .. " back" end
    end)
  end)

  it("need a number from 1 up", function()
    assert.equal("bad argument #2 (first_seq: numbers start at 1, got 0)",
                 raised(wal.segment_name, 0, 0))
    assert.matches("^bad argument #1 %(shard: ", raised(wal.segment_name, core.region(0), 1))
    assert.equal("bad argument #1 (name: a string expected, got nil)",
                 raised(wal.parse_segment_name, nil))
  end)
end)
