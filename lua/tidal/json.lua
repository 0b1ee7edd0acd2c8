-- JSON, written and read strictly; 64-bit numbers travel as text.
--
-- Values: text, booleans, integers, finite floats, M.null, M.list(t) (and
-- tables with entries 1..n), M.object{ { key, value }, ... } in that order
-- (pairs with a nil value are left out), other tables with sorted keys.
local M = {}

local DEPTH_MAX <const> = 100

M.null = setmetatable({}, { __tostring = function() return "null" end })

local List = { __name = "tidal.json.list" }
local Object = { __name = "tidal.json.object" }

---Marks a table as a list, also when it is empty.
function M.list(t)
  return setmetatable(t, List)
end

---An object whose keys keep the order of the pairs.
---@param pairs_ table[] list of { key, value }
function M.object(pairs_)
  return setmetatable(pairs_, Object)
end

local Raw = { __name = "tidal.json.raw" }

---Text that is JSON already, put in as it is.
---@param text string
function M.raw(text)
  return setmetatable({ text }, Raw)
end

local ESCAPES <const> = { ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b",
                          ["\f"] = "\\f", ["\n"] = "\\n", ["\r"] = "\\r",
                          ["\t"] = "\\t" }

local function escape(c)
  return ESCAPES[c] or ("\\u%04x"):format(c:byte())
end

