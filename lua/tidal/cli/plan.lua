-- tidal-lua plan LAYOUT [--wal REGION=DIR]... [--json] [-o FILE]
--   [--detailed-exitcode]
-- Without an older layout to compare with there are no changes: 0 then too.
local options = require "tidal.cli.options"
local plan = require "tidal.cluster.plan"

local M = {}

local SYNOPSIS <const> =
  "plan LAYOUT [--wal REGION=DIR]... [--json] [-o FILE] "
  .. "[--detailed-exitcode]"

-- { [region name] = directory } from "--wal us-east=/srv/wal".
local function wal_dirs(layout, given)
  local dirs = {}
  for _, word in ipairs(given) do
    local name, dir = word:match "^([^=]+)=(.+)$"
    if not name then
      options.usage("--wal takes REGION=DIR, got %q\nusage: tidal-lua %s",
                    word, SYNOPSIS)
    end
    options.region(layout, name, "--wal " .. word)
    if dirs[name] then
      options.usage("--wal %s: once per region\nusage: tidal-lua %s", word,
                    SYNOPSIS)
    end
    dirs[name] = dir
  end
  return dirs
end

local function weigh(made, given)
  local bar = options.progress "reading"
  local weighed, err = made:weigh(wal_dirs(made.layout, given), bar.update)
  bar.finish()
  if not weighed then error(err, 0) end
end

local function write(text, path)
  if not path then
    print(text)
    return
  end
  local file, why = io.open(path, "wb")
  if not file then options.fail("%s", why) end
  local written, bad = file:write(text, "\n")
  local closed, worse = file:close()
  if written and closed then return end
  options.fail("%s: %s", path, bad or worse)
end

---Prints or writes the plan. Status 1 if a rule is broken.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, options.with_layout {
    json = "flag", wal = "list", output = "value",
    ["detailed-exitcode"] = "flag",
  }, SYNOPSIS)
  options.expect(rest, 1, 1, SYNOPSIS)
  local made = plan.new(options.layout(rest[1], opts))
  if opts.wal then weigh(made, opts.wal) end
  local style = not opts.output and options.style(io.stdout) or nil
  write(opts.json and made:json() or made:text(style), opts.output)
  return made:ok() and 0 or 1
end

return M
