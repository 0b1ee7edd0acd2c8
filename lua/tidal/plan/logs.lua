-- The live events of a cluster's write-ahead logs, counted region by region.
local core = require "tidal.core"
local faults = require "tidal.faults"
local keys = require "tidal.cluster.keys"

local M = {}

local LOGS_SHOWN <const> = 10  -- in a message

---That a region's directory cannot be read at all, and how to mend it; nil
---where an error says something else.
---@param region string
---@param dir any a path or a tidal.SimDir
---@param err table
---@return string?
function M.unread(region, dir, err)
  local why = tostring(err.subject):find "ing the directory$"
          and err.message:match " failed: (.*)$"
  return why and ("cannot read the directory %s: %s; give the one that holds "
    .. "the segments (wal-*.seg) of %s"):format(tostring(dir), why, region)
end

---An error about a region's directory, with its place in front.
---@return string
function M.told(region, dir, err)
  local why = M.unread(region, dir, err)
  if why then return region .. ": " .. why end
  return ("%s=%s: %s"):format(region, tostring(dir), err.message)
end

-- The logs of one directory and its layouts, or nil, err.
local function open_source(region, dir)
  local reader, err = core.wal.reader(dir)
  local layouts
  if reader then
    layouts, err = core.wal.layouts(reader)
    if layouts then
      return { region = region, dir = dir, reader = reader,
               layouts = layouts }
    end
    reader:close()
  end
  err.message = M.told(region.name, dir, err)
  return nil, err
end

-- Opens the logs of all directories, by region.
local function open(layout, dirs)
  local sources, total = {}, 0
  for _, name in ipairs(keys.sorted(dirs)) do
    if not layout:region(name) then
      return nil, core.error {
        code = "region",
        message = ("%s has no region %s"):format(layout.name,
                                                 faults.shown(name)),
      }
    end
  end
  for _, region in ipairs(layout.regions) do
    local dir = dirs[region.name]
    if dir then
      local source, err = open_source(region, dir)
      if not source then return nil, err end
      total = total + source.reader:bytes()
      sources[#sources + 1] = source
    end
  end
  return sources, total
end

-- Whose log this is: a LogId, false when it is empty, or nil, err.
local function log_of(source, shard)
  local cursor <close> = assert(source.reader:cursor(shard))
  local batch, err = cursor:next()
  if batch then return batch.log end
  if err then return nil, err end
  return false
end

---A directory in which no log is the region's own is another region's. (One
---that began as v1 keeps its log r0:s0 beside those of its region.)
---@param source { reader: userdata, region: { id: integer, name: string } }
---@return true? fine, table? err
function M.check_region(source)
  local region, names = source.region, {}
  for _, shard in ipairs(source.reader:shards()) do
    local log, err = log_of(source, shard)
    if log == nil then return nil, err end
    if log and log.region.value == region.id then return true end
    if log then names[#names + 1] = tostring(log) end
  end
  if #names == 0 then return true end
  return nil, core.error {
    code = "mismatch",
    message = ("mismatch: holds the logs %s, none of %s, which is r%d")
      :format(table.concat(names, " ", 1, math.min(#names, LOGS_SHOWN)),
              region.name, region.id),
  }
end

-- Live events only: what a cut left behind counts where it went.
local function read_log(counter, source, shard, tick)
  local walk, err = source.layouts:live(shard)
  if not walk then return nil, err end
  local _ <close> = walk
  while true do
    local bytes
    bytes, err = walk:read(counter)
    if not bytes then return nil, err end
    if bytes == 0 then return true end
    tick(bytes)
  end
end

local function read_source(counters, source, tick)
  local fine, err = M.check_region(source)
  for _, shard in ipairs(fine and source.reader:shards() or {}) do
    for _, counter in ipairs(counters) do
      fine, err = read_log(counter, source, shard, tick)
      if not fine then break end
    end
    if not fine then break end
  end
  source.layouts:close()
  source.reader:close()
  if fine then return true end
  err.message = M.told(source.region.name, source.dir, err)
  return nil, err
end

---Counts the live events of each region's logs in counters (profiles or
---traffic): a log is read once for each.
---@param layout table names the regions
---@param dirs { [string]: string } directory by region name
---@param counters fun(region: table, bytes: integer): table, fun()? a list of
---  counters for a region whose directory holds so many bytes, and what to
---  call when they have counted it
---@param progress? fun(done: integer, total: integer) bytes
---@return true? done, table? err
function M.read(layout, dirs, counters, progress)
  local sources, total = open(layout, dirs)
  if not sources then return nil, total end
  local done = 0
  for _, source in ipairs(sources) do
    local list, finish = counters(source.region, source.reader:bytes())
    local fine, err = read_source(list, source, function(bytes)
      done = done + bytes
      if progress then progress(done, math.max(done, total)) end
    end)
    if not fine then return nil, err end
    if finish then finish() end
  end
  return true
end

return M
