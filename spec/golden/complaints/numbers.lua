local wrapped = 0x1ffffffffffffffff
return tidal.cluster {
  name = "prod", regions = { "us-east" }, shards = 2.0,
  routing = tidal.routing.ranges {
    { shard = 0, first = 0, last = 9223372036854775807 },
    { shard = 1, first = 9223372036854775808, last = 18446744073709551615 },
  },
  rules = { function(layout)
    return layout:ranges()[1].last < 0x8000000000000000
  end },
}
