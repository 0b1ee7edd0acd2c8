-- One node: what tidalDB is without a cluster. Every id goes to s0.
return tidal.cluster {
  name    = "single",
  regions = { "home" },
  shards  = 1,
  routing = tidal.routing.single(),
}
