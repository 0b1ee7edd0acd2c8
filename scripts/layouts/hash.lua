-- The seed's formula: XXH3-64(id) % 4. Even whatever the ids look like, and
-- fixed for good: a fifth shard would move nearly every id.
return tidal.cluster {
  name    = "hash",
  regions = { "us-east", "eu-west" },
  shards  = 4,
  routing = tidal.routing.hash(),
  leaders = "spread",
}
