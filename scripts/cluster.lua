-- Three regions with five shards each: 15 nodes, 15 logs.
--   tidal-lua scripts/cluster.lua
return tidal.cluster {
  name    = "prod",
  epoch   = 1,
  regions = { "us-east", "eu-west", "ap-south" },
  shards  = 5,
  routing = tidal.routing.even(),
  leaders = "us-east",
  rules   = { tidal.rules.survives "region", tidal.rules.max_leaders(5) },
}
