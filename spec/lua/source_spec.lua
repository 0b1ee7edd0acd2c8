-- Where the entries of a layout script stand.
local source = require "tidal.source"
local gen = dofile "spec/support/gen.lua"
local layout_text = dofile "spec/support/layout_text.lua"

local function scan(lines)
  return source.scan(table.concat(lines, "\n"))
end

local LAYOUT <const> = {
  "#!/usr/bin/env tidal-lua",                          -- 1
  "local epoch = 3 -- cluster { name = 1 }",
  "--[[ tidal.cluster { name = 2 } ]]",
  "return tidal.cluster {",
  "  name    = 'prod',",                               -- 5
  "  epoch   = epoch,",
  "  regions = { 'us-east', 'eu-west',",
  "    [=[",
  "ap-south]=] },",
  "  shards  = 5;",                                    -- 10
  "  routing = tidal.routing.ranges {",
  "    { shard = 0, first = '0x0', last = '0x7f' },",
  "    {",
  "      shard = 1,",
  "      first = '0x80',",                             -- 15
  "      last = '0xffffffffffffffff',",
  "    },",
  "  },",
  "  leaders = { s0 = 'us-east', ['s1'] = 'eu-west',",
  "    [tidal.shard(2)] = 'ap-south',",                -- 20
  "    ['us-east'] = 1, [3] = 2 },",
  "  rules   = {",
  "    tidal.rules.survives 'region',",
  "    tidal.rules.max_leaders(5),",
  "  },",                                              -- 25
  "}",
}

