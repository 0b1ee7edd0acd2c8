-- More of hostile/corpus.lua: attempts to reach the world, and layouts that
-- lie.
local corpus = require "spec.support.hostile.corpus"

local family, FINE <const> = corpus.family, corpus.FINE

-- What must be neither here nor reachable.
family("the world", " here: a layout ", {
  "io.open('canary', 'w')", "io.popen('touch out')", "os.execute 'touch out'",
  "os.remove 'canary'", "os.rename('canary', 'out')", "os.exit(0)", "os.getenv 'HOME'",
  "os.time()", "os.clock()", "os.tmpname()", "io.stdout:write 'x'", "io.lines 'canary'",
  "dofile 'canary'", "loadfile 'canary'", "load 'return 1'", "debug.getregistry()",
  "debug.sethook()", "debug.getinfo(1)", "package.loadlib('x', '*')", "local _ = package.loaded.io",
  "collectgarbage 'stop'", "local _ = arg[0]", "warn '@on'", "loadstring 'x'",
  "local _ = _ENV.io", "local _ENV = _ENV io.open 'x'",
  "local function f() return io end f()", "pcall(function() end) local x = os.time",
  "local i = 'i' .. 'o' local _ = _ENV[i].open", "tidal.wal.reader '.'",
  "tidal.wal.open('out', { create = true })", "local _ = tidal.node", "tidal.core()",
  { "local _ = _G.io", "attempt to index a nil value" },
  { "getfenv(1)", "attempt to call a nil value" },
  { "tidal.cluster.load 'canary'", "attempt to call a nil value" },
  { "string.dump(print)", "attempt to call a nil value" },
  { "local _ = ('x'):pack()", "attempt to call a nil value" },
  { "math.randomseed(1)", "attempt to call a nil value" },
  { "(''):dump()", "attempt to call a nil value" },
})

family("require", "no module ", {
  "require 'ffi'", "require 'lfs'", "require 'socket'", "require '../canary'",
    "require '/etc/passwd'",
  "require 'canary\\0'", "require 'a..b'", "require '.canary'", "require ''", "require 'link'",
  "require 'folder.link'", "require 'tidal.core'", "require 'tidal.host'", "require 'tidal.cell'",
  "require 'io'", "require 'CANARY'", "require 'big'", "require 'fifo'", "require 'deep.outside'",
  { "require(nil)", "a name expected" }, { "require({})", "a name expected" },
  { "require 'selfish'", "is still being loaded" }, { "require 'ping'", "is still being loaded" },
  { "require 'compiled'", "is a binary chunk" }, { "require 'broken'", "broken.lua:1:" },
  { "require 'stealing'", "no io here" }, { "assert(require 'useful'.n == 1) " .. FINE, "ok" },
  { "assert(require 'folder' == require 'folder') " .. FINE, "ok" },
  { "for i = 1, 100 do pcall(require, 'n' .. i) end " .. FINE, "ok" },
})

family("an environment", "ok", {
  "local _ENV = { tidal = tidal } " .. FINE, "assert(getmetatable('') == false) " .. FINE,
  "assert(not pcall(function() getmetatable('').__index = nil end)) " .. FINE,
  "assert(getmetatable(_ENV) == false) " .. FINE,
  "assert(not pcall(setmetatable, _ENV, {})) " .. FINE,
  "assert(not pcall(setmetatable, tidal, {})) " .. FINE,
  "for _, v in ipairs { 1, true, print } do assert(getmetatable(v) == nil) end " .. FINE,
  "assert(getmetatable(tidal.shard(1)) == false) " .. FINE,
  "assert(getmetatable(tidal.rules.survives 'region') == false) " .. FINE,
  "string.format = nil table.sort = nil math.floor = nil " .. FINE,
  "string.rep = function() return 'x' end string.find = error " .. FINE,
  "rawset(_ENV, 'x', 1) assert(x == 1) " .. FINE,
  "tidal.cluster = tidal.cluster " .. FINE,
  { "x = 1 " .. FINE, "x is not declared: write `local x" },
  { "function f() end " .. FINE, "f is not declared" },
  { "tidal.rules.survives = nil tidal.rules.new = nil return 1", "returned a number" },
})

family("an address", "ok", {
  "assert(tostring({}) == 'table') " .. FINE, "assert(tostring(print) == 'function') " .. FINE,
  "assert(tostring(coroutine.create(print)) == 'thread') " .. FINE,
  "assert(string.format('%s|%-9s', {}, print) == 'table|function ') " .. FINE,
  "assert(('%s'):format({}) == 'table') " .. FINE,
  "assert(tostring(setmetatable({}, { __name = 'N' })) == 'N') " .. FINE,
  { "string.format('%p', {})", "shows an address" }, { "('%p'):format(1)", "shows an address" },
  { "string.format('%%%10p', {})", "shows an address" },
  { "error({})", "(error object is a table value)" }, { "print({}, print) " .. FINE, "ok" },
})

