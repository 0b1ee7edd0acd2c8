-- Where a layout's source text is: a table carries no line numbers, so the
-- lines of its entries are looked up in the file it was written in.
--
-- `return tidal.cluster{...}` is a tail call, which leaves no trace of the
-- caller; the file is then the one being loaded, or the script being run.
local source = require "tidal.source"

local M = {}

local loading = {}  -- files that M.within is running, innermost last

---Calls chunk() as the script `path`; returns its first result.
function M.within(path, chunk)
  loading[#loading + 1] = path
  local done = table.pack(pcall(chunk))
  loading[#loading] = nil
  if not done[1] then error(done[2], 0) end
  return done[2]
end

local function read(path)
  local file = io.open(path, "rb")
  if not file then return nil end
  local text = file:read "a"
  file:close()
  return text
end

-- The script file of the caller at a stack level, when the stack knows.
local function caller(level)
  local info = debug and debug.getinfo(level, "St")
  local name = info and not info.istailcall and info.source:match "^@(.+)$"
  return name
end

---The file that declares a layout, and where its entries stand.
---@param level integer stack level of the function that was called
---@return string? file, table? index
function M.find(level)
  local below = debug and debug.getinfo(level - 1, "t")
  local path = below and not below.istailcall and caller(level)
  path = path or loading[#loading] or (arg and arg[0])
  local text = type(path) == "string" and read(path)
  if not text then return nil, nil end
  local index = source.scan(text)
  if not next(index.lines) then return nil, nil end
  return path, index
end

return M
