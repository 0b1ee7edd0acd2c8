-- The ready rule residency: ids of a range are led in some regions only.
--
-- Under ranges of ids, a shard has ids of the range if one of its ranges
-- meets it. Hashing spreads ids: up to 256 are looked at one by one; a range
-- of more has ids in every shard.
local arguments = require "tidal.rules.arguments"
local core = require "tidal.core"
local faults = require "tidal.faults"

local M = {}

local ROUTED_MAX <const> = 256
local hex <const>, ult <const> = core.u64.hex, math.ult
local FORM <const> = "{ first =, last =, regions = { \"us-east\" } }"

local function check_regions(list)
  local form = "regions: a list of names expected, got "
  if type(list) ~= "table" then return nil, form .. faults.shown(list) end
  if #list == 0 then return nil, form .. "an empty one" end
  local out = {}
  for i, name in ipairs(list) do
    if type(name) ~= "string" then
      return nil, ("regions[%d]: a name expected, got %s"):format(
        i, faults.shown(name))
    end
    out[i] = name
  end
  return out
end

local function read(given)
  local record, why = arguments.record(given, { "first", "last", "regions" },
                                       FORM)
  if not record then return nil, why end
  local first, last, regions
  first, why = arguments.id(given.first, "first")
  if not first then return nil, why end
  last, why = arguments.id(given.last, "last")
  if not last then return nil, why end
  if ult(last, first) then
    return nil, ("first = %s is above last = %s: bounds are inclusive")
                :format(hex(first), hex(last))
  end
  regions, why = check_regions(given.regions)
  if not regions then return nil, why end
  return { first = first, last = last, regions = regions }
end

-- Calls visit(shard, first, last) for each part of the range that a shard
-- may own, until it gives true.
local function each_part(layout, first, last, visit)
  local strategy = layout.router:strategy()
  if strategy == "single" then return visit(0, first, last) end
  if strategy == "ranges" then
    for _, range in ipairs(layout:ranges()) do
      if not ult(range.last, first) and not ult(last, range.first) then
        local from = ult(range.first, first) and first or range.first
        local upto = ult(last, range.last) and last or range.last
        if visit(range.shard.value, from, upto) then return end
      end
    end
  elseif ult(last - first, ROUTED_MAX) then
    local route = layout.router:bind()
    for i = 0, last - first do
      local id = first + i
      if visit(route(id), id, id) then return end
    end
  else
    for s = 0, layout.shards - 1 do
      if visit(s, first, last) then return end
    end
  end
end

-- A region that leads a shard and may not.
local function stranger(layout, shard, allowed)
  if layout.leaders ~= "all" then
    local leader = layout.leaders[shard]
    return not allowed[leader] and layout.regions[leader + 1] or nil
  end
  for _, region in ipairs(layout.regions) do
    if not allowed[region.id] then return region end
  end
end

---Ids first..last are led in these regions only.
function M.residency(given)
  local spec, bad = read(given)
  if not spec then return nil, bad end
  local names = table.concat(spec.regions, " ")
  local title = ("residency(%s..%s: %s)"):format(hex(spec.first),
                                                 hex(spec.last), names)
  return title, function(layout)
    local allowed, why = {}, nil
    for _, name in ipairs(spec.regions) do
      local region, missing = arguments.region(layout, name)
      if not region then return false, missing end
      allowed[region.id] = true
    end
    each_part(layout, spec.first, spec.last, function(shard, first, last)
      local region = stranger(layout, shard, allowed)
      if not region then return false end
      why = ("%s leads s%d, which has ids of %s..%s; only %s may: let %s "
        .. "lead s%d, or move these ids to a shard that it leads"):format(
        region.name, shard, hex(first), hex(last), names, spec.regions[1],
        shard)
      return true
    end)
    return why == nil, why
  end
end

return M
