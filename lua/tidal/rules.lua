-- tidal.rules: what a layout promises, as predicates that the planner checks.
--
-- A rule is { name = "survives region", check = function(layout) -> true |
-- false, why }. A function(layout) in the list of rules is one too.
local core = require "tidal.core"
local suggest = require "tidal.suggest"

local Rule = { __name = "tidal.Rule" }

local M = {}

---A rule of your own.
---@param name string as the plan shows it
---@param check fun(layout): boolean, string? why not
function M.new(name, check)
  if type(name) ~= "string" or type(check) ~= "function" then
    error("tidal.rules.new: a name and a function(layout) expected", 2)
  end
  return setmetatable({ name = name, check = check }, Rule)
end

---True for a value that M.new made.
function M.is(value)
  return getmetatable(value) == Rule
end

local LOSSES <const> = { region = true, node = true }

---After the loss of any one region (or node) every shard still has a copy.
---@param what "region"|"node"
function M.survives(what)
  if not LOSSES[what] then
    error(("tidal.rules.survives: 'region' or 'node' expected, got %s")
          :format(tostring(what)), 2)
  end
  return M.new("survives " .. what, function(layout)
    -- Every region holds every shard, so what is left is regions - 1 copies.
    local left = #layout.regions - 1
    if left >= 1 then return true end
    return false, ("the only %s holds the only copy of every shard")
                  :format(what)
  end)
end

---No region leads more than n shards.
---@param n integer >= 1
function M.max_leaders(n)
  if math.type(n) ~= "integer" or n < 1 then
    error(("tidal.rules.max_leaders: an integer >= 1 expected, got %s")
          :format(tostring(n)), 2)
  end
  return M.new(("max_leaders(%d)"):format(n), function(layout)
    for _, region in ipairs(layout.regions) do
      local leads = layout:leads(region.id)
      if leads > n then
        return false, ("%s leads %d shards"):format(region.name, leads)
      end
    end
    return true
  end)
end

-- What a rule raises is its verdict; what kept it from being asked is not.
local function verdict(rule, layout)
  local ran, ok, why = pcall(rule.check, layout)
  if not ran and core.is_error(ok) and ok.code == "isolation" then
    error(ok, 0)
  end
  if not ran then ok, why = false, ok end
  return { name = rule.name, ok = ok and true or false,
           why = not ok and tostring(why or "broken") or nil }
end

---What the layout's rules say about it.
---@return table[] list of { name =, ok =, why = }
function M.judge(layout)
  local out = {}
  for i, rule in ipairs(layout.rules) do out[i] = verdict(rule, layout) end
  return out
end

return suggest.guard(M, "tidal.rules")
