-- What is measured from Lua, and against what: the gates G1, G2, G4, G8, G16
-- and G18. Each pair does the same work on the same ids.
local core = require "tidal.core"
local prng = require "tidal.prng"

local M = {}

local IDS <const> = 1000

-- Seeded ids over the whole space.
local function ids_of(count)
  local ids, next_id = {}, prng.new(42)
  for i = 1, count do ids[i] = next_id() end
  return ids
end

-- Irregular boundaries for n ranges, rising unsigned, from 0.
local function starts_of(n)
  local starts = ids_of(n - 1)
  table.sort(starts, math.ult)
  table.insert(starts, 1, 0)
  return starts
end

-- The best routing that plain Lua can do: binary search over starts whose
-- sign bit is flipped once, so that < is the unsigned order.
local function plain_lua_router(starts)
  local keys, count = {}, #starts
  for i, start in ipairs(starts) do keys[i] = start ~ math.mininteger end
  return function(id)
    id = id ~ math.mininteger
    local low, high = 1, count
    while low < high do
      local middle = (low + high + 1) >> 1
      if keys[middle] <= id then low = middle else high = middle - 1 end
    end
    return low - 1
  end
end

-- Calls route(id) n times, over the ids in turn.
local function loop(route, ids)
  return function(n)
    local sum, count = 0, #ids
    for i = 1, n do sum = sum + route(ids[i % count + 1]) end
    return sum
  end
end

local function route_cases(n, gate)
  local starts, ids = starts_of(n), ids_of(IDS)
  local router = core.router.starts(starts)
  local ours, plain = router:bind(), plain_lua_router(starts)
  for _, id in ipairs(ids) do assert(ours(id) == plain(id)) end
  return {
    { id = "G1", sense = "faster", gate = gate, ours = loop(ours, ids),
      name = ("route(id) vs plain Lua, %d ranges"):format(n),
      peer = loop(plain, ids) },
    { id = "G2", sense = "cost", gate = 1.5, ours = loop(ours, ids),
      name = ("route(id) vs an empty C function, %d ranges"):format(n),
      peer = loop(math.tointeger, ids) },
  }
end

local function packed_case()
  local starts, ids = starts_of(15), ids_of(IDS)
  local router = core.router.starts(starts)
  local packed = string.pack("<" .. ("i8"):rep(IDS), table.unpack(ids))
  local route = router:bind()
  return { id = "G4", sense = "cost", gate = 0.12, per = IDS,
    name = "route_packed vs route(id), per id",
    ours = function(n)
      for _ = 1, n do router:route_packed(packed) end
    end,
    peer = function(n)
      for _ = 1, n do
        for i = 1, IDS do route(ids[i]) end
      end
    end }
end

local function build_case()
  local n = 65535
  local starts = starts_of(n)
  return { id = "G8", sense = "cost", gate = 0.2, per = n,
    name = "router of 65,535 ranges vs building their Lua records",
    ours = function(count)
      for _ = 1, count do core.router.starts(starts) end
    end,
    peer = function(count)
      for _ = 1, count do
        local list = {}
        for i = 1, n do
          list[i] = { shard = i - 1, first = starts[i],
                      last = (starts[i + 1] or 0) - 1 }
        end
      end
    end }
end

local EVENTS <const> = 100

local function batch_cases()
  local builder = core.wal.builder()
  local add, seq = builder:bind(), 1
  local ids = ids_of(EVENTS)
  local function ours(n)
    for _ = 1, n do
      for i = 1, EVENTS do add(ids[i], 1, 1.5, i) end
      builder:seal { first_seq = seq, timestamp_ns = 7, shard = 3 }
    end
  end
  local function packing(n)
    for _ = 1, n do
      local parts = {}
      for i = 1, EVENTS do
        parts[i] = string.pack("<i8Bfi8", ids[i], 1, 1.5, i)
      end
      core.wal.encode_batch { first_seq = seq, timestamp_ns = 7, shard = 3,
                              payload = table.concat(parts) }
    end
  end
  local function tables(n)
    for _ = 1, n do
      local events = {}
      for i = 1, EVENTS do
        events[i] = { entity = ids[i], signal_type = 1, weight = 1.5,
                      timestamp_ns = i }
      end
      core.wal.encode_batch { first_seq = seq, timestamp_ns = 7, shard = 3,
                              events = events }
    end
  end
  return {
    { id = "G16", sense = "faster", gate = 4, per = EVENTS, ours = ours,
      name = "add() of an event vs string.pack and concat", peer = packing },
    { id = "G16", sense = "faster", gate = 4, per = EVENTS, ours = ours,
      name = "add() of an event vs a table per event", peer = tables },
  }
end

local function id_cases()
  local shard, segment, held = core.shard, core.segment, {}
  for i = 1, IDS do held[i] = segment(0, 3, i) end
  local function records(n)
    for i = 1, n do
      local _ = { region = 0, shard = 3, seqno = i % IDS + 1 }
    end
  end
  return {
    { id = "G18", sense = "cost", gate = 1.6,
      name = "tidal.shard(n) vs a plain integer through C",
      ours = function(n) for i = 1, n do shard(i & 15) end end,
      peer = function(n)
        for i = 1, n do math.tointeger(i & 15) end
      end },
    { id = "G18", sense = "cost", gate = 0.7, peer = records,
      name = "a segment id in use vs a Lua table",
      ours = function(n)
        for i = 1, n do segment(0, 3, i % IDS + 1) end
      end },
    { id = "G18", sense = "cost", peer = records,
      name = "a new segment id vs a Lua table",
      ours = function(n) for i = 1, n do segment(1, 3, i) end end },
  }
end

---All cases, in the order of their gates.
---@return table[]
function M.list()
  local out = {}
  local function add(list)
    table.move(list, 1, #list, #out + 1, out)
  end
  add(route_cases(15, 3))
  add(route_cases(1024, 5))
  add { packed_case(), build_case() }
  add(batch_cases())
  add(id_cases())
  return out
end

return M
