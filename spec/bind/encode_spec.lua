-- tidal.wal.encode_batch and tidal.wal.builder.
local core = require "tidal.core"
local gen = dofile "spec/support/gen.lua"
local golden = dofile "spec/support/golden.lua"
local hex = dofile "spec/support/hex.lua"
local oracle = dofile "spec/support/oracle.lua"
local raised = dofile "spec/support/raised.lua"
local wal = core.wal

local EVENT <const> = { entity = 7, signal_type = 3, weight = 1.5, timestamp_ns = 9 }

local function with(fields)
  local out = { first_seq = 1, timestamp_ns = 2, events = { EVENT } }
  for key, value in pairs(fields) do out[key] = value end
  return out
end

local function event_with(fields)
  local out = {}
  for key, value in pairs(EVENT) do out[key] = value end
  for key, value in pairs(fields) do out[key] = value end
  return out
end

describe("wal.encode_batch", function()
  it("gives the golden bytes, header hash included", function()
    local checked = 0
    for _, vector in ipairs(golden.json("vectors.json").headers) do
      if vector.version == 2 then
        local bytes = wal.encode_batch {
          first_seq = vector.first_seq, timestamp_ns = vector.timestamp_ns, shard = vector.shard,
          region = vector.region, epoch = vector.epoch,
          events = { event_with { timestamp_ns = vector.timestamp_ns } },
        }
        assert.equal(vector.hex, hex.encode(bytes))
        checked = checked + 1
      end
    end
    assert.equal(3, checked)
  end)

  it("puts the shard at bytes 58-59 and the region at 60-61", function()
    local bytes = wal.encode_batch(with { shard = 0x1234, region = 0x5678, epoch = 0x9abcdef0 })
    assert.equal("f0debc9a" .. "0000" .. "3412" .. "7856" .. "0000", hex.encode(bytes:sub(53, 64)))
  end)

  it("takes ids as objects, numbers and text", function()
    local by_number = wal.encode_batch(with { shard = 3, region = 2 })
    assert.equal(by_number, wal.encode_batch(with { shard = core.shard(3), region = "r2" }))
    assert.equal(by_number, wal.encode_batch(with { shard = "s3", region = core.region(2),
                                                    first_seq = "0x1", timestamp_ns = "2" }))
  end)

  it("makes what an independent writer makes", function()
    gen.property("encode_batch", 400, function(g)
      local events = g:events(g:int(1, 12))
      local fields = g:head(#events)
      local want = oracle.batch(fields, events)
      fields.events = events
      return hex.difference(want, oracle.unhashed(wal.encode_batch(fields))):match ".+"
    end)
  end)

  it("makes the same from a payload", function()
    gen.property("encode_batch of a payload", 200, function(g)
      local events = g:events(g:int(1, 5))
      local fields = g:head(#events)
      fields.events = events
      local by_events = wal.encode_batch(fields)
      fields.events, fields.payload = nil, oracle.payload(events)
      if wal.encode_batch(fields) ~= by_events then return "other bytes" end
      fields.event_count, fields.kind = #events, 0
      if wal.encode_batch(fields) ~= by_events then return "other bytes with a count" end
    end)
  end)

  it("leaves its table as it was", function()
    local fields = with { shard = 3 }
    wal.encode_batch(fields)
    assert.same(with { shard = 3 }, fields)
  end)

  it("fills one segment and no more (TD_BATCH_PAYLOAD_MAX)", function()
    local most = 16777216 - 64
    local bytes = wal.encode_batch { first_seq = 1, kind = 1, event_count = 1,
                                     payload = ("x"):rep(most) }
    assert.equal(16777216, #bytes)
    assert.equal("payload: 16777153 bytes, at most 16777152 fit into a batch",
                 raised(wal.encode_batch, { first_seq = 1, kind = 1, event_count = 1,
                                            payload = ("x"):rep(most + 1) }))
  end)

  local u64_form = ': an integer, "0x" and 1-16 hex digits, or decimal text up to '
    .. '"18446744073709551615" expected, got '
  local cases = {
    { "no first_seq", with { first_seq = false }, "first_seq" .. u64_form .. "false" },
    { "first_seq 0", with { first_seq = 0 }, "first_seq: numbers start at 1, got 0" },
    { "a float for first_seq", with { first_seq = 1.0 }, "first_seq" .. u64_form .. "the float 1" },
    { "a float for timestamp_ns", with { timestamp_ns = 1e18 },
      "timestamp_ns" .. u64_form .. "the float 1e+18" },
    { "a shard above 65535", with { shard = 65536 }, "shard: 65536 is outside 0..65535" },
    { "a region for a shard", with { shard = core.region(1) },
      'shard: a shard (tidal.shard(3), 3 or "s3") expected, got tidal.RegionId' },
    { "a region below 0", with { region = -1 }, "region: -1 is outside 0..65535" },
    { "an epoch above 2^32-1", with { epoch = 1 << 32 },
      "epoch: 4294967296 is outside 0..4294967295" },
    { "a kind that is not known", with { kind = 2 }, "kind: 2 is outside 0..1" },
    { "no events", { first_seq = 1 }, "events: a list of events expected, got nil" },
    { "events that are no list", with { events = "x" },
      'events: a list of events expected, got "x"' },
    { "an empty list", with { events = {} }, "events: a batch has at least one event" },
    { "an event that is no table", with { events = { EVENT, 5 } },
      "events[2]: a table { entity =, signal_type =, weight =, timestamp_ns = } expected, got 5" },
    { "an event without entity", with { events = { {} } },
      "events[1].entity" .. u64_form .. "nil" },
    { "a shard for an entity", with { events = { event_with { entity = core.shard(1) } } },
      "events[1].entity" .. u64_form .. "tidal.ShardId" },
    { "a signal_type above 255", with { events = { event_with { signal_type = 256 } } },
      "events[1].signal_type: 256 is outside 0..255" },
    { "a weight in text", with { events = { event_with { weight = "1" } } },
      'events[1].weight: a number expected, got "1"' },
    { "a weight too large", with { events = { EVENT, event_with { weight = 1e39 } } },
      "events[2].weight: does not fit into 32 bits" },
    { "a kind without payload", with { kind = 1 },
      "payload: batches of kind 1 are made from their bytes" },
    { "events and a payload", with { payload = "x" },
      "events: either events or a payload, not both" },
    { "events and a count", with { event_count = 1 },
      "event_count: goes with a payload; events are counted" },
    { "a payload that is no string", { first_seq = 1, payload = 5 },
      "payload: a string expected, got 5" },
    { "session events without a count", { first_seq = 1, kind = 1, payload = "x" },
      "event_count: an integer in 1..4294967295 expected, got nil" },
    { "a payload of no whole events", { first_seq = 1, payload = ("x"):rep(22) },
      "length: payload length is 22 where 21 is the rule" },
    { "a count that the payload has not",
      { first_seq = 1, payload = ("x"):rep(42), event_count = 3 },
      "length: payload length is 42 where 63 is the rule" },
    { "an unknown key", with { shrad = 1 }, 'bad argument #1 (unknown key "shrad"; known are '
      .. "first_seq, timestamp_ns, shard, region, epoch, lazy, kind, events, payload, "
      .. "event_count)" },
  }
  for _, case in ipairs(cases) do
    it("refuses " .. case[1], function()
      assert.equal(case[3], raised(wal.encode_batch, case[2]))
    end)
  end

  it("refuses numbers that run past 2^64-1", function()
    local fine, err = pcall(wal.encode_batch, with { first_seq = -1, events = { EVENT, EVENT } })
    assert.is_false(fine)
    assert.equal("sequence", err.code)
    assert.is_string(wal.encode_batch(with { first_seq = -2, events = { EVENT, EVENT } }))
  end)
end)

describe("wal.builder", function()
  it("makes the batch that a table makes", function()
    gen.property("builder", 60, function(g)
      local events = g:events(g:int(1, 230))
      local fields = g:head(#events)
      local builder = wal.builder()
      local add = builder:bind()
      for i, event in ipairs(events) do
        if i % 2 == 0 then
          add(event.entity, event.signal_type, event.weight, event.timestamp_ns)
        else
          builder:add(event.entity, event.signal_type, event.weight, event.timestamp_ns)
        end
        if #builder ~= i then return "#builder is " .. #builder end
      end
      local sealed = builder:seal(fields)
      fields.events = events
      if sealed ~= wal.encode_batch(fields) then return #events .. " events" end
      if #builder ~= 0 then return "is not empty again" end
    end)
  end)

  it("is used again after a seal", function()
    local builder = wal.builder()
    local add = builder:bind()
    local first
    for round = 1, 4 do
      add(7, 3, 1.5, 9)
      local bytes = builder:seal { first_seq = round }
      first = first or bytes
      assert.equal(first:sub(65), bytes:sub(65))
      assert.equal(round, wal.decode_batch(bytes).first_seq)
      collectgarbage()
    end
  end)

  it("keeps its events when a seal is refused", function()
    local builder = wal.builder()
    builder:add(7, 3, 1.5, 9)
    for _, case in ipairs {
      { { first_seq = 0 }, "first_seq: numbers start at 1, got 0" },
      { { first_seq = 1, shard = "x" },
        'shard: a shard (tidal.shard(3), 3 or "s3") expected, got "x"' },
      { { first_seq = 1, events = { EVENT } }, 'bad argument #2 (unknown key "events"; known are '
        .. "first_seq, timestamp_ns, shard, region, epoch, lazy)" },
      { { first_seq = 1, kind = 1 }, 'bad argument #2 (unknown key "kind"; known are '
        .. "first_seq, timestamp_ns, shard, region, epoch, lazy)" },
      { nil, "bad argument #2 (a table { first_seq =, timestamp_ns =, ... } expected, "
        .. "got nil)" },
    } do
      assert.equal(case[2], raised(builder.seal, builder, case[1]))
      assert.equal(1, #builder)
    end
    builder:add(8, 3, 1.5, 9)
    assert.is_false(pcall(builder.seal, builder, { first_seq = -1 }))
    assert.equal(2, #wal.decode_batch(builder:seal { first_seq = -2 }):events())
  end)

  it("refuses an empty seal and wrong events", function()
    local builder = wal.builder()
    assert.equal("the builder holds no events", raised(builder.seal, builder, { first_seq = 1 }))
    local refusals = {
      { "^bad argument #%d %(entity: an integer, ", nil, 3, 1.5, 9 },
      { "^bad argument #%d %(entity: .* got tidal.ShardId", core.shard(1), 3, 1.5, 9 },
      { "^bad argument #%d %(signal_type: 256 is outside 0..255", 7, 256, 1.5, 9 },
      { "^bad argument #%d %(signal_type: %-1 is outside 0..255", 7, -1, 1.5, 9 },
      { "^bad argument #%d %(signal_type: an integer in 0..255 ", 7, 3.0, 1.5, 9 },
      { '^bad argument #%d %(weight: a number expected, got "1"', 7, 3, "1", 9 },
      { "^bad argument #%d %(weight: does not fit into 32 bits", 7, 3, -3.5e38, 9 },
      { "^bad argument #%d %(timestamp_ns: .* got nothing", 7, 3, 1.5 },
    }
    for _, case in ipairs(refusals) do
      local form = case[1]:gsub("%%d", "%%d+")
      assert.matches(form, raised(builder.add, builder, table.unpack(case, 2, #case)))
      assert.matches(form, raised(builder:bind(), table.unpack(case, 2, #case)))
    end
    assert.equal(0, #builder)
  end)

  it("takes the ids and weights that the fast way does not", function()
    local builder = wal.builder()
    builder:add("0xffffffffffffffff", 3, 1 / 0, "18446744073709551615")
    builder:add(7, 3, 0 / 0, 9)
    builder:add(7, 3, 2, 9)
    local batch = wal.decode_batch(builder:seal { first_seq = 1 })
    assert.same({ -1, 3, 1 / 0, -1 }, { batch:event(1) })
    local _, _, nan = batch:event(2)
    assert.is_true(nan ~= nan)
    assert.same({ 7, 3, 2.0, 9 }, { batch:event(3) })
  end)

  it("lives as long as the function bound to it", function()
    local seen, add = setmetatable({}, { __mode = "k" })
    do
      local builder = wal.builder()
      seen[builder] = true
      add = builder:bind()
    end
    for i = 1, 2500 do
      add(i, 1, 1, i)
      if i % 500 == 0 then collectgarbage() end
    end
    local builder = next(seen)
    assert.equal(2500, #builder)
    local batch = wal.decode_batch(builder:seal { first_seq = 1 })
    for i, entity in batch:each() do assert(i == entity) end
    builder, add = nil, nil
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(seen))
  end)

  it("holds 798912 events and no more (TD_RECORDS_MAX)", function()
    local builder = wal.builder()
    local add = builder:bind()
    for i = 1, 798912 do add(i, 1, 1, i) end
    assert.equal("a batch holds at most 798912 events", raised(add, 1, 1, 1, 1))
    assert.equal(798912, #builder)
    local bytes = builder:seal { first_seq = 1 }
    assert.equal(64 + 21 * 798912, #bytes)
    assert.equal(798912, wal.decode_header(bytes).event_count)
    add(1, 1, 1, 1)
    assert.equal(1, #builder)
  end)
end)
