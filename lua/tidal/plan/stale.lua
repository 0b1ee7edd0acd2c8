-- A plan and a layout that is not the one it was made for: what changed
-- since, which steps still can be taken, and the plan on the new ground.
local core = require "tidal.core"
local draft = require "tidal.plan.draft"
local steps = require "tidal.plan.steps"
local tables = require "tidal.plan.tables"

local M = {}

local CHANGES_SHOWN <const> = 6

local function diff()
  return require "tidal.plan.diff"
end

-- Whether a step has been taken already, by others.
local DONE <const> = {
  rename_region = function(now, step)
    return now:region(step.to) and not now:region(step.region)
  end,
  add_region = function(now, step) return now:region(step.region) end,
  remove_region = function(now, step) return not now:region(step.region) end,
  add_shard = function(now, step) return now.shards == step.last + 1 end,
  remove_shard = function(now, step) return now.shards == step.first end,
  leader = function(now, step)
    local mark = now:region(step.target)
    if now.leaders == "all" or not mark then return false end
    for s = step.first, step.last do
      if now.leaders[s] ~= mark then return false end
    end
    return true
  end,
  leaders = function(now, step)
    return step.target == "all" and now.leaders == "all"
  end,
}

-- Who owns all of a move's keys: a shard, or nil and why not.
local function owner_of(t, step)
  if t.n then return nil, "ids are hashed, there are no ranges" end
  local i = tables.find(t, step.first)
  if math.ult(tables.last(t, i), step.last) then
    return nil, "its keys have several owners now"
  end
  return t.owners[i]
end

-- "" when the move can be made, nil when it is made already, or why neither.
local function state_of_move(t, step)
  local owner, why = owner_of(t, step)
  if owner == step.source then return "" end
  if owner == step.target then return nil end
  return why or ("its keys belong to s%d now"):format(owner)
end

-- Steps are taken in order; those that are done already are passed over.
-- Gives the draft, how many were taken or done, and { step =, why = } of each
-- that cannot be.
local function take_all(plan, layout)
  local now, done, misfits = draft.new(layout), 0, {}
  local t = tables.of(layout) or { n = layout.shards }
  for i, step in ipairs(plan.steps) do
    local fits, why = true, nil
    if step.kind == "move" then
      why = state_of_move(t, step)
      fits = why == "" or why == nil
      if why == "" then fits, why = steps.take(now, step) end
    elseif step.kind ~= "epoch"
           and not (DONE[step.kind] and DONE[step.kind](now, step)) then
      fits, why = steps.take(now, step)
      if step.kind == "strategy" and fits then t = now.routing end
    end
    if fits then done = done + 1
    else misfits[#misfits + 1] = { step = i, why = why } end
  end
  return now, done, misfits
end

local function shown(layout)
  return ("%s, epoch %d"):format(layout:hash():sub(1, 8), layout.epoch)
end

-- What changed between two layouts, in words.
local function changes_text(from, to)
  if from.name ~= to.name then
    return ("that one is called %s, this one %s"):format(from.name, to.name)
  end
  local out, plan = {}, diff().between(from, to)
  for i, change in ipairs(plan.changes) do
    if i > CHANGES_SHOWN then
      out[i] = ("and %d more"):format(#plan.changes - CHANGES_SHOWN)
      break
    end
    out[i] = require "tidal.render.words".of(change)
  end
  return table.concat(out, "; ")
end

local function misfits_text(plan, misfits)
  local out = {}
  for i, misfit in ipairs(misfits) do
    if i > CHANGES_SHOWN then
      out[i] = ("and %d more"):format(#misfits - CHANGES_SHOWN)
      break
    end
    out[i] = ("step %d (%s) does not fit: %s"):format(
      misfit.step, require "tidal.render.words".of(plan.steps[misfit.step]),
      misfit.why)
  end
  return table.concat(out, "\n  ")
end

---Raises that a plan is for another layout: what changed, what still fits.
---@param plan table
---@param layout table
---@param file? string name of the plan
function M.raise(plan, layout, file)
  local _, done, misfits = take_all(plan, layout)
  local fits = layout == plan.to and "it is what the plan leads to: nothing "
    .. "is left to do" or #misfits == 0
    and "every step still fits: make the plan anew, or rebase it"
    or ("%d of %d steps still fit; %s"):format(done, #plan.steps,
                                               misfits_text(plan, misfits))
  error(core.error {
    code = "stale",
    message = ("%s was made for layout %s, this is %s\n  changed since: %s"
               .. "\n  %s"):format(file or "the plan", shown(plan.from),
                                   shown(layout),
                                   changes_text(plan.from, layout), fits),
  }, 0)
end

---The plan's changes on another layout, or an error that names the steps that
---do not fit there.
---@param plan table
---@param layout table
---@return table plan
function M.rebase(plan, layout)
  if layout.name ~= plan.from.name then M.raise(plan, layout) end
  local now, _, misfits = take_all(plan, layout)
  if #misfits > 0 then
    error(core.error {
      code = "stale",
      message = ("the plan cannot be rebased on layout %s:\n  %s"):format(
        shown(layout), misfits_text(plan, misfits)),
    }, 0)
  end
  now.epoch, now.given = math.max(plan.to.epoch, layout.epoch + 1), plan.to
  local to = now:layout(plan.to.rules)
  local rebased = layout:diff(to)
  local done_already = #plan.steps > 1 and #rebased.steps == 1
  return done_already and layout:diff(layout) or rebased
end

return M
