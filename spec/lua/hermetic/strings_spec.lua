local strings = require "tidal.hermetic.strings"

local charged
local cell = { charge = function(work) charged = work end, memory = 1 << 20,
               find = string.find, match = string.match, gmatch = string.gmatch,
                 gsub = string.gsub }
local library = strings.library(cell)

describe("tostring()", function()
  local rows = {
    { {}, "table" }, { print, "function" }, { coroutine.create(print), "thread" }, { "x", "x" },
    { 1, "1" }, { 1.5, "1.5" }, { true, "true" }, { setmetatable({}, { __name = "N" }), "N" },
    { setmetatable({}, { __tostring = function() return "mine" end }), "mine" },
    { setmetatable({}, { __name = 5 }), "table" }, { require "tidal.core".shard(3), "s3" },
  }
  for _, row in ipairs(rows) do
    it("shows " .. row[2], function() assert.equal(row[2], strings.tostring(row[1])) end)
  end
  it("shows nil", function() assert.equal("nil", strings.tostring(nil)) end)
end)

describe("format()", function()
  local rows = {
    { { "%s %d", {}, 5 }, "table 5" }, { { "%5s|%-6s|", print, {} }, "function|table |" },
    { { "%%s %s", {} }, "%s table" }, { { "%d%%%s", 1, {} }, "1%table" },
    { { "%q %.3f %x", "a", 1.5, 255 }, '"a" 1.500 ff' }, { { "plain" }, "plain" },
    { { "%s %s", nil, true }, "nil true" },
  }
  for _, row in ipairs(rows) do
    it(row[2], function() assert.equal(row[2], library.format(table.unpack(row[1], 1, 5))) end)
  end

  it("has no addresses", function()
    for _, form in ipairs { "%p", "%10p", "%%%p", "%s%p" } do
      local _, why = pcall(function() library.format(form, {}, {}) end)
      assert.equal("string.format: %p shows an address: no layout has one",
                   why:match "^%S*strings_spec%.lua:%d+: (.*)$")
    end
    assert.equal("%p", library.format "%%p")
  end)
end)

describe("rep()", function()
  it("costs what it copies", function()
    assert.equal("abab", library.rep("ab", 2))
    assert.equal("", library.rep("", 1000))
    assert.equal(1000, charged)
    library.rep("a", 1600)
    assert.equal(100, charged)
    assert.equal("a-a", library.rep("a", 2, "-"))
    assert.equal("", library.rep("a", -1))
  end)
end)

describe("install()", function()
  it("gives strings methods that nobody gets at", function()
    local meta, methods = debug.getmetatable "", { rep = function() return "mine" end }
    local index, locked = meta.__index, meta.__metatable
    strings.install(methods)
    methods.rep = nil
    local seen, got = getmetatable "", ("x"):rep(3)
    meta.__index, meta.__metatable = index, locked
    assert.same({ false, "mine" }, { seen, got })
  end)

  it("does so for scripts", function()
    assert.equal("false\nfalse\nxxx\n", require "spec.support.foreign".printed [[
      print(getmetatable "")
      print((pcall(function() getmetatable("").__index.rep = nil end)))
      string.rep = nil
      print(("x"):rep(3))]])
  end)
end)

describe("the library", function()
  it("lacks what does not belong", function()
    for _, name in ipairs { "dump", "pack", "unpack",
      "packsize" } do assert.is_nil(library[name]) end
  end)
end)
