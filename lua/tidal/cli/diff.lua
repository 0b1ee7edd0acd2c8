-- tidal-lua diff OLD NEW [--wal REGION=DIR]... [--json] [--least]
-- What changes, what must move, and the least that would have to. With
-- --least to the boundaries that move only that, which are printed too.
local options = require "tidal.cli.options"
local weigh = require "tidal.plan.weigh"

local M = {}

local SYNOPSIS <const> =
  "diff OLD NEW [--wal REGION=DIR]... [--json] [--least]"

-- The plan to other boundaries with the same shares.
local function least_of(plan)
  local least = plan:least()
  if least then return least end
  options.fail("--least: from %s to %s no boundaries stay",
               plan.from.router:strategy(), plan.to.router:strategy())
end

local function show(plan, opts)
  print(opts.json and plan:json() or plan:text(options.style(io.stdout)))
  if not opts.least or opts.json then return end
  local ranges = {}
  for i, range in ipairs(plan.to:ranges()) do
    ranges[i] = { shard = range.shard.value, first = range.first,
                  last = range.last }
  end
  print(("  routing = tidal.routing.%s [[\n%s\n  ]],"):format(
    plan.to.router:strategy(), weigh.ranges_text({ ranges = ranges }, "    ")))
end

---Prints the difference. Status 1 if a rule is broken on the way.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, options.with_layout {
    json = "flag", wal = "list", least = "flag",
  }, SYNOPSIS)
  options.expect(rest, 2, 2, SYNOPSIS)
  local plan = options.layout(rest[1], opts)
    :diff(options.layout(rest[2], opts))
  if opts.least then plan = least_of(plan) end
  if opts.wal then
    plan = options.weigh(plan, options.wal_dirs(plan.from, opts.wal,
                                                SYNOPSIS))
  end
  show(plan, opts)
  return plan:check() and 1 or 0
end

return M