describe("source.scan", function()
  it("finds every entry of a layout", function()
    local index = scan(LAYOUT)
    assert.same({
      [""] = 4, name = 5, epoch = 6, regions = 7, ["regions[1]"] = 7, ["regions[2]"] = 7,
      ["regions[3]"] = 8, shards = 10, routing = 11, ["routing[1]"] = 12,
      ["routing[1].shard"] = 12, ["routing[1].first"] = 12, ["routing[1].last"] = 12,
      ["routing[2]"] = 13, ["routing[2].shard"] = 14, ["routing[2].first"] = 15,
      ["routing[2].last"] = 16, leaders = 19, ["leaders.s0"] = 19, ["leaders.s1"] = 19,
      ["leaders.s2"] = 20, ['leaders["us-east"]'] = 21, ["leaders[3]"] = 21, rules = 22,
      ["rules[1]"] = 23, ["rules[2]"] = 24,
    }, index.lines)
    assert.same({
      name = 5, ["regions[1]"] = 7, ["regions[2]"] = 7, ["regions[3]"] = 9,
      ["routing[1].first"] = 12, ["routing[1].last"] = 12, ["routing[2].first"] = 15,
      ["routing[2].last"] = 16, ["leaders.s0"] = 19, ["leaders.s1"] = 19, ["leaders.s2"] = 20,
      ["rules[1]"] = 23,
    }, index.strings)
    assert.same({}, index.duplicates)
    assert.same({}, index.literals)
  end)

  -- What stands in return cluster { ... }, and where: paths with lines.
  local rows = {
    { "positions count fields without a key only", "1, a = 2, 3, [9] = 4, 5",
      { ["[1]"] = 1, a = 1, ["[2]"] = 1, ["[9]"] = 1, ["[3]"] = 1 } },
    { "keys of every literal form",
      "['_a1'] = 1, [\"b c\"] = 2, [0x10] = 3, [2.0] = 4, ['end'] = 5",
      { _a1 = 1, ['["b c"]'] = 1, ["[16]"] = 1, ["[2]"] = 1, ["end"] = 1 } },
    { "no computed key, and nothing in its value",
      "[a] = { 1 }, [1 + 1] = { 2 }, ['a' .. 'b'] = {}, [f(1, 2)] = {}, [1.5] = 1, [-1] = 2,\n"
      .. "['a\\65'] = 1, [{ 1 }] = 1, [function() return 1 end] = 2, [ [[x]] ] = 1, b = 1",
      { b = 2 } },
    { "shards as keys",
      "[tidal.shard(3)] = 1, [shard(0xffff)] = 2, [shard(1.5)] = 2,\n[t.u.shard(4)] = 3,\n"
      .. "[shard(n)] = 4, [shard(1, 2)] = 5, [shard(1).value] = 6, [shards(1)] = 7, b = 8",
      { s3 = 1, s65535 = 1, s4 = 2, b = 3 } },
    { "the line of the key, not of the value", "a\n=\n{\nb =\n1 }", { a = 1, ["a.b"] = 4 } },
    { "keys behind comments", "--[[\n]] a --x\n = 1, --\n b --[[\n]] = 2", { a = 2, b = 4 } },
    { "tables in tables", "{ { a = {\n1 } } }",
      { ["[1]"] = 1, ["[1][1]"] = 1, ["[1][1].a"] = 1, ["[1][1].a[1]"] = 2 } },
    { "calls with a table or text", "a = f { 1 }, b = t.f { 1 }, c = t:f { 1 }, d = f 'x'",
      { a = 1, ["a[1]"] = 1, b = 1, ["b[1]"] = 1, c = 1, ["c[1]"] = 1, d = 1 } },
    { "calls in parentheses", "a = f({ 1 }), b = f({ 1 }, { c = 2 }), d = f(g { 3 }), e = f()",
      { a = 1, ["a[1]"] = 1, b = 1, ["b[1]"] = 1, d = 1, ["d[1]"] = 1, e = 1 } },
    { "calls without a key", "f { 1 }, t.f { x = 1 }, f, t.f, f(1)", {
      ["[1]"] = 1, ["[1][1]"] = 1, ["[2]"] = 1, ["[2].x"] = 1, ["[3]"] = 1, ["[4]"] = 1,
      ["[5]"] = 1 } },
    { "computed values as a whole", "a = 1 + 2, b = x == y, c = not { q = 1 }, d = -f { 1 },\n"
      .. "e = (f { 1 }), g = x and { y = 1 } or { z = 2 }, h = #{ 1, 2 }, i = nil, j = ...",
      { a = 1, b = 1, c = 1, d = 1, e = 2, g = 2, h = 2, i = 2, j = 2 } },
    { "what follows a table or call", "a = { 1 } .. { b = 2 }, c = f { 1 } { d = 2 }, e = f 'x'.y",
      { a = 1, ["a[1]"] = 1, c = 1, ["c[1]"] = 1, e = 1 } },
    { "functions as a whole",
      "a = function(x, y) local t = { z = 1, 2 }; if x then return { 1 }, 2\n"
      .. "elseif y then while x do y() end else for i = 1, 2 do end end\n"
      .. "repeat local q = { 1 } until x; do return f(1, 2) end end, b = 1", { a = 1, b = 3 } },
    { "what follows an index", "a = b[1], c = (d[2])[3] .. 'x', e = 1", { a = 1, c = 1, e = 1 } },
    { "semicolons and a last separator", "a = 1; b = 2;\n3;", { a = 1, b = 1, ["[1]"] = 2 } },
    { "no entries", "", {} },
    { "the later of two equal keys", "a = 1,\na = { 2 },\n['a'] = 3", { a = 3, ["a[1]"] = 2 } },
  }
  for _, row in ipairs(rows) do
    it("knows " .. row[1], function()
      local want = { [""] = 1 }
      for path, line in pairs(row[3]) do want[path] = line end
      assert(load("return {" .. row[2] .. "}", "=row"))
      assert.same(want, source.scan("return cluster {" .. row[2] .. "}").lines)
    end)
  end

  local constructors = {
    { "a plain name", "x = cluster {\na = 1 }", { [""] = 1, a = 2 } },
    { "parentheses", "x = tidal.cluster(\n{ a = 1 })", { [""] = 1, a = 2 } },
    { "a method", "x = tidal:cluster { a = 1 }", { [""] = 1, a = 1 } },
    { "any table in front", "x = f().y[1].cluster { a = 1 }", { [""] = 1, a = 1 } },
    { "a function's body", "local function f()\nreturn cluster { a = 1 } end",
      { [""] = 2, a = 2 } },
    { "the one behind return", "local x = cluster { b = 1 }\nreturn tidal.cluster { a = 1 }",
      { [""] = 2, a = 2 } },
    { "a method behind return", "return x:cluster { a = 1 }, cluster { b = 1 }",
      { [""] = 1, a = 1 } },
    { "that one before a later one", "do return cluster { a = 1 } end\nx = cluster { b = 1 }",
      { [""] = 1, a = 1 } },
    { "else the last", "x = cluster { b = 1 }\ny = cluster { a = 1 }", { [""] = 2, a = 2 } },
    { "not what only returns near", "x = cluster { b = 1 } y = f(function() return z end)\n"
      .. "w = cluster { a = 1 }", { [""] = 2, a = 2 } },
    { "no other name", "return tidal.clusters { a = 1 }, xcluster { b = 1 }", {} },
    { "no name without a table",
      "local cluster = tidal.cluster return cluster(x), cluster 'x'", {} },
    { "no key", "return { cluster = { a = 1 } }", {} },
    { "no text and no comment", "return 'cluster { a = 1 }' --cluster { a = 1 }", {} },
  }
  for _, row in ipairs(constructors) do
    it("takes " .. row[1], function() assert.same(row[3], source.scan(row[2]).lines) end)
  end

  it("knows layouts that are wider than deep", function()
    local lines = source.scan("cluster {" .. ("{ f { 1 } },\n"):rep(1000) .. "}").lines
    assert.equal(1000, lines["[1000][1][1]"])
  end)

  it("looks into paths of 400 bytes, not of 401", function()
    for size = 400, 401 do
      local path = ("p"):rep(size)
      local lines = source.scan("cluster {" .. path .. " = { a = { 1 } },\nb = 1 }").lines
      assert.same({ 1, 2 }, { lines[path], lines.b })
      assert.equal(size == 400 and 1 or nil, lines[path .. ".a"])
      assert.is_nil(lines[path .. ".a[1]"])
    end
  end)

  it("tells where literal texts begin", function()
    local index = scan {
      "return cluster {",
      "  a = ranges [[",          -- 2: its content begins on 3
      "    s0 0..1",
      "  ]],",
      "  b = ranges [==[ s0 0..1",
      "  ]==],",
      "  c = ranges(",
      "    [[",                   -- 8
      "",
      "    s0 0..1 ]]), d = 'x',",
      "  'y', e = f { 'z' }, g = 1, h = { i = [[]] }, j = x .. 'y', k = f(1, 'y'),",
      "}",
    }
    assert.same({ a = 3, b = 5, c = 9, d = 10, ["[1]"] = 11, ["e[1]"] = 11, ["h.i"] = 11 },
                index.strings)
  end)

  it("hands on what the lexer finds in the whole text", function()
    local found = scan { "x = 0x10000000000000000", "return cluster { a = 9223372036854775808 }",
                         "y = 18446744073709551616" }.literals
    assert.same({ 1, 2, 3 }, { found[1].line, found[2].line, found[3].line })
    assert.equal("0x10000000000000000", found[1].text)
  end)

  it("reports keys that stand twice, each once", function()
    local index = scan { "return cluster {", "a = { b = 1,", "b = 2 },", "a = { b = 3, 4 },",
                         "c = 1, [1] = 5,", "6, s3 = 1,", "[shard(3)] = 2 }" }
    assert.same({
      { path = "a.b", line = 3, first = 2 }, { path = "a", line = 4, first = 2 },
      { path = "[1]", line = 6, first = 5 }, { path = "s3", line = 7, first = 6 },
    }, index.duplicates)
  end)
end)

