-- Seeded values for properties: edges first, then anything.
--
-- Every property draws from its own stream, made from the seed and its name,
-- so that one can be repeated alone:
--   TIDAL_SEED=7 bin/tidal-lua /usr/bin/busted --filter "..." spec/...
local M = {}

M.seed = math.tointeger(tonumber(os.getenv "TIDAL_SEED")) or os.time()

local Stream = {}
Stream.__index = Stream

-- splitmix64: any state is a good one.
function Stream:next()
  self.state = self.state + 0x9e3779b97f4a7c15
  local x = self.state
  x = (x ~ x >> 30) * 0xbf58476d1ce4e5b9
  x = (x ~ x >> 27) * 0x94d049bb133111eb
  return x ~ x >> 31
end

---An integer in low..high, both included, at most 2^62 apart.
function Stream:int(low, high)
  return low + (self:next() >> 1) % (high - low + 1)
end

function Stream:pick(list)
  return list[self:int(1, #list)]
end

---True once in `n` times.
function Stream:once_in(n)
  return self:int(1, n) == 1
end

local EDGES <const> = {
  0, 1, 2, 0x7f, 0xff, 0x7fffffff, 0x80000000, 0xffffffff, 0x100000000,
  1 << 53, (1 << 53) + 1, math.maxinteger - 1, math.maxinteger,
  math.mininteger, math.mininteger + 1, -2, -1,
}

---A 64-bit pattern: an edge, a small or a large one.
function Stream:u64()
  local kind = self:int(1, 4)
  if kind == 1 then return self:pick(EDGES) end
  if kind == 2 then return self:next() >> self:int(0, 63) end
  return self:next()
end

---From 1 up, with room for `count` numbers behind it.
function Stream:seqno(count)
  local first = self:u64()
  local most = -1 - (count - 1)
  if math.ult(most, first) then return most end
  return first == 0 and 1 or first
end

function Stream:u16()
  return self:once_in(3) and self:pick { 0, 1, 2, 255, 256, 65534, 65535 }
    or self:int(0, 65535)
end

function Stream:u32()
  return self:once_in(3) and self:pick { 0, 1, 0x7fffffff, 0x80000000, 0xffffffff }
    or self:next() & 0xffffffff
end

function Stream:bytes(size)
  local out = {}
  for i = 1, size do out[i] = string.char(self:next() & 255) end
  return table.concat(out)
end

---A weight that 32 bits hold exactly, so that it can be compared.
function Stream:weight()
  return self:int(-2048, 2048) / self:pick { 1, 2, 64, 1024 }
end

function Stream:event()
  return { entity = self:u64(), signal_type = self:int(0, 255), weight = self:weight(),
           timestamp_ns = self:u64() }
end

function Stream:events(count)
  local out = {}
  for i = 1, count do out[i] = self:event() end
  return out
end

---A header's fields without counts.
function Stream:head(count)
  return { first_seq = self:seqno(count), timestamp_ns = self:u64(), shard = self:u16(),
           region = self:u16(), epoch = self:u32(), lazy = self:once_in(2) }
end

---`count` different values that rise unsigned, the first one 0.
function Stream:starts(count)
  local seen, out = { [0] = true }, { 0 }
  while #out < count do
    local start = self:u64()
    if not seen[start] then
      seen[start] = true
      out[#out + 1] = start
    end
  end
  table.sort(out, math.ult)
  return out
end

---Ranges { shard =, first =, last = } that cover everything, rising.
function Stream:ranges(count, shards)
  local starts, out = self:starts(count), {}
  for i, first in ipairs(starts) do
    local last = starts[i + 1] and starts[i + 1] - 1 or -1
    out[i] = { shard = self:int(0, shards - 1), first = first, last = last }
  end
  return out
end

function Stream:shuffle(list)
  for i = #list, 2, -1 do
    local j = self:int(1, i)
    list[i], list[j] = list[j], list[i]
  end
  return list
end

---The stream of a name.
function M.stream(name)
  local state = M.seed
  for i = 1, #name do state = (state ~ name:byte(i)) * 0x100000001b3 end
  return setmetatable({ state = state }, Stream)
end

---Runs check(stream, case) `count` times; what it returns is a fault. Raises
---once, with the first few faults and the seed that repeats them.
function M.property(name, count, check)
  local stream, faults = M.stream(name), {}
  for case = 1, count do
    local fault = check(stream, case)
    if fault then faults[#faults + 1] = ("case %d: %s"):format(case, fault) end
    if #faults == 5 then break end
  end
  if #faults > 0 then
    error(("%s\n%s\nTIDAL_SEED=%d repeats it"):format(name, table.concat(faults, "\n"), M.seed), 2)
  end
end

return M
