-- What must be true before a migration begins; all that is not is said at
-- once, and nothing is changed.
local core = require "tidal.core"
local faults = require "tidal.faults"
local keys = require "tidal.cluster.keys"
local logs = require "tidal.plan.logs"
local place = require "tidal.migrate.place"
local record = require "tidal.migrate.record"
local suggest = require "tidal.suggest"

local M = {}

local ENOENT <const> = 2

-- --- the plan --------------------------------------------------------------

-- A region's number is in its logs: it stays.
local function check_regions(plan, found)
  local to = plan.to.regions
  for i, region in ipairs(plan.from.regions) do
    local there = plan.to:region(region.name)
    if there and there.id ~= region.id then
      found:add_format(region.name, "is r%d and would be r%d, and its logs "
        .. "say r%d: keep the order of the regions, add new ones behind them",
        region.id, there.id, region.id)
    elseif not there and to[i] and plan.from:region(to[i].name) then
      found:add_format(region.name, "goes, and %s would take its number r%d: "
        .. "only the last regions can go", to[i].name, region.id)
    end
  end
end

local function check_plan(plan, found)
  if plan.to.epoch <= plan.from.epoch then
    found:add_format("plan", "leads from epoch %d to epoch %d: the next "
      .. "layout takes epoch %d or higher", plan.from.epoch, plan.to.epoch,
      plan.from.epoch + 1)
  end
  local refusal = plan:check()
  if refusal then
    found:add_format("plan", "after step %d rule '%s' is broken: %s",
                     refusal.step, refusal.rule, refusal.why)
  end
  local back = plan:inverse(plan.to.epoch + 1)
  if back:inverse().to ~= back.from then
    found:add("plan", "its way back does not lead to where it began")
  end
  check_regions(plan, found)
end

-- --- the directories -------------------------------------------------------

local function check_names(places, dirs, found)
  local names, known = {}, {}
  for i, one in ipairs(places) do
    names[i], known[one.region] = one.region, true
    if one.dir == nil then
      found:add_format("wal." .. one.region, "is missing: every region's "
        .. "directory is needed, or events would be left behind")
    end
  end
  for _, name in ipairs(keys.sorted(dirs)) do
    if not known[name] then
      found:add_format("wal." .. name, "there is no such region%s",
                       suggest.unknown(name, names))
    end
  end
end

-- What a directory's published layout is, against the one planned from.
local function check_published(region, dir, task, found)
  local done, epoch = pcall(place.published, dir)
  if not done then
    found:add(region, logs.unread(region, dir, epoch) or tostring(epoch))
    return nil
  end
  if not epoch or epoch == task.from.epoch then return epoch end
  if epoch >= task.to.epoch then
    found:add_format(region, "epoch %d is published here already: the next "
      .. "layout takes epoch %d or higher", epoch, epoch + 1)
  else
    found:add_format(region, "epoch %d is published here, the plan begins at "
      .. "epoch %d: make it anew from what is there", epoch, task.from.epoch)
  end
end

-- Its logs are the region's own: new ones are made beside them.
local function check_logs(one, found)
  local reader <close>, err = core.wal.reader(one.dir)
  local fine = reader ~= nil
  if reader then
    fine, err = logs.check_region {
      reader = reader, region = { id = one.id, name = one.region },
    }
  end
  if not fine then found:add(one.region, tostring(err)) end
end

-- Nobody else has the directory, and its layout is the very one.
local function check_layout(one, task, epoch, found)
  if one.home then return end
  local home, err = core.wal.open(one.dir, {
    layout = epoch and task.from.text or nil,
  })
  if not home then
    found:add(one.region, tostring(err))
  else
    home:close()
  end
end

-- Whether the journal that a part belongs to says so: its end is noted there
-- first, and a crash may come before it is noted here.
local function main_is_over(part, dirs, epoch)
  local main = part and dirs[part.main]
  local read, journal = pcall(record.open, main, epoch, "read")
  if not read then return false end
  journal:close()
  return journal:is_over()
end

local function check_journal(one, epoch, task, dirs, found)
  local region, journal = one.region, record.open(one.dir, epoch, "read")
  local state, over = journal.state, journal:is_over()
  local empty = not state.begin and not state.part
  journal:close()
  over = over or main_is_over(state.part, dirs, epoch)
  if not over and not empty then
    found:add_format(region, "a migration to epoch %d is under way (%s): "
      .. "--resume goes on with it, --abort gives it up", epoch,
      record.name(epoch))
  elseif epoch >= task.to.epoch and not empty then
    found:add_format(region, "a migration to epoch %d was begun here, and "
      .. "an epoch is used once: take epoch %d", epoch, epoch + 1)
  end
end

local function check_journals(one, task, dirs, found)
  for _, epoch in ipairs(record.epochs(one.dir)) do
    local read, why = pcall(check_journal, one, epoch, task, dirs, found)
    if not read then found:add(one.region, tostring(why)) end
  end
end

-- The directory of a region that comes: it is not there, or it is empty.
local function check_new(one, found)
  local reader <close>, err = core.wal.reader(one.dir)
  if not reader then
    if err.sys ~= ENOENT then found:add(one.region, tostring(err)) end
  elseif #reader:shards() > 0 then
    found:add(one.region, "is a new region, and there are logs in its "
              .. "directory already")
  else
    local layouts <close> = assert(core.wal.layouts(reader))
    if #layouts:epochs() > 0 then
      found:add(one.region, "is a new region, and a layout is published in "
                .. "its directory already")
    end
  end
end

local function check_dir(one, task, dirs, found)
  local before = #found.list
  local epoch = check_published(one.region, one.dir, task, found)
  if #found.list > before then return end
  check_journals(one, task, dirs, found)
  check_logs(one, found)
  check_layout(one, task, epoch, found)
end

-- Two regions in one directory.
local function check_twice(places, found)
  local seen = {}
  for _, one in ipairs(places) do
    local dir = one.dir
    if type(dir) == "string" then dir = dir:gsub("/+$", "") end
    if dir and seen[dir] then
      found:add_format(one.region, "has the directory of %s: each region has "
                       .. "its own", seen[dir])
    end
    if dir then seen[dir] = one.region end
  end
end

---Raises an error with every reason why this migration cannot begin.
---@param plan table tidal.Diff
---@param dirs { [string]: any } by region
---@param task table what init.lua made of them
function M.begin(plan, dirs, task)
  local found = faults.new()
  check_plan(plan, found)
  check_names(task.places, dirs, found)
  check_twice(task.places, found)
  for _, one in ipairs(task.places) do
    if one.dir ~= nil and one.kind == "comes" then
      check_new(one, found)
    elseif one.dir ~= nil then
      check_dir(one, task, dirs, found)
    end
  end
  if found:any() then found:raise "migration" end
end

return M
