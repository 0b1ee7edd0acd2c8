-- The prompt, fed through a pipe. lua5.4 on Debian echoes what it reads
-- (its line editor does), so the comparison leaves prompts and echo away.
local cli = dofile "spec/support/cli.lua"

local BANNER = "^Lua 5%.4%.%d+ [^\n]*\n"

-- Without the banner, the prompts and, in lua5.4, the lines typed.
local function answers(record)
  assert(record.out:match(BANNER), "no banner")
  return (record.out:gsub(BANNER, ""))
end

-- lua5.4: "> line\nanswer\n"; a line with a prompt holds no answer.
local function theirs_only(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do
    if not line:match "^>>? " then table.insert(lines, line) end
  end
  return table.concat(lines, "\n")
end

-- tidal-lua: "> answer\n> >> answer\n"; prompts stand before the answer.
local function ours_only(text)
  local lines = {}
  for line in text:gmatch "([^\n]*)\n" do
    local rest = line
    while rest:match "^>>? " do rest = rest:gsub("^>>? ", "") end
    if rest ~= "" or rest == line then table.insert(lines, rest) end
  end
  return table.concat(lines, "\n")
end

local sessions = {
  { "prints an expression", "1 + 1" },
  { "prints several", "1, 'two', nil, {} == {}" },
  { "prints no nothing", "(function() end)()" },
  { "prints nil", "nil" },
  { "prints behind =", "=2 + 2" },
  { "prints behind = and blanks", "=  2 + 2" },
  { "prints behind return", "return 3, 4" },
  { "prints a call once", "print 'x'" },
  { "keeps globals", "x = 5\nx" },
  { "forgets locals", "local y = 1\ny" },
  { "continues a loop", "for i = 1, 2 do\nprint(i)\nend\n'done'" },
  { "continues an expression", "=(1 +\n2)" },
  { "continues a call", "print(\n'x'\n)" },
  { "continues a string", "x = [[a\nb\n]]\nx" },
  { "continues a function", "function f(a)\n  return a * 2\nend\nf(21)" },
  { "goes on after an error", "error 'boom'\n'still here'" },
  { "goes on after a syntax error", "x = = 1\n'still here'" },
  { "goes on after an error object",
    "error(setmetatable({}, {__tostring = function() return 'told' end}))\n1" },
  { "takes comments and empty lines", "\n-- nothing\n\n'x' -- three" },
  { "reports a failing print", "print = nil\n1\n2" },
  { "reports a print that fails", "function print() error 'p' end\n1" },
  { "knows its chunk", "debug.getinfo(1, 'S').source" },
  { "has its varargs empty", "select('#', ...)" },
  { "uses a changed print", "function print(...) "
    .. "io.write('<', ..., '>\\n') end\n7" },
  { "goes on after SIGINT", "io.popen('cat; kill -INT $PPID', 'w'):close() "
    .. "while true do end\n'alive'" },
}

describe("as in lua5.4: the prompt", function()
  for _, row in ipairs(sessions) do
    it(row[1], function()
      local ours, theirs = cli.both({ "-i" }, { stdin = row[2] .. "\n" })
      assert.same(theirs_only(answers(theirs)), ours_only(answers(ours)))
      assert.same({ theirs.exit, theirs.err }, { ours.exit, ours.err })
    end)
  end

  it("leaves by os.exit", function()
    local ours, theirs = cli.both({ "-i" }, { stdin = "os.exit(3, true)\n" })
    assert.same({ 3, 3 }, { theirs.exit, ours.exit })
  end)

  it("shares the state with -e and the script", function()
    local ours, theirs = cli.both({ "-i", "-e", "a = 1", "s.lua", "arg" },
      { stdin = "a, b\narg[1]\n", files = { ["s.lua"] = "b = 2" } })
    assert.same(theirs_only(answers(theirs)), ours_only(answers(ours)))
    assert.same(theirs.exit, ours.exit)
  end)
end)

describe("the prompt", function()
  local function session(text)
    local exit, out, err = cli.run({ "-i" }, { stdin = text })
    assert.same(0, exit)
    return out:gsub(BANNER, ""), err
  end

  it("is > and >>, and ends with a line", function()
    assert.same("> >> 3\n> \n", (session "=(1 +\n2)\n"))
  end)

  it("stands before what its line makes of standard error", function()
    local _, out = cli.run({ "-c", 'exec "$0" -i 2>&1', cli.tidal },
      { program = "sh", stdin = "io.stderr:write 'loud\\n' return\n" })
    assert.same("> loud\n> \n", (out:gsub(BANNER, "")))
  end)

  it("honours _PROMPT and _PROMPT2", function()
    assert.same("> ? ? ... 7\n? \n",
                (session "_PROMPT = '? '\n_PROMPT2 = '... '\n=(\n7)\n"))
  end)

  it("honours prompts that are objects", function()
    local made = "_PROMPT = setmetatable({n = 0}, {__tostring = function(p) "
      .. "p.n = p.n + 1 return p.n .. '# ' end})\n"
    assert.same("> 1# 5\n2# \n", (session(made .. "5\n")))
  end)

  it("takes a last line without an end", function()
    assert.same("> 5\n> \n", (session "2 + 3"))
  end)

  it("takes a line of any length", function()
    for _, size in ipairs { 511, 512, 513, 1023, 1024, 1025, 70000 } do
      local text = ("x"):rep(size - 3)
      assert.same("> " .. size - 3 .. "\n> \n",
                  (session("#'" .. text .. "'\n")))
    end
  end)

  it("leaves the rest of the input to the code", function()
    assert.same("> data\n> 2\n> \n",
                (session "print(io.read())\ndata\n1 + 1\n"))
  end)

  it("differs: reports what stops too early, lua5.4 says (null)", function()
    local _, err = session "x = (\n"
    assert.same("stdin:1: unexpected symbol near <eof>\n", err)
  end)

  it("reports errors without the name of the program", function()
    local _, err = session "error('x', 0)\n"
    assert.same("x\nstack traceback:", err:match "^[^\n]*\n[^\n]*")
  end)
end)
