-- What tidal.cluster took to make a layout: as a table that makes it again,
-- and as text that can be pasted into a script. Rules are functions: the text
-- can only name them.
local core = require "tidal.core"
local routing = require "tidal.routing"

local M = {}

-- True if the ranges are the equal shares of even().
local function is_even(layout)
  local even = core.router.even(layout.shards):ranges()
  local ranges = layout:ranges()
  if #ranges ~= #even then return false end
  for i, range in ipairs(ranges) do
    if range.first ~= even[i].first or range.shard ~= even[i].shard then
      return false
    end
  end
  return true
end

---The ranges as tidal.routing.ranges takes them: a list of { shard = number,
---first =, last = }, rising; nil for single and hash.
function M.ranges(layout)
  local ranges = layout:ranges()
  if not ranges then return nil end
  local out = {}
  for i, range in ipairs(ranges) do
    out[i] = { shard = range.shard.value, first = range.first,
               last = range.last }
  end
  return out
end

local function routing_of(layout)
  local strategy = layout.router:strategy()
  local list = M.ranges(layout)
  if strategy == "ranges" and is_even(layout) then return routing.even() end
  if not list then return routing[strategy]() end
  return routing[strategy](list)
end

-- Names by shard, or "all".
local function leaders_of(layout)
  if layout.leaders == "all" then return "all" end
  local out, leaders, regions = {}, layout.leaders, layout.regions
  for s = 0, layout.shards - 1 do out[s] = regions[leaders[s] + 1].name end
  return out
end

---A new table that tidal.cluster makes the same layout of.
---@param layout table
---@return table fields
function M.fields(layout)
  local regions, list = {}, {}
  for i, region in ipairs(layout.regions) do regions[i] = region.name end
  for i, rule in ipairs(layout.rules) do list[i] = rule end
  return {
    name = layout.name, epoch = layout.epoch, regions = regions,
    shards = layout.shards, routing = routing_of(layout),
    leaders = leaders_of(layout), rules = list,
  }
end

local function quoted(list)
  local out = {}
  for i, name in ipairs(list) do out[i] = ("%q"):format(name) end
  return table.concat(out, ", ")
end

local function routing_text(layout, value)
  if value.even then return value.strategy == "ranges" and "even()"
                            or value.strategy .. "()" end
  if not layout:has_ranges() then return value.strategy .. "()" end
  local out = {}
  for i, range in ipairs(layout:ranges()) do
    out[i] = ("    s%d %s..%s"):format(range.shard.value,
      core.u64.hex(range.first), core.u64.hex(range.last))
  end
  return ("%s [[\n%s\n  ]]"):format(value.strategy, table.concat(out, "\n"))
end

local function leaders_text(fields)
  local leaders, same = fields.leaders, true
  if leaders == "all" then return '"all"' end
  local out = {}
  for s = 0, fields.shards - 1 do
    same = same and leaders[s] == leaders[0]
    out[s + 1] = (s == 0 and "[0] = %q" or "%q"):format(leaders[s])
  end
  return same and ("%q"):format(leaders[0])
      or "{ " .. table.concat(out, ", ") .. " }"
end

---The layout as the script that declares it.
---@param layout table
---@return string
function M.text(layout)
  local fields = M.fields(layout)
  local lines = {
    "tidal.cluster {",
    ("  name = %q, epoch = %d, shards = %d,"):format(fields.name,
      fields.epoch, fields.shards),
    ("  regions = { %s },"):format(quoted(fields.regions)),
    ("  routing = tidal.routing.%s,"):format(
      routing_text(layout, fields.routing)),
    ("  leaders = %s,"):format(leaders_text(fields)),
  }
  local names = {}
  for i, rule in ipairs(fields.rules) do names[i] = rule.name end
  if #names > 0 then
    lines[#lines + 1] = "  -- rules: " .. table.concat(names, ", ")
  end
  lines[#lines + 1] = "}"
  return table.concat(lines, "\n")
end

return M
