return tidal.cluster {
  name = "prod", regions = { "us-east", "eu-west" }, shards = 2, wieght = 3,
  routing = tidal.routing.ranges {
    { shard = 0, first = "0x0", last = "0x7fffffffffffffff", wieght = 1 },
    { shard = 1, frist = "0x8000000000000000", last = "0xffffffffffffffff" },
  },
  leaders = "eu-wset",
  rules = { tidal.rules.survives "region", "copies" },
}
