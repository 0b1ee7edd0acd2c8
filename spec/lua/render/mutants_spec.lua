local json = require "tidal.json"
local mutants = require "tidal.render.mutants"
local terminal = require "tidal.render.terminal"

local LIST <const> = {
  { name = "one", assertion = "assert.a()" }, { name = "second", assertion = "assert.b()" },
  { name = "three", assertion = "assert.b()" }, { name = "four", assertion = "assert.c()" },
  { name = "five", assertion = "assert.d()" },
}
local RESULTS <const> = {
  { status = 1, report = { first = "the cluster stands" } }, { status = 0 }, { status = 0 },
  { status = "timeout" }, { status = 7 },
}

describe("render.mutants", function()
  local made = mutants.new("a.lua", "a_spec.lua", LIST, RESULTS)

  it("is a table, with what to add", function()
    assert.equal([[
1  killed    one     the cluster stands
2  survived  second  -> assert.b()
3  survived  three   -> assert.b()
4  timeout   four
5  killed    five    the process ended with 7
5 mutants, 3 killed, 2 survived
add to a_spec.lua, with require "tidal.testing":
  assert.b()]], made:text())
  end)

  it("ends with the sum where none survives", function()
    local text = mutants.new("a", "b", { LIST[1] }, { RESULTS[1] }):text()
    assert.equal("1  killed  one  the cluster stands\n1 mutants, 1 killed, 0 survived", text)
  end)

  it("is coloured on a terminal", function()
    local text = made:text(terminal.style(true))
    assert.matches("\27[31msurvived\27[0m", text, 1, true)
    assert.matches("\27[32mkilled\27[0m", text, 1, true)
  end)

  it("is JSON for programs", function()
    local value = json.decode(made:json())
    assert.same({ "tidal-mutants/1", "a.lua", "a_spec.lua", 5, 3, 2 },
                { value.format, value.layout, value.spec, value.total, value.killed,
                  value.survived })
    assert.same({ id = 1, name = "one", result = "killed", by = "the cluster stands",
                  assertion = "assert.a()" }, value.mutants[1])
    assert.same({ id = 4, name = "four", result = "timeout", assertion = "assert.c()" },
                value.mutants[4])
    assert.equal(5, #value.mutants)
  end)
end)
