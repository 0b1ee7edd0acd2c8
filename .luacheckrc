std = "lua54"
max_line_length = 80
cache = false
color = false
globals = {}
exclude_files = { "build/**", "spec/golden/**" }
files["spec"] = { std = "+busted", max_line_length = 100 }
-- Specs of memory let go of values and leave loops early on purpose.
files["spec/bind"] = { ignore = { "311", "331", "512" } }
files["lua/tidal/bench/cases.lua"] = { ignore = { "241" } }
files["spec/golden"] = { ignore = { ".*" } }
files["scripts"] = { read_globals = { "tidal" } }
files["scripts/*_spec.lua"] = { std = "+busted" }
files["premake5.lua"] = { std = "lua51", global = false }
files["scripts/premake4.lua"] = { std = "lua51", global = false }
