-- What is to be done, as the journal and the places need it: from and to =
-- { epoch, hash, text }, and the regions with their directories.
local core = require "tidal.core"

local M = {}

local function fail(code, form, ...)
  error(core.error { code = code, message = form:format(...) }, 0)
end

-- What the journal and the places need to know, without the layouts.
local function layout_part(layout)
  return { epoch = layout.epoch, hash = layout:hash(), text = layout:text() }
end

---A region's directory: a path, a tidal.SimDir, or { dir =, home = } with a
---home that is open already, for who writes meanwhile.
---@param region { name: string, id: integer }
---@param given any of options.wal
---@param kind "stays"|"comes"|"goes"
function M.place(region, given, kind)
  local home = type(given) == "table" and given.home or nil
  return { region = region.name, id = region.id, home = home, kind = kind,
           dir = type(given) == "table" and given.dir or given }
end

-- The regions of both layouts, those that stay first: a region is its number,
-- which its logs bear.
local function regions_of(plan)
  local out, before, after = {}, plan.from.regions, plan.to.regions
  for i, region in ipairs(after) do
    out[#out + 1] = { region = region, kind = before[i] and "stays"
                      or "comes" }
  end
  for i = #after + 1, #before do
    out[#out + 1] = { region = before[i], kind = "goes" }
  end
  return out
end

---The directories of options.wal alone.
function M.dirs(wal)
  local dirs = {}
  for region, given in pairs(wal) do
    dirs[region] = type(given) == "table" and given.dir or given
  end
  return dirs
end

---The task of a plan.
---@param plan table tidal.Diff
---@param wal table of options
function M.of_plan(plan, wal)
  local places = {}
  for i, one in ipairs(regions_of(plan)) do
    places[i] = M.place(one.region, wal[one.region.name], one.kind)
  end
  return { name = plan.to.name, from = layout_part(plan.from),
           to = layout_part(plan.to), places = places }
end

---The task that a journal's first line names.
---@param begin table
---@param wal table of options
function M.of_journal(begin, wal)
  local places = {}
  for i, region in ipairs(begin.regions) do
    local given = wal[region.region]
    if given == nil then
      fail("migration", "wal.%s: is missing: the migration that is under way "
           .. "has this region, too", region.region)
    end
    places[i] = M.place({ name = region.region, id = region.id }, given,
                         region.kind)
  end
  for region in pairs(wal) do
    local known = false
    for _, one in ipairs(places) do known = known or one.region == region end
    if not known then
      fail("migration", "wal.%s: is not a region of the migration that is "
           .. "under way", region)
    end
  end
  return { name = begin.name, from = begin.from, to = begin.to,
           places = places }
end

return M
