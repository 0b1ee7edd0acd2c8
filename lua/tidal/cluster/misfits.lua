-- Ranges that do not fit together, as faults of a layout: both sides named,
-- their lines, how many ids are concerned, and the fix.
--
-- Where one change mends the whole table (cluster/mend.lua), every fault
-- names that one; else each fault names what would help between its two.
local core = require "tidal.core"
local mend = require "tidal.cluster.mend"

local M = {}

local hex <const>, lt <const> = core.u64.hex, core.u64.lt

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

-- "5 ids, 0x05..0x09"
local function ids_text(first, last)
  if first == last then return "1 id, " .. hex(first) end
  return ("%s, %s..%s"):format(count_text(first, last), hex(first),
                               hex(last))
end

-- " (line 15)", when the line is known and another one.
local function line_text(line, other)
  return line and line ~= other and (" (line %d)"):format(line) or ""
end

local function place_of(range)
  if range.line then return (" on line %d"):format(range.line) end
  if range.entry then return (" in routing[%d]"):format(range.entry) end
  return range.text_line
     and (" on line %d of the text"):format(range.text_line) or ""
end

local function path_of(range)
  return range.entry and ("routing[%d]"):format(range.entry) or "routing"
end

-- Finds the lines of ranges that have none, and how many stand in each place.
local function crowds_of(list, found)
  local crowds = {}
  for _, range in ipairs(list) do
    if range.entry then range.line = found:line(path_of(range)) end
    local place = place_of(range)
    crowds[place] = (crowds[place] or 0) + 1
  end
  return crowds
end

-- "last = 0x09 on line 14", with the shard if that line has more ranges.
local function bound_text(range, key, value, crowds)
  local place = place_of(range)
  local of = crowds[place] == 1 and "" or (" of s%d"):format(range.shard)
  return ("%s%s = %s%s"):format(key, of, hex(value), place)
end

-- What would help between two ranges where no single change mends all.
local FIX = {
  overlap = function(_, a, b, crowds)
    if lt(a.first, b.first) then
      return bound_text(a, "last", b.first - 1, crowds)
    end
    return "leave one of the two out"
  end,
  gap = function(f, a, b, crowds)
    return bound_text(a, "last", f.got, crowds) .. ", or "
        .. bound_text(b, "first", f.bound, crowds)
  end,
  not_from_zero = function(_, a, _, crowds)
    return bound_text(a, "first", 0, crowds)
  end,
  not_to_last = function(_, a, _, crowds)
    return bound_text(a, "last", -1, crowds)
  end,
  inverted = function(_, a)
    return "swap first and last" .. place_of(a)
  end,
}

-- How each kind of fault that C finds reads: f is the fault, a and b the
-- ranges concerned.
local SAY = {
  overlap = function(f, a, b)
    return ("%s overlaps %s%s; shared: %s"):format(
      range_text(a), range_text(b), line_text(b.line, a.line),
      ids_text(f.bound, f.got))
  end,
  gap = function(f, a, b)
    return ("gap: no shard owns %s, between %s and %s%s"):format(
      ids_text(f.bound, f.got), range_text(a), range_text(b),
      line_text(b.line, a.line))
  end,
  not_from_zero = function(_, a)
    return ("gap: no shard owns the %s below %s"):format(
      count_text(0, a.first - 1), range_text(a))
  end,
  not_to_last = function(_, a)
    return ("gap: no shard owns the %s above %s"):format(
      count_text(a.last + 1, -1), range_text(a))
  end,
  inverted = function(_, a)
    return range_text(a) .. " ends before it starts"
  end,
}

local function change_text(change, crowds)
  local range = change.range
  if change.key == "drop" then
    return ("leave out %s%s"):format(range_text(range), place_of(range))
  elseif change.key == "both" then
    return ("swap first and last of %s%s"):format(range_text(range),
                                                  place_of(range))
  end
  return bound_text(range, change.key, change.value, crowds)
end

-- The changes that mend everything, as text; nil if there are none.
local function mended_by(list, crowds)
  local changes, out = mend.find(list), {}
  if #changes == 2 and changes[1].key == "drop" then
    return "leave one of the two out"
  end
  for i, change in ipairs(changes) do out[i] = change_text(change, crowds) end
  return #out > 0 and table.concat(out, ", or ") or nil
end

local function add(fault, list, fix, crowds, found)
  local a = fault.index and list[fault.index]
  local b = fault.other and list[fault.other]
  if not SAY[fault.code] or not a then
    found:add("routing", fault.message)
    return
  end
  fix = fix or FIX[fault.code](fault, a, b, crowds)
  local inclusive = fault.code == "overlap" and fix:find "="
                and " (bounds are inclusive)" or ""
  local say = SAY[fault.code](fault, a, b)
  found:add(path_of(a), ("%s. fix: %s%s"):format(say, fix, inclusive), a.line)
end

-- What is wrong between ranges even if others are missing from the list.
local BETWEEN <const> = { overlap = true, inverted = true }

---Adds the faults that the C check found in a list of ranges.
---@param wrong table[] its errors
---@param list table[] the ranges, see cluster/ranges.lua
---@param whole boolean whether the list holds all that the script gave
---@param found table of tidal.faults
function M.report(wrong, list, whole, found)
  local crowds = crowds_of(list, found)
  local fix = whole and mended_by(list, crowds) or nil
  for _, fault in ipairs(wrong) do
    if whole or BETWEEN[fault.code] then
      add(fault, list, fix, crowds, found)
    end
  end
end

return M
