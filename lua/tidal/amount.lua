-- Amounts with units, read exactly and shown at a glance.
--
--   kind "size"      "512", "64MiB", "1.5GB", "2 TiB"    <-> bytes
--   kind "duration"  "250ms", "1.5s", "10m", "24h", "7d" <-> nanoseconds
--
-- An amount that is read never passes through a float; one that is shown is
-- rounded to what a reader can take in.
local M = {}

-- Units as pairs of name and factor.
local KINDS <const> = {
  size = {
    form = "is not a size (512, 64MiB, 1.5GB)", base = "bytes",
    { "", 1 }, { "B", 1 }, { "kB", 1000 }, { "KB", 1000 },
    { "MB", 1000000 }, { "GB", 1000000000 }, { "TB", 1000000000000 },
    { "KiB", 1 << 10 }, { "MiB", 1 << 20 }, { "GiB", 1 << 30 },
    { "TiB", 1 << 40 },
  },
  duration = {
    form = "is not a duration (250ms, 1.5s, 10m, 24h, 7d)",
    base = "nanoseconds",
    { "ns", 1 }, { "us", 1000 }, { "ms", 1000000 }, { "s", 1000000000 },
    { "m", 60000000000 }, { "h", 3600000000000 }, { "d", 86400000000000 },
  },
}

-- The digits before and behind the point, and the unit that follows them;
-- nothing for a text of another form.
local function split(text)
  local whole, rest = text:match "^(%d+)(.*)$"
  local fraction, behind = (rest or ""):match "^%.(%d+)(.*)$"
  local unit = behind or rest
  if unit and unit ~= "" then unit = unit:match "^[ \t]*(%a+)$" end
  if unit then return whole, fraction or "", unit end
end

local function factor_of(unit, kind)
  local names = {}
  for _, known in ipairs(kind) do
    if known[1] == unit then return known[2] end
    if known[1] ~= "" then table.insert(names, known[1]) end
  end
  return nil, (unit == "" and "has no unit" or "has an unknown unit")
    .. " (one of " .. table.concat(names, " ") .. ")"
end

-- whole.fraction times factor. The fraction is multiplied as by hand, from
-- its last digit on: each digit of the product that stands behind the point
-- must be 0.
local function product(whole, fraction, factor, base)
  local carry = 0
  for i = #fraction, 1, -1 do
    carry = carry + (fraction:byte(i) - 48) * factor
    if carry % 10 ~= 0 then return nil, "is not a whole number of " .. base end
    carry = carry // 10
  end
  local count = math.tointeger(tonumber(whole))
  if not count or count > (math.maxinteger - carry) // factor then
    return nil, ("is above %d %s"):format(math.maxinteger, base)
  end
  return count * factor + carry
end

--- Reads an amount.
---@param text string
---@param kind "size"|"duration"
---@return integer? amount in bytes or nanoseconds, 0..2^63-1
---@return string? why a phrase about the text: "has no unit (...)"
function M.read(text, kind)
  kind = KINDS[kind]
  local whole, fraction, unit
  if type(text) == "string" then whole, fraction, unit = split(text) end
  if not whole then return nil, kind.form end
  local factor, why = factor_of(unit, kind)
  if not factor then return nil, why end
  return product(whole, fraction, factor, kind.base)
end

-- An integer is a 64-bit pattern.
local function unsigned(n)
  if math.type(n) == "integer" and n < 0 then return n + 2.0 ^ 64 end
  return n
end

-- n in the first unit that shows it below 1000 with one decimal, else in the
-- last one; in the smallest unit without decimals.
local function scaled(n, names)
  if n < 999.5 then return ("%.0f %s"):format(n, names[1]) end
  local i = 1
  repeat
    n, i = n / 1000, i + 1
  until n < 999.95 or i == #names
  return ("%.1f %s"):format(n, names[i])
end

--- A number of bytes: "999 B", "32.6 kB".
---@param n number an integer is a 64-bit pattern
---@return string
function M.bytes(n)
  return scaled(unsigned(n), { "B", "kB", "MB", "GB", "TB", "PB", "EB" })
end

--- A time span: "250.0 ms", "1.5 s", "4m01s", "2h05m", "3d04h".
---@param n number nanoseconds; an integer is a 64-bit pattern
---@return string
function M.nanoseconds(n)
  n = unsigned(n)
  if n < 59.95e9 then return scaled(n, { "ns", "us", "ms", "s" }) end
  local function rounded(unit) return math.floor(n / unit + 0.5) end
  local seconds, minutes, hours = rounded(1e9), rounded(60e9), rounded(3600e9)
  if seconds < 3600 then
    return ("%dm%02ds"):format(seconds // 60, seconds % 60)
  elseif minutes < 1440 then
    return ("%dh%02dm"):format(minutes // 60, minutes % 60)
  end
  return ("%dd%02dh"):format(hours // 24, hours % 24)
end

return M
