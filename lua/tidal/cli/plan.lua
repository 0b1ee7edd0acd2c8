-- tidal-lua plan LAYOUT [--from OLD] [--wal REGION=DIR]... [--json] [-o FILE]
--   [--detailed-exitcode]
-- tidal-lua plan FILE.plan [--from OLD] [--to NEW] ...
-- What a layout means; with --from, what it takes to make it of an older one,
-- and a FILE that ends in .plan gets JSON. A saved plan must be for OLD as it
-- is now. It holds no rules, as these are functions of a script: NEW, which
-- must be what the plan leads to, brings them and has them asked. A plan
-- that a rule refuses is not written. With --detailed-exitcode the status is
-- 3 where there is something to do. With budgets (cli/budgets.lua) and --wal
-- a plan is shown in waves.
local budgets = require "tidal.cli.budgets"
local options = require "tidal.cli.options"
local plan = require "tidal.plan.meaning"
local render = require "tidal.render.diff"

local M = {}

local SYNOPSIS <const> =
  "plan LAYOUT [--from OLD] [--wal REGION=DIR]... [--json] [-o FILE.plan] "
  .. "[--detailed-exitcode]\n"
  .. "       tidal-lua plan FILE.plan [--from OLD] [--to NEW] ...\n"
  .. "  with --wal in waves: " .. budgets.SYNOPSIS .. "\n"
  .. "  a plan that a rule refuses is not written, status 1; a FILE.plan holds "
  .. "no rules:\n  NEW, the layout it leads to, brings them and has them asked"
local STATUS_CHANGES <const> = 3

local function is_plan_file(path)
  return path and path:find "%.plan$" ~= nil
end

local function style_for(opts)
  return not opts.output and options.style(io.stdout) or nil
end

-- Writes or prints what is fine; what is refused is printed only.
local function deliver(text, refused, opts)
  if refused and opts.output then
    options.fail("%s is not written: %s", opts.output, refused)
  end
  options.write(text, opts.output)
  return refused and 1 or 0
end

-- The plan of one layout.
local function show_layout(layout, opts)
  local made = budgets.apply(plan.new(layout), opts, SYNOPSIS)
  if opts.wal then
    options.weigh(made, options.wal_dirs(layout, opts.wal, SYNOPSIS))
  end
  local broken = {}
  for _, rule in ipairs(made.rules) do
    if not rule.ok then
      broken[#broken + 1] = ("rule '%s' is broken: %s"):format(rule.name,
                                                               rule.why)
    end
  end
  return deliver(opts.json and made:json() or made:text(style_for(opts)),
                 broken[1] and table.concat(broken, "; "), opts)
end

-- The plan between two.
local function show_steps(steps, opts)
  if opts.wal then
    steps = options.weigh(steps, options.wal_dirs(steps.from, opts.wal,
                                                  SYNOPSIS))
  end
  steps = budgets.apply(steps, opts, SYNOPSIS)
  local as_json = opts.json or is_plan_file(opts.output)
  local status = deliver(as_json and plan.new(steps.to):json(steps)
                         or steps:text(style_for(opts)),
                         steps:check() and render.refusal(steps, nil, steps),
                         opts)
  if status ~= 0 then return status end
  return opts["detailed-exitcode"] and not steps:empty() and STATUS_CHANGES
      or 0
end

---Prints or writes the plan. Status 1 if a rule is broken.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, budgets.with(options.with_layout {
    from = "value", to = "value", json = "flag", wal = "list",
    output = "value", ["detailed-exitcode"] = "flag",
  }), SYNOPSIS)
  options.expect(rest, 1, 1, SYNOPSIS)
  if is_plan_file(rest[1]) then
    return show_steps(options.saved_plan(rest[1], opts), opts)
  elseif opts.to then
    options.wrong(SYNOPSIS, "--to goes with a FILE.plan")
  end
  local from = opts.from and options.layout(opts.from, opts)
  local layout = options.layout(rest[1], opts)
  if from then return show_steps(from:diff(layout), opts) end
  return show_layout(layout, opts)
end

return M
