-- Migrations as scenarios for assert.explored (testing/explorer.lua).
--
--   local migrations = require "tidal.testing.migrations"
--   assert.explored(migrations.scenario(before:diff(after), {
--     events = 12,        that are there before
--     writes = 2,         by who follows the published layout
--     stale = 1,          by who goes on routing under the old one
--     aborts = true,      it may be given up
--     plant = function(m) end,  breaks each migration before its step: to see
--                         that the explorer would find it
--   }), { faults = { "crash", "lose", "dup" } })
--
-- The actions: "step" begins the migration, or goes on from the disk until
-- there is one more line in its journal; "write N" and "stale write N" append
-- one event each, once; "abort". The invariant: every event that was there or
-- acknowledged is live exactly once, one whose answer was lost at most once,
-- none stands where the published layout does not route it, and a write that
-- follows the old layout is refused once the next one is published.
local core = require "tidal.core"
local layouts = require "tidal.cluster.layout"
local migrate = require "tidal.migrate"

local M = {}

-- Small pieces: all kinds of states soon.
local SETTINGS <const> = { lap_events = 4, slice_bytes = 100,
                           rest_events = 2 }
local GOLDEN <const> = 0x9E3779B97F4A7C15  -- ids all over, in no order

local function must(value, err)
  if not value then error(err, 0) end
  return value
end

local function settings(disk, regions)
  local out = { wal = {} }
  for _, region in ipairs(regions) do
    out.wal[region.name] = disk:dir(region.name)
  end
  for key, value in next, SETTINGS do out[key] = value end
  return out
end

local function event(n)
  return { entity = n * GOLDEN, timestamp_ns = n, signal_type = 1, weight = 1 }
end

-- Appends one event where a layout routes it, under the published one.
-- false where that is refused because the id has another owner.
local function append(disk, region, layout, published, n)
  local home <close> = must(core.wal.open(disk:dir(region.name),
                                          { layout = published }))
  local one = event(n)
  local writer <close> = must(home:writer {
    shard = layout:route(one.entity), region = region.id,
  })
  local done, err = writer:append { one }
  if not done and err.code == "moved" then return false end
  must(done, err)
  return true
end

