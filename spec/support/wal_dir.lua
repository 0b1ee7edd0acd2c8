-- Directories of logs for specs: real files in a new directory.
--
-- with({ [name] = bytes }, fn): makes it, calls fn(path), removes it.
-- copy(golden directory, changes): the files of a golden directory, some
--   replaced by changes[name](bytes), or dropped where that gives nil.
-- layout(epoch, strategy, num_shards, ranges) -> name, bytes
local core = require "tidal.core"
local golden = dofile "spec/support/golden.lua"
local lfs = require "lfs"
local script = dofile "spec/support/script.lua"

local M = {}

M.with = script.within

function M.copy(name, changes)
  local files = {}
  for file in lfs.dir(golden.dir .. "/" .. name) do
    if file ~= "." and file ~= ".." then
      files[file] = golden.read(name .. "/" .. file)
    end
  end
  for file, change in pairs(changes or {}) do
    files[file] = change(files[file])
  end
  return files
end

function M.layout(epoch, strategy, num_shards, ranges)
  local line = ('{"format":"tidal-layout/1","name":"spec","epoch":%d,"regions":[{"id":0,"name":'
    .. '"us"}],"routing":{"strategy":"%s","num_shards":%d%s}}\n'):format(
    epoch, strategy, num_shards, ranges and ',"ranges":' .. ranges or "")
  return ("layout-%010d.json"):format(epoch), line .. core.checksum(line) .. "\n"
end

-- Flips bits of one byte, counted from 0.
function M.flip(at)
  return function(bytes)
    return bytes:sub(1, at) .. string.char(bytes:byte(at + 1) ~ 4) .. bytes:sub(at + 2)
  end
end

return M
