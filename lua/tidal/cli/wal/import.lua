-- tidal-lua wal import DIR --layout LAYOUT --region NAME [--skip-bad]
--   [--json] [FILE]
-- Events of FILE or of standard input, each into the log of its shard: CSV
-- entity,signal_type,weight,timestamp_ns (line of names optional) or JSON
-- lines with those keys; what `wal export` prints is taken too. All lines
-- are checked before anything is made or written: one bad line refuses all of
-- it, exit 1. Exit 0 means synced; a crash leaves a prefix in each log.
local core = require "tidal.core"
local json = require "tidal.json"
local options = require "tidal.cli.options"
local terminal = require "tidal.render.terminal"

local M = {}

local SYNOPSIS <const> = "wal import DIR --layout LAYOUT --region NAME "
  .. "[--skip-bad] [--json] [FILE]"
local BYTES_AT_ONCE <const> = 262144
local EVENTS_AT_ONCE <const> = 65536   -- of all shards, committed together

local function plural(count, noun)
  return ("%d %s%s"):format(count, noun, count == 1 and "" or "s")
end

-- --- what is read ----------------------------------------------------------

-- { name =, file =, start =, size = }. What cannot be read twice has no size
-- yet: it goes into a temporary file while it is checked.
local function open_source(path)
  local file = io.stdin
  if path and path ~= "-" then
    local opened, why = io.open(path, "rb")
    file = opened or options.fail("%s", why)
  end
  local name = file == io.stdin and "standard input" or path
  local start = file:seek "cur"
  local last = start and file:seek "end"
  if last then file:seek("set", start) end
  return { name = name, file = file, start = start, size = last and
           last - start }
end

local function next_chunk(source)
  local chunk, why = source.file:read(BYTES_AT_ONCE)
  if not chunk and why then options.fail("%s: %s", source.name, why) end
  return chunk
end

local function spooled(done, why)
  if not done then options.fail("temporary file: %s", why) end
  return done
end

