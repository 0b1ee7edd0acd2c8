-- Generators: what tidal.testing.prop draws values from.
--
-- A generator is { make = function(source) -> value, show = function(value)
-- -> text }. It takes all its chance from source:choose (choices.lua), the
-- choice 0 being the simplest: so every value can be made smaller.
local core = require "tidal.core"
local faults = require "tidal.faults"
local layouts = require "tidal.cluster.layout"

local M = {}

local Generator = { __name = "tidal.Generator" }
Generator.__index = Generator

-- Any value on one line, tables with their keys sorted.
local function shown(value)
  if math.type(value) == "float" then return ("%.14g"):format(value) end
  if type(value) ~= "table" or getmetatable(value) then
    return faults.shown(value)
  end
  local parts, named = {}, {}
  for i, entry in ipairs(value) do parts[i] = shown(entry) end
  local count = #parts
  for key in next, value do
    local listed = math.type(key) == "integer" and key >= 1 and key <= count
    if not listed then named[#named + 1] = key end
  end
  table.sort(named, function(a, b) return tostring(a) < tostring(b) end)
  for _, key in ipairs(named) do
    parts[#parts + 1] = ("%s = %s"):format(
      type(key) == "string" and key or "[" .. tostring(key) .. "]",
      shown(value[key]))
  end
  return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
end
M.shown = shown

---A generator of one's own.
---@param make fun(source): any
---@param show? fun(value): string
function M.new(make, show)
  return setmetatable({ make = make, show = show or shown }, Generator)
end

---True for a generator.
function M.is(value)
  return getmetatable(value) == Generator
end

local function check(value, where)
  if not M.is(value) then
    error(("%s: a generator (prop.id(), prop.integer(0, 9), ...) expected, "
           .. "got %s"):format(where, faults.shown(value)), 3)
  end
end

---f of the values of a generator.
---@param f fun(value): any
function Generator:map(f, show)
  return M.new(function(source) return f(self.make(source)) end, show)
end

---Always this value.
function M.constant(value)
  return M.new(function() return value end)
end

---An integer low..high, the one nearest to 0 being the simplest.
function M.integer(low, high)
  if math.type(low) ~= "integer" or math.type(high) ~= "integer"
     or high < low then
    error("prop.integer(low, high): two integers expected, low <= high", 2)
  end
  local best = low > 0 and low or high < 0 and high or 0
  local below, above = best - low, high - best
  return M.new(function(source)
    -- Away from the best value: above it first, then below it.
    local far = below > 0 and (above == 0 or source:choose(1) == 1)
    return far and best - source:choose(below) or best + source:choose(above)
  end)
end

---true or false, false being the simplest.
function M.boolean()
  return M.new(function(source) return source:choose(1) == 1 end)
end

---One of the values, the first being the simplest.
function M.one_of(values)
  if type(values) ~= "table" or #values == 0 then
    error("prop.one_of(values): a list that is not empty expected", 2)
  end
  return M.new(function(source)
    return values[source:choose(#values - 1) + 1]
  end)
end

---A value of one of the generators, of the first being the simplest.
function M.any_of(list)
  if type(list) ~= "table" or #list == 0 then
    error("prop.any_of(generators): a list that is not empty expected", 2)
  end
  for _, one in ipairs(list) do check(one, "prop.any_of(generators)") end
  return M.new(function(source)
    return list[source:choose(#list - 1) + 1].make(source)
  end)
end

---A list of min..max values; default 0..16.
function M.list(of, min, max)
  check(of, "prop.list(of, min, max)")
  min, max = min or 0, max or math.max(16, min or 0)
  local function more(random) return random() % 8 == 0 and 0 or 1 end
  return M.new(function(source)
    local out = {}
    while #out < max do
      local stop = source:span(function()
        if #out >= min and source:choose(1, more) == 0 then return true end
        out[#out + 1] = of.make(source)
      end)
      if stop then break end
    end
    return out
  end, function(list)
    local parts = {}
    for i, value in ipairs(list) do parts[i] = of.show(value) end
    return #parts == 0 and "{}" or "{ " .. table.concat(parts, ", ") .. " }"
  end)
end

---A table with a value of each generator, by key.
---@param fields { [string]: table }
function M.record(fields)
  local keys = {}
  for key, of in next, fields do
    check(of, "prop.record(fields)." .. tostring(key))
    keys[#keys + 1] = key
  end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return M.new(function(source)
    local out = {}
    for _, key in ipairs(keys) do
      out[key] = source:span(fields[key].make)
    end
    return out
  end, function(value)
    local parts = {}
    for i, key in ipairs(keys) do
      parts[i] = key .. " = " .. fields[key].show(value[key])
    end
    return "{ " .. table.concat(parts, ", ") .. " }"
  end)
end

-- --- ids ------------------------------------------------------------------

local EDGES <const> = {
  0, 1, 2, 0xff, 0xffffffff, 0x100000000, 1 << 53, (1 << 53) + 1,
  math.maxinteger - 1, math.maxinteger, math.mininteger, math.mininteger + 1,
  -2, -1,
}

-- The ends of the ranges of a layout, and their neighbours.
local function edges_of(layout)
  local out = table.move(EDGES, 1, #EDGES, 1, {})
  local unhash = layout.router:strategy() == "hash_ranges"
                 and require "tidal.inspect.unhash".id
  for _, range in ipairs(layout:ranges() or {}) do
    for _, key in ipairs { range.first - 1, range.first, range.last,
                           range.last + 1 } do
      out[#out + 1] = unhash and unhash(key) or key
    end
  end
  return out
end

---An entity id, any of 2^64: edges (0, 1, 2^63 - 1, 2^63, 2^64 - 1; with a
---layout the ends of its ranges too), small ones and large ones. 0 is the
---simplest, 2^64 - 1 the last.
---@param layout? table
function M.id(layout)
  if layout ~= nil and not layouts.is(layout) then
    error(("prop.id(layout): a layout expected, got %s"):format(
      faults.shown(layout)), 2)
  end
  local edges = layout and edges_of(layout) or EDGES
  local function pick(random)
    local kind = random() >> 62
    if kind == 0 then return random() >> (random() >> 58) end
    if kind == 3 then return random() end
    return edges[(random() >> 1) % #edges + 1]
  end
  return M.new(function(source)
    return source:choose(-1, pick)
  end, core.u64.hex)
end

-- --- events ---------------------------------------------------------------

local WEIGHT_UNIT <const> = 64  -- 32 bits hold these weights exactly

---An event: { entity =, signal_type =, weight =, timestamp_ns = }.
---@param id? table generator of ids; default M.id()
function M.event(id)
  return M.record {
    entity = id or M.id(), signal_type = M.integer(0, 255),
    weight = M.integer(-4096, 4096):map(function(n)
      return n / WEIGHT_UNIT
    end),
    timestamp_ns = M.id(),
  }
end

---A batch, as tidal.wal.encode_batch takes it.
---@param most? integer events at most; default 8
---@param id? table generator of ids
function M.batch(most, id)
  return M.record {
    first_seq = M.integer(1, 1 << 62), timestamp_ns = M.id(),
    shard = M.integer(0, 65535), region = M.integer(0, 65535),
    epoch = M.integer(0, 0xffffffff),
    events = M.list(M.event(id), 1, most or 8),
  }
end

return M
