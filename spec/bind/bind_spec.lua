-- The binding kit: types, and what a script is told about a wrong value.
local core = require "tidal.core"
local raised = dofile "spec/support/raised.lua"

local U64_FORM = 'an integer, "0x" and 1-16 hex digits, or decimal text up to '
  .. '"18446744073709551615" expected, got '

describe("a type", function()
  local objects = {
    ["tidal.ShardId"] = core.shard(1), ["tidal.RegionId"] = core.region(1),
    ["tidal.LogId"] = core.log(0, 1), ["tidal.WalSegmentId"] = core.segment(0, 1, 2),
    ["tidal.Router"] = core.router.hash(2), ["tidal.NodeConfig"] = core.node(),
    ["tidal.ReplicationState"] = core.state {}, ["tidal.BatchBuilder"] = core.wal.builder(),
    ["tidal.Scan"] = core.wal.scan "", ["tidal.Profile"] = core.profile(core.router.hash(2), 64),
    ["tidal.WalReader"] = assert(core.wal.reader "spec"),
    ["tidal.WalCursor"] = assert(core.wal.reader "spec"):cursor(0),
    ["tidal.WalFollower"] = assert(core.wal.follow { dir = "spec" }),
  }
  for name, object in pairs(objects) do
    it("is called " .. name .. " and hides its metatable", function()
      local meta = debug.getmetatable(object)
      assert.equal(name, meta.__name)
      assert.equal("locked", getmetatable(object))
      assert.is_false(pcall(setmetatable, object, {}))
      assert.is_false(pcall(function() object.field = 1 end))
      assert.is_nil(meta.__newindex)
    end)
  end

  it("keeps __gc and __close out of the reach of scripts", function()
    local reader = objects["tidal.WalReader"]
    assert.is_nil(reader.__gc)
    assert.is_nil(reader.__close)
    assert.is_function(debug.getmetatable(reader).__gc)
  end)

  it("is told from other types by its metatable, not its name", function()
    local route = core.router.hash(2).route
    local fake = setmetatable({}, { __name = "tidal.Router" })
    assert.equal("bad argument #1 (tidal.Router expected, got table)", raised(route, fake, 1))
    assert.equal("bad argument #1 (tidal.Router expected, got FILE*)",
                 raised(route, io.stdout, 1))
    assert.equal("bad argument #1 (tidal.Router expected, got nothing)", raised(route))
    for name, object in pairs(objects) do
      if name ~= "tidal.Router" then
        assert.equal("bad argument #1 (tidal.Router expected, got " .. name .. ")",
                     raised(route, object, 1))
      end
    end
  end)
end)

