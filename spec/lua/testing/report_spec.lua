local cli = require "spec.support.cli"
local json = require "tidal.json"

-- What is reported of a spec.
local function report(text)
  local status, out = cli.run({ "-c", cli.tidal .. " test a_spec.lua --output=tidal.testing.report "
    .. "-Xoutput report >/dev/null 2>&1; echo $?; cat report" },
    { program = "sh", files = { ["a_spec.lua"] = text, report = "" } })
  assert.equal(0, status)
  local code, line = out:match "^(%d+)\n([^\n]+)\n$"
  return math.tointeger(tonumber(code)), json.decode(line)
end

describe("report", function()
  it("counts tests and names the first red one", function()
    local status, got = report [[
      describe("a", function()
        it("b", function() end)
        it("c", function() assert.equal(1, 2) end)
        it("d", function() error "ouch" end)
        pending "e"
      end)]]
    assert.not_equal(0, status)
    assert.same({ served = 0, tests = 3, red = 2, first = "a c" }, got)
  end)

  it("names the file where that raises", function()
    local status, got = report "error 'ouch'"
    assert.equal(1, status)
    assert.same({ 0, 1 }, { got.tests, got.red })
    assert.matches("a_spec.lua$", got.first)
  end)

  it("is silent about green ones", function()
    local status, got = report "it('b', function() print 'noise' end)"
    assert.equal(0, status)
    assert.same({ served = 0, tests = 1, red = 0 }, got)
  end)

  it("cuts long names", function()
    local _, got = report "it(('\\u{20ac}'):rep(9999), function() error 'x' end)"
    assert.is_true(#got.first <= 515)
    assert.equal("...", got.first:sub(-3))
    assert.is_true(utf8.len(got.first) ~= nil)
  end)
end)
