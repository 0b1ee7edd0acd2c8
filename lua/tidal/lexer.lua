-- The tokens of a Lua 5.4 source text, with their places, and the numerals
-- that Lua's own lexer changes without a word.
--
-- A lexer stands on one token:
--   kind      "key" (a name and the "=" behind it, as in a table), "name",
--             "number", "string", "long" (a long string), "end of text";
--             keywords and operators are their own kind
--   at        first byte of the token
--   behind    first byte behind it
--   word      the text of a key, name or number
--   literals  list of { line =, text =, why = }: such numerals so far
--
-- No text makes it raise: a string or comment that is never closed is the
-- end of the text.
local found, lpeg = pcall(require, "lpeg")
if not found then error("lpeg is missing: apt-get install lua-lpeg", 0) end

local text = require "tidal.text"

local M = {}

local C, Cc, Cmt, Cp = lpeg.C, lpeg.Cc, lpeg.Cmt, lpeg.Cp
local P, R, S, match = lpeg.P, lpeg.R, lpeg.S, lpeg.match

local digit, xdigit = R "09", R("09", "af", "AF")
local letter = R("az", "AZ") + "_"
local name = letter * (letter + digit) ^ 0
local blank = S " \t\r\n\f\v"
local line_end = P "\r\n" + "\n\r" + S "\r\n"

local long_open = P "[" * P "=" ^ 0 * "["
local long = Cmt("[" * C(P "=" ^ 0) * "[", function(source, at, level)
  local _, last = source:find("]" .. level .. "]", at, true)
  return last and last + 1
end)
local comment = "--" * (long + -long_open * (1 - S "\r\n") ^ 0)
local skip = blank ^ 0 * (comment * blank ^ 0) ^ 0

local escape = "\\z" * blank ^ 0 + "\\" * (line_end + 1)
local function quoted(quote)
  local plain = (1 - S("\\\r\n" .. quote)) ^ 1
  return quote * (plain + escape) ^ 0 * quote
end

-- As greedy as Lua's own: what follows at once makes a numeral malformed.
local function numeral_rest(exponent)
  return (S(exponent) * S "+-" ^ -1 + xdigit + ".") ^ 0 * (letter + digit) ^ 0
end
local numeral = "0" * S "xX" * numeral_rest "pP"
  + #(P "." ^ -1 * digit) * numeral_rest "eE"

local assign = "=" * -P "="
local operator = P "..." + ".." + "==" + "~=" + "<=" + ">=" + "::" + "//"
  + "<<" + ">>" + (1 - (S "\"'" + "--" + long_open))

-- Start, word or false, kind, position behind.
local lexeme = skip * Cp() * (
  C(name) * (skip * assign * Cc "key" + Cc "name")
  + Cc(false) * C(S "{},")
  + Cc(false) * (quoted '"' + quoted "'") * Cc "string"
  + C(numeral) * Cc "number"
  + Cc(false) * long * Cc "long"
  + Cc(false) * C(operator)) * Cp()

local KEYWORDS <const> = {}
for word in ([[and break do else elseif end false for function goto if in
  local nil not or repeat return then true until while]]):gmatch "%a+" do
  KEYWORDS[word] = word
end

-- Why an integer numeral is not the number that it shows, or nil.
local function changed(numeral_text)
  local hex = numeral_text:match "^0[xX]0*(%x+)$"
  if hex and #hex > 16 then
    return ("has %d hex digits: Lua's lexer silently keeps the last 16")
      :format(#hex)
  end
  local decimal = numeral_text:match "^0*(%d+)$"
  if not decimal or math.tointeger(tonumber(decimal)) then return nil end
  return text.id(decimal)
    and ('becomes a float: write "%s" as text'):format(decimal)
    or "becomes a float, and is above 18446744073709551615, the last id"
end

local function check_numeral(lexer)
  local why = changed(lexer.word)
  if why then
    table.insert(lexer.literals, {
      line = lexer:line(), text = lexer.word, why = why,
    })
  end
end

local Lexer = {}
Lexer.__index = Lexer

--- Goes to the next token.
function Lexer.advance(self)
  local at, word, kind, behind = match(lexeme, self.text, self.behind)
  if not at then
    at, kind, behind = self.size, "end of text", self.size
  elseif kind == "name" then
    kind = KEYWORDS[word] or kind
  end
  self.at, self.word, self.kind, self.behind = at, word, kind, behind
  if kind == "number" then check_numeral(self) end
end

--- Goes on if the token is of this kind.
---@param kind string
---@return boolean
function Lexer.accept(self, kind)
  if self.kind ~= kind then return false end
  self:advance()
  return true
end

--- The line on which the token begins.
---@return integer
function Lexer.line(self)
  return (self.position(self.at))
end

--- The line on which the content of a string begins: Lua drops a line end
--- right behind the long bracket.
---@return integer
function Lexer.content_line(self)
  local line = self:line()
  local dropped = self.text:find("^%[=*%[[\r\n]", self.at)
  return dropped and line + 1 or line
end

-- As luaL_loadfile: a byte order mark and a first line with # do not count.
local function first_byte(source)
  local at = source:match "^\xEF\xBB\xBF()" or 1
  if source:sub(at, at) ~= "#" then return at end
  return source:find("[\r\n]", at) or #source + 1
end

--- A lexer that stands on the first token of a text.
---@param source string
---@return table lexer
function M.open(source)
  local lexer = setmetatable({
    text = source, size = #source + 1, behind = first_byte(source),
    literals = {},
    position = text.line_counter(source),
  }, Lexer)
  lexer:advance()
  return lexer
end

return M
