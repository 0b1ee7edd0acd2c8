-- A new region: it gets the logs of all others, as they lie there.
--   tidal-lua scripts/migrations/add_region.lua LAYOUT REGION=DIR... NEW=DIR
--     [--lead s3] [--apply] [-o NEW.lua]
-- --lead: a shard that the new region leads from then on.
local script = require "tidal.cli.script"

script.main(arg, "adds the region that the layout does not have",
            { lead = "value" }, function(layout, fields, given)
  local new = {}
  for name in pairs(given.dirs) do
    if not layout:region(name) then new[#new + 1] = name end
  end
  if #new ~= 1 then
    script.fail("REGION=DIR: one region that %s does not have yet, got %s",
                layout.name, #new == 0 and "none" or table.concat(new, ", "))
  end
  fields.regions[#fields.regions + 1] = new[1]
  local lead = given.options.lead
  if not lead then return end
  local shard = script.shard(layout, lead, "--lead")
  if fields.leaders == "all" then
    script.fail("--lead %s: every region leads every shard", lead)
  end
  fields.leaders[shard] = new[1]
end)
