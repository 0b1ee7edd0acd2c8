-- find, match, gmatch and gsub of cells: arguments and results that
-- pattern_spec.lua does not draw.
local foreign = require "spec.support.foreign"

local rows = {
  { "('abc'):find('b', 1, true)", "2\t2" }, { "('a.c'):find('.', 2, true)", "2\t2" },
  { "('abc'):find('', 4)", "4\t3" }, { "('abc'):find('', 5)", "nil" }, { "('abc'):find('')",
    "1\t0" },
  { "('abc'):find('c', -1)", "3\t3" }, { "('abc'):find('a', -100)", "1\t1" },
  { "('a\\0b'):find('\\0b', 1, true)", "2\t3" }, { "('a\\0b'):match '%z?(.)$'", "b" },
  { "('aab'):find 'ab'", "2\t3" }, { "('aaaaab'):find('aab', 1, true)", "4\t6" },
  { "string.find(123, 2)", "2\t2" }, { "string.gsub(121, 1, 9)", "929\t2" },
  { "('abc'):gsub('', '-')", "-a-b-c-\t4" }, { "('abc'):gsub('%w', '%0%0', 2)", "aabbc\t2" },
  { "('hello world'):gsub('o', { o = '0' })", "hell0 w0rld\t2" }, { "('abc'):gsub('^a', 'x')",
    "xbc\t1" },
  { "('k = v'):match '^(%w+)%s*=%s*(%w+)$'", "k\tv" }, { "('abc'):match '()b()'", "2\t3" },
  { "('x'):gsub('x', '%1')", "x\t1" }, { "('abab'):gsub('(a)(b)', '%2%1')", "baba\t2" },
  { "('f(a(b)c)d'):match '%b()'", "(a(b)c)" }, { "('THE (quick) fox'):find '%((%a+)%)'",
    "5\t11\tquick" },
  { "('\\xff\\xfe'):find('[\\xf0-\\xff]', 2)", "2\t2" }, { "('abc'):gsub('b', function() end)",
    "abc\t1" },
}

describe("a string function in a cell", function()
  it("gives what the library gives", function()
    local text, want = {}, {}
    for i, row in ipairs(rows) do
      text[i] = "print(" .. row[1] .. ")"
      want[i] = row[2] .. "\n"
    end
    assert.equal(table.concat(want), foreign.printed(table.concat(text, "\n")))
    local trusted = foreign.run(table.concat(text, "\n") .. "\n" .. foreign.FINE,
                                { args = { "--trust" } })
    assert.equal(table.concat(want), trusted[2]:sub(1, #table.concat(want)))
  end)

  it("names what is wrong with its arguments", function()
    assert.matches("bad argument #3 to 'gsub'", foreign.refused "string.gsub('a', 'a')", 1, true)
    assert.matches("bad argument #1 to 'find'", foreign.refused "string.find({}, 'a')", 1, true)
  end)
end)
