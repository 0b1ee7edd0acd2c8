return tidal.cluster {
  name = "prod", regions = { "us-east", "eu-west" }, shards = 3,
  routing = tidal.routing.ranges {
    { shard = 0, first = "0x0", last = "0x6666666666666666" },
    { shard = 1, first = "0x6666666666666666", last = "0x9999999999999999" },
    { shard = 2, first = "0x999999999999999a", last = "0xffffffffffffffff" },
  },
}
