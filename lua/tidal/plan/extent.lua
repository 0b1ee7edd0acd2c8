-- How many keys: 0..2^64, exactly. 2^64 does not fit in 64 bits, so an extent
-- is a value of its own: extents add, subtract, compare, and print as decimal
-- text. Share of 1 = all keys, for pictures.
local core = require "tidal.core"

local M = {}

local Extent = { __name = "tidal.Extent", __metatable = "locked" }

-- whole is true for 2^64; then low is 0.
local function extent(low, whole)
  return setmetatable({ low = low, whole = whole or false }, Extent)
end

local NONE <const>, ALL <const> = extent(0), extent(0, true)

---Nothing, and all 2^64 keys.
M.none, M.all = NONE, ALL

---The keys first..last, both included.
function M.of(first, last)
  local low = last - first + 1
  return low == 0 and ALL or extent(low)
end

---A count below 2^64, as a 64-bit pattern.
function M.count(n)
  return extent(n)
end

---Share of all keys that first..last are, rounded.
function M.share(first, last)
  local less_one = last - first
  if less_one < 0 then less_one = less_one + 2.0 ^ 64 end
  return (less_one + 1.0) / 2.0 ^ 64
end

---Keys h with h % period == residue, of all or of first..last.
---@param residue integer 0..period-1
---@param period integer 1..2^62
---@param first? integer default 0
---@param last? integer default 2^64-1
function M.residues(residue, period, first, last)
  if period == 1 then return M.of(first or 0, last or -1) end
  -- Those in 0..x are floor((x - residue) / period) + 1.
  local function up_to(x)
    if math.ult(x, residue) then return 0 end
    return core.u64.div(x - residue, period) + 1
  end
  local below = (first or 0) == 0 and 0 or up_to(first - 1)
  return extent(up_to(last or -1) - below)
end

---True for an extent.
function M.is(value)
  return type(value) == "table" and rawget(value, "low") ~= nil
     and rawget(value, "whole") ~= nil
end

-- Sums stay within 2^64: what is added up never overlaps.
function Extent.__add(a, b)
  local low = a.low + b.low
  if a.whole or b.whole then
    assert(low == 0 and not (a.whole and b.whole), "more than all keys")
    return ALL
  end
  if not math.ult(low, a.low) then return extent(low) end
  assert(low == 0, "more than all keys")
  return ALL
end

function Extent.__sub(a, b)
  assert(b <= a, "fewer than no keys")
  if a.whole and b == NONE then return ALL end
  return extent(a.low - b.low)
end

function Extent.__eq(a, b)
  return a.low == b.low and a.whole == b.whole
end

function Extent.__lt(a, b)
  if a.whole or b.whole then return not a.whole end
  return math.ult(a.low, b.low)
end

function Extent.__le(a, b)
  return a == b or a < b
end

function Extent.__tostring(self)
  return self.whole and "18446744073709551616" or core.u64.str(self.low)
end

Extent.__index = {
  ---Share of all keys, 0..1, rounded.
  share = function(self)
    return self.whole and 1.0 or core.u64.tonumber(self.low) / 2.0 ^ 64
  end,
}

return M
