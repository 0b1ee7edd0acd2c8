-- Which region leads each shard, from what a script declares:
--
--   "us-east"            that region leads every shard
--   "spread"             the regions in turn: s0 r0, s1 r1, ...
--   "all"                every region leads every shard
--   { [0] = "us-east", s1 = "eu-west", [tidal.shard(2)] = "ap-south" }
--                        by shard; the first region for the others
local faults = require "tidal.faults"
local keys = require "tidal.cluster.keys"
local suggest = require "tidal.suggest"

local M = {}

local shown <const> = faults.shown

local function names_of(regions)
  local ids, names = {}, {}
  for i, region in ipairs(regions) do
    ids[region.name] = region.id
    names[i] = region.name
  end
  return ids, names
end

-- The number of a shard key: 3, "s3" or a ShardId; nil for anything else.
local function shard_of(key)
  if math.type(key) == "integer" then return key end
  local text = type(key) == "userdata" and tostring(key) or key
  local digits = type(text) == "string" and text:match "^s(%d+)$"
  return digits and math.tointeger(tonumber(digits))
end

local function path_of(key)
  if type(key) == "userdata" then key = tostring(key) end
  return keys.path("leaders", key)
end

local function add_no_shard(t, key, shards, found)
  local hint = ""
  if key == #t and t[0] == nil and t.s0 == nil then
    hint = ("; entries without a key count from 1: write { [0] = %s, ... }")
           :format(shown(t[1]))
  end
  found:add_format(path_of(key), "is not a shard of this layout (s0..s%d)%s",
                   shards - 1, hint)
end

local function by_shard(t, regions, shards, found)
  local ids, names = names_of(regions)
  local out, named = {}, {}
  for s = 0, shards - 1 do out[s] = 0 end
  for _, key in ipairs(keys.sorted(t)) do
    local value, shard = t[key], shard_of(key)
    if not shard or shard < 0 or shard >= shards then
      add_no_shard(t, key, shards, found)
    elseif named[shard] then
      found:add_format(path_of(key), "s%d is named twice", shard)
    elseif not ids[value] then
      found:add_format(path_of(key), "%s is not a region%s", shown(value),
                       type(value) == "string"
                       and suggest.unknown(value, names) or "")
    else
      out[shard] = ids[value]
    end
    named[shard or -1] = true
  end
  return out
end

---@param value any what the script gave
---@param regions { id: integer, name: string }[]
---@param shards integer
---@param found table of tidal.faults
---@return table|string|nil leaders { [shard] = region id }, or "all"
function M.check(value, regions, shards, found)
  if type(value) == "table" then
    return by_shard(value, regions, shards, found)
  end
  local ids, names = names_of(regions)
  if value == "all" and not ids.all then return "all" end
  local spread = value == "spread" and not ids.spread
  local one = value == nil and 0 or ids[value]
  if not spread and not one then
    local words = { "spread", "all", table.unpack(names, 1, 100) }
    found:add_format("leaders", "a region, \"spread\", \"all\" or a table by "
                     .. "shard expected, got %s%s", shown(value),
                     type(value) == "string"
                     and suggest.unknown(value, words) or "")
    return nil
  end
  local out = {}
  for s = 0, shards - 1 do out[s] = spread and s % #regions or one end
  return out
end

return M
