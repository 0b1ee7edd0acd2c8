-- Gives all ids of one shard to another one; the emptied one stays, without
-- ids, unless it is the last.
--   tidal-lua scripts/migrations/merge_shards.lua LAYOUT REGION=DIR...
--     --shard s4 --into s3 [--apply] [-o NEW.lua]
local script = require "tidal.cli.script"
local tidal = require "tidal"

script.main(arg, "gives the ids of one shard to another",
            { shard = "value", into = "value" },
            function(layout, fields, given)
  local opts = given.options
  if not opts.shard or not opts.into then
    script.fail("--shard s4 --into s3: which one goes into which?")
  elseif not layout:has_ranges() then
    script.fail("%s has no ranges to merge: make them with "
                .. "hash_to_ranges.lua first", layout.name)
  end
  local from = script.shard(layout, opts.shard, "--shard")
  local into = script.shard(layout, opts.into, "--into")
  if from == into then script.fail("--shard and --into are the same") end
  local list = {}
  for _, range in ipairs(layout:ranges()) do
    local shard = range.shard.value == from and into or range.shard.value
    local before = list[#list]
    if before and before.shard == shard then
      before.last = range.last
    else
      list[#list + 1] = { shard = shard, first = range.first,
                          last = range.last }
    end
  end
  if from == layout.shards - 1 then
    fields.shards = layout.shards - 1
    if fields.leaders ~= "all" then fields.leaders[from] = nil end
  end
  fields.routing = tidal.routing[layout.router:strategy()](list)
end)
