-- tidal-lua whatif LAYOUT [--lose region=NAME|node=rR:sS]...
--   [--wal REGION=DIR]... [--json]
-- What is left when nodes or regions are lost, all of them at once; without
-- --lose a matrix over nodes, regions and pairs. Status 1 if a shard that is
-- named with --lose has no copy left.
local losses = require "tidal.inspect.loss"
local options = require "tidal.cli.options"
local render = require "tidal.render.whatif"
local whatif = require "tidal.inspect.whatif"
local whatif_json = require "tidal.inspect.whatif_json"

local M = {}

local SYNOPSIS <const> = "whatif LAYOUT [--lose region=NAME|node=rR:sS]... "
  .. "[--wal REGION=DIR]... [--json]"

local function add_region(layout, loss, name, word)
  local region = options.region(layout, name, "--lose " .. word)
  loss.regions[region.id] = true
end

local function add_node(layout, loss, node, word)
  local region, shard = node:match "^r(%d+):s(%d+)$"
  if not region then
    options.usage("--lose %s: a node is rR:sS, as r0:s3\nusage: tidal-lua %s",
                  word, SYNOPSIS)
  end
  region = math.tointeger(tonumber(region))
  shard = math.tointeger(tonumber(shard))
  if not region or region >= #layout.regions or not shard
     or shard >= layout.shards then
    options.fail("--lose %s: %s has the nodes r0:s0..r%d:s%d", word,
                 layout.name, #layout.regions - 1, layout.shards - 1)
  end
  losses.add_node(loss, region, shard)
end

local function read_losses(layout, given)
  local loss = losses.none()
  for _, word in ipairs(given) do
    local kind, name = word:match "^(%w+)=(.+)$"
    if kind == "region" then
      add_region(layout, loss, name, word)
    elseif kind == "node" then
      add_node(layout, loss, name, word)
    else
      options.usage("--lose takes region=NAME or node=rR:sS, got %q\n"
                    .. "usage: tidal-lua %s", word, SYNOPSIS)
    end
  end
  return loss
end

local function with_load(layout, given)
  if not given then return layout end
  local dirs = options.wal_dirs(layout, given, SYNOPSIS)
  return options.weigh(layout:plan(), dirs).layout
end

---Prints what is left. Status 1 if a shard has no copy.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, options.with_layout {
    lose = "list", wal = "list", json = "flag",
  }, SYNOPSIS)
  options.expect(rest, 1, 1, SYNOPSIS)
  local layout = options.layout(rest[1], opts)
  local loss = opts.lose and read_losses(layout, opts.lose)
  layout = with_load(layout, opts.wal)
  local style = options.style(io.stdout)
  if not loss then
    local matrix = whatif.matrix(layout)
    print(opts.json and whatif_json.matrix(matrix)
          or render.matrix(matrix, style))
    return 0
  end
  local report = whatif.report(layout, loss, opts.lose)
  print(opts.json and whatif_json.report(report)
        or render.report(report, style))
  return #report.left.none > 0 and 1 or 0
end

return M
