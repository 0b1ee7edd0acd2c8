-- What is said when Lua code fails: message, traceback and exit status as
-- lua5.4 has them; and the end by Ctrl-C.
local cli = dofile "spec/support/cli.lua"

local scripts = {
  { "a string", "error 'boom'" },
  { "a string without a place", "error('boom', 0)" },
  { "a string from the caller", [[
    local function f() error("boom", 2) end
    f()]] },
  { "nil", "error()" },
  { "a number", "error(42)" },
  { "a float", "error(1.5)" },
  { "a boolean", "error(false)" },
  { "a table", "error {}" },
  { "a function", "error(print)" },
  { "a table with __tostring",
    "error(setmetatable({}, {__tostring = function() return 'told' end}))" },
  { "a table whose __tostring gives a number",
    "error(setmetatable({}, {__tostring = function() return 5 end}))" },
  { "a table whose __tostring fails", [[
    error(setmetatable({}, {__tostring = function() error "again" end}))]] },
  { "a table with __name", "error(setmetatable({}, {__name = 'Thing'}))" },
  { "a file handle", "error(io.stdout.x or setmetatable({}, nil))" },
  { "an empty string", "error ''" },
  { "several lines", "error 'one\\ntwo\\n'" },
  { "a failed assertion", "assert(false)" },
  { "a failed assertion with a message", "assert(nil, 'why')" },
  { "a failed assertion with a table", "assert(nil, {})" },
  { "a wrong argument", "string.rep()" },
  { "a wrong argument of a method", "('x'):rep({})" },
  { "arithmetic on nil", "local x = y + 1" },
  { "a missing global function", "nothing()" },
  { "a missing field", "local t = {} t.x.y = 1" },
  { "a missing method", "local t = {} t:go()" },
  { "an error far down", [[
    local function f(n) if n == 0 then error "deep" end f(n - 1) return n end
    local t = { go = function(_, n) f(n) return 1 end }
    function G(n) t:go(n) return 2 end
    G(3)]] },
  { "an error below many calls",
    "local function f(n) if n == 0 then error 'deep' end f(n - 1) return 1 end"
    .. " f(60)" },
  { "endless recursion", "local function f() return 1 + f() end f()" },
  { "an error in a tail call", [[
    local function f() error "tail" end
    local function g() return f() end
    g()]] },
  { "an error in a coroutine", [[
    local co = coroutine.wrap(function() local x = nil + 1 end)
    co()]] },
  { "an error in a metamethod", [[
    local t = setmetatable({}, {__add = function() error "add" end})
    print(t + 1)]] },
  { "an error in a sort", "table.sort({3, 2, 1}, function() error 's' end)" },
  { "an error in a closing variable", [[
    local x <close> = setmetatable({}, {__close = function(_, e)
      error("closing " .. tostring(e)) end})
    error "first"]] },
  { "an error in a loaded text", "load('error [[in text]]', 'a text')()" },
  { "a broken text", "assert(load('x = = 1', '=text'))" },
  { "a missing module", "require 'no.such.module'" },
  { "a broken module", "require 'broken'" },
  { "a failing module", "require 'failing'" },
  { "a loop without an end", "goto nowhere" },
  { "a string that stops too early", "x = [[" },
  { "an assignment to a constant", "local x <const> = 1; x = 2" },
  { "too many results for a call", "print(table.unpack({}, 1, 1e7))" },
}

local FILES = { ["broken.lua"] = "x = = 1", ["failing.lua"] = "error 'ours'" }

-- How deep a stack goes depends on what the host itself holds on it.
local function uncounted(text)
  return (text:gsub("skipping %d+ levels", "skipping levels"))
end

describe("as in lua5.4: the end by", function()
  for _, row in ipairs(scripts) do
    it(row[1], function()
      local files = { ["s.lua"] = "-- first line\n" .. row[2] }
      for name, text in pairs(FILES) do files[name] = text end
      local ours, theirs = cli.both({ "s.lua", "a" }, { files = files })
      ours.err, theirs.err = uncounted(ours.err), uncounted(theirs.err)
      assert.same(theirs, ours)
      assert.same(1, ours.exit)
    end)
  end
end)

-- popen, unlike os.execute, does not shield its caller from SIGINT. The
-- command waits for its input to end, so the signal comes inside close.
local INTERRUPT = [[io.popen("cat; kill -INT $PPID", "w"):close() ]]

local interrupted = {
  { "ends a script", "while true do end" },
  { "ends a function in a script",
    "local function f() while true do end end f()" },
  { "is caught once by pcall", "print(pcall(function() while 1 do end end))" },
  { "takes the place of a hook",
    "debug.sethook(function() end, 'l') while true do end" },
}

describe("as in lua5.4: SIGINT", function()
  for _, row in ipairs(interrupted) do
    it(row[1], function()
      local files = { ["s.lua"] = INTERRUPT .. row[2] }
      local ours, theirs = cli.both({ "s.lua" }, { files = files })
      assert.same(theirs, ours)
      assert.matches("interrupted!", ours.out .. ours.err)
    end)
  end

  it("kills at the second time", function()
    local text = "pcall(function() " .. INTERRUPT .. "end) " .. INTERRUPT
    local ours, theirs = cli.both({ "s.lua" }, { files = { ["s.lua"] = text } })
    assert.same(theirs, ours)
    assert.same(130, ours.exit)
  end)

  it("ends -e", function()
    local ours, theirs = cli.both { "-e", INTERRUPT .. "while true do end" }
    assert.same(theirs, ours)
  end)
end)

-- lua5.4 names itself as it was called.
describe("differs: the name in messages", function()
  it("is tidal-lua wherever it is installed", function()
    local _, _, err = cli.run { "-e", "error('x', 0)" }
    assert.same("tidal-lua: x", err:match "^[^\n]*")
  end)
end)
