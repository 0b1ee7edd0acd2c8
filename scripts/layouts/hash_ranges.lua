-- Ranges of XXH3-64(id): spread like hash, but a new shard moves only what
-- it gets. Every region leads every shard.
return tidal.cluster {
  name    = "hash-ranges",
  regions = { "us-east", "eu-west" },
  shards  = 5,
  routing = tidal.routing.hash_ranges(),
  leaders = "all",
}
