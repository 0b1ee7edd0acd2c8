return tidal.cluster {
  name = "faulty",
  regoins = { "us-east" },
  shards = 3,
  routing = tidal.routing.ranges {
    { shard = 0, first = "0x0", last = "0x6666666666666666" },
    { shard = 1, first = "0x6666666666666660", last = "0x9999999999999999" },
    { shard = 2, first = "0xa000000000000000", last = 18446744073709551615 },
  },
}
