-- Rows of the argument sweep: those of migrations and journals, and what else
-- bind/arguments_spec.lua has no room for.
local arguments = dofile "spec/support/arguments.lua"
local core = require "tidal.core"
local golden = dofile "spec/support/golden.lua"

local a_table, bytes, optional = arguments.table, arguments.bytes, arguments.optional
local shard, u64, uint = arguments.shard, arguments.u64, arguments.uint
local U32 <const> = uint(0, 0xffffffff)
local SIZE <const> = uint(1, math.maxinteger)

local file_name = arguments.file_name

local M = {}

-- Functions: name, kinds, values that are right.
M.functions = {
  { "ranges_json", { arguments.object "tidal.Router", function(v)
    return bytes(v) and #v < 16
  end }, core.router.even(3), "shard" },
  { "json_read", { function(v)  -- any text may be no JSON
    if not bytes(v) then return false end
  end, a_table, function(v) return v ~= nil end }, "[1]", {}, false },
  { "rows", { a_table, bytes, optional(U32), optional(U32) }, {}, "", 1, 0 },
  { "wal.journal", { arguments.place, file_name,
                     optional(arguments.word("read", "write", "create")) },
    golden.dir .. "/nothing", "a", "read" },
  { "wal.migrations", { arguments.place }, golden.dir },
}

-- As the table of methods in bind/arguments_spec.lua.
M.methods = {
  ["tidal.WalHome"] = {
    { "migration", bytes, optional(a_table), arguments.NEXT, {} },
    { "clone", arguments.object "tidal.SimDir", file_name,
      optional(arguments.boolean), 0, "from-r00000", true },
  },
  ["tidal.WalWriter"] = { { "retire", optional(SIZE), 1 } },
  ["tidal.WalClone"] = { { "step", SIZE, 1 }, { "close" }, { "__gc" }, { "__close" } },
  ["tidal.WalMigration"] = {
    { "logs" }, { "set", a_table, {} }, { "lap" }, { "step", SIZE, 1 }, { "moved" }, { "bytes" },
    { "check", shard, u64, 1, 0 }, { "check_step", SIZE, 1 }, { "found" }, { "hold" },
    { "let_go" }, { "publish", bytes, arguments.NEXT }, { "close" }, { "__gc" }, { "__close" },
  },
  ["tidal.WalJournal"] = { { "append", bytes, "x" }, { "close" }, { "__gc" }, { "__close" } },
}

-- What is right only once something else was done.
M.valid = {
  ["tidal.WalHome:migration"] = function()
    return { arguments.home_to_migrate(), arguments.NEXT, {} }
  end,
  ["tidal.WalHome:clone"] = function()
    local home, disk = arguments.home_to_migrate()
    return { home, disk:dir "us", "from-r00000" }
  end,
  ["tidal.WalMigration:publish"] = function()
    local m = assert(arguments.home_to_migrate():migration(arguments.NEXT))
    assert(m:hold())
    return { m, arguments.NEXT }
  end,
}

-- Fields: what, call, fields that are right, kinds.
M.fields = {
  { "migration", function(options)
    return assert(arguments.home_to_migrate():migration(arguments.NEXT, options))
  end, {}, { region = optional(arguments.region), flush_bytes = optional(uint(1, 8388608)),
             resume = optional(arguments.boolean) } },
  { "migration:set", function(log)
    arguments.objects()["tidal.WalMigration"]:set { log }
  end, { shard = 0 }, {
    shard = function(v)  -- of two shards
      if not shard(v) then return false end
      return math.type(v) == "integer" and (v < 2) or nil
    end,
    start = optional(u64), after = optional(u64), upto = optional(u64), skip = optional(u64),
    left = optional(u64) } },
}

return M
