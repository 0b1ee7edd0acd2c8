-- Every function that scripts can reach, called with every wrong value at
-- every place and with every number of values: it does what it should or
-- raises a message that says what is wrong, and changes nothing then.
local core = require "tidal.core"
local arguments = dofile "spec/support/arguments.lua"
local golden = dofile "spec/support/golden.lua"
local migration = dofile "spec/support/arguments_migration.lua"

local any, u64, bytes = arguments.any, arguments.u64, arguments.bytes
local optional, uint, object = arguments.optional, arguments.uint, arguments.object
local shard, region, log = arguments.shard, arguments.region, arguments.log
local a_table, weight, boolean = arguments.table, arguments.weight, arguments.boolean

local U32 <const> = uint(0, 0xffffffff)
local COUNT <const> = uint(1, 65536)
local BYTES <const> = uint(1, 0xffffffff)
local VALUES <const> = arguments.values()

-- A row: kinds of arguments, and values that are right.
local function row(kinds, ...)
  local values = table.pack(...)
  return { kinds = kinds, valid = function() return table.move(values, 1, values.n, 1, {}) end }
end

-- ... of a method: the object is new for each call.
local function method(name, kinds, ...)
  local values = table.pack(...)
  return {
    kinds = table.move(kinds, 1, #kinds, 2, { object(name) }),
    valid = function()
      return table.move(values, 1, values.n, 2, { arguments.objects()[name] })
    end,
  }
end

local function COUNTER(v)
  if arguments.type_of(v) ~= "tidal.Traffic" then return object "tidal.Profile"(v) end
end

local BATCH <const> = arguments.objects()["tidal.Batch"]:encode()
local EVENT <const> = { entity = 1, signal_type = 2, weight = 3, timestamp_ns = 4 }
local STARTS <const> = { 0, 5, 9 }
local CUT <const> = { upto = 7, epoch = 2 }

local rows = {
  ["error"] = row({ a_table }, {}), ["is_error"] = row({ any }, 1),
  ["shard"] = row({ shard }, 3), ["region"] = row({ region }, 2),
  ["log"] = row({ region, shard }, 1, 3),
  ["segment"] = row({ region, shard, u64 }, 1, 3, 42), ["parse"] = row({ bytes }, "s3"),
  ["unpack_segment"] = row({ bytes }, ("x"):rep(12)), ["hash"] = row({ u64 }, 42),
  ["layout"] = row({ bytes }, require "spec.support.script".layout():text()),
  ["checksum"] = row({ bytes }, "x"),
  ["traffic"] = row({ object "tidal.Router", object "tidal.Router" }, core.router.even(3),
    core.router.even(2)),
  ["profile"] = row({ object "tidal.Router",
    optional(function(v) return v == 256 or v == 65536 end) }, core.router.even(3), 64),
  ["state"] = row({ a_table }, { "r0:s0" }), ["node"] = row({ optional(a_table) }, {}),
  ["nodes"] = row({ a_table }, {}),
  ["u64.parse"] = row({ u64 }, 1), ["u64.hex"] = row({ u64 }, 1), ["u64.str"] = row({ u64 }, 1),
  ["u64.tonumber"] = row({ u64 }, 1),
  ["router.single"] = row({ optional(shard) }, 3), ["router.hash"] = row({ COUNT }, 3),
  ["router.even"] = row({ COUNT }, 3), ["router.ranges"] = row({ a_table },
    { { shard = 0, first = 0, last = -1 } }),
  ["router.hash_ranges"] = row({ function(v)
    if type(v) == "table" then return nil end
    return COUNT(v)
  end }, 3),
  ["router.starts"] = row({ a_table, optional(a_table),
    optional(arguments.word("ranges", "hash_ranges")) }, STARTS, { 1, 2, 3 }, "ranges"),
  ["wal.decode_batch"] = row({ bytes, optional(uint(0, #BATCH)) }, BATCH, 0),
  ["wal.decode_header"] = row({ bytes, optional(uint(0, #BATCH)) }, BATCH, 0),
  ["wal.scan"] = row({ bytes }, BATCH), ["wal.segment_name"] = row({ shard, function(v)
    return u64(v) and v ~= 0
  end }, 3, 42),
  ["wal.parse_segment_name"] = row({ bytes }, "wal-00000000000000000001.seg"),
  ["wal.encode_batch"] = row({ a_table }, { first_seq = 1, events = { EVENT } }),
  ["wal.builder"] = row({}), ["wal.encode_checkpoint"] = row({ a_table }, {}),
  ["wal.decode_checkpoint"] = row({ bytes }, core.wal.encode_checkpoint {}),
  ["wal.checkpoint_name"] = row({ shard, u64 }, 3, 1),
  ["wal.reader"] = row({ arguments.place }, golden.dir),
  ["wal.layouts"] = row({ object "tidal.WalReader" }, arguments.objects()["tidal.WalReader"]),
  ["wal.follow"] = row({ a_table }, { dir = golden.dir }),
  ["wal.verifier"] = row({ object "tidal.WalReader" }, arguments.objects()["tidal.WalReader"]),
  ["wal.repair"] = row({ arguments.place, optional(function(v) return type(v) == "boolean" end) },
                       golden.dir .. "/nothing", false),  -- true would make a lock
  ["wal.encode_cuts"] = row({ a_table }, { cuts = { CUT } }), ["wal.lines"] = row({}),
  ["wal.open"] = row({ arguments.place, optional(a_table) }, golden.dir .. "/nothing", {}),
  ["wal.writer"] = row({ a_table }, { dir = golden.dir .. "/nothing" }),
  ["wal.recover"] = row({ a_table }, { dir = golden.dir .. "/nothing" }),
  ["wal.checkpoint"] = row({ a_table }, { dir = golden.dir .. "/v1-single" }),
  ["sim.disk"] = row({ optional(a_table) }, {}),
  ["wal.decode_cuts"] = row({ bytes }, core.wal.encode_cuts { cuts = { CUT } }),
}
for _, name in ipairs { "cmp", "lt", "le" } do rows["u64." .. name] = row({ u64, u64 }, 5, 2) end
-- Two numbers may have no sum, no quotient and so on.
local function maybe_u64(v)
  if not u64(v) then return false end
end
for _, name in ipairs { "add", "sub", "mul", "div", "mod" } do
  rows["u64." .. name] = row({ maybe_u64, maybe_u64 }, 5, 2)
end

-- Type, then { method or metamethod, kinds of what follows the object, values }.
local methods = {
  ["tidal.ShardId"] = { { "__index", any, "value" }, { "__tostring" } },
  ["tidal.RegionId"] = { { "__index", any, "value" }, { "__tostring" } },
  ["tidal.LogId"] = { { "__index", any, "shard" }, { "__tostring" } },
  ["tidal.WalSegmentId"] = { { "__index", any, "seqno" }, { "__tostring" }, { "pack" } },
  ["tidal.Router"] = {
    { "route", u64, 1 }, { "bind" }, { "route_many", a_table, { 1, -1 } },
    { "route_packed", function(v) return bytes(v) and #v % 8 == 0 end, ("x"):rep(16) },
    { "histogram", function(v)
      if type(v) == "table" then return nil end
      return bytes(v) and #v % 8 == 0
    end, { 1, -1 } },
    { "ranges" }, { "key", u64, 1 }, { "strategy" }, { "num_shards" }, { "shard_max" },
    { "kernel" }, { "bytes" }, { "__tostring" },
  },
  ["tidal.Batch"] = {
    { "events" }, { "event", uint(1, 2), 2 }, { "each" }, { "encode" }, { "__index", any, "shard" },
    { "__tostring" },
  },
  ["tidal.Scan"] = { { "next" }, { "offset" }, { "batches" } },
  ["tidal.BatchBuilder"] = {
    { "add", u64, uint(0, 255), weight, u64, 1, 2, 3, 4 }, { "bind" },
    { "seal", a_table, { first_seq = 1 } }, { "clear" },
    { "shards", object "tidal.Router", arguments.objects()["tidal.Router"] }, { "__len" },
  },
  ["tidal.EventLines"] = {
    { "read", bytes, uint(0, 4), object "tidal.BatchBuilder", optional(uint(1, 798912)),
      "1,2,", 0, arguments.objects()["tidal.BatchBuilder"], 5 },
    { "finish", object "tidal.BatchBuilder", arguments.objects()["tidal.BatchBuilder"] },
    { "faults" }, { "counts" },
  },
  ["tidal.WalHome"] = {
    { "writer", optional(a_table), {} }, { "commit" }, { "router" },
    { "spread", object "tidal.BatchBuilder", object "tidal.Router",
      core.wal.builder(), arguments.objects()["tidal.Router"] },
    { "close", optional(a_table), {} }, { "__gc" }, { "__close", any, "an error" },
  },
  ["tidal.WalWriter"] = {
    { "append", a_table, { EVENT } }, { "append_each", a_table, { EVENT } },
    { "add", u64, uint(0, 255), weight, u64, 1, 2, 3, 4 },
    { "bind" }, { "commit" }, { "discard" }, { "durable" }, { "sync" }, { "truncate", u64, 0 },
    { "checkpoint", a_table, { seqno = 0 } }, { "recovery" }, { "log" }, { "__len" },
    { "close", optional(a_table), {} }, { "__gc" }, { "__close", any, "an error" },
  },
  ["tidal.WalReader"] = {
    { "close" }, { "segments", optional(shard), 3 }, { "shards" }, { "bytes" },
    { "cursor", shard, optional(u64), 3, 1 }, { "batches", shard, optional(u64), 3, 1 },
    { "__gc" }, { "__close" },
  },
  ["tidal.WalCursor"] = { { "next" }, { "batches" }, { "close" }, { "__gc" }, { "__close" } },
  ["tidal.WalLayouts"] = {
    { "epochs" }, { "live", shard, optional(u64), 3, 1 }, { "close" }, { "__gc" }, { "__close" },
  },
  ["tidal.WalLive"] = {
    { "read", optional(COUNTER), optional(BYTES), arguments.objects()["tidal.Profile"], 1 },
    { "counts" }, { "text", arguments.word("csv", "json"), any, optional(BYTES), "csv", true, 1 },
    { "close" }, { "__gc" }, { "__close" },
  },
  ["tidal.WalVerifier"] = { { "next" }, { "close" }, { "__gc" }, { "__close" } },
  ["tidal.WalFollower"] = { { "next", u64, 3500 }, { "close" }, { "__gc" }, { "__close" } },
  ["tidal.Profile"] = {
    { "add", object "tidal.Batch", arguments.objects()["tidal.Batch"] },
    { "read", object "tidal.WalCursor", optional(BYTES),
      arguments.objects()["tidal.WalCursor"], 1 },
    { "events" }, { "distinct" }, { "exact" }, { "counts" }, { "hottest", COUNT, 3 },
    { "split", COUNT, 3 },
    { "cut", u64, u64, u64, optional(arguments.word("lower", "upper")), 0, -1, 5, "upper" },
  },
  ["tidal.Traffic"] = {
    { "add", object "tidal.Batch", arguments.objects()["tidal.Batch"] },
    { "paired" }, { "counts" }, { "arrived" } },
  ["tidal.ReplicationState"] = {
    { "get", log, "r1:s3" }, { "advance", log, u64, u64, "r1:s3", 1, 5 },
    { "raise_epoch", log, U32, "r1:s3", 5 }, { "marks" },
    { "restore", a_table, { { log = "r1:s3", epoch = 1, seqno = 1 } } },
    { "lag", object "tidal.ReplicationState", optional(log),
      arguments.objects()["tidal.ReplicationState"], "r1:s3" },
    { "__pairs" }, { "__len" },
  },
  ["tidal.NodeConfig"] = {
    { "is_single_node" }, { "accepts_writes" }, { "__index", any, "shard" }, { "__tostring" },
  },
  ["tidal.SimDir"] = { { "__tostring" } }, ["tidal.Error"] = {},
  ["tidal.SimDisk"] = {
    { "dir", optional(arguments.sim_path), "r0/x" }, { "copy" }, { "ways" }, { "calls" },
    { "crash", optional(a_table), {} }, { "counts" }, { "fault", optional(a_table), {} },
    { "hash" }, { "files", optional(arguments.sim_path), "r0" },
    { "read", arguments.sim_path, arguments.sim_name, "r0", "a" },
    { "write", arguments.sim_path, arguments.sim_name, bytes, "r0", "b", "x" },
    { "close" }, { "__gc" }, { "__close" },
  },
}
for _, one in ipairs(migration.functions) do rows[one[1]] = row(table.unpack(one, 2)) end
for name, list in pairs(migration.methods) do
  methods[name] = table.move(list, 1, #list, #(methods[name] or {}) + 1, methods[name] or {})
end
for name, list in pairs(methods) do
  for _, entry in ipairs(list) do
    local count = (#entry - 1) // 2
    rows[name .. ":" .. entry[1]] = method(name, { table.unpack(entry, 2, 1 + count) },
                                           table.unpack(entry, 2 + count, #entry))
  end
  if name:find "Id$" then
    for _, order in ipairs { "__lt", "__le" } do
      local objects = arguments.objects()
      rows[name .. ":" .. order] = row({ object(name), object(name) }, objects[name], objects[name])
    end
  end
end
-- A log has one writer; the one before is garbage.
rows["tidal.WalHome:writer"].valid = function()
  collectgarbage()
  return { arguments.objects()["tidal.WalHome"], {} }
end
for name, valid in pairs(migration.valid) do rows[name].valid = valid end
rows["tidal.Error:__tostring"] = row({ a_table }, core.error {})

local REACHABLE <const> = arguments.reachable()

describe("every function", function()
  it("has a row here, and every row a function", function()
    local missing = {}
    for name in pairs(REACHABLE) do
      if not rows[name] then missing[#missing + 1] = name .. " has no row" end
    end
    for name in pairs(rows) do
      if not REACHABLE[name] then missing[#missing + 1] = name .. " is not there" end
    end
    table.sort(missing)
    assert.equal("", table.concat(missing, "\n"))
  end)

  local names = {}
  for name in pairs(rows) do names[#names + 1] = name end
  table.sort(names)
  for _, name in ipairs(names) do
    it(name .. " takes what fits and refuses the rest", function()
      rows[name].call = REACHABLE[name]
      local faults = arguments.sweep(name, rows[name], VALUES)
      assert.equal("", table.concat(faults, "\n", 1, math.min(#faults, 20)))
      assert.is_true(pcall(REACHABLE[name], table.unpack(rows[name].valid())))
    end)
  end
end)

-- Functions that calls return.
local function made(name, of, call, kinds, ...)
  local one = of and method(of, kinds, ...) or row(kinds, ...)
  one.call = call
  return { name = name, row = one }
end

local objects = arguments.objects()
local returned = {
  made("router:bind()", nil, objects["tidal.Router"]:bind(), { u64 }, 1),
  made("builder:bind()", nil, objects["tidal.BatchBuilder"]:bind(),
       { u64, uint(0, 255), weight, u64 }, 1, 2, 3, 4),
  made("writer:bind()", nil, function(...)
    return arguments.objects()["tidal.WalWriter"]:bind()(...)
  end, { u64, uint(0, 255), weight, u64 }, 1, 2, 3, 4),
  made("batch:each()", "tidal.Batch", (objects["tidal.Batch"]:each()), { optional(uint(0, 2)) }, 1),
  made("scan:batches()", "tidal.Scan", (objects["tidal.Scan"]:batches()), { any }, 1),
  made("cursor:batches()", "tidal.WalCursor", (objects["tidal.WalCursor"]:batches()), { any }, 1),
  made("reader:batches()", "tidal.WalCursor", (objects["tidal.WalReader"]:batches(1)), { any }, 1),
  made("pairs(state)", "tidal.ReplicationState", (pairs(objects["tidal.ReplicationState"])),
       { any }, 1),
  made("log with one argument", nil, function(...) return core.log((...)) end, { log }, "r1:s3"),
  made("batch:events()", nil, getmetatable(objects["tidal.Batch"]:events()).__call,
       { function(v) return type(v) == "table" end, any, any },
       objects["tidal.Batch"]:events(), nil, nil),
}

describe("every function that a call returns", function()
  for _, one in ipairs(returned) do
    it("of " .. one.name .. " takes what fits and refuses the rest", function()
      local faults = arguments.sweep(one.name, one.row, VALUES)
      assert.equal("", table.concat(faults, "\n", 1, math.min(#faults, 20)))
    end)
  end
end)

-- Fields of option tables: { what, call(value), kind }.
local function put(base, key)
  return function(value)
    local out = {}
    for k, v in pairs(base) do out[k] = v end
    out[key] = value
    return out
  end
end

local fields = {}
local function sweep_fields(what, call, base, kinds)
  for key, kind in pairs(kinds) do
    local fill = put(base, key)
    fields[#fields + 1] = { name = what .. "." .. key, row = {
      kinds = { kind }, valid = function() return { base[key] } end,
      call = function(value) return call(fill(value)) end,
    } }
  end
end

local function not_zero(v) return u64(v) and v ~= 0 end
local head = { first_seq = not_zero, timestamp_ns = optional(u64), shard = optional(shard),
               region = optional(region), epoch = optional(U32), lazy = optional(boolean) }
local encode = core.wal.encode_batch
sweep_fields("encode_batch", encode, { first_seq = 1, events = { EVENT } }, head)
sweep_fields("encode_batch", encode, { first_seq = 1, events = { EVENT } },
             { events = a_table, payload = optional(function() return false end),
               event_count = optional(function() return false end),
               kind = optional(function(v) return v == 0 end) })
sweep_fields("encode_batch{payload}", encode,
             { first_seq = 1, kind = 1, payload = "x", event_count = 1 },
             { payload = function(v)
                 if v == nil then return false end
                 return bytes(v)
               end,
               event_count = uint(1, 0xffffffff) })
sweep_fields("encode_batch{events}", function(event)
  return encode { first_seq = 1, events = { EVENT, event } }
end, EVENT, { entity = u64, signal_type = uint(0, 255), weight = weight, timestamp_ns = u64 })
sweep_fields("seal", function(options)
  local builder = core.wal.builder()
  builder:add(1, 2, 3, 4)
  local fine, result = pcall(builder.seal, builder, options)
  assert((fine and 0 or 1) == #builder)
  if not fine then error(result, 0) end
end, { first_seq = 1 }, head)
sweep_fields("encode_checkpoint", core.wal.encode_checkpoint, {}, {
  version = optional(function(v) return v == 2 end), seqno = optional(u64),
  timestamp_ns = optional(u64), generation = optional(not_zero), hlc_wall_ns = optional(u64),
  epoch = optional(U32), shard = optional(shard), region = optional(region),
  clean = optional(boolean), marks = optional(a_table) })
local mark = { log = "r1:s3", epoch = 1, seqno = 1 }
sweep_fields("encode_checkpoint{marks}", function(one)
  return core.wal.encode_checkpoint { marks = { one } }
end, mark, { log = log, epoch = U32, seqno = u64 })
sweep_fields("sim.disk", core.sim.disk, {}, { seed = optional(u64) })
sweep_fields("crash", function(o) return core.sim.disk():crash(o) end, {},
             { way = optional(uint(0, 0)), seed = optional(u64) })
sweep_fields("fault", function(o) return core.sim.disk():fault(o) end, {}, {
  fail_call = optional(u64), fail_too = optional(u64), fail_on = optional(boolean),
  errno = optional(uint(1, 4095)), short = optional(arguments.word("one", "half")),
  last_call = optional(u64), capacity = optional(u64), interrupts = optional(boolean),
  personality = optional(arguments.word("ext4", "xfs", "btrfs")) })
sweep_fields("encode_cuts", core.wal.encode_cuts, { cuts = { CUT } }, {
  shard = optional(uint(0, 65535)), region = optional(uint(0, 65535)), cuts = a_table,
  generation = optional(not_zero) })
sweep_fields("encode_cuts{cuts}", function(one)
  return core.wal.encode_cuts { cuts = { one } }
end, CUT, { upto = u64, epoch = uint(1, 0xffffffff) })
sweep_fields("restore", function(one)
  return core.state({ "r1:s3" }):restore { one }
end, mark, { log = log, epoch = U32, seqno = u64 })
for _, make in ipairs { "ranges", "hash_ranges" } do
  sweep_fields(make, function(one)
    local fine, err = pcall(core.router[make], { one })
    if not fine and not core.is_error(err) then error(err, 0) end
  end, { shard = 0, first = 0, last = -1 }, { shard = shard, first = u64, last = u64 })
end
sweep_fields("follow", function(options) return assert(core.wal.follow(options)) end,
             { dir = golden.dir }, { shard = optional(shard), region = optional(region),
                                     from = optional(u64) })
sweep_fields("follow", core.wal.follow, { dir = golden.dir }, { dir = arguments.path })
sweep_fields("node", core.node, { role = "single" }, {
  data_dir = optional(function(v) return arguments.path(v) and v ~= "" end),
  segment_bytes = optional(uint(4096, 16777216)),
  sync = optional(arguments.word("always", "unsafe_interval", "unsafe_never")),
  group_events_max = optional(uint(1, 798912)), group_delay_ns = optional(function(v)
    return u64(v) and not math.ult(60000000000, core.u64.parse(v))
  end), role = optional(arguments.word "single"), region = optional(region),
  shard = optional(shard), peers = optional(a_table), router = optional(object "tidal.Router") })
sweep_fields("nodes", core.nodes, { router = core.router.even(1) }, {
  regions = optional(COUNT), shards = optional(COUNT),
  leaders = optional(function(v)
    if type(v) == "table" then return nil end
    return v == 0
  end), router = optional(object "tidal.Router") })
for _, one in ipairs(migration.fields) do sweep_fields(table.unpack(one)) end
local function element(what, kind, good, call)
  fields[#fields + 1] = { name = what, row = { kinds = { kind }, call = call,
                                               valid = function() return { good } end } }
end
element("state[1]", function(v)
  if v == nil then return true end
  return log(v)
end, "r1:s3", function(v) return core.state { v } end)
element("peers[2]", shard, 1, function(v)
  return core.node { role = "leader", shard = 9, router = core.router.single(),
                     peers = { 9, v, 8 } }
end)
element("leaders[1]", function(v) return v == 0 or v == 1 end, 1, function(v)
  return core.nodes { regions = 2, shards = 2, leaders = { v, 1 }, router = core.router.hash(2) }
end)
element("route_many[2]", u64, 1, function(v) return core.router.even(5):route_many { 1, v, 3 } end)
element("histogram[2]", u64, 1, function(v) return core.router.even(5):histogram { 1, v, 3 } end)
element("starts[2]", function(v) return u64(v) and v ~= 0 and v ~= -1 end, 1,
        function(v) return core.router.starts { 0, v, -1 } end)
element("shards[2]", shard, 1, function(v) return core.router.starts({ 0, 5, 9 }, { 1, v, 3 }) end)

describe("every field and entry", function()
  table.sort(fields, function(a, b) return a.name < b.name end)
  for _, field in ipairs(fields) do
    it(field.name .. " takes what fits and refuses the rest", function()
      local faults = arguments.sweep(field.name, field.row, VALUES)
      assert.equal("", table.concat(faults, "\n", 1, math.min(#faults, 20)))
    end)
  end
end)

describe("by hand,", function()
  it("__gc and __close end an object once, however often they are called", function()
    local use = { ["tidal.WalReader"] = "bytes", ["tidal.WalCursor"] = "next",
                  ["tidal.WalLayouts"] = "epochs", ["tidal.WalLive"] = "counts",
                  ["tidal.WalVerifier"] = "next", ["tidal.WalWriter"] = "durable",
                  ["tidal.WalHome"] = "commit", ["tidal.WalFollower"] = "next",
                  ["tidal.WalMigration"] = "logs", ["tidal.WalClone"] = "step" }
    for name, call in pairs(use) do
      local meta = debug.getmetatable(arguments.objects()[name])
      for _, first in ipairs { "__gc", "__close" } do
        local one = arguments.objects()[name]
        for _ = 1, 3 do
          meta[first](one)
          meta.__gc(one)
          meta.__close(one, "an error")
          one:close()
        end
        assert.is_false(pcall(one[call], one, 1))
      end
    end
    collectgarbage()
  end)

  it("a metamethod of one type refuses the objects of another", function()
    local all, taken = arguments.objects(), {}
    for name, example in pairs(all) do
      for key, call in pairs(debug.getmetatable(example)) do
        for other, value in pairs(all) do
          if type(call) == "function" and other ~= name and pcall(call, value, "value") then
            taken[#taken + 1] = name .. key .. " takes " .. other
          end
        end
      end
    end
    assert.equal("", table.concat(taken, "\n"))
  end)
end)
