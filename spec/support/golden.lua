-- The golden data below spec/golden (or $TIDAL_GOLDEN): files made by another
-- implementation of the formats, which this one must read and write alike.
local M = {}

M.dir = os.getenv "TIDAL_GOLDEN" or "spec/golden"

---The bytes of a file there.
function M.read(name)
  local file = assert(io.open(M.dir .. "/" .. name, "rb"))
  local bytes = file:read "a"
  file:close()
  return bytes
end

-- A number as a 64-bit pattern: JSON's may be above 2^63.
local function number(text)
  if #text < 19 then return math.tointeger(tonumber(text)) or tonumber(text) end
  return math.tointeger(tonumber(text:sub(1, -2))) * 10 + tonumber(text:sub(-1))
end

-- The value at `at` and the position behind it. What it reads is known to be
-- JSON; strings there have no escapes.
local function value(text, at)
  at = text:find("%S", at)
  local c = text:sub(at, at)
  if c == '"' then
    local behind = text:find('"', at + 1, true)
    return text:sub(at + 1, behind - 1), behind + 1
  elseif c == "{" or c == "[" then
    local out, close = {}, c == "{" and "}" or "]"
    at = text:find("%S", at + 1)
    while text:sub(at, at) ~= close do
      local key, item = #out + 1
      if c == "{" then
        key, at = value(text, at)
        at = text:find(":", at, true) + 1
      end
      item, at = value(text, at)
      out[key] = item
      at = text:find("[^%s,]", at)
    end
    return out, at + 1
  end
  local word = text:match("^[%w+.-]+", at)
  local known = { ["true"] = true, ["false"] = false, null = nil }
  if word:find "^%a" then return known[word], at + #word end
  return number(word), at + #word
end

---A JSON file there; numbers are 64-bit patterns, null is nil.
function M.json(name)
  return (value(M.read(name), 1))
end

---Names of the segments in a directory there, sorted by shard and number.
function M.segments(dir)
  local pipe = assert(io.popen("ls '" .. M.dir .. "/" .. dir .. "'"))
  local out = {}
  for name in pipe:lines() do
    if name:find "%.seg$" then out[#out + 1] = name end
  end
  pipe:close()
  table.sort(out, function(a, b)
    local x, y = a:match "s(%d+)" or "", b:match "s(%d+)" or ""
    if x ~= y then return x < y end
    return a < b
  end)
  return out
end

return M
