-- A plan: what a layout means, node by node.
--
--   layout, plan:nodes() = { { region =, shard =, role =, log = "r0:s0" },
--   ... } in order of (region, shard), ranges (layout:ranges()), rules = {
--   { name =, ok =, why = }, ... }, losses = { { region =, copies =,
--   writable =, promote = }, ... } and, after plan:weigh(), load
--   (plan/weigh.lua)
--
-- Pure: reads the layout, changes nothing, asks nobody.
local json = require "tidal.json"
local loss = require "tidal.inspect.loss"
local rules = require "tidal.rules"
local weigh = require "tidal.plan.weigh"

local Plan = { __name = "tidal.Plan" }
Plan.__index = Plan

local M = {}

---True for a value that M.new made.
function M.is(value)
  return getmetatable(value) == Plan
end

---Every node, in order of (region, shard).
---@return table[] list of { region =, shard =, role =, log = "r0:s0" }
function Plan:nodes()
  local layout, out = self.layout, {}
  for _, region in ipairs(layout.regions) do
    for s = 0, layout.shards - 1 do
      out[#out + 1] = {
        region = region.id,
        shard = s,
        role = layout:role(region.id, s),
        log = ("r%d:s%d"):format(region.id, s),
      }
    end
  end
  return out
end

---@param layout table of tidal.cluster{...}
function M.new(layout)
  local losses = {}
  for i, region in ipairs(layout.regions) do
    losses[i] = loss.count(layout, { region.id })
    losses[i].region = region.id
  end
  return setmetatable({
    layout = layout,
    hash = layout:hash(),
    ranges = layout:ranges(),
    rules = rules.judge(layout),
    losses = losses,
  }, Plan)
end

---True if no rule is broken.
function Plan:ok()
  for _, rule in ipairs(self.rules) do
    if not rule.ok then return false end
  end
  return true
end

---Adds the load that write-ahead logs show (plan/weigh.lua), and asks
---the rules again, which may depend on it.
---@param dirs { [string]: string } directory by region name
---@param progress? fun(done: integer, total: integer)
---@return table? plan, table? err
function Plan:weigh(dirs, progress)
  local load, err = weigh.weigh(self.layout, dirs, progress)
  if not load then return nil, err end
  self.load, self.layout = load, weigh.laden(self.layout, load)
  self.rules = rules.judge(self.layout)
  return self
end

-- Numbers and fixed words have nothing to escape, and there may be millions
-- of nodes: these texts are joined from their pieces.

-- One entry per range, or per shard where there are none.
local function shards_json(self)
  if self.ranges then return self.layout:ranges_json "id" end
  local list = {}
  for s = 0, self.layout.shards - 1 do list[s + 1] = s end
  return json.raw('[{"id":' .. table.concat(list, '},{"id":') .. "}]")
end

local function peers_json(layout)
  local list = {}
  for s = 0, #layout.regions * layout.shards > 1 and layout.shards - 1 or -1 do
    list[s + 1] = s
  end
  return json.raw("[" .. table.concat(list, ",") .. "]")
end

local ROLES <const> = { "single", "leader", "follower" }

local function nodes_json(self)
  local layout, out, n = self.layout, {}, 0
  local role = layout.role
  for r = 0, #layout.regions - 1 do
    local open = ('"},{"region":%d,"shard":'):format(r)
    local behind = {}
    for _, word in ipairs(ROLES) do
      behind[word] = (',"role":"%s","log":"r%d:s'):format(word, r)
    end
    for s = 0, layout.shards - 1 do
      out[n + 1], out[n + 2] = open, s
      out[n + 3], out[n + 4] = behind[role(layout, r, s)], s
      n = n + 4
    end
  end
  out[1] = "[" .. out[1]:sub(4)
  out[n + 1] = '"}]'
  return json.raw(table.concat(out))
end

local function rules_json(self)
  local list = {}
  for i, rule in ipairs(self.rules) do
    list[i] = json.object {
      { "name", rule.name }, { "ok", rule.ok }, { "why", rule.why },
    }
  end
  return json.list(list)
end

---The plan as one JSON object (one line).
---@param steps? table the plan that leads here from an older layout
---  (plan/diff.lua): its members too
function Plan:json(steps)
  local layout = self.layout
  local fields = {
    { "format", "tidal-plan/1" },
    { "name", layout.name },
    { "epoch", layout.epoch },
    { "layout_hash", self.hash },
    { "routing", json.object {
      { "strategy", layout.router:strategy() },
      { "num_shards", layout.shards },
    } },
    { "regions", layout:regions_json() },
    { "peer_shards", peers_json(layout) },
    { "shards", shards_json(self) },
    { "nodes", nodes_json(self) },
  }
  if #self.rules > 0 then
    fields[#fields + 1] = { "rules", rules_json(self) }
  end
  if self.load then
    fields[#fields + 1] = { "load", weigh.json(self.load) }
  end
  for _, member in ipairs(steps and steps:json_members() or {}) do
    fields[#fields + 1] = member
  end
  return json.encode(json.object(fields))
end

---The plan as text, as `tidal-lua plan` prints it.
---@param style? table of tidal.render.terminal; default plain
function Plan:text(style)
  return require "tidal.render.plan".text(self, style)
end

function Plan:__tostring()
  return self:text()
end

return M
