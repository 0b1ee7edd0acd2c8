-- Strings for scripts that are not trusted: patterns are matched step by
-- step (host/match.h), lengths are charged, addresses are not shown.
local M = {}

local original = {}
for name, value in next, string do original[name] = value end

---As tostring, but no address.
function M.tostring(value)
  local kind = type(value)
  if kind == "string" or kind == "number" or kind == "boolean"
     or kind == "nil" then
    return tostring(value)
  end
  local meta = debug.getmetatable(value)
  if meta and rawget(meta, "__tostring") ~= nil then return tostring(value) end
  local name = meta and rawget(meta, "__name")
  return type(name) == "string" and name or kind
end

-- A format whose %s are texts already, and its arguments.
local function format_of(cell)
  return function(form, ...)
    local values, n = table.pack(...), 0
    cell.charge(#form // 4)
    for flags, letter in original.gmatch(form, "%%([-+ #0-9.]*)(.?)") do
      if letter ~= "%" or flags ~= "" then
        n = n + 1
        if letter == "p" then
          error("string.format: %p shows an address: no layout has one", 2)
        end
        if letter == "s" and n <= values.n then
          values[n] = M.tostring(values[n])
        end
      end
    end
    return original.format(form, table.unpack(values, 1, values.n))
  end
end

---The library `string` for scripts.
---@param cell table charge(work) and the matcher's functions
function M.library(cell)
  local out = {
    char = original.char, len = original.len, lower = original.lower,
    upper = original.upper, reverse = original.reverse, sub = original.sub,
    byte = original.byte,
    find = cell.find, match = cell.match, gmatch = cell.gmatch,
    gsub = cell.gsub,
    format = format_of(cell),
  }
  -- Copies cost time even where they are empty; those that are too large
  -- are the allocator's to refuse.
  function out.rep(text, n, between)
    local count = math.tointeger(n)
    local bytes = #tostring(text) + #(between or "")
    if count and count > 0 and (bytes == 0 or count <= cell.memory // bytes)
    then
      cell.charge(bytes == 0 and count or count // 16)
    end
    return original.rep(text, n, between)
  end
  return out
end

---Methods of strings call these functions from now on, in trusted code too;
---nobody gets at their metatable.
---@param library table
function M.install(library)
  local methods = {}
  for name, value in next, library do methods[name] = value end
  local meta = getmetatable ""
  meta.__index, meta.__metatable = methods, false
end

return M
