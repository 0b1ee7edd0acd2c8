local precheck = require "tidal.hermetic.precheck"

describe("code()", function()
  local rows = {
    { "return 1", "return 1" }, { "#!/x\nreturn 1", "\nreturn 1" }, { "\xEF\xBB\xBFreturn",
      "return" },
    { "\xEF\xBB\xBF#x\r\ny", "\ny" }, { "#", "" }, { "", "" }, { "\n#x", "\n#x" },
  }
  for _, row in ipairs(rows) do
    it(("makes %q of %q"):format(row[2], row[1]), function()
      assert.equal(row[2], precheck.code(row[1]))
    end)
  end
end)

describe("fault()", function()
  local function chain(link, count) return "local a = f return a" .. link:rep(count) end
  local fine = {
    "", "return 1", chain(".b", 1000), chain("()", 1000), chain("[1]", 1000), chain(":b''", 500),
    ("("):rep(150) .. (")"):rep(150), ("a.b = 1 "):rep(5000), ("f(a) "):rep(5000),
    ("a = b .. "):rep(5000), ("f{1} "):rep(2000), ("x, "):rep(5000), "-- " .. ("a."):rep(5000),
    "return '" .. (".b"):rep(5000) .. "'", "return [[" .. ("(("):rep(5000) .. "]]",
    ("if a then b() end "):rep(1000), ("for i = 1, 2 do f() end "):rep(500), ("-"):rep(262144),
    "}}}))) end end", "[==[", "'",
    ("local function f() return a.b.c end "):rep(500), ("return f(a.b(c.d))"):rep(1),
  }
  for i, text in ipairs(fine) do
    it(("takes text %d: %s"):format(i, text:sub(1, 20)), function()
      assert.is_nil(precheck.fault(text))
    end)
  end

  local refused = {
    { chain(".b", 1001), "1: a chain of more than 1000 suffixes" },
    { chain("\n.b", 1001), "1002: a chain of more than 1000 suffixes" },
    { chain("()", 1001), "1: a chain" }, { chain("[1]", 1001), "1: a chain" },
    { chain("[a.b]", 1001), "1: a chain" }, { chain("{}", 1001), "1: a chain" },
    { chain("''", 1001), "1: a chain" }, { chain(":b''", 501), "1: a chain" },
    { chain("(a.b.c)", 1001), "1: a chain" }, { "f(" .. chain(".b", 1001) .. ")", "1: a chain" },
    { chain(" --x\n .b", 1001), "a chain" }, { "a" .. (".b"):rep(1001) .. " = 1", "1: a chain" },
    { ("("):rep(151), "1: nested deeper than 150" }, { ("\n{"):rep(151), "152: nested deeper" },
    { ("do "):rep(151), "1: nested" }, { ("function f() "):rep(151), "1: nested" },
    { ("if a then "):rep(151), "1: nested" }, { ("repeat "):rep(151), "1: nested" },
    { ("-"):rep(262145), "1: has 262145 bytes, at most 262144 are possible" },
    { "\27Lua", "1: is a binary chunk; a layout is text" }, { "#x\27", nil },
    { "\xEF\xBB\xBF\27", "1: is a binary" },
  }
  for i, row in ipairs(refused) do
    it(("refuses text %d: %s"):format(i, row[1]:sub(1, 20)), function()
      local why = precheck.fault(row[1])
      if row[2] then assert.matches(row[2], why, 1, true) else assert.is_nil(why) end
    end)
  end
end)
