return tidal.cluster {
  name = "prod", regions = { "us-east", "eu-west" }, shards = 3,
  routing = tidal.routing.ranges [[
    s0 0x0..0x6666666666666666
    s1 0x6666666666666667..0x9999999999999998
    s2 0x999999999999999a..0xffffffffffffffff
  ]],
}
