-- Values that fit badly, kinds of arguments, and the sweep that brings them
-- together: every value at every place of a call, and every count of values.
--
-- A kind is a function: takes(value) -> true (must be taken), false (must be
-- refused with a message), nil (either, without a crash).
local core = require "tidal.core"
local golden = dofile "spec/support/golden.lua"
local script = dofile "spec/support/script.lua"

local M = {}

-- --- values ---------------------------------------------------------------

-- One directory that is written to, kept because opening it is slow; opened
-- again when a call has closed it. It goes when the state is closed.
local written = setmetatable({}, { __gc = function(self)
  if self.dir then os.execute("rm -r '" .. self.dir .. "'") end
end })

local function is_open(object, method, ...)
  return object ~= nil and pcall(object[method], object, ...)
end

local function home_and_writer()
  if not written.dir then
    written.dir = os.tmpname()
    os.remove(written.dir)
  end
  if not is_open(written.home, "commit") then
    written.writer = nil
    written.home = assert(core.wal.open(written.dir, { create = true }))
  end
  if not is_open(written.writer, "discard") then
    written.writer = assert(written.home:writer { shard = 3, sync = "unsafe_never" })
  end
  return written.home, written.writer
end

-- Layouts of a home to be migrated: the published one, and the next.
local NOW <const> = script.layout { shards = 2 }:text()
M.NEXT = script.layout { shards = 2, epoch = 2 }:text()

---A home on a disk of its own, in which no migration is open.
function M.home_to_migrate()
  local disk = core.sim.disk { seed = 7 }
  return assert(core.wal.open(disk:dir "us", { layout = NOW, create = true })), disk
end

-- Both are kept, too; let go of, and opened again when they are closed.
local function migration_and_journal()
  if not is_open(written.migration, "let_go") or not is_open(written.journal, "append", "\n") then
    local home, disk = M.home_to_migrate()
    written.migration = assert(home:migration(M.NEXT))
    written.journal = assert(core.wal.journal(disk:dir "us", "a", "create"))
  end
  return written.migration, written.journal
end

local function a_clone()
  if not is_open(written.clone, "step", 1) then
    local home, disk = M.home_to_migrate()
    written.clone = assert(home:clone(disk:dir "us", "from-r00000"))
  end
  return written.clone
end

---A directory to open, which nothing else has open now.
function M.closed_dir()
  local home = home_and_writer()
  written.writer:discard()
  home:close()
  return written.dir
end

---An object of every type, by its name; fresh ones at each call.
function M.objects()
  local reader = assert(core.wal.reader(golden.dir .. "/v2-five-shards"))
  local batch = core.wal.encode_batch { first_seq = 1, events = {
    { entity = 7, signal_type = 3, weight = 1.5, timestamp_ns = 9 },
    { entity = -7, signal_type = 4, weight = 2.5, timestamp_ns = 10 } } }
  local state = core.state { "r0:s0", "r1:s3" }
  assert(state:advance("r0:s0", 1, 10))
  local builder = core.wal.builder()
  builder:add(1, 2, 3, 4)
  local layouts = assert(core.wal.layouts(reader))
  local home, writer = home_and_writer()
  local disk = core.sim.disk { seed = 7 }
  assert(disk:write("r0", "a", "tidal"))
  local migration, journal = migration_and_journal()
  return {
    ["tidal.WalMigration"] = migration, ["tidal.WalJournal"] = journal,
    ["tidal.WalClone"] = a_clone(),
    ["tidal.WalHome"] = home, ["tidal.WalWriter"] = writer,
    ["tidal.EventLines"] = core.wal.lines(),
    ["tidal.ShardId"] = core.shard(3), ["tidal.RegionId"] = core.region(2),
    ["tidal.LogId"] = core.log(1, 3), ["tidal.WalSegmentId"] = core.segment(1, 3, 42),
    ["tidal.Router"] = core.router.even(5), ["tidal.NodeConfig"] = core.node { shard = 4 },
    ["tidal.ReplicationState"] = state, ["tidal.BatchBuilder"] = builder,
    ["tidal.Batch"] = core.wal.decode_batch(batch), ["tidal.Scan"] = core.wal.scan(batch),
    ["tidal.Profile"] = core.profile(core.router.even(5), 64), ["tidal.WalReader"] = reader,
    ["tidal.Traffic"] = core.traffic(core.router.even(5), core.router.even(3)),
    ["tidal.WalCursor"] = reader:cursor(1), ["tidal.WalLayouts"] = layouts,
    ["tidal.WalLive"] = assert(layouts:live(1)),
    ["tidal.WalVerifier"] = assert(core.wal.verifier(reader)),
    ["tidal.WalFollower"] = assert(core.wal.follow { dir = golden.dir .. "/v2-five-shards",
                                                     shard = 1, region = 1 }),
    ["tidal.SimDisk"] = disk, ["tidal.SimDir"] = disk:dir "r0",
    ["tidal.Error"] = core.error { code = "x", message = "an error" },
  }
end

