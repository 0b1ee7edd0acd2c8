return tidal.cluster {
  name = "prod", regions = { "us-east", "eu-west" }, shards = 3, epoch = 2,
  leaders = { [0] = "eu-west", s1 = "us-east", s2 = "us-east" },
  rules = { function(layout)
    local leads = layout:leads(1)
    return leads <= 1, "eu-west leads " .. leads
  end },
}
