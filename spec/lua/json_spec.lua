-- JSON written: the order that is given, and valid whatever the bytes.
local json = require "tidal.json"
local locale = require "spec.support.locale"
local gen = dofile "spec/support/gen.lua"
local raised = dofile "spec/support/raised.lua"

describe("json.encode", function()
  local rows = {
    { "null", json.null, "null" }, { "true", true, "true" }, { "false", false, "false" },
    { "an integer", 42, "42" }, { "the largest integer", math.maxinteger, "9223372036854775807" },
    { "the smallest integer", math.mininteger, "-9223372036854775808" },
    { "a float", 0.5, "0.5" }, { "a whole float", 2.0, "2.0" }, { "a long float", 0.1, "0.1" },
    { "all digits of a float", 1 / 3, "0.3333333333333333" },
    { "seventeen digits", 0.1 + 0.2, "0.30000000000000004" }, { "a large float", 1e300, "1e+300" },
    { "2^53 as a float", 2.0 ^ 53, "9007199254740992.0" }, { "minus zero", -0.0, "-0.0" },
    { "the smallest float", 4.9406564584124654e-324, "4.94065645841247e-324" },
    { "a text", "abc", '"abc"' }, { "an empty text", "", '""' },
    { "quotes and backslashes", [["\/]], [["\"\\/"]] },
    { "control characters", "\0\1\b\t\n\v\f\r\27\31\127",
      [["\u0000\u0001\b\t\n\u000b\f\r\u001b\u001f\u007f"]] },
    { "UTF-8 as it is", "ä€😀\u{10FFFF}", '"ä€😀\u{10FFFF}"' },
    { "bytes that are no UTF-8", "a\xFFb", [["a\ufffdb"]] },
    { "one mark for each such byte", "\x80\xC3\xE2\x82", [["\ufffd\ufffd\ufffd\ufffd"]] },
    { "an overlong form", "\xC0\x80", [["\ufffd\ufffd"]] },
    { "a surrogate in UTF-8", "\xED\xA0\x80x", [["\ufffd\ufffd\ufffdx"]] },
    { "a code point past the last", "\xF4\x90\x80\x80", [["\ufffd\ufffd\ufffd\ufffd"]] },
    { "escapes beside such bytes", '"\xFF\n', [["\"\ufffd\n"]] },
    { "a list", { 1, "a", { true } }, '[1,"a",[true]]' },
    { "an empty table as an object", {}, "{}" }, { "an empty list", json.list {}, "[]" },
    { "a marked list", json.list { 1 }, "[1]" },
    { "false and null in a list", { false, json.null }, "[false,null]" },
    { "keys in order", { b = 1, a = 2, ["10"] = 3, ["9"] = 4 }, '{"10":3,"9":4,"a":2,"b":1}' },
    { "an object in its order", json.object { { "b", 1 }, { "a", { 2 } } }, '{"b":1,"a":[2]}' },
    { "an empty object", json.object {}, "{}" },
    { "no pair without a value", json.object { { "a", nil }, { "b", 1 }, { "c" } }, '{"b":1}' },
    { "no pair that is false", json.object { { "a", 1 }, false, { "b", false } },
      '{"a":1,"b":false}' },
    { "escapes in keys", { ["\n\xFF"] = 1 }, [[{"\n\ufffd":1}]] },
    { "raw text", json.object { { "a", json.raw '[1, 2]' } }, '{"a":[1, 2]}' },
    { "the same table twice", (function() local t = { 1 } return { t, t } end)(), "[[1],[1]]" },
  }
  for _, row in ipairs(rows) do
    it("writes " .. row[1], function() assert.equal(row[3], json.encode(row[2])) end)
  end

  local circle = {}
  circle[1] = circle
  local refused = {
    { "nothing", nil, "a nil has no JSON form" },
    { "a function", print, "a function has no JSON form" },
    { "not-a-number", 0 / 0, tostring(0 / 0) .. " has no JSON form" },
    { "infinity", math.huge, "inf has no JSON form" },
    { "minus infinity", -math.huge, "-inf has no JSON form" },
    { "what is deep inside, naming the place", { a = { 1, json.object { { "b", print } } } },
      "a[2].b: a function has no JSON form" },
    { "a list with a hole", { 1, nil, 3 }, "a list with holes or other keys" },
    { "a marked list without a first", json.list { [2] = 1 }, "a list with holes or other keys" },
    { "a list with other keys", { x = { 1, 2, n = 2 } }, "x: a list with holes or other keys" },
    { "a table that begins at 2", { [2] = 1 }, "a key must be text" },
    { "keys that are no text", { [true] = 1 }, "a key must be text" },
    { "a pair whose key is no text", json.object { { 1, 2 } }, "a key must be text" },
    { "a pair without a key", json.object { { nil, 2 } }, "a key must be text" },
    { "a key twice", json.object { { "a", 1 }, { "b", 1 }, { "a", 2 } }, "the key 'a' twice" },
    { "a circle", circle, "nested deeper than 100" },
  }
  for _, row in ipairs(refused) do
    it("refuses " .. row[1], function()
      assert.equal("json: " .. row[3], raised(json.encode, row[2]))
    end)
  end

  it("names the place behind a place that was left", function()
    local value = json.object { { "a", { { 1 }, { 2 } } }, { "b", print } }
    assert.equal("json: b: a function has no JSON form", raised(json.encode, value))
  end)

  local function nested(depth, wrap)
    local value = wrap(1)
    for _ = 2, depth do value = wrap(value) end
    return value
  end
  it("takes 100 levels, not 101", function()
    for _, wrap in ipairs {
      function(v) return { v } end, function(v) return { a = v } end,
      function(v) return json.object { { "a", v } } end,
    } do
      assert.equal(1, select(2, json.encode(nested(100, wrap)):gsub("1", "")))
      assert.equal("json: nested deeper than 100", raised(json.encode, nested(101, wrap)))
    end
  end)

  it("changes no table that it writes", function()
    local given = { b = { 2, 1 }, a = json.object { { "x", 1 } } }
    json.encode(given)
    assert.same({ b = { 2, 1 }, a = { { "x", 1 } } }, given)
    assert.is_nil(getmetatable(given))
  end)
end)

