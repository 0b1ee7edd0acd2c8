-- tidal-lua wal dump: every batch, against what the reference of the formats
-- prints of the golden directories.
local cli = require "spec.support.cli"
local core = require "tidal.core"
local golden = require "spec.support.golden"
local json = require "tidal.json"
local lfs = require "lfs"
local oracle = require "spec.support.oracle"
local script = require "spec.support.script"

local function dump(...)
  local status, out, err = cli.run { "wal", "dump", ... }
  return status, out, err
end

-- Lines of JSON as values.
local function values(text)
  local out = {}
  for line in text:gmatch "[^\n]+" do out[#out + 1] = json.decode(line) end
  return out
end

-- A value as the reference of the formats prints it: numbers as numbers.
local U64 <const> = { first_seq = true, timestamp_ns = true }
local function as_reference(value)
  for key in pairs(U64) do
    if value[key] then
      assert(type(value[key]) == "string" and value[key]:find "^%d+$")
      value[key] = math.tointeger(tonumber(value[key]))
    end
  end
  -- Of an error only the kind is the same: "short: ...".
  if type(value.error) == "string" then value.error = value.error:match "^[%l_]+:" end
  return value
end

-- Where two lists of values differ, field by field.
local function differences(want, got)
  local out = {}
  if #want ~= #got then out[1] = ("%d and %d lines"):format(#want, #got) end
  for i = 1, math.min(#want, #got) do
    as_reference(got[i])
    if want[i].error and want[i].error ~= json.null then as_reference(want[i]) end
    for _, pair in ipairs { { want[i], got[i] }, { got[i], want[i] } } do
      for key, value in pairs(pair[1]) do
        if pair[2][key] ~= value then
          out[#out + 1] = ("line %d, %s: %s is not %s"):format(i, key, tostring(pair[2][key]),
                                                               tostring(value))
        end
      end
    end
  end
  return table.concat(out, "\n")
end

local DIRECTORIES <const> = {
  { "v2-five-shards", "v2-five-shards", 0 }, { "damaged-zero-tail", "damaged/zero-tail", 0 },
  { "damaged-missing-segment", "damaged/missing-segment", 0 },
  { "damaged-wrong-name", "damaged/wrong-name", 0 },
  { "damaged-torn-header", "damaged/torn-header", 1 },
  { "damaged-torn-payload", "damaged/torn-payload", 1 },
  { "damaged-flip-in-middle", "damaged/flip-in-middle", 1 },
  { "damaged-flip-in-sealed", "damaged/flip-in-sealed", 1 },
  { "damaged-cut-sealed", "damaged/cut-sealed", 1 },
  { "damaged-version-3", "damaged/version-3", 1 },
  { "damaged-v1-with-tags", "damaged/v1-with-tags", 1 },
  { "v1-single", "v1-single/wal-00000000000000036096.seg", 0 },
}

describe("wal dump --json", function()
  for _, row in ipairs(DIRECTORIES) do
    it("prints what the reference prints: " .. row[1], function()
      local status, out, err = dump("--json", golden.dir .. "/" .. row[2])
      assert.same({ row[3], "" }, { status, err })
      local want = values(golden.read("dump/" .. row[1] .. ".jsonl"))
      assert.is_true(#want > 5)
      assert.equal("", differences(want, values(out)))
    end)
  end

  it("has keys in the order of the format, numbers and text as promised", function()
    local path = golden.dir .. "/v2-five-shards/wal-s00004-00000000000000004484.seg"
    local _, out = dump(path, "--json")
    assert.matches([[^{"file":"wal%-s00004%-00000000000000004484%.seg","offset":0,"version":2,]]
                   .. [["kind":0,"lazy":false,"first_seq":"4484","timestamp_ns":"%d+",]]
                   .. [["event_count":%d+,"payload_len":%d+,"payload_hash":"%x+",]]
                   .. [["layout_epoch":4,"shard":4,"region":1}]] .. "\n", out)
    assert.matches([[{"file":"wal-s00004-00000000000000004484.seg","end":11241,"size":15337,]]
                   .. [["error":null}]] .. "\n", out:sub(-92), 1, true)
  end)

  it("adds the events when asked", function()
    local dir = "v2-five-shards"
    local _, out = dump("--json", "--events", golden.dir .. "/" .. dir)
    local lines, at, bad = values(out), 0, {}
    for _, name in ipairs(golden.segments(dir)) do
      for _, batch in ipairs(oracle.read_segment(golden.read(dir .. "/" .. name))) do
        at = at + 1
        local events = lines[at].events
        if #events ~= batch.event_count then bad[#bad + 1] = at end
        for i, event in ipairs(batch.events) do
          local got = events[i]
          -- Nine digits are enough to find the 32-bit float again.
          local same = ("<f"):pack(got.weight) == ("<f"):pack(event.weight)
          if got.entity ~= ("0x%016x"):format(event.entity) or not same
             or got.signal_type ~= event.signal_type
             or got.timestamp_ns ~= oracle.decimal(event.timestamp_ns) then bad[#bad + 1] = at end
        end
      end
      at = at + 1
      if lines[at].events or not lines[at]["end"] then bad[#bad + 1] = at end
    end
    assert.equal(#lines, at)
    assert.same({}, bad)
  end)
end)

-- Calls f(path) with a segment that holds one batch.
local function with_batch(fields, f)
  local bytes = core.wal.encode_batch(fields)
  return script.within({ [core.wal.segment_name(fields.shard or 0, fields.first_seq)] = bytes }, f)
end

describe("wal dump --events", function()
  local function weights(...)
    local events = {}
    for i, weight in ipairs { ... } do
      events[i] = { entity = -i, signal_type = 255, weight = weight, timestamp_ns = -1 }
    end
    return { first_seq = -2 - #events, timestamp_ns = -1, shard = 65535, region = 65535,
             epoch = 4294967295, events = events }
  end

  it("stays JSON for weights that are no numbers", function()
    with_batch(weights(0 / 0, math.huge, -math.huge, 0.1, -0.0, 3.0, 1e-45), function(dir)
      local _, out = dump("--json", "--events", dir)
      local events, got = values(out)[1].events, {}
      for i, event in ipairs(events) do got[i] = event.weight end
      assert.same({ "nan", "inf", "-inf", 0.100000001, -0.0, 3, 1.40129846e-45 }, got)
      assert.same({ "0xffffffffffffffff", "18446744073709551615" },
                  { events[1].entity, events[1].timestamp_ns })
    end)
  end)

  it("prints a line an event for people", function()
    with_batch(weights(0.5, 1.0 / 0), function(dir)
      local status, out, err = dump("--events", dir)
      assert.same({ 0, "" }, { status, err })
      assert.equal([[
wal-s65535-18446744073709551612.seg @0         v2 r65535:s65535 ]]
        .. [[18446744073709551612..18446744073709551613  2 events  106 bytes  ]]
        .. [[epoch 4294967295  signals
  18446744073709551612  0xffffffffffffffff  signal 255  weight 0.5  18446744073709551615
  18446744073709551613  0xfffffffffffffffe  signal 255  weight inf  18446744073709551615
wal-s65535-18446744073709551612.seg @106       end, 106 bytes
]], out)
    end)
  end)
end)

describe("wal dump", function()
  it("shows dead events too", function()
    local status, out = dump("--events", "--json", golden.dir .. "/live/moved")
    local _, events = out:gsub('"entity"', "")
    assert.same({ 0, 180 }, { status, events })
  end)

  it("tells kinds and lazy batches", function()
    with_batch({ first_seq = 7, timestamp_ns = 1, kind = 1, lazy = true, payload = "abc",
                 event_count = 2 }, function(dir)
      local _, out = dump(dir)
      assert.matches("v2 r0:s0 7..8  2 events  67 bytes  epoch 0  sessions lazy\n", out, 1, true)
      _, out = dump("--json", "--events", dir)
      local value = values(out)[1]
      assert.same({ 1, true, 0 }, { value.kind, value.lazy, #value.events })
    end)
  end)

  it("prints where damage begins, goes on with the next file, and fails", function()
    local status, out, err = dump(golden.dir .. "/damaged/flip-in-sealed")
    assert.same({ 1, "" }, { status, err })
    assert.matches("\nwal-00000000000000000001.seg @4328      DAMAGED header_hash: batch header is "
                   .. "damaged: the stored hash is 0x00000000c02b51e8, its bytes give "
                   .. "0x0000000013cd314d (at byte 4328)\nwal-00000000000000000301.seg @0 ", out, 1,
                   true)
  end)

  it("takes one file, of any name", function()
    local bytes = golden.read "v1-single/wal-00000000000000036096.seg"
    script.within({ ["copy of a log"] = bytes }, function(dir)
      local status, out = dump(dir .. "/copy of a log")
      assert.equal(0, status)
      assert.matches("\ncopy of a log @%d+ +end, " .. #bytes .. " bytes\n$", out)
    end)
  end)

  it("is quiet about nothing", function()
    script.within({ ["notes.txt"] = "x", ["empty.seg"] = "" }, function(dir)
      assert.same({ 0, "", "" }, { dump(dir .. "/") })
      assert.same({ 0, "empty.seg @0         end, 0 bytes\n", "" }, { dump(dir .. "/empty.seg") })
    end)
  end)

  it("changes nothing, not even in a directory that it cannot write", function()
    script.within({}, function(dir)
      local path = dir .. "/" .. core.wal.segment_name(0, 1)
      local file = assert(io.open(path, "wb"))
      file:write(golden.read "damaged/torn-header/wal-00000000000000000374.seg")
      file:close()
      local before = lfs.attributes(path)
      dump(dir)
      local names = {}
      for name in lfs.dir(dir) do names[#names + 1] = name end
      assert.equal(3, #names)
      local after = lfs.attributes(path)
      assert.same({ before.size, before.modification }, { after.size, after.modification })
    end)
  end)

  it("says what it cannot read", function()
    assert.same({ 1, "", "tidal-lua: no/such: No such file or directory\n" }, { dump "no/such" })
  end)
end)
