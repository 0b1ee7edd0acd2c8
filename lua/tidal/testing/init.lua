-- require "tidal.testing": assertions for busted about layouts and plans.
--
--   assert.covers(layout)                each id has exactly one shard: proof
--   assert.routes(layout, id, "s3")      where one id goes
--   assert.leads(layout, "us-east", "s3")     who leads a shard
--   assert.regions(layout, { "us-east", ... })  which there are, in order
--   assert.survives(layout, "region")    or "node"
--   assert.keeps(layout, rule)           a rule; or the name of one that the
--                                        layout must declare
--   assert.plan(from, to [, dirs])       testing/plan.lua
--   assert.explored(scenario, options)   testing/explorer.lua
--
-- Each has its opposite, assert.is_not.routes(...). Every spec file requires
-- it for itself. Returns { prop = tidal.testing.prop }.
local core = require "tidal.core"
local faults = require "tidal.faults"
local prove = require "tidal.inspect.prove"
local register = require "tidal.testing.register"
local rules = require "tidal.rules"
local suggest = require "tidal.suggest"

local M = {}

register.add("covers", function(layout)
  register.layout(layout, "assert.covers(layout)")
  local proof = prove.prove(layout)
  local name, file = register.name(layout)
  local text = prove.text(proof)
  return proof.ok, {
    yes = ("expected every id to have exactly one shard in %s\n%s\n"
           .. "look closer: tidal-lua prove %s"):format(name, text, file),
    no = ("expected an id without a shard, or with two, in %s\n%s")
         :format(name, text),
  }
end)

-- A shard of this layout: 3, "s3" or tidal.shard(3).
local function shard_of(layout, value, where)
  local made, shard = pcall(core.shard, value)
  if not made then
    register.wrong('%s: a shard expected ("s3", 3 or tidal.shard(3)), got %s',
                   where, faults.shown(value))
  elseif shard.value >= layout.shards then
    register.wrong("%s: %s has no %s: its shards are s0..s%d", where,
                   layout.name, tostring(shard), layout.shards - 1)
  end
  return shard
end

-- The range that holds an id, as text.
local function range_text(layout, id)
  local key = layout.router:key(id)
  for _, range in ipairs(layout:ranges() or {}) do
    if not math.ult(range.last, key) then
      return (" (it owns %s..%s%s)"):format(core.u64.hex(range.first),
        core.u64.hex(range.last), key ~= id and " of the hashes" or "")
    end
  end
  return ""
end

register.add("routes", function(layout, id, shard)
  local where = "assert.routes(layout, id, shard)"
  register.layout(layout, where)
  local parsed, key = pcall(core.u64.parse, id)
  if not parsed then
    register.wrong("%s: an id expected: %s", where,
                   tostring(key):match "%((.*)%)" or tostring(key))
  end
  local want = shard_of(layout, shard, where)
  local got = layout:route(key)
  local name, file = register.name(layout)
  local hex = core.u64.hex(key)
  return got == want, {
    yes = ("expected %s to go to %s in %s\nit goes to %s%s\n"
           .. "look closer: tidal-lua route %s %s"):format(hex,
      tostring(want), name, tostring(got), range_text(layout, key), file, hex),
    no = ("expected %s not to go to %s in %s, but it does%s"):format(hex,
      tostring(want), name, range_text(layout, key)),
  }
end)

local function names_of(layout)
  local out = {}
  for i, region in ipairs(layout.regions) do out[i] = region.name end
  return out
end

