-- tidal.migrate: from one layout to the next, with the events.
--
--   local m = tidal.migrate(before:diff(after)) {
--     wal = { ["us-east"] = "data/us", ["eu-west"] = "data/eu" },
--     rate = "30MB/s",      all together; also node_rate, of each region's
--   }                       directory, and link_rate, between two of them
--   m:run()          to the end; or step by step:
--   m:begin()
--   for _, step in ipairs(m.steps) do step:run() end
--
-- The story. In each region's directory, with writers going on:
--   copy     what the next layout routes elsewhere goes to its new log, dead
--            until that layout is published; in laps, until little is left
--   verify   what arrived is read, counted and summed
--   cut over writers are held; the rest is copied and verified; cuts; the
--            layout is published. One region after the other
-- Then, where regions come or go:
--   open     a region that comes is put under the next layout, and
--   hand over  gets the logs of all others, as they lie there; the logs of one
--            that goes are handed to the first of those that stay
-- and the migration is finished. With retire = true,
--   retire   segments at the front of a log in which no event counts any more
--            go to retired/: who follows that log from there begins anew
-- Regions do not exchange events, so each directory commits by itself, in one
-- rename.
--
-- Every step is journalled before it is taken (record.lua). Whatever happens,
--   tidal.migrate.resume{ wal = ... }   goes on, to the new layout, and
--   tidal.migrate.abort{ wal = ... }    gives up, to the old one: until the
--                                       first directory is published
-- and tidal.migrate.status{ wal = ... } says where it is.
--
-- A step is a value: name, region, says (a sentence), back (how it is undone);
-- :ready() -> true | nil, why; :slice() -> bytes read, or nil when it is done;
-- :run() for all of it. Steps of one name may be sliced in turns.
local history = require "tidal.migrate.history"
local migration = require "tidal.migrate.migration"
local tasks = require "tidal.migrate.task"

local M = {}

M.resume, M.abort, M.status = history.resume, history.abort, history.status
M.finished = history.finished

local function from_plan(plan, options)
  options = migration.check_options(options)
  local self = migration.new(tasks.of_plan(plan, options.wal), options)
  self.plan, self.dirs = plan, tasks.dirs(options.wal)
  return self
end

return setmetatable(M, {
  __call = function(_, plan)
    if not require "tidal.plan.diff".is(plan) then
      error("tidal.migrate(plan): what from:diff(to) gives expected", 2)
    end
    return function(options) return from_plan(plan, options) end
  end,
})
