return tidal.cluster {
  name = "prod", regions = { "us-east", "eu-west", "ap-south" }, shards = 5,
  leaders = "spread",
  rules = { tidal.rules.survives "region",
            tidal.rules.max_leaders(2) },
}
