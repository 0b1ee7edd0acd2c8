-- Tables for scripts that are not trusted: walked in the order of their
-- keys, so that no result depends on how a table is stored; loops in Lua, so
-- that each turn counts, whatever length a table claims to have.
local M = {}

local function before(a, b)
  local x, y = type(a), type(b)
  if x ~= y then return x == "number" end
  return a < b
end

-- Integers rising, then strings in the order of their bytes. The fault is
-- the line that called what calls this, `above` levels higher.
local function check_key(key, what, above)
  if math.type(key) == "integer" or type(key) == "string" then return end
  error(("%s: a key is a %s: only integers and strings have an order; walk a "
         .. "list instead"):format(what, math.type(key) or type(key)),
        3 + above)
end

-- The keys of a table, sorted, and the table to look values up in.
local function keys_of(t)
  local meta, keys, values = debug.getmetatable(t), {}, t
  local walk = meta and rawget(meta, "__pairs")
  if walk then
    values = {}
    for key, value in walk(t) do
      check_key(key, "pairs", 1)
      keys[#keys + 1], values[key] = key, value
    end
  else
    for key in next, t do
      check_key(key, "pairs", 1)
      keys[#keys + 1] = key
    end
  end
  table.sort(keys, before)
  return keys, values
end

---pairs in the order of the keys.
function M.pairs(t)
  if type(t) ~= "table" then
    error(("pairs: a table expected, got %s"):format(type(t)), 2)
  end
  local keys, values = keys_of(t)
  local i = 0
  return function()
    repeat
      i = i + 1
      local key = keys[i]
      if key == nil then return nil end
      local value = rawget(values, key)
      if value ~= nil then return key, value end
    until false
  end, t, nil
end

---The key behind `last`, and its value: looks at every key, each time.
function M.next(t, last)
  if type(t) ~= "table" then
    error(("next: a table expected, got %s"):format(type(t)), 2)
  end
  local best
  if last ~= nil then check_key(last, "next", 0) end
  for key in next, t do
    check_key(key, "next", 0)
    if (last == nil or before(last, key))
       and (best == nil or before(key, best)) then
      best = key
    end
  end
  if best ~= nil then return best, rawget(t, best) end
end

local function check_table(t, what)
  if type(t) ~= "table" then
    error(("%s: a table expected, got %s"):format(what, type(t)), 3)
  end
end

local function check_integer(value, what)
  local integer = math.tointeger(value)
  if integer then return integer end
  error(("%s: an integer expected, got %s"):format(what, type(value)), 3)
end

local function insert(t, ...)
  check_table(t, "table.insert")
  local count, at, value = #t, ...
  if select("#", ...) == 1 then
    t[count + 1] = at
    return
  end
  if select("#", ...) ~= 2 then
    error("wrong number of arguments to 'insert'", 2)
  end
  at = check_integer(at, "table.insert")
  if at < 1 or at > count + 1 then
    error("table.insert: position out of bounds", 2)
  end
  for i = count, at, -1 do t[i + 1] = t[i] end
  t[at] = value
end

local function remove(t, at)
  check_table(t, "table.remove")
  local count = #t
  if at == nil then at = count end
  at = check_integer(at, "table.remove")
  if count + 1 == at or count == 0 and at == 0 then
    local value = t[at]
    t[at] = nil
    return value
  end
  if at < 1 or at > count then
    error("table.remove: position out of bounds", 2)
  end
  local value = t[at]
  for i = at, count - 1 do t[i] = t[i + 1] end
  t[count] = nil
  return value
end

local function move(from, first, last, at, to)
  check_table(from, "table.move")
  to = to == nil and from or to
  check_table(to, "table.move")
  first = check_integer(first, "table.move")
  last = check_integer(last, "table.move")
  at = check_integer(at, "table.move")
  if at > first and at <= last and from == to then
    for i = last - first, 0, -1 do to[at + i] = from[first + i] end
  elseif last >= first then
    for i = 0, last - first do to[at + i] = from[first + i] end
  end
  return to
end

-- A merge sort: equal entries keep their order, and a comparison that lies
-- only spoils the result.
local function merge(from, to, first, middle, last, less)
  local i, j = first, middle
  for k = first, last - 1 do
    if i < middle and (j >= last or not less(from[j], from[i])) then
      to[k], i = from[i], i + 1
    else
      to[k], j = from[j], j + 1
    end
  end
end

local function plain_less(a, b) return a < b end

local function sort(t, less)
  check_table(t, "table.sort")
  local count, from, to = #t, {}, {}
  for i = 1, count do from[i] = t[i] end
  local width = 1
  while width < count do
    for first = 1, count, 2 * width do
      local middle = math.min(first + width, count + 1)
      local last = math.min(first + 2 * width, count + 1)
      merge(from, to, first, middle, last, less or plain_less)
    end
    from, to, width = to, from, 2 * width
  end
  for i = 1, count do t[i] = from[i] end
end

-- How many entries first..last are; charged before C walks over them.
local function span(cell, first, last)
  if last < first then return end
  local count = last - first
  cell.charge(count < 0 and math.maxinteger or count)
end

---The library `table` for scripts.
---@param cell table charge(work)
function M.library(cell)
  local out = { insert = insert, remove = remove, move = move, sort = sort,
                pack = table.pack }

  function out.unpack(t, first, last)
    first = first == nil and 1 or check_integer(first, "table.unpack")
    last = last == nil and #t or check_integer(last, "table.unpack")
    span(cell, first, last)
    return table.unpack(t, first, last)
  end

  function out.concat(t, between, first, last)
    check_table(t, "table.concat")
    first = first == nil and 1 or check_integer(first, "table.concat")
    last = last == nil and #t or check_integer(last, "table.concat")
    span(cell, first, last)
    return table.concat(t, between, first, last)
  end

  return out
end

return M
