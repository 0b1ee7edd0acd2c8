return tidal.cluster {
  name = "prod", regions = { "us-east" }, epoch = os.time(), shards = 1,
}
