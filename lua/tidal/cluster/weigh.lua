-- What write-ahead logs say about a layout: events per shard, the hottest
-- ids, and boundaries that would balance what was seen.
--
-- load = { events =, bytes =, distinct =, exact =, peak = share of the
--   busiest shard, shards = { { id =, events =, bytes =, share =, hottest =
--   { { entity =, events = }, ... } }, ... }, skewed = boolean,
--   balanced = { strategy = "ranges" | "hash_ranges", peak =, ranges = { {
--   shard =, first =, last =, events = }, ... } } or nil }
--
-- Live events are counted (FORMAT.md 5); bytes are those of their records,
-- 21 each: what a move would copy.
local core = require "tidal.core"
local faults = require "tidal.faults"
local json = require "tidal.json"
local keys = require "tidal.cluster.keys"

local M = {}

local RECORD_BYTES <const> = 21
local HOTTEST_SEEN <const> = 65536  -- ids looked at to find each shard's own
local HOTTEST_SHOWN <const> = 3
local LOGS_SHOWN <const> = 10       -- in a message
-- A shard with more than this times its fair share makes a split skewed.
local SKEW <const> = 1.5
-- Splits are proposed where they cut the peak by at least this much.
local GAIN <const> = 0.9

-- The logs of one directory and its layouts, or nil, err.
local function open_source(region, dir)
  local reader, err = core.wal.reader(dir)
  local layouts
  if reader then
    layouts, err = core.wal.layouts(reader)
    if layouts then
      return { region = region, dir = dir, reader = reader,
               layouts = layouts }
    end
    reader:close()
  end
  err.message = ("%s=%s: %s"):format(region.name, dir, err.message)
  return nil, err
end

