-- What `wal stat` and `wal export` share: the logs of a directory in order
-- of (region, shard), and errors that say what to do.
local core = require "tidal.core"
local options = require "tidal.cli.options"

local M = {}

-- The region of a log: its first batch says; a damaged one says nothing.
local function region_of(reader, shard)
  local cursor <close> = assert(reader:cursor(shard))
  local batch = cursor:next()
  return batch and batch.region.value
end

---Raises an error of a walk, with the next step.
---@param err table
---@param path string the directory
function M.fail(err, path)
  local hint = err.code ~= "io" and err.code ~= "no_memory"
    and ("\n`tidal-lua wal verify %s` says what is damaged"):format(path)
    or ""
  error(core.error { code = err.code, message = err.message .. hint }, 0)
end

---Opens a directory and its layouts.
---@param path string
---@return userdata reader, userdata layouts
function M.open(path)
  local reader = options.reader(path)
  local layouts, err = core.wal.layouts(reader)
  if not layouts then M.fail(err, path) end
  return reader, layouts
end

---The logs, by region and shard.
---@return { region: integer?, shard: integer }[]
function M.list(reader)
  local logs = {}
  for i, shard in ipairs(reader:shards()) do
    logs[i] = { region = region_of(reader, shard), shard = shard.value }
  end
  table.sort(logs, function(a, b)
    local x, y = a.region or 0, b.region or 0
    if x ~= y then return x < y end
    return a.shard < b.shard
  end)
  return logs
end

return M
