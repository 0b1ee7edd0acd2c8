-- Text forms that people write in layouts and on command lines, both ways.
--
--   id        "0x" and 1-16 hex digits, or decimal up to 2^64-1
--             -> integer, the 64-bit pattern
--   size      "512", "64MiB", "1.5GB", "2 TiB"    -> bytes
--   duration  "250ms", "1.5s", "10m", "24h", "7d" -> nanoseconds
--   rate      "30MB/s"                            -> bytes per second
--   ranges    "s0 0x0..0x7f  s1 0x80..0xff"
--             -> list of { shard =, first =, last =, line = }
--             or nil, list of { line =, column =, message = }
--
-- Readers never raise on a text: they give nil and one sentence that shows
-- what was found. What is not the whole form is refused.
local found, lpeg = pcall(require, "lpeg")
if not found then error("lpeg is missing: apt-get install lua-lpeg", 0) end

local amount = require "tidal.amount"

local M = {}

local C, Cp, R, S = lpeg.C, lpeg.Cp, lpeg.R, lpeg.S

local ID_MAX <const> = "18446744073709551615"
local ID_FORM <const> = '"0x" and 1-16 hex digits, or decimal up to ' .. ID_MAX
local SHARD_MAX <const> = 65535
local SHOWN_MAX <const> = 40

-- The text in quotes, on one line and short enough for a message.
local function shown(text)
  if type(text) ~= "string" then return "a " .. type(text) end
  if #text > SHOWN_MAX then
    local next_char = utf8.offset(text, 0, SHOWN_MAX + 1)
    text = text:sub(1, next_char - 1) .. "..."
  end
  return "'" .. text:gsub("%c", "?") .. "'"
end

-- --- ids ------------------------------------------------------------------

