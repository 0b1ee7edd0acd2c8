-- tidal.wal.reader: logs of a directory, and cursors over them.
local core = require "tidal.core"
local lfs = require "lfs"
local golden = dofile "spec/support/golden.lua"
local oracle = dofile "spec/support/oracle.lua"
local raised = dofile "spec/support/raised.lua"
local wal = core.wal

local SINGLE <const> = golden.dir .. "/v1-single"
local FIVE <const> = golden.dir .. "/v2-five-shards"

local function open(dir)
  return assert(wal.reader(dir))
end

-- Runs f with a new directory that holds these files, and removes it.
local function with_directory(files, f)
  local dir = os.tmpname()
  os.remove(dir)
  assert(os.execute("mkdir '" .. dir .. "'"))
  for name, bytes in pairs(files) do
    local file = assert(io.open(dir .. "/" .. name, "wb"))
    file:write(bytes)
    file:close()
  end
  local fine, err = pcall(f, dir)
  os.execute("rm -r '" .. dir .. "'")
  if not fine then error(err, 0) end
end

local function batch_of(first, count, fields)
  local events = {}
  for i = 1, count do
    events[i] = { entity = first + i - 1, signal_type = 1, weight = 1, timestamp_ns = 1 }
  end
  local head = { first_seq = first, events = events }
  for key, value in pairs(fields or {}) do head[key] = value end
  return wal.encode_batch(head)
end

