-- Generators of layouts: random valid ones of every strategy, and pairs that
-- a plan leads through. One region with one shard is the simplest.
local declared = require "tidal.testing.declared"
local generators = require "tidal.testing.generators"
local routing = require "tidal.routing"

local M = {}

local NAMES <const> = { "us", "eu", "ap", "sa", "af", "oc" }
local CUTS_MAX <const> = 8

local function cluster(fields)
  local made = require "tidal.cluster"(fields)
  return made
end

-- Up to so many names, each once, in any order; the first ones in their own
-- are the simplest.
local function names(source, most)
  local left, out = table.move(NAMES, 1, #NAMES, 1, {}), {}
  for i = 1, most do
    if i > 1 and source:choose(1) == 0 then break end
    out[i] = source:span(function()
      return table.remove(left, source:choose(#left - 1) + 1)
    end)
  end
  return out
end

local id = generators.id()

-- Ranges over all keys, with up to so many cuts; owners 0..shards-1.
local function ranges(source, shards)
  local starts, seen = { 0 }, { [0] = true }
  while #starts <= CUTS_MAX and source:choose(1) == 1 do
    local start = source:span(id.make)
    if not seen[start] then
      seen[start] = true
      starts[#starts + 1] = start
    end
  end
  table.sort(starts, math.ult)
  local out = {}
  for i, first in ipairs(starts) do
    out[i] = { shard = source:choose(shards - 1), first = first,
               last = (starts[i + 1] or 0) - 1 }
  end
  return out
end

local STRATEGIES <const> = { "even", "hash", "ranges", "hash_ranges" }
local OF_ONE <const> = { "single", table.unpack(STRATEGIES) }

local function routing_of(source, shards)
  local known = shards == 1 and OF_ONE or STRATEGIES
  local name = known[source:choose(#known - 1) + 1]
  if name ~= "ranges" and name ~= "hash_ranges" then return routing[name]() end
  return routing[name](ranges(source, shards))
end

local function leaders_of(source, regions, shards)
  local kind = source:choose(3)
  if kind == 0 then return regions[1] end
  if kind == 1 then return "spread" end
  if kind == 2 then return "all" end
  local out = {}
  for s = 0, shards - 1 do out[s] = regions[source:choose(#regions - 1) + 1] end
  return out
end

local function fields_of(source, options)
  local regions = names(source, options.regions or 4)
  local shards = 1 + source:choose((options.shards or 8) - 1)
  return {
    name = options.name or "prop", epoch = 1 + source:choose(3),
    regions = regions, shards = shards,
    routing = routing_of(source, shards),
    leaders = leaders_of(source, regions, shards), rules = options.rules,
  }
end

local function checked(options, where)
  options = options or {}
  for key in next, options do
    if not ({ regions = 1, shards = 1, name = 1, rules = 1 })[key] then
      error(("%s: unknown key %s; the keys are: regions shards name rules")
            :format(where, tostring(key)), 3)
    end
  end
  return options
end

---A layout of at most options.regions (4, at most 6) regions and
---options.shards (8) shards.
---@param options? { regions: integer, shards: integer, name: string,
---  rules: table }
function M.layout(options)
  options = checked(options, "prop.layout(options)")
  return generators.new(function(source)
    return cluster(fields_of(source, options))
  end, declared.text)
end

-- What one change makes of the fields of a layout.
local CHANGES <const> = {
  function(source, fields, shards)  -- keys
    local list = declared.ranges(cluster(fields))
    if not list then return end
    local range = list[source:choose(#list - 1) + 1]
    range.shard = source:choose(shards - 1)
    fields.routing = routing[fields.routing.strategy](list)
  end,
  function(source, fields, shards)
    fields.leaders = leaders_of(source, fields.regions, shards)
  end,
  function(source, fields)
    fields.regions = names(source, #NAMES - 2)
    fields.leaders = fields.regions[1]
  end,
  function(source, fields, shards)
    fields.routing = routing_of(source, shards)
  end,
  function(source, fields)
    fields.shards = 1 + source:choose(7)
    fields.routing = routing_of(source, fields.shards)
    fields.leaders = fields.regions[1]
  end,
}

---{ from =, to = }: two layouts, the epoch of the second one higher. The
---fewer changes between them, the simpler.
---@param options? table as for M.layout
function M.pair(options)
  options = checked(options, "prop.pair(options)")
  return generators.new(function(source)
    local from = cluster(fields_of(source, options))
    local fields = declared.fields(from)
    while source:choose(2) > 0 do
      source:span(function()
        CHANGES[source:choose(#CHANGES - 1) + 1](source, fields, fields.shards)
      end)
    end
    fields.epoch = fields.epoch + 1
    return { from = from, to = cluster(fields) }
  end, function(pair)
    return ("from %s\nto %s"):format(declared.text(pair.from),
                                     declared.text(pair.to))
  end)
end

return M
