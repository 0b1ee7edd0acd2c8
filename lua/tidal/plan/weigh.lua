-- What write-ahead logs say about a layout: events per shard, the hottest
-- ids, and boundaries that would balance what was seen.
--
-- load = { events =, bytes =, distinct =, exact =, peak = share of the
--   busiest shard, shards = { { id =, events =, bytes =, share =, hottest =
--   { { entity =, events = }, ... } }, ... }, skewed = boolean,
--   balanced = of plan/balance.lua, or nil, held = { [region name] =
--   bytes in its directory } of each region that was read }
--
-- Live events are counted (FORMAT.md 5); bytes are those of their records,
-- 21 each: what a move would copy.
local balance = require "tidal.plan.balance"
local core = require "tidal.core"
local json = require "tidal.json"
local logs = require "tidal.plan.logs"

local M = {}

local RECORD_BYTES <const> = 21
local HOTTEST_SEEN <const> = 65536  -- ids looked at to find each shard's own
local HOTTEST_SHOWN <const> = 3
-- A shard with more than this times its fair share makes a split skewed.
local SKEW <const> = 1.5
-- Splits are proposed where they cut the peak by at least this much.
local GAIN <const> = 0.9

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
local function balanced_for(layout, profile, peak)
  local balanced = balance.propose(layout, profile)
  if not balanced or balanced.peak > peak * GAIN then return nil end
  return balanced
end

---Reads the logs and weighs them by the layout's routing.
---@param layout table
---@param dirs { [string]: string } directory by region name
---@param progress? fun(done: integer, total: integer) bytes
---@return table? load, table? err
function M.weigh(layout, dirs, progress)
  local profile, held = core.profile(layout.router), {}
  local fine, err = logs.read(layout, dirs, function(region, bytes)
    held[region.name] = bytes
    return { profile }
  end, progress)
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
    held = held,
    balanced = skewed and balanced_for(layout, profile, peak) or nil,
  }
end

---The same layout, knowing its load: rules may ask for it.
---@param layout table
---@param load table
function M.laden(layout, load)
  local shards = {}
  for _, shard in ipairs(load.shards) do shards[shard.id] = shard.events end
  return layout:with_load { regions = load.held, shards = shards }
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
    { "moved_share", balanced.moved },
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
