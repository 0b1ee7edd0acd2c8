-- The layouts of the golden plans, by name: spec/lua/render/diff_spec.lua.
local routing, rules = require "tidal.routing", require "tidal.rules"

local REGIONS <const> = { "us-east", "eu-west", "ap-south" }

local function layout(fields)
  fields.name, fields.regions = "prod", fields.regions or REGIONS
  local made = require "tidal.cluster"(fields)
  return made
end

return {
  even = layout { shards = 5 },
  split = layout { epoch = 2, shards = 6, routing = routing.ranges [[
    s0 0..0x3333333333333333 s1 0x3333333333333334..0x6666666666666666
    s2 0x6666666666666667..0x9999999999999999 s3 0x999999999999999a..0xcccccccccccccccc
    s4 0xcccccccccccccccd..0xdfffffffffffffff s5 0xe000000000000000..0xffffffffffffffff
  ]] },
  wider = layout { epoch = 3, shards = 6, leaders = "spread",
                   regions = { "us-east", "eu", "ap-south", "sa" } },
  hash5 = layout { shards = 5, routing = routing.hash() },
  hash6 = layout { epoch = 2, shards = 6, routing = routing.hash() },
  hash_ranges6 = layout { epoch = 2, shards = 6, routing = routing.hash_ranges() },
  single = layout { shards = 1, routing = routing.single(), regions = { "us-east" } },
  many = layout { shards = 300, leaders = "spread" },
  more = layout { epoch = 2, shards = 301 },
  crowded = layout { epoch = 2, shards = 5, leaders = { [0] = "eu-west" },
                     rules = { rules.new("epoch first", function(made)
                       return made.epoch == 2 or made.leaders[0] == 0, "eu-west leads too early"
                     end) } },
}