local function hex_id(text, hex)
  if #hex <= 16 then return tonumber(hex, 16) end
  return nil, ("%s has %d hex digits, an id has at most 16"):format(
    shown(text), #hex)
end

local function decimal_id(text)
  if #text < 19 then return tonumber(text) end
  if #text > #ID_MAX or #text == #ID_MAX and text > ID_MAX then
    return nil, ("%s is above %s, the last id"):format(shown(text), ID_MAX)
  end
  return tonumber(text:sub(1, -2)) * 10 + tonumber(text:sub(-1))
end

--- Reads an id; seqnos and times have the same form.
---@param text string
---@return integer? id the 64-bit pattern
---@return string? why
function M.id(text)
  if type(text) == "string" then
    local hex = text:match "^0[xX](%x+)$"
    if hex then return hex_id(text, hex) end
    if text:find "^%d+$" then return decimal_id(text) end
  end
  return nil, ("%s is not an id (%s)"):format(shown(text), ID_FORM)
end

--- "0x" and 16 digits.
---@param id integer
---@return string
function M.hex(id)
  return ("0x%016x"):format(id)
end

--- Unsigned decimal text.
---@param id integer
---@return string
function M.decimal(id)
  if id >= 0 then return ("%d"):format(id) end
  local tens = (id >> 1) // 5
  return ("%d%d"):format(tens, id - tens * 10)
end

-- --- amounts --------------------------------------------------------------

local function read_amount(text, kind)
  local value, why = amount.read(text, kind)
  if value then return value end
  return nil, shown(text) .. " " .. why
end

--- Reads a number of bytes. kB MB GB TB are powers of 1000, KiB MiB GiB TiB
--- of 1024; a bare number is bytes.
---@param text string
---@return integer? bytes 0..2^63-1
---@return string? why
function M.size(text)
  return read_amount(text, "size")
end

--- Reads a time span; its unit is never left out.
---@param text string
---@return integer? nanoseconds 0..2^63-1
---@return string? why
function M.duration(text)
  return read_amount(text, "duration")
end

--- Reads a size per second. 0 is refused: at that rate nothing ever ends.
---@param text string
---@return integer? bytes per second, at least 1
---@return string? why
function M.rate(text)
  local size = type(text) == "string" and text:match "^(.-)[ \t]*/s$"
  if not size then return nil, shown(text) .. " is not a rate (30MB/s)" end
  local bytes, why = M.size(size)
  if bytes == 0 then return nil, shown(text) .. " is not above 0" end
  return bytes, why
end

M.bytes = amount.bytes
M.nanoseconds = amount.nanoseconds

-- --- lines ----------------------------------------------------------------

--- Tells the lines of a text as Lua counts them (LF, CR, CR LF, LF CR).
---@param text string
---@return fun(at: integer): integer, integer # line and column from 1, of a
---   position that is never before the one asked for last
function M.line_counter(text)
  local line, start, after = 0, 1, 1
  local function next_line()
    line, start = line + 1, after
    local at, last = text:find("[\r\n]", start)
    local pair = at and text:sub(at, at + 1)
    if pair == "\r\n" or pair == "\n\r" then last = at + 1 end
    after = at and last + 1
  end
  next_line()
  return function(at)
    while after and after <= at do next_line() end
    return line, at - start + 1
  end
end

-- --- ranges ---------------------------------------------------------------

-- Patterns, made when ranges are first read: most layouts have none as text.
local separator, entry, token

local function make_patterns()
  local blank = S " \t\r\n\f\v"
  local comment = "--" * (1 - S "\r\n") ^ 0
  local skip = (blank + comment) ^ 0
  local bound = C((R("09", "az", "AZ") ^ 1
                   + (1 - (blank + "," + ".." + "--"))) ^ 1)
  separator = (blank + "," + comment) ^ 0
  token = skip * Cp() * (C ".." + C "," + bound) * Cp()
  entry = "s" * C(R "09" ^ 1) * skip
    * bound * skip * ".." * skip * bound * separator * Cp()
end

local function shard_number(digits)
  local number = tonumber(digits)
  if number and number <= SHARD_MAX and digits == tostring(number) then
    return number
  end
end

-- A right entry and where the next one begins; nil for a wrong one.
local function match_entry(text, from)
  local digits, first, last, next_at = entry:match(text, from)
  local shard = digits and shard_number(digits)
  first, last = shard and M.id(first), shard and M.id(last)
  if first and last then
    return { shard = shard, first = first, last = last }, next_at
  end
end

-- What follows finds out what is wrong with an entry, word by word. A reader
-- stands on a word that begins at `at`; behind the last one `word` is nil.

local function advance(reader)
  local at, word, behind = token:match(reader.text, reader.behind)
  reader.at, reader.word = at or #reader.text + 1, word
  reader.behind = behind or reader.at
end

local function between_entries(reader)
  local word = reader.word
  return not word or word == "," or word:find "^[sS]%d" ~= nil
end

local function fault(reader, message)
  local line, column = reader.position(reader.at)
  reader.clean = false
  table.insert(reader.faults, {
    line = line, column = column, message = message,
  })
end

local function expected(reader, what)
  local word = reader.word and shown(reader.word) or "the end of the text"
  fault(reader, what .. " expected, found " .. word)
end

-- False when no bounds can follow.
local function read_shard(reader)
  if not shard_number(reader.word:match "^s(%d+)$") then
    expected(reader, "a shard (s0..s65535)")
  end
  if reader.word:find "^%d" then return true end
  if not between_entries(reader) then return false end
  advance(reader)
  return true
end

-- False when no bound stands here.
local function read_bound(reader, what)
  if between_entries(reader) or reader.word == ".." then
    expected(reader, what)
    return false
  end
  local id, why = M.id(reader.word)
  if not id then fault(reader, why) end
  advance(reader)
  return true
end

-- A wrong bound may have swallowed the dots and the other bound ("0x0-0x7"):
-- one fault says enough then.
local function read_dots(reader)
  if reader.word == ".." then
    advance(reader)
    return true
  end
  if reader.clean or not between_entries(reader) then
    expected(reader, "'..'")
  end
  return false
end

-- Adds the faults of the entry at `from`; returns where the next one begins.
local function explain_entry(reader, from)
  reader.behind, reader.clean = from, true
  advance(reader)
  local whole = read_shard(reader)
    and read_bound(reader, "the first id of a range") and read_dots(reader)
    and read_bound(reader, "the last id of a range")
  while not whole and not between_entries(reader) do advance(reader) end
  return separator:match(reader.text, reader.at)
end

--- Reads a routing table. Entries stand between blanks, line ends or commas;
--- "--" begins a comment. Whether ranges fit together is not looked at here.
---@param text string
---@return table[]? ranges
---@return table[]? faults all of them, in order
function M.ranges(text)
  if not separator then make_patterns() end
  local list, position = {}, M.line_counter(text)
  local reader = { text = text, faults = {}, position = position }
  local at = separator:match(text)
  while at <= #text do
    local range, next_at = match_entry(text, at)
    if range then
      range.line = position(at)
      list[#list + 1] = range
    end
    at = next_at or explain_entry(reader, at)
  end
  if #reader.faults > 0 then return nil, reader.faults end
  return list
end

return M
