-- tidal-lua draw LAYOUT|PLAN [--from OLD] [--to NEW] [--wal REGION=DIR]...
--   [-o FILE]
-- A picture of a layout, or of a plan: a .plan file, under the rules of NEW if
-- that is given, or LAYOUT as a change of OLD. As text; or FILE.svg, one
-- picture; or FILE.html, one page that needs nothing else, of a plan with a
-- slider over its steps. A file that is there is written anew. With --wal the
-- load that logs show is drawn too.
local budgets = require "tidal.cli.budgets"
local options = require "tidal.cli.options"
local plan = require "tidal.plan.meaning"
local render = require "tidal.draw"

local M = {}

local SYNOPSIS <const> = "draw LAYOUT|FILE.plan [--from OLD] "
  .. "[--to NEW] [--wal REGION=DIR]... [-o FILE.svg|FILE.html]\n  a plan with "
  .. "--wal in waves: " .. budgets.SYNOPSIS

local MAKE <const> = { svg = render.svg, html = render.html,
                       txt = render.terminal }
local ENDINGS <const> = ".svg, .html and .txt"

-- What makes the file: its ending says so.
local function maker(path)
  if not path then
    return function(value)
      return render.terminal(value, options.style(io.stdout))
    end
  end
  local ending = path:match "%.([^./]+)$"
  local make = MAKE[(ending or ""):lower()]
  if make then return make end
  options.wrong(SYNOPSIS, "-o %s: %s; pictures end in %s", path,
                ending and ("a picture cannot be a ." .. ending)
                or "it has no ending", ENDINGS)
end

-- What is to be drawn: the plan of a layout, or a plan between two.
local function subject(path, opts)
  local drawn, layout
  if path:find "%.plan$" then
    drawn = options.saved_plan(path, opts)
    layout = drawn.from
  elseif opts.to then
    options.wrong(SYNOPSIS, "--to goes with a FILE.plan")
  else
    local from = opts.from and options.layout(opts.from, opts)
    layout = options.layout(path, opts)
    drawn = from and from:diff(layout) or plan.new(layout)
    layout = from or layout
  end
  if not opts.wal then return drawn end
  return options.weigh(drawn, options.wal_dirs(layout, opts.wal, SYNOPSIS))
end

-- Whether what is drawn keeps its rules.
local function is_fine(drawn)
  if plan.is(drawn) then return drawn:ok() end
  return drawn:check() == nil
end

---Draws. Status 1 if a rule is broken; the picture says which.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, budgets.with(options.with_layout {
    from = "value", to = "value", wal = "list", output = "value",
  }), SYNOPSIS)
  options.expect(rest, 1, 1, SYNOPSIS)
  local make = maker(opts.output)
  local drawn = budgets.apply(subject(rest[1], opts), opts, SYNOPSIS)
  options.write(make(drawn), opts.output)
  return is_fine(drawn) and 0 or 1
end

return M