-- Opens the logs of all directories, by region.
local function open(layout, dirs)
  local sources, total = {}, 0
  for _, name in ipairs(keys.sorted(dirs)) do
    if not layout:region(name) then
      return nil, core.error {
        code = "region",
        message = ("%s has no region %s"):format(layout.name,
                                                 faults.shown(name)),
      }
    end
  end
  for _, region in ipairs(layout.regions) do
    local dir = dirs[region.name]
    if dir then
      local source, err = open_source(region, dir)
      if not source then return nil, err end
      total = total + source.reader:bytes()
      sources[#sources + 1] = source
    end
  end
  return sources, total
end

-- Whose log this is: a LogId, false when it is empty, or nil, err.
local function log_of(source, shard)
  local cursor <close> = assert(source.reader:cursor(shard))
  local batch, err = cursor:next()
  if batch then return batch.log end
  if err then return nil, err end
  return false
end

-- A directory in which no log is the region's own is another region's. (One
-- that began as v1 keeps its log r0:s0 beside those of its region.)
local function check_region(source)
  local region, names = source.region, {}
  for _, shard in ipairs(source.reader:shards()) do
    local log, err = log_of(source, shard)
    if log == nil then return nil, err end
    if log and log.region.value == region.id then return true end
    if log then names[#names + 1] = tostring(log) end
  end
  if #names == 0 then return true end
  return nil, core.error {
    code = "mismatch",
    message = ("mismatch: holds the logs %s, none of %s, which is r%d")
      :format(table.concat(names, " ", 1, math.min(#names, LOGS_SHOWN)),
              region.name, region.id),
  }
end

-- Live events only: what a cut left behind counts where it went.
local function read_log(profile, source, shard, tick)
  local walk, err = source.layouts:live(shard)
  if not walk then return nil, err end
  local closing <close> = walk
  while true do
    local bytes
    bytes, err = walk:read(profile)
    if not bytes then return nil, err end
    if bytes == 0 then return true end
    tick(bytes)
  end
end

local function read_source(profile, source, tick)
  local fine, err = check_region(source)
  for _, shard in ipairs(fine and source.reader:shards() or {}) do
    fine, err = read_log(profile, source, shard, tick)
    if not fine then break end
  end
  source.layouts:close()
  source.reader:close()
  if fine then return true end
  err.message = ("%s=%s: %s"):format(source.region.name, source.dir,
                                     err.message)
  return nil, err
end

local function read_all(profile, sources, total, progress)
  local done = 0
  local function tick(bytes)
    done = done + bytes
    if progress then progress(done, total) end
  end
  for _, source in ipairs(sources) do
    local fine, err = read_source(profile, source, tick)
    if not fine then return nil, err end
  end
  return true
end

-- Which ids are hottest, shard by shard.
local function hottest_by_shard(router, profile)
  local out = {}
  for _, heat in ipairs(profile:hottest(HOTTEST_SEEN)) do
    local shard = router:route(heat.entity).value
    local list = out[shard] or {}
    out[shard] = list
    if #list < HOTTEST_SHOWN then list[#list + 1] = heat end
  end
  return out
end

local function shares(layout, profile)
  local counts, events = profile:counts(), profile:events()
  local hottest = hottest_by_shard(layout.router, profile)
  local shards, peak = {}, 0.0
  for s = 0, layout.shards - 1 do
    local n = counts[s] or 0
    local share = events > 0 and n / events or 0.0
    peak = math.max(peak, share)
    shards[s + 1] = { id = s, events = n, bytes = n * RECORD_BYTES,
                      share = share, hottest = hottest[s] or {} }
  end
  return shards, peak
end

-- Boundaries that would spread what was seen, if they help.
local function balance(layout, profile, peak)
  local events = profile:events()
  local pieces = profile:split(layout.shards)
  local most = 0
  for _, piece in ipairs(pieces) do most = math.max(most, piece.events) end
  if events == 0 or most / events > peak * GAIN then return nil end
  local ranges = {}
  for i, piece in ipairs(pieces) do
    ranges[i] = { shard = i - 1, first = piece.first, last = piece.last,
                  events = piece.events }
  end
  -- A profile counts under the keys of the router: hashes for hash_ranges
  -- only, ids for all others.
  local hashed = layout.router:strategy() == "hash_ranges"
  return { strategy = hashed and "hash_ranges" or "ranges",
           peak = most / events, ranges = ranges }
end

---Reads the logs and weighs them by the layout's routing.
---@param layout table
---@param dirs { [string]: string } directory by region name
---@param progress? fun(done: integer, total: integer) bytes
---@return table? load, table? err
function M.weigh(layout, dirs, progress)
  local sources, total = open(layout, dirs)
  if not sources then return nil, total end
  local profile = core.profile(layout.router)
  local fine, err = read_all(profile, sources, total, progress)
  if not fine then return nil, err end
  local shards, peak = shares(layout, profile)
  local skewed = layout.shards > 1 and peak > SKEW / layout.shards
  return {
    events = profile:events(),
    bytes = profile:events() * RECORD_BYTES,
    distinct = profile:distinct(),
    exact = profile:exact(),
    shards = shards,
    peak = peak,
    skewed = skewed,
    balanced = skewed and balance(layout, profile, peak) or nil,
  }
end

---The ranges of a balanced split as layout text, ready to paste.
function M.ranges_text(balanced, indent)
  local lines = {}
  for i, range in ipairs(balanced.ranges) do
    lines[i] = ("%ss%d %s..%s"):format(indent, range.shard,
                                       core.u64.hex(range.first),
                                       core.u64.hex(range.last))
  end
  return table.concat(lines, "\n")
end

local function heat_json(list)
  local out = {}
  for i, heat in ipairs(list) do
    out[i] = json.object {
      { "id", core.u64.hex(heat.entity) },
      { "events", core.u64.str(heat.events) },
    }
  end
  return json.list(out)
end

local function balanced_json(balanced)
  if not balanced then return json.null end
  local list = {}
  for i, range in ipairs(balanced.ranges) do
    list[i] = json.object {
      { "id", range.shard },
      { "first", core.u64.hex(range.first) },
      { "last", core.u64.hex(range.last) },
      { "events", core.u64.str(range.events) },
    }
  end
  return json.object {
    { "strategy", balanced.strategy }, { "peak_share", balanced.peak },
    { "shards", json.list(list) },
  }
end

---A load as a JSON value.
function M.json(load)
  local shards = {}
  for i, shard in ipairs(load.shards) do
    shards[i] = json.object {
      { "id", shard.id },
      { "events", core.u64.str(shard.events) },
      { "bytes", core.u64.str(shard.bytes) },
      { "share", shard.share },
      { "hottest", heat_json(shard.hottest) },
    }
  end
  return json.object {
    { "events", core.u64.str(load.events) },
    { "bytes", core.u64.str(load.bytes) },
    { "ids", core.u64.str(load.distinct) },
    { "exact", load.exact },
    { "skewed", load.skewed },
    { "shards", json.list(shards) },
    { "balanced", balanced_json(load.balanced) },
  }
end

return M