---What an object says of itself: the same before and after a refused call.
M.prints = {
  ["tidal.Router"] = function(r) return tostring(r) .. tostring(r:route(-1)) .. r:bytes() end,
  ["tidal.NodeConfig"] = function(n) return tostring(n) .. n.segment_bytes .. #n.peers end,
  ["tidal.ReplicationState"] = function(s)
    return #s .. " " .. s:get "r0:s0" .. " " .. s:get "r1:s3"
  end,
  ["tidal.BatchBuilder"] = function(b) return #b .. core.checksum(b:seal { first_seq = 1 }) end,
  ["tidal.EventLines"] = function(l) return l:counts().lines .. #l:faults() end,
  ["tidal.WalWriter"] = function(w) return #w .. tostring(w:log()) end,
  ["tidal.Batch"] = function(b) return core.checksum(b:encode()) .. b:event(2) end,
  ["tidal.Scan"] = function(s) return s:offset() .. " " .. s:next().first_seq end,
  ["tidal.Profile"] = function(p) return p:events() .. " " .. p:distinct() .. #p:split(3) end,
  ["tidal.Traffic"] = function(t) return #t:counts() .. #t:arrived() end,
  ["tidal.WalReader"] = function(r) return r:bytes() .. " " .. #r:segments() end,
  ["tidal.WalCursor"] = function(c) return tostring(c:next()) end,
  ["tidal.WalFollower"] = function(f) return tostring(f:next(3500)) end,
  ["tidal.WalLayouts"] = function(l) return #l:epochs() .. " " .. l:live(1):read() end,
  ["tidal.SimDisk"] = function(d) return d:hash() .. d:calls() .. d:ways() end,
  ["tidal.WalMigration"] = function(m) return #m:logs() .. #m:moved() .. m:bytes() end,
  ["tidal.WalLive"] = function(w) return w:counts().events .. " " .. w:read(nil, 1) end,
}

---The __name of a value, or nil.
function M.type_of(value)
  local meta = debug.getmetatable(value)
  return type(meta) == "table" and type(value) ~= "string" and rawget(meta, "__name") or nil
end

