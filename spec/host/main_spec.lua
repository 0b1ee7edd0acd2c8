-- tidal-lua in the place of lua5.4: the same command line must give the same
-- exit status, the same output and the same messages.
local cli = dofile "spec/support/cli.lua"

local function same(rows)
  for _, row in ipairs(rows) do
    it(row[1], function()
      local ours, theirs = cli.both(row[2], row[3])
      assert.same(theirs, ours)
    end)
  end
end

-- A script "s.lua" and what else is in the directory.
local function script(text, more)
  local options = { files = { ["s.lua"] = text } }
  for key, value in pairs(more or {}) do
    if key == "files" then
      for name, other in pairs(value) do options.files[name] = other end
    else
      options[key] = value
    end
  end
  return options
end

local SHOW_ARG = [[
local low = 0
while arg[low - 1] do low = low - 1 end
for i = low, #arg do print(i, arg[i]) end
print("...", select("#", ...), ...)]]

describe("the table arg", function()
  same {
    { "holds the script at 0", { "s.lua" }, script(SHOW_ARG) },
    { "counts options downwards", { "-W", "-e", "x = 1", "s.lua", "a", "b" },
      script(SHOW_ARG) },
    { "counts -- as well", { "--", "s.lua", "a" }, script(SHOW_ARG) },
    { "keeps options behind the script for the script",
      { "s.lua", "-e", "--help", "-x", "--" }, script(SHOW_ARG) },
    { "keeps empty and odd arguments", { "s.lua", "", " ", "a b", "'", "ä" },
      script(SHOW_ARG) },
    { "stands at - for standard input", { "-W", "-", "a" },
      { stdin = SHOW_ARG } },
    { "stands at the program without a script", { "-W", "-l", "string" },
      { stdin = SHOW_ARG } },
    { "is there for -e", { "-e", "print(arg[1], arg[2], #arg)" } },
    { "is there for -l", { "-l", "m", "s.lua", "a" },
      script("", { files = { ["m.lua"] = "print(arg[0], arg[1], ...)" } }) },
    { "may be changed before the script", { "-e", "arg = {7, 8}", "s.lua" },
      script "print(...)" },
    { "may get longer before the script",
      { "-e", "for i = 1, 200000 do arg[i] = i end", "s.lua" },
      script "print(select('#', ...), (select(-1, ...)))" },
    { "must stay a table", { "-e", "arg = nil", "s.lua" }, script "print(1)" },
    { "must fit the stack",
      { "-e", "for i = 1, 1000000 do arg[i] = i end", "s.lua" },
      script "print(1)" },
    { "is a plain table", { "-e", "print(getmetatable(arg))" } },
  }
end)

describe("LUA_INIT", function()
  local hello = { LUA_INIT = "print('init', x) x = 1" }
  same {
    { "runs before everything", { "-e", "print(x)" }, { env = hello } },
    { "sees arg", { "s.lua", "a" },
      script("", { env = { LUA_INIT = "print(arg[0], arg[1])" } }) },
    { "may name a file", { "-e", "print(y)" },
      { env = { LUA_INIT = "@i.lua" },
        files = { ["i.lua"] = "y = ... or 'nothing'" } } },
    { "is beaten by the one of this version", { "-e", "print(z)" },
      { env = { LUA_INIT = "z = 1", LUA_INIT_5_4 = "z = 54" } } },
    { "may be empty in the one of this version", { "-e", "print(z)" },
      { env = { LUA_INIT = "z = 1", LUA_INIT_5_4 = "" } } },
    { "is ignored under -E", { "-E", "-e", "print(x)" }, { env = hello } },
    { "ends the program when it fails", { "-e", "print(1)" },
      { env = { LUA_INIT = "error 'no'" } } },
    { "names the variable in a syntax error", { "-e", "print(1)" },
      { env = { LUA_INIT_5_4 = "a b" } } },
    { "may name a missing file", { "-e", "print(1)" },
      { env = { LUA_INIT = "@none.lua" }, files = {} } },
    { "may leave", { "-e", "print(1)" },
      { env = { LUA_INIT = "os.exit(7)" } } },
  }

  it("reaches the program in these specs", function()
    local exit, out = cli.run({ "-e", "print(x)" }, { env = hello })
    assert.same({ 0, "init\tnil\n1\n" }, { exit, out })
  end)
end)

