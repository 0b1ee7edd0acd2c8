-- Ranges of ids, as text. Bounds are inclusive; a shard may own several.
return tidal.cluster {
  name    = "ranges",
  regions = { "us-east", "eu-west", "ap-south" },
  shards  = 3,
  routing = tidal.routing.ranges [[
    s0  0x0000000000000000..0x3fffffffffffffff
    s1  0x4000000000000000..0x7fffffffffffffff   -- half of the space
    s2  0x8000000000000000..0xefffffffffffffff
    s0  0xf000000000000000..0xffffffffffffffff   -- s0 again: the newest ids
  ]],
  leaders = { [0] = "us-east", s1 = "eu-west", s2 = "ap-south" },
  rules   = { tidal.rules.survives "region", tidal.rules.max_leaders(1) },
}
