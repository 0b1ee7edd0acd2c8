-- How tidal is reached from scripts that tidal-lua runs.
local cli = dofile "spec/support/cli.lua"

local function output(...)
  local exit, out, err = cli.run { ... }
  assert.same({ 0, "" }, { exit, err })
  return out
end

-- Another module in the place of tidal, from before the script.
local STUB = "loads = 0 package.preload.tidal = function(...) "
  .. "loads = loads + 1 return { is = 'the stub', ... } end "

describe("the global tidal", function()
  it("is what require gives", function()
    assert.same("the stub\ttrue\n",
      output("-e", STUB .. "print(tidal.is, tidal == require 'tidal')"))
  end)

  it("is loaded when it is read, once", function()
    assert.same("0\tnil\n1\t1\n", output("-e", STUB .. [[
      print(loads, package.loaded.tidal)
      local t, u = tidal, _G["tidal"]
      print(loads, t == u and 1)]]))
  end)

  it("is stored in _G", function()
    assert.same("nil\ttable\n", output("-e", STUB .. [[
      local before = rawget(_G, "tidal")
      print(before, tidal and type(rawget(_G, "tidal")))]]))
  end)

  it("is not among the keys before it is used", function()
    assert.same("", output("-e", STUB .. [[
      for name in pairs(_G) do if name == "tidal" then print(name) end end]]))
  end)

  it("is read through another environment", function()
    assert.same("the stub\n", output("-e", STUB .. [[
      local env = setmetatable({}, { __index = _G })
      print(load("return tidal.is", "=x", "t", env)())]]))
  end)

  it("comes back after it was taken away", function()
    assert.same("table\ttable\n", output("-e", STUB .. [[
      local first = type(tidal)
      tidal = nil
      print(first, type(tidal))]]))
  end)

  it("can be assigned first", function()
    assert.same("mine\t0\n",
      output("-e", STUB .. "tidal = 'mine' print(tidal, loads)"))
  end)

  it("leaves other globals nil", function()
    assert.same("nil\tnil\tnil\n",
      output("-e", STUB .. "print(tida, tidal_, _G[1])"))
  end)

  it("gives way to a metatable of the script", function()
    assert.same("nil\tx!\n", output("-e", STUB .. [[
      setmetatable(_G, { __index = function(_, k)
        if k == "x" then return k .. "!" end end })
      print(tidal, x)]]))
  end)

  it("works beside a metamethod added to the metatable", function()
    assert.same("new x\nthe stub\n", output("-e", STUB .. [[
      getmetatable(_G).__newindex = function(t, k, v)
        print("new " .. k) rawset(t, k, v) end
      x = 1
      print(tidal.is)]]))
  end)

  it("passes on why it cannot be loaded", function()
    local exit, _, err = cli.run { "-e",
      "package.preload.tidal = function() error 'broken' end tidal.x()" }
    assert.same(1, exit)
    assert.matches("broken", err)
  end)
end)

describe("tidal.core", function()
  it("is preloaded but not loaded", function()
    assert.same("function\tnil\n", output("-e", [[
      print(type(package.preload["tidal.core"]),
            package.loaded["tidal.core"])]]))
  end)

  it("cannot be replaced through the paths", function()
    local exit, out = cli.run({ "-e", "print(type(require 'tidal.core'))" }, {
      env = { LUA_PATH = "./?.lua" },
      files = { ["tidal.core.lua"] = "return 'false one'" },
    })
    assert.same({ 0, "table\n" }, { exit, out })
  end)

  it("can be opened again", function()
    assert.same("table\n", output("-e", [[
      require "tidal.core"
      package.loaded["tidal.core"] = nil
      print(type(require "tidal.core"))]]))
  end)
end)

describe("the searcher of embedded modules", function()
  it("is the second of five", function()
    assert.same("5\tno embedded module 'tidal.none'\n", output("-e", [[
      print(#package.searchers, package.searchers[2] "tidal.none")]]))
  end)

  it("is silent about foreign names", function()
    assert.same("0\t0\t0\n", output("-e", [[
      local search = package.searchers[2]
      print(select("#", search "none"), select("#", search "tidalx"),
            select("#", search "x.tidal"))]]))
  end)

  it("is named in the message about a missing module", function()
    local exit, _, err = cli.run { "-e", "require 'tidal.none'" }
    assert.same(1, exit)
    assert.matches("\n\tno embedded module 'tidal.none'\n", err, 1, true)
  end)

  it("names chunks after their files, which no script's name is equal to", function()
    local out = output("-e", [[
      for _, name in ipairs {
        "tidal", "tidal.text", "tidal.cli", "tidal.cli.plan",
        "tidal.cluster", "tidal.cluster.layout",
      } do
        local load, path = package.searchers[2](name)
        if path then
          print(name, path, debug.getinfo(load, "S").source)
        end
      end]])
    if out == "" then return pending "this build embeds no modules" end
    for name, path, source in out:gmatch "(%S+)\t(%S+)\t(%S+)\n" do
      assert.same("=" .. path, source)
      local found = package.searchpath(name, "lua/?.lua;lua/?/init.lua")
      assert.same(found or path, path)
    end
  end)
end)