describe("source.scan, of any layout,", function()
  it("finds all, where it was put", function()
    gen.property("source.scan", 300, function(stream)
      local text, want = layout_text(stream)
      local lines = source.scan(text).lines
      for path, line in pairs(want) do
        if lines[path] ~= line then return path .. " in\n" .. text end
      end
      for path in pairs(lines) do
        if not want[path] then return path .. " invented in\n" .. text end
      end
    end)
  end)
end)

describe("index:line", function()
  local index = scan(LAYOUT)
  local rows = {
    { "name", 5 }, { "routing[2].last", 16 }, { "routing[2].weight", 13 }, { "routing[2]", 13 },
    { "routing[9].last", 11 }, { "regions[2][1].x", 7 }, { "leaders.s9", 19 },
    { 'leaders["us-east"]', 21 }, { 'leaders["eu.[w]est"]', 19 }, { "wieght", 4 },
    { "wieght[1].x", 4 }, { "", 4 },
  }
  for _, row in ipairs(rows) do
    it(("finds %q"):format(row[1]), function() assert.equal(row[2], index:line(row[1])) end)
  end

  it("is nil without a constructor", function()
    assert.is_nil(source.scan("return {}"):line "name")
  end)
end)

describe("source.scan on what is not a layout", function()
  local whole = table.concat(LAYOUT, "\n")
  it("gives what was there before the text broke", function()
    local index = source.scan(whole:sub(1, whole:find("'0x80'", 1, true) + 2))
    assert.equal(15, index.lines["routing[2].first"])
    assert.is_nil(index.strings["routing[2].first"])
    assert.is_nil(index.lines["routing[2].last"])
  end)

  it("never raises, wherever a script ends", function()
    for size = 0, #whole do source.scan(whole:sub(1, size)) end
  end)

  local PIECES <const> = {
    "cluster", "cluster {", "return", "tidal.", "{", "}", "(", ")", "[", "]", "[[", "]]", "[=[",
    "=", "==", ",", ";", "a", "b =", "'", '"', "\\", "--", "--[[", "\n", "\r", "end", "function",
    "if", "do", "repeat", "until", "1", "0x11111111111111111", "shard", ".", ":", "..", "#", "\0",
    "\xFF", "'x'", "[a] =", "[1] =", "['x'] =", "[shard(1)] =", " ",
  }
  it("never raises, whatever stands in it", function()
    gen.property("source.scan, soup", 2000, function(stream)
      local out = {}
      for i = 1, stream:int(1, 30) do out[i] = stream:pick(PIECES) end
      local text = (stream:once_in(2) and "cluster {" or "") .. table.concat(out, " ")
      local ok, why = pcall(source.scan, text)
      return not ok and ("%q: %s"):format(text, why)
    end)
  end)

  it("reads 100 tables in each other; deeper ones are one entry", function()
    for _, form in ipairs { { "{", "}" }, { "f{", "}" }, { "f(", ")" } } do
      for _, depth in ipairs { 40, 49, 98, 99, 100, 101, 10000 } do
        local text = "cluster { " .. form[1]:rep(depth) .. form[2]:rep(depth) .. ",\nb = 1 }"
        assert.equal(2, source.scan(text).lines.b)
        source.scan("cluster {" .. form[1]:rep(depth))
      end
    end
    local lines = source.scan("cluster {" .. ("{"):rep(200) .. ("}"):rep(200) .. "}").lines
    assert.equal(1, lines[("[1]"):rep(101)])
    assert.is_nil(lines[("[1]"):rep(102)])
  end)
end)
