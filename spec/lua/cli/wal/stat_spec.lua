-- tidal-lua wal stat: the numbers of every log.
local cli = dofile "spec/support/cli.lua"
local golden = dofile "spec/support/golden.lua"
local json = require "tidal.json"
local wal_dir = dofile "spec/support/wal_dir.lua"

local function stat(dir)
  local exit, out, err = cli.run { "wal", "stat", dir, "--json" }
  return exit, out ~= "" and json.decode(out) or nil, err
end

-- The same numbers from the CSV of live events.
local function from_csv(text)
  local logs, order = {}, {}
  for region, shard, entity in text:gmatch "(%d+),(%d+),%d+,(0x%x+)" do
    local key = region .. "," .. shard
    if not logs[key] then
      logs[key] = { live = 0, ids = {} }
      order[#order + 1] = key
    end
    local log = logs[key]
    log.live = log.live + 1
    log.ids[entity] = (log.ids[entity] or 0) + 1
  end
  return logs, order
end

describe("wal stat --json", function()
  for _, name in ipairs { "moved", "unpublished", "hashed" } do
    it("counts live events and ids as export does: " .. name, function()
      local exit, result = stat(golden.dir .. "/live/" .. name)
      local logs, order = from_csv(golden.read("live/" .. name .. ".csv"))
      assert.same({ 0, "tidal-stat/1" }, { exit, result.format })
      local shown = {}
      for _, log in ipairs(result.logs) do
        local key = log.region .. "," .. log.shard
        if log.live ~= "0" then shown[#shown + 1] = key end
        local want = logs[key] or { live = 0, ids = {} }
        local distinct = 0
        for _ in pairs(want.ids) do distinct = distinct + 1 end
        assert.same({ tostring(want.live), tostring(distinct) }, { log.live, log.ids })
        for _, heat in ipairs(log.busiest) do
          assert.equal(tostring(want.ids[heat.id]), heat.events)
        end
      end
      assert.same(order, shown)
    end)
  end

  it("has segments, bytes, numbers and times", function()
    local _, result = stat(golden.dir .. "/v1-single")
    local log = result.logs[1]
    assert.same({ 4, "868288", "442", "40000", "40000", "0", "1", "40000" },
                { log.segments, log.bytes, log.batches, log.events, log.live, log.sessions,
                  log.first_seq, log.last_seq })
    local first = golden.read("v1-single/wal-00000000000000000001.seg")
    assert.equal(("%d"):format(string.unpack("<I8", first, 64 + 14)), log.first_ns)
    assert.is_true(log.last_ns > log.first_ns)
    assert.equal(5, #log.busiest)
    assert.equal(json.null, log.error)
  end)

  it("tells sessions and published epochs", function()
    local _, result = stat(golden.dir .. "/live/moved")
    assert.same({ 2, 3 }, { table.unpack(result.epochs) })
    assert.equal("1", result.logs[1].sessions)
  end)

  it("is 1 where a log is damaged; the others are told all the same", function()
    local files = wal_dir.copy("v2-five-shards", {
      ["wal-s00001-00000000000000001493.seg"] = wal_dir.flip(70) })
    wal_dir.with(files, function(dir)
      local exit, result, err = stat(dir)
      assert.equal(1, exit)
      assert.matches("1493%.seg: payload_hash: .*%(at byte 0%)", err)
      assert.matches("`tidal-lua wal verify ", err, 1, true)
      assert.same({ 5, "1492", "5000" },
                  { #result.logs, result.logs[2].last_seq, result.logs[5].last_seq })
      assert.matches("payload_hash", result.logs[2].error)
    end)
  end)
end)

describe("wal stat", function()
  it("shows a log as lines", function()
    local exit, out = cli.run { "wal", "stat", golden.dir .. "/live/moved" }
    assert.equal(0, exit)
    assert.matches("^published epochs: 2 3\nr0:s0  2 segments  ", out)
    assert.matches("events, %d+ live, 1 of sessions  1%.%.", out)
    assert.matches("\n    0x%x+  %d+ events\n", out)
  end)

  it("says that there is nothing", function()
    wal_dir.with({}, function(dir)
      assert.same({ 0, "no logs\n", "" }, { cli.run { "wal", "stat", dir } })
    end)
  end)
end)
