-- tidal-lua plan LAYOUT [--from OLD] [--wal REGION=DIR]... [--json] [-o FILE]
--   [--detailed-exitcode]
-- What a layout means; with --from, what it takes to make it of an older one:
-- then LAYOUT may be a .plan file, which must be for OLD as it is now, and a
-- FILE that ends in .plan gets JSON. With --detailed-exitcode the status is 3
-- where there is something to do.
local options = require "tidal.cli.options"
local plan = require "tidal.plan.meaning"
local plan_file = require "tidal.plan.file"

local M = {}

local SYNOPSIS <const> =
  "plan LAYOUT [--from OLD] [--wal REGION=DIR]... [--json] [-o FILE.plan] "
  .. "[--detailed-exitcode]"
local STATUS_CHANGES <const> = 3

local function is_plan_file(path)
  return path and path:find "%.plan$" ~= nil
end

local function style_for(opts)
  return not opts.output and options.style(io.stdout) or nil
end

-- The plan of one layout.
local function show_layout(layout, opts)
  local made = plan.new(layout)
  if opts.wal then
    options.weigh(made, options.wal_dirs(layout, opts.wal, SYNOPSIS))
  end
  options.write(opts.json and made:json() or made:text(style_for(opts)),
                opts.output)
  return made:ok() and 0 or 1
end

-- The plan between two.
local function show_steps(steps, opts)
  if opts.wal then
    steps = options.weigh(steps, options.wal_dirs(steps.from, opts.wal,
                                                  SYNOPSIS))
  end
  local as_json = opts.json or is_plan_file(opts.output)
  options.write(as_json and plan.new(steps.to):json(steps)
                or steps:text(style_for(opts)), opts.output)
  if steps:check() then return 1 end
  return opts["detailed-exitcode"] and not steps:empty() and STATUS_CHANGES
      or 0
end

---Prints or writes the plan. Status 1 if a rule is broken.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, options.with_layout {
    from = "value", json = "flag", wal = "list", output = "value",
    ["detailed-exitcode"] = "flag",
  }, SYNOPSIS)
  options.expect(rest, 1, 1, SYNOPSIS)
  local from = opts.from and options.layout(opts.from, opts)
  if is_plan_file(rest[1]) then
    return show_steps(plan_file.read(rest[1], from), opts)
  end
  local layout = options.layout(rest[1], opts)
  if from then return show_steps(from:diff(layout), opts) end
  return show_layout(layout, opts)
end

return M
