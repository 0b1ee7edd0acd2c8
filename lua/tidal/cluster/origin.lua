-- Where a layout's source text is: a table carries no line numbers, so the
-- lines of its entries are looked up in the file it was written in.
--
-- A call that is no tail call leaves its file and line on the stack. `return
-- tidal.cluster{...}` leaves nothing; then the file is the one that the
-- function below is running: M.within, dofile, require, or the host itself.
-- Where nobody can tell, a layout has no lines rather than wrong ones.
local lexer = require "tidal.lexer"
local source = require "tidal.source"

local M = {}

local loading = {}  -- files that M.within is running, innermost last
local LEAVE <const> = {
  __close = function() loading[#loading] = nil end,
}

---Calls chunk() as the script `path`; returns its first result.
function M.within(path, chunk)
  loading[#loading + 1] = path
  local _ <close> = setmetatable({}, LEAVE)
  local value = chunk()
  return value
end

---The text of a file; nil where it cannot be read, or is none.
function M.read(path)
  local file = type(path) == "string" and io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

-- Goes behind the brace that closes the one at which the lexer stands.
local function skip_braces(tokens)
  local depth = 0
  repeat
    if tokens.kind == "{" then depth = depth + 1 end
    if tokens.kind == "}" then depth = depth - 1 end
    local behind = tokens.behind
    tokens:advance()
    if depth == 0 then return behind end
  until tokens.kind == "end of text"
end

-- The constructor that is called on this line, alone in a text in which it
-- keeps its lines. The line of a call is that of its name, in newer Lua 5.4
-- that of its bracket.
local function cut(text, line)
  local tokens = lexer.open(text)
  while tokens.kind ~= "end of text" do
    local at, here = tokens.at, tokens:line()
    local named = tokens.kind == "name" and tokens.word == "cluster"
    tokens:advance()
    local opens = tokens.kind == "(" or tokens.kind == "{"
    if named and (here == line or opens and tokens:line() == line) then
      tokens:accept "("
      local behind = tokens.kind == "{" and skip_braces(tokens)
      return behind and ("\n"):rep(here - 1) .. text:sub(at, behind - 1)
    end
  end
end

-- The index of the constructor on this line; else one that only knows the
-- line of the call.
local function index_of_call(text, line)
  local piece = text and cut(text, line)
  if piece then return source.scan(piece) end
  return { literals = {}, duplicates = {}, strings = {},
           line = function() return line end }
end

-- A name among the values that a C function holds: the argument of dofile,
-- what require found.
local function held_file(level)
  for i = 1, 20 do
    local name, value = debug.getlocal(level + 1, i)
    if not name then return nil end
    if type(value) == "string" and value:find "[./]" and M.read(value) then
      return value
    end
  end
end

-- The file of a chunk that is run by the function at `level`.
local function running(level)
  local info = debug.getinfo(level + 1, "fS")
  if not info then return nil end
  if info.func == M.within then return loading[#loading] end
  if info.what ~= "C" then return nil end
  if info.func == dofile or info.func == require then
    local file = held_file(level + 1)  -- no tail call: levels are counted
    return file
  end
  local outermost = not debug.getinfo(level + 2, "t")
  local script = arg and arg[-1] and arg[0]
  return outermost and script or nil
end

---The file that declares a layout, and where its entries stand.
---@param level integer stack level of the function that was called
---@return string? file, table? index
function M.find(level)
  if not debug then return nil, nil end
  local called = debug.getinfo(level + 1, "t")
  local info = debug.getinfo(level + 2, "Sl")
  if called and not called.istailcall and info then
    local file = info.source:match "^@(.+)$"
    if not file then return nil, nil end
    return file, index_of_call(M.read(file), info.currentline)
  end
  local path = running(level + 2)
  local text = M.read(path)
  if not text then return nil, nil end
  local index = source.scan(text)
  return path, next(index.lines) and index or nil
end

return M
