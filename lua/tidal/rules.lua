-- tidal.rules: what a layout promises, as predicates that the planner checks.
--
-- A rule is { name = "survives region", check = function(layout) -> true |
-- false, why }. A function(layout) in the list of rules is one too. A rule that
-- is asked in another process may have ahead(layouts): it will be asked for
-- these soon, and may ask for all of them at once.
local copies = require "tidal.rules.copies"
local core = require "tidal.core"
local leading = require "tidal.rules.leading"
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

-- A maker gives name and check, or nil and what is wrong with the argument.
local function ready(name, make)
  return function(given)
    local title, check = make(given)
    if not title then
      error(("tidal.rules.%s: %s"):format(name, check), 2)
    end
    return M.new(title, check)
  end
end

---After the loss of any one region (or node) every shard still has a copy.
---survives "region" | "node"
M.survives = ready("survives", copies.survives)

---Every shard has at least n copies. copies(n)
M.copies = ready("copies", copies.copies)

---No region leads more than n shards. max_leaders(n)
M.max_leaders = ready("max_leaders", leading.max_leaders)

---The regions' numbers of leaders differ by at most k, default 1. spread(k)
M.spread = ready("spread", leading.spread)

---Leaders, or the load that logs show, follow weights: a region's share is
---off by at most the tolerance, default 0.1 of 1.
---weights { regions = { ["us-east"] = 2, ["eu-west"] = 1 }, of = "leaders" |
---"load", tolerance = 0.1 }
M.weights = ready("weights", leading.weights)

---Ids of a range are led in these regions only.
---residency { first = "0x0", last = "0xff", regions = { "eu-west" } }
M.residency = ready("residency", require "tidal.rules.residency".residency)

---A region's logs hold at most so much, where logs were weighed.
---disk { ["us-east"] = "2TB" }
M.disk = ready("disk", require "tidal.rules.disk".disk)

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
