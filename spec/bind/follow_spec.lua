-- tidal.wal.follow: a log while it is written. The writers here are io.open
-- and bytes: what is durable is the number that next() is given.
local core = require "tidal.core"
local files = dofile "spec/support/wal_dir.lua"
local golden = dofile "spec/support/golden.lua"
local raised = dofile "spec/support/raised.lua"
local wal = core.wal

local FIVE <const> = golden.dir .. "/v2-five-shards"

local function follow(fields) return assert(wal.follow(fields)) end

local function batch_of(first, count, fields)
  local events = {}
  for i = 1, count do
    events[i] = { entity = first + i - 1, signal_type = 1, weight = 1, timestamp_ns = 1 }
  end
  local head = { first_seq = first, events = events }
  for key, value in pairs(fields or {}) do head[key] = value end
  return wal.encode_batch(head)
end

local function put(path, mode, bytes)
  local file <close> = assert(io.open(path, mode))
  assert(file:write(bytes))
end

-- The first numbers of what follower:next gives through `durable`.
local function firsts(follower, durable)
  local out = {}
  while true do
    local batch, err = follower:next(durable)
    if not batch then
      assert.is_nil(err)
      return out
    end
    out[#out + 1] = batch.first_seq
  end
end

describe("a follower", function()
  it("gives what is durable and no more, as the log grows", function()
    files.with({}, function(dir)
      local follower <close> = follow { dir = dir }
      local path = dir .. "/" .. wal.segment_name(0, 1)
      assert.equal(1, select("#", follower:next(0)))
      put(path, "wb", batch_of(1, 2) .. batch_of(3, 3):sub(1, 90))
      assert.same({ 1 }, firsts(follower, 2))
      put(path, "r+b", batch_of(1, 2) .. batch_of(3, 3, { timestamp_ns = 5 }) .. ("\0"):rep(999))
      assert.same({}, firsts(follower, 2))
      assert.same({}, firsts(follower, 4))
      local batch, name = follower:next(5)
      assert.same({ 3, 5, 106, 5 }, { batch.first_seq, batch.last_seq, batch.offset,
                                      batch.timestamp_ns })
      assert.equal("wal-00000000000000000001.seg", name)
      put(path, "wb", batch_of(1, 2) .. batch_of(3, 3, { timestamp_ns = 5 }))
      put(dir .. "/" .. wal.segment_name(0, 6), "wb", batch_of(6, 1) .. batch_of(7, 1))
      batch, name = follower:next(6)
      assert.same({ 6, "wal-00000000000000000006.seg" }, { batch.first_seq, name })
      assert.same({}, firsts(follower, 6))
      assert.same({ 7 }, firsts(follower, 7))
    end)
  end)

  it("gives what a cursor gives", function()
    local logs = { { golden.dir .. "/v1-single", 0 } }
    for shard = 0, 4 do logs[#logs + 1] = { FIVE, shard } end
    for _, log in ipairs(logs) do
      local dir, shard = table.unpack(log)
      local reader <close> = assert(wal.reader(dir))
      local region, last, count = nil, 0, 0
      for batch in reader:batches(shard) do
        region, last, count = batch.region, batch.last_seq, count + 1
      end
      local follower <close> = follow { dir = dir, shard = shard, region = region }
      local again <close> = reader:cursor(shard)
      local faults = 0
      for batch, name in again:batches() do
        local same, same_name = follower:next(last)
        if not same or same:encode() ~= batch:encode() or same.offset ~= batch.offset
           or name ~= same_name then
          faults = faults + 1
        end
      end
      assert.same({ 0, nil }, { faults, follower:next(last) })
      assert.is_true(count > 30)
    end
  end)

  it("starts at a mark, or where the log begins", function()
    local log = { dir = FIVE, shard = "s1", region = "r1" }
    for from, first in pairs { [0] = 1, [1] = 1, [3500] = 3500 } do
      log.from = from
      local follower <close> = follow(log)
      local batch = assert(follower:next(3500))
      assert.is_true(batch.first_seq <= first and first <= batch.last_seq)
    end
    log.from = "3501"
    local behind <close> = follow(log)
    assert.equal(1, select("#", behind:next(3500)))
  end)

  it("reads numbers up to 2^64-1", function()
    local fields = { shard = 65535, region = 65535 }
    files.with({ [wal.segment_name(65535, -5)] = batch_of(-5, 2, fields)
                   .. batch_of(-3, 3, fields) }, function(dir)
      local follower <close> = follow { dir = dir, shard = 65535, region = 65535, from = -5 }
      assert.same({}, firsts(follower, math.maxinteger))
      assert.same({ -5 }, firsts(follower, "18446744073709551612"))
      assert.same({ -3 }, firsts(follower, -1))
    end)
  end)

  it("says what is missing, and looks again", function()
    files.with({ [wal.segment_name(0, 4)] = batch_of(4, 1) }, function(dir)
      local follower <close> = follow { dir = dir, from = 2 }
      for _ = 1, 2 do
        local batch, err = follower:next(4)
        assert.is_nil(batch)
        assert.same({ "missing", wal.segment_name(0, 4), 0, 4, 1 },
                    { err.code, err.file, err.offset, err.got, err.bound })
      end
      put(dir .. "/" .. wal.segment_name(0, 1), "wb", batch_of(1, 3))
      assert.same({ 1, 4 }, firsts(follower, 4))
      local _, err = follower:next(5)
      assert.same({ "corrupt", 4, 5 }, { err.code, err.got, err.bound })
    end)
  end)

  it("says damage until it is repaired", function()
    local name = wal.segment_name(0, 1)
    local good = batch_of(1, 1) .. batch_of(2, 1) .. batch_of(3, 1)
    files.with({ [name] = files.flip(120)(good) }, function(dir)
      local follower <close> = follow { dir = dir }
      assert.same({ 1 }, firsts(follower, 1))
      for _ = 1, 2 do
        local batch, err = follower:next(3)
        assert.same({ nil, "header_hash", name, 85 }, { batch, err.code, err.file, err.offset })
      end
      put(dir .. "/" .. name, "wb", good)
      assert.same({ 2, 3 }, firsts(follower, 3))
    end)
  end)

  it("follows one log: region, shard, directory", function()
    local other <close> = follow { dir = FIVE, shard = 1, region = 2 }
    local _, err = other:next(3500)
    assert.same({ "mismatch", "region id", 1, 2 }, { err.code, err.subject, err.got, err.bound })
    local none, why = wal.follow { dir = FIVE .. "/nowhere" }
    assert.same({ nil, "io", "nowhere" }, { none, why.code, why.file })
  end)

  it("says what it does not understand", function()
    assert.equal("dir is missing", raised(wal.follow, {}))
    assert.equal('bad argument #1 (unknown key "path"; known are dir, shard, region, from)',
                 raised(wal.follow, { path = "x" }))
    assert.equal("dir: a path holds no zero byte", raised(wal.follow, { dir = "a\0b" }))
    local follower <close> = follow { dir = FIVE }
    assert.matches("durable: .*, got nothing", raised(follower.next, follower))
  end)

  it("refuses everything but close once closed", function()
    local follower = follow { dir = FIVE, shard = 1, region = 1 }
    follower:next(3500)
    follower:close()
    follower:close()
    assert.equal("the follower is closed", raised(follower.next, follower, 1))
    local kept
    pcall(function()
      local one <close> = follow { dir = FIVE }
      kept = one
      error "out"
    end)
    assert.equal("the follower is closed", raised(kept.next, kept, 1))
  end)

  it("is collected, file, directory and buffer", function()
    local lfs = require "lfs"
    local function open_files()
      local count = 0
      for _ in lfs.dir "/proc/self/fd" do count = count + 1 end
      return count
    end
    collectgarbage()
    collectgarbage()
    local before, seen, most = open_files(), setmetatable({}, { __mode = "k" }), 0
    for i = 1, 600 do
      local one = follow { dir = FIVE, shard = 1, region = 1 }
      one:next(3500)
      seen[one] = true
      if i % 50 == 0 then
        local alive = 0
        for _ in pairs(seen) do alive = alive + 1 end
        most = math.max(most, alive)
      end
    end
    assert.is_true(most < 400, most .. " followers alive, 256 KiB each")
    collectgarbage()
    collectgarbage()
    assert.is_true(open_files() <= before)
  end)
end)
