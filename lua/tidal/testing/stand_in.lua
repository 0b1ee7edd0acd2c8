-- A stand-in for the layout that a file returns, in this process: whoever
-- loads that file gets change(layout) instead. It is the file that counts and
-- not how it is named or loaded: tidal.cluster.load, dofile, loadfile or
-- require. A program that is started, or a text that is read and compiled, is
-- not reached; M.served() tells whether anyone loaded the file at all.
local layouts = require "tidal.cluster.layout"
local origin = require "tidal.cluster.origin"

local M = {}

local state = { served = 0 }

---How often the stand-in was given.
function M.served()
  return state.served
end

---The number of the stand-in.
function M.number()
  return state.number
end

local function identity(path)
  local at = require "lfs".attributes(path)
  return at and at.dev .. ":" .. at.ino
end

-- The chunk of a file, whose layouts are changed if it is that file.
local function changed(chunk, path)
  local is_it = identity(path) == state.file
  return function(...)
    local args = table.pack(...)
    local value = origin.within(path, function()
      return chunk(table.unpack(args, 1, args.n))
    end)
    if not is_it or not layouts.is(value) then return value end
    state.served = state.served + 1
    return state.change(value)
  end
end

-- For require: the file that the standard searcher would find.
local function search(name)
  local path = package.searchpath(name, package.path)
  if not path or identity(path) ~= state.file then return nil end
  local chunk, why = loadfile(path)
  if not chunk then error(why, 0) end
  return chunk, path
end

---Puts the stand-in there, for the rest of the process.
---@param path string
---@param number integer which it is, for the report
---@param change fun(layout): table
function M.install(path, number, change)
  local load_file, do_file = loadfile, dofile
  state.file, state.number, state.change = identity(path), number, change
  function _G.loadfile(file, ...)
    local chunk, why = load_file(file, ...)
    if not chunk or type(file) ~= "string" then return chunk, why end
    if identity(file) ~= state.file then return chunk end
    return changed(chunk, file)
  end
  function _G.dofile(file)
    if type(file) ~= "string" then return do_file(file) end
    local chunk, why = load_file(file)
    if not chunk then error(why, 0) end
    return changed(chunk, file)()
  end
  table.insert(package.searchers, 2, search)
end

return M
