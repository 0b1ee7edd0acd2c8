-- A routing value -> a router, or every fault of its ranges.
--
-- A range is { shard =, first =, last =, line = in the script or nil, entry =
-- in the list that the script gave, text_line = in the text it gave }.
local core = require "tidal.core"
local faults = require "tidal.faults"
local keys = require "tidal.cluster.keys"

local M = {}

local RANGES_MAX <const> = 65536

---What is wrong with a value that is not an id, and how to write it.
---@param value any
---@return string
function M.id_fault(value)
  if math.type(value) == "float" and value >= 2.0 ^ 63 then
    return ("got %s; a decimal above 2^63-1 is a float in Lua: write it as "
            .. "text, \"18446744073709551615\" or \"0xffffffffffffffff\"")
           :format(faults.shown(value))
  end
  return ("an id expected (an integer, \"0x\" and 1-16 hex digits, or "
          .. "decimal text up to \"18446744073709551615\"), got %s")
         :format(faults.shown(value))
end

local KEYS <const> = { "shard", "first", "last" }
local KNOWN <const> = { shard = true, first = true, last = true }

local function has_other_keys(record)
  for key in next, record do
    if not KNOWN[key] then return true end
  end
  return false
end

local function path_of(entry)
  return ("routing[%d]"):format(entry)
end

-- The number of a shard, also of one that the layout does not have, so that
-- its range can be held against the others; nil for what is no shard.
local function check_shard(value, entry, shards, found)
  if math.type(value) == "integer" and value >= 0 and value < shards then
    return value
  end
  local ok, id = pcall(core.shard, value)
  local shard = ok and id.value or nil
  if not shard or shard >= shards then
    found:add_format(path_of(entry) .. ".shard", "s0..s%d expected, got %s",
                     shards - 1, faults.shown(value))
  end
  return shard
end

local function check_id(value, entry, key, found)
  if math.type(value) == "integer" then return value end
  local ok, id = pcall(core.u64.parse, value)
  if ok then return id end
  found:add(path_of(entry) .. "." .. key, M.id_fault(value))
end

-- One record of a list: numbers checked, or faults added and nil.
local function check_record(record, entry, shards, found)
  if type(record) ~= "table" then
    found:add_format(path_of(entry),
                     "{ shard =, first =, last = } expected, got %s",
                     faults.shown(record))
    return nil
  end
  if has_other_keys(record) then
    keys.check(record, KEYS, path_of(entry), found)
  end
  local shard = check_shard(record.shard, entry, shards, found)
  local first = check_id(record.first, entry, "first", found)
  local last = check_id(record.last, entry, "last", found)
  if not (shard and first and last) then return nil end
  return { shard = shard, first = first, last = last, entry = entry }
end

-- The line of the script on which line n of its text stands, or nil.
local function script_line(n, found)
  local start = found.index and found.index.strings
            and found.index.strings.routing
  return start and n and start + n - 1
end

local function from_text(given, shards, found)
  local list, wrong = require "tidal.text".ranges(given)
  for _, fault in ipairs(wrong or {}) do
    found:add("routing", fault.message, script_line(fault.line, found))
  end
  if not list then return nil end
  for _, range in ipairs(list) do
    if range.shard >= shards then
      found:add("routing", ("s%d is not a shard of this layout (s0..s%d)")
                           :format(range.shard, shards - 1),
                script_line(range.line, found))
    end
  end
  return list, true
end

-- Lines as a message needs them: those of a text are lines of the script, if
-- that is known.
local function place(list, found)
  for _, range in ipairs(list) do
    if not range.entry then
      range.text_line = range.line
      range.line = script_line(range.line, found)
    end
  end
end

local function from_list(given, shards, found)
  local list = {}
  if #given > RANGES_MAX then
    found:add_format("routing", "has %d ranges, at most %d are possible",
                     #given, RANGES_MAX)
    return nil
  end
  local whole = keys.check_list(given, "routing", "ranges", found)
  for i = 1, #given do
    local range = check_record(given[i], i, shards, found)
    whole = whole and range ~= nil
    list[#list + 1] = range
  end
  return list, whole
end

-- The ranges a script gave, as numbers, and whether they are all of them.
-- Nil after adding faults that leave nothing to look at.
local function read(given, shards, found)
  if type(given) == "string" then return from_text(given, shards, found) end
  if type(given) == "table" then return from_list(given, shards, found) end
  found:add_format("routing", "a list of ranges or text expected, got %s",
                   faults.shown(given))
  return nil
end

---@param routing table of tidal.routing
---@param shards integer how many the layout has
---@param found table of tidal.faults
---@return userdata? router
function M.router(routing, shards, found)
  local strategy = routing.strategy
  if strategy == "single" then return core.router.single(0) end
  if strategy == "hash" then return core.router.hash(shards) end
  if routing.even then
    if strategy == "ranges" then return core.router.even(shards) end
    return core.router.hash_ranges(shards)
  end
  local before = #found.list
  local list, whole = read(routing.ranges, shards, found)
  if not list or #list == 0 and not whole then return nil end
  if #list == 0 then
    found:add("routing", "has no ranges: every id needs a shard")
  elseif #list > RANGES_MAX then
    found:add_format("routing", "has %d ranges, at most %d are possible",
                     #list, RANGES_MAX)
  else
    local ok, result = pcall(core.router[strategy], list)
    if ok then return #found.list == before and result or nil end
    if not core.is_error(result) then error(result, 0) end
    place(list, found)
    local misfits = require "tidal.cluster.misfits"
    misfits.report(result.faults or { result }, list, whole, found)
  end
end

return M
