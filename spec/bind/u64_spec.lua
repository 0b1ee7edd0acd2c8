-- tidal.u64: 64-bit patterns as unsigned numbers.
local core = require "tidal.core"
local gen = dofile "spec/support/gen.lua"
local oracle = dofile "spec/support/oracle.lua"
local raised = dofile "spec/support/raised.lua"
local u64 = core.u64

local HIGH <const> = math.mininteger  -- 2^63

describe("u64.parse", function()
  local cases = {
    { "decimal", "42", 42 }, { "zero", "0", 0 }, { "zeros in front", "007", 7 },
    { "2^63-1", "9223372036854775807", math.maxinteger }, { "2^63", "9223372036854775808", HIGH },
    { "2^64-1", "18446744073709551615", -1 }, { "hex", "0x2a", 42 },
    { "hex above 2^63", "0x8000000000000000", HIGH }, { "16 digits", "0xffffffffffffffff", -1 },
    { "capitals", "0XFF", 255 }, { "an integer", 42, 42 }, { "a negative integer", -1, -1 },
  }
  for _, case in ipairs(cases) do
    it("reads " .. case[1], function() assert.equal(case[3], u64.parse(case[2])) end)
  end

  for _, text in ipairs { "", " 1", "1 ", "+1", "-1", "1.0", "1e3", "0x", "0xg", "x1",
                          "18446744073709551616", "99999999999999999999",
                          "000000000000000000001", "0x00000000000000001", "1_000", "²" } do
    it(("refuses %q"):format(text), function()
      assert.matches('"0x" and 1-16 hex digits, or decimal text up to "18446744073709551615" '
                     .. 'expected, got "' .. text, raised(u64.parse, text), 1, true)
    end)
  end

  it("refuses floats, however whole", function()
    for _, float in ipairs { 0.0, 1.0, 2.0 ^ 53, 2.0 ^ 63, -1.0, 1 / 0, 0 / 0 } do
      assert.matches("expected, got the float ", raised(u64.parse, float))
    end
  end)
end)

describe("u64 text", function()
  it("is 0x and 16 digits, or decimal", function()
    assert.equal("0x000000000000002a", u64.hex(42))
    assert.equal("0xffffffffffffffff", u64.hex(-1))
    assert.equal("18446744073709551615", u64.str(-1))
    assert.equal("9223372036854775808", u64.str(HIGH))
    assert.equal("0", u64.str(0))
    assert.equal(-1, u64.max)
  end)

  it("goes both ways", function()
    gen.property("u64 text", 5000, function(g)
      local a = g:u64()
      if u64.parse(u64.hex(a)) ~= a or u64.parse(u64.str(a)) ~= a
         or u64.str(a) ~= oracle.decimal(a) or u64.hex(a) ~= ("0x%016x"):format(a) then
        return u64.hex(a)
      end
    end)
  end)
end)

describe("u64 order", function()
  it("is unsigned", function()
    assert.equal(1, u64.cmp(-1, 1))
    assert.equal(-1, u64.cmp(math.maxinteger, HIGH))
    assert.equal(0, u64.cmp(HIGH, "0x8000000000000000"))
    assert.is_true(u64.lt(0, -1))
    assert.is_true(u64.le(-1, -1))
    assert.is_false(u64.lt(-1, -1))
  end)

  it("is that of math.ult", function()
    gen.property("u64 order", 5000, function(g)
      local a, b = g:u64(), g:u64()
      local less, equal = math.ult(a, b), a == b
      if u64.lt(a, b) ~= less or u64.le(a, b) ~= (less or equal)
         or u64.cmp(a, b) ~= (equal and 0 or less and -1 or 1) then
        return u64.hex(a) .. " " .. u64.hex(b)
      end
    end)
  end)
end)

describe("u64 arithmetic", function()
  local cases = {
    { "add", 1, 2, 3 }, { "add", math.maxinteger, 1, HIGH }, { "add", -2, 1, -1 },
    { "sub", -1, -1, 0 }, { "sub", HIGH, 1, math.maxinteger }, { "sub", 5, 0, 5 },
    { "mul", 0, -1, 0 }, { "mul", -1, 1, -1 }, { "mul", 1 << 32, 1 << 31, HIGH },
    { "div", -1, 2, math.maxinteger }, { "div", -1, -1, 1 }, { "div", 1, HIGH, 0 },
    { "mod", -1, 10, 5 }, { "mod", HIGH, 3, 2 }, { "mod", 7, 7, 0 },
    { "tonumber", -1, nil, 2.0 ^ 64 }, { "tonumber", HIGH, nil, 2.0 ^ 63 },
  }
  for _, case in ipairs(cases) do
    local name, a, b, want = table.unpack(case, 1, 4)
    it(("%s(%s, %s) is %s"):format(name, a, b, want), function()
      assert.equal(want, u64[name](a, b))
      assert.equal(math.type(want), math.type(u64[name](a, b)))
    end)
  end

  local refusals = {
    { "add", -1, 1, "the sum is above 2^64-1" }, { "add", HIGH, HIGH, "the sum is above 2^64-1" },
    { "sub", 0, 1, "the difference is below 0" }, { "sub", 1, HIGH, "the difference is below 0" },
    { "mul", HIGH, 2, "the product is above 2^64-1" },
    { "mul", 1 << 32, 1 << 32, "the product is above 2^64-1" },
    { "div", 1, 0, "division by zero" }, { "mod", -1, 0, "division by zero" },
  }
  for _, case in ipairs(refusals) do
    it(("%s(%s, %s) is refused"):format(case[1], case[2], case[3]), function()
      assert.equal("bad argument #2 (" .. case[4] .. ")", raised(u64[case[1]], case[2], case[3]))
    end)
  end

  it("complains about the first wrong operand", function()
    for _, name in ipairs { "cmp", "lt", "le", "add", "sub", "mul", "div", "mod" } do
      assert.matches("^bad argument #1 ", raised(u64[name], nil, nil))
      assert.matches("^bad argument #2 ", raised(u64[name], 1, nil))
    end
  end)

  it("undoes itself", function()
    gen.property("u64 arithmetic", 5000, function(g)
      local a, b = g:u64(), g:u64()
      if b == 0 then b = 1 end
      local quotient, rest = u64.div(a, b), u64.mod(a, b)
      if quotient * b + rest ~= a or not math.ult(rest, b) then
        return ("%s div, mod %s"):format(u64.hex(a), u64.hex(b))
      end
      local fits = u64.le(b, -1 - a)
      local fine, sum = pcall(u64.add, a, b)
      if fine ~= fits or fits and u64.sub(sum, b) ~= a then
        return ("%s + %s"):format(u64.hex(a), u64.hex(b))
      end
      local product_fits = u64.le(a, u64.div(-1, b))
      fine, sum = pcall(u64.mul, a, b)
      if fine ~= product_fits or fine and u64.div(sum, b) ~= a then
        return ("%s * %s"):format(u64.hex(a), u64.hex(b))
      end
    end)
  end)
end)
