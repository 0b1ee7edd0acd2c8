-- Plans calculate: each of these gives another plan, checked like the first.
--
--   plan:inverse([epoch])   from to back to from: exactly, which undoes what
--                           was not published; with an epoch, as a change of
--                           its own that leads to that epoch
--   p .. q                  both as one plan; q begins where p ends
--   plan:rebase(layout)     the same changes on a layout that has changed
--   plan:repaired()         in the order that check() found to break no rule
--   plan:least()            to other boundaries that give each shard as many
--                           keys and move no more than the lower bound
--   plan:apply(layout)      the layout after the plan; tidal.apply
--
-- Parts of plans are in plan/parts.lua. These are the methods of
-- plan/diff.lua; `self` is a plan.
local carve = require "tidal.plan.carve"
local core = require "tidal.core"
local crossing = require "tidal.plan.crossing"
local draft = require "tidal.plan.draft"
local extent = require "tidal.plan.extent"
local layouts = require "tidal.cluster.layout"
local steps = require "tidal.plan.steps"
local tables = require "tidal.plan.tables"

local M = {}

local RANGES_MAX <const> = 65536  -- of a table

local function diff()
  return require "tidal.plan.diff"
end

local function refuse(code, form, ...)
  error(core.error { code = code, message = form:format(...) }, 0)
end

-- --- apply ---------------------------------------------------------------

---The layout that this plan makes of the one it is for.
---@param layout table
---@return table layout
function M.apply(self, layout)
  local fields = diff().fields(self)
  if fields.region then
    refuse("part", "this is %s's part of a plan: apply the whole",
           fields.region)
  elseif layout ~= fields.from then
    require "tidal.plan.stale".raise(self, layout)
  end
  local refusal = self:check()
  if refusal then
    refuse("rule", "the plan is refused: after step %d of %d rule '%s' is "
           .. "broken: %s", refusal.step, #fields.steps, refusal.rule,
           refusal.why)
  end
  local last
  for _, state in self:states() do last = state end
  assert(last == fields.to, "the steps lead to the layout")
  return last
end

-- --- there and back ------------------------------------------------------

---@param epoch? integer
function M.inverse(self, epoch)
  local fields = diff().fields(self)
  if epoch then
    return diff().new(fields.to, draft.at_epoch(fields.from, epoch))
  end
  local back, list = {}, fields.steps
  for i = #list, 1, -1 do back[#back + 1] = steps.inverse(list[i]) end
  return diff().between(fields.to, fields.from, back)
end

---@param other table a plan
function M.__concat(self, other)
  if not diff().is(self) or not diff().is(other) then
    error("a plan .. a plan expected", 2)
  end
  if self.to ~= other.from then
    refuse("diff", "plans do not meet: the first leads to epoch %d (%s), the "
           .. "second begins at epoch %d (%s)", self.to.epoch, self.to:hash(),
           other.from.epoch, other.from:hash())
  end
  return diff().between(self.from, other.to)
end

---Itself where no rule is broken; nil where no other order was found.
function M.repaired(self)
  local refusal = self:check()
  if not refusal then return self end
  if not refusal.repair then return nil end
  local list = {}
  for i, step in ipairs(refusal.repair.steps) do list[i] = step end
  return diff().with(self, { steps = list })
end

---True if there can be a least(): both layouts have ranges of one strategy.
function M.has_least(self)
  local from, to = self.from, self.to
  return from:has_ranges()
     and from.router:strategy() == to.router:strategy()
end

---Nil where has_least() is not true. Raises where it takes too many ranges.
function M.least(self)
  if not self:has_least() then return nil end
  local from, to = self.from, self.to
  local t = tables.of(from)
  local before, after = crossing.owned(from), crossing.owned(to)
  local away, room = {}, {}
  for s = 0, math.max(from.shards, to.shards) - 1 do
    local had, has = before[s] or extent.none, after[s] or extent.none
    if has < had then away[s] = had - has end
    if had < has then room[s] = has - had end
  end
  local now = draft.new(to)
  now.routing = carve.carve(t, away, room, carve.keys)
  now.moves = {}
  if #now.routing.firsts > RANGES_MAX then
    refuse("diff", "to move the least the table would have %d ranges, at "
           .. "most %d are possible", #now.routing.firsts, RANGES_MAX)
  end
  return diff().new(from, now:layout(to.rules))
end

---@param layout table
function M.rebase(self, layout)
  if not layouts.is(layout) then
    error("plan:rebase(layout): a layout expected", 2)
  end
  return require "tidal.plan.stale".rebase(self, layout)
end

return M
