-- A plan as JSON, and steps as JSON values: keys in a fixed order, ids as
-- 0x and 16 digits, counts as decimal text, shards as numbers.
--
-- diff --json is { format = "tidal-diff/1", name, from, to, changes, moves,
-- lower_bound, keys, share, exact, minimal, steps [, refused] [, price]
-- [, waves] [, rules] }; plan --from puts the same members, but for rules,
-- which it has, behind its own. from and to are { layout_hash,
-- layout = the object of the layout's file, leaders = "all" or a list of {
-- first, last, leader } by shards }.
local core = require "tidal.core"
local course = require "tidal.plan.course"
local json = require "tidal.json"

local M = {}

-- Forms of core.rows: numbers and fixed words have nothing to escape, names
-- of regions are letters, digits, '.', '_' and '-', and there may be many.
local ENDS_AND_SHARDS <const> = '"first":"0x%x(first)","last":"0x%x(last)",'
                             .. '"source":%d(source),"target":%d(target)'
local MOVE <const> = '{"kind":"%s(kind)",' .. ENDS_AND_SHARDS .. "}"
local SHARE <const> = ',"share":%g(share)}'
local KEYS <const> = "{" .. ENDS_AND_SHARDS .. SHARE
local RUN <const> = '{"first":%d(first),"last":%d(last),"leader":"%s(leader)"}'
local SHARDS <const> = '{"kind":"%s(kind)","first":%d(first),'
                    .. '"last":%d(last),"leader":"%s(leader)"}'
local LEADER <const> = '{"kind":"leader","first":%d(first),"last":%d(last),'
                    .. '"source":"%s(source)","target":"%s(target)"}'
local RANGE <const> = '{"shard":%d(shard),"first":"0x%x(first)",'
                   .. '"last":"0x%x(last)"}'

local function rows(list, form)
  return json.raw("[" .. core.rows(list, form) .. "]")
end

local function runs_json(value)
  if type(value) ~= "table" then return value end
  return rows(value, RUN)
end

local function routing_json(routing)
  return json.object {
    { "strategy", routing.strategy }, { "num_shards", routing.num_shards },
    { "ranges", routing.ranges and rows(routing.ranges, RANGE) },
  }
end

local ENDS <const> = {
  strategy = routing_json, leaders = runs_json, order_regions = json.list,
}

-- The form of steps and changes of which there may be many; nil for others.
local function form_of(step)
  if not step.first then return nil end
  if step.kind == "leader" then return LEADER end
  return step.leader and SHARDS or step.source and MOVE or nil
end

---A step or a change as a JSON value.
function M.step(step)
  local form = form_of(step)
  if form then return json.raw(core.rows({ step }, form)) end
  local ends = ENDS[step.kind] or function(value) return value end
  return json.object {
    { "kind", step.kind }, { "region", step.region }, { "to", step.to },
    { "at", step.at }, { "first", step.first }, { "last", step.last },
    { "leader", step.leader },
    step.source ~= nil and { "source", ends(step.source) },
    step.target ~= nil and { "target", ends(step.target) },
  }
end

---A list of them.
function M.steps(list)
  local out, i, count = {}, 1, #list
  while i <= count do
    local form, last = form_of(list[i]), i
    while form and last < count and form_of(list[last + 1]) == form do
      last = last + 1
    end
    out[#out + 1] = form and core.rows(list, form, i, last)
                 or json.encode(M.step(list[i]))
    i = last + 1
  end
  return json.raw("[" .. table.concat(out, ",") .. "]")
end

local function cost_json(cost)
  if not cost then return "" end
  return (',"bytes":"%s","events":"%s"'):format(core.u64.str(cost.bytes),
                                                core.u64.str(cost.events))
end

-- Moves with what each costs, when the plan was weighed.
local function moves_json(fields)
  local out, price = {}, fields.price
  if fields.space and not price then return rows(fields.moves, KEYS) end
  for i, move in ipairs(fields.moves) do
    local cost = cost_json(price and price.moves and price.moves[i])
    local share = core.rows({ move }, SHARE)
    if fields.space then
      out[i] = "{" .. core.rows({ move }, ENDS_AND_SHARDS) .. cost .. share
    else
      local keys = move.keys and (',"keys":"%s"'):format(tostring(move.keys))
      out[i] = ('{"source":%d,"target":%s%s'):format(
        move.source, move.target or "null", keys or "") .. cost .. share
    end
  end
  return json.raw("[" .. table.concat(out, ",") .. "]")
end

---A layout as a plan holds it.
function M.layout(layout)
  local line = layout:line()
  return json.object {
    { "layout_hash", core.checksum(line) },
    { "layout", json.raw((line:gsub("\n$", ""))) },
    { "leaders", runs_json(course.leaders_of(layout)) },
  }
end

local function bound_json(bound)
  return json.object {
    { "keys", tostring(bound.keys) }, { "share", bound.share },
    { "bytes", bound.bytes and core.u64.str(bound.bytes) },
  }
end

local function refusal_json(refusal)
  if not refusal then return nil end
  return json.object {
    { "step", refusal.step }, { "rule", refusal.rule },
    { "why", refusal.why }, { "steps", M.steps(refusal.steps) },
    { "repair", refusal.repair and refusal.repair.text },
  }
end

---What rules say, as a JSON value.
---@param verdicts table[] of tidal.rules.judge; a line where it is known
function M.verdicts(verdicts)
  local out = {}
  for i, rule in ipairs(verdicts) do
    out[i] = json.object {
      { "name", rule.name }, { "ok", rule.ok }, { "why", rule.why },
      { "line", rule.line },
    }
  end
  return json.list(out)
end

---What rules say of the layout that a plan leads to, as a member; nil if it
---has none. What was asked when it was written held then.
---@param verdicts table[] of tidal.rules.judge
---@param unasked? string[] of the plan
function M.rules(verdicts, unasked)
  local list = table.move(verdicts, 1, #verdicts, 1, {})
  for _, name in ipairs(unasked or {}) do
    list[#list + 1] = { name = name, ok = true }
  end
  return list[1] and { "rules", M.verdicts(list) }
end

local function price_json(price)
  return require "tidal.plan.price".json(price)
end

---What a plan adds to an object, as pairs.
---@param fields table of plan/diff.lua
---@param refusal? table of plan/judge.lua
---@return table[] members
function M.members(fields, refusal)
  return {
    { "from", M.layout(fields.from) },
    { "to", M.layout(fields.to) },
    { "changes", M.steps(fields.changes) },
    { "moves", moves_json(fields) },
    { "lower_bound", bound_json(fields.lower_bound) },
    { "keys", fields.keys and tostring(fields.keys) },
    { "share", fields.share },
    { "exact", fields.exact },
    { "minimal", fields.minimal },
    { "steps", M.steps(fields.steps) },
    { "refused", refusal_json(refusal) },
    fields.price and { "price", price_json(fields.price) },
    fields.schedule and { "waves", fields.schedule:json() },
  }
end

---The whole of a plan as one line.
function M.text(fields, refusal)
  local members = M.members(fields, refusal)
  table.insert(members, 1, { "format", "tidal-diff/1" })
  table.insert(members, 2, { "name", fields.to.name })
  table.insert(members, M.rules(require "tidal.rules".judge(fields.to),
                                fields.unasked))
  return json.encode(json.object(members))
end

return M
