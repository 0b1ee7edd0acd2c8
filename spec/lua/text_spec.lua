-- Ids, amounts and routing tables as people write them.
local text = require "tidal.text"
local gen = dofile "spec/support/gen.lua"

local LAST <const> = "18446744073709551615"

describe("text.id", function()
  local rows = {
    { "0", 0 }, { "0x0", 0 }, { "42", 42 }, { "0x2a", 42 }, { "0X2A", 42 },
    { "0xAbCdEf", 0xabcdef },
    { "007", 7 }, { "00000000000000000007", 7 }, { "0x000000000000002a", 42 },
    { "999999999999999999", 999999999999999999 }, { "1000000000000000000", 1000000000000000000 },
    { "9223372036854775807", math.maxinteger }, { "9223372036854775808", math.mininteger },
    { "9999999999999999999", 0x8ac7230489e7ffff },
    { "10000000000000000000", 0x8ac7230489e80000 }, { "18446744073709551614", -2 }, { LAST, -1 },
    { "0x7fffffffffffffff", math.maxinteger }, { "0x8000000000000000", math.mininteger },
    { "0xffffffffffffffff", -1 }, { "0xFFFFFFFFFFFFFFFE", -2 },
  }
  for _, row in ipairs(rows) do
    it("reads " .. row[1], function()
      local id, why = text.id(row[1])
      assert.equal(row[2], id)
      assert.equal("integer", math.type(id))
      assert.is_nil(why)
    end)
  end

  local form = ' is not an id ("0x" and 1-16 hex digits, or decimal up to ' .. LAST .. ")"
  local refused = {
    { "", "''" .. form }, { "0x", "'0x'" .. form }, { " 1", "' 1'" .. form },
    { "1 ", "'1 '" .. form }, { "1\n", "'1?'" .. form }, { "1\0", "'1?'" .. form },
    { "+1", "'+1'" .. form }, { "-1", "'-1'" .. form }, { "-0x1", "'-0x1'" .. form },
    { "1e3", "'1e3'" .. form }, { "0x1p4", "'0x1p4'" .. form }, { "1.0", "'1.0'" .. form },
    { "0xg", "'0xg'" .. form }, { "2a", "'2a'" .. form }, { "x2a", "'x2a'" .. form },
    { "1_000", "'1_000'" .. form }, { 42, "a number" .. form }, { nil, "a nil" .. form },
    { "18446744073709551616", "'18446744073709551616' is above " .. LAST .. ", the last id" },
    { "99999999999999999999", "'99999999999999999999' is above " .. LAST .. ", the last id" },
    { "000000000000000000001", "'000000000000000000001' is above " .. LAST .. ", the last id" },
    { "0x10000000000000000",
      "'0x10000000000000000' has 17 hex digits, an id has at most 16" },
    { "0x00000000000000001",
      "'0x00000000000000001' has 17 hex digits, an id has at most 16" },
    { ("ä"):rep(30), "'" .. ("ä"):rep(20) .. "...'" .. form },
    { "a" .. ("ä"):rep(30), "'a" .. ("ä"):rep(19) .. "...'" .. form },
  }
  for _, row in ipairs(refused) do
    it(("refuses %q"):format(tostring(row[1])), function()
      assert.same({ nil, row[2] }, { text.id(row[1]) })
    end)
  end

  it("agrees with what the library takes", function()
    local found, core = pcall(require, "tidal.core")
    if not found then return pending "no tidal.core here" end
    gen.property("text.id", 2000, function(stream)
      local form_of = stream:pick { text.hex, text.decimal, tostring,
                                    function(id) return ("0X%X"):format(id) end }
      local given = form_of(stream:u64())
      local at = stream:int(1, #given)
      if stream:once_in(2) then
        given = given:sub(1, at - 1) .. stream:pick { "", "0", "9", "f", "x", " ", "." }
          .. given:sub(at)
      end
      local fine, id = pcall(core.u64.parse, given)
      local ours = text.id(given)
      return ours ~= (fine and id or nil) and ("%q is %s and %s"):format(given, ours, id)
    end)
  end)
end)

describe("text.hex and text.decimal", function()
  local rows = {
    { 0, "0x0000000000000000", "0" }, { 42, "0x000000000000002a", "42" },
    { math.maxinteger, "0x7fffffffffffffff", "9223372036854775807" },
    { math.mininteger, "0x8000000000000000", "9223372036854775808" },
    { math.mininteger + 1, "0x8000000000000001", "9223372036854775809" },
    { -7, "0xfffffffffffffff9", "18446744073709551609" },
    { -6, "0xfffffffffffffffa", "18446744073709551610" },
    { -2, "0xfffffffffffffffe", "18446744073709551614" }, { -1, "0xffffffffffffffff", LAST },
  }
  for _, row in ipairs(rows) do
    it("write " .. row[3], function()
      assert.same({ row[2], row[3] }, { text.hex(row[1]), text.decimal(row[1]) })
    end)
  end

  it("give what text.id takes back", function()
    gen.property("text.hex", 2000, function(stream)
      local id = stream:u64()
      if text.id(text.hex(id)) ~= id then return text.hex(id) end
      if text.id(text.decimal(id)) ~= id then return text.decimal(id) end
    end)
  end)
end)

describe("text.size, text.duration, text.rate", function()
  local rows = {
    { "size", "64MiB", 64 << 20 },
    { "size", "64Mb", nil,
      "'64Mb' has an unknown unit (one of B kB KB MB GB TB KiB MiB GiB TiB)" },
    { "size", nil, nil, "a nil is not a size (512, 64MiB, 1.5GB)" },
    { "duration", "250ms", 250000000 },
    { "duration", "5", nil, "'5' has no unit (one of ns us ms s m h d)" },
    { "rate", "30MB/s", 30000000 }, { "rate", "30 MB /s", 30000000 }, { "rate", "1/s", 1 },
    { "rate", "8388607TiB/s", 8388607 << 40 },
    { "rate", "30MB", nil, "'30MB' is not a rate (30MB/s)" },
    { "rate", "30MB/m", nil, "'30MB/m' is not a rate (30MB/s)" },
    { "rate", "30MB/s ", nil, "'30MB/s ' is not a rate (30MB/s)" },
    { "rate", 30, nil, "a number is not a rate (30MB/s)" },
    { "rate", "0/s", nil, "'0/s' is not above 0" },
    { "rate", "0kB/s", nil, "'0kB/s' is not above 0" },
    { "rate", "/s", nil, "'' is not a size (512, 64MiB, 1.5GB)" },
    { "rate", "8388608TiB/s", nil, "'8388608TiB' is above 9223372036854775807 bytes" },
  }
  for _, row in ipairs(rows) do
    it(("%s %s %q"):format(row[1], row[3] and "takes" or "refuses", tostring(row[2])), function()
      assert.same({ row[3], row[4] }, { text[row[1]](row[2]) })
    end)
  end

  it("have their other way", function()
    assert.equal("32.6 kB, 4m01s", text.bytes(32640) .. ", " .. text.nanoseconds(241000000000))
  end)
end)

describe("text.line_counter", function()
  local rows = {
    { "counts line feeds", "ab\nc\n", { { 1, 1, 1 }, { 3, 1, 3 }, { 4, 2, 1 }, { 6, 3, 1 } } },
    { "takes a pair for one end", "\r\n\n\rx",
      { { 2, 1, 2 }, { 3, 2, 1 }, { 4, 2, 2 }, { 5, 3, 1 } } },
    { "takes two equals for two ends", "\r\r\r\n\n",
      { { 2, 2, 1 }, { 3, 3, 1 }, { 4, 3, 2 }, { 5, 4, 1 }, { 6, 5, 1 } } },
    { "knows an empty text", "", { { 1, 1, 1 } } },
    { "skips many lines at once", ("\n"):rep(99) .. "xy", { { 101, 100, 2 } } },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local counter, got = text.line_counter(row[2]), {}
      for i, want in ipairs(row[3]) do got[i] = { want[1], counter(want[1]) } end
      assert.same(row[3], got)
    end)
  end
end)

-- "1:4 message" for each fault, else "line shard first last" for each range.
local function outcome(given)
  local list, faults = text.ranges(given)
  local out = {}
  for i, range in ipairs(list or {}) do
    out[i] = ("%d s%d %x..%x"):format(range.line, range.shard, range.first, range.last)
  end
  for i, fault in ipairs(faults or {}) do
    out[i] = ("%d:%d %s"):format(fault.line, fault.column, fault.message)
  end
  return out
end

local NO_ID <const> = ' is not an id ("0x" and 1-16 hex digits, or decimal up to ' .. LAST .. ")"

describe("text.ranges", function()
  local rows = {
    { "takes a table", "s0 0x0..0x3333333333333333   s1 0x3333333333333334.." .. LAST,
      { "1 s0 0..3333333333333333", "1 s1 3333333333333334..ffffffffffffffff" } },
    { "takes lines, commas and blanks in any number", "\n s0 0..1,s1 2..3\r\n,,\ts2 4..5\f\v\n",
      { "2 s0 0..1", "2 s1 2..3", "3 s2 4..5" } },
    { "takes blanks inside an entry", "s0\n0 ..\n 1 s1 2.. 3", { "1 s0 0..1", "3 s1 2..3" } },
    { "skips comments, also glued ones", "-- s9 1..2\ns0 0..1--x\ns1--y\n2..--z\n3 --",
      { "2 s0 0..1", "3 s1 2..3" } },
    { "takes the first and the last shard", "s0 0..0 s65535 1..1",
      { "1 s0 0..0", "1 s65535 1..1" } },
    { "takes halves above 2^63", "s1 9223372036854775808..0xFFFFFFFFFFFFFFFF",
      { "1 s1 8000000000000000..ffffffffffffffff" } },
    { "leaves order, gaps and inverted ranges to others", "s1 9..8 s1 9..8",
      { "1 s1 9..8", "1 s1 9..8" } },
    { "takes no entries", " -- none\n", {} },
    { "takes nothing", "", {} },

    { "refuses a shard past the last", "s65536 0..1 s0 2..3",
      { "1:1 a shard (s0..s65535) expected, found 's65536'" } },
    { "refuses leading zeros", "s00 0..1\ns01 2..3", {
      "1:1 a shard (s0..s65535) expected, found 's00'",
      "2:1 a shard (s0..s65535) expected, found 's01'" } },
    { "refuses a capital", "s0 0..1\n  S1 2..3",
      { "2:3 a shard (s0..s65535) expected, found 'S1'" } },
    { "refuses a range without a shard", "0..1 s1 2..3",
      { "1:1 a shard (s0..s65535) expected, found '0'" } },
    { "skips to the next shard", "shard0 0..1 x y -z .. 1 s1 2..x",
      { "1:1 a shard (s0..s65535) expected, found 'shard0'", "1:31 'x'" .. NO_ID } },
    { "refuses a lone bracket", "s0 0..1 }", { "1:9 a shard (s0..s65535) expected, found '}'" } },
    { "names both bad ids of a range", "s0 0xg..0x11111111111111111\ns1 -1..1e5", {
      "1:4 '0xg'" .. NO_ID, "1:9 '0x11111111111111111' has 17 hex digits, an id has at most 16",
      "2:4 '-1'" .. NO_ID, "2:8 '1e5'" .. NO_ID } },
    { "refuses an id past the last", "s0 0..18446744073709551616",
      { "1:7 '18446744073709551616' is above " .. LAST .. ", the last id" } },
    { "misses the first id", "s0 s1 ..2 s2, s3", {
      "1:4 the first id of a range expected, found 's1'",
      "1:7 the first id of a range expected, found '..'",
      "1:13 the first id of a range expected, found ','",
      "1:17 the first id of a range expected, found the end of the text" } },
    { "misses the dots", "s0 0 1 s1 2 s2 3, s3 4", {
      "1:6 '..' expected, found '1'", "1:13 '..' expected, found 's2'",
      "1:17 '..' expected, found ','", "1:23 '..' expected, found the end of the text" } },
    { "misses the last id", "s0 0.. s1 1..,s2 2.. .. s3 3..", {
      "1:8 the last id of a range expected, found 's1'",
      "1:14 the last id of a range expected, found ','",
      "1:22 the last id of a range expected, found '..'",
      "1:31 the last id of a range expected, found the end of the text" } },
    { "says once that an id swallowed the dots", "s0 0x0-0x7 s1 0.7, s2 0xz 9", {
      "1:4 '0x0-0x7'" .. NO_ID, "1:15 '0.7'" .. NO_ID, "1:23 '0xz'" .. NO_ID,
      "1:27 '..' expected, found '9'" } },
    { "refuses a third bound", "s0 0..1..2", { "1:8 a shard (s0..s65535) expected, found '..'" } },
    { "refuses three dots", "s0 0...1", { "1:7 '.1'" .. NO_ID } },
    { "looks at the bounds behind a wrong shard", "0..x s70000 y..1 S1 2..z", {
      "1:1 a shard (s0..s65535) expected, found '0'", "1:4 'x'" .. NO_ID,
      "1:6 a shard (s0..s65535) expected, found 's70000'", "1:13 'y'" .. NO_ID,
      "1:18 a shard (s0..s65535) expected, found 'S1'", "1:24 'z'" .. NO_ID } },
    { "looks at what follows a wrong bound", "s0 0..x y s1 2.. S1 3..z", {
      "1:7 'x'" .. NO_ID, "1:9 a shard (s0..s65535) expected, found 'y'",
      "1:18 the last id of a range expected, found 'S1'",
      "1:18 a shard (s0..s65535) expected, found 'S1'", "1:24 'z'" .. NO_ID } },
    { "ends comments where Lua ends lines", "s0 0..1--\rs1 2..3", { "1 s0 0..1", "2 s1 2..3" } },
    { "counts lines as Lua does", "s0 0..1\r\n\rs1 0..x\n\r  s2 y..1",
      { "3:7 'x'" .. NO_ID, "4:6 'y'" .. NO_ID } },
  }
  for _, row in ipairs(rows) do
    it(row[1], function() assert.same(row[3], outcome(row[2])) end)
  end

  it("reads 65536 entries", function()
    local out = {}
    for i = 0, 65535 do
      local first = i << 48
      out[i + 1] = ("s%d %s..%s"):format(i, text.hex(first), text.hex(first | (1 << 48) - 1))
    end
    local list = text.ranges(table.concat(out, "\n"))
    assert.equal(65536, #list)
    assert.same({ shard = 65535, first = 0xffff << 48, last = -1, line = 65536 }, list[65536])
  end)

  it("shows every fault of a long text", function()
    local list, faults = text.ranges(("s0 0x0..x\n"):rep(5000))
    assert.is_nil(list)
    assert.equal(5000, #faults)
    assert.same({ line = 5000, column = 9, message = "'x'" .. NO_ID }, faults[5000])
  end)

  local BREAKS <const> = { " ", "\n", "\r\n", " \t", "-- s1 0..1\n", "\n\n" }
  it("gives every table back, however it is written", function()
    gen.property("text.ranges", 300, function(stream)
      local out, want, line = {}, {}, 1
      local function blank(list)
        local piece = stream:pick(list)
        line = line + select(2, piece:gsub("\n", ""))
        out[#out + 1] = piece
      end
      for i, range in ipairs(stream:ranges(stream:int(1, 8), 65536)) do
        local form = stream:pick { text.hex, text.decimal }
        want[i] = { shard = range.shard, first = range.first, last = range.last, line = line }
        out[#out + 1] = "s" .. range.shard
        blank(BREAKS)
        out[#out + 1] = form(range.first)
        if stream:once_in(3) then blank(BREAKS) end
        out[#out + 1] = ".."
        if stream:once_in(3) then blank(BREAKS) end
        out[#out + 1] = form(range.last)
        blank { " ", "\n", ",", ", ", " ,\n", "--\n" }
      end
      local given = table.concat(out)
      local got = text.ranges(given)
      for i, range in ipairs(want) do
        for key, value in pairs(range) do
          if not got or not got[i] or got[i][key] ~= value then return given end
        end
      end
      return #got ~= #want and given
    end)
  end)

  it("loses no entry without a word: what is left over is a fault", function()
    local WORDS <const> = { "s0", "s1", "S2", "s70000", "..", ",", "0", "0x1", "x", "-" }
    gen.property("text.ranges, soup", 2000, function(stream)
      local out = {}
      for i = 1, stream:int(1, 10) do out[i] = stream:pick(WORDS) end
      local given = table.concat(out, " ") .. " "
      local list, faults = text.ranges(given)
      local rest, count = given:gsub("s[01] 0?x?[01] %.%. 0?x?[01] ", "")
      local clean = not rest:find "[^ ,]"
      if clean ~= (list ~= nil) then return given end
      if list and #list ~= count then return given end
      return not list and #faults == 0 and given
    end)
  end)
end)
