-- What spec/support/memory.c runs: all that a script can do to write logs, in
-- a fresh directory, with memory that fails somewhere. Whatever happens,
-- acknowledged events are there, in order, and errors say "memory".
-- luacheck: read globals arm disarm RUN
collectgarbage("incremental", 10, 1000)
local core = require "tidal.core"
local wal = core.wal

local base = os.getenv "MEMORY_DIR"
local source = base .. "/source"
local dir = base .. "/wal-" .. RUN
local layout = assert(io.open(base .. "/layout")):read "a"
local lines_text = "1,2,3,4\n0x4000000000000000,1,1,1\nbad\n"
local CSV <const> = lines_text:rep(3)
local acknowledged, added = 0, 0

-- True, or an error that is not about memory.
local function checked(value, err)
  if value ~= nil and value ~= false then return value end
  if err and err.code == "no_memory" then error(err, 0) end
  error("not about memory: " .. tostring(err), 0)
end

local function fill(home)
  local router = core.router.single()
  local builder, lines = wal.builder(), wal.lines()
  local at = 0
  while at < #CSV do at = lines:read(CSV, at, builder, 200) end
  lines:finish(builder)
  assert(#builder == 6 and #lines:faults() == 3 and lines:counts().bad == 3)
  assert(#builder:shards(router) == 1)
  home:spread(builder, router)
end

local function write()
  local home <close> = checked(wal.open(dir, { create = true, layout = layout }))
  local writer = checked(home:writer { segment_bytes = 4096, window_events = 300 })
  local other = checked(home:writer { shard = 1 })
  checked(home:router())
  local ok, why = pcall(function()
    local add = writer:bind()
    for i = 1, 150 do add(i, 1, 1, 1) end
    added = 150
    checked(writer:commit())
    acknowledged = 150
    added = 151
    checked(writer:append { { entity = 151, signal_type = 1, weight = 1, timestamp_ns = 1 } })
    acknowledged = 151
    added = 152
    checked(writer:append_each { { entity = 152, signal_type = 1, weight = 1, timestamp_ns = 1 } })
    acknowledged = 152
    other:add("0xffffffffffffffff", 1, 1, 1)
    writer:add(153, 1, 1, 1)
    added = 153
    checked(home:commit())
    acknowledged = 153
    checked(writer:checkpoint { seqno = 100, marks = { { log = "r1:s0", epoch = 1, seqno = 5 } } })
    checked(writer:truncate(100))
    local more, why = writer:retire()
    if more == nil then error(why, 0) end
    assert(writer:recovery().last_seq == 0)
    fill(home)
  end)
  writer:discard()
  other:discard()
  if not ok then error(why, 0) end
  checked(home:close())
end

local fine, err = pcall(function()
  arm()
  write()
  checked(wal.recover { dir = dir })
  checked(wal.checkpoint { dir = dir })
  local reader <close> = checked(wal.reader(source))
  local layouts <close> = checked(wal.layouts(reader))
  local walk <close> = checked(layouts:live(0))
  checked(walk:text("csv", false, 1 << 20))
  assert(core.json_read('{"a":[1.5,"x\\n",null,' .. ("7"):rep(70) .. ',"'
                        .. ("\\n"):rep(3000) .. '"]}', {}, dir).a[3] == dir)
end)
local failed = disarm()
if not fine then
  local text = tostring(err)
  assert(failed and text:find "memory" and not text:find "not about", text)
end

-- What is on disk now.
collectgarbage()
collectgarbage()
local last = 0
if fine or acknowledged > 0 then
  checked(wal.recover { dir = dir })
  local reader <close> = checked(wal.reader(dir))
  for batch in reader:batches(0) do
    for _, entity in batch:each() do
      last = last + 1
      assert(entity == last, "another event")
    end
  end
end
assert(last >= acknowledged and last <= added,
       last .. " events on disk, " .. acknowledged .. " acknowledged")
