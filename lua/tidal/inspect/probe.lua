-- What the rules would say if a step were taken.
local draft = require "tidal.plan.draft"
local rules = require "tidal.rules"
local steps = require "tidal.plan.steps"

local M = {}

---The layout after the steps; nil and why where one cannot be taken.
---@param layout table
---@param list table[] of plan/steps.lua
function M.after(layout, list)
  local now = draft.new(layout)
  for _, step in ipairs(list) do
    local done, why = steps.take(now, step)
    if not done then return nil, why end
  end
  return now:layout(layout.rules)
end

---The first rule that is broken after the steps, or nil.
---@return { rule: string, why: string, number: integer }?
function M.broken(layout, list)
  local after, bad = M.after(layout, list)
  if not after then return { why = bad } end
  for i, verdict in ipairs(rules.judge(after)) do
    if not verdict.ok then
      return { rule = verdict.name, why = verdict.why, number = i }
    end
  end
end

---The step that makes another region lead a shard.
function M.lead(shard, source, target)
  return { kind = "leader", first = shard, last = shard, source = source,
           target = target }
end

return M
