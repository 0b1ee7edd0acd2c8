-- Chance that can be repeated and made smaller: a source hands out choices,
-- 64-bit numbers 0..max, and remembers them. A value is a function of its
-- choices, so smaller or fewer choices make a smaller value, and one that is
-- made the same way is as valid as the first.
--
-- choices = { [1..n] = number }, spans = { { first, last }, ... } of what one
-- generator chose: parts that can be left out together.
local prng = require "tidal.prng"

local M = {}

local TRIES_MAX <const> = 4000   -- calls of `fails` while shrinking
local SECONDS_MAX <const> = 20   -- of the processor; most take far less
local CHUNK_MAX <const> = 8
local Spent <const> = {}         -- raised when one of these is reached
local APART_MAX <const> = 8      -- choices that are made smaller together

local Source = {}
Source.__index = Source

---New choices from a seed.
function M.source(seed)
  return setmetatable({ next = prng.new(seed), n = 0, spans = {} }, Source)
end

---The given choices again, as far as they fit; 0 behind their end.
function M.replay(choices)
  return setmetatable({ old = choices, n = 0, spans = {} }, Source)
end

-- Unsigned remainder by max + 1, for a random number.
local function within(random, max)
  if max == -1 then return random end
  if max < 0 then  -- above 2^63: half of the numbers fit, at least
    return math.ult(max, random) and random ~ math.mininteger or random
  end
  local count = max + 1
  if count == math.mininteger then return random & math.maxinteger end
  return (random >> 1) % count
end

---A number 0..max, unsigned. `pick` may prefer some of them: it is asked for
---new choices only and gets a function that draws 64 bits.
---@param max integer
---@param pick? fun(next: fun(): integer): integer
function Source:choose(max, pick)
  self.n = self.n + 1
  local value
  if self.old then
    value = self.old[self.n] or 0
  else
    value = pick and pick(self.next) or within(self.next(), max)
  end
  if math.ult(max, value) then value = max end
  self[self.n] = value
  return value
end

---What make(self) returns; its choices are one span.
function Source:span(make)
  local first = self.n + 1
  local value = make(self)
  if self.n >= first then
    self.spans[#self.spans + 1] = { first, self.n }
  end
  return value
end

-- --- shrinking ------------------------------------------------------------

-- Half of an unsigned number that lies between two.
local function middle(low, high)
  return low + ((high - low) >> 1)
end

local function without(list, first, last)
  local out = table.move(list, 1, first - 1, 1, {})
  return table.move(list, last + 1, #list, first, out)
end

local function with(list, at, value)
  local out = table.move(list, 1, #list, 1, {})
  out[at] = value
  return out
end

-- Fewer choices, or the first one that differs is smaller.
local function is_smaller(a, b)
  if #a ~= #b then return #a < #b end
  for i = 1, #a do
    if a[i] ~= b[i] then return math.ult(a[i], b[i]) end
  end
  return false
end

-- A shrink under way: { best =, spans =, tries =, fails = }.
local function try(state, choices)
  if state.tries >= TRIES_MAX or os.clock() > state.until_ then
    error(Spent, 0)
  end
  state.tries = state.tries + 1
  local source = M.replay(choices)
  if not state.fails(source) then return false end
  local used = table.move(source, 1, source.n, 1, {})
  if not is_smaller(used, state.best) then return false end
  state.best, state.spans = used, source.spans
  return true
end

-- Leaves out whole spans, the longest first, as often as that works.
local function drop_spans(state)
  local less = false
  repeat
    local spans, again = state.spans, false
    table.sort(spans, function(a, b)
      local la, lb = a[2] - a[1], b[2] - b[1]
      if la ~= lb then return la > lb end
      return a[1] < b[1]
    end)
    for _, span in ipairs(spans) do
      if try(state, without(state.best, span[1], span[2])) then
        less, again = true, true
        break
      end
    end
  until not again
  return less
end

-- Leaves out short runs of choices, from the end on.
local function drop_runs(state)
  local less = false
  for size = CHUNK_MAX, 1, -1 do
    local at = #state.best - size + 1
    while at >= 1 do
      if try(state, without(state.best, at, at + size - 1)) then
        less = true
        at = math.min(at, #state.best - size + 1)
      else
        at = at - 1
      end
    end
  end
  return less
end

-- The smallest value of one choice: 0, else by halves above what passes.
local function lower(state, at)
  local high = state.best[at]
  if high == 0 then return false end
  if try(state, with(state.best, at, 0)) then return true end
  local low, less = 0, false
  while high - low ~= 1 do
    local value = middle(low, high)
    local count = #state.best
    if try(state, with(state.best, at, value)) then
      less = true
      if #state.best ~= count or state.best[at] ~= value then return true end
      high = value
    else
      low = value
    end
  end
  return less
end

local function lower_all(state)
  local less, at = false, 1
  while at <= #state.best do
    less = lower(state, at) or less
    at = at + 1
  end
  return less
end

-- The largest d for which change(d) still fails, by halves; nil for none.
local function furthest(state, most, change)
  if try(state, change(most)) then return most end
  local low, high = 0, most
  while high - low ~= 1 do
    local d = middle(low, high)
    if try(state, change(d)) then return d end
    high = d
  end
end

-- Two choices together, the first one lower and the second one by as much
-- lower where they are the same, or higher where a sum may have to stay.
local function lower_pair(state, a, b)
  local list = state.best
  local first, second = list[a], list[b]
  if first == 0 then return false end
  return furthest(state, first, function(d)
    local other = first == second and second - d or second + d
    return with(with(list, a, first - d), b, other)
  end) ~= nil
end

local function lower_pairs(state)
  local less, a = false, 1
  while a < #state.best do
    for b = a + 1, math.min(a + APART_MAX, #state.best) do
      while b <= #state.best and lower_pair(state, a, b) do less = true end
    end
    a = a + 1
  end
  return less
end

local function shrink(state)
  local less
  repeat
    less = drop_spans(state)
    less = drop_runs(state) or less
    less = lower_all(state) or less
    less = lower_pairs(state) or less
  until not less
end

---The smallest choices found that still fail.
---@param source table whose choices fail
---@param fails fun(source): boolean
---@return integer[] choices, integer tries, boolean spent if it gave up early
function M.shrink(source, fails)
  local state = {
    best = table.move(source, 1, source.n, 1, {}), spans = source.spans,
    tries = 0, fails = fails, until_ = os.clock() + SECONDS_MAX,
  }
  local ended, why = pcall(shrink, state)
  if not ended and why ~= Spent then error(why, 0) end
  return state.best, state.tries, not ended
end

return M
