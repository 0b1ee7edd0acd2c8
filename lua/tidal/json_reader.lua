-- Reads JSON strictly: one value, nothing behind it, no key twice.
--
-- Objects become tables, lists tables that are marked as lists, null becomes
-- M.null; integers stay integers where they fit and are floats beyond.
local M = {}

local DEPTH_MAX <const> = 100  -- lists and objects in each other

--- Marks lists, so that an empty one is told from an empty object.
M.List = { __name = "tidal.json.list" }

M.null = setmetatable({}, {
  __name = "tidal.json.null", __tostring = function() return "null" end,
})

-- Readers take the text and the position of what they read, and give a value
-- and the position behind it and behind the blanks that follow.

local function fail(at, what)
  error(("json: %s at offset %d"):format(what, at - 1), 0)
end

local function skip(text, at)
  return text:match("^[ \t\r\n]*()", at)
end

local UNESCAPES <const> = {
  b = "\b", f = "\f", n = "\n", r = "\r", t = "\t",
  ['"'] = '"', ["\\"] = "\\", ["/"] = "/",
}

-- What the backslash at `at` begins, and the position behind it.
local function read_escape(text, at)
  local char = UNESCAPES[text:sub(at + 1, at + 1)]
  if char then return char, at + 2 end
  local digits = text:match("^u(%x%x%x%x)", at + 1)
  if not digits then fail(at, "a bad escape") end
  local high = tonumber(digits, 16)
  if high < 0xd800 or high > 0xdfff then return utf8.char(high), at + 6 end
  digits = text:match("^\\u([dD][c-fC-F]%x%x)", at + 6)
  if high > 0xdbff or not digits then fail(at, "half a surrogate pair") end
  local low = tonumber(digits, 16)
  return utf8.char(0x10000 + (high - 0xd800) * 0x400 + low - 0xdc00), at + 12
end

local function read_text(text, at)
  local out, from = {}, at + 1
  while true do
    local stop = text:find('[\0-\31"\\]', from)
    if not stop then fail(at, "text without an end") end
    out[#out + 1] = text:sub(from, stop - 1)
    local char = text:sub(stop, stop)
    if char == '"' then return table.concat(out), skip(text, stop + 1) end
    if char ~= "\\" then fail(stop, "a control character in text") end
    out[#out + 1], from = read_escape(text, stop)
  end
end

local function read_number(text, at)
  local behind = text:match("^-?0()", at) or text:match("^-?%d+()", at)
  if not behind then fail(at, "a bad number") end
  behind = text:match("^%.%d+()", behind) or behind
  behind = text:match("^[eE][+-]?%d+()", behind) or behind
  if text:find("^[%w.+-]", behind) then fail(at, "a bad number") end
  local value = tonumber(text:sub(at, behind - 1))
  if value - value ~= 0 then fail(at, "a number beyond every float") end
  return value, skip(text, behind)
end

local read_value

-- Entries up to the closing bracket, between commas; each(at) reads one.
local function read_nested(text, at, close, each)
  at = skip(text, at + 1)
  if text:sub(at, at) == close then return skip(text, at + 1) end
  while true do
    at = each(at)
    local char = text:sub(at, at)
    if char == close then return skip(text, at + 1) end
    if char ~= "," then fail(at, ("',' or '%s' expected"):format(close)) end
    at = skip(text, at + 1)
  end
end

local function read_list(text, at, depth)
  local list = setmetatable({}, M.List)
  return list, read_nested(text, at, "]", function(from)
    list[#list + 1], from = read_value(text, from, depth)
    return from
  end)
end

local function read_object(text, at, depth)
  local object = {}
  return object, read_nested(text, at, "}", function(from)
    if text:sub(from, from) ~= '"' then fail(from, "a key expected") end
    local key, behind = read_text(text, from)
    if object[key] ~= nil then fail(from, "a key for the second time") end
    if text:sub(behind, behind) ~= ":" then fail(behind, "':' expected") end
    object[key], behind = read_value(text, skip(text, behind + 1), depth)
    return behind
  end)
end

local WORDS <const> = { ["true"] = true, ["false"] = false, null = M.null }

function read_value(text, at, depth)
  local char = text:sub(at, at)
  if char == '"' then return read_text(text, at) end
  if char:find "^[%d-]" then return read_number(text, at) end
  if char == "{" or char == "[" then
    if depth == DEPTH_MAX then
      fail(at, ("nested deeper than %d"):format(DEPTH_MAX))
    end
    local read = char == "{" and read_object or read_list
    return read(text, at, depth + 1)
  end
  local word, behind = text:match("^(%a+)()", at)
  if WORDS[word] == nil then fail(at, "a value expected") end
  return WORDS[word], skip(text, behind)
end

--- Reads one value. Raises for anything else, naming the offset in bytes.
---@param text string
---@return any
function M.decode(text)
  local length, bad = utf8.len(text)
  if not length then fail(bad, "a byte that is no UTF-8") end
  local value, at = read_value(text, skip(text, 1), 0)
  if at <= #text then fail(at, "more than one value") end
  return value
end

return M
