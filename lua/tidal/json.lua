-- JSON, written and read strictly; 64-bit numbers travel as text.
--
-- Written: text, booleans, integers, finite floats, and
--   M.null
--   M.list { ... }                    a list, also when it is empty
--   M.object { { key, value }, ... }  keys in this order; pairs with the
--                                     value nil, and false for a pair, are
--                                     left out
--   M.raw(text)                       text that is JSON already
--   other tables: a list if entry 1 is there, else an object, keys sorted
--
-- Read (tidal.json_reader): objects as tables, lists marked as such, null as
-- M.null, integers as integers where they fit and as floats beyond.
local reader = require "tidal.json_reader"

local M = {}

local DEPTH_MAX <const> = 100  -- lists and objects in each other

local List <const> = reader.List
local Object <const> = { __name = "tidal.json.object" }
local Raw <const> = { __name = "tidal.json.raw" }

M.null = reader.null
M.decode = reader.decode

--- Marks a table as a list.
---@param list any[]
---@return any[] list the same table
function M.list(list)
  return setmetatable(list, List)
end

--- Marks a table as the pairs of an object.
---@param members table[] { key, value } in the order to be written
---@return table members the same table
function M.object(members)
  return setmetatable(members, Object)
end

--- Text that is JSON already and is put in as it is.
---@param text string
---@return table
function M.raw(text)
  return setmetatable({ text }, Raw)
end

-- --- writing --------------------------------------------------------------

-- A writer is { out = pieces of text, depth =, keys = where it is, by depth,
-- indent = blanks per level or nil }.

local function refuse(writer, why)
  local path = {}
  for i = 1, writer.depth do
    local key = writer.keys[i]
    path[i] = math.type(key) and "[" .. key .. "]" or "." .. tostring(key)
  end
  local place = table.concat(path):gsub("^%.", "")
  error("json: " .. (place == "" and why or place .. ": " .. why), 0)
end

local function put(writer, text)
  local out = writer.out
  out[#out + 1] = text
end

local ESCAPES <const> = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\b"] = "\\b", ["\f"] = "\\f",
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function escape(char)
  return ESCAPES[char] or ("\\u%04x"):format(char:byte())
end

-- With U+FFFD in the place of each byte that is no UTF-8.
local function mend_utf8(text)
  local out, from = {}, 1
  local length, bad = utf8.len(text)
  while not length do
    out[#out + 1] = text:sub(from, bad - 1) .. "\\ufffd"
    from = bad + 1
    length, bad = utf8.len(text, from)
  end
  return table.concat(out) .. text:sub(from)
end

local function quoted(text)
  if not text:find '[^ !#-%[%]-~]' then return '"' .. text .. '"' end
  text = text:gsub('[\0-\31\127"\\]', escape)
  return '"' .. (utf8.len(text) and text or mend_utf8(text)) .. '"'
end

-- The shortest text that reads back as the same float; with a point, whatever
-- the locale writes for it.
local function float_text(value)
  local text
  for digits = 15, 17 do
    text = ("%." .. digits .. "g"):format(value)
    if tonumber(text) == value then break end
  end
  text = text:gsub("[^%d%-+e]+", ".")
  return text:find "[.e]" and text or text .. ".0"
end

local put_value

-- Brackets around `count` entries; each(i) puts the i-th.
local function put_nested(writer, open, close, count, each)
  writer.depth = writer.depth + 1
  local depth, indent = writer.depth, writer.indent
  if depth > DEPTH_MAX then
    writer.depth = 0
    refuse(writer, ("nested deeper than %d"):format(DEPTH_MAX))
  end
  put(writer, open)
  for i = 1, count do
    if i > 1 then put(writer, ",") end
    if indent then put(writer, "\n" .. indent:rep(depth)) end
    each(i)
  end
  if indent and count > 0 then put(writer, "\n" .. indent:rep(depth - 1)) end
  put(writer, close)
  writer.depth = depth - 1
end

local function put_list(writer, list)
  local count, found = #list, 0
  for _ in next, list do found = found + 1 end
  if found ~= count then refuse(writer, "a list with holes or other keys") end
  put_nested(writer, "[", "]", count, function(i)
    writer.keys[writer.depth] = i
    put_value(writer, list[i])
  end)
end

local function put_members(writer, members)
  local colon = writer.indent and ": " or ":"
  put_nested(writer, "{", "}", #members, function(i)
    local key, value = members[i][1], members[i][2]
    writer.keys[writer.depth] = key
    put(writer, quoted(key) .. colon)
    put_value(writer, value)
  end)
end

-- The pairs that have a value; the keys must be texts and differ.
local function checked_members(writer, pairs_given)
  local members, seen = {}, {}
  for i = 1, #pairs_given do
    local pair = pairs_given[i]
    local key = pair and pair[1]
    if pair and pair[2] ~= nil then
      if type(key) ~= "string" then refuse(writer, "a key must be text") end
      if seen[key] then refuse(writer, ("the key '%s' twice"):format(key)) end
      seen[key] = true
      members[#members + 1] = pair
    end
  end
  return members
end

local function sorted_members(writer, object)
  local members = {}
  for key, value in next, object do
    if type(key) ~= "string" then refuse(writer, "a key must be text") end
    members[#members + 1] = { key, value }
  end
  table.sort(members, function(a, b) return a[1] < b[1] end)
  return members
end

local function put_table(writer, value)
  local kind = getmetatable(value)
  if value == M.null then
    put(writer, "null")
  elseif kind == Raw then
    put(writer, value[1])
  elseif kind == Object then
    put_members(writer, checked_members(writer, value))
  elseif kind == List or value[1] ~= nil then
    put_list(writer, value)
  else
    put_members(writer, sorted_members(writer, value))
  end
end

function put_value(writer, value)
  local kind = math.type(value) or type(value)
  if kind == "string" then
    put(writer, quoted(value))
  elseif kind == "table" then
    put_table(writer, value)
  elseif kind == "integer" then
    put(writer, ("%d"):format(value))
  elseif kind == "boolean" then
    put(writer, tostring(value))
  elseif kind == "float" and value - value == 0 then
    put(writer, float_text(value))
  else
    local what = kind == "float" and tostring(value) or "a " .. kind
    refuse(writer, what .. " has no JSON form")
  end
end

--- Writes a value. Raises, naming the place, for what JSON cannot hold.
---@param value any
---@param options? { indent: integer } blanks per level; else one line
---@return string
function M.encode(value, options)
  local indent = options and options.indent
  local writer = {
    out = {}, keys = {}, depth = 0, indent = indent and (" "):rep(indent),
  }
  put_value(writer, value)
  return table.concat(writer.out)
end

return M
