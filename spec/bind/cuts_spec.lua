-- tidal.wal.encode_cuts, decode_cuts.
local core = require "tidal.core"
local golden = dofile "spec/support/golden.lua"
local raised = dofile "spec/support/raised.lua"
local wal = core.wal

local FIELDS <const> = { shard = 3, region = 65535, generation = -1,
                         cuts = { { upto = -1, epoch = 2 }, { upto = "0x8000000000000000",
                                                              epoch = 4294967295 } } }

describe("cuts", function()
  it("are written as they are read", function()
    assert.same({ shard = core.shard(3), region = core.region(65535), generation = -1,
                  cuts = { { upto = -1, epoch = 2 },
                           { upto = math.mininteger, epoch = 4294967295 } } },
                wal.decode_cuts(wal.encode_cuts(FIELDS)))
  end)

  it("are those of another implementation, byte for byte", function()
    local bytes = golden.read "live/moved/cuts-s00000"
    local cuts = assert(wal.decode_cuts(bytes))
    cuts.shard, cuts.region = cuts.shard.value, cuts.region.value
    assert.equal(3, #cuts.cuts)
    assert.equal(bytes, wal.encode_cuts(cuts))
  end)

  it("that are damaged are nil, err", function()
    local bytes = wal.encode_cuts(FIELDS)
    for at = 1, #bytes do
      local flipped = bytes:sub(1, at - 1) .. string.char(bytes:byte(at) ~ 1) .. bytes:sub(at + 1)
      local cuts, err = wal.decode_cuts(flipped)
      assert.is_nil(cuts)
      assert.equal(at <= 4 and "magic" or "header_hash", err.code)
    end
  end)

  it("refuse wrong fields at the caller's line", function()
    for _, row in ipairs {
      { "cuts is missing", {} }, { "upto is missing", { cuts = { { epoch = 1 } } } },
      { "backward", { cuts = { { upto = 1, epoch = 0 } } } },
      { "duplicate", { cuts = { { upto = 1, epoch = 1 }, { upto = 2, epoch = 1 } } } },
      { "sequence", { generation = 0, cuts = {} } }, { "shard", { shard = 65536, cuts = {} } },
      { "more", { more = 1, cuts = {} } }, { "table", { cuts = { 5 } } },
      { "upto", { cuts = { { upto = 1.5, epoch = 1 } } } },
    } do
      assert.matches(row[1], tostring(raised(wal.encode_cuts, row[2])))
    end
    assert.is_false(pcall(wal.decode_cuts, 5))
  end)
end)
