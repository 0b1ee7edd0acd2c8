-- A migration that was begun: going on with it, giving it up, where it is.
local core = require "tidal.core"
local json = require "tidal.json"
local logs = require "tidal.plan.logs"
local migration = require "tidal.migrate.migration"
local place = require "tidal.migrate.place"
local record = require "tidal.migrate.record"
local tasks = require "tidal.migrate.task"

local M = {}

local ENOENT <const> = 2

local function fail(code, form, ...)
  error(core.error { code = code, message = form:format(...) }, 0)
end

-- The last migration that was begun in a directory: its epoch, and whether
-- the journal itself is there; nil where there is none.
local function last_of(region, dir)
  local done, epochs = pcall(record.epochs, dir)
  if not done and epochs.sys == ENOENT then return nil end
  if not done then fail("io", "%s", logs.told(region, dir, epochs)) end
  for i = #epochs, 1, -1 do
    local journal = record.open(dir, epochs[i], "read")
    local begin, part = journal.state.begin, journal.state.part
    journal:close()
    if begin or part then return epochs[i], begin ~= nil end
  end
end

-- The region whose directory has the journal of the last migration, or nil;
-- its epoch.
local function find(dirs)
  local last, main
  for region, dir in pairs(dirs) do
    local epoch, whole = last_of(region, dir)
    if epoch and (not last or epoch > last) then last, main = epoch, nil end
    if epoch and epoch == last and whole then main = region end
  end
  return main, last
end

-- Directories that are part of a migration whose journal is not there.
local function refuse_part(dirs, epoch)
  for _, dir in pairs(dirs) do
    local done, journal = pcall(record.open, dir, epoch, "read")
    local part = done and journal.state.part
    if done then journal:close() end
    if part and dirs[part.main] then
      fail("corrupt", "%s=%s: the first line of %s is gone, which the "
           .. "migration to epoch %d lives by: restore it from a copy",
           part.main, tostring(dirs[part.main]), record.name(epoch), epoch)
    elseif part then
      fail("migration", "the journal of the migration to epoch %d is in %s's "
           .. "directory: give all regions", epoch, part.main)
    end
  end
  fail("migration", "no migration was begun here")
end

-- The migration of the last journal; mode as record.open.
local function load(options, mode)
  options = migration.check_options(options)
  local dirs = tasks.dirs(options.wal)
  local main, epoch = find(dirs)
  for region, dir in pairs(dirs) do
    local there, why = core.wal.migrations(dir)
    if not there and mode == "write" then
      fail("io", "%s", logs.told(region, dir, why))
    end
  end
  if not main then
    if not epoch then fail("migration", "no migration was begun here") end
    refuse_part(dirs, epoch)
  end
  local journal = record.open(dirs[main], epoch, mode)
  local done, task = pcall(tasks.of_journal, journal.state.begin, options.wal)
  if not done then
    journal:close()
    error(task, 0)
  end
  local self = migration.new(task, options)
  migration.attach(self, journal)
  return self
end

---Goes on with what was begun. A finished one has nothing to do.
---@param options { wal: table, rate: any, concurrency: integer? }
function M.resume(options)
  local self = load(options, "write")
  local state = self.journal.state
  if state.aborted then
    self:close()
    fail("migration", "the migration to epoch %d was aborted: begin a new one "
         .. "with a higher epoch", self.task.to.epoch)
  end
  if state.finished then
    self:note_end "finished"  -- perhaps not all directories were told
    for _, step in ipairs(self.steps) do step.done = step.name ~= "retire" end
  end
  return self
end

---Whether this very migration was finished before; nil where it was not.
---@param plan table
---@param dirs { [string]: any }
---@return table? migration closed
function M.finished(plan, dirs)
  local main, epoch = find(dirs)
  if not main or epoch ~= plan.to.epoch then return nil end
  local self = load({ wal = dirs }, "read")
  self:close()
  local same = self.task.to.hash == plan.to:hash()
           and self.task.from.hash == plan.from:hash()
  return same and self.journal.state.finished and self or nil
end

-- Where it is: by the journal, and the directories themselves.
local function published(self)
  local out = {}
  for _, one in ipairs(self.places) do
    if one.kind ~= "comes"
       and place.published(one.dir) == self.task.to.epoch then
      out[#out + 1] = one.region
    end
  end
  return out
end

local function give_up(self)
  local there = published(self)
  local epoch = self.task.to.epoch
  if #there > 0 then
    fail("migration", "epoch %d is published in %s and cannot be aborted.%s "
         .. "The way back is a migration to the old layout under epoch %d",
         epoch, table.concat(there, ", "), self.journal.state.finished and ""
         or " --resume goes on.", epoch + 1)
  end
  for _, one in ipairs(self.places) do
    local home, err = core.wal.open(one.dir)
    if not home then error(err, 0) end
    home:close()
  end
  self:note_end "aborted"
end

---Gives up what was begun, unless a directory is published: the old layout
---stays. Idempotent.
---@param options { wal: table }
---@return integer epoch that is used up
function M.abort(options)
  local self = load(options, "write")
  local done, why = pcall(give_up, self)
  self:close()
  if not done then error(why, 0) end
  return self.task.to.epoch
end

---Where the last migration is. Changes nothing.
---@param options { wal: table }
---@return table status { epoch, from, state = "running" | "finished" |
---  "aborted", regions = { { region, state, laps, moved }, ... } }
function M.status(options)
  local self = load(options, "read")
  local state = self.journal.state
  local there = {}
  for _, region in ipairs(published(self)) do there[region] = true end
  local regions = {}
  for i, one in ipairs(self.places) do
    local seen = one:state()
    regions[i] = {
      region = one.region, laps = seen.laps, moved = seen.moved,
      state = there[one.region] and "published"
              or seen.publish and "cutting over"
              or seen.laps > 0 and "copying" or "waiting",
    }
  end
  self:close()
  return {
    from = self.task.from.epoch, epoch = self.task.to.epoch,
    name = self.task.name, regions = json.list(regions),
    state = state.finished and "finished" or state.aborted and "aborted"
            or "running",
  }
end

return M
