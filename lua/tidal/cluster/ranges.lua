-- A routing value -> a router, or every fault of its ranges with both sides
-- named, their lines, and the fix.
local core = require "tidal.core"
local text = require "tidal.text"

local hex <const> = core.u64.hex
local M = {}

local function range_text(range)
  return ("s%d [%s..%s]"):format(range.shard, hex(range.first),
                                 hex(range.last))
end

local function count_text(first, last)
  local less_one = last - first
  if less_one == 0 then return "1 id" end
  return ("%s ids"):format(less_one == -1 and "18446744073709551616"
                           or core.u64.str(less_one + 1))
end

-- " (line 15)", when the line is known and another one.
local function line_text(line, other)
  return line and line ~= other and (" (line %d)"):format(line) or ""
end

local function on_line(line)
  return line and (" on line %d"):format(line) or ""
end

-- How each kind of fault that C finds reads: f is the fault, a and b the
-- ranges concerned, with their lines.
local SAY = {
  overlap = function(f, a, b)
    local fix = "fix: leave one of the two out"
    if core.u64.lt(a.first, b.first) then
      fix = ("fix: last = %s%s (bounds are inclusive)")
            :format(hex(b.first - 1), on_line(a.line))
    end
    return ("%s overlaps %s%s\n  shared: %s, %s..%s; %s"):format(
      range_text(a), range_text(b), line_text(b.line, a.line),
      count_text(f.bound, f.got), hex(f.bound), hex(f.got), fix)
  end,
  gap = function(f, a, b)
    return ("gap: no shard owns %s..%s (%s)\n  between %s and %s%s; "
            .. "fix: last = %s%s, or first = %s%s"):format(
      hex(f.bound), hex(f.got), count_text(f.bound, f.got), range_text(a),
      range_text(b), line_text(b.line, a.line), hex(f.got),
      on_line(a.line), hex(f.bound), on_line(b.line))
  end,
  not_from_zero = function(_, a)
    return ("gap: no shard owns the ids below %s\n  fix: first = \"0x0\"%s")
           :format(range_text(a), on_line(a.line))
  end,
  not_to_last = function(_, a)
    return ("gap: no shard owns the ids above %s\n  "
            .. "fix: last = \"0xffffffffffffffff\"%s")
           :format(range_text(a), on_line(a.line))
  end,
  inverted = function(_, a)
    return ("%s ends before it starts\n  fix: swap first and last%s")
           :format(range_text(a), on_line(a.line))
  end,
}

-- Passes a fault of the C check on as one of the layout.
local function report(fault, list, found)
  local function side(i)
    local range = i and list[i]
    if range and range.entry then
      range.line = found:line(("routing[%d]"):format(range.entry))
    end
    return range
  end
  local a, b = side(fault.index), side(fault.other)
  local say = SAY[fault.code]
  if say and a then
    local path = a.entry and ("routing[%d]"):format(a.entry) or "routing"
    found:add(path, say(fault, a, b), a.line)
  else
    found:add("routing", fault.message)
  end
end

local KEYS <const> = { shard = true, first = true, last = true }

-- What a script may write for a shard or an id, as a number; nil for the
-- rest. Integers come first: tables of 65,536 ranges are made of them.
local function shard_number(value)
  if math.type(value) == "integer" then return value end
  local ok, shard = pcall(core.shard, value)
  return ok and shard.value or nil
end

local function id_number(value)
  if math.type(value) == "integer" then return value end
  local ok, id = pcall(core.u64.parse, value)
  return ok and id or nil
end

-- One record of a list: numbers checked, or the fault added and nil.
local function check_record(record, path, shards, found)
  if type(record) ~= "table" then
    found:add_format(path, "{ shard =, first =, last = } expected, got %s",
                     tostring(record))
    return nil
  end
  local good = true
  for key in next, record do
    if not KEYS[key] then
      found:add_format(path, "unknown key %s: only shard, first, last",
                       tostring(key))
      good = false
    end
  end
  local out = {}
  local shard = shard_number(record.shard)
  if not shard or shard < 0 or shard >= shards then
    found:add_format(path, "shard: s0..s%d expected, got %s", shards - 1,
                     tostring(record.shard))
    good = false
  else
    out.shard = shard
  end
  out.first, out.last = id_number(record.first), id_number(record.last)
  if not out.first then
    found:add(path .. ".first", M.id_fault(record.first))
  end
  if not out.last then found:add(path .. ".last", M.id_fault(record.last)) end
  return good and out.first and out.last and out or nil
end

---What is wrong with a value that is not an id, and how to write it.
function M.id_fault(value)
  if math.type(value) == "float" then
    return ("got the float %.17g; a decimal above 2^63-1 is a float in Lua: "
            .. "write it as text, \"18446744073709551615\" or "
            .. "\"0xffffffffffffffff\""):format(value)
  end
  return ("an id expected (an integer, \"0x\" and 1-16 hex digits, or "
          .. "decimal text up to \"18446744073709551615\"), got %s")
         :format(type(value) == "string" and ("%q"):format(value)
                 or tostring(value))
end

local function from_text(given, shards, found)
  local list, faults = text.ranges(given)
  local start = found.index and found.index.strings
            and found.index.strings.routing
  local function line_of(n) return start and n and start + n - 1 end
  for _, fault in ipairs(faults or {}) do
    found:add("routing", fault.message, line_of(fault.line))
  end
  if not list then return nil end
  local good = true
  for _, range in ipairs(list) do
    range.line = line_of(range.line)
    if range.shard >= shards then
      found:add("routing", ("s%d is not a shard of this layout (s0..s%d)")
                           :format(range.shard, shards - 1), range.line)
      good = false
    end
  end
  return list, good
end

local function from_list(given, shards, found)
  local list, good = {}, true
  for i, record in ipairs(given) do
    local range = check_record(record, ("routing[%d]"):format(i), shards,
                               found)
    good = good and range ~= nil
    if range then
      range.entry = i
      list[#list + 1] = range
    end
  end
  for key in next, given do
    if math.type(key) ~= "integer" or key < 1 or key > #given then
      found:add_format("routing", "only a list of ranges, got the key %s",
                       tostring(key))
      good = false
    end
  end
  return list, good
end

-- The ranges a script gave, as numbers, and whether they are all of them.
-- Nil after adding faults that leave nothing to look at.
local function read(given, shards, found)
  if type(given) == "string" then return from_text(given, shards, found) end
  if type(given) == "table" then return from_list(given, shards, found) end
  found:add_format("routing", "a list of ranges or text expected, got %s",
                   tostring(given))
  return nil
end

-- What is wrong between ranges even if others are missing from the list.
local BETWEEN <const> = { overlap = true, inverted = true }

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
  local list, whole = read(routing.ranges, shards, found)
  if not list then return nil end
  if #list == 0 and not whole then return nil end
  if #list == 0 then
    found:add("routing", "has no ranges: every id needs a shard")
    return nil
  end
  if #list > 65536 then
    found:add_format("routing", "has %d ranges, at most 65536 are possible",
                     #list)
    return nil
  end
  local ok, result = pcall(core.router[strategy], list)
  if ok then return whole and result or nil end
  if not core.is_error(result) then error(result, 0) end
  for _, fault in ipairs(result.faults or { result }) do
    if whole or BETWEEN[fault.code] then report(fault, list, found) end
  end
  return nil
end

return M
