-- What the host tells Lua code about the system it runs on.
local cli = require "spec.support.cli"

local function eval(code)
  local status, out, err = cli.run({ "-e", code })
  assert.equal(0, status, err)
  return out
end

describe("tidal.host", function()
  it("says that a pipe and a file are no terminals", function()
    assert.equal("false false\n", eval [[
      local host = require "tidal.host"
      print(host.isatty(1), (host.isatty(2)))]] :gsub("\t", " "))
  end)

  it("refuses other descriptors", function()
    assert.truthy(eval [[print(pcall(require "tidal.host".isatty, 3))]]
      :find("0, 1 or 2 expected", 1, true))
  end)

  it("has a clock that does not go back", function()
    assert.equal("true\n", eval [[
      local clock = require "tidal.host".clock
      local a = clock()
      print(math.type(a) == "float" and clock() >= a)]])
  end)

  it("knows its own path", function()
    assert.truthy(eval [[print(require "tidal.host".path)]]:find "tidal%-lua\n$")
  end)
end)
