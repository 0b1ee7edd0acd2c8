-- Starts cells (host/cell.h). One may be started ahead: it gets ready while
-- this process still loads what the verb needs.
local M = {}

local MEMORY_BYTES <const> = 64 << 20

local ready = {}  -- the cells that were started ahead, by kind of fence

-- The opener of lpeg, loaded here because a cell can load nothing.
local function lpeg_opener()
  local path = package.searchpath("lpeg", package.cpath)
  local opener = path and package.loadlib(path, "luaopen_lpeg")
  return opener or error("lpeg is missing: apt-get install lua-lpeg", 0)
end

local function new(host, filter, opts)
  return host.child {
    lpeg = lpeg_opener(), memory = opts.memory or MEMORY_BYTES,
    seconds = opts.seconds, filter = filter,
  }
end

---Starts a cell ahead; what goes wrong is told when one is taken.
---@param host table the module tidal.host
---@param filter boolean with the system-call filter
function M.ahead(host, filter)
  local made, child = pcall(new, host, filter, {})
  ready[filter] = made and child or nil
end

---A cell: the one started ahead, or a new one. Raises text.
---@param host table the module tidal.host
---@param opts table filter = false, memory =, seconds =
---@return userdata child
function M.take(host, opts)
  local filter = opts.filter ~= false
  if opts.memory or opts.seconds then return new(host, filter, opts) end
  local child = ready[filter]
  ready[filter] = nil
  return child or new(host, filter, opts)
end

return M
