-- Boundaries that bring the busiest shard down to a target, moving as little
-- as needed: what is above the target goes to shards that are below a fair
-- share, and all else stays where it is, so no more is moved than what is
-- above the target. Ids cannot be split: where few of them carry the load the
-- target may be missed.
--
-- Where boundaries of one range a shard, drawn anew, move hardly more, those
-- are taken: they are easier to read. So they are where heavy ids keep the
-- others from the target. Routings without ranges always get such ones.
--
-- balanced = { strategy = "ranges" | "hash_ranges", peak = share of the
--   busiest shard, moved = share of events that change their shard, kept =
--   whether boundaries stay, ranges = { { shard =, first =, last =, events =
--   }, ... } }
local carve = require "tidal.plan.carve"
local core = require "tidal.core"
local tables = require "tidal.plan.tables"

local M = {}

local TOLERANCE <const> = 0.1  -- above a fair share
local WORTH <const> = 100      -- of the target: less is not worth a boundary
local HARDLY <const> = 1.05    -- more that is hardly more

-- Events of a range of keys.
local function events_of(profile, first, last)
  local _, events = profile:cut(first, last, -1)
  return events or 0
end

-- The weight of the heaviest key: no boundary divides it. Under hash_ranges
-- keys are hashes, but of one id each.
local function heaviest(profile)
  local top = profile:hottest(1)[1]
  return top and top.events or 0
end

-- One range a shard, drawn anew.
local function drawn(profile, shards, strategy)
  local t = { firsts = {}, owners = {}, strategy = strategy }
  for i, piece in ipairs(profile:split(shards)) do
    t.firsts[i], t.owners[i] = piece.first, i - 1
  end
  return #t.firsts > 0 and t or tables.single(strategy, 0)
end

local function loads_of(profile, t)
  local out = {}
  for i, shard in ipairs(t.owners) do
    out[shard] = (out[shard] or 0)
              + events_of(profile, t.firsts[i], tables.last(t, i))
  end
  return out
end

local function peak_of(loads, shards)
  local most = 0
  for s = 0, shards - 1 do most = math.max(most, loads[s] or 0) end
  return most
end

local function moved(profile, from, to)
  local sum = 0
  for _, move in ipairs((tables.moves(from, to))) do
    sum = sum + events_of(profile, move.first, move.last)
  end
  return sum
end

-- What is above the target given to those below a limit.
local function carved(profile, t, shards, target, limit)
  local loads, away, room = loads_of(profile, t), {}, {}
  for s = 0, shards - 1 do
    local load = loads[s] or 0
    if load > target then away[s] = load - target end
    if load < limit then room[s] = limit - load end
  end
  local worth = target // WORTH
  return (carve.carve(t, away, room, carve.events(profile, worth)))
end

local function described(profile, t, from, shards)
  local events, ranges = profile:events(), {}
  for i, shard in ipairs(t.owners) do
    local first, last = t.firsts[i], tables.last(t, i)
    ranges[i] = { shard = shard, first = first, last = last,
                  events = events_of(profile, first, last) }
  end
  return {
    strategy = t.strategy, ranges = ranges,
    peak = peak_of(loads_of(profile, t), shards) / events,
    moved = from and moved(profile, from, t) / events or nil,
  }
end

---Boundaries for what a profile saw under a layout's routing; nil where the
---peak is at the target already, or nothing was seen.
---@param layout table
---@param profile userdata of the layout's router
---@param tolerance? number above a fair share; default 0.1
---@return table? balanced, table? t the boundaries as plan/tables.lua
function M.propose(layout, profile, tolerance)
  local shards, events = layout.shards, profile:events()
  local t = tables.of(layout)
  if t and t.strategy == "single" then t = nil end
  local hashed = layout.router:strategy() == "hash_ranges"
  local anew = drawn(profile, shards, hashed and "hash_ranges" or "ranges")
  if events == 0 or shards == 1 then return nil end
  if not t then return described(profile, anew, nil, shards), anew end
  local fair = math.ceil(events / shards * (1 + (tolerance or TOLERANCE)))
  local target = math.max(fair, heaviest(profile))
  if peak_of(loads_of(profile, t), shards) <= target then return nil end
  -- To a fair share; what does not fit there, up to the target.
  local best = carved(profile, t, shards, target, fair)
  best = carved(profile, best, shards, target, target)
  if peak_of(loads_of(profile, anew), shards) <= target
     and (peak_of(loads_of(profile, best), shards) > HARDLY * target
          or moved(profile, t, anew) <= HARDLY * moved(profile, t, best)) then
    best = anew
  end
  local out = described(profile, best, t, shards)
  out.kept = best ~= anew
  return out, best
end

local function bad(form, ...)
  error(core.error { code = "balance", message = form:format(...) }, 0)
end

local KEYS <const> = { wal = true, tolerance = true, progress = true }

---The plan to a layout, one epoch up, whose busiest shard is at most
---(1 + tolerance) of a fair share of what the logs hold, where ids can be
---split so far; weighed. An empty plan where that is so already.
---@param layout table
---@param options { wal: { [string]: string }, tolerance: number? }
---@return table? plan, table? err
function M.balance(layout, options)
  for key in next, options do
    if not KEYS[key] then bad("layout:balance: unknown key %s", key) end
  end
  local tolerance = options.tolerance or TOLERANCE
  if type(options.wal) ~= "table" or type(tolerance) ~= "number"
     or tolerance ~= tolerance or tolerance < 0 then
    bad "layout:balance{ wal = { [region] = directory }, tolerance = 0.1 }"
  elseif layout.router:strategy() == "single" then
    bad "layout:balance: single() has one shard"
  end
  local profile = core.profile(layout.router)
  local fine, err = require "tidal.plan.logs".read(layout, options.wal,
    function() return { profile } end, options.progress)
  if not fine then return nil, err end
  local _, t = M.propose(layout, profile, tolerance)
  if not t then return layout:diff(layout) end
  local draft = require "tidal.plan.draft".new(layout)
  draft.routing, draft.epoch = t, layout.epoch + 1
  return layout:diff(draft:layout(layout.rules)):weigh(options.wal)
end

return M
