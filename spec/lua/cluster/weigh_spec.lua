-- What logs say about a layout: live events only, errors that name the
-- directory.
local golden = dofile "spec/support/golden.lua"
local tidal = require "tidal"
local wal_dir = dofile "spec/support/wal_dir.lua"
local weigh = require "tidal.cluster.weigh"

local LAYOUT <const> = tidal.cluster {
  name = "spec", regions = { "us", "eu" }, shards = 3, routing = tidal.routing.hash(),
}

-- Live events of a golden directory, by the hash over three shards.
local function expected(name)
  local counts, all = { 0, 0, 0 }, 0
  for entity in golden.read("live/" .. name .. ".csv"):gmatch "%d+,%d+,%d+,(0x%x+)" do
    local shard = LAYOUT:route(entity).value
    counts[shard + 1], all = counts[shard + 1] + 1, all + 1
  end
  return counts, all
end

describe("weigh", function()
  it("counts live events only, where a directory has layouts and cuts", function()
    local load = assert(weigh.weigh(LAYOUT, { us = golden.dir .. "/live/moved" }))
    local counts, all = expected "moved"
    assert.equal(all, load.events)
    assert.equal(all * 21, load.bytes)
    for i, shard in ipairs(load.shards) do assert.equal(counts[i], shard.events) end
  end)

  it("counts everything where it has none", function()
    local load = assert(weigh.weigh(LAYOUT, { us = golden.dir .. "/v1-single" }))
    assert.equal(40000, load.events)
  end)

  it("reports progress up to the bytes of all batches", function()
    local last, whole = 0, 0
    assert(weigh.weigh(LAYOUT, { us = golden.dir .. "/v1-single" }, function(done, total)
      assert.is_true(done > last and done <= total)
      last, whole = done, total
    end))
    assert.equal(whole, last)
  end)

  for _, row in ipairs {
    { "layout-0000000002.json", "payload_hash" }, { "cuts-s00000", "header_hash" },
    { "wal-s00001-00000000000000000001.seg", "payload_hash" },
  } do
    it("refuses damage and names directory and file: " .. row[1], function()
      wal_dir.with(wal_dir.copy("live/moved", { [row[1]] = wal_dir.flip(90) }), function(dir)
        local load, err = weigh.weigh(LAYOUT, { us = dir })
        assert.same({ nil, row[2], row[1] }, { load, err.code, err.file })
        assert.matches("us=" .. dir .. ": " .. row[1], err.message, 1, true)
      end)
    end)
  end

  it("refuses the logs of another region", function()
    local load, err = weigh.weigh(LAYOUT, { eu = golden.dir .. "/live/moved" })
    assert.same({ nil, "mismatch" }, { load, err.code })
    assert.matches("log r0:s0 lies in the directory given for eu, which is r1", err.message)
  end)
end)
