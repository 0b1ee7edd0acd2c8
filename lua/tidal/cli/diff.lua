-- tidal-lua diff OLD NEW [--wal REGION=DIR]... [--json]
-- What changes, what must move, and the least that would have to.
local options = require "tidal.cli.options"

local M = {}

local SYNOPSIS <const> = "diff OLD NEW [--wal REGION=DIR]... [--json]"

---Prints the difference. Status 1 if a rule is broken on the way.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, { json = "flag", wal = "list" },
                                   SYNOPSIS)
  options.expect(rest, 2, 2, SYNOPSIS)
  local plan = options.layout(rest[1]):diff(options.layout(rest[2]))
  if opts.wal then
    plan = options.weigh(plan, options.wal_dirs(plan.from, opts.wal,
                                                SYNOPSIS))
  end
  print(opts.json and plan:json() or plan:text(options.style(io.stdout)))
  return plan:check() and 1 or 0
end

return M
