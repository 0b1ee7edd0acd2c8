-- tidal: the distribution layer of tidalDB, from Lua.
--
-- The atoms (ids, u64, router, wal, state, node, profile, sim) are C and come
-- from tidal.core; what is written in Lua is loaded when first used.
local core = require "tidal.core"

local M = {}
for name, value in pairs(core) do M[name] = value end

local LAZY <const> = {
  cluster = "tidal.cluster",
  routing = "tidal.routing",
  rules = "tidal.rules",
  text = "tidal.text",
  json = "tidal.json",
  render = "tidal.draw",
  migrate = "tidal.migrate",
}

---The layout that a plan makes of the one it is for.
function M.apply(layout, plan)
  return plan:apply(layout)
end

---A plan that `tidal-lua plan --from OLD -o FILE.plan` wrote, for the layout
---that is to be changed and the one that is wanted.
function M.read_plan(path, from, to)
  return require "tidal.plan.file".read(path, from, to)
end

return setmetatable(M, {
  __index = function(self, name)
    local module = LAZY[name]
    if not module then return nil end
    local value = require(module)
    rawset(self, name, value)
    return value
  end,
})
