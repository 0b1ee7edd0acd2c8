-- What spec/support/memory.c runs: a log on a simulated disk, which has memory
-- of its own; what runs on it has the state's, and that fails somewhere.
-- luacheck: read globals arm disarm RUN
collectgarbage("incremental", 10, 1000)
local core = require "tidal.core"
local wal = core.wal

local file <close> = assert(io.open(os.getenv "MEMORY_DIR" .. "/layout"))
local layout = file:read "a"
local disk
local acknowledged = 0

-- True, or an error that is not about memory.
local function checked(value, err)
  if value ~= nil and value ~= false then return value end
  if err and err.code == "no_memory" then error(err, 0) end
  error("not about memory: " .. tostring(err), 0)
end

local function write()
  local home <close> = checked(wal.open(disk:dir "r0", { create = true, layout = layout }))
  local writer = checked(home:writer { window_events = 300 })
  checked(writer:append { { entity = 1, signal_type = 1, weight = 1, timestamp_ns = 1 } })
  acknowledged = 1
  checked(writer:checkpoint { seqno = 1 })
  checked(home:close())
end

local function look()
  local after <close> = disk:crash { way = disk:ways() - 1 }
  assert(#after:files "r0" > 3 and after:hash() == disk:copy():hash())
  assert(#checked(after:read("r0", wal.segment_name(0, 1))) > 64)
  checked(after:write("r1/x", "a", "b"))
  after:fault { capacity = 1 }
  assert(after:counts().calls == 0 and after:calls() == 0)
  checked(wal.checkpoint { dir = after:dir "r0" })
  checked(wal.reader(after:dir "r1/x")):close()
  assert(#checked(wal.repair(after:dir "r0")) == 0)
end

local fine, err = pcall(function()
  arm()
  disk = core.sim.disk { seed = RUN }
  write()
  look()
end)
local failed = disarm()
if not fine then
  local text = tostring(err)
  assert(failed and text:find "memory" and not text:find "not about", text)
end

-- What a power failure leaves now.
if acknowledged > 0 then
  local after = disk:crash { seed = RUN }
  checked(wal.recover { dir = after:dir "r0" })
  local reader <close> = checked(wal.reader(after:dir "r0"))
  assert(reader:cursor(0):next().last_seq == 1)
end
