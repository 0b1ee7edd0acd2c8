-- Directories on a simulated disk that go from one layout to another, and what
-- is live in them.
--
-- Every event has an id, a time of its own and a weight, so the multiset of
-- events is { [line] = shard }, a line being what `wal export` prints behind
-- region, shard and number.
local core = require "tidal.core"
local golden = dofile "spec/support/golden.lua"
local migrate = require "tidal.migrate"
local tidal = require "tidal"

local M = {}

-- What assert of Lua does: the error is raised as it is.
local function must(value, err)
  if not value then error(err, 0) end
  return value
end

M.must = must

---Writes events { entity =, timestamp_ns = } to the logs of a directory where
---the layout wants them, `batch` at once.
---@param dir any
---@param layout table
---@param region integer
---@param list table[]
---@param options? { batch: integer?, segment_bytes: integer? }
function M.write(dir, layout, region, list, options)
  options = options or {}
  local home <close> = must(core.wal.open(dir, { create = true, layout = layout }))
  local by_shard = {}
  for _, event in ipairs(list) do
    local s = layout:route(event.entity).value
    by_shard[s] = by_shard[s] or {}
    table.insert(by_shard[s], { entity = event.entity, timestamp_ns = event.timestamp_ns,
                                signal_type = 1, weight = 1 })
  end
  local shards = {}
  for s in pairs(by_shard) do shards[#shards + 1] = s end
  table.sort(shards)
  for _, s in ipairs(shards) do
    -- A log that began as v1 is r0:s0 in any region.
    local v1 = options.v1 and s == 0
    local writer <close> = must(home:writer {
      shard = s, region = v1 and 0 or region, segment_bytes = options.segment_bytes,
    })
    local batch = options.batch or 5
    for i = 1, #by_shard[s], batch do
      must(writer:append(table.move(by_shard[s], i, math.min(i + batch - 1, #by_shard[s]), 1,
                                    {})))
    end
    must(writer:close { clean = true })
  end
  must(home:close { clean = true })
end

---Events number first..first+count-1: ids all over, also above 2^63.
function M.events(first, count)
  local out = {}
  for i = first, first + count - 1 do
    out[#out + 1] = { entity = i * 0x9E3779B97F4A7C15, timestamp_ns = i }
  end
  return out
end

---Puts the beginning of a v1 log into a directory; gives its number of events.
function M.put_v1(disk, path, batches)
  local name = golden.segments "v1-single"[1]
  local bytes, count, size = golden.read("v1-single/" .. name), 0, 0
  disk:write(path, name, bytes)
  local reader <close> = must(core.wal.reader(disk:dir(path)))
  for batch in reader:batches(0) do
    count, batches = count + batch.event_count, batches - 1
    size = size + 64 + 21 * batch.event_count
    if batches == 0 then break end
  end
  disk:write(path, name, bytes:sub(1, size))
  return count
end

---What is live in a directory: { [event as text] = shard }, how many, and
---which stand there twice.
function M.live(dir)
  local out, count, twice = {}, 0, {}
  local reader <close> = must(core.wal.reader(dir))
  local layouts <close> = must(core.wal.layouts(reader))
  for _, shard in ipairs(reader:shards()) do
    local walk <close> = must(layouts:live(shard))
    while true do
      local text = walk:text("csv", false, 1 << 20)
      if not text then break end
      for line in text:gmatch "[^\n]+" do
        local s, event = line:match "^%d+,(%d+),%d+,(.*)$"
        if out[event] then twice[#twice + 1] = event end
        out[event], count = math.tointeger(tonumber(s)), count + 1
      end
    end
  end
  return out, count, twice
end

---Faults of a directory against what was live in it before: lost, doubled,
---and, with a layout, misplaced.
---@param before { [string]: integer }
---@param layout? table where each event must be
---@return string[] faults
function M.faults(dir, before, layout)
  local now, _, twice = M.live(dir)
  local faults = {}
  for _, event in ipairs(twice) do faults[#faults + 1] = "doubled " .. event end
  for event in pairs(before) do
    if not now[event] then faults[#faults + 1] = "lost " .. event end
  end
  for event, shard in pairs(now) do
    if not before[event] then faults[#faults + 1] = "new " .. event end
    local wanted = layout and layout:route(core.u64.parse(event:match "^[^,]+")).value
    if wanted and wanted ~= shard then
      faults[#faults + 1] = ("misplaced %s in s%d"):format(event, shard)
    end
  end
  return faults
end

---The published epoch of a directory.
function M.epoch(dir)
  local reader <close> = must(core.wal.reader(dir))
  local layouts <close> = must(core.wal.layouts(reader))
  local epochs = layouts:epochs()
  return epochs[#epochs]
end

---Runs a migration to its end, or raises; closed in any case.
function M.run(migration)
  local done, why = pcall(migration.run, migration)
  migration:close()
  if not done then error(why, 0) end
end

---Runs a new one.
function M.migrate(from, to, options)
  M.run(migrate(from:diff(to))(options))
end

-- --- whole disks -----------------------------------------------------------

---A layout named "spec", of one region "us" and an even split if nothing else is said.
function M.layout(epoch, shards, how, regions)
  return tidal.cluster {
    name = "spec", epoch = epoch, regions = regions or { "us" }, shards = shards,
    routing = how or tidal.routing.even(), leaders = "all",
  }
end

---A disk whose directories are written under a layout, paths as region names; and what is live
---in each. Event i of region r has the number 1000 * r + i.
function M.written(from, count, options)
  local disk = tidal.sim.disk { seed = 1 }
  local before = {}
  for i, region in ipairs(from.regions) do
    M.write(disk:dir(region.name), from, i - 1, M.events(i * 1000, count), options)
    before[region.name] = M.live(disk:dir(region.name))
  end
  return disk, before
end

---{ [region] = directory } for regions as a layout has them.
function M.dirs(disk, regions)
  local out = {}
  for _, region in ipairs(regions) do out[region.name] = disk:dir(region.name) end
  return out
end

---Options of a migration, small enough for a crash at every call, with several laps and segments.
function M.settings(disk, regions, more)
  local out = { wal = M.dirs(disk, regions), lap_events = 7, slice_bytes = 60, rest_events = 3 }
  for key, value in pairs(more or {}) do out[key] = value end
  return out
end

---Faults of all directories of a layout.
---@param before { [string]: table } by region
function M.all_faults(disk, before, want)
  local out = {}
  for _, region in ipairs(want.regions) do
    for _, fault in ipairs(M.faults(disk:dir(region.name), before[region.name], want)) do
      out[#out + 1] = region.name .. ": " .. fault
    end
  end
  return out
end

return M
