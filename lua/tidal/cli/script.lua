-- What scripts of migrations share (scripts/migrations): arguments, the logs'
-- load, and running the migration to the layout that the script makes.
--
--   return require "tidal.cli.script".main(arg, "DOES WHAT", {},
--     function(layout, fields, given) ... change fields ... end)
--
-- fields is what tidal.cluster takes to make the layout again, one epoch up;
-- the script changes it. Its arguments are LAYOUT REGION=DIR..., and
--   --apply       does it; else it is printed
--   -o NEW.lua    writes the new layout as a script
--   --rate, --node-rate, --link-rate, --concurrency   as tidal-lua migrate
-- and its own options.
local core = require "tidal.core"
local declared = require "tidal.testing.declared"
local options = require "tidal.cli.options"

local M = {}

local OPTIONS <const> = {
  apply = "flag", output = "value", rate = "value", concurrency = "value",
  ["node-rate"] = "value", ["link-rate"] = "value",
}

---The events of each shard by its layout, and the profile that has them:
---{ [shard] = events }, profile.
---@param layout table
---@param dirs { [string]: string } by region
function M.load(layout, dirs)
  local profile = core.profile(layout.router)
  local bar = options.progress "reading"
  local fine, err = require "tidal.plan.logs".read(layout, dirs, function()
    return { profile }
  end, bar.update)
  bar.finish()
  if not fine then error(err, 0) end
  return profile:counts(), profile
end

---The shard with the most events; nil where there are none.
function M.hottest(counts)
  local hot, most = nil, 0
  for s = 0, #counts do
    if core.u64.lt(most, counts[s] or 0) then hot, most = s, counts[s] end
  end
  return hot, most
end

---A shard from "s3" or "3", which the layout must have.
function M.shard(layout, given, option)
  local made, shard = pcall(core.shard, tonumber(given) or given)
  if not made or shard.value >= layout.shards then
    options.fail("%s %s: %s has the shards s0..s%d", option, given,
                 layout.name, layout.shards - 1)
  end
  return shard.value
end

M.fail = options.fail

local function parse(args, says, own)
  local spec = options.with_layout {}
  for name, kind in next, OPTIONS do spec[name] = kind end
  for name, kind in next, own do spec[name] = kind end
  local synopsis = ("%s LAYOUT REGION=DIR... [--apply] [-o NEW.lua]\n%s")
    :format(args[0] or "script", says)
  local opts, rest = options.parse(args, spec, synopsis)
  options.expect(rest, 2, nil, synopsis)
  local dirs = {}
  for i = 2, #rest do
    local name, dir = rest[i]:match "^([^=]+)=(.+)$"
    if not name or dirs[name] then
      options.usage("REGION=DIR expected, once per region, got %q", rest[i])
    end
    dirs[name] = dir
  end
  return opts, rest[1], dirs
end

-- The arguments; ends the program where they are none, or ask for help.
local function parsed(args, says, own)
  local result = table.pack(pcall(parse, args, says, own))
  if result[1] then return table.unpack(result, 2, 4) end
  local why = result[2]
  if not options.is_usage(why) then error(why, 0) end
  if why.help then
    print(why.help)
    os.exit(0, true)
  end
  io.stderr:write("tidal-lua: ", tostring(why), "\n")
  os.exit(2, true)
end

---Runs a script of a migration.
---@param args string[] the global `arg`
---@param says string one line of help
---@param own table its own options, as for options.parse
---@param change fun(layout: table, fields: table, given: table) given: dirs =
---  by region, options =
function M.main(args, says, own, change)
  local opts, path, dirs = parsed(args, says, own)
  local layout = options.layout(path, opts)
  local fields = declared.fields(layout)
  fields.epoch = layout.epoch + 1
  change(layout, fields, { dirs = dirs, options = opts })
  local to = require "tidal.cluster"(fields)
  if opts.output then
    options.write("return " .. declared.text(to), opts.output)
  end
  print(declared.text(to))
  print()
  local verb = require "tidal.cli.migrate"
  return (opts.apply and verb.apply or verb.show)(layout:diff(to), opts, dirs)
end

return M
