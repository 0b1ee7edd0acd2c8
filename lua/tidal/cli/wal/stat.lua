-- tidal-lua wal stat DIR [--json]
-- Per log: segments, bytes, events, live events, numbers, time span, the
-- busiest ids. Changes nothing. Exit 1 where bytes are damaged: the log's
-- numbers are then those before the damage.
local core = require "tidal.core"
local json = require "tidal.json"
local logs = require "tidal.cli.wal.logs"
local options = require "tidal.cli.options"
local text = require "tidal.text"

local M = {}

local SYNOPSIS <const> = "wal stat DIR [--json]"
local BUSIEST <const> = 5
local NS_PER_SECOND <const> = 1000000000

local function measure(layouts, reader, log, tick)
  local segments = reader:segments(log.shard)
  log.segments, log.bytes = #segments, 0
  for _, segment in ipairs(segments) do
    log.bytes = log.bytes + segment.size
  end
  local profile = core.profile(core.router.single())
  local walk, err = layouts:live(log.shard)
  if not walk then return err end
  local bytes
  repeat
    bytes, err = walk:read(profile)
    tick(bytes or 0)
  until not bytes or bytes == 0
  for name, value in pairs(walk:counts()) do log[name] = value end
  log.region = log.region and core.region(log.region).value
  walk:close()
  log.distinct, log.exact = profile:distinct(), profile:exact()
  log.busiest = profile:hottest(BUSIEST)
  return err
end

-- The logs with their numbers; `error` where a log is damaged.
local function read(path)
  local reader, layouts = logs.open(path)
  local bar, done = options.progress "reading", 0
  local total, list = reader:bytes(), logs.list(reader)
  for _, log in ipairs(list) do
    local err = measure(layouts, reader, log, function(bytes)
      done = done + bytes
      bar.update(done, total)
    end)
    log.error = err and err.message
  end
  bar.finish()
  return list, layouts:epochs()
end

local function u64(value)
  return value and core.u64.str(value) or nil
end

local function log_json(log)
  local busiest = {}
  for i, heat in ipairs(log.busiest or {}) do
    busiest[i] = json.object { { "id", core.u64.hex(heat.entity) },
                               { "events", u64(heat.events) } }
  end
  return json.object {
    { "region", log.region or json.null }, { "shard", log.shard },
    { "segments", log.segments }, { "bytes", u64(log.bytes) },
    { "batches", u64(log.batches) }, { "events", u64(log.events) },
    { "live", u64(log.live) }, { "sessions", u64(log.sessions) },
    { "first_seq", u64(log.first_seq) }, { "last_seq", u64(log.last_seq) },
    { "first_ns", u64(log.first_ns) }, { "last_ns", u64(log.last_ns) },
    { "ids", u64(log.distinct) }, { "exact", log.exact },
    { "busiest", json.list(busiest) },
    { "error", log.error or json.null },
  }
end

local function print_json(list, epochs)
  local out = {}
  for i, log in ipairs(list) do out[i] = log_json(log) end
  print(json.encode(json.object {
    { "format", "tidal-stat/1" }, { "epochs", json.list(epochs) },
    { "logs", json.list(out) },
  }))
end

-- Dates exist for times that os.date can show.
local function date(ns)
  if ns < 0 then return core.u64.str(ns) .. " ns" end
  return os.date("!%Y-%m-%dT%H:%M:%SZ", ns // NS_PER_SECOND)
end

local function print_log(log)
  print(("%ss%d  %d segment%s  %s  %s events, %s live%s  %s..%s"):format(
    log.region and "r" .. log.region .. ":" or "", log.shard, log.segments,
    log.segments == 1 and "" or "s", text.bytes(log.bytes),
    u64(log.events or 0), u64(log.live or 0),
    (log.sessions or 0) ~= 0
      and (", %s of sessions"):format(u64(log.sessions)) or "",
    u64(log.first_seq or 0), u64(log.last_seq or 0)))
  if log.first_ns then
    print(("    %s .. %s"):format(date(log.first_ns), date(log.last_ns)))
  end
  for _, heat in ipairs(log.busiest or {}) do
    print(("    %s  %s events"):format(core.u64.hex(heat.entity),
                                       u64(heat.events)))
  end
  if log.error then print("    DAMAGED " .. log.error) end
end

local function print_text(list, epochs)
  if #epochs > 0 then
    print("published epochs: " .. table.concat(epochs, " "))
  end
  for _, log in ipairs(list) do print_log(log) end
  if #list == 0 then print "no logs" end
end

---Prints the numbers of every log.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, { json = "flag" }, SYNOPSIS)
  options.expect(rest, 1, 1, SYNOPSIS)
  local list, epochs = read(rest[1])
  local show = opts.json and print_json or print_text
  show(list, epochs)
  for _, log in ipairs(list) do
    if log.error then
      options.fail("%s\n`tidal-lua wal verify %s` says what is damaged",
                   log.error, rest[1])
    end
  end
  return 0
end

return M
