-- G5: the strongest peer, LuaJIT's FFI over the same C library, in a process
-- of its own: reported, not gated. Each side runs several times in turns; the
-- best of all counts.
local core = require "tidal.core"
local prng = require "tidal.prng"

local M = {}

local IDS <const> = 1000
local REPEATS <const> = 2000
local RUNS <const> = 7

-- What LuaJIT (Lua 5.1) runs: prints ns per id of route_many, then of route.
local SCRIPT <const> = [==[
local ffi = require "ffi"
ffi.cdef [=[size_t td_router_size(uint32_t n);
int td_router_init_even(void *r, int strategy, uint32_t n, void *err);
uint16_t td_router_route(const void *r, uint64_t id);
void td_router_route_many(const void *r, const uint64_t *ids,
                          uint16_t *out, size_t count);]=]
local C = ffi.load(arg[1])
local n, repeats = tonumber(arg[2]), tonumber(arg[3])
local router = ffi.new("uint64_t[?]", tonumber(C.td_router_size(15)) / 8 + 1)
assert(C.td_router_init_even(router, 2, 15, nil) == 0)
local ids, out = ffi.new("uint64_t[?]", n), ffi.new("uint16_t[?]", n)
for i = 0, n - 1 do ids[i] = 0x9e3779b97f4a7c15ULL * (i + 1) end
local function best(f)
  local least = math.huge
  for _ = 1, 20 do
    local start = os.clock()
    f(repeats / 20)
    least = math.min(least, os.clock() - start)
  end
  return least / (repeats / 20) / n * 1e9
end
print(best(function(times)
  for _ = 1, times do C.td_router_route_many(router, ids, out, n) end
end))
print(best(function(times)
  local sum = 0
  for _ = 1, times do
    for i = 0, n - 1 do sum = sum + C.td_router_route(router, ids[i]) end
  end
  return sum
end))
]==]

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- ns per id of route_many and of route in LuaJIT, or nil.
local function peer(library, script)
  local pipe = assert(io.popen(("luajit %s %s %d %d 2>&1"):format(
    quoted(script), quoted(library), IDS, REPEATS)))
  local many, one = pipe:read("n", "n")
  pipe:close()
  return many, one
end

local function packed_ids()
  local next_id, ids = prng.new(42), {}
  for i = 1, IDS do ids[i] = next_id() end
  return string.pack("<" .. ("i8"):rep(IDS), table.unpack(ids))
end

-- ns per id of route_packed here.
local function ours(router, packed)
  local start = os.clock()
  for _ = 1, REPEATS / 10 do router:route_packed(packed) end
  return (os.clock() - start) / (REPEATS / 10) / IDS * 1e9
end

local function in_turns(library, script)
  local router, packed = core.router.even(15), packed_ids()
  local mine, many, one = math.huge, math.huge, math.huge
  for _ = 1, RUNS do
    mine = math.min(mine, ours(router, packed))
    local a, b = peer(library, script)
    if not b then return nil end
    many, one = math.min(many, a), math.min(one, b)
  end
  return mine, many, one
end

local function result(name, mine, theirs)
  return { id = "G5", name = name, unit = "ns", rule = "<=", ours = mine,
           peer = theirs, ratio = mine / theirs }
end

---@param host? string path of this executable
---@return table[] results as tidal.bench makes them
function M.measure(host)
  local skip = { id = "G5", name = "route_packed vs LuaJIT's FFI",
                 rule = "<=", skip = "SKIP no luajit or libtidal.so" }
  local root = host and host:match "^(.*)/bin/[^/]+$"
  if not root then return { skip } end
  local script = os.tmpname()
  local file = assert(io.open(script, "w"))
  file:write(SCRIPT)
  file:close()
  local mine, many, one = in_turns(root .. "/lib/libtidal.so", script)
  os.remove(script)
  if not mine then return { skip } end
  return { result("route_packed vs LuaJIT FFI, route_many", mine, many),
           result("route_packed vs LuaJIT FFI, one id a call", mine, one) }
end

return M
