-- Splits the shard with the most events: a new shard takes the upper half of
-- them.
--   tidal-lua scripts/migrations/split_hot_shard.lua LAYOUT REGION=DIR...
--     [--apply] [-o NEW.lua]
local script = require "tidal.cli.script"
local tidal = require "tidal"

script.main(arg, "splits the shard with the most events", {},
            function(layout, fields, given)
  if not layout:has_ranges() then
    script.fail("%s has no ranges to split: make them with "
                .. "hash_to_ranges.lua first", layout.name)
  end
  local counts, profile = script.load(layout, given.dirs)
  local hot, events = script.hottest(counts)
  if not hot then script.fail("there are no events: no shard is hot") end
  local new, left, list = layout.shards, events // 2, {}
  for _, range in ipairs(layout:ranges()) do
    local shard, first, last = range.shard.value, range.first, range.last
    if shard == hot then  -- it keeps `left` more events
      local key, kept = profile:cut(first, last, left)
      left = left - (key and kept or left)
      if key and key ~= last then
        list[#list + 1] = { shard = hot, first = first, last = key }
        shard, first, left = new, key + 1, 0
      elseif not key then
        shard = new
      end
    end
    list[#list + 1] = { shard = shard, first = first, last = last }
  end
  fields.shards = new + 1
  fields.routing = tidal.routing[layout.router:strategy()](list)
end)
