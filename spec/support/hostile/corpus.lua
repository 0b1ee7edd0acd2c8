-- Scripts that try to get out, to hang, to blow up or to lie, each with how
-- it must end: "ok", or text that its error contains. Loops are cut short by
-- the small budgets of hostile/run.lua.
local M = {}

M.CALLS = "instruction budget used up"
-- A loop that also fills memory may meet either end first.
M.EITHER = "budget used up"
-- Work inside Lua itself that nothing counts: the wall around the process.
M.TIME = "it used up its 1 s of processor time"

local CALLS <const>, EITHER <const> = M.CALLS, M.EITHER

-- A layout that is fine, for scripts whose attempt must come to nothing.
M.FINE = [[
return tidal.cluster { name = "n", regions = { "a", "b" }, shards = 2 }]]

local list = {}

-- Scripts of a family: { text, end } or text with the family's end.
local function family(name, ending, scripts)
  for i, entry in ipairs(scripts) do
    local text = type(entry) == "table" and entry[1] or entry
    local fate = type(entry) == "table" and entry[2] or ending
    list[#list + 1] = { name = ("%s %d"):format(name, i), text = text, ending = fate }
  end
end

family("a loop", CALLS, {
  "while true do end", "repeat until false", "::a:: goto a", "for i = 1, math.huge do end",
  "for i = 1, 1 << 62 do end", "local function f() return f() end f()",
  "local t = setmetatable({}, { __index = function(t, k) return t[k + 0] end }) "
    .. "while true do pcall(function() return t[1] end) end",
  "for _ in function() return 1 end do end", "local i = 0 while i >= 0 do i = i + 1 end",
  "table.sort({ 3, 2, 1 }, function() while true do end end)",
  "local t = {} for i = 1, 1e6 do t[i % 100] = i end while true do end",
})

family("a swallowed error", CALLS, {
  "local function spin() while true do end end while true do pcall(spin) end",
  "local function spin() while true do end end pcall(pcall, pcall, spin) while true do end",
  "local function f() pcall(f) while true do end end f()",
  "local function f(n) if n > 0 then pcall(f, n - 1) end while true do end end f(100)",
  "while true do pcall(error, 'x') end",
  "local s = ('a'):rep(50) while true do pcall(string.gsub, s, 'a', function() "
    .. "while true do end end) end",
  "while true do pcall(table.sort, { 5, 4, 3, 2, 1 }, function() error 'x' end) end",
  "local t = setmetatable({}, { __add = function() while true do end end }) "
    .. "while true do pcall(function() return t + 1 end) end",
  "while true do pcall(pcall, pcall, pcall, error) end",
})

family("an error handler", CALLS, {
  "xpcall(function() while true do end end, function() while true do end end)",
  "xpcall(error, function() while true do end end)",
  "local function h() xpcall(error, h) end while true do h() end",
  { "xpcall(error, function(e) error(e) end) " .. M.FINE, "ok" },
  { "local _, m = xpcall(error, function(e) return e .. '!' end, 'x') assert(m == 'x!') "
    .. M.FINE, "ok" },
})

family("a closing variable", "no __close here", {
  "local x <close> = setmetatable({}, { __close = function() while true do end end })",
  "for i = 1, 150 do local x <close> = setmetatable({}, { __close = print }) end",
  { "local mt = {} local t = setmetatable({}, mt) mt.__close = function() while true do end end "
    .. "local x <close> = t", CALLS },
  { "local mt = {} local t = setmetatable({}, mt) mt.__close = function() while true do end end "
    .. "local function f(n) local x <close> = t if n > 0 then f(n - 1) end end f(150)", CALLS },
})

family("a finalizer", "no __gc here", {
  "setmetatable({}, { __gc = function() while true do end end })",
  "local mt = { __gc = true } setmetatable({}, mt)",
  "local mt = rawset({}, '__gc', print) setmetatable({}, mt)",
  { "local mt = setmetatable({}, { __index = { __gc = function() while true do end end } }) "
    .. "for i = 1, 1e4 do setmetatable({}, mt) end " .. M.FINE, "ok" },
  { "local mt = {} local t = setmetatable({}, mt) mt.__gc = function() while true do end end "
    .. "t = nil for i = 1, 1e4 do local _ = {} end " .. M.FINE, "ok" },
  "local mt = {} local t = setmetatable({}, mt) mt.__gc = print setmetatable(t, mt)",
})

family("coroutines", CALLS, {
  "while true do coroutine.wrap(function() for i = 1, 50 do end end)() end",
  "while true do coroutine.resume(coroutine.create(function() end)) end",
  "local function f() return coroutine.wrap(f)() end while true do pcall(f) end",
  "local co = coroutine.wrap(function() while true do coroutine.yield() end end) "
    .. "while true do co() end",
  "coroutine.wrap(function() while true do end end)()",
  "local co = coroutine.create(function() while true do pcall(coroutine.yield) end end) "
    .. "while true do coroutine.resume(co) end",
  { "local function f(n) if n > 0 then coroutine.wrap(f)(n - 1) end end f(10000)",
    "C stack overflow" },
  { "local co = coroutine.create(print) coroutine.resume(co) "
    .. "assert(not coroutine.resume(co)) " .. M.FINE, "ok" },
  { "coroutine.yield()", "attempt to yield from outside a coroutine" },
  { "local x = coroutine.close(coroutine.create(print))", "attempt to call a nil value" },
  { "local list = {} for i = 1, 20000 do list[i] = coroutine.wrap(function() "
    .. "coroutine.yield() end) list[i]() end", EITHER },
  "for k in coroutine.wrap(function() while true do coroutine.yield(1) end end) do end",
  { "return coroutine.wrap(function() " .. M.FINE .. " end)()", "ok" },
})

family("a long string", EITHER, {
  "string.rep('x', 1 << 30)", "string.rep('', 1 << 62)",
  { "('x'):rep(1 << 40, 'y')", "string too large" }, { "('x'):rep(1 << 62)", "string too large" },
  "local s = 'x' while true do s = s .. s end",
  "local s = '' while true do s = s .. ('x'):rep(1000) end",
  "local s = ('x'):rep(1 << 20) while true do s:upper() end",
  "local s = ('x'):rep(1 << 20) while true do s:byte(-1) s:reverse() end",
  "local s = ('x'):rep(1000) while true do s = s:gsub('x', '%0%0') end",
  "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(i) end",
  "string.format(('%s'):rep(100), table.unpack({}, 1, 100)):rep(1 << 20)",
  "local s = ('x'):rep(1 << 20) while true do string.format('%s%s', s, s) end",
  "while true do string.format('%99.99f', 1e308) end",
  "while true do utf8.char(1, 2, 3) end",
  "local s = ('x'):rep(1 << 21) while true do utf8.len(s) end",
  "local s = ('1'):rep(1 << 21) while true do tonumber(s) end",
  "local s = ('x'):rep(1 << 21) while true do s:find('y', 1, true) end",
  { "string.format('%1000d', 1)", "invalid conversion" },
})

family("a lying length", EITHER, {
  "table.move({}, 1, 1 << 62, 2)", "table.move({}, -(1 << 62), 1, 2)",
  "table.insert(setmetatable({}, { __len = function() return 1 << 40 end }), 1, 1)",
  "table.remove(setmetatable({}, { __len = function() return 1 << 40 end }), 1)",
  "table.concat(setmetatable({}, { __len = function() return 1 << 40 end, "
    .. "__index = function() return 'x' end }))",
  "table.concat({}, '', 1, 1 << 62)", "table.unpack({}, 1, 1 << 40)",
  "table.unpack({}, -(1 << 62), 1 << 62)",
  "table.unpack(setmetatable({}, { __len = function() return 1 << 40 end }))",
  "table.sort(setmetatable({}, { __len = function() return 1 << 40 end, "
    .. "__index = function() return 1 end }))",
  "for _ in ipairs(setmetatable({}, { __index = function() return 1 end })) do end",
  { "table.unpack({}, 1, 1 << 20)", CALLS },
})

family("a lying comparison", "ok", {
  "local t = {} for i = 1, 500 do t[i] = i * 7 % 13 end "
    .. "table.sort(t, function() return true end) " .. M.FINE,
  "local n = 0 local t = {} for i = 1, 300 do t[i] = i end "
    .. "table.sort(t, function() n = n + 1 return n % 3 == 0 end) " .. M.FINE,
  { "table.sort({ 1, 'x', 2 })", "attempt to compare" },
  { "table.sort({ {}, {} })", "attempt to compare" },
  { "table.sort({ 2, 1 }, function(a) while a do end end)", CALLS },
})

family("memory", EITHER, {
  "local t = {} while true do t = { t } end", "local t = {} for i = 1, 1e9 do t[i] = {} end",
  "local t = {} for i = 1, 1e9 do t[i] = function() return i end end",
  "local t = {} for i = 1, 1e9 do t[i] = coroutine.create(function() end) end",
  "local t = {} for i = 1, 1e9 do t['k' .. i] = i end",
  "local t = {} while true do pcall(function() t[#t + 1] = ('x'):rep(1 << 22) .. #t end) end",
  { "local function f(...) return f(1, ...) end f()", M.TIME },
  "local t = {} for i = 1, 1e9 do t[i] = i .. 'x' end",
  "local s = { ('x'):rep(1 << 20) } while true do s[#s + 1] = s[1] .. #s end",
  "local t = {} while true do t[#t + 1] = { table.unpack({}, 1, 200) } end",
})

family("a pattern", CALLS, {
  "(('a'):rep(200)):find(('.-'):rep(4) .. 'b')", "(('a'):rep(2000)):find '.-.-b'",
  "(('a'):rep(50000)):find '.-b'", "(('a'):rep(30)):find(('a?'):rep(30) .. ('a'):rep(30))",
  "(('('):rep(50000)):find '%b()%b()'", "(('a'):rep(1e5)):gsub('.-b', '')",
  "for _ in (('a'):rep(1e5)):gmatch '.-b' do end", "(('a'):rep(2000)):find '(.-)(.-)%1%2b'",
  "(('a '):rep(20000)):find '%f[%w].-%f[%d]'", "(('a'):rep(1e5)):match('a*a*a*b')",
  { "('x'):find(('('):rep(40))", "too many captures" }, { "('x'):find '('", "unfinished capture" },
  { "('x'):find '%'", "malformed pattern" }, { "('x'):find '[a'", "malformed pattern" },
  { "('x'):find '%b'", "malformed pattern" }, { "('x'):match ')'", "invalid pattern capture" },
  { "('x'):find '%1'", "invalid capture index" },
  { "('x'):gsub('x', '%9')", "invalid capture index" },
  { "('x'):gsub('x', '%')", "invalid use of '%'" },
  { "(('a'):rep(300)):find(('a-'):rep(250))", "pattern too complex" },
  { "('x'):gsub('.', function() return {} end)", "invalid replacement value" },
  "(('x'):rep(1000)):gsub('x', function() while true do end end)",
})

family("work that nothing counts", M.TIME, {
  "local s = ('x'):rep(1 << 21) local t = s:sub(1) while s <= t do end",
})

family("recursion", "stack overflow", {
  { "local function f() return 1 + f() end f()", EITHER },
  "local function f() return (('x'):gsub('x', f)) end f()",
  "local t = setmetatable({}, {}) getmetatable(t).__tostring = function(x) return tostring(x) "
    .. "end tostring(t)",
  { "local t = {} for i = 1, 5000 do t = setmetatable({}, { __index = t }) end "
    .. "local _ = t.x", "'__index' chain too long" },
  "local t = setmetatable({}, { __concat = function(a, b) return a .. b end }) local _ = t .. 'x'",
  "local t = setmetatable({}, { __index = function(t, k) return t[k .. 'x'] end }) local _ = t.x",
  { "local function f() pcall(f) f() end f()", M.TIME },
  "local t = setmetatable({}, {}) getmetatable(t).__eq = function(a, b) return a == b end "
    .. "local _ = t == setmetatable({}, getmetatable(t))",
})

family("a source text", "nested deeper than 150", {
  "return " .. ("("):rep(5000) .. "1" .. (")"):rep(5000),
  "return " .. ("{"):rep(5000) .. ("}"):rep(5000), ("do "):rep(3000) .. ("end "):rep(3000),
  "return " .. ("function() return "):rep(2000),
  { "local a = {} return a" .. (".b"):rep(60000), "more than 1000 suffixes" },
  { "local a = {} return a" .. (".b"):rep(20000) .. " + 1", "more than 1000 suffixes" },
  { "local a = print return a" .. ("()"):rep(5000), "more than 1000 suffixes" },
  { "local a = {} return a" .. ("[1]"):rep(5000), "more than 1000 suffixes" },
  { "local a = {} return a" .. (":b''"):rep(5000), "more than 1000 suffixes" },
  { "return " .. (" - "):rep(3000) .. "1", "overflow" },
  { "return " .. ("not "):rep(3000) .. "1", "overflow" },
  { "return " .. ("'x' .. "):rep(5000) .. "'x'", "overflow" },
  { ("local x = 1 "):rep(300), "too many local variables" },
  { "local t = {} " .. ("goto e "):rep(3000) .. "::e:: " .. M.FINE, "ok" },
  { ("-"):rep(300000), "has more than 262144 bytes" },
  { "return [[" .. ("x"):rep(200000) .. "]]", "returned a string" },
})

family("a binary chunk", "is a binary chunk", {
  "\27Lua", "\27LuaT\0\25\147\r\n\26\n\4\8\8xV\0\0", "\27" .. ("\0"):rep(1000),
  string.dump(function() return 1 end), string.dump(function() return 1 end):sub(1, 60),
  (string.dump(function() return 1, 2 end):gsub("\1", "\255")),
  "\xEF\xBB\xBF\27Lua", { "#!x\n\27Lua", "" },
})

M.list, M.family = list, family
return M
