-- Takes the last region away: its logs go to the first one, as they lie
-- there, and what it led goes to the regions that stay, in turns.
--   tidal-lua scripts/migrations/drain_region.lua LAYOUT REGION=DIR...
--     [--apply] [-o NEW.lua]
local script = require "tidal.cli.script"

script.main(arg, "takes the last region away", {}, function(layout, fields)
  local regions = fields.regions
  if #regions == 1 then
    script.fail("%s has one region only", layout.name)
  end
  local gone = table.remove(regions)
  if fields.leaders == "all" then return end
  local turn = 0
  for s = 0, layout.shards - 1 do
    if fields.leaders[s] == gone then
      fields.leaders[s] = regions[turn % #regions + 1]
      turn = turn + 1
    end
  end
end)
