-- A batch as a Lua value: fields, events, its bytes again.
local core = require "tidal.core"
local churn = dofile "spec/support/churn.lua"
local gen = dofile "spec/support/gen.lua"
local golden = dofile "spec/support/golden.lua"
local hex = dofile "spec/support/hex.lua"
local oracle = dofile "spec/support/oracle.lua"
local raised = dofile "spec/support/raised.lua"
local wal = core.wal

local EVENTS <const> = {
  { entity = 7, signal_type = 3, weight = 1.5, timestamp_ns = 1700000000000000000 },
  { entity = -1, signal_type = 255, weight = -0.25, timestamp_ns = -1 },
  { entity = math.mininteger, signal_type = 0, weight = 0.0, timestamp_ns = 0 },
}

local function made(fields)
  local head = { first_seq = 5, timestamp_ns = 9, shard = 3, region = 2, epoch = 7,
                 events = EVENTS }
  for key, value in pairs(fields or {}) do head[key] = value end
  return assert(wal.decode_batch(wal.encode_batch(head)))
end

describe("a batch", function()
  it("has the fields of its header", function()
    local batch = made()
    local want = { version = 2, kind = 0, lazy = false, first_seq = 5, last_seq = 7,
                   timestamp_ns = 9, event_count = 3, payload_len = 63, layout_epoch = 7, epoch = 7,
                   shard = core.shard(3), region = core.region(2), log = core.log(2, 3),
                   offset = 0, size = 127, payload = oracle.payload(EVENTS) }
    for name, value in pairs(want) do assert.equal(value, batch[name]) end
    assert.equal(core.checksum(batch.payload), batch.payload_hash)
  end)

  it("has numbers above 2^63 as patterns", function()
    local batch = made { first_seq = -3, timestamp_ns = math.mininteger, epoch = 0xffffffff,
                         shard = 65535, region = 65535, lazy = true }
    assert.same({ -3, -1, math.mininteger, 4294967295, true },
                { batch.first_seq, batch.last_seq, batch.timestamp_ns, batch.epoch, batch.lazy })
    assert.equal("tidal.Batch(r65535:s65535:18446744073709551613..18446744073709551615)",
                 tostring(batch))
  end)

  it("has nothing else", function()
    local batch = made()
    for _, key in ipairs { "nothing", "shard\0", "", 1, 1.5, true, batch } do
      assert.is_nil(batch[key])
    end
    assert.is_nil(batch[0 / 0])
    assert.is_false(pcall(function() batch.shard = 1 end))
  end)

  it("prints as its log and numbers", function()
    assert.equal("tidal.Batch(r2:s3:5..7)", tostring(made()))
  end)

  it("reads golden headers of both versions", function()
    for _, vector in ipairs(golden.json("vectors.json").headers) do
      local batch = assert(wal.decode_batch(hex.decode(vector.hex)))
      assert.equal(vector.version, batch.version)
      assert.equal(core.shard(vector.shard), batch.shard)
      assert.equal(core.region(vector.region), batch.region)
      assert.equal(vector.epoch, batch.layout_epoch)
      assert.equal(vector.first_seq, batch.first_seq)
      assert.equal(vector.timestamp_ns, batch.timestamp_ns)
      assert.equal(vector.count, batch.event_count)
      assert.equal(vector.hex, hex.encode(batch:encode()))
    end
  end)
end)

