-- tidal-lua explain LAYOUT ID|MOVE [--wal REGION=DIR]... [--json] [--trust]
--   [--no-isolate]
-- Why an id is on its shard; why a move ("s3 us-east->eu-west", "0x0-0xff
-- s1->s4", "s1->s4") is allowed or not, and with --wal what it copies. Status
-- 1 if it is not allowed.
local core = require "tidal.core"
local explain = require "tidal.inspect.explain"
local motion = require "tidal.inspect.motion"
local options = require "tidal.cli.options"
local ranges = require "tidal.cluster.ranges"
local render = require "tidal.render.explain"

local M = {}

local SYNOPSIS <const> = "explain LAYOUT ID|MOVE [--wal REGION=DIR]... "
  .. "[--json], a MOVE being 's3 REGION->REGION', '0x0-0xff s1->s4' or "
  .. "'s1->s4'"

-- An id, or a move; a usage error for anything else.
local function read(words)
  local text = table.concat(words, " ")
  local move = motion.read(text)
  if move then return nil, move end
  local fine, id = pcall(core.u64.parse, text)
  if fine then return id end
  options.usage("%s: neither a move nor an id: %s\nusage: tidal-lua %s", text,
                ranges.id_fault(text), SYNOPSIS)
end

-- What reads the logs for a plan's price.
local function weigher(layout, given)
  local dirs = options.wal_dirs(layout, given, SYNOPSIS)
  return function(plan) return options.weigh(plan, dirs) end
end

---Prints the answer. Status 1 for a move that is not allowed.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, options.with_layout {
    json = "flag", wal = "list",
  }, SYNOPSIS)
  options.expect(rest, 2, nil, SYNOPSIS)
  local id, move = read(table.move(rest, 2, #rest, 1, {}))
  if opts.wal and not move then
    options.usage("--wal goes with a move: an id copies nothing\n"
                  .. "usage: tidal-lua %s", SYNOPSIS)
  end
  local layout = options.layout(rest[1], opts)
  local module, form = explain, "id"
  if move then module, form = motion, "move" end
  local answer = module[form](layout, id or move,
                              opts.wal and weigher(layout, opts.wal))
  print(opts.json and module.json(answer)
        or render[form](answer, options.style(io.stdout)))
  return answer.allowed == false and 1 or 0
end

return M
