-- Small wrong variants of a layout: what a spec of it should notice.
--
-- M.list(layout) -> { { name = "s0 and s1 swap their ranges", layout =,
-- assertion = "assert.routes(...)" }, ... }, the same for the same layout. The
-- assertion, in which `layout` is the layout, holds for it and fails for the
-- variant. Where a kind has very many places, PLACES_MAX spread over them are
-- taken.
local core = require "tidal.core"
local declared = require "tidal.testing.declared"
local origin = require "tidal.cluster.origin"
local routing = require "tidal.routing"
local unhash = require "tidal.inspect.unhash"

local M = {}

local PLACES_MAX <const> = 8  -- of one kind
-- What tidal.cluster takes.
local SHARDS_MAX <const>, REGIONS_MAX <const> = 65536, 65536
local NODES_MAX <const>, EPOCH_MAX <const> = 4194304, 0xffffffff

local hex <const> = core.u64.hex

-- Calls f(i) for at most PLACES_MAX of first..last that are `fit`.
local function places(first, last, fit, f)
  local fitting = {}
  for i = first, last do
    if fit(i) then fitting[#fitting + 1] = i end
  end
  local count = math.min(#fitting, PLACES_MAX)
  for n = 1, count do
    f(fitting[1 + (n - 1) * (#fitting - 1) // math.max(count - 1, 1)])
  end
end

-- A variant is made when its layout is first read: large layouts take long.
local Mutant = {}

function Mutant.__index(self, key)
  if key ~= "layout" then return nil end
  local original = self.original
  local fields = declared.fields(original)
  self.change(fields)
  local function declare() return require "tidal.cluster"(fields) end
  self.layout = original.file and origin.within(original.file, declare)
                or declare()
  return self.layout
end

-- A collector: add(name, assertion, change) adds a variant, which has the
-- fields of the layout after change(fields).
local function collector(layout)
  local out = {}
  return out, function(name, assertion, change)
    out[#out + 1] = setmetatable({
      name = name, assertion = assertion, original = layout, change = change,
    }, Mutant)
  end
end

-- True if a layout may have so many regions and shards.
local function fits(region_count, shard_count)
  return region_count <= REGIONS_MAX and shard_count <= SHARDS_MAX
     and region_count * shard_count <= NODES_MAX
end

-- --- routing --------------------------------------------------------------

-- An id with that key, and the assertion about it.
local function routes(layout, key, shard)
  local hashed = layout.router:strategy() == "hash_ranges"
  return ('assert.routes(layout, "%s", "s%d")'):format(
    hex(hashed and unhash.id(key) or key), shard)
end

-- Sets the ranges of the fields to those that change(list) leaves.
local function with_ranges(layout, change)
  return function(fields)
    local list = declared.ranges(layout)
    change(list)
    fields.routing = routing[layout.router:strategy()](list)
  end
end

local function swaps(layout, list, add)
  local function fit(i) return list[i].shard ~= list[i + 1].shard end
  places(1, #list - 1, fit, function(i)
    local a, b = list[i], list[i + 1]
    add(("s%d and s%d swap %s.. and %s.."):format(a.shard, b.shard,
          hex(a.first), hex(b.first)),
        routes(layout, a.first, a.shard), with_ranges(layout, function(other)
      other[i].shard, other[i + 1].shard = b.shard, a.shard
    end))
  end)
end

-- The boundaries at which a shift by so many keys leaves both ranges some.
local function shifts(layout, list, add, words, by)
  places(1, #list - 1, function(i)
    return list[i].shard ~= list[i + 1].shard and by(list[i], list[i + 1])
  end, function(i)
    local a, b = list[i], list[i + 1]
    local distance = by(a, b)
    local up = distance > 0
    local key = up and b.first or b.first - 1
    add(("boundary %s of s%d and s%d %s"):format(hex(b.first), a.shard,
                                                 b.shard, words),
        routes(layout, key, up and b.shard or a.shard),
        with_ranges(layout, function(other)
          other[i].last = other[i].last + distance
          other[i + 1].first = other[i + 1].first + distance
        end))
  end)
end

local function boundaries(layout, list, add)
  local function size(range) return range.last - range.first end
  shifts(layout, list, add, "one id up", function(_, b)
    return size(b) ~= 0 and 1
  end)
  shifts(layout, list, add, "one id down", function(a)
    return size(a) ~= 0 and -1
  end)
  shifts(layout, list, add, "up by half a range", function(_, b)
    local half = size(b) >> 1
    return half > 1 and half
  end)
end

local function strategies(layout, add)
  local strategy = layout.router:strategy()
  local assertion = ('assert.equal(%q, layout.router:strategy())'):format(
    strategy)
  local list = declared.ranges(layout)
  if layout.shards == 1 then return end
  for _, other in ipairs { "hash", "ranges", "hash_ranges" } do
    if other ~= strategy then
      add(("%s instead of %s"):format(other, strategy), assertion,
          function(fields)
        if other == "hash" then fields.routing = routing.hash()
        elseif list then fields.routing = routing[other](list)
        else fields.routing = other == "ranges" and routing.even()
                              or routing.hash_ranges() end
      end)
    end
  end
end

-- What is left where the last shard is gone.
local function without_last(layout)
  return with_ranges(layout, function(list)
    for _, range in ipairs(list) do
      range.shard = math.min(range.shard, layout.shards - 2)
    end
  end)
end

local function shards(layout, add)
  local count = layout.shards
  local assertion = ("assert.equal(%d, layout.shards)"):format(count)
  if fits(#layout.regions, count + 1) then
    add("one shard more", assertion, function(fields)
      fields.shards = count + 1
      if layout.router:strategy() == "single" then
        fields.routing = routing.even()
      end
    end)
  end
  if count == 1 then return end
  add("one shard less", assertion, function(fields)
    fields.shards = count - 1
    if layout:has_ranges() and not fields.routing.even then
      without_last(layout)(fields)
    end
    if fields.leaders ~= "all" then fields.leaders[count - 1] = nil end
  end)
end

-- --- regions, leaders, the rest -------------------------------------------

local function regions(layout, add)
  local names, quoted = declared.fields(layout).regions, {}
  for i, name in ipairs(names) do quoted[i] = ("%q"):format(name) end
  local assertion = ("assert.regions(layout, { %s })"):format(
    table.concat(quoted, ", "))
  places(1, #names, function() return #names > 1 end, function(i)
    add(("without region %s"):format(names[i]), assertion, function(fields)
      table.remove(fields.regions, i)
      if fields.leaders == "all" then return end
      for s = 0, layout.shards - 1 do
        if fields.leaders[s] == names[i] then
          fields.leaders[s] = fields.regions[1]
        end
      end
    end)
  end)
  local another = "another-region"
  if layout:region(another) then another = another .. "-still" end
  if fits(#names + 1, layout.shards) and not layout:region(another) then
    add("one region more", assertion, function(fields)
      table.insert(fields.regions, another)
    end)
  end
  places(1, #names - 1, function() return true end, function(i)
    local a, b = names[i], names[i + 1]
    add(("replicas of %s and %s change places"):format(a, b), assertion,
        function(fields)
      fields.regions[i], fields.regions[i + 1] = b, a
    end)
  end)
end

local function leaders(layout, add)
  local fields = declared.fields(layout)
  local names, by_shard = fields.regions, fields.leaders
  if #names == 1 then return end
  if by_shard == "all" then
    add(("only %s leads"):format(names[1]),
        'assert.equal("all", layout.leaders)',
        function(other) other.leaders = names[1] end)
    return
  end
  local function leads(s)
    return ("assert.leads(layout, %q, \"s%d\")"):format(by_shard[s], s)
  end
  add("every region leads every shard", leads(0),
      function(other) other.leaders = "all" end)
  places(0, layout.shards - 1, function() return true end, function(s)
    local now = layout.leaders[s] + 1
    local name = names[now % #names + 1]
    add(("s%d is led by %s"):format(s, name), leads(s),
        function(other) other.leaders[s] = name end)
  end)
  places(0, layout.shards - 2, function(s)
    return by_shard[s] ~= by_shard[s + 1]
  end, function(s)
    add(("s%d and s%d swap their leaders"):format(s, s + 1), leads(s),
        function(other)
      local list = other.leaders
      list[s], list[s + 1] = list[s + 1], list[s]
    end)
  end)
end

-- What notices that a rule is gone: its name, if it holds and is the only
-- one of that name.
local function rule_assertion(layout, rule)
  local count = 0
  for _, other in ipairs(layout.rules) do
    if other.name == rule.name then count = count + 1 end
  end
  local ran, holds = pcall(rule.check, layout)
  if ran and holds and count == 1 then
    return ("assert.keeps(layout, %q)"):format(rule.name)
  end
  return ("assert.equal(%d, #layout.rules)"):format(#layout.rules)
end

local function rest(layout, add)
  places(1, #layout.rules, function() return true end, function(i)
    local rule = layout.rules[i]
    add(("without the rule '%s'"):format(rule.name),
        rule_assertion(layout, rule),
        function(fields) table.remove(fields.rules, i) end)
  end)
  local epoch = ("assert.equal(%d, layout.epoch)"):format(layout.epoch)
  if layout.epoch < EPOCH_MAX then
    add("the next epoch", epoch,
        function(fields) fields.epoch = fields.epoch + 1 end)
  end
  if layout.epoch > 1 then
    add("the epoch before", epoch,
        function(fields) fields.epoch = fields.epoch - 1 end)
  end
  add("another name", ("assert.equal(%q, layout.name)"):format(layout.name),
      function(fields)
    fields.name = layout.name == "another" and "other" or "another"
  end)
end

---@param layout table
---@return table[] mutants
function M.list(layout)
  local out, add = collector(layout)
  local list = declared.ranges(layout)
  if list then
    swaps(layout, list, add)
    boundaries(layout, list, add)
  end
  strategies(layout, add)
  shards(layout, add)
  regions(layout, add)
  leaders(layout, add)
  rest(layout, add)
  return out
end

return M
