-- What a person would call the difference of two layouts, from its steps:
--
--   { kind = "split" | "merge" | "move", source =, target =, and with ranges
--     first =, last =, share = }
--   and the steps that are not moves, as they are (cluster/steps.lua).
--
-- Keys that go to a shard that owned nothing are split off their source, if
-- that keeps some; keys of a shard that is left with nothing are merged into
-- their target, if that owned some; all others move.
local crossing = require "tidal.cluster.crossing"

local M = {}

local function kind_of(move, before, after)
  local keeps, owned = after[move.source], before[move.target]
  if keeps and not owned then return "split" end
  if not keeps and owned then return "merge" end
  return "move"
end

---@param from table
---@param to table
---@param steps table[]
---@return table[] changes
function M.of(from, to, steps)
  local out, before, after = {}, nil, nil
  for i, step in ipairs(steps) do
    out[i] = step
    if step.kind == "move" then
      before = before or crossing.owned(from)
      after = after or crossing.owned(to)
      out[i] = {
        kind = kind_of(step, before, after), first = step.first,
        last = step.last, source = step.source, target = step.target,
        share = step.share,
      }
    end
  end
  return out
end

return M
