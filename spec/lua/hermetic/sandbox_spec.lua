-- The environment of foreign scripts, here with a cell that counts nothing.
local core = require "tidal.core"
local sandbox = require "tidal.hermetic.sandbox"

local CELL <const> = { charge = function() end, enter = function() end, memory = 1 << 20,
                       find = string.find, match = string.match, gmatch = string.gmatch,
                       gsub = string.gsub }

local MODULES <const> = { a = "return { n = 1 }", self = "return require 'self'",
  bad = "return return",
                          nothing = "", falsy = "return false" }
for i = 1, 20 do MODULES["deep" .. i] = ("return require 'deep%d'"):format(i + 1) end

local function fetch(name)
  if MODULES[name] then return name .. ".lua", MODULES[name] end
  return nil, "there is none"
end

local function compile(path, text, env)
  return load(text, "@" .. path, "t", env)
end

-- Runs text; gives what pcall gives, and what was printed.
local function run(text)
  local env, notes = sandbox.new(CELL, fetch, compile)
  local result = table.pack(pcall(assert(load(text, "@x.lua", "t", env))))
  result.n = nil
  return result, notes()
end

local function message(text)
  local result = run(text)
  assert.is_false(result[1])
  return tostring(result[2]), result[2]
end

describe("a name that is not there", function()
  local FILES <const> = "may not read files; require reads modules below its folder"
  local rows = {
    io = "may not read or write files",
    os = "may not ask for the time, the environment or programs",
    debug = "may not look into Lua", package = "may not load libraries",
    load = "may not compile text", loadstring = "may not compile text", loadfile = FILES,
    dofile = FILES, collectgarbage = "may not steer the collector", warn = "has print",
    arg = "has no arguments",
  }
  for name, why in pairs(rows) do
    it("is told at its line: " .. name, function()
      local text, err = message("\nlocal x = " .. name)
      assert.equal(("x.lua:2: no %s here: a layout %s; --trust runs it in full Lua")
                   :format(name, why), text)
      assert.equal("refused", err.code)
    end)
  end

  it("is nil otherwise, and cannot be set", function()
    assert.is_nil(run "return undeclared"[2])
    assert.equal("x.lua:2: y is not declared: write `local y = ...`", (message "\ny = 1"))
  end)

  it("of tidal is told, too", function()
    assert.equal("x.lua:1: no tidal.wal here: a layout may not touch logs or files; "
                 .. "--trust runs it in full Lua", (message "return tidal.wal"))
    assert.matches("no tidal.sim here", message "return tidal.sim", 1, true)
  end)
end)

describe("what is there", function()
  it("does not change what is outside", function()
    assert.is_true(run "string.x, table.x, math.x, tidal.y = 1, 1, 1, 1"[1])
    assert.same({}, { rawget(string, "x"), rawget(table, "x"), rawget(math, "x"),
                       require "tidal".y })
  end)

  it("has the same chances every time", function()
    local text = "local t = {} for i = 1, 50 do t[i] = math.random(1000) .. ' ' .. math.random() "
      .. ".. ' ' .. math.random(-5, 5) .. ' ' .. math.random(0) end return table.concat(t, ',')"
    local first = run(text)[2]
    assert.equal(first, run(text)[2])
    assert.is_nil(math.tointeger(first:match " (%S+)"))
  end)

  it("keeps chance in its bounds", function()
    assert.is_true(run [[
      for i = 1, 2000 do
        local x, y, z = math.random(3), math.random(), math.random(-2, 2)
        assert(x >= 1 and x <= 3 and y >= 0 and y < 1 and z >= -2 and z <= 2)
      end
      math.random(math.mininteger, math.maxinteger)
      assert(math.random(5, 5) == 5 and not pcall(math.random, 2, 1) and not pcall(math.random,
        1.5))
      return true]][2])
  end)

  it("says what chance and coroutines need", function()
    for _, given in ipairs { "2, 1", "1.5", "'1'" } do
      assert.equal("x.lua:1: math.random: an interval of integers expected",
                   (message("math.random(" .. given .. ")")))
    end
    assert.equal("x.lua:1: a coroutine expected", (message "coroutine.resume(print)"))
  end)

  it("prints to whoever asks, up to a limit", function()
    local _, notes = run "print(1, {}, nil) print()"
    assert.equal("1\ttable\tnil\n\n", notes)
    _, notes = run "for i = 1, 100 do print(('x'):rep(1000)) end"
    assert.equal(65 * 1001, #notes)
  end)

  it("has coroutines that cannot be closed", function()
    assert.same({ true, 1, 2, "dead", nil }, run [[
      local f = coroutine.wrap(function(a) local b = coroutine.yield(a) return b end)
      local co = coroutine.create(function() end)
      coroutine.resume(co)
      return f(1), f(2), coroutine.status(co), coroutine.close]])
    assert.matches("x.lua:1: boom", (message "coroutine.wrap(function() error 'boom' end)()"), 1,
      true)
    assert.is_false(run "return coroutine.resume(coroutine.create(error), 'x')"[2])
  end)

  it("has metatables of its own making only", function()
    assert.is_true(run [[
      local m = { __index = { a = 1 } }
      local t = setmetatable({}, m)
      assert(getmetatable(t) == m and t.a == 1 and setmetatable(t, nil) == t)
      assert(getmetatable(tidal.rules.survives "node") == false and getmetatable(5) == nil)
      assert(not pcall(setmetatable, tidal.rules.survives "node", {}))
      assert(not pcall(setmetatable, setmetatable({}, { __metatable = 1 }), {}))
      return true]][2])
    for _, key in ipairs { "__gc", "__close" } do
      assert.equal(("x.lua:1: no %s here: a layout leaves nothing to be done later; "
                    .. "--trust runs it in full Lua"):format(key),
                   (message(("setmetatable({}, { %s = print })"):format(key))))
    end
    assert.equal("x.lua:1: cannot change a protected metatable",
                 (message 'setmetatable(tidal.rules.survives "node", {})'))
  end)

  it("calls handlers when all is unwound", function()
    assert.same({ true, false, "x!" },
      run "return xpcall(error, function(e) return e .. '!' end, 'x')")
    assert.same({ true, true, 1, nil, 3 },
                run "return xpcall(function(...) return ... end, print, 1, nil, 3)")
  end)
end)

describe("require()", function()
  it("gives a module once, as require does", function()
    assert.same({ true, 1, true, true, false }, run [[
      local a = require "a"
      return a.n, require "a" == a, require "nothing", require "falsy"]])
  end)

  it("knows tidal", function()
    assert.same({ true, true, true }, run [[
      return require "tidal" == tidal, require "tidal.rules" == tidal.rules]])
  end)

  local rows = {
    { "require 'b'", 'x.lua:1: no module "b" here: there is none; --trust runs it in full Lua' },
    { "require 'self'", 'require: "self" is still being loaded' },
    { "require 'deep1'", "require: more than 16 deep" }, { "require 'bad'",
      "bad.lua:1: unexpected" },
    { "require(5)", "require: a name expected, got a number" },
    { "require 'tidal.core'", 'no module "tidal.core" here' },
  }
  for _, row in ipairs(rows) do
    it("refuses: " .. row[1], function() assert.matches(row[2], (message(row[1])), 1, true) end)
  end

  it("raises error objects that are told from others", function()
    local _, err = message "require 'b'"
    assert.is_true(core.is_error(err))
  end)
end)
