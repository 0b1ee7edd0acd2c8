-- What spec/support/memory.c runs: a directory goes to its next layout, step
-- by step, with memory that fails somewhere; and a journal beside it.
-- Whatever happens, every event is live once, and lines that were answered
-- for are there.
-- luacheck: read globals arm disarm RUN
collectgarbage("incremental", 10, 1000)
local core = require "tidal.core"
local wal = core.wal

local NAME <const> = "migration-0000000002.journal"
local EVENTS <const> = 40

local function read(name)
  local file <close> = assert(io.open(os.getenv "MEMORY_DIR" .. "/" .. name))
  return file:read "a"
end

local from, to = read "layout", read "next"
local disk
local noted = 0

-- True, or an error that is not about memory.
local function checked(value, err)
  if value ~= nil then return value end
  if err and err.code == "no_memory" then error(err, 0) end
  error("not about memory: " .. tostring(err), 0)
end

local function fill()
  local home <close> = checked(wal.open(disk:dir "us", { create = true, layout = from }))
  for s = 0, 1 do
    local writer <close> = checked(home:writer { shard = s })
    for i = 1, EVENTS // 2 do writer:add((s << 63) + (i << 58), 1, 1, i) end
    checked(writer:commit())
  end
end

local function note(journal, line)
  checked(journal:append(line))
  noted = noted + 1
end

local function lap(m, bytes)
  local list = {}
  for _, log in ipairs(checked(m:logs())) do
    list[#list + 1] = { shard = log.log.shard.value, start = log.last, upto = log.last }
  end
  m:set(list)
  checked(m:lap())
  while checked(m:step(bytes)) do end
  for _, log in ipairs(m:moved()) do
    checked(m:check(log.log.shard, 0))
    while checked(m:check_step(bytes)) do end
    assert(m:found().count == log.count)
  end
  assert(select("#", m:bytes()) == 2)
end

local function migrate()
  local journal <close> = checked(wal.journal(disk:dir "us", NAME, "create"))
  assert(#checked(wal.migrations(disk:dir "us")) == 1)
  note(journal, "one")
  local home <close> = checked(wal.open(disk:dir "us", { layout = from }))
  local writer <close> = checked(home:writer { shard = 0 })
  local m <close> = checked(home:migration(to, { flush_bytes = 100, region = 0 }))
  lap(m, 100)
  note(journal, "two")
  checked(m:hold())
  checked(m:publish(to))
  m:let_go()
  checked(m:close())
  local clone <close> = checked(home:clone(disk:dir "us", "from-r00000"))
  while checked(clone:step(100)) do end
  assert(#writer == 0)
end

disk = core.sim.disk { seed = RUN }
fill()
local fine, err = pcall(function()
  arm()
  migrate()
end)
local failed = disarm()
if not fine then
  local text = tostring(err)
  assert(failed and text:find "memory" and not text:find "not about", text)
end
collectgarbage()
collectgarbage()

-- What a power failure leaves now.
local after <close> = disk:crash { seed = RUN }
local reader <close> = checked(wal.reader(after:dir "us"))
local layouts <close> = checked(wal.layouts(reader))
local seen, count = {}, 0
for _, shard in ipairs(reader:shards()) do
  local walk <close> = checked(layouts:live(shard))
  for line in (walk:text("csv", false, 1 << 20) or ""):gmatch "[^\n]+" do
    local event = line:match "^%d+,%d+,%d+,(.*)"
    assert(not seen[event], "twice: " .. event)
    seen[event], count = true, count + 1
  end
end
assert(count == EVENTS, count .. " events are live")
if noted > 0 then
  local journal <close>, lines = wal.journal(after:dir "us", NAME)
  assert(journal, lines)
  assert(#lines >= noted and lines[1] == "one")
end
