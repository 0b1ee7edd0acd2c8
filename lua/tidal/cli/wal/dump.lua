-- tidal-lua wal dump PATH [--json] [--events]
-- PATH is a segment file, or a directory whose segments are shown in order
-- of (shard, first_seq). Changes nothing. Exit 1 where bytes are damaged.
local core = require "tidal.core"
local json = require "tidal.json"
local options = require "tidal.cli.options"

local M = {}

local SYNOPSIS <const> = "wal dump PATH [--json] [--events]"

-- Nine digits tell any two 32-bit floats apart. What is no number in JSON is
-- written as text.
local function weight_text(weight)
  return weight ~= weight and "nan" or ("%.9g"):format(weight)
end

local function weight_json(weight)
  local text = weight_text(weight)
  if weight ~= weight then return text end
  return math.abs(weight) ~= math.huge and tonumber(text) or text
end

local function event_json(event)
  return json.object {
    { "entity", core.u64.hex(event.entity) },
    { "signal_type", event.signal_type },
    { "weight", weight_json(event.weight) },
    { "timestamp_ns", core.u64.str(event.timestamp_ns) },
  }
end

local function batch_json(file, batch, events)
  local fields = {
    { "file", file },
    { "offset", batch.offset },
    { "version", batch.version },
    { "kind", batch.kind },
    { "lazy", batch.lazy },
    { "first_seq", core.u64.str(batch.first_seq) },
    { "timestamp_ns", core.u64.str(batch.timestamp_ns) },
    { "event_count", batch.event_count },
    { "payload_len", batch.payload_len },
    { "payload_hash", batch.payload_hash },
    { "layout_epoch", batch.layout_epoch },
    { "shard", batch.shard.value },
    { "region", batch.region.value },
  }
  if events then
    local list = {}
    for i, event in ipairs(batch:events()) do list[i] = event_json(event) end
    fields[#fields + 1] = { "events", json.list(list) }
  end
  return json.encode(json.object(fields))
end

local KINDS <const> = { [0] = "signals", [1] = "sessions" }

local function batch_text(file, batch, events)
  local lines = {
    ("%s @%-9d v%d %s %s..%s  %d events  %d bytes  epoch %d  %s%s"):format(
      file, batch.offset, batch.version, tostring(batch.log),
      core.u64.str(batch.first_seq), core.u64.str(batch.last_seq),
      batch.event_count, batch.size, batch.layout_epoch, KINDS[batch.kind],
      batch.lazy and " lazy" or ""),
  }
  if events then
    for i, entity, signal, weight, stamp in batch:each() do
      lines[#lines + 1] = ("  %s  %s  signal %d  weight %s  %s"):format(
        core.u64.str(batch.first_seq + i - 1), core.u64.hex(entity), signal,
        weight_text(weight), core.u64.str(stamp))
    end
  end
  return table.concat(lines, "\n")
end

local function end_json(file, scan, size, err)
  return json.encode(json.object {
    { "file", file }, { "end", scan:offset() }, { "size", size },
    { "error", err and err.message or json.null },
  })
end

local function end_text(file, scan, size, err)
  if err then
    return ("%s @%-9d DAMAGED %s"):format(file, scan:offset(), err.message)
  end
  return ("%s @%-9d end, %d bytes"):format(file, scan:offset(), size)
end

-- Every batch from the start, then where it stopped; true if undamaged.
local function dump_file(path, file, opts)
  local bytes = options.read(path)
  local scan = core.wal.scan(bytes)
  local show = opts.json and batch_json or batch_text
  local batch, err = scan:next()
  while batch do
    print(show(file, batch, opts.events))
    batch, err = scan:next()
  end
  print((opts.json and end_json or end_text)(file, scan, #bytes, err))
  return err == nil
end

local function is_directory(path)
  local file = io.open(path .. "/.")
  if file then file:close() end
  return file ~= nil
end

local function dump(path, opts)
  local reader, err = core.wal.reader(path)
  if not reader then
    if is_directory(path) then options.fail("%s: %s", path, err.message) end
    return dump_file(path, path:match "([^/]+)/*$" or path, opts)
  end
  local segments, fine = reader:segments(), true
  reader:close()
  for _, segment in ipairs(segments) do
    fine = dump_file(path .. "/" .. segment.name, segment.name, opts)
           and fine
  end
  return fine
end

---Prints batches. Status 1 where bytes are damaged.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, { json = "flag", events = "flag" },
                                   SYNOPSIS)
  options.expect(rest, 1, 1, SYNOPSIS)
  return dump(rest[1], opts) and 0 or 1
end

return M