-- Bytes that are no UTF-8 become U+FFFD.
local function valid_utf8(text)
  local out, at = {}, 1
  while at <= #text do
    local length, bad = utf8.len(text, at)
    if length then
      out[#out + 1] = text:sub(at)
      break
    end
    out[#out + 1] = text:sub(at, bad - 1)
    out[#out + 1] = "\u{fffd}"
    at = bad + 1
  end
  return table.concat(out)
end

local function encode_text(text)
  if not utf8.len(text) then text = valid_utf8(text) end
  return '"' .. text:gsub('[%c"\\\127]', escape) .. '"'
end

-- The shortest text that reads back as the same float.
local function encode_float(value)
  if value ~= value or value == math.huge or value == -math.huge then
    error("json: " .. tostring(value) .. " has no JSON form", 0)
  end
  for digits = 15, 17 do
    local text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then
      return text:find "[.eE]" and text or text .. ".0"
    end
  end
end

local encode

local function encode_list(list, depth)
  local out = {}
  for i = 1, #list do out[i] = encode(list[i], depth) end
  return "[" .. table.concat(out, ",") .. "]"
end

local function encode_pairs(list, depth)
  local out = {}
  for _, pair in ipairs(list) do
    if pair[2] ~= nil then
      out[#out + 1] = encode_text(pair[1]) .. ":" .. encode(pair[2], depth)
    end
  end
  return "{" .. table.concat(out, ",") .. "}"
end

local function sorted_pairs(t)
  local list = {}
  for key, value in pairs(t) do
    if type(key) ~= "string" then
      error("json: a key must be text, got " .. tostring(key), 0)
    end
    list[#list + 1] = { key, value }
  end
  table.sort(list, function(a, b) return a[1] < b[1] end)
  return list
end

local function encode_table(value, depth)
  if depth > DEPTH_MAX then
    error(("json: nested deeper than %d"):format(DEPTH_MAX), 0)
  end
  local kind = getmetatable(value)
  if kind == Raw then return value[1] end
  if kind == Object then return encode_pairs(value, depth) end
  if kind == List or value[1] ~= nil then return encode_list(value, depth) end
  return encode_pairs(sorted_pairs(value), depth)
end

function encode(value, depth)
  local kind = math.type(value) or type(value)
  if value == M.null then return "null" end
  if kind == "string" then return encode_text(value) end
  if kind == "integer" then return ("%d"):format(value) end
  if kind == "float" then return encode_float(value) end
  if kind == "boolean" then return tostring(value) end
  if kind == "table" then return encode_table(value, depth + 1) end
  error("json: a " .. kind .. " has no JSON form", 0)
end

---@param value any
---@return string one line
function M.encode(value)
  return encode(value, 0)
end

-- --- reading -------------------------------------------------------------

local decode

local function fail(at, what)
  error(("json: %s at byte %d"):format(what, at - 1), 0)
end

local function skip(text, at)
  return text:match("^[ \t\r\n]*()", at)
end

local UNESCAPES <const> = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
                            ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

-- The escape behind the backslash at `at`; text and position behind it.
local function decode_escape(text, at)
  local c = text:sub(at + 1, at + 1)
  if UNESCAPES[c] then return UNESCAPES[c], at + 2 end
  local hex = text:match("^u(%x%x%x%x)", at + 1)
  if not hex then fail(at, "a bad escape") end
  local code = tonumber(hex, 16)
  if code < 0xd800 or code > 0xdfff then return utf8.char(code), at + 6 end
  local low = text:match("^\\u([dD][c-fC-F]%x%x)", at + 6)
  if code > 0xdbff or not low then fail(at, "half a surrogate pair") end
  return utf8.char(0x10000 + (code - 0xd800) * 0x400
                   + tonumber(low, 16) - 0xdc00), at + 12
end

local function decode_text(text, at)
  local out, from = {}, at + 1
  while true do
    local stop = text:find('[%c"\\]', from)
    if not stop then fail(at, "text without an end") end
    out[#out + 1] = text:sub(from, stop - 1)
    local c = text:sub(stop, stop)
    if c == '"' then return table.concat(out), stop + 1 end
    if c ~= "\\" then fail(stop, "a control character in text") end
    out[#out + 1], from = decode_escape(text, stop)
  end
end

local function decode_number(text, at)
  local digits, stop = text:match("^(-?%d+)()", at)
  local more, behind = text:match("^(%.?%d*[eE]?[+-]?%d*)()", stop or at)
  local whole = digits and digits:gsub("^-", "")
  if not digits or (#whole > 1 and whole:sub(1, 1) == "0") then
    fail(at, "not a number")
  end
  local value = more == "" and math.tointeger(tonumber(digits))
             or tonumber(digits .. more)
  if not value or (more ~= "" and not (more:find "^%.%d"
                                       or more:find "^[eE]")) then
    fail(at, "not a number")
  end
  return value, behind
end

local function decode_list(text, at, depth)
  local out, n = {}, 0
  at = skip(text, at + 1)
  if text:sub(at, at) == "]" then return M.list(out), at + 1 end
  while true do
    n = n + 1
    out[n], at = decode(text, at, depth)
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == "]" then return M.list(out), at + 1 end
    if c ~= "," then fail(at, "',' or ']' expected") end
    at = skip(text, at + 1)
  end
end

local function decode_object(text, at, depth)
  local out = {}
  at = skip(text, at + 1)
  if text:sub(at, at) == "}" then return out, at + 1 end
  while true do
    if text:sub(at, at) ~= '"' then fail(at, "a key expected") end
    local key
    key, at = decode_text(text, at)
    at = skip(text, at)
    if text:sub(at, at) ~= ":" then fail(at, "':' expected") end
    out[key], at = decode(text, skip(text, at + 1), depth)
    at = skip(text, at)
    local c = text:sub(at, at)
    if c == "}" then return out, at + 1 end
    if c ~= "," then fail(at, "',' or '}' expected") end
    at = skip(text, at + 1)
  end
end

local WORDS <const> = { { "true", true }, { "false", false } }

function decode(text, at, depth)
  local c = text:sub(at, at)
  if depth > DEPTH_MAX then
    fail(at, ("nested deeper than %d"):format(DEPTH_MAX))
  end
  if c == "{" then return decode_object(text, at, depth + 1) end
  if c == "[" then return decode_list(text, at, depth + 1) end
  if c == '"' then return decode_text(text, at) end
  if c:find "[%d-]" then return decode_number(text, at) end
  if text:sub(at, at + 3) == "null" then return M.null, at + 4 end
  for _, word in ipairs(WORDS) do
    if text:sub(at, at + #word[1] - 1) == word[1] then
      return word[2], at + #word[1]
    end
  end
  fail(at, "a value expected")
end

---Reads one JSON value. Raises for anything else, naming the byte.
---@param text string
---@return any value lists and objects as tables, null as M.null
function M.decode(text)
  local value, at = decode(text, skip(text, 1), 0)
  at = skip(text, at)
  if at <= #text then fail(at, "more than one value") end
  return value
end

return M
