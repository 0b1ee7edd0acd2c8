-- tidal.wal.repair: plans as tables, and doing them.
local core = require "tidal.core"
local wal_dir = dofile "spec/support/wal_dir.lua"

describe("wal.repair", function()
  it("plans what goes, and changes nothing", function()
    wal_dir.with(wal_dir.copy "damaged/flip-in-middle", function(dir)
      local actions = assert(core.wal.repair(dir))
      assert.same({ { action = "move", verdict = "corrupt", shard = core.shard(0),
                      file = "wal-00000000000000000332.seg", suspect = false, offset = 0,
                      bytes = 5841, events = 0, first_seq = 0, last_seq = 0 } }, actions)
      assert.same(actions, core.wal.repair(dir, false))
      assert.is_nil(io.open(dir .. "/quarantine/wal-00000000000000000332.seg.0.0"))
    end)
  end)

  it("does it when asked, once", function()
    wal_dir.with(wal_dir.copy "damaged/torn-payload", function(dir)
      local actions = assert(core.wal.repair(dir, true))
      assert.same({ 1, "cut", "torn", 4328 },
                  { #actions, actions[1].action, actions[1].verdict, actions[1].offset })
      local copy = assert(io.open(dir .. "/quarantine/wal-00000000000000000301.seg.4328.0", "rb"))
      assert.equal(actions[1].bytes, #copy:read "a")
      copy:close()
      assert.same({}, core.wal.repair(dir, true))
    end)
  end)

  it("says what the system says", function()
    local actions, err = core.wal.repair "spec/nowhere"
    assert.is_nil(actions)
    assert.equal("io", err.code)
    wal_dir.with({}, function(dir)
      local home <close> = assert(core.wal.open(dir))
      assert.equal("locked", select(2, core.wal.repair(dir, true)).code)
      assert.same({}, core.wal.repair(dir))
      home:close()
      assert.same({}, core.wal.repair(dir, true))
    end)
  end)

  it("raises for what is no boolean", function()
    assert.has_error(function() core.wal.repair("spec", "yes") end)
  end)
end)
