-- What is printed of a migration.
local amount = require "tidal.amount"
local terminal = require "tidal.render.terminal"

local M = {}

local function heading(task)
  return ("%s: epoch %d to epoch %d"):format(task.name, task.from.epoch,
                                             task.to.epoch)
end

---The steps of a migration that was not begun, and what they cost.
---@param migration table
---@param plan table weighed
function M.plan(migration, plan)
  local rows = {}
  local by_region = {}
  for _, region in ipairs(plan.price.regions) do
    by_region[region.region] = region
  end
  for i, step in ipairs(migration.steps) do
    local says = step.says
    local price = step.name == "copy" and by_region[step.region]
    if price then
      says = ("%s, %s: %s"):format(terminal.count(price.events, "event"),
                                   amount.bytes(price.bytes), says)
    end
    rows[i] = { tostring(i), tostring(step), says }
  end
  return table.concat({
    heading(migration.task), "",
    terminal.columns(rows, { indent = "  ", right = { [1] = true } }), "",
    "nothing was changed; --apply does it",
  }, "\n")
end

---One line of a step that is done.
function M.step(migration, step)
  local place = step.region and migration:place(step.region)
  local state = place and place:state()
  local note = ""
  if step.name == "copy" then
    note = (": %s in %s"):format(terminal.count(state.moved, "event"),
                                 terminal.count(state.laps, "lap"))
  elseif step.name == "cut over" and place.pause then
    note = (": writers waited %s"):format(
      amount.nanoseconds(place.pause * 1e9))
  end
  if step.name == "retire" then
    note = (": %s in retired/"):format(terminal.count(place.retired,
                                                      "segment"))
  end
  return ("done  %s%s"):format(tostring(step), note)
end

---The last line of one that is done.
function M.finished(migration)
  local events = 0
  for _, place in ipairs(migration.places) do
    events = events + place:state().moved
  end
  return ("%s: done, %s moved"):format(heading(migration.task),
                                       terminal.count(events, "event"))
end

---Of one that was finished before.
function M.already(migration)
  return heading(migration.task) .. ": finished already, nothing to do"
end

---@param status table of tidal.migrate.status
function M.status(status)
  local rows = {}
  for i, region in ipairs(status.regions) do
    rows[i] = { region.region, region.state,
                terminal.count(region.moved, "event") .. " moved" }
  end
  return ("%s: epoch %d to epoch %d: %s\n%s"):format(
    status.name, status.from, status.epoch, status.state,
    terminal.columns(rows, { indent = "  ", right = { [3] = true } }))
end

return M
