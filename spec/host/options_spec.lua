-- Every option of lua5.4, alone and in random mixtures, against lua5.4; and
-- what tidal-lua has beyond it.
local cli = dofile "spec/support/cli.lua"

local SCRIPT = "print('script', arg[0], ..., g) warn 'from the script'"
local MODULE = "print('module', ...) return 'a module'"
local FILES = { ["s.lua"] = SCRIPT, ["m.lua"] = MODULE, ["m-2.lua"] = MODULE,
                ["bad.lua"] = "error 'bad module'" }

local rows = {
  { "-e runs a string", "-e", "print(1 + 1)" },
  { "-e may be glued", "-eprint(1 + 1)" },
  { "-e may be empty", "-e", "" },
  { "-e shares globals, not locals",
    "-e", "x = 1 local y = 2", "-e", "print(x, y)" },
  { "-e may fail", "-e", "print(1)", "-e", "error 'no'", "-e", "print(2)" },
  { "-e may have bad syntax", "-e", "x = = 1" },
  { "-e runs before the script", "-e", "g = 5", "s.lua", "a" },
  { "-e has no arguments", "-e", "print(...)", "s.lua" },
  { "-e returns for nobody", "-e", "return {1}" },
  { "-l requires", "-l", "m", "-e", "print(m)" },
  { "-l may be glued", "-lm", "-e", "print(m)" },
  { "-l takes a name", "-l", "g=m", "-e", "print(g, m)" },
  { "-l takes an empty name", "-l", "=m", "-e", "print(_G[''])" },
  { "-l takes a dash", "-l", "m-2", "-e", "print(_G['m-2'], m)" },
  { "-l takes a dash and a name", "-l", "g=m-2", "-e", "print(g)" },
  { "-l finds a library", "-l", "s=string", "-e", "print(s == string)" },
  { "-l may find nothing", "-l", "none", "-e", "print(1)" },
  { "-l may find a broken module", "-l", "bad", "-e", "print(1)" },
  { "-l goes with -e in order",
    "-e", "print 'a'", "-l", "m", "-e", "print 'b'" },
  { "-l uses the require there is", "-e",
    "function require(n) return n .. '!' end", "-l", "x", "-e", "print(x)" },
  { "-l needs a require", "-e", "require = nil", "-l", "x" },
  { "-v shows the version", "-v" },
  { "-v goes with a script", "-v", "s.lua" },
  { "-v goes with -e", "-v", "-e", "print(1)" },
  { "-W turns warnings on", "-W", "-e", "warn('a', 'b')" },
  { "-W comes in order", "-e", "warn 'lost'", "-W", "-e", "warn 'kept'" },
  { "no -W, no warnings", "-e", "warn 'lost' warn '@on' warn 'kept'" },
  { "-E goes with a script", "-E", "s.lua" },
  { "-- ends the options", "--", "s.lua" },
  { "-- may be the end", "-e", "print(1)", "--" },
  { "- runs standard input", "-", "a" },
  { "- behind -- is a file", "-e", "print(1)", "--", "./-" },
  { "-i without input", "-i" },
  { "-i behind a script", "-i", "s.lua" },
  { "-i behind a failure", "-i", "bad.lua" },
  { "-i behind a failing -e", "-i", "-e", "error 'x'" },
  { "nothing at all" },
}

-- Where the options end: the index of the word behind them.
local function behind_options(words)
  local at = 1
  while words[at] and words[at]:match "^%-." and words[at] ~= "--" do
    at = at + (words[at]:match "^%-[el]$" and 2 or 1)
  end
  return words[at] == "--" and at + 1 or at
end

-- From 5.4.5 to 5.4.8 lua5.4 asks for a table of -1 entries when `--` has
-- nothing behind it. There it is compared without, which means the same.
local DASHES_FAIL <const> = select(3, cli.run({ "--" }, { program = cli.lua }))
  == "lua5.4: not enough memory\n"