describe("batch:events()", function()
  it("is the list of events", function()
    local events = made():events()
    assert.equal(3, #events)
    for i, event in ipairs(EVENTS) do
      assert.same(event, { entity = events[i].entity, signal_type = events[i].signal_type,
                           weight = events[i].weight, timestamp_ns = events[i].timestamp_ns })
    end
  end)

  it("is an iterator, too", function()
    local count = 0
    for event in made():events() do
      count = count + 1
      assert.same(EVENTS[count], event)
    end
    assert.equal(3, count)
    local next_event = made():events()
    assert.equal(7, next_event().entity)
    assert.equal(-1, next_event().entity)
    assert.equal(math.mininteger, next_event().entity)
    assert.is_nil(next_event())
    assert.is_nil(next_event())
  end)

  it("can be walked again, from the start, also after a break", function()
    local events = made():events()
    for _ = 1, 3 do
      local count = 0
      for event in events do count = count + (event and 1) end
      assert.equal(3, count)
    end
    for event in events do
      if event.entity == -1 then break end
    end
    for event in events do
      assert.equal(7, event.entity)
      break
    end
  end)

  it("can be walked inside a walk", function()
    local events, pairs_seen = made():events(), {}
    for a in events do
      for b in events do pairs_seen[#pairs_seen + 1] = a.signal_type .. "," .. b.signal_type end
    end
    assert.equal("3,3 3,255 3,0 255,3 255,255 255,0 0,3 0,255 0,0", table.concat(pairs_seen, " "))
  end)

  it("is a table of its own each time", function()
    local batch = made()
    local events = batch:events()
    events[1].entity = 0
    assert.equal(7, batch:events()[1].entity)
  end)

  it("is called with nothing but a list", function()
    local call = getmetatable(made():events()).__call
    assert.equal("bad argument #1 (a list of events expected, got 5)", raised(call, 5))
    assert.equal("bad argument #1 (a list of events expected, got nothing)", raised(call))
    assert.is_nil(call({}, nil, {}))
  end)
end)

describe("batch:event(i) and batch:each()", function()
  it("give the values without tables", function()
    local batch = made()
    assert.same({ -1, 255, -0.25, -1 }, { batch:event(2) })
    local seen = 0
    for i, entity, signal, weight, stamp in batch:each() do
      seen = seen + 1
      local want = EVENTS[i]
      assert.same({ want.entity, want.signal_type, want.weight, want.timestamp_ns },
                  { entity, signal, weight, stamp })
    end
    assert.equal(3, seen)
  end)

  it("stay within the batch", function()
    local batch = made()
    assert.equal("bad argument #2 (event: 0 is outside 1..3)", raised(batch.event, batch, 0))
    assert.equal("bad argument #2 (event: 4 is outside 1..3)", raised(batch.event, batch, 4))
    assert.equal("bad argument #2 (event: an integer in 1..3 expected, got nil)",
                 raised(batch.event, batch, nil))
    local step = batch:each()
    assert.is_nil(step(batch, 3))
    assert.equal("bad argument #2 (event: 4 is outside 0..3)", raised(step, batch, 4))
    assert.equal("bad argument #2 (event: -1 is outside 0..3)", raised(step, batch, -1))
    assert.equal("bad argument #1 (tidal.Batch expected, got nil)", raised(step, nil, 1))
  end)

  it("keep the bits of weights that compare with nothing", function()
    for _, weight in ipairs { 1 / 0, -1 / 0, -0.0, 1.401298464324817e-45, 3.4028234663852886e38 } do
      local batch = made { events = { { entity = 1, signal_type = 1, weight = weight,
                                        timestamp_ns = 1 } } }
      local _, _, got = batch:event(1)
      assert.equal(weight, got)
      assert.equal(1 / weight, 1 / got)
    end
    local payload = hex.decode "0700000000000000 03 010080ff 0100000000000000"
    local bytes = wal.encode_batch { first_seq = 1, payload = payload }
    local batch = wal.decode_batch(bytes)
    local _, _, nan = batch:event(1)
    assert.is_true(nan ~= nan)
    assert.equal(bytes, batch:encode())
  end)
end)

describe("a batch of session events", function()
  local bytes = wal.encode_batch { first_seq = 1, kind = 1, payload = "opaque", event_count = 4 }

  it("is counted and kept, not looked into", function()
    local batch = wal.decode_batch(bytes)
    assert.same({ 1, 4, 6, "opaque", 4 }, { batch.kind, batch.event_count, batch.payload_len,
                                            batch.payload, batch.last_seq })
    assert.same({}, batch:events())
    for _ in batch:each() do error "there is nothing" end
    assert.equal("bad argument #2 (event: a batch of session events has no records)",
                 raised(batch.event, batch, 1))
    assert.equal(bytes, batch:encode())
  end)
end)

describe("a batch's memory", function()
  it("outlives the bytes, the scan and the script's other values", function()
    local batches, size = {}
    do
      local parts = {}
      for i = 1, 20 do
        parts[i] = wal.encode_batch { first_seq = i, events = { EVENTS[1 + i % 3] } }
      end
      local bytes = table.concat(parts)
      size = #bytes
      for batch in wal.scan(bytes):batches() do batches[#batches + 1] = batch end
    end
    for _ = 1, 3 do
      churn(size)
      for i, batch in ipairs(batches) do
        assert.equal(EVENTS[1 + i % 3].entity, (batch:event(1)))
      end
    end
    assert.equal(20, #batches)
    local alone = wal.decode_batch(wal.encode_batch { first_seq = 1, events = EVENTS })
    churn(alone.size)
    assert.equal(oracle.payload(EVENTS), alone.payload)
  end)

  it("holds an event list and its steps after the batch is gone", function()
    local events = made():events()
    local step, state = made():each()
    collectgarbage()
    assert.equal(7, events().entity)
    assert.equal(1, (step(state, nil)))
  end)
end)

describe("batches", function()
  it("read as an independent reader reads them, and encode again", function()
    gen.property("batches", 300, function(g)
      local events = g:events(g:int(1, 12))
      local fields = g:head(#events)
      fields.events = events
      local bytes = wal.encode_batch(fields)
      local batch, want = assert(wal.decode_batch(bytes)), oracle.read_batch(bytes, 0)
      for _, name in ipairs { "version", "first_seq", "timestamp_ns", "event_count", "payload_len",
                              "layout_epoch", "payload" } do
        if batch[name] ~= want[name] then return name end
      end
      if batch.shard.value ~= want.shard or batch.region.value ~= want.region then return "tags" end
      if batch.lazy ~= (want.flags & 16 ~= 0) or batch.kind ~= want.flags & 15 then
        return "flags"
      end
      if batch:encode() ~= bytes then return "encodes to other bytes" end
      for i, event in ipairs(batch:events()) do
        for name, value in pairs(want.events[i]) do
          if event[name] ~= value then return ("event %d: %s"):format(i, name) end
        end
      end
    end)
  end)
end)

describe("headers", function()
  local ROUNDS <const> = os.getenv "TIDAL_SOAK" and 1000000 or 30000
  local NAMES <const> = { "version", "first_seq", "timestamp_ns", "event_count", "payload_len",
                          "layout_epoch" }

  -- Where a wrong value is most telling: fields, and values at their edges.
  local EDGES <const> = { 0, 1, 2, 3, 16, 17, 21, 31, 32, 128, 255 }

  local function spoil(g, bytes)
    if g:once_in(8) then
      bytes = bytes:sub(1, 8) .. g:pick({ "\0", "\xff" }):rep(8) .. bytes:sub(17)
    end
    for _ = 1, g:int(1, 3) do
      local at = g:int(1, 64)
      local byte = g:once_in(2) and g:pick(EDGES) or g:int(0, 255)
      bytes = bytes:sub(1, at - 1) .. string.char(byte) .. bytes:sub(at + 1)
    end
    return bytes
  end

  -- The same bytes with the hash that belongs to them: the decoder says it.
  local function rehashed(bytes)
    local head, err = wal.decode_header(bytes)
    if head or err.code ~= "header_hash" then return bytes, head, err end
    bytes = bytes:sub(1, 48) .. ("<I4"):pack(err.bound & 0xffffffff) .. bytes:sub(53)
    return bytes, wal.decode_header(bytes)
  end

  it("are judged as an independent reader judges them, behind the hash too", function()
    local told = {}
    gen.property("headers", ROUNDS, function(g)
      local bytes = wal.encode_batch {
        first_seq = g:once_in(4) and -g:int(3, 9) or 1 + g:int(0, 99), timestamp_ns = g:u64(),
        shard = g:u16(), region = g:u16(), epoch = g:u32(), lazy = g:once_in(2),
        events = g:events(g:int(1, 3)),
      }
      local fixed, head, err = rehashed(spoil(g, bytes:sub(1, 64)))
      local want, fields = oracle.judge_header(fixed)
      local got = head and "ok" or err.code
      told[got] = (told[got] or 0) + 1
      if got ~= want then return ("%s, the reader says %s"):format(got, want) end
      for _, name in ipairs(head and NAMES or {}) do
        if head[name] ~= fields[name] then return name end
      end
    end)
    for _, code in ipairs { "ok", "magic", "unsupported", "reserved", "length", "sequence" } do
      assert.is_true((told[code] or 0) > 20, code)
    end
  end)
end)
