-- What a person would call the difference of two layouts, from its steps:
--
--   { kind = "split" | "merge" | "move", source =, target =, and with ranges
--     first =, last =, share = }
--   { kind = "renumber_region", region =, source =, target = }   numbers
--   and the steps that are not moves, as they are (plan/steps.lua).
--
-- Keys that go to a shard that owned nothing are split off their source, if
-- that keeps some; keys of a shard that is left with nothing are merged into
-- their target, if that owned some; all others move.
local M = {}

local function kind_of(move, before, after)
  local keeps, owned = after[move.source], before[move.target]
  if keeps and not owned then return "split" end
  if not keeps and owned then return "merge" end
  return "move"
end

---Regions of both layouts that get another number: their logs are named by
---it. A list of { kind =, region = new name, old = old name, source =,
---target = }.
function M.renumbered(from, to, steps)
  local out, renamed = {}, {}
  for _, step in ipairs(steps) do
    if step.kind == "rename_region" then renamed[step.region] = step.to end
  end
  for _, region in ipairs(from.regions) do
    local name = renamed[region.name] or region.name
    local now = to:region(name)
    if now and now.id ~= region.id then
      out[#out + 1] = { kind = "renumber_region", region = name,
                        old = region.name, source = region.id,
                        target = now.id }
    end
  end
  return out
end

---@param from table
---@param to table
---@param steps table[]
---@param before { [integer]: any } what each shard owns in from; nil: nothing
---@param after { [integer]: any } and in to
---@return table[] changes
function M.of(from, to, steps, before, after)
  local out = {}
  for i, step in ipairs(steps) do
    out[i] = step
    if step.kind == "move" then
      out[i] = {
        kind = kind_of(step, before, after), first = step.first,
        last = step.last, source = step.source, target = step.target,
        share = step.share,
      }
    end
  end
  local renumbered = M.renumbered(from, to, steps)
  return table.move(renumbered, 1, #renumbered, #out + 1, out)
end

return M
