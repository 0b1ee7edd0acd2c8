-- Ready rules about copies: every region holds every shard, so a shard has
-- as many copies as there are regions.
local arguments = require "tidal.rules.arguments"

local M = {}

local LOSSES <const> = { region = true, node = true }

-- "s0", "every shard, s0 to s4"
local function shards_text(layout)
  if layout.shards == 1 then return "s0" end
  return ("every shard (s0..s%d)"):format(layout.shards - 1)
end

---After the loss of any one region (or node) every shard still has a copy.
function M.survives(what)
  if not LOSSES[what] then
    return nil, ("'region' or 'node' expected, got %s"):format(tostring(what))
  end
  return "survives " .. what, function(layout)
    local regions = layout.regions
    if #regions >= 2 then return true end
    local one = what == "region" and regions[1].name
             or ("a node of %s"):format(regions[1].name)
    return false, ("%s holds the only copy of %s: add a second region")
                  :format(one, what == "node" and layout.shards > 1
                               and "its shard" or shards_text(layout))
  end
end

---Every shard has at least n copies.
function M.copies(n)
  local least, why = arguments.integer(n, 1)
  if not least then return nil, why end
  return ("copies(%d)"):format(n), function(layout)
    local regions = layout.regions
    if #regions >= n then return true end
    local names = {}
    for i = 1, math.min(#regions, 8) do names[i] = regions[i].name end
    if #regions > 8 then names[9] = "..." end
    return false, ("%s has %d cop%s (%s), %d are wanted: add %d region%s")
      :format(shards_text(layout), #regions, #regions == 1 and "y" or "ies",
              table.concat(names, " "), n, n - #regions,
              n - #regions == 1 and "" or "s")
  end
end

return M