local function both(words)
  local ours, theirs = cli.both(words, { files = FILES })
  if DASHES_FAIL and words[#words] == "--" and behind_options(words) > #words then
    local fewer = { table.unpack(words, 1, #words - 1) }
    theirs = select(2, cli.both(fewer, { files = FILES }))
  end
  return ours, theirs
end

describe("as in lua5.4:", function()
  for _, row in ipairs(rows) do
    it(row[1], function()
      local ours, theirs = both { table.unpack(row, 2) }
      assert.same(theirs, ours)
    end)
  end
end)

local POOL = {
  { "-W" }, { "-E" }, { "-v" }, { "-i" }, { "-e", "print(1)" },
  { "-e", "g = (g or 0) + 1" }, { "-eprint(g)" }, { "-e", "error 'x'" },
  { "-l", "m" }, { "-lg=m" }, { "-l", "none" }, { "--" }, { "-" },
  { "s.lua" }, { "none.lua" }, { "a" }, { "" }, { "-x" }, { "-e" }, { "-vv" },
  { "-e", "warn 'w'" }, { "-e", "arg[1] = 'changed'" },
}

-- One command line: a few options, then perhaps a script with arguments.
local function mixture()
  local words = {}
  for _ = 1, math.random(0, 5) do
    table.move(POOL[math.random(#POOL)], 1, 2, #words + 1, words)
  end
  return words
end

-- A first word that is no file is a verb here (cli_spec has those).
local function names_verb(words)
  local at = behind_options(words)
  return words[at] == "a" or (words[at] or ""):match "^%-."
    or words[at] == "-" and words[at - 1] == "--"
end

-- What a wrong option makes of both answers: the first line stays.
local function usage_aside(record)
  if not record.err:match "\nusage: lua " then return record end
  record.err = record.err:match "[^\n]*"
  record.exit = "usage"
  return record
end

it("mixed at random, behaves as lua5.4", function()
  local seed = tonumber(os.getenv "TIDAL_SEED" or 20261122)
  math.randomseed(seed)
  local faults, count = {}, 0
  while count < 60 do
    local words = mixture()
    if not names_verb(words) then
      count = count + 1
      local ours, theirs = both(words)
      ours, theirs = usage_aside(ours), usage_aside(theirs)
      for key in pairs(theirs) do
        if ours[key] ~= theirs[key] then
          table.insert(faults, ("%s: %s is %q, lua5.4 has %q"):format(
            table.concat(words, " "), key, ours[key], theirs[key]))
        end
      end
    end
  end
  assert.same("", table.concat(faults, "\n"), "TIDAL_SEED=" .. seed)
end)

-- lua5.4 answers 1 and lists its options.
describe("differs: a wrong option", function()
  for option, complaint in pairs {
    ["-x"] = "unrecognized option '-x'",
    ["-vv"] = "unrecognized option '-vv'",
    ["-ii"] = "unrecognized option '-ii'",
    ["-Wx"] = "unrecognized option '-Wx'",
    ["-Ex"] = "unrecognized option '-Ex'",
    ["---"] = "unrecognized option '---'",
    ["--x"] = "unrecognized option '--x'",
    ["--helpx"] = "unrecognized option '--helpx'",
    ["-e"] = "'-e' needs argument",
    ["-l"] = "'-l' needs argument",
  } do
    it("answers 2 for " .. option, function()
      local exit, out, err = cli.run { "-e", "print(1)", option }
      assert.same(2, exit)
      assert.same("", out)
      assert.same("tidal-lua: " .. complaint .. "\n", err:match "^[^\n]*\n")
      assert.is_true(select(2, err:gsub("\n", "")) <= 4)
    end)
    it("answers 1 in lua5.4 for " .. option, function()
      local exit, _, err = cli.run({ option }, { program = cli.lua })
      assert.same(1, exit)
      assert.matches(complaint, err, 1, true)
    end)
  end

  it("answers 2 for -e before another option", function()
    assert.same(2, (cli.run { "-e", "-v" }))
  end)
end)

describe("differs: --help", function()
  it("fits a screen and names every option", function()
    local exit, out = cli.run { "--help" }
    assert.same(0, exit)
    assert.is_true(select(2, out:gsub("\n", "")) <= 40)
    for _, word in ipairs {
      "-e stat", "-l mod", "-l g=mod", "-i ", "-v ", "-E ", "-W ", "-- ",
      "--help", "--version", "0 done", "1 failed", "2 wrong",
    } do
      assert.matches(word, out, 1, true)
    end
    for line in out:gmatch "[^\n]*" do assert.is_true(#line <= 80, line) end
  end)

  it("lists the verbs in order", function()
    local _, want = cli.run { "-e", [[
      local lines = {}
      for verb, about in pairs(require "tidal.cli".verbs) do
        table.insert(lines, ("  %-10s %s"):format(verb, about))
      end
      table.sort(lines)
      print(table.concat(lines, "\n"))]] }
    local _, out = cli.run { "--help" }
    assert.same(want, out:match "\nverbs:\n(.-\n)\n")
  end)

  it("wins over what follows, runs nothing", function()
    local exit, out = cli.run({ "-e", "print 'ran'", "--help", "-x", "s" },
                              { env = { LUA_INIT = "print 'ran'" } })
    assert.same(0, exit)
    assert.is_nil(out:find "ran\n")
  end)
end)

describe("differs: --version", function()
  it("names both versions", function()
    local exit, out, err = cli.run { "--version", "-x" }
    assert.same({ 0, "" }, { exit, err })
    assert.matches("^tidal%-lua %d+%.%d+%.%d+ %(Lua 5%.4%.%d+%)\n$", out)
  end)
end)