describe("a reader", function()
  it("lists shards and segments in order, whatever the directory's", function()
    local reader <close> = open(FIVE)
    local shards, names = reader:shards(), {}
    assert.equal(5, #shards)
    for i, shard in ipairs(shards) do assert.equal(core.shard(i - 1), shard) end
    local bytes = 0
    for i, segment in ipairs(reader:segments()) do
      names[i] = segment.name
      assert.equal(segment.name, wal.segment_name(segment.shard, segment.first_seq))
      assert.equal(#golden.read("v2-five-shards/" .. segment.name), segment.size)
      bytes = bytes + segment.size
    end
    assert.same(golden.segments "v2-five-shards", names)
    assert.equal(bytes, reader:bytes())
    assert.equal(4, #reader:segments "s3")
    assert.equal(4358, reader:segments(3)[4].first_seq)
    assert.same({}, reader:segments(9))
  end)

  it("passes over what is no segment", function()
    with_directory({ ["wal-1.seg"] = "x", ["wal-s00000-00000000000000000001.seg"] = "x",
                     ["layout-0000000001.json"] = "{}", [".hidden"] = "" }, function(dir)
      local reader <close> = open(dir)
      assert.same({}, reader:segments())
      assert.same({}, reader:shards())
      assert.equal(0, reader:bytes())
      local cursor <close> = reader:cursor(0)
      assert.is_nil(cursor:next())
    end)
  end)

  it("takes only the path of a directory", function()
    local reader, err = wal.reader(SINGLE .. "/checkpoint.meta")
    assert.is_nil(reader)
    assert.same({ "io", "checkpoint.meta" }, { err.code, err.file })
    assert.equal("bad argument #1 (directory: a path holds no zero byte)",
                 raised(wal.reader, "spec\0x"))
    assert.equal("bad argument #1 (directory: a string expected, got nil)", raised(wal.reader, nil))
    assert.is_nil((wal.reader ""))
  end)

  it("refuses everything but close once closed", function()
    local reader = open(SINGLE)
    reader:close()
    reader:close()
    for _, method in ipairs { "segments", "shards", "bytes", "cursor", "batches" } do
      assert.equal("the reader is closed", raised(reader[method], reader, 0))
    end
  end)
end)

describe("the logs of v1-single and v2-five-shards", function()
  -- Of every event: number, entity, type, weight, time; against plain reading.
  local function check(dir, shard, want)
    local reader <close> = open(golden.dir .. "/" .. dir)
    local seq, batches, versions, faults = 0, 0, {}, {}
    local names, at, left = golden.segments(dir), 0, {}
    for batch, name in reader:batches(shard) do
      while #left == 0 do
        at = at + 1
        local one = wal.parse_segment_name(names[at])
        local mine = one.value == shard
        left = mine and oracle.read_segment(golden.read(dir .. "/" .. names[at])) or {}
      end
      local expected = table.remove(left, 1)
      if name ~= names[at] or batch.first_seq ~= seq + 1 or batch.offset ~= expected.offset
         or batch.payload ~= expected.payload or batch.shard.value ~= shard then
        faults[#faults + 1] = name .. " at " .. batch.offset
      end
      if batch:encode():sub(65) ~= expected.payload then
        faults[#faults + 1] = name .. " encoded"
      end
      for i, entity, signal, weight, stamp in batch:each() do
        local e = expected.events[i]
        if e.entity ~= entity or e.signal_type ~= signal or e.weight ~= weight
           or e.timestamp_ns ~= stamp then
          faults[#faults + 1] = name .. " event " .. i
        end
      end
      seq, batches = batch.last_seq, batches + 1
      versions[batch.version] = true
    end
    assert.equal("", table.concat(faults, "\n"))
    assert.same(want, { seq, batches, versions })
  end

  it("are read whole and in order: the single node", function()
    check("v1-single", 0, { 40000, 442, { true } })
  end)

  local five = { [0] = { 3000, 37, { true, true } }, { 3500, 40, { [2] = true } },
                 { 4000, 47, { [2] = true } }, { 4500, 51, { [2] = true } },
                 { 5000, 56, { [2] = true } } }
  for shard = 0, 4 do
    it("are read whole and in order: shard " .. shard .. " of five", function()
      check("v2-five-shards", shard, five[shard])
    end)
  end

  it("encode again byte for byte", function()
    for _, dir in ipairs { "v1-single", "v2-five-shards" } do
      local reader <close> = open(golden.dir .. "/" .. dir)
      local files, faults = {}, 0
      for _, shard in ipairs(reader:shards()) do
        for batch, name in reader:batches(shard) do
          local bytes = files[name] or golden.read(dir .. "/" .. name)
          files[name] = bytes
          if bytes:sub(batch.offset + 1, batch.offset + batch.size) ~= batch:encode() then
            faults = faults + 1
          end
        end
      end
      assert.equal(0, faults)
    end
  end)
end)

describe("a cursor", function()
  it("starts at the batch that holds a number", function()
    local reader <close> = open(FIVE)
    for _, from in ipairs { 0, 1, 2, 100, 1492, 1493, 1494, 2935, 2936, 3499, 3500 } do
      local cursor <close> = reader:cursor(1, from)
      local batch = assert(cursor:next())
      local first = from == 0 and 1 or from
      assert.is_true(batch.first_seq <= first and first <= batch.last_seq)
    end
    local behind <close> = reader:cursor(1, 3501)
    assert.is_nil(behind:next())
    local far <close> = reader:cursor(1, -1)
    assert.is_nil(far:next())
    local none <close> = reader:cursor(77)
    assert.equal(1, select("#", none:next()))
    assert.is_nil(none:next())
  end)

  it("reads logs that end at 2^64-1", function()
    local first = -5
    with_directory({ [wal.segment_name(65535, first)] =
                       batch_of(first, 2, { shard = 65535, region = 65535 })
                       .. batch_of(first + 2, 3, { shard = 65535, region = 65535 }) },
                   function(dir)
      local reader <close> = open(dir)
      local seen = {}
      for batch, name in reader:batches(65535) do
        seen[#seen + 1] = tostring(batch)
        assert.equal("wal-s65535-18446744073709551611.seg", name)
      end
      assert.same({ "tidal.Batch(r65535:s65535:18446744073709551611..18446744073709551612)",
                    "tidal.Batch(r65535:s65535:18446744073709551613..18446744073709551615)" }, seen)
      local cursor <close> = reader:cursor("s65535", -1)
      assert.equal(-3, cursor:next().first_seq)
    end)
  end)

  it("goes on where a broken loop left it", function()
    local reader <close> = open(FIVE)
    local cursor <close> = reader:cursor(2)
    local count = 0
    for _ in cursor:batches() do
      count = count + 1
      if count == 10 then break end
    end
    for _ in cursor:batches() do count = count + 1 end
    assert.equal(47, count)
  end)

  it("works beside others of the same reader", function()
    local reader <close> = open(FIVE)
    local a <close> = reader:cursor(1)
    local b <close> = reader:cursor(1)
    assert.equal(a:next().payload, b:next().payload)
    a:close()
    assert.equal(2, select("#", b:next()))
  end)

  it("refuses everything but close once closed", function()
    local reader = open(FIVE)
    local cursor = reader:cursor(1)
    cursor:next()
    cursor:close()
    cursor:close()
    assert.equal("the cursor is closed", raised(cursor.next, cursor))
    assert.equal("the cursor is closed", raised(cursor.batches, cursor))
    reader:close()
    cursor:close()
  end)

  it("refuses to read once its reader is closed, and closes then, too", function()
    local reader = open(FIVE)
    local cursor, fresh = reader:cursor(1), reader:cursor(2)
    local step, state = cursor:batches()
    cursor:next()
    reader:close()
    assert.equal("the reader of this cursor is closed", raised(cursor.next, cursor))
    assert.equal("the reader of this cursor is closed", raised(step, state))
    assert.equal("the reader of this cursor is closed", raised(fresh.next, fresh))
    cursor:close()
    assert.equal("the cursor is closed", raised(cursor.next, cursor))
    fresh = nil
    collectgarbage()
  end)
end)

describe("the collector", function()
  local function open_files()
    local count = 0
    for _ in lfs.dir "/proc/self/fd" do count = count + 1 end
    return count
  end

  it("closes readers and cursors that nobody closed", function()
    collectgarbage()
    collectgarbage()
    local before = open_files()
    do
      local held = {}
      for i = 1, 10 do
        held[i] = open(FIVE):cursor(i % 5)
        held[i]:next()
      end
      assert.is_true(open_files() >= before + 20)
      for i = 1, 10 do assert.equal(1, held[i]:next() and 1) end
    end
    collectgarbage()
    collectgarbage()
    assert.is_true(open_files() <= before)
  end)

  it("does not wait for many cursors to die", function()
    local reader <close> = open(FIVE)
    local seen, most = setmetatable({}, { __mode = "k" }), 0
    for i = 1, 2000 do
      seen[reader:cursor(1)] = true
      if i % 100 == 0 then
        local alive = 0
        for _ in pairs(seen) do alive = alive + 1 end
        most = math.max(most, alive)
      end
    end
    assert.is_true(most < 1000, most .. " cursors alive, 256 KiB each")
  end)

  it("is not needed where a loop ends early", function()
    local reader <close> = open(FIVE)
    collectgarbage()
    collectgarbage "stop"
    local before = open_files()
    for _ = 1, 5 do
      for _ in reader:batches(1) do break end
      pcall(function() for _ in reader:batches(1) do error "out" end end)
    end
    local after = open_files()
    collectgarbage "restart"
    assert.equal(before, after)
  end)

  it("takes cursor and reader in any order", function()
    for round = 1, 6 do
      local reader = open(FIVE)
      local cursor = reader:cursor(1)
      cursor:next()
      if round % 2 == 0 then reader:close() end
      reader, cursor = nil, nil
      collectgarbage()
    end
    local cursor
    do
      cursor = open(SINGLE):cursor(0)
      collectgarbage()
      collectgarbage()
    end
    assert.equal(1, cursor:next().first_seq)
  end)

  it("leaves a batch that outlives its cursor and reader", function()
    local batch
    do
      local reader <close> = open(SINGLE)
      local cursor <close> = reader:cursor(0)
      batch = cursor:next()
      for _ = 1, 200 do cursor:next() end
    end
    collectgarbage()
    collectgarbage()
    local bytes = golden.read "v1-single/wal-00000000000000000001.seg"
    assert.equal(bytes:sub(1, batch.size), batch:encode())
  end)

  it("closes at the end of a scope, also when it is left by an error", function()
    local kept
    pcall(function()
      local reader <close> = open(SINGLE)
      kept = reader
      error "out"
    end)
    assert.equal("the reader is closed", raised(kept.bytes, kept))
  end)
end)

describe("a damaged log", function()
  local codes = { ["torn-header"] = "short", ["torn-payload"] = "short",
                  ["flip-in-middle"] = "payload_hash", ["flip-in-sealed"] = "header_hash",
                  ["cut-sealed"] = "short", ["version-3"] = "unsupported",
                  ["v1-with-tags"] = "reserved", ["missing-segment"] = "missing",
                  ["wrong-name"] = "mismatch" }
  for case, expected in pairs(golden.json "damaged/expect.json") do
    it(case .. " stops at its file and offset", function()
      local reader <close> = open(golden.dir .. "/damaged/" .. case)
      local shard = wal.parse_segment_name(expected.file)
      local cursor <close> = reader:cursor(shard)
      local batch, err
      repeat batch, err = cursor:next() until not batch
      if expected.verdict == "clean" then
        assert.is_nil(err)
        return
      end
      assert.same({ codes[case], expected.file, expected.offset },
                  { err.code, err.file, err.offset })
      assert.matches("^" .. err.file:gsub("%p", "%%%0") .. ": " .. err.code .. ": .*at byte "
                     .. expected.offset .. "%)$", err.message)
      local _, again = cursor:next()
      assert.equal(err.message, again.message)
      local fine, loop = pcall(function() for _ in reader:batches(shard) do end end)
      assert.is_false(fine)
      assert.equal(err.message, tostring(loop))
    end)
  end

  it("of two regions or with a hole inside is refused", function()
    local cases = {
      { "mismatch", batch_of(1, 2) .. batch_of(3, 1, { region = 1 }) },
      { "sequence", batch_of(1, 2) .. batch_of(4, 1) },
      { "sequence", batch_of(1, 2) .. batch_of(2, 1) },
      { "mismatch", batch_of(2, 1) },
      { "mismatch", batch_of(1, 1, { shard = 1 }) },
    }
    for _, case in ipairs(cases) do
      with_directory({ [wal.segment_name(0, 1)] = case[2] }, function(dir)
        local reader <close> = open(dir)
        local cursor <close> = reader:cursor(0)
        local batch, err
        repeat batch, err = cursor:next() until not batch
        assert.equal(case[1], err and err.code)
      end)
    end
  end)
end)
