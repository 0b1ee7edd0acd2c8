-- The id that has a given XXH3-64: over 8 bytes that hash is a bijection,
-- step by step reversible. With it the boundaries of a hash_ranges table can
-- be routed as ids instead of being sampled.
local core = require "tidal.core"

local M = {}

local FACTOR <const> = 0x9fb21c651e98df25  -- XXH3 for 4 to 8 bytes

-- Odd numbers have an inverse modulo 2^64: Newton doubles its right bits.
local function inverse(odd)
  local out = odd
  for _ = 1, 6 do out = out * (2 - odd * out) end
  return out
end

local UNFACTOR <const> = inverse(FACTOR)

local function rotated(x, bits)
  return x << bits | x >> (64 - bits)
end

-- Undoes x ~ rotated(x, 49) ~ rotated(x, 24). As a polynomial p over bits,
-- p^64 = 1, so the inverse is p^63 = p * p^2 * p^4 * ... * p^32, and a square
-- doubles the distances.
local function unspread(x)
  for k = 0, 5 do
    x = x ~ rotated(x, (49 << k) % 64) ~ rotated(x, (24 << k) % 64)
  end
  return x
end

local function unmix(x)
  x = (x ~ (x >> 28) ~ (x >> 56)) * UNFACTOR
  x = (x ~ ((x >> 35) + 8)) * UNFACTOR
  return unspread(x)
end

local FLIP <const> = unmix(core.hash(0))  -- from the secret: id 0 is all of it

---@param hash integer
---@return integer id with core.hash(id) == hash
function M.id(hash)
  return rotated(unmix(hash) ~ FLIP, 32)
end

return M