local BINARY = string.dump(load("print('dumped', ...)", "@d.lua"))

describe("a script", function()
  same {
    { "may start with a shebang", { "s.lua" },
      script "#!/usr/bin/env lua\nprint(debug.getinfo(1).currentline)" },
    { "may start with a mark and a shebang", { "s.lua" },
      script "\xEF\xBB\xBF#!x\nprint(debug.getinfo(1).currentline)" },
    { "may be nothing but a shebang", { "s.lua" }, script "#!/bin/lua" },
    { "may be empty", { "s.lua" }, script "" },
    { "may be missing", { "none.lua" }, { files = {} } },
    { "may be in no directory", { "no/where" }, { files = {} } },
    { "may be nameless", { "" }, { files = {} } },
    { "may have bad syntax", { "s.lua" }, script "\n\nx = = 1" },
    { "may be binary", { "s.lua", "a" }, script(BINARY) },
    { "may be binary and damaged", { "s.lua" }, script(BINARY:sub(1, 40)) },
    { "may come from standard input", { "-", "a" },
      { stdin = "print(...) error 'x'" } },
    { "may come from standard input unnamed", {},
      { stdin = "#!x\nprint(#arg, ...) print(debug.getinfo(1).source)" } },
    { "may read standard input", { "s.lua" },
      script("print(io.read(2, 'l', 'n', 'a'))",
             { stdin = "abcd\n12 rest\n" }) },
    { "may be called - behind --", { "--", "-", "a" },
      { files = { ["-"] = "print(arg[0], ...)" }, stdin = "print 'no'" } },
    { "is not read from standard input behind -v", { "-v" },
      { stdin = "print 'no'" } },
    { "is not read from standard input behind -e", { "-e", "" },
      { stdin = "print 'no'" } },
    { "may have a name without .lua", { "s" },
      { files = { s = "print(arg[0], debug.getinfo(1).source)" } } },
    { "returns for nobody", { "s.lua" }, script "return 5, 'x', nil, {}" },
    { "returns a table for nobody", { "s.lua" }, script "return {1, 2}" },
    { "uses all of Lua 5.4", { "s.lua" }, script [[
      local t <close> = setmetatable({}, {__close = function(_, e)
        print("closed", e) end})
      for i = 1, 3 do
        if i == 2 then goto continue end
        io.write(i // 2, " ", i << 62, " ", 7 % -3, " ", 2^53, "\n")
        ::continue::
      end
      print(math.type(3 // 1.0), utf8.char(228, 8364), "\u{7FFFFFFF}" ~= "")
      print(string.pack("<I8", -1) == ("\xff"):rep(8), 0x7fffffffffffffff + 1)
      local co = coroutine.wrap(function(...) coroutine.yield(...) end)
      print(co(1, 2, nil))]] },
    { "may write much", { "s.lua" },
      script "for i = 1, 50000 do print(i, 'some text to fill the line') end" },
    { "may write one long line", { "s.lua" },
      script "io.write(('0123456789'):rep(200000))" },
    { "may write to both streams", { "s.lua" }, script [[
      io.stdout:setvbuf "no"
      for i = 1, 9 do io.stdout:write(i) io.stderr:write(i) end]] },
    { "finalizes at the end", { "s.lua" }, script [[
      for i = 1, 3 do
        setmetatable({}, { __gc = function() print("gone", i) end })
      end]] },
    { "finalizes after an error", { "s.lua" }, script [[
      x = setmetatable({}, { __gc = function() print "gone" end })
      error "end"]] },
    { "warns about a failing finalizer", { "-W", "s.lua" }, script [[
      x = setmetatable({}, { __gc = function() error "late" end })]] },
  }
end)

describe("os.exit", function()
  local gc = "x = setmetatable({}, {__gc = function() print 'gone' end}) "
  for _, args in ipairs {
    "", "0", "3", "255", "256", "-1", "true", "false", "true, true",
    "4, true", "nil, true", "'x'", "1.5",
  } do
    same { { ("(%s)"):format(args),
      { "-e", ("%s io.write 'text' os.exit(%s)"):format(gc, args) } } }
  end
  same {
    { "works in a coroutine",
      { "-e", gc .. "coroutine.wrap(function() os.exit(5, true) end)()" } },
    { "works below pcall", { "-e", gc .. "pcall(os.exit, 6)" } },
    { "closes what is to be closed", { "s.lua" }, script [[
      local t <close> = setmetatable({}, {__close = function()
        print "closed" end})
      os.exit(2, true)]] },
    { "works in a finalizer", { "-e",
      "x = setmetatable({}, {__gc = function() os.exit(9) end})" } },
  }
end)

describe("the state", function()
  same {
    { "has the globals of lua5.4", { "s.lua" }, script [[
      local names = {}
      for name, value in pairs(_G) do
        names[#names + 1] = name .. " " .. type(value)
      end
      table.sort(names)
      print(table.concat(names, "\n"))]] },
    { "has its modules and paths", { "s.lua" }, script [[
      local names = {}
      for name in pairs(package.loaded) do names[#names + 1] = name end
      table.sort(names)
      print(table.concat(names, " "), package.path, package.cpath)
      print(package.config)]] },
    { "takes paths from the environment", { "-e",
      "print(package.path, package.cpath)" },
      { env = { LUA_PATH = "x/?;;", LUA_CPATH_5_4 = "y/?;;" } } },
    { "takes none under -E", { "-E", "-e",
      "print(package.path, package.cpath)" },
      { env = { LUA_PATH = "x/?;;", LUA_CPATH_5_4 = "y/?;;" } } },
    { "collects garbage by generations",
      { "-e", "print(collectgarbage 'incremental')" } },
    { "loads C modules", { "-e",
      "print(require('lpeg').match(require('lpeg').P 'a' ^ 1, 'aab'))" } },
    { "lets a strict script have _G", { "s.lua" }, script [[
      setmetatable(_G, {
        __newindex = function(_, name) error("new " .. name, 2) end,
        __index = function(_, name) error("no " .. name, 2) end,
      })
      print(pcall(function() x = 1 end))
      print(pcall(function() return tidal end))
      print(pcall(function() return y end))]] },
  }
end)

-- lua5.4 loses what it cannot write and answers 0.
describe("differs: a full standard output", function()
  for name, args in pairs {
    ["small"] = { "-e", "print 'x'" },
    ["large"] = { "-e", "print(('x'):rep(100000))" },
    ["at os.exit"] = { "-e", "print 'x' os.exit(0)" },
    ["at os.exit with a closed state"] = { "-e", "print 'x' os.exit(0, true)" },
    ["of the banner"] = { "-v" },
    ["of --help"] = { "--help" },
    ["of --version"] = { "--version" },
  } do
    it("is a failure: " .. name, function()
      local exit, _, err = cli.run(args, { stdout = "/dev/full" })
      assert.same(1, exit)
      assert.matches("tidal%-lua: cannot write standard output", err)
    end)
  end

  it("is none when nothing is written", function()
    local exit, _, err = cli.run({ "-e", "" }, { stdout = "/dev/full" })
    assert.same({ 0, "" }, { exit, err })
  end)

  it("is a failure when it is closed", function()
    local exit, _, err = cli.run({ "-e", "io.write(1)" }, { stdout = "-" })
    assert.same(1, exit)
    assert.matches("Bad file descriptor", err)
  end)

  it("is none in lua5.4", function()
    local exit = cli.run({ "-e", "print 'x'" },
                         { stdout = "/dev/full", program = cli.lua })
    assert.same(0, exit)
  end)
end)

describe("differs: a failing program on standard input", function()
  it("is a failure, without - as well", function()
    local ours, theirs = cli.both({}, { stdin = "error 'x'" })
    assert.same({ theirs.out, theirs.err }, { ours.out, ours.err })
    assert.same({ 0, 1 }, { theirs.exit, ours.exit })
  end)
end)

describe("open files", function()
  it("are as many as the system allows, whatever the shell began with", function()
    local open_many = [[
      local files = {}
      for i = 1, 280 do files[i] = assert(io.open("/dev/null")) end
      print(#files)]]
    local pipe = io.popen(("ulimit -Sn 20 && ulimit -Hn 300 && exec '%s' -e '%s'"):format(
      cli.tidal, open_many))
    assert.equal("280\n", pipe:read "a")
    assert.is_true(pipe:close())
  end)
end)
