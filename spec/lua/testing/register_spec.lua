local cli = require "spec.support.cli"
local failing = require "spec.support.failing"
local register = require "tidal.testing.register"
local script = require "spec.support.script"

register.add("evenly", function(n, what)
  if math.type(n) ~= "integer" then register.wrong("assert.evenly(n): %s", what) end
  return n % 2 == 0, { yes = "yes " .. n, no = "no " .. n }, "result"
end)

describe("register.add", function()
  it("adds an assertion and its opposite", function()
    assert.equal("result", assert.evenly(2))
    assert.is_not.evenly(3)
    assert.same({ "yes 3", "spec/lua/testing/register_spec.lua:16" },
                { failing(function() assert.evenly(3) end) })
    assert.equal("no 2", failing(function() assert.is_not.evenly(2) end))
  end)

  it("shows texts as they are, with per cents", function()
    register.add("textual", function() return false, { yes = "10 %d %s\n%" } end)
    assert.equal("10 %d %s\n%", failing(function() assert.textual() end))
  end)

  it("tells wrong arguments from a failure, at the line of the spec", function()
    local ok, err = pcall(function() assert.evenly(1.5, "100 %") end)
    assert.is_false(ok)
    assert.equal("string", type(err))
    assert.matches("^%S*register_spec.lua:26: assert.evenly%(n%): 100 %%$", err)
  end)

  it("lets other errors pass as they are", function()
    local thrown = {}
    register.add("thrower", function() error(thrown, 0) end)
    local _, err = pcall(function() assert.thrower() end)
    assert.equal(thrown, err)
  end)
end)

describe("register.layout", function()
  it("gives the layout", function()
    local layout = script.layout()
    assert.equal(layout, register.layout(layout, "f"))
  end)
end)

describe("register.name", function()
  it("names the file where there is one", function()
    assert.same({ "n (f.lua)", "f.lua" }, { register.name { name = "n", file = "f.lua" } })
    assert.same({ "n", "LAYOUT" }, { register.name { name = "n" } })
  end)
end)

describe("without busted", function()
  it("says what to install", function()
    local code = [[package.preload.luassert = function() error "gone" end
      package.preload["tidal.core"] = package.preload["tidal.core"]
      print(select(2, pcall(require, "tidal.testing")))]]
    local _, out = cli.run { "-e", code }
    assert.matches("tidal.testing needs busted: apt%-get install lua%-busted\n", out)
  end)
end)
