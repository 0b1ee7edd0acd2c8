-- The tokens of Lua source texts, and the numerals that Lua changes.
local lexer = require "tidal.lexer"
local gen = dofile "spec/support/gen.lua"
local raised = dofile "spec/support/raised.lua"

describe("lexer and text", function()
  for _, path in ipairs { "lua/tidal/lexer.lua", "lua/tidal/text.lua" } do
    it("say what to install: " .. path, function()
      local function without_lpeg(name)
        return name == "lpeg" and error "module 'lpeg' not found" or require(name)
      end
      local env = setmetatable({ require = without_lpeg }, { __index = _G })
      assert.equal("lpeg is missing: apt-get install lua-lpeg",
                   raised(assert(loadfile(path, "t", env))))
    end)
  end
end)

-- "kind word" or "kind" for each token.
local function tokens_of(source)
  local tokens, out = lexer.open(source), {}
  while tokens.kind ~= "end of text" do
    out[#out + 1] = tokens.word and tokens.kind .. " " .. tokens.word or tokens.kind
    tokens:advance()
  end
  return out
end

describe("lexer.advance", function()
  local rows = {
    { "names and keywords", "a _b1 end ending goto",
      { "name a", "name _b1", "end end", "name ending", "goto goto" } },
    { "keys of tables", "a = 1 b=2 c == d e --x\n = 3 f--[[x]]=4", {
      "key a", "number 1", "key b", "number 2", "name c", "==", "name d", "key e", "number 3",
      "key f", "number 4" } },
    { "operators that look alike", "a.b a..b a...b ~= <= >= :: : = == // << >> / - < .", {
      "name a", ".", "name b", "name a", "..", "name b", "name a", "...", "name b",
      "~=", "<=", ">=", "::", ":", "=", "==", "//", "<<", ">>", "/", "-", "<", "." } },
    { "numerals", "1 0x1F .5 5. 1e3 1E-3 0x.8p+1 0xA.bP-2 3e", {
      "number 1", "number 0x1F", "number .5", "number 5.", "number 1e3", "number 1E-3",
      "number 0x.8p+1", "number 0xA.bP-2", "number 3e" } },
    { "numerals at operators", "1-2 a.1 a..1 1+.5 0x1-2", {
      "number 1", "-", "number 2", "name a", "number .1", "name a", "..", "number 1",
      "number 1", "+", "number .5", "number 0x1", "-", "number 2" } },
    { "malformed numerals as one", "1..2 0xg 12abc", {
      "number 1..2", "number 0xg", "number 12abc" } },
    { "strings", [["a" 'b' "" '' "'" '"' "a\"b" 'a\'b' "\\" x]], {
      "string", "string", "string", "string", "string", "string", "string", "string", "string",
      "name x" } },
    { "escapes over line ends", '"a\\\nb" "\\\r\n" "\\\n\rc" "\\z \r\n\t d" x',
      { "string", "string", "string", "string", "name x" } },
    { "escapes of numbers", [["\x41\065\u{20AC}\n" x]], { "string", "name x" } },
    { "long strings", "[[a]] [==[ ]] ]=] ]==] [=[\n]=] x", { "long", "long", "long", "name x" } },
    { "brackets", "a[b[1]] [ [", {
      "name a", "[", "name b", "[", "number 1", "]", "]", "[", "[" } },
    { "comments", "a--b\nc--[[d\n]]e--[==[f]]\n]==]g--[=x\nh--", {
      "name a", "name c", "name e", "name g", "name h" } },
    { "minus beside comments", "a - --x\n- b", { "name a", "-", "-", "name b" } },
    { "a first line with #", "#!/usr/bin/tidal-lua 'x\na", { "name a" } },
    { "a byte order mark", "\xEF\xBB\xBFa", { "name a" } },
    { "a byte order mark and #", "\xEF\xBB\xBF#x\na", { "name a" } },
    { "# elsewhere as the operator", " #x", { "#", "name x" } },
    { "a text with # only", "#x", {} },
    { "nothing", "", {} },
    { "bytes that are not Lua", "a \0 $ \xFF b", {
      "name a", "\0", "$", "\xFF", "name b" } },
    { "no further than an open string", "a 'b\n' c", { "name a" } },
    { "no further than a string without an end", 'a "b', { "name a" } },
    { "no further than a backslash at the end", 'a "b\\', { "name a" } },
    { "no further than an open long string", "a [=[ b ]]", { "name a" } },
    { "no further than an open comment", "a --[=[ b ]]\nc", { "name a" } },
  }
  for _, row in ipairs(rows) do
    it("knows " .. row[1], function() assert.same(row[3], tokens_of(row[2])) end)
  end

  it("stays at the end", function()
    local tokens = lexer.open "a '"
    for _ = 1, 3 do
      tokens:advance()
      assert.equal("end of text", tokens.kind)
    end
  end)

  local function read(path)
    local file = assert(io.open(path, "rb"))
    local source = file:read "a"
    file:close()
    return source
  end

  -- What stands between two tokens, without its comments.
  local function gap(source)
    return " " .. source:gsub("[^\n]", "")
  end

  it("reads this project's Lua as Lua does", function()
    local bad, count = {}, 0
    for path in assert(io.popen "find lua spec -name '*.lua' | LC_ALL=C sort"):lines() do
      local source = read(path)
      local tokens, out, from = lexer.open(source), {}, 1
      while tokens.kind ~= "end of text" do
        out[#out + 1] = gap(source:sub(from, tokens.at - 1))
        out[#out + 1] = source:sub(tokens.at, tokens.behind - 1)
        from = tokens.behind
        tokens:advance()
      end
      out[#out + 1] = gap(source:sub(from))
      local ours, theirs = load(table.concat(out), "=x"), load(source, "=x")
      count = count + 1
      if not ours or string.dump(ours) ~= string.dump(theirs) then bad[#bad + 1] = path end
    end
    assert.same({}, bad)
    assert.is_true(count > 10)
  end)
end)

describe("lexer.accept", function()
  it("goes on over the kind that is asked for only", function()
    local tokens = lexer.open "a ,"
    assert.is_false(tokens:accept ",")
    assert.is_true(tokens:accept "name")
    assert.equal(",", tokens.kind)
  end)
end)

describe("lexer.line and lexer.content_line", function()
  local rows = {
    { "a short string", "\n'a'", 2, 2 },
    { "a string behind a line end in a string", "'a\\\nb' \n 'c'", 1, 1, 3 },
    { "a long string on one line", "\n[[a]]", 2, 2 },
    { "a long string behind a line end", "[[\na]]", 1, 2 },
    { "a long string behind a pair", "[==[\r\na]==]", 1, 2 },
    { "a long string behind two line ends", "[[\n\na]]", 1, 2 },
    { "a long string behind a blank", "[[ \na]]", 1, 1 },
    { "an empty long string", "\n\n[[]]", 3, 3 },
    { "tokens behind long comments", "--[[\n\n]] a", 3, 3 },
  }
  for _, row in ipairs(rows) do
    it("tell the lines of " .. row[1], function()
      local tokens = lexer.open(row[2])
      assert.same({ row[3], row[4] }, { tokens:line(), tokens:content_line() })
      tokens:advance()
      if row[5] then assert.equal(row[5], tokens:line()) end
    end)
  end
end)

describe("lexer.literals", function()
  local function literals_of(source)
    local tokens, out = lexer.open(source), {}
    while tokens.kind ~= "end of text" do tokens:advance() end
    for i, found in ipairs(tokens.literals) do
      out[i] = ("%d %s %s"):format(found.line, found.text, found.why)
    end
    return out
  end

  local TAIL <const> = " hex digits: Lua's lexer silently keeps the last 16"
  local rows = {
    { "hex up to 16 digits", "0xffffffffffffffff 0X7FFFFFFFFFFFFFFF 0x0", {} },
    { "zeros in front", "0x00000000000000001 00000000000000000000000009", {} },
    { "17 hex digits", "x =\n0x10000000000000000", { "2 0x10000000000000000 has 17" .. TAIL } },
    { "17 hex digits behind zeros, in capitals", "0X00FFFFFFFFFFFFFFFFF",
      { "1 0X00FFFFFFFFFFFFFFFFF has 17" .. TAIL } },
    { "decimals up to 2^63-1", "9223372036854775807 0 123", {} },
    { "2^63", "9223372036854775808",
      { '1 9223372036854775808 becomes a float: write "9223372036854775808" as text' } },
    { "2^63 behind a minus", "-9223372036854775808",
      { '1 9223372036854775808 becomes a float: write "9223372036854775808" as text' } },
    { "2^64-1 behind zeros", "\n\n0018446744073709551615",
      { '3 0018446744073709551615 becomes a float: write "18446744073709551615" as text' } },
    { "2^64", "18446744073709551616", { "1 18446744073709551616 becomes a float, "
      .. "and is above 18446744073709551615, the last id" } },
    { "floats on purpose", "18446744073709551615.0 18446744073709551615. 1e300 "
      .. "0x10000000000000000p0 0x10000000000000000.0 99999999999999999999e1", {} },
    { "strings and comments", "'0x10000000000000000' [[0x10000000000000000]] "
      .. "--0x10000000000000000\n--[[18446744073709551616]]", {} },
    { "names", "x0x10000000000000000 _18446744073709551616", {} },
    { "malformed numerals", "0x10000000000000000g 18446744073709551616x", {} },
    { "all in order", "f(0x10000000000000000,\n{18446744073709551616})", {
      "1 0x10000000000000000 has 17" .. TAIL, "2 18446744073709551616 becomes a float, "
      .. "and is above 18446744073709551615, the last id" } },
  }
  for _, row in ipairs(rows) do
    it("look at " .. row[1], function() assert.same(row[3], literals_of(row[2])) end)
  end

  it("name exactly those numerals that are not what they show", function()
    gen.property("lexer.literals", 2000, function(stream)
      local hex = stream:once_in(2)
      local digits = {}
      for i = 1, stream:int(14, 21) do
        digits[i] = stream:pick(hex and { "0", "1", "9", "a", "F" } or { "0", "1", "8", "9" })
      end
      local numeral = (hex and "0x" or "") .. table.concat(digits)
      local significant = table.concat(digits):gsub("^0+", ""):lower()
      local value = load("return " .. numeral)()
      local shown = math.type(value) == "integer" and (hex and "%x" or "%d"):format(value)
      local right = shown == significant or value == 0 and significant == ""
      return right ~= (#literals_of(numeral) == 0) and numeral
    end)
  end)
end)
