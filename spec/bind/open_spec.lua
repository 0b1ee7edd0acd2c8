-- luaopen_tidal_core, more than once in a state, and what the module has.
local core = require "tidal.core"

local function open_again()
  package.loaded["tidal.core"] = nil
  local again = require "tidal.core"
  package.loaded["tidal.core"] = core
  return again
end

describe("the module", function()
  it("has these names and no others", function()
    local names = {}
    for name, value in pairs(core) do
      if type(value) == "table" then
        for inner in pairs(value) do names[#names + 1] = name .. "." .. inner end
      else
        names[#names + 1] = name
      end
    end
    table.sort(names)
    assert.equal("checksum error hash is_error json_read layout log node nodes parse profile "
      .. "ranges_json region router.even router.hash router.hash_ranges router.ranges "
      .. "router.single "
      .. "router.starts rows segment shard sim.disk state traffic u64.add u64.cmp "
      .. "u64.div u64.hex u64.le u64.lt u64.max u64.mod u64.mul u64.parse u64.str "
      .. "u64.sub u64.tonumber unpack_segment version wal.builder wal.checkpoint "
      .. "wal.checkpoint_name wal.decode_batch wal.decode_checkpoint wal.decode_cuts "
      .. "wal.decode_header wal.encode_batch wal.encode_checkpoint wal.encode_cuts "
      .. "wal.follow wal.journal wal.layouts wal.lines wal.migrations wal.open "
      .. "wal.parse_segment_name wal.reader wal.recover wal.repair wal.scan "
      .. "wal.segment_name wal.verifier wal.writer", table.concat(names, " "))
  end)

  it("says its version", function()
    assert.matches("^%d+%.%d+%.%d+$", core.version)
  end)

  it("writes no global", function()
    local before = {}
    for name in pairs(_G) do before[name] = true end
    open_again()
    for name in pairs(_G) do assert.is_true(before[name], name) end
  end)
end)

describe("opened again", function()
  local again = open_again()

  it("is another table over the same types", function()
    assert.are_not.equal(core, again)
    assert.are_not.equal(core.router, again.router)
    for _, make in ipairs {
      function(c) return c.shard(1) end, function(c) return c.region(1) end,
      function(c) return c.log(0, 1) end, function(c) return c.segment(0, 1, 2) end,
      function(c) return c.router.hash(2) end, function(c) return c.node() end,
      function(c) return c.state {} end, function(c) return c.wal.builder() end,
      function(c) return c.wal.scan "" end, function(c) return c.error {} end,
      function(c) return c.profile(c.router.hash(2), 64) end,
      function(c) return c.sim.disk() end, function(c) return c.sim.disk():dir() end,
    } do
      assert.equal(debug.getmetatable(make(core)), debug.getmetatable(make(again)))
    end
  end)

  it("finds the same ids", function()
    assert.equal(core.shard(3), again.shard(3))
    assert.equal(core.region(3), again.region "r3")
    assert.equal(core.log(1, 3), again.log "r1:s3")
    local segment = core.segment(1, 3, -1)
    assert.equal(segment, again.segment(1, 3, -1))
    assert.equal(segment, again.parse "r1:s3:18446744073709551615")
    assert.equal("found", ({ [core.shard(5)] = "found" })[again.shard(5)])
  end)

  it("takes the objects of the first", function()
    local router = core.router.even(4)
    assert.equal(again.router.hash(2).route, router.route)
    assert.equal(again.shard(3), again.router.hash(2).route(router, -1))
    assert.equal(0, again.profile(router, 64):events())
    assert.is_true(again.is_error(core.error { message = "x" }))
    assert.equal(router, again.node { router = router }.router)
  end)
end)