family("an error object", "(error object is a ", {
  "error()", "error({})", "error(print)", "error(coroutine.create(print))", "error(true)",
  { "error(setmetatable({}, { __tostring = function() while true do end end }))",
    "(error object is a table value)" },
  { "error(setmetatable({}, { __tostring = function() return {} end }))",
    "(error object is a table value)" },
  { "error(setmetatable({}, { __tostring = function() error 'x' end }))",
    "(error object is a table value)" },
  { "error(setmetatable({}, { __tostring = function() return 'mine' end }))", "mine" },
  { "error(('x'):rep(300000))", "xxxxxxxx" }, { "error('\27[2J\7 \0x', 0)", "?[2J?" },
  { "error(tidal.error { code = 'x y', message = 'm' })", "its code is no word" },
  { "error(tidal.error { code = {}, message = 'm' })", "its code is no word" },
  { "error(tidal.error { code = 'c', message = 'm', faults = { 1, 2 } })", "attempt to index" },
})

local function layout(text)
  return ("return tidal.cluster { name = 'n', regions = { 'a' }, %s }"):format(text)
end
local function ranges(text)
  return layout("shards = 2, routing = tidal.routing.ranges " .. text)
end

family("a layout that lies", "routing", {
  ranges "{ { shard = 0, first = 0, last = 5 }, { shard = 1, first = 3, last = -1 } }",
  ranges "{ { shard = 0, first = 0, last = 5 }, { shard = 1, first = 7, last = -1 } }",
  ranges "{ { shard = 0, first = 5, last = 0 } }", ranges "{ { shard = 0, first = 0.5 } }",
  ranges "{ { shard = 0, first = 0, last = 1e3 } }", ranges "{ { shard = 0, first = 0/0 } }",
  ranges "{ { shard = 0, first = -0.0, last = -1 } }",
    ranges "{ { shard = 2, first = 0, last = -1 } }",
  ranges "{ { shard = 65536, first = 0, last = -1 } }", ranges "{}", ranges "''", ranges "(5)",
  ranges "{ { shard = 0, first = 0, last = 2^53 + 1 } }", ranges "'s0 0..1e3'",
  ranges "{ { shard = 0, first = 0, last = 18446744073709551616 } }",
    ranges "(('s0 0..1 '):rep(9))",
  ranges("(setmetatable({}, { __index = function() return {} end, "
    .. "__len = function() return 1 << 40 end }))"),
  layout "shards = 1, routing = {}", layout "shards = 2, routing = tidal.routing.single()",
})
family("a layout that lies elsewhere", "cluster", {
  layout "shards = 0", layout "shards = 65537", layout "shards = 1.0", layout "shards = '1'",
  layout "shards = 1, epoch = 0", layout "shards = 1, epoch = 1 << 32", layout "shards = 1, x = 1",
  layout "shards = 1, leaders = 'b'", layout "shards = 1, leaders = { [5] = 'a' }",
  layout "shards = 1, rules = { 5 }", layout "shards = 1, rules = tidal.rules.survives 'node'",
  "return tidal.cluster { name = '\\0', regions = { 'a' }, shards = 1 }",
  "return tidal.cluster { name = '\\xff', regions = { 'a\\n' }, shards = 1 }",
  "return tidal.cluster { name = 'n', regions = { 'a', 'a' }, shards = 1 }",
  "return tidal.cluster { name = 'n', regions = {}, shards = 1 }",
  { "return tidal.cluster(5)", "a table expected, got 5" },
  { "return tidal.cluster()", "a table expected, got nil" }, "return {}", "return", "return print",
  "local t = {} t.t = t t.name = t t.regions = t t.shards = t return tidal.cluster(t)",
  "return setmetatable({}, { __index = function() return 1 end })",
  { "local r = {} for i = 1, 70000 do r[i] = 'r' .. i end return tidal.cluster { name = 'n', "
    .. "regions = r, shards = 1 }", "at most 65536" },
  { "local r = {} for i = 1, 100 do r[i] = 'r' .. i end return tidal.cluster { name = 'n', "
    .. "regions = r, shards = 65536 }", "at most 4194304 are possible" },
})

local function ruled(body)
  return "return tidal.cluster { name = 'n', regions = { 'a' }, shards = 1, rules = { "
         .. "function(layout) " .. body .. " end } }"
end
family("a rule", "ok", {
  ruled "error 'x'", ruled "error({})", ruled "layout.name = 'x' return true",
  ruled "layout.regions[1].name = 'x' return true", ruled "return false, {}",
  ruled "for _, r in pairs(layout.regions) do assert(r.name == 'a') end return true",
  { ruled "while true do end", corpus.CALLS },
  { ruled "while true do pcall(error) end", corpus.CALLS },
  { ruled "local t = {} while true do t[#t + 1] = {} end", corpus.EITHER },
  ruled "return io.open 'canary'",
  { ruled "return false, setmetatable({}, { __tostring = function() error 'x' end })", ": x " },
})

return corpus