-- The names of the regions that lead a shard.
local function leaders_of(layout, shard)
  local out = {}
  for _, region in ipairs(layout.regions) do
    if layout:is_leader(region.id, shard) then out[#out + 1] = region.name end
  end
  return table.concat(out, ", ")
end

register.add("leads", function(layout, region, shard)
  local where = "assert.leads(layout, region, shard)"
  register.layout(layout, where)
  local number = shard_of(layout, shard, where)
  local name, file = register.name(layout)
  local leaders, names = leaders_of(layout, number.value), names_of(layout)
  -- A region that another layout lacks leads nothing there: a finding, and
  -- no mistake of the spec.
  if type(region) ~= "string" then
    register.wrong("%s: the name of a region expected, got %s", where,
                   faults.shown(region))
  end
  return leaders == region, {
    yes = ("expected %s alone to lead %s in %s\nit is led by %s%s\n"
           .. "look closer: tidal-lua plan %s"):format(region,
      tostring(number), name, leaders,
      layout:region(region) and "" or suggest.unknown(region, names), file),
    no = ("expected another region than %s to lead %s in %s"):format(region,
      tostring(number), name),
  }
end)

register.add("regions", function(layout, want)
  local where = "assert.regions(layout, names)"
  register.layout(layout, where)
  if type(want) ~= "table" then
    register.wrong("%s: a list of names expected, got %s", where,
                   faults.shown(want))
  end
  local names = {}
  for i, name in ipairs(want) do names[i] = tostring(name) end
  local wanted = table.concat(names, " ")
  local got = table.concat(names_of(layout), " ")
  local name, file = register.name(layout)
  return got == wanted, {
    yes = ("expected the regions %s in %s\nthey are %s\nlook closer: "
           .. "tidal-lua plan %s"):format(wanted, name, got, file),
    no = ("expected other regions than %s in %s"):format(wanted, name),
  }
end)

-- Whether a layout keeps a rule, and the texts.
local function kept(layout, rule)
  local ran, ok, why = pcall(rule.check, layout)
  local name, file = register.name(layout)
  if not ran then ok, why = false, "the rule raised: " .. tostring(ok) end
  return ok, {
    yes = ("expected %s to keep '%s'\nit does not: %s\nlook closer: "
           .. "tidal-lua plan %s"):format(name, rule.name,
                                          tostring(why or "broken"), file),
    no = ("expected %s to break '%s', but it keeps it"):format(name,
                                                               rule.name),
  }
end

register.add("survives", function(layout, what)
  local where = "assert.survives(layout, what)"
  register.layout(layout, where)
  if what ~= "region" and what ~= "node" then
    register.wrong('%s: "region" or "node" expected, got %s', where,
                   faults.shown(what))
  end
  return kept(layout, rules.survives(what))
end)

---The rule that is meant: itself, a function, or the name of one that the
---layout declares; nil for a name that it does not declare.
---@param layout table
---@param given any
---@param where string
function M.rule(layout, given, where)
  if rules.is(given) then return given end
  if type(given) == "function" then
    return rules.new("the given function", given)
  elseif type(given) ~= "string" then
    register.wrong("%s: tidal.rules.*, a function or the name of a rule "
                   .. "expected, got %s", where, faults.shown(given))
  end
  for _, rule in ipairs(layout.rules) do
    if rule.name == given then return rule end
  end
end

---The texts for a layout without a rule of that name.
function M.undeclared(layout, given)
  local names = {}
  for i, rule in ipairs(layout.rules) do names[i] = rule.name end
  local name, file = register.name(layout)
  return {
    yes = ("expected %s to declare the rule '%s'%s\nits rules: %s\n"
           .. "look closer: tidal-lua plan %s"):format(name, given,
      suggest.unknown(given, names),
      #names > 0 and table.concat(names, ", ") or "none", file),
    no = ("expected %s to break '%s'"):format(name, given),
  }
end

register.add("keeps", function(layout, given)
  register.layout(layout, "assert.keeps(layout, rule)")
  local rule = M.rule(layout, given, "assert.keeps(layout, rule)")
  if not rule then return false, M.undeclared(layout, given) end
  return kept(layout, rule)
end)

require "tidal.testing.plan".add(M)
require "tidal.testing.explorer".add(register)

return setmetatable(M, { __index = function(_, key)
  return key == "prop" and require "tidal.testing.prop" or nil
end })
