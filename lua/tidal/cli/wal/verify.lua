-- tidal-lua wal verify DIR [--json]
-- A verdict for every segment of DIR, and for its checkpoints, cuts and
-- layouts. Changes nothing. Exit 0 if all is clean or only torn (the next
-- writer cuts a torn tail, nothing acknowledged is in it), else 1.
local core = require "tidal.core"
local json = require "tidal.json"
local options = require "tidal.cli.options"

local M = {}

local SYNOPSIS <const> = "wal verify DIR [--json]"

-- What to do about a verdict.
local ADVICE <const> = {
  torn = "a write was cut off before it was acknowledged: the next writer "
    .. "moves the tail to quarantine/ and goes on",
  corrupt = "acknowledged events are damaged or missing: append nothing, "
    .. "restore the file from a follower or a backup",
  gap = "a segment is gone: bring it back from a follower or a backup",
  mismatch = "a file is not where it belongs: undo the rename or the copy",
  unsupported = "a newer version wrote this: use that version, nothing here "
    .. "touches it",
  reserved = "bytes that must be zero are not: ask what wrote this file; "
    .. "nothing here touches it",
}
local WORST_FIRST <const> = {
  "corrupt", "gap", "mismatch", "unsupported", "reserved", "torn",
}

local function new_log(report)
  return { shard = report.shard.value, segments = 0, bytes = 0, batches = 0,
           events = 0, first_seq = 0, last_seq = 0, findings = 0 }
end

local function add_segment(log, report)
  log.region = report.region and report.region.value or log.region
  log.segments = log.segments + 1
  log.bytes = log.bytes + report.size
  log.batches = log.batches + report.batches
  log.events = log.events + report.events
  if report.batches > 0 then
    if log.first_seq == 0 then log.first_seq = report.first_seq end
    log.last_seq = report.last_seq
  end
end

-- { logs = list, findings = list } of a whole directory.
local function verify(path)
  local reader <close> = options.reader(path)
  local verifier <close> = assert(core.wal.verifier(reader))
  local bar, total, done = options.progress "verifying", reader:bytes(), 0
  local found, log = { logs = {}, findings = {} }, nil
  while true do
    local report, err = verifier:next()
    if not report then
      bar.finish()
      if err then error(err, 0) end
      return found
    end
    if report.whole then
      if not log or log.shard ~= report.shard.value then
        log = new_log(report)
        table.insert(found.logs, log)
      end
      add_segment(log, report)
      done = done + report.size
      bar.update(done, total)
    end
    if report.verdict ~= "clean" then
      table.insert(found.findings, report)
    end
  end
end

local function is_ok(findings)
  for _, finding in ipairs(findings) do
    if finding.verdict ~= "torn" then return false end
  end
  return true
end

local function finding_json(finding)
  local lost = finding.lost_events
  return json.object {
    { "verdict", finding.verdict },
    { "file", finding.file },
    { "offset", finding.offset },
    { "why", finding.why },
    { "suspect", finding.suspect or nil },
    { "lost_events", lost ~= 0 and core.u64.str(lost) or nil },
  }
end

local function log_json(log)
  return json.object {
    { "region", log.region or json.null },
    { "shard", log.shard },
    { "segments", log.segments },
    { "bytes", core.u64.str(log.bytes) },
    { "batches", core.u64.str(log.batches) },
    { "events", core.u64.str(log.events) },
    { "first_seq", core.u64.str(log.first_seq) },
    { "last_seq", core.u64.str(log.last_seq) },
  }
end

local function map(list, fn)
  local out = {}
  for i, value in ipairs(list) do out[i] = fn(value) end
  return json.list(out)
end

local function print_json(found)
  print(json.encode(json.object {
    { "format", "tidal-verify/1" },
    { "ok", is_ok(found.findings) },
    { "findings", map(found.findings, finding_json) },
    { "logs", map(found.logs, log_json) },
  }))
end

local function finding_text(style, finding)
  local colour = finding.verdict == "torn" and "yellow" or "red"
  local lost = finding.lost_events ~= 0
    and ("; %s events go with it"):format(
      core.u64.str(finding.lost_events)) or ""
  return ("%s %s @%d%s\n    %s%s"):format(
    style:paint(colour, finding.verdict), finding.file, finding.offset,
    finding.suspect and " (suspect)" or "", finding.why, lost)
end

local function log_text(log)
  return ("%ss%d  %d segment%s  %s bytes  %s batches  %s events  %s..%s")
    :format(log.region and "r" .. log.region .. ":" or "", log.shard,
            log.segments, log.segments == 1 and "" or "s",
            core.u64.str(log.bytes), core.u64.str(log.batches),
            core.u64.str(log.events), core.u64.str(log.first_seq),
            core.u64.str(log.last_seq))
end

local function print_text(found)
  local style, seen = options.style(io.stdout), {}
  for _, log in ipairs(found.logs) do print(log_text(log)) end
  for _, finding in ipairs(found.findings) do
    print(finding_text(style, finding))
    seen[finding.verdict] = (seen[finding.verdict] or 0) + 1
  end
  if #found.findings == 0 then print "clean" end
  for _, verdict in ipairs(WORST_FIRST) do
    if seen[verdict] then
      print(("%d %s: %s"):format(seen[verdict], verdict, ADVICE[verdict]))
    end
  end
end

---Prints the verdicts. Status 1 unless every finding is a torn tail.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, { json = "flag" }, SYNOPSIS)
  options.expect(rest, 1, 1, SYNOPSIS)
  local found = verify(rest[1])
  local show = opts.json and print_json or print_text
  show(found)
  return is_ok(found.findings) and 0 or 1
end

return M
