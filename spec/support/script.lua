-- Layouts for specs: declared from a base, or written to a file and run.
local core = require "tidal.core"
local lfs = require "lfs"

local M = {}

-- In the place of a value: the key is left out.
M.NONE = setmetatable({}, { __name = "none" })

---What tidal.cluster takes: a small layout with these fields changed.
---@param changes? table
---@return table
function M.fields(changes)
  local out = { name = "prod", regions = { "us-east", "eu-west", "ap-south" }, shards = 5 }
  for key, value in pairs(changes or {}) do
    if value == M.NONE then out[key] = nil else out[key] = value end
  end
  return out
end

---A layout of them.
function M.layout(changes)
  local layout = require "tidal.cluster"(M.fields(changes))
  return layout
end

---The faults that f(...) raises, as text without file and line, one a line.
function M.faults(f, ...)
  local ok, err = pcall(f, ...)
  if ok then return "" end
  if not core.is_error(err) or not err.faults then return "no faults: " .. tostring(err) end
  local out = {}
  for i, fault in ipairs(err.faults) do out[i] = fault.path .. ": " .. fault.message end
  return table.concat(out, "\n")
end

---The faults of a layout with these changes.
function M.refused(changes)
  return M.faults(function() return M.layout(changes) end)
end

-- Removes what is left of a directory of files; links, not what they lead to.
local function remove(dir)
  for name in lfs.dir(dir) do
    local path = dir .. "/" .. name
    if name ~= "." and name ~= ".." then
      if lfs.symlinkattributes(path, "mode") == "directory" then remove(path)
      else os.remove(path) end
    end
  end
  assert(lfs.rmdir(dir))
end

---Calls f(path of a new directory with these files) and removes it.
---@param files { [string]: string }
function M.within(files, f)
  local dir = os.tmpname()
  os.remove(dir)
  assert(lfs.mkdir(dir))
  for name, text in pairs(files) do
    local file = assert(io.open(dir .. "/" .. name, "wb"))
    file:write(text)
    file:close()
  end
  local result = table.pack(pcall(f, dir))
  remove(dir)
  if not result[1] then error(result[2], 0) end
  return table.unpack(result, 2, result.n)
end

---Runs f(path) on the text as a script; gives what it returns, or nil and
---the message, in which the file is called cluster.lua.
function M.run(text, f)
  return M.within({ ["cluster.lua"] = text }, function(dir)
    local ok, value = pcall(f, dir .. "/cluster.lua")
    if ok then return value end
    local pattern = dir:gsub("%W", "%%%0") .. "/"
    return nil, (tostring(value):gsub(pattern, ""))
  end)
end

---The layout of a script, or nil and the message.
function M.load(text)
  return M.run(text, function(path)
    local layout = require "tidal.cluster".load(path)
    return layout
  end)
end

return M