describe("json.encode with an indent", function()
  it("puts each entry on a line", function()
    local value = json.object { { "a", { 1, { b = 2 } } }, { "c", json.list {} }, { "d", {} } }
    assert.equal([[
{
  "a": [
    1,
    {
      "b": 2
    }
  ],
  "c": [],
  "d": {}
}]], json.encode(value, { indent = 2 }))
  end)

  it("keeps a single value on its line", function()
    assert.equal('"a"', json.encode("a", { indent = 4 }))
  end)

  it("writes one line without one", function()
    assert.equal('{"a":[1,2]}', json.encode({ a = { 1, 2 } }, {}))
  end)

  it("may have no blanks", function()
    assert.equal("[\n1\n]", json.encode({ 1 }, { indent = 0 }))
  end)
end)

describe("json.list and json.object", function()
  it("give back the table they were given", function()
    local t = {}
    assert.equal(t, json.list(t))
    local pairs_of_it = { { "a", 1 } }
    assert.equal(pairs_of_it, json.object(pairs_of_it))
  end)

  it("null shows itself", function() assert.equal("null", tostring(json.null)) end)
end)

local KEYS <const> = { "", "a", "b", '"\\', "\n\t", "ä", "0", "a\0b" }

-- Any value JSON can hold.
local function any(stream, depth)
  local kind = stream:int(1, depth > 0 and 8 or 6)
  if kind == 1 then return stream:u64() end
  if kind == 2 then return stream:pick { true, false, json.null } end
  if kind == 3 then return stream:weight() end
  if kind == 4 then return string.unpack("<d", stream:bytes(6) .. "\0\63") end
  if kind == 5 then return utf8.char(stream:int(0, 0xd7ff), stream:int(0xe000, 0x10ffff)) end
  if kind == 6 then return stream:pick(KEYS) end
  local out = kind == 7 and json.list {} or {}
  for i = 1, stream:int(0, 4) do
    out[kind == 7 and i or stream:pick(KEYS)] = any(stream, depth - 1)
  end
  return out
end

local function same(a, b)
  if type(a) ~= "table" or a == json.null then
    return a == b and math.type(a) == math.type(b)
  end
  if getmetatable(a) ~= getmetatable(b) then return false end
  for key in pairs(a) do
    if not same(a[key], b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

describe("json in a locale with a comma", function()
  it("has points", function()
    assert.equal("[0.5,1e+300,2.0,1.5e-07]\ttrue\n", locale.printed [[
      local json = require "tidal.json"
      local text = json.encode { 0.5, 1e300, 2.0, 1.5e-7 }
      print(text, json.decode(text)[4] == 1.5e-7)]])
  end)

  it("has no number of which Lua does not find the point", function()
    assert.equal("json: too long a number at offset 5\n", locale.printed [[
      local text = '{"a":1.' .. ("3"):rep(300) .. "}"
      print((select(2, pcall(require "tidal.json".decode, text))))]])
  end)

  it("has them in plans too", function()
    assert.equal("true\n", locale.printed [[
      local routing = tidal.routing.hash()
      local function of(shards)
        return tidal.cluster { name = "a", regions = { "r" }, shards = shards, epoch = shards,
                               routing = routing }
      end
      local text = of(2):diff(of(3)):json()
      print(text:find('"share":0.', 1, true) ~= nil and not text:find "%d,%d")]])
  end)
end)

describe("json", function()
  it("reads back every value, one line or many", function()
    gen.property("json round trip", 1000, function(stream)
      local value = any(stream, 4)
      local line, lines = json.encode(value), json.encode(value, { indent = 1 })
      local fine = same(value, json.decode(line)) and same(value, json.decode(lines))
      return not fine and line
    end)
  end)

  it("writes valid JSON whatever the bytes", function()
    gen.property("json bytes", 1000, function(stream)
      local given = stream:bytes(stream:int(0, 12))
      local value = json.decode(json.encode(given))
      return utf8.len(given) and value ~= given and ("%q"):format(given)
    end)
  end)
end)