---A list of { label =, value = }.
function M.values()
  local out = {}
  local function add(label, value) out[#out + 1] = { label = label, value = value } end
  local function fails() error("from the table", 0) end
  for _, value in ipairs { true, false, 0, 1, -1, 256, 65535, 65536, 1 << 32, (1 << 53) + 1,
                           math.maxinteger, math.mininteger, 1.5, -1.5, 3.0, 2.0 ^ 53 + 2, 1e39,
                           1 / 0, -1 / 0, 0 / 0 } do
    add(tostring(value), value)
  end
  for _, text in ipairs { "5", "", "s3", "r3", "r1:s3", "a\0b", "-1", "0x10", "1e3" } do
    add(("%q"):format(text), text)
  end
  add("nil", nil)
  add("a huge string", ("x"):rep(1 << 20))
  add("an empty table", {})
  add("a list", { 1, 2, 3 })
  add("a list with a hole", { 1, nil, 3 })
  add("a table whose __index fails", setmetatable({}, { __index = fails }))
  add("a list whose fields fail", { setmetatable({}, { __index = fails }) })
  add("a table that fails in all ways", setmetatable({}, {
    __index = fails, __len = fails, __tostring = fails, __name = 5, __pairs = fails,
    __eq = fails, __lt = fails, __close = fails, __call = fails }))
  add("a C function", print)
  add("a Lua function", function() end)
  add("a coroutine", coroutine.create(print))
  add("a light userdata", debug.upvalueid(function() return out end, 1))
  add("a file", io.stdout)
  local names = {}
  for name in pairs(M.objects()) do names[#names + 1] = name end
  table.sort(names)
  local objects = M.objects()
  for _, name in ipairs(names) do add("a " .. name, objects[name]) end
  local closed = M.objects()
  closed["tidal.WalCursor"]:close()
  add("a closed cursor", closed["tidal.WalCursor"])
  closed["tidal.WalReader"]:close()
  add("a closed reader", closed["tidal.WalReader"])
  for _, name in ipairs { "tidal.WalLayouts", "tidal.WalLive", "tidal.WalVerifier",
                          "tidal.WalWriter", "tidal.WalHome", "tidal.WalFollower",
                          "tidal.WalMigration", "tidal.WalJournal", "tidal.WalClone",
                          "tidal.SimDisk" } do
    closed[name]:close()
    add("a closed " .. name, closed[name])
  end
  add("a place on a closed disk", closed["tidal.SimDir"])
  add("an orphaned cursor", (function()
    local more = M.objects()
    more["tidal.WalReader"]:close()
    return more["tidal.WalCursor"]
  end)())
  return out
end

-- --- kinds ----------------------------------------------------------------

function M.any() return true end

function M.u64(v)
  if math.type(v) == "integer" then return true end
  return type(v) == "string" and (v:find "^%d+$" ~= nil or v:find "^0x%x+$" ~= nil)
end

function M.uint(low, high)
  return function(v) return math.type(v) == "integer" and low <= v and v <= high end
end

function M.optional(kind)
  return function(v)
    if v == nil then return true end
    return kind(v)
  end
end

function M.weight(v)
  return type(v) == "number" and not (math.abs(v) > 3.5e38 and math.abs(v) < 1 / 0)
end

function M.bytes(v) return type(v) == "string" end
function M.path(v) return type(v) == "string" and not v:find("\0", 1, true) end
-- What stands for a directory in tidal.wal.
function M.place(v)
  if M.type_of(v) ~= "tidal.SimDir" then return M.path(v) end
end

-- A directory of a simulated disk, or the name of a file in one.
function M.sim_path(v)
  return M.path(v) and #v <= 4096 and not ("/" .. v .. "/"):find("/../", 1, true)
         and not v:find(("[^/]"):rep(64))
end
function M.sim_name(v)
  return M.sim_path(v) and v ~= "" and v ~= "." and not v:find("/", 1, true)
end

-- The name of a file of a directory, real or not.
function M.file_name(v)
  return M.sim_name(v) and v ~= ".." and #v < 64
end

function M.boolean(v) return type(v) == "boolean" end

-- A table may be right or wrong inside; anything else is refused.
function M.table(v)
  if type(v) ~= "table" then return false end
end

function M.word(...)
  local words = {}
  for _, word in ipairs { ... } do words[word] = true end
  return function(v) return words[v] == true end
end

-- An object of that type: open it is taken, closed perhaps not.
function M.object(name)
  return function(v)
    if M.type_of(v) ~= name then return false end
  end
end

local u16 = M.uint(0, 65535)
function M.shard(v)
  return u16(v) or M.type_of(v) == "tidal.ShardId" or v == "s3"
end
function M.region(v)
  return u16(v) or M.type_of(v) == "tidal.RegionId" or v == "r3"
end
function M.log(v)
  return M.type_of(v) == "tidal.LogId" or v == "r1:s3"
end

-- --- the sweep ------------------------------------------------------------

-- nil, or what is wrong with a call's end.
local function judged(fine, err, taken)
  if fine then
    return taken == false and "is taken" or nil
  end
  if taken == true then return "is refused: " .. tostring(err) end
  if type(err) ~= "string" and not core.is_error(err) then return "raises a " .. type(err) end
  local text = tostring(err)
  if #text < 5 or #text > 4000 then return "raises " .. #text .. " bytes" end
  if text:find("?", 1, true) then return "raises " .. text end
end

---Sweeps one row { call = f, kinds = {...}, valid = function() -> args }.
---Returns a list of faults and the number of calls.
function M.sweep(name, row, values)
  local faults, calls = {}, 0
  local first = row.valid()
  local kind = M.type_of(first[1])
  local print_of = kind and M.prints[kind]
  local expected = print_of and print_of(first[1])
  local function fault(what, wrong)
    faults[#faults + 1] = ("%s: %s %s"):format(name, what, wrong)
  end
  local function try(args, count, taken, what)
    local fine, err = pcall(row.call, table.unpack(args, 1, count))
    local wrong = judged(fine, err, taken)
    calls = calls + 1
    if wrong then fault(what, wrong) end
    return fine
  end
  local required = 0
  for i, takes in ipairs(row.kinds) do
    if takes(nil) == false then required = i end
  end
  for count = 0, #row.kinds + 2 do
    local args = row.valid()
    args[#row.kinds + 1], args[#row.kinds + 2] = "extra", {}
    try(args, count, count >= required, count .. " values")
  end
  for place, takes in ipairs(row.kinds) do
    for _, bad in ipairs(values) do
      local args = row.valid()
      args[place] = bad.value
      local what = bad.label .. " as value " .. place
      local fine = try(args, #row.kinds, takes(bad.value), what)
      if not fine and place > 1 and print_of and print_of(args[1]) ~= expected then
        fault(what, "changes the " .. kind)
      end
    end
  end
  return faults, calls
end

-- What can be reached: the module's tables, then methods and metamethods by
-- an object of each type.
function M.reachable()
  local out = {}
  local function walk(prefix, t)
    for name, value in pairs(t) do
      if type(value) == "table" then walk(prefix .. name .. ".", value) end
      if type(value) == "function" then out[prefix .. name] = value end
    end
  end
  walk("", core)
  for name, example in pairs(M.objects()) do
    local meta = debug.getmetatable(example)
    local index = rawget(meta, "__index")
    if type(index) == "table" then walk(name .. ":", index) end
    for upvalue = 1, type(index) == "function" and 9 or 0 do
      local _, value = debug.getupvalue(index, upvalue)
      if type(value) == "table" and value ~= meta then walk(name .. ":", value) end
    end
    for key, value in pairs(meta) do
      if type(value) == "function" then out[name .. ":" .. key] = value end
    end
  end
  -- These come out of an __index that is a C function.
  local objects = M.objects()
  out["tidal.WalSegmentId:pack"] = objects["tidal.WalSegmentId"].pack
  out["tidal.NodeConfig:is_single_node"] = objects["tidal.NodeConfig"].is_single_node
  out["tidal.NodeConfig:accepts_writes"] = objects["tidal.NodeConfig"].accepts_writes
  return out
end

return M