local function epoch_of(disk, region)
  local reader <close> = must(core.wal.reader(disk:dir(region.name)))
  local published <close> = must(core.wal.layouts(reader))
  local epochs = published:epochs()
  return epochs[#epochs]
end

-- --- what is there ---------------------------------------------------------

-- Calls each(shard, number) for every live event; all: for dead ones, too.
local function each_event(disk, region, each)
  local reader <close> = must(core.wal.reader(disk:dir(region.name)))
  local published <close> = must(core.wal.layouts(reader))
  for _, shard in ipairs(reader:shards()) do
    local walk <close> = must(published:live(shard))
    while true do
      local text = walk:text("csv", false, 1 << 16)
      if not text then break end
      for line in text:gmatch "[^\n]+" do
        each(shard, math.tointeger(tonumber(line:match "(%d+)$")))
      end
    end
  end
end

-- Fails with what is wrong with one event.
local function check_event(n, found, notes, events)
  local times = found[n] or 0
  local sure = n <= events or notes["acked " .. n]
  if times > 1 then
    return ("event %d is live %d times"):format(n, times)
  elseif sure and times == 0 then
    return ("event %d was acknowledged and is lost"):format(n)
  end
end

local function invariant_of(plan, options)
  return function(disk, notes)
    for _, region in ipairs(plan.from.regions) do
      local there = epoch_of(disk, region) == plan.to.epoch
      local layout, found, wrong = there and plan.to or plan.from, {}, nil
      each_event(disk, region, function(shard, n)
        found[n] = (found[n] or 0) + 1
        if layout:route(n * GOLDEN) ~= shard then
          wrong = ("event %d is live in %s, epoch %d has it in %s"):format(
            n, tostring(shard), layout.epoch,
            tostring(layout:route(n * GOLDEN)))
        end
      end)
      if wrong then return false, region.name .. ": " .. wrong end
      for n = 1, options.events + options.writes + options.stale do
        local why = check_event(n, found, notes, options.events)
        if why then return false, region.name .. ": " .. why end
      end
    end
    return true
  end
end

-- Batches without their times, and the small files that say what counts.
local function key_of(plan)
  return function(disk, notes)
    local out = {}
    for _, region in ipairs(plan.from.regions) do
      local reader <close> = must(core.wal.reader(disk:dir(region.name)))
      for _, shard in ipairs(reader:shards()) do
        local cursor <close> = must(reader:cursor(shard))
        out[#out + 1] = tostring(shard)
        while true do
          local batch, err = cursor:next()
          if not batch then
            out[#out + 1] = err and err.code
            break
          end
          out[#out + 1] = ("%d+%d@%d"):format(
            batch.first_seq, batch.event_count, batch.layout_epoch)
        end
      end
      for _, file in ipairs(disk:files(region.name)) do
        local name = file.name
        if name:find "^cuts" or name:find "^layout" or name:find "journal$" then
          out[#out + 1] = name .. core.checksum(disk:read(region.name, name))
        end
      end
    end
    for n = 1, notes.last or 0 do
      out[#out + 1] = (notes["acked " .. n] and "a" or "")
                   .. (notes["tried " .. n] and "t" or "")
    end
    return table.concat(out, " ")
  end
end

-- --- actions ---------------------------------------------------------------

-- The migration that was begun; nil where none was, false where it is over.
local function begun(disk, plan)
  local options = settings(disk, plan.from.regions)
  local found, status = pcall(migrate.status, options)
  if found then
    return status.state == "running" and migrate.resume(options)
  end
  if core.is_error(status)
     and status.message:find "no migration was begun" then
    return nil
  end
  error(status, 0)
end

local function step_action(plan, plant)
  return { name = "step", run = function(disk)
    local m = begun(disk, plan)
    if m == false then return false end
    m = m or migrate(plan)(settings(disk, plan.from.regions))
    if plant then plant(m) end
    local done, why = pcall(function()
      while m:step(0) and m.journal.noted == 0 do end
    end)
    m:close()
    if not done then error(why, 0) end
  end }
end

local function write_action(plan, n, stale)
  local name = (stale and "stale write " or "write ") .. n
  return { name = name, run = function(disk, notes)
    if notes["tried " .. n] then return false end
    local region = plan.from.regions[1]
    local there = epoch_of(disk, region) == plan.to.epoch
    local published = there and plan.to or plan.from
    notes.last = math.max(notes.last or 0, n)
    notes["tried " .. n] = true
    return append(disk, region, stale and plan.from or published, published,
                  n)
  end, answered = function(notes) notes["acked " .. n] = true end }
end

local function abort_action(plan)
  return { name = "abort", run = function(disk)
    local m = begun(disk, plan)
    if not m then return false end
    m:close()
    local done, why = pcall(migrate.abort, settings(disk, plan.from.regions))
    if done then return end
    if why.message:find "cannot be aborted" then return false end
    error(why, 0)
  end }
end

local function start_of(plan, options)
  return function()
    local disk = core.sim.disk { seed = 1 }
    for _, region in ipairs(plan.from.regions) do
      core.wal.open(disk:dir(region.name), { create = true }):close()
      for n = 1, options.events do
        append(disk, region, plan.from, plan.from, n)
      end
    end
    return disk:crash { way = 0 }
  end
end

---@param plan table tidal.Diff
---@param options? { events: integer?, writes: integer?, stale: integer?,
---  aborts: boolean?, plant: (fun(migration))? }
---@return table scenario
function M.scenario(plan, options)
  if not layouts.is(plan.from) then
    error("migrations.scenario(plan): what from:diff(to) gives expected", 2)
  end
  options = options or {}
  local counts = { events = options.events or 6, writes = options.writes or 1,
                   stale = options.stale or 1 }
  local actions = { step_action(plan, options.plant) }
  for i = 1, counts.writes + counts.stale do
    actions[#actions + 1] = write_action(plan, counts.events + i,
                                         i > counts.writes)
  end
  if options.aborts then actions[#actions + 1] = abort_action(plan) end
  return { start = start_of(plan, counts), actions = actions,
           key = key_of(plan), invariant = invariant_of(plan, counts) }
end

return M