-- Reads events of one chunk, at most EVENTS_AT_ONCE together; full() empties
-- the builder.
local function read_chunk(lines, chunk, builder, full)
  local at = 0
  while at < #chunk do
    at = lines:read(chunk, at, builder, EVENTS_AT_ONCE - #builder)
    if #builder == EVENTS_AT_ONCE then full() end
  end
end

local function read_end(lines, builder, full)
  lines:finish(builder)
  if #builder > 0 then full() end
end

-- --- the first pass --------------------------------------------------------

local function refuse(source, lines)
  local counts, faults = lines:counts(), lines:faults()
  local more = counts.bad - #faults
  options.fail("%s: %s, nothing was imported\n  %s%s%s",
    source.name, plural(counts.bad, "bad line"),
    table.concat(faults, "\n  "),
    more > 0 and ("\n  ... and %d more"):format(more) or "",
    counts.foreign and ""
      or "\n--skip-bad passes over bad lines and imports the others")
end

-- Every line, without a trace on disk. Gives the shards that get events, and
-- what the second pass must find.
local function check(source, router, skip_bad)
  local lines, builder = core.wal.lines(), core.wal.builder()
  local bar, done = options.progress "checking", 0
  local seen, sums = {}, {}
  local copy = not source.size and spooled(io.tmpfile())
  local function note()
    for _, shard in ipairs(builder:shards(router)) do
      seen[shard.value] = true
    end
    builder:clear()
  end
  for chunk in next_chunk, source do
    if copy then spooled(copy:write(chunk)) end
    sums[#sums + 1] = core.checksum(chunk)
    read_chunk(lines, chunk, builder, note)
    done = done + #chunk
    bar.update(done, source.size)
  end
  read_end(lines, builder, note)
  bar.finish()
  local counts = lines:counts()
  if counts.foreign or counts.bad > 0 and not skip_bad then
    refuse(source, lines)
  end
  if copy then
    source.start = spooled(copy:seek("set", 0))  -- writes what is buffered
    source.file = copy
  end
  source.size = done
  return seen, sums, lines
end

-- --- the second pass -------------------------------------------------------

local HINTS <const> = {
  locked = "another process writes to it: stop that one first",
  epoch = "import under the layout published there, or migrate",
  layout = "import under the layout published there, or migrate",
  dead = "what is in it already was written under no such layout",
}

local function fail(path, err, more)
  local hint = HINTS[err.code]
  error(core.error {
    code = err.code,
    message = ("%s: %s%s%s"):format(path, err.message,
                                    hint and "\n" .. hint or "", more or ""),
  }, 0)
end

local function warn(path, writer)
  local found = writer:recovery()
  if not found.torn then return end
  io.stderr:write(("tidal-lua: %s: %s ended in a torn write: %s bytes went "
                   .. "to quarantine/\n"):format(
    path, tostring(writer:log()), core.u64.str(found.cut_bytes)))
end

-- Opens the logs that get events, by rising shard.
local function open_logs(home, path, seen, layout, region)
  local logs = {}
  for shard = 0, layout.shards - 1 do
    if seen[shard] then
      local writer, err = home:writer { shard = shard, region = region }
      if not writer then fail(path, err) end
      warn(path, writer)
      logs[#logs + 1] = { log = writer:log(), writer = writer, events = 0 }
      logs[tostring(writer:log())] = logs[#logs]
    end
  end
  return logs
end

-- What is on disk when it stops half way.
local function stopped(logs)
  local out = {}
  for i, log in ipairs(logs) do
    out[i] = ("%s %d"):format(tostring(log.log), log.events)
  end
  return "\nevents imported before that, from the start of each log's: "
    .. table.concat(out, ", ")
end

local function commit(home, path, logs)
  local parts, err = home:commit()
  if not parts then fail(path, err, stopped(logs)) end
  for _, part in ipairs(parts) do
    local log = logs[tostring(part.log)]
    log.first_seq = log.first_seq or part.first_seq
    log.events = log.events + part.events
  end
end

local function changed(source, logs)
  options.fail("%s: changed while it was read%s", source.name, stopped(logs))
end

local function write(source, home, path, router, logs, sums)
  local lines, builder = core.wal.lines(), core.wal.builder()
  local bar, done = options.progress "importing", 0
  source.file:seek("set", source.start)
  local function flush()
    home:spread(builder, router)
    commit(home, path, logs)
  end
  for i = 1, #sums do
    local chunk = next_chunk(source)
    if not chunk or core.checksum(chunk) ~= sums[i] then
      changed(source, logs)
    end
    read_chunk(lines, chunk, builder, flush)
    done = done + #chunk
    bar.update(done, source.size)
  end
  read_end(lines, builder, flush)
  bar.finish()
end

-- --- what is said ----------------------------------------------------------

local function total(logs)
  local sum = 0
  for _, log in ipairs(logs) do sum = sum + log.events end
  return sum
end

local function last_seq(log)
  return core.u64.str(log.first_seq + log.events - 1)
end

local function print_text(logs, path, layout, skipped)
  local rows = {}
  for i, log in ipairs(logs) do
    rows[i] = { tostring(log.log), plural(log.events, "event"),
                core.u64.str(log.first_seq) .. ".." .. last_seq(log) }
  end
  if #rows > 0 then
    print(terminal.columns(rows, { right = { [2] = true } }))
  end
  print(("%s imported into %s under epoch %d, synced%s"):format(
    plural(total(logs), "event"), path, layout.epoch,
    skipped > 0 and "; " .. plural(skipped, "bad line") .. " skipped" or ""))
end

local function print_json(logs, layout, region, skipped)
  local list = {}
  for i, log in ipairs(logs) do
    list[i] = json.object {
      { "shard", log.log.shard.value }, { "events", core.u64.str(log.events) },
      { "first_seq", core.u64.str(log.first_seq) },
      { "last_seq", last_seq(log) },
    }
  end
  print(json.encode(json.object {
    { "format", "tidal-import/1" }, { "region", region },
    { "epoch", layout.epoch }, { "events", core.u64.str(total(logs)) },
    { "skipped", core.u64.str(skipped) }, { "logs", json.list(list) },
  }))
end

local function tell_skipped(source, lines)
  local bad, faults = lines:counts().bad, lines:faults()
  for _, fault in ipairs(faults) do
    io.stderr:write(("tidal-lua: %s: %s (skipped)\n"):format(source.name,
                                                             fault))
  end
  if bad > #faults then
    io.stderr:write(("tidal-lua: %s: ... and %d more\n"):format(
      source.name, bad - #faults))
  end
  return bad
end

-- ---------------------------------------------------------------------------

---Imports events.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, options.with_layout {
    layout = "value", region = "value", ["skip-bad"] = "flag", json = "flag",
  }, SYNOPSIS)
  options.expect(rest, 1, 2, SYNOPSIS)
  for _, name in ipairs { "layout", "region" } do
    if not opts[name] then
      options.usage("--%s is missing\nusage: tidal-lua %s", name, SYNOPSIS)
    end
  end
  local path, layout = rest[1], options.layout(opts.layout, opts)
  local region = options.region(layout, opts.region,
                                "--region " .. opts.region).id
  local source = open_source(rest[2])
  local seen, sums, lines = check(source, layout.router, opts["skip-bad"])
  local skipped = tell_skipped(source, lines)
  local home, err = core.wal.open(path, { layout = layout, create = true })
  if not home then fail(path, err) end
  local logs = open_logs(home, path, seen, layout, region)
  write(source, home, path, layout.router, logs, sums)
  local closed, bad = home:close()
  if not closed then fail(path, bad, stopped(logs)) end
  if opts.json then print_json(logs, layout, region, skipped)
  else print_text(logs, path, layout, skipped) end
  return 0
end

return M
