-- A plan: what it takes to make one layout of another. A value, frozen.
--
--   local plan = from:diff(to)        raises where the two do not meet
--
--   from, to      layouts
--   changes       what a person would say (plan/changes.lua), list
--   steps         in order, each with an inverse (plan/steps.lua), list
--   moves         list. With plan.space ("ids" | "hashes"): { first =, last
--                 =, source =, target =, share = } by rising keys, and these
--                 are steps too. Without, where hash or a change of strategy
--                 moves single keys: { source =, target =, share =, keys = }
--                 by pair of shards; target nil where pairs are too many
--   keys          how many of the 2^64 keys change their shard: an extent
--                 (plan/extent.lua: tostring, + - < ==, :share()); nil
--                 where hashes meet ids, see exact
--   share         the same of 1.0
--   exact         false where share is what hashing is expected to do
--   lower_bound   { keys =, share = [, bytes =] }: see below
--   minimal       true if nothing that gives each shard the keys that `to`
--                 gives it, as many of them, moves less
--   price         what it costs, once weighed (plan/price.lua), else nil
--   unasked       names of rules that only their script can ask again, if it
--                 was read from a file without it (plan/file.lua)
--   schedule      waves of plan/waves.lua, after :in_waves{...}, else nil
--   region        the name of the one region it is about, after :only()
--
-- The bound. Any layout in which every shard owns as many keys as in `to` has
-- to bring each shard what it gains: sum over shards of max(0, keys in to -
-- keys in from). No plan to such a layout moves less, and neither does one to
-- `to` itself, which has to move exactly `keys`: a key that changes its shard
-- moves, whatever the steps. In bytes it is the same with the bytes that
-- shards hold.
--
-- Methods: :empty(), :check() -> what refuses it or nil, :states() -> layout
-- after each prefix of the steps, :weigh(dirs), :json(), :text(style), and
-- those of plan/algebra.lua (:apply() :inverse() .. :rebase() :repaired()
-- :least()), plan/parts.lua (:split() :only()) and plan/waves.lua
-- (:waves{}, and :in_waves{} for a plan that shows them).
local core = require "tidal.core"
local changes = require "tidal.plan.changes"
local course = require "tidal.plan.course"
local crossing = require "tidal.plan.crossing"
local extent = require "tidal.plan.extent"
local frozen = require "tidal.frozen"

local M = {}

local Diff = {}

local META <const> = { __name = "tidal.Diff", __metatable = "locked" }
local fields_of = setmetatable({}, { __mode = "k" })
local judged = setmetatable({}, { __mode = "k" })  -- { refusal =, stride = }

local RANGES_MAX <const> = 65536  -- of a table, also on the way

function META.__index(self, key)
  local method = Diff[key]
  if method ~= nil then return method end
  local value = fields_of[self][key]
  if type(value) ~= "table" or getmetatable(value) == "locked" then
    return value
  end
  return frozen.view(value, "plan")
end

function META.__newindex(_, key)
  frozen.refuse("plan", key)
end

function META.__tostring(self)
  return self:text()
end

-- From fields that belong to the plan now.
local function new(fields)
  local self = setmetatable({}, META)
  fields_of[self] = fields
  return self
end

---True for a plan.
function M.is(value)
  return type(value) == "table" and fields_of[value] ~= nil
end

---The fields themselves, for the modules that make plans of plans: not to be
---changed.
function M.fields(plan)
  return fields_of[plan]
end

---The same plan with other fields.
---@param plan table
---@param fields table
function M.with(plan, fields)
  local out = {}
  for key, value in next, fields_of[plan] do out[key] = value end
  for key, value in next, fields do out[key] = value end
  return new(out)
end

local function refuse(faults, from, to)
  if #faults == 0 then return end
  error(core.error {
    code = "diff",
    message = ("%s and %s do not meet: %s"):format(
      from.file or from.name, to.file or to.name,
      table.concat(faults, "; ")),
  }, 0)
end

-- What keeps two layouts from being compared.
local function check(from, to)
  local faults = {}
  if from.name ~= to.name then
    faults[1] = ("one is called %s, the other %s: a plan is for one cluster")
                :format(from.name, to.name)
  end
  if to.epoch <= from.epoch and from ~= to then
    faults[#faults + 1] = ("epoch %d does not follow epoch %d, but they "
      .. "differ: write epoch = %d"):format(to.epoch, from.epoch,
                                            from.epoch + 1)
  end
  refuse(faults, from, to)