describe("a wrong value", function()
  local cases = {
    { "nothing", "nothing" },
    { "nil", "nil", nil, n = 1 },
    { "a boolean", "true", true },
    { "a float", "the float 1.5", 1.5 },
    { "a float that is whole", "the float 3", 3.0 },
    { "a float past 2^53", "the float 9007199254740994", 2.0 ^ 53 + 2 },
    { "infinity", "the float inf", math.huge },
    { "an empty string", '""', "" },
    { "a string", '"blue"', "blue" },
    { "a string with a zero", "a string of 3 bytes", "1\0" .. "2" },
    { "a string with a line end", "a string of 2 bytes", "1\n" },
    { "a string of 40 bytes", '"' .. ("x"):rep(40) .. '"', ("x"):rep(40) },
    { "a longer string", "a string of 41 bytes", ("x"):rep(41) },
    { "a table", "table", {} },
    { "a function", "function", print },
    { "a coroutine", "thread", coroutine.create(print) },
    { "a file", "FILE*", io.stdout },
    { "an object of this module", "tidal.ShardId", core.shard(3) },
  }
  for _, case in ipairs(cases) do
    it("is shown: " .. case[1], function()
      local message = raised(core.u64.hex, table.unpack(case, 3, case.n and 3 or #case))
      assert.equal("bad argument #1 (" .. U64_FORM .. case[2] .. ")", message)
    end)
  end

  it("is shown with the range it left", function()
    assert.equal("bad argument #1 (number of shards: -1 is outside 1..65536)",
                 raised(core.router.hash, -1))
    assert.equal("bad argument #1 (number of shards: an integer in 1..65536 expected, "
                 .. 'got "5")', raised(core.router.hash, "5"))
    assert.equal("bad argument #1 (number of shards: an integer in 1..65536 expected, "
                 .. "got the float 5)", raised(core.router.hash, 5.0))
  end)

  it("of NaN is a float", function()
    assert.matches("got the float %-?nan%)$", raised(core.u64.hex, 0 / 0))
  end)
end)

describe("the place of a mistake", function()
  local function message(f)
    local _, err = pcall(f)
    return err
  end

  it("is the caller's line, with the name it used", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local err = message(function() local x = core.router.hash(0) return x end)
    assert.equal(("spec/bind/bind_spec.lua:%d: bad argument #1 to 'hash' (number of shards: "
                  .. "0 is outside 1..65536)"):format(line), err:match "spec/bind.*")
  end)

  it("has no '?' where Lua knows no name", function()
    local by_number = { core.router.hash }
    local key = 1
    for _, f in ipairs {
      function() return core.router.hash(0) end,
      function() local x = by_number[key](0) return x end,
      function() return select(2, coroutine.resume(coroutine.create(core.router.hash), 0)) end,
      function() return coroutine.wrap(core.router.hash)(0) end,
    } do
      local _, err = pcall(f)
      assert.matches("bad argument #1 .*number of shards: 0 is outside 1..65536%)$", err)
      assert.is_nil(err:find("?", 1, true))
    end
  end)

  it("is told for an object that is raised, too", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local err = message(function() local x = core.state { "r0:s0", "r0:s0" } return x end)
    assert.is_true(core.is_error(err))
    assert.equal("duplicate", err.code)
    assert.matches("bind_spec.lua:" .. line .. ": duplicate: log is listed twice", tostring(err))
  end)
end)

describe("a table of options", function()
  it("has no unknown keys", function()
    local known = "; known are data_dir, segment_bytes, group_events_max, group_delay_ns, sync, "
      .. "role, region, shard, peers, router)"
    assert.equal('bad argument #1 (unknown key "shrad"' .. known, raised(core.node, { shrad = 1 }))
    assert.equal("bad argument #1 (unknown key 1" .. known, raised(core.node, { "r0" }))
    assert.equal("bad argument #1 (unknown key tidal.ShardId" .. known,
                 raised(core.node, { [core.shard(1)] = 1 }))
    assert.equal("bad argument #1 (unknown key a string of 6 bytes" .. known,
                 raised(core.node, { ["role\0x"] = "single" }))
  end)

  it("may inherit fields", function()
    local defaults = { data_dir = "here", segment_bytes = 4096 }
    local node = core.node(setmetatable({ data_dir = "there" }, { __index = defaults }))
    assert.equal("there", node.data_dir)
    assert.equal(4096, node.segment_bytes)
  end)

  it("may raise from its own __index", function()
    local broken = setmetatable({}, { __index = function() error("from the table", 0) end })
    assert.equal("from the table", raised(core.node, broken))
  end)

  it("names a field that is wrong", function()
    assert.equal("segment_bytes: an integer in 0..4294967295 expected, got \"64MiB\"",
                 raised(core.node, { segment_bytes = "64MiB" }))
    assert.equal("lazy: a boolean expected, got 1",
                 raised(core.wal.encode_batch, { first_seq = 1, lazy = 1, events = {} }))
    assert.equal("sync: one of always, unsafe_interval, unsafe_never expected, got \"never\"",
                 raised(core.node, { sync = "never" }))
    assert.equal("role: one of single, leader, follower expected, got a string of 8 bytes",
                 raised(core.node, { role = "single\0x" }))
  end)
end)

describe("an id argument", function()
  local taken = {
    { "a number", core.shard, 3, "s3" }, { "0", core.shard, 0, "s0" },
    { "the last number", core.shard, 65535, "s65535" },
    { "its text", core.shard, "s65535", "s65535" },
    { "an object", core.shard, core.shard(9), "s9" },
    { "a region's number", core.region, 65535, "r65535" },
    { "a region's text", core.region, "r0", "r0" },
    { "a region", core.region, core.region(7), "r7" },
    { "a log's text", core.log, "r1:s2", "r1:s2" },
    { "a log", core.log, core.log(1, 2), "r1:s2" },
  }
  for _, case in ipairs(taken) do
    it("may be " .. case[1], function()
      assert.equal(case[4], tostring(case[2](case[3])))
    end)
  end

  local shard_form = 'shard: a shard (tidal.shard(3), 3 or "s3") expected, got '
  local region_form = 'region: a region (tidal.region(2), 2 or "r2") expected, got '
  local log_form = 'log: a log (tidal.log(0, 3) or "r0:s3") expected, got '
  local refused = {
    { "a number below", core.shard, -1, "shard: -1 is outside 0..65535" },
    { "a number above", core.shard, 65536, "shard: 65536 is outside 0..65535" },
    { "a region above", core.region, 65536, "region: 65536 is outside 0..65535" },
    { "a float", core.shard, 3.0, shard_form .. "the float 3" },
    { "a decimal text", core.shard, "3", shard_form .. '"3"' },
    { "a text above", core.shard, "s65536", shard_form .. '"s65536"' },
    { "a leading zero", core.shard, "s03", shard_form .. '"s03"' },
    { "a region for a shard", core.shard, core.region(3), shard_form .. "tidal.RegionId" },
    { "a region's text for a shard", core.shard, "r3", shard_form .. '"r3"' },
    { "a shard for a region", core.region, core.shard(3), region_form .. "tidal.ShardId" },
    { "a log for a region", core.region, core.log(0, 0), region_form .. "tidal.LogId" },
    { "a number for a log", core.log, 3, log_form .. "3" },
    { "a segment for a log", core.log, core.segment(0, 0, 1), log_form .. "tidal.WalSegmentId" },
    { "a segment's text for a log", core.log, "r0:s0:1", log_form .. '"r0:s0:1"' },
  }
  for _, case in ipairs(refused) do
    it("is never " .. case[1], function()
      assert.equal("bad argument #1 (" .. case[4] .. ")", raised(case[2], case[3]))
    end)
  end

  it("of an entity is never a shard, and the other way", function()
    assert.matches("got tidal.ShardId", raised(core.hash, core.shard(3)), 1, true)
    assert.matches("got tidal.RegionId", raised(core.u64.str, core.region(3)), 1, true)
  end)
end)
