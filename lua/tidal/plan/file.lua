-- A .plan file: the JSON of a plan, read back. It is bound to the hashes of
-- the two layouts it was made for, and holds its steps in their order.
--
-- What is read is built up anew and compared with what the file says: a file
-- that was changed by hand is refused. Rules are functions, of which it holds
-- the names and the answers they gave: the layout it leads to brings them.
local core = require "tidal.core"
local faults = require "tidal.faults"
local json = require "tidal.json"

local M = {}

local SHARD_LAST <const> = 65535
local FORMATS <const> = { ["tidal-diff/1"] = true, ["tidal-plan/1"] = true }

local function refuse(path, form, ...)
  error(core.error { code = "plan", message = path .. ": "
                     .. form:format(...) }, 0)
end

local function read_ids(list)
  for _, range in ipairs(list) do
    range.first = core.u64.parse(range.first)
    range.last = core.u64.parse(range.last)
  end
end

-- A routing of the layout's file as a script would write it.
local function routing_of(routing)
  local make = require "tidal.routing"
  if routing.strategy == "ranges" or routing.strategy == "hash_ranges" then
    read_ids(routing.ranges)
    return make[routing.strategy](routing.ranges)
  end
  return make[routing.strategy]()
end

local function is_shard(value)
  return math.type(value) == "integer" and value >= 0 and value <= SHARD_LAST
end

-- A file may say of a run that it has any number of shards.
local function check_shards(run)
  if is_shard(run.first) and is_shard(run.last) then return end
  error(("shards %s to %s: they are numbers from 0 to %d"):format(
    faults.shown(run.first), faults.shown(run.last), SHARD_LAST), 0)
end

local function leaders_of(runs)
  if runs == "all" then return runs end
  local out = {}
  for _, run in ipairs(runs) do
    check_shards(run)
    for s = run.first, run.last do out[s] = run.leader end
  end
  return out
end

-- The layout that a plan holds; raises what is wrong with it.
local function layout_of(held)
  local given, names = held.layout, {}
  for i, region in ipairs(given.regions) do names[i] = region.name end
  local made = require "tidal.cluster" {
    name = given.name, epoch = given.epoch, regions = names,
    shards = given.routing.num_shards, routing = routing_of(given.routing),
    leaders = leaders_of(held.leaders),
  }
  assert(made:hash() == held.layout_hash, "its hash is another one")
  return made
end

-- Steps as they were, ids as numbers.
local function steps_of(list)
  for _, step in ipairs(list) do
    if step.kind == "move" then
      read_ids { step }
    elseif step.kind == "strategy" then
      read_ids(step.source.ranges or {})
      read_ids(step.target.ranges or {})
    elseif step.first ~= nil then
      check_shards(step)
    end
  end
  return list
end

-- The moves of a plan carry their share: they are the same tables as steps.
local function with_shares(steps, moves)
  local share = {}
  for _, move in ipairs(moves) do
    if move.first then share[move.first] = move.share end
  end
  for _, step in ipairs(steps) do
    if step.kind == "move" then step.share = share[step.first] end
  end
  return steps
end

local function built(path, value)
  local from, to = layout_of(value.from), layout_of(value.to)
  local diff = require "tidal.plan.diff"
  local plan = diff.new(from, to)
  local steps = steps_of(value.steps)
  plan = diff.with(plan, { steps = with_shares(steps, plan.moves),
                           file = path })
  local last
  for _, state in plan:states { [#steps] = true } do last = state end
  assert(last == to, "its steps do not lead to its second layout")
  assert(#plan.moves == #value.moves,
         "its moves are not those between its layouts")
  return plan
end

local function list_of(value)
  return type(value) == "table" and value or {}
end

-- The names of its rules, all of which held when it was written; raises if
-- not.
local function names_of_rules(path, value)
  local refused, names = value.refused, {}
  if type(refused) == "table" then
    refuse(path, "was refused when it was written, after step %s by rule "
           .. "'%s': %s", refused.step, refused.rule, refused.why)
  end
  for i, rule in ipairs(list_of(value.rules)) do
    local name = type(rule) == "table" and rule.name
    if type(name) ~= "string" then
      refuse(path, "was changed since it was written: rule %d has no name", i)
    end
    names[i] = name
  end
  return names
end

-- A layout of this moment in the place of the one that was held, so that its
-- rules are there.
local function placed(plan, key, value)
  return require "tidal.plan.diff".with(plan, { [key] = value })
end

---Reads a plan.
---@param path string
---@param from? table the layout that is to be changed: must be the plan's
---@param to? table the layout that is wanted, with its rules: must be too.
---  Without it plan.unasked names the rules
---@return table plan
function M.read(path, from, to)
  local file, why = io.open(path, "rb")
  if not file then error(core.error { code = "io", message = why }, 0) end
  local text = file:read "a"
  file:close()
  local fine, value = pcall(json.decode, text or "")
  if not fine or type(value) ~= "table" or not FORMATS[value.format] then
    refuse(path, "not a plan (a line of JSON that `tidal-lua plan LAYOUT "
           .. "--from OLD -o %s` writes)", path)
  elseif not value.steps then
    refuse(path, "a plan of one layout has no steps; make it with --from OLD")
  end
  value.nodes, value.shards, value.changes = nil, nil, nil  -- told again
  local ok, plan = pcall(built, path, value)
  if not ok then
    refuse(path, "was changed since it was written: %s",
           (tostring(plan):gsub("^[^\n]-%.lua:%d+: ", "")))
  end
  if from and from ~= plan.from then
    require "tidal.plan.stale".raise(plan, from, path)
  elseif to and to ~= plan.to then
    refuse(path, "leads to epoch %d (%s), not to epoch %d (%s) of %s",
           plan.to.epoch, plan.to:hash():sub(1, 8), to.epoch,
           to:hash():sub(1, 8), to.file or to.name)
  end
  if from then plan = placed(plan, "from", from) end
  if to then return placed(plan, "to", to) end
  local names = names_of_rules(path, value)
  return names[1] and placed(plan, "unasked", names) or plan
end

return M