end

---The least that must move for each shard to own as much as in `to`.
---@param before { [integer]: any } by shard: extents or numbers
---@param after { [integer]: any }
---@param shards integer
---@param none any what a shard owns that is not there
function M.gains(before, after, shards, none)
  local sum = none
  for s = 0, shards - 1 do
    local had, has = before[s] or none, after[s] or none
    if had < has then sum = sum + (has - had) end
  end
  return sum
end

local function least_keys(before, after, shards)
  local keys = M.gains(before, after, shards, extent.none)
  return { keys = keys, share = keys:share() }
end

---The plan from one layout to another, with steps of one's own (those of
---plan/course.lua by default).
---@param from table
---@param to table
---@param steps? table[]
function M.between(from, to, steps)
  local crossed = crossing.of(from, to)
  if (crossed.most or 0) > RANGES_MAX then
    refuse({ ("on the way the table would have %d ranges, at most %d are "
              .. "possible: go there by a layout between the two")
             :format(crossed.most, RANGES_MAX) }, from, to)
  end
  local taken = course.between(from, to, crossed)
  local before, after = crossing.owned(from), crossing.owned(to)
  local least = least_keys(before, after, to.shards)
  return new {
    from = from, to = to,
    changes = changes.of(from, to, taken, before, after),
    steps = steps or taken,
    moves = crossed.moves, space = crossed.space, keys = crossed.keys,
    share = crossed.share, exact = crossed.exact, listed = crossed.listed,
    lower_bound = least,
    minimal = crossed.exact and crossed.keys == least.keys,
  }
end

---The plan from one layout to another.
---@param from table
---@param to table
function M.new(from, to)
  local layout = require "tidal.cluster.layout"
  if not layout.is(from) or not layout.is(to) then
    error("layout:diff(to): two layouts expected", 3)
  end
  check(from, to)
  return M.between(from, to)
end

---True if the two layouts are the same.
function Diff:empty()
  return #fields_of[self].steps == 0
end

---What refuses the plan: the first step after which a rule is broken, or nil
---(plan/judge.lua).
---@return table? refusal, integer stride
function Diff:check()
  local found = judged[self]
  if not found then
    local refusal, stride = require "tidal.plan.judge".judge(fields_of[self])
    found = { refusal = refusal, stride = stride }
    judged[self] = found
  end
  return found.refusal and frozen.view(found.refusal, "plan"), found.stride
end

---The layout after each prefix of the steps, from none to all of them:
---`for i, layout, step in plan:states() do`.
---@param wanted? { [integer]: true } only after so many steps
function Diff:states(wanted)
  return require "tidal.plan.judge".states(fields_of[self], wanted)
end

---The same plan with its price, from the logs of the old layout's regions.
---@param dirs { [string]: string } directory by region name
---@param progress? fun(done: integer, total: integer) bytes
---@return table? plan, table? err
function Diff:weigh(dirs, progress)
  local fields = fields_of[self]
  local price, least, held = require "tidal.plan.price".of(fields, dirs,
                                                              progress)
  if not price then return nil, least end
  local load = { regions = held }  -- what rules about disks are asked with
  local bound = fields.lower_bound
  return M.with(self, {
    price = price, from = fields.from:with_load(load),
    to = fields.to:with_load(load),
    lower_bound = { keys = bound.keys, share = bound.share, bytes = least },
  })
end

---The plan as one JSON object (one line).
function Diff:json()
  return require "tidal.plan.json".text(fields_of[self],
                                                (self:check()))
end

---What another object of JSON holds of this plan, as pairs.
function Diff:json_members()
  return require "tidal.plan.json".members(fields_of[self],
                                                   (self:check()))
end

---The plan as text, as `tidal-lua diff` prints it.
---@param style? table of tidal.render.terminal; default plain
function Diff:text(style)
  return require "tidal.render.diff".text(self, fields_of[self], style)
end

for name, method in next, (require "tidal.plan.algebra") do
  if name:find "^__" then META[name] = method else Diff[name] = method end
end
for name, method in next, (require "tidal.plan.parts") do
  Diff[name] = method
end

Diff.waves = require "tidal.plan.waves".waves

---The plan with its waves, which its text, JSON and pictures show then.
---@param options table as for plan:waves
function Diff:in_waves(options)
  return M.with(self, { schedule = self:waves(options) })
end

return M
