-- Why an id is on its shard.
--
-- answer = { layout =, id =, key = id or its hash, strategy =, shard =,
--   modulus = of hash, range = { first =, last =, line = } or nil, below =,
--   above = { shard =, first =, last =, line = } or nil, leader = region id
--   or nil where all lead, choices = { { region =, rule =, why =, line = },
--   ... } other regions as leader, rule nil where nothing is in the way,
--   untold = regions that were not asked for, rules = { { name =, ok =, why
--   =, line = }, ... }, file = }
local core = require "tidal.core"
local json = require "tidal.json"
local places = require "tidal.cluster.places"
local plan_json = require "tidal.plan.json"
local probe = require "tidal.inspect.probe"
local rules = require "tidal.rules"

local M = {}

local CHOICES_MAX <const> = 8  -- regions whose lead is tried

local ult <const> = math.ult

---The number of the range that owns a key.
---@param ranges table[] of layout:ranges()
function M.find(ranges, key)
  local low, high = 1, #ranges
  while low < high do
    local middle = (low + high + 1) // 2
    if ult(key, ranges[middle].first) then high = middle - 1
    else low = middle end
  end
  return low
end

local function range_of(range, where)
  if not range then return nil end
  return { shard = range.shard.value, first = range.first, last = range.last,
           line = where:range(range) }
end

local function add_range(answer, where)
  local ranges = answer.layout:ranges()
  if not ranges then return end
  local i = M.find(ranges, answer.key)
  answer.range = range_of(ranges[i], where)
  answer.below = range_of(ranges[i - 1], where)
  answer.above = range_of(ranges[i + 1], where)
end

---Other regions as leader of a shard, those that lead least first.
---@return table[] choices, integer untold
function M.choices(layout, shard, where)
  local leader, order = layout.leaders[shard], {}
  for _, region in ipairs(layout.regions) do
    if region.id ~= leader then order[#order + 1] = region end
  end
  table.sort(order, function(a, b)
    local x, y = layout:leads(a.id), layout:leads(b.id)
    if x ~= y then return x < y end
    return a.id < b.id
  end)
  local out, source = {}, layout.regions[leader + 1].name
  for i = 1, math.min(#order, CHOICES_MAX) do
    local name = order[i].name
    local found = probe.broken(layout, { probe.lead(shard, source, name) })
                  or {}
    out[i] = { region = name, leads = layout:leads(order[i].id) + 1,
               rule = found.rule, why = found.why,
               line = found.number and where:rule(found.number) }
  end
  return out, #order - #out
end

local function judged(layout, where)
  local out = rules.judge(layout)
  for i, verdict in ipairs(out) do verdict.line = where:rule(i) end
  return out
end

---@param layout table
---@param id integer
---@return table answer
function M.id(layout, id)
  local where, strategy = places.of(layout), layout.router:strategy()
  local hashed = strategy == "hash" or strategy == "hash_ranges"
  local answer = {
    layout = layout, id = id, strategy = strategy, file = layout.file,
    key = hashed and core.hash(id) or id, shard = layout:route(id).value,
    modulus = strategy == "hash" and layout.router:num_shards() or nil,
    rules = judged(layout, where), choices = {}, untold = 0,
  }
  add_range(answer, where)
  if layout.leaders ~= "all" then
    answer.leader = layout.leaders[answer.shard]
    answer.choices, answer.untold = M.choices(layout, answer.shard, where)
  end
  return answer
end

local function range_json(range)
  if not range then return nil end
  return json.object {
    { "shard", range.shard }, { "first", core.u64.hex(range.first) },
    { "last", core.u64.hex(range.last) }, { "line", range.line },
  }
end

local function copies_json(answer)
  local out = {}
  for i, region in ipairs(answer.layout.regions) do
    out[i] = json.object {
      { "region", region.id }, { "name", region.name },
      { "role", answer.layout:role(region.id, answer.shard) },
    }
  end
  return json.list(out)
end

local function choices_json(choices)
  local out = {}
  for i, choice in ipairs(choices) do
    out[i] = json.object {
      { "region", choice.region }, { "allowed", choice.why == nil },
      { "rule", choice.rule }, { "why", choice.why },
      { "line", choice.line },
    }
  end
  return json.list(out)
end

---The answer as one JSON object.
function M.json(answer)
  return json.encode(json.object {
    { "format", "tidal-explain/1" }, { "name", answer.layout.name },
    { "epoch", answer.layout.epoch }, { "file", answer.file },
    { "id", core.u64.hex(answer.id) }, { "key", core.u64.hex(answer.key) },
    { "strategy", answer.strategy }, { "shard", answer.shard },
    { "num_shards", answer.modulus },
    { "range", range_json(answer.range) },
    { "below", range_json(answer.below) },
    { "above", range_json(answer.above) },
    { "copies", copies_json(answer) },
    { "leaders", choices_json(answer.choices) },
    { "rules", plan_json.verdicts(answer.rules) },
  })
end

return M
