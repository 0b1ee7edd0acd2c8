return tidal.cluster {
  name = "prod", regions = { "us-east", "eu-west" }, shards = 3,
  leaders = { [0] = "us-east", s1 = "eu-west", s2 = "us-east" },
}
