-- JSON read strictly.
local json = require "tidal.json"
local reader = require "tidal.json_reader"
local raised = dofile "spec/support/raised.lua"

local null = reader.null

describe("json_reader.decode", function()
  local rows = {
    { "an integer", "42", 42 }, { "zero", "0", 0 }, { "a negative integer", "-7", -7 },
    { "the largest integer", "9223372036854775807", math.maxinteger },
    { "the smallest integer", "-9223372036854775808", math.mininteger },
    { "an integer beyond as a float", "9223372036854775808", 2.0 ^ 63 },
    { "a whole float as a float", "1.0", 1.0 }, { "a fraction", "-0.5", -0.5 },
    { "an exponent as a float", "1e3", 1000.0 }, { "all of a float", "12.5E-1", 1.25 },
    { "an exponent with a plus", "1e+2", 100.0 },
    { "true", "true", true }, { "false", "false", false }, { "null", "null", null },
    { "blanks around", " \t\r\n1 \t\r\n", 1 },
    { "a text", '"ab c"', "ab c" }, { "an empty text", '""', "" },
    { "escapes", [["\"\\\/\b\f\n\r\t"]], '"\\/\b\f\n\r\t' },
    { "escaped code points", [["\u0041\u00e4\u20AC\u0000"]], "Aä€\0" },
    { "a surrogate pair", [["\ud83d\uDE00"]], "\u{1F600}" },
    { "the first and last pair", [["\ud800\udc00\udbff\udfff"]], "\u{10000}\u{10FFFF}" },
    { "neighbours of surrogates", [["\ud7ff\ue000"]], "\u{D7FF}\u{E000}" },
    { "UTF-8 as it is", '"ä€😀"', "ä€😀" }, { "DEL in a text", '"\127"', "\127" },
    { "a list", "[1, 2 ,[3]]", { 1, 2, { 3 } } }, { "an empty list", "[ ]", {} },
    { "null in a list", "[null,1]", { null, 1 } },
    { "an object", '{"a" : 1 , "b":{"c":[]}}', { a = 1, b = { c = {} } } },
    { "an empty object", "{ }", {} }, { "an empty key", '{"":1}', { [""] = 1 } },
    { "a key that looks like a number", '{"1":2}', { ["1"] = 2 } },
  }
  for _, row in ipairs(rows) do
    it("reads " .. row[1], function()
      local value = reader.decode(row[2])
      assert.same(row[3], value)
      assert.equal(math.type(row[3]), math.type(value))
    end)
  end

  it("tells an empty list from an empty object", function()
    assert.equal('[[],{}]', json.encode(reader.decode "[[],{}]"))
  end)

  local refused = {
    { "nothing", "", "a value expected at offset 0" },
    { "a vertical tab", "\v1", "a value expected at offset 0" },
    { "a form feed", "1\f", "more than one value at offset 1" },
    { "blanks only", "  ", "a value expected at offset 2" },
    { "two values", "1 2", "more than one value at offset 2" },
    { "a bracket behind", "[1]]", "more than one value at offset 3" },
    { "another word", " nul", "a value expected at offset 1" },
    { "a longer word", "trueish", "a value expected at offset 0" },
    { "a capital", "True", "a value expected at offset 0" },
    { "not-a-number", "NaN", "a value expected at offset 0" },
    { "a byte order mark", "\u{FEFF}1", "a value expected at offset 0" },
    { "a comment", "/**/1", "a value expected at offset 0" },
    { "a single quote", "'a'", "a value expected at offset 0" },
    { "a leading zero", "[01]", "a bad number at offset 1" },
    { "a leading plus", "+1", "a value expected at offset 0" },
    { "a lone minus", "-", "a bad number at offset 0" },
    { "minus and a word", "-true", "a bad number at offset 0" },
    { "a point without digits", "1.", "a bad number at offset 0" },
    { "a point in front", ".5", "a value expected at offset 0" },
    { "an exponent without digits", "1e", "a bad number at offset 0" },
    { "a sign without exponent digits", "1e+", "a bad number at offset 0" },
    { "hex", "0x10", "a bad number at offset 0" },
    { "two points", "1.2.3", "a bad number at offset 0" },
    { "a number glued to a word", "1true", "a bad number at offset 0" },
    { "a float that is none", "1e999", "a number beyond every float at offset 0" },
    { "a negative float that is none", "-1e999", "a number beyond every float at offset 0" },
    { "a text without an end", ' "ab', "text without an end at offset 1" },
    { "an escaped end", '"ab\\"', "text without an end at offset 0" },
    { "a line end in a text", '"a\nb"', "a control character in text at offset 2" },
    { "a zero byte in a text", '"\0"', "a control character in text at offset 1" },
    { "an unknown escape", [["a\x41"]], "a bad escape at offset 2" },
    { "three hex digits", [["\u004"]], "a bad escape at offset 1" },
    { "the end behind a backslash", '"\\', "a bad escape at offset 1" },
    { "a low surrogate alone", [["\udc00"]], "half a surrogate pair at offset 1" },
    { "the last low surrogate alone", [["\udfff"]], "half a surrogate pair at offset 1" },
    { "two low surrogates", [["\udc00\udc00"]], "half a surrogate pair at offset 1" },
    { "a high surrogate alone", [["\ud800x"]], "half a surrogate pair at offset 1" },
    { "two high surrogates", [["\ud800\udbff"]], "half a surrogate pair at offset 1" },
    { "bytes that are no UTF-8", '"a\xFF"', "a byte that is no UTF-8 at offset 2" },
    { "an overlong form", '"\xC0\x80"', "a byte that is no UTF-8 at offset 1" },
    { "a surrogate in UTF-8", '"\xED\xA0\x80"', "a byte that is no UTF-8 at offset 1" },
    { "a list without an end", "[1", "',' or ']' expected at offset 2" },
    { "a list closed as an object", "[1}", "',' or ']' expected at offset 2" },
    { "a comma at the end of a list", "[1,]", "a value expected at offset 3" },
    { "a comma in front", "[,1]", "a value expected at offset 1" },
    { "entries without a comma", "[1 2]", "',' or ']' expected at offset 3" },
    { "an object without an end", '{"a":1', "',' or '}' expected at offset 6" },
    { "a comma at the end of an object", '{"a":1,}', "a key expected at offset 7" },
    { "a key without quotes", "{a:1}", "a key expected at offset 1" },
    { "a number as a key", "{1:1}", "a key expected at offset 1" },
    { "a key without a value", '{"a"}', "':' expected at offset 4" },
    { "a colon without a value", '{"a":}', "a value expected at offset 5" },
    { "a key for the second time", '{"a":1,"\\u0061":2}', "a key for the second time at offset 7" },
    { "a second key behind null", '{"a":null,"a":2}', "a key for the second time at offset 10" },
    { "a second key behind false", '{"a":false,"a":2}', "a key for the second time at offset 11" },
  }
  for _, row in ipairs(refused) do
    it("refuses " .. row[1], function()
      assert.equal("json: " .. row[3], raised(reader.decode, row[2]))
    end)
  end

  it("takes 100 levels, not 101", function()
    for _, form in ipairs { { "[", "]" }, { '{"a":', "}" } } do
      local open, close = form[1], form[2]
      local leaf = open == "[" and "" or "0"
      assert.is_table(reader.decode(open:rep(100) .. leaf .. close:rep(100)))
      assert.equal(("json: nested deeper than 100 at offset %d"):format(100 * #open),
                   raised(reader.decode, open:rep(101) .. leaf .. close:rep(101)))
      assert.equal(("json: nested deeper than 100 at offset %d"):format(100 * #open),
                   raised(reader.decode, open:rep(1000000)))
    end
  end)

  it("refuses every text that is cut short", function()
    local whole = [[{"a":[1,-2.5e3,"x\u00e4\n",true,null,{}],"b":"ä"}]]
    assert.is_table(reader.decode(whole))
    local taken = {}
    for size = 0, #whole - 1 do
      if not raised(reader.decode, whole:sub(1, size)) then taken[#taken + 1] = size end
    end
    assert.same({}, taken)
  end)
end)
