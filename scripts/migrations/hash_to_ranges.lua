-- From hash % n, where one more shard moves nearly everything, to ranges over
-- the same hashes, where it moves what it gets.
--   tidal-lua scripts/migrations/hash_to_ranges.lua LAYOUT REGION=DIR...
--     [--apply] [-o NEW.lua]
local script = require "tidal.cli.script"
local tidal = require "tidal"

script.main(arg, "from hash % n to ranges over hashes", {},
            function(layout, fields)
  if layout.router:strategy() ~= "hash" then
    script.fail("%s routes by %s, not by hash", layout.name,
                layout.router:strategy())
  end
  fields.routing = tidal.routing.hash_ranges()
end)
