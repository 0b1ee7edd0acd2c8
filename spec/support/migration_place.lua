-- One directory of a migration on a simulated disk, with its journal, from two
-- shards to three.
local core = require "tidal.core"
local place = require "tidal.migrate.place"
local record = require "tidal.migrate.record"
local scene = dofile "spec/support/migration.lua"
local tidal = require "tidal"

local M = {}

function M.layout(epoch, shards)
  return tidal.cluster { name = "spec", epoch = epoch, regions = { "us" }, shards = shards,
                         routing = tidal.routing.hash(), leaders = "all" }
end

local FROM <const>, TO <const> = M.layout(1, 2), M.layout(2, 3)
local EVENTS <const> = 40
M.FROM, M.TO, M.EVENTS = FROM, TO, EVENTS

function M.part(one) return { epoch = one.epoch, hash = one:hash(), text = one:text() } end

local TASK <const> = { name = "spec", from = M.part(FROM), to = M.part(TO),
                       places = { { region = "us", id = 0, kind = "stays" } } }
M.TASK = TASK
local SMALL <const> = { lap_events = 6, slice_bytes = 50, rest_events = 4 }
M.SMALL = SMALL

function M.written()
  local disk = tidal.sim.disk { seed = 1 }
  scene.write(disk:dir "us", FROM, 0, scene.events(1, EVENTS), { segment_bytes = 4096 })
  return disk, scene.live(disk:dir "us")
end

-- The place over a directory whose journal is open; begun if it is not.
function M.open(disk, more, options)
  local given = { region = "us", id = 0, kind = "stays", dir = disk:dir "us" }
  for key, value in pairs(more or {}) do given[key] = value end
  local one = place.new(given, TASK, options or SMALL)
  one.journal = record.open(given.dir, 2, "create")
  if not one.journal.state.begin then one.journal:note(record.begin(TASK)) end
  return one
end

function M.shut(one)
  one:close()
  one.journal:close()
end

-- A step, all of it or so many pieces. Gives how many there were.
function M.run(one, name, most)
  local work = coroutine.wrap(function() one[name](one) return "done" end)
  for piece = 1, most or math.huge do
    if work() == "done" then return piece end
  end
  return most
end

function M.all(one)
  for _, name in ipairs { "copy", "verify", "cut_over" } do M.run(one, name) end
end

function M.lines(disk)
  local journal <close>, list = core.wal.journal(disk:dir "us", record.name(2))
  assert(journal, list)
  local out = {}
  for i, line in ipairs(list) do out[i] = line:match '"step":"(%a+)"' end
  return out
end

-- From what is on disk to the end.
function M.finish(disk, before)
  local one = M.open(disk)
  M.all(one)
  M.shut(one)
  local faults = scene.faults(disk:dir "us", before, TO)
  if scene.epoch(disk:dir "us") ~= TO.epoch then table.insert(faults, 1, "not published") end
  if #faults > 0 then error(table.concat(faults, "\n"), 2) end
end

return M
