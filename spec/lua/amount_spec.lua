-- Amounts with units: exact when read, short when shown.
local amount = require "tidal.amount"
local gen = dofile "spec/support/gen.lua"

local function reads(kind, rows)
  for _, row in ipairs(rows) do
    it(("reads %q as %d"):format(row[1], row[2]), function()
      local value, why = amount.read(row[1], kind)
      assert.equal(row[2], value)
      assert.equal("integer", math.type(value))
      assert.is_nil(why)
    end)
  end
end

local function refuses(kind, rows)
  for _, row in ipairs(rows) do
    it(("refuses %q"):format(tostring(row[1])), function()
      assert.same({ nil, row[2] }, { amount.read(row[1], kind) })
    end)
  end
end

local function shows(f, rows)
  for _, row in ipairs(rows) do
    it(("shows %s as %s"):format(row[1], row[2]), function()
      assert.equal(row[2], f(row[1]))
    end)
  end
end

describe("amount.read, sizes", function()
  reads("size", {
    { "0", 0 }, { "512", 512 }, { "007", 7 }, { "1B", 1 }, { "1kB", 1000 }, { "1KB", 1000 },
    { "1KiB", 1024 }, { "64MiB", 64 << 20 }, { "1MB", 1000000 }, { "1GiB", 1 << 30 },
    { "1GB", 1000000000 }, { "1TB", 1000000000000 }, { "2 TiB", 2 << 40 }, { "2 \tTiB", 2 << 40 },
    { "1.5GB", 1500000000 }, { "1.50GB", 1500000000 }, { "0.5KiB", 512 }, { "12.0", 12 },
    { "0.000000000001TB", 1 }, { "0.0009765625KiB", 1 }, { "1.0000000000TiB", 1 << 40 },
    { "9223372036854775807", math.maxinteger }, { "8388607TiB", 8388607 << 40 },
    { "9223372.036854775807TB", math.maxinteger },
  })

  local FORM <const> = "is not a size (512, 64MiB, 1.5GB)"
  local UNITS <const> = "(one of B kB KB MB GB TB KiB MiB GiB TiB)"
  local ABOVE <const> = "is above 9223372036854775807 bytes"
  local PART <const> = "is not a whole number of bytes"
  refuses("size", {
    { "", FORM }, { " 1", FORM }, { "1 ", FORM }, { "1MB ", FORM }, { "-1", FORM }, { "+1", FORM },
    { ".5GB", FORM }, { "1.", FORM }, { "1.GB", FORM }, { "1,5GB", FORM }, { "1e3", FORM },
    { "0x10", FORM }, { "MB", FORM }, { "1 MB/s", FORM }, { "1\nMB", FORM }, { "1\0", FORM },
    { 512, FORM }, { nil, FORM },
    { "1mb", "has an unknown unit " .. UNITS }, { "1Kb", "has an unknown unit " .. UNITS },
    { "9223372036854775808", ABOVE }, { "9223372.036854775808TB", ABOVE },
    { "8388608TiB", ABOVE }, { "99999999999999999999999999", ABOVE },
    { "0.5", PART }, { "1.5B", PART }, { "0.0000000000001TB", PART }, { "0.1KiB", PART },
    { "8388607.99999999999999999999TiB", PART },
  })

  it("is exact: a third is never whole, a sixteenth is", function()
    assert.is_nil(amount.read("0." .. ("3"):rep(300) .. "TiB", "size"))
    assert.equal(1 << 36, amount.read("0.0625TiB", "size"))
  end)

  it("reads back what is written with all its digits", function()
    local units = { kB = 3, MB = 6, GB = 9, TB = 12 }
    gen.property("amount.read size", 2000, function(stream)
      local unit = stream:pick { "kB", "MB", "GB", "TB" }
      local bytes = stream:next() >> stream:int(1, 63)
      local digits = ("%0" .. units[unit] + 1 .. "d"):format(bytes)
      local text = digits:sub(1, -units[unit] - 1) .. "." .. digits:sub(-units[unit]) .. unit
      local value = amount.read(text, "size")
      return value ~= bytes and ("%s is %s"):format(text, value)
    end)
  end)
end)

describe("amount.read, durations", function()
  reads("duration", {
    { "0s", 0 }, { "1ns", 1 }, { "1us", 1000 }, { "250ms", 250000000 }, { "1.5s", 1500000000 },
    { "10m", 600000000000 }, { "24h", 86400000000000 }, { "7d", 604800000000000 },
    { "7 d", 604800000000000 }, { "0.000000001s", 1 }, { "106751d", 106751 * 86400000000000 },
    { "9223372036.854775807s", math.maxinteger },
  })

  local FORM <const> = "is not a duration (250ms, 1.5s, 10m, 24h, 7d)"
  refuses("duration", {
    { "", FORM }, { "s", FORM }, { "-1s", FORM }, { "1s ", FORM }, { "1h30m", FORM },
    { "1", "has no unit (one of ns us ms s m h d)" },
    { "0", "has no unit (one of ns us ms s m h d)" },
    { "1S", "has an unknown unit (one of ns us ms s m h d)" },
    { "1min", "has an unknown unit (one of ns us ms s m h d)" },
    { "0.5ns", "is not a whole number of nanoseconds" },
    { "106752d", "is above 9223372036854775807 nanoseconds" },
    { "9223372036.854775808s", "is above 9223372036854775807 nanoseconds" },
  })
end)

describe("amount.bytes", function()
  shows(amount.bytes, {
    { 0, "0 B" }, { 1, "1 B" }, { 999, "999 B" }, { 1000, "1.0 kB" }, { 32640, "32.6 kB" },
    { 999949, "999.9 kB" }, { 999950, "1.0 MB" }, { 2411733504, "2.4 GB" },
    { 1000000000000, "1.0 TB" }, { 1 << 50, "1.1 PB" }, { math.maxinteger, "9.2 EB" },
    { math.mininteger, "9.2 EB" }, { -1, "18.4 EB" }, { 1536.5, "1.5 kB" }, { 0.4, "0 B" },
    { 999.7, "1.0 kB" }, { 1e22, "10000.0 EB" },
  })
end)

describe("amount.nanoseconds", function()
  shows(amount.nanoseconds, {
    { 0, "0 ns" }, { 999, "999 ns" }, { 1500, "1.5 us" }, { 999950, "1.0 ms" },
    { 250000000, "250.0 ms" }, { 1500000000, "1.5 s" }, { 59949999999, "59.9 s" },
    { 59950000000, "1m00s" }, { 60000000000, "1m00s" }, { 241000000000, "4m01s" },
    { 3599499999999, "59m59s" }, { 3599500000000, "1h00m" }, { 7500000000000, "2h05m" },
    { 86369999999999, "23h59m" }, { 86370000000000, "1d00h" }, { 273600000000000, "3d04h" },
    { math.mininteger, "106752d00h" }, { -1, "213504d00h" }, { 1.5e9, "1.5 s" },
  })
end)
