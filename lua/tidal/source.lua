-- Finds in the source text of a layout script where the entries of its
-- tidal.cluster{...} stand, because a Lua table carries no line numbers.
--
--   index.lines       path -> line; "" is the constructor itself
--   index.strings     path -> line on which a literal string's content begins
--   index.literals    list of { line =, text =, why = }: numerals anywhere in
--                     the text that Lua changes without a word
--   index.duplicates  list of { path =, line =, first = line before }: keys
--                     that stand twice in one table
--   index.traps       list of { line =, text =, why = }: operators anywhere
--                     in the text that go wrong for ids (tidal.traps)
--   index:line(path)  the line of a path, else of what encloses it, or nil
--
-- A path is how one would write it: name, regions[2], routing[3].first,
-- leaders.s3 (the key s3, "s3" or tidal.shard(3)), leaders["us-east"].
-- Entries of a table or text that a call takes first belong to the path of
-- the call: routing = tidal.routing.ranges { ... }. A value that is computed
-- has a line; nothing inside it has one.
--
-- Of several constructors the one behind `return` counts, else the last. A
-- text that is not Lua gives what was found before it broke.
local lexer = require "tidal.lexer"
local traps = require "tidal.traps"

local M = {}

local DEPTH_MAX <const> = 100  -- tables and calls in each other
local PATH_MAX <const> = 400   -- bytes; nothing inside a longer path is kept

-- A state is { tokens = lexer, lines =, strings =, duplicates =, depth =,
-- again = true inside an entry that stands for the second time }.

local OPENS <const> = {
  ["("] = true, ["["] = true, ["{"] = true,
  ["function"] = true, ["if"] = true, ["do"] = true, ["repeat"] = true,
}
local CLOSES <const> = {
  [")"] = true, ["]"] = true, ["}"] = true,
  ["end"] = true, ["until"] = true, ["end of text"] = true,
}

-- Goes to what ends an expression: a comma, a semicolon or a closing word.
local function skip_expression(tokens)
  local depth = 0
  while tokens.kind ~= "end of text" do
    local kind = tokens.kind
    if OPENS[kind] then
      depth = depth + 1
    elseif depth == 0 and (kind == "," or kind == ";" or CLOSES[kind]) then
      return
    elseif CLOSES[kind] then
      depth = depth - 1
    end
    tokens:advance()
  end
end

-- Behind the first name of a prefix expression; gives the last one.
local function skip_names(tokens, last)
  while tokens:accept "." or tokens:accept ":" do
    last = tokens.word
    tokens:accept "name"
  end
  return last
end

-- What a literal key adds to a path; nil for one that is spelt oddly.
local function literal_key(tokens)
  if tokens.kind == "number" then
    local number = math.tointeger(tonumber(tokens.word))
    return number and "[" .. number .. "]"
  end
  local key = tokens.text:sub(tokens.at + 1, tokens.behind - 2)
  if key:find "^[%a_][%w_]*$" then return "." .. key end
  return not key:find "\\" and '["' .. key .. '"]' or nil
end

-- What tidal.shard(3) as a key adds: ".s3"; false or nil for other keys.
local function shard_key(tokens)
  local first, key = tokens.word, nil
  tokens:advance()
  if skip_names(tokens, first) == "shard" and tokens:accept "("
     and tokens.kind == "number" then
    local number = math.tointeger(tonumber(tokens.word))
    key = number and ".s" .. number
    tokens:advance()
  end
  return tokens:accept ")" and key
end

-- From "[" to behind the "="; false or nil for a key that is computed.
local function read_key(tokens)
  local key
  tokens:advance()
  if tokens.kind == "name" then
    key = shard_key(tokens)
  elseif tokens.kind == "number" or tokens.kind == "string" then
    key = literal_key(tokens)
    tokens:advance()
  end
  if tokens.kind ~= "]" then key = nil end
  repeat
    skip_expression(tokens)
  until not (tokens:accept ")" or tokens:accept ",")
  return tokens:accept "]" and tokens:accept "=" and key
end

local read_value

-- Behind the first name of a value.
local function read_call(state, path)
  local tokens = state.tokens
  skip_names(tokens)
  local kind = tokens.kind
  if kind == "{" or kind == "string" or kind == "long" then
    read_value(state, path)
  elseif tokens:accept "(" then
    read_value(state, path)
    repeat skip_expression(tokens) until not tokens:accept ","
    tokens:accept ")"
  end
end

local function note_line(state, path, line)
  local first = state.lines[path]
  if first and not state.again then
    table.insert(state.duplicates, { path = path, line = line, first = first })
  end
  state.lines[path] = line
  return state.again or first ~= nil
end

-- One field; takes and gives how many fields had no key so far.
local function read_field(state, path, count)
  local tokens = state.tokens
  local line, kind = tokens:line(), tokens.kind
  local key
  if kind == "key" then
    key = "." .. tokens.word
    tokens:advance()
  elseif kind == "[" then
    key = read_key(tokens)
  else
    count = count + 1
    key = "[" .. count .. "]"
  end
  if key and #path <= PATH_MAX then
    local entry = path == "" and key:gsub("^%.", "") or path .. key
    local again = state.again
    state.again = note_line(state, entry, line)
    read_value(state, entry)
    state.again = again
  end
  skip_expression(tokens)
  return count
end

local function read_table(state, path)
  local tokens, count = state.tokens, 0
  tokens:advance()
  while not CLOSES[tokens.kind] do
    count = read_field(state, path, count)
    if not (tokens:accept "," or tokens:accept ";") then break end
  end
  tokens:accept "}"
end

function read_value(state, path)
  local tokens = state.tokens
  state.depth = state.depth + 1
  if state.depth > DEPTH_MAX then
    skip_expression(tokens)
  elseif tokens.kind == "{" then
    read_table(state, path)
  elseif tokens.kind == "string" or tokens.kind == "long" then
    state.strings[path] = tokens:content_line()
    tokens:advance()
  elseif tokens:accept "name" then
    read_call(state, path)
  end
  state.depth = state.depth - 1
end

-- From the word cluster on; nil if it calls no constructor.
local function read_constructor(tokens)
  local line = tokens:line()
  tokens:advance()
  tokens:accept "("
  if tokens.kind ~= "{" then return nil end
  local state = {
    tokens = tokens, lines = { [""] = line }, strings = {}, duplicates = {},
    depth = 0, again = false,
  }
  read_table(state, "")
  return state
end

local Index = {}
Index.__index = Index

--- The line of an entry, or of the nearest entry around it that has one.
---@param path string
---@return integer? line nil when the text holds no constructor
function Index.line(self, path)
  while path ~= "" and not self.lines[path] do
    path = path:match "^(.*)[.%[]" or ""
  end
  return self.lines[path]
end

--- Reads a script. Never raises, whatever the text holds.
---@param source string
---@return table index
function M.scan(source)
  local tokens = lexer.open(source)
  local best, best_returned = { lines = {}, strings = {}, duplicates = {} }
  local returned = false
  while tokens.kind ~= "end of text" do
    local kind = tokens.kind
    if kind == "name" and tokens.word == "cluster" then
      local state = read_constructor(tokens)
      if state and (returned or not best_returned) then
        best, best_returned = state, returned
      end
    else
      tokens:advance()
    end
    returned = kind == "return" or returned
      and (kind == "name" or kind == "." or kind == ":")
  end
  return setmetatable({
    lines = best.lines, strings = best.strings,
    duplicates = best.duplicates, literals = tokens.literals,
    traps = traps.find(source),
  }, Index)
end

return M
