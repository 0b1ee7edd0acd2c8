-- tidal-lua wal export DIR [--csv|--json] [--all]
-- The live events of DIR, log by log in order of (region, shard):
--   region,shard,seqno,entity,signal_type,weight,timestamp_ns
-- --json: the same as an object a line. --all: dead events too; then JSON
-- has "live". Changes nothing. Exit 1 where bytes are damaged: what stands
-- before the damage has been printed then.
local logs = require "tidal.cli.wal.logs"
local options = require "tidal.cli.options"

local M = {}

local SYNOPSIS <const> = "wal export DIR [--csv|--json] [--all]"
local BYTES_AT_ONCE <const> = 262144

local function write(text)
  local fine, why = io.stdout:write(text)
  if not fine then options.fail("standard output: %s", why) end
end

local function export_log(walk, path, form, all, tick)
  while true do
    local text, bytes = walk:text(form, all, BYTES_AT_ONCE)
    if not text then
      if bytes then logs.fail(bytes, path) end
      return
    end
    write(text)
    tick(bytes)
  end
end

local function export(path, form, all)
  local reader, layouts = logs.open(path)
  local bar, done = options.progress "exporting", 0
  local total = reader:bytes()
  for _, log in ipairs(logs.list(reader)) do
    local walk, err = layouts:live(log.shard)
    if not walk then logs.fail(err, path) end
    export_log(walk, path, form, all, function(bytes)
      done = done + bytes
      bar.update(done, total)
    end)
    walk:close()
  end
  bar.finish()
  local fine, why = io.stdout:flush()
  if not fine then options.fail("standard output: %s", why) end
end

---Prints events.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, { csv = "flag", json = "flag",
                                           all = "flag" }, SYNOPSIS)
  options.expect(rest, 1, 1, SYNOPSIS)
  if opts.csv and opts.json then
    options.usage("--csv or --json, not both\nusage: tidal-lua %s", SYNOPSIS)
  end
  export(rest[1], opts.json and "json" or "csv", opts.all)
  return 0
end

return M
