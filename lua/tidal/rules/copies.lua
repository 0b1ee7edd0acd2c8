-- Ready rules about copies: every region holds every shard, so a shard has
-- as many copies as there are regions, less those of nodes that are lost.
local arguments = require "tidal.rules.arguments"

local M = {}

local LOSSES <const> = { region = true, node = true }

-- "s0", "every shard, s0 to s4"
local function shards_text(layout)
  if layout.shards == 1 then return "s0" end
  return ("every shard (s0..s%d)"):format(layout.shards - 1)
end

-- The shard that lost most copies, or nil, and how many it has.
local function scarcest(layout)
  local absent, most, shard = layout.load and layout.load.absent, 0, nil
  for s = 0, absent and layout.shards - 1 or -1 do
    if (absent[s] or 0) > most then most, shard = absent[s], s end
  end
  return shard, #layout.regions - most
end

local function count(n)
  return ("%d cop%s"):format(n, n == 1 and "y" or "ies")
end

---After the loss of any one region (or node) every shard still has a copy.
function M.survives(what)
  if not LOSSES[what] then
    return nil, ("'region' or 'node' expected, got %s"):format(tostring(what))
  end
  return "survives " .. what, function(layout)
    local regions = layout.regions
    local shard, left = scarcest(layout)
    if left >= 2 then return true end
    if shard then
      return false, ("s%d has %s left: bring its nodes back"):format(
        shard, count(left))
    end
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
    local shard, left = scarcest(layout)
    if left >= n then return true end
    if shard then
      return false, ("s%d has %s left, %d are wanted: bring its nodes back, "
        .. "or add %d region%s"):format(shard, count(left), n, n - left,
                                        n - left == 1 and "" or "s")
    end
    local names = {}
    for i = 1, math.min(#regions, 8) do names[i] = regions[i].name end
    if #regions > 8 then names[9] = "..." end
    return false, ("%s has %s (%s), %d are wanted: add %d region%s")
      :format(shards_text(layout), count(#regions),
              table.concat(names, " "), n, n - #regions,
              n - #regions == 1 and "" or "s")
  end
end

return M
