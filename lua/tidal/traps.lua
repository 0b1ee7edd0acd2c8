-- Finds operators in a Lua source text that go wrong for ids: Lua's integers
-- are signed, so % // < <= > >= are wrong for the half of all ids that is
-- above 2^63-1.
--
-- What is an id is guessed from how it is written: numerals of that half,
-- the names first, last, id and entity, the fields first, last and entity,
-- what u64.parse, hash and sums of u64 give, and names that got one of
-- these. A mask or a shift to the right (& >>) makes small numbers. A name
-- that got a count is none (for first = 1, n; last = #list).
local lexer = require "tidal.lexer"
local text = require "tidal.text"

local M = {}

local EXCERPT_MAX <const> = 40
local DEPTH_MAX <const> = 50  -- brackets in each other that are looked into

local ADVICE <const> = {
  ["<"] = "compares as signed numbers, wrong from 2^63 on: write "
    .. "tidal.u64.lt(a, b) for a < b",
  ["<="] = "compares as signed numbers, wrong from 2^63 on: write "
    .. "tidal.u64.le(a, b) for a <= b",
  [">"] = "compares as signed numbers, wrong from 2^63 on: write "
    .. "tidal.u64.lt(b, a) for a > b",
  [">="] = "compares as signed numbers, wrong from 2^63 on: write "
    .. "tidal.u64.le(b, a) for a >= b",
  ["%"] = "is a signed remainder, wrong from 2^63 on: write "
    .. "tidal.u64.mod(a, b) for a % b",
  ["//"] = "is a signed division, wrong from 2^63 on: write "
    .. "tidal.u64.div(a, b) for a // b",
}

local NAMES <const> = { first = true, last = true, id = true, entity = true }
local FIELDS <const> = { first = true, last = true, entity = true }
local CALLS <const> = { parse = true, hash = true, add = true, sub = true,
                        mul = true, div = true }
-- What a name that is an id is not followed by.
local GOES_ON <const> = {
  ["."] = true, [":"] = true, ["("] = true, ["["] = true, ["{"] = true,
  string = true, long = true,
}
local SMALL <const> = { ["&"] = true, [">>"] = true }
-- What operands of a comparison may be made of.
local ARITHMETIC <const> = {
  ["+"] = true, ["-"] = true, ["*"] = true, ["|"] = true, ["~"] = true,
  ["&"] = true, ["<<"] = true, [">>"] = true, ["."] = true, [":"] = true,
  ["("] = true, [")"] = true, ["["] = true, ["]"] = true, ["#"] = true,
  ["%"] = true, ["//"] = true, ["/"] = true, name = true, number = true,
  string = true,
}
-- What stands before a key that is a field of a table, and no variable.
local FIELD_AFTER <const> = { ["{"] = true, [","] = true, [";"] = true }
local OPEN <const> = { ["("] = ")", ["["] = "]", ["{"] = "}" }
local CLOSE <const> = { [")"] = "(", ["]"] = "[", ["}"] = "{" }

local function tokens_of(source)
  local tokens, out = lexer.open(source), {}
  while tokens.kind ~= "end of text" do
    out[#out + 1] = { kind = tokens.kind, word = tokens.word, at = tokens.at,
                      behind = tokens.behind, line = tokens:line() }
    tokens:advance()
  end
  out[#out + 1] = { kind = "end of text", at = #source + 1,
                    behind = #source + 1 }
  return out
end

-- Tells each bracket its partner.
local function pair_up(list)
  local open = {}
  for i, token in ipairs(list) do
    if OPEN[token.kind] then
      open[#open + 1] = i
    elseif CLOSE[token.kind] then
      local at = open[#open]
      if at and list[at].kind == CLOSE[token.kind] then
        token.partner, list[at].partner = at, i
        open[#open] = nil
      end
    end
  end
  return list
end

local function is_high(word)
  local id = text.id(word)
  return id ~= nil and id < 0
end

-- Whether the token at i is an id by itself. A closing bracket stands for
-- the call or the bracket that it ends.
local is_id

local function holds_id(list, names, first, last, depth)
  local i, found = first, false
  while i <= last do
    local token = list[i]
    if SMALL[token.kind] then return false end
    if OPEN[token.kind] then i = token.partner or last end
    found = found or is_id(list, names, i, depth)
    i = i + 1
  end
  return found
end

local function is_id_name(list, names, i)
  local word, before = list[i].word, list[i - 1] and list[i - 1].kind
  if GOES_ON[list[i + 1].kind] or before == "#" then return false end
  if before == "." then return FIELDS[word] or false end
  return names[word] or false
end

function is_id(list, names, i, depth)
  local token = list[i]
  local kind, open = token.kind, token.partner
  if kind == "number" then return is_high(token.word) end
  if kind == "name" then return is_id_name(list, names, i) end
  if kind == "<<" then return list[i + 1].word == "63" end
  if kind ~= ")" or not open or depth > DEPTH_MAX then return false end
  local callee = list[open - 1]
  if callee and callee.kind == "name" then
    return CALLS[callee.word] or false
  end
  return holds_id(list, names, open + 1, i - 1, depth + 1)
end

-- What may end a value, and what may begin one: two of them in a row are two
-- expressions.
local ENDS <const> = { name = true, number = true, string = true, [")"] = true,
                       ["]"] = true }
local BEGINS <const> = { name = true, number = true }
local FACTOR <const> = { name = true, number = true, ["."] = true,
                         [":"] = true }

-- First and last token of the operand that ends (step -1) or begins (step 1)
-- at i: of one factor, or of a whole side of a comparison.
local function operand(list, i, step, whole)
  local from, inward = i, step < 0 and CLOSE or OPEN
  local outward = step < 0 and OPEN or CLOSE
  while list[i] and ARITHMETIC[list[i].kind] do
    local kind = list[i].kind
    if outward[kind] then break end
    if inward[kind] then
      if not list[i].partner then break end
      i = list[i].partner
    elseif not whole and not FACTOR[kind] then
      break
    end
    local left, right = list[math.min(i, i + step)],
                        list[math.max(i, i + step)]
    i = i + step
    if left and right and ENDS[left.kind] and BEGINS[right.kind] then break end
  end
  if step < 0 then return i + 1, from end
  return from, i - 1
end

-- local x <const> = ...
local function is_attribute(list, i)
  local open = list[i].kind == "<" and i or i - 2
  local name, close = list[open + 1], list[open + 2]
  return list[open] and list[open].kind == "<" and name and close
     and close.kind == ">"
     and (name.word == "const" or name.word == "close")
end

-- The tokens as they are written, without the comments between them.
local function excerpt(source, list, first, last)
  local out = {}
  for i = first, last do
    local token = list[i]
    local gap = i > first and token.at > list[i - 1].behind and " " or ""
    out[#out + 1] = gap .. source:sub(token.at, token.behind - 1)
  end
  local piece = table.concat(out):gsub("%c", "?")
  if #piece <= EXCERPT_MAX then return piece end
  return piece:sub(1, EXCERPT_MAX):gsub("[\xC0-\xFF]?[\x80-\xBF]*$", "")
         .. "..."
end

-- A name gets a value: an id, a count, or what nobody knows.
local function note(list, names, name, i)
  local first, last = operand(list, i, 1, true)
  if last >= first and holds_id(list, names, first, last, 0) then
    names[name] = true
  elseif list[i].kind == "number" or list[i].kind == "#" then
    names[name] = false
  end
end

-- The name that is set by the "=" at i: local x <const> = ...
local function constant(list, i)
  local close, name = list[i - 1], list[i - 4]
  if close and close.kind == ">" and is_attribute(list, i - 1)
     and name and name.kind == "name" then
    return name.word
  end
end

---The traps of a text. Never raises, whatever the text holds.
---@param source string
---@return table[] list of { line =, text =, why = }
function M.find(source)
  if not source:find "[%%<>]" and not source:find("//", 1, true) then
    return {}
  end
  local list, names, out = pair_up(tokens_of(source)), {}, {}
  for name in next, NAMES do names[name] = true end
  for i = 1, #list - 1 do
    local token = list[i]
    local why = ADVICE[token.kind]
    local before = i > 1 and list[i - 1].kind
    if token.kind == "key" and not FIELD_AFTER[before] then
      note(list, names, token.word, i + 1)
    elseif token.kind == "=" and constant(list, i) then
      note(list, names, constant(list, i), i + 1)
    elseif why and i > 1 and not is_attribute(list, i) then
      local whole = token.kind ~= "%" and token.kind ~= "//"
      local a, b = operand(list, i - 1, -1, whole)
      local c, d = operand(list, i + 1, 1, whole)
      if a <= b and holds_id(list, names, a, b, 0)
         or c <= d and holds_id(list, names, c, d, 0) then
        out[#out + 1] = { line = token.line, why = why, text = excerpt(
          source, list, math.min(a, i), math.max(d, i)) }
      end
    end
  end
  return out
end

return M
