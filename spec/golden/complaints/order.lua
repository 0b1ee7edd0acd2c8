local names = {}
for name in pairs { [true] = 1, [1.5] = 2 } do names[#names + 1] = name end
return tidal.cluster { name = "prod", regions = names, shards = 1 }
