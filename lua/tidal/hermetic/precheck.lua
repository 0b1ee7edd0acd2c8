-- What a script's text must be before Lua's compiler sees it.
--
-- A chain of very many suffixes (a.b.b.b...) takes the compiler's error path
-- seconds that nothing can interrupt, and deep nesting its stack; a chunk
-- that is not text is no layout.
local lexer = require "tidal.lexer"

local M = {}

local BYTES_MAX <const> = 262144
local SUFFIXES_MAX <const> = 1000
local NESTING_MAX <const> = 150

---Without a byte order mark and a first line that begins with "#", as the
---compiler takes a file; lines keep their numbers.
---@param text string
---@return string
function M.code(text)
  return (text:gsub("^\xEF\xBB\xBF", ""):gsub("^#[^\n]*", ""))
end

local OPENS <const> = {
  ["("] = true, ["["] = true, ["{"] = true, ["function"] = true,
  ["if"] = true, ["do"] = true, ["repeat"] = true,
}
local CLOSES <const> = {
  [")"] = true, ["]"] = true, ["}"] = true, ["end"] = true, ["until"] = true,
}
-- Tokens that go on with a chain; calls and indices open what they hold.
local GOES_ON <const> = {
  ["."] = true, [":"] = true, ["("] = true, ["["] = true, ["{"] = true,
  string = true, long = true,
}
local VALUE <const> = { name = true, key = true, [")"] = true, ["]"] = true,
                        ["}"] = true, string = true, long = true }

-- The line of the first fault and what it is, or nil.
local function scan(tokens)
  local depth, before = 0, nil
  local chains = { [0] = 0 }     -- suffixes so far, by nesting
  while tokens.kind ~= "end of text" do
    local kind, outer = tokens.kind, depth
    if CLOSES[kind] then depth = math.max(depth - 1, 0) end
    if GOES_ON[kind] and VALUE[before] then
      chains[outer] = chains[outer] + 1
    elseif not VALUE[kind] or VALUE[before] then
      chains[depth] = CLOSES[kind] and chains[depth] or 0
    end
    if chains[outer] and chains[outer] > SUFFIXES_MAX then
      return tokens:line(), ("a chain of more than %d suffixes")
                            :format(SUFFIXES_MAX)
    end
    if OPENS[kind] then
      depth = depth + 1
      chains[depth] = 0
      if depth > NESTING_MAX then
        return tokens:line(), ("nested deeper than %d"):format(NESTING_MAX)
      end
    end
    before = kind
    tokens:advance()
  end
end

---What is wrong with a script's text, "LINE: ...", or nil.
---@param text string
---@return string?
function M.fault(text)
  if #text > BYTES_MAX then
    return ("1: has %d bytes, at most %d are possible"):format(#text,
                                                               BYTES_MAX)
  end
  local code = M.code(text)
  if code:sub(1, 1) == "\27" then
    return "1: is a binary chunk; a layout is text"
  end
  local line, what = scan(lexer.open(code))
  return line and ("%d: %s"):format(line, what)
end

return M
