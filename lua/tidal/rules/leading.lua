-- Ready rules about who leads: how many shards, how evenly, by which weights.
local arguments = require "tidal.rules.arguments"
local faults = require "tidal.faults"

local M = {}

-- The first shard that a region leads.
local function first_led(layout, region)
  for s = 0, layout.shards - 1 do
    if layout:is_leader(region.id, s) then return s end
  end
end

-- How to bring leaders from one region to another.
local function hand_over(layout, from, to)
  if layout.leaders == "all" then
    return "name one leader a shard, leaders = \"spread\""
  end
  return ("let %s lead s%d"):format(to.name, first_led(layout, from))
end

-- Regions that lead most and least.
local function extremes(layout)
  local most, least
  for _, region in ipairs(layout.regions) do
    local leads = layout:leads(region.id)
    if not most or leads > most.leads then
      most = { leads = leads, region = region }
    end
    if not least or leads < least.leads then
      least = { leads = leads, region = region }
    end
  end
  return most, least
end

---No region leads more than n shards.
function M.max_leaders(n)
  local limit, bad = arguments.integer(n, 1)
  if not limit then return nil, bad end
  return ("max_leaders(%d)"):format(n), function(layout)
    local most, least = extremes(layout)
    for _, region in ipairs(layout.regions) do
      if layout:leads(region.id) > n then
        most = { leads = layout:leads(region.id), region = region }
        break
      end
    end
    if most.leads <= n then return true end
    local fix = hand_over(layout, most.region, least.region)
    if least.leads >= n and layout.leaders ~= "all" then
      local count = #layout.regions
      fix = ("no region may lead one more: %d region%s a limit of %d"):format(
        count, count == 1 and " needs" or "s need",
        (layout.shards + count - 1) // count)
    end
    return false, ("%s leads %d shards, at most %d: %s"):format(
      most.region.name, most.leads, n, fix)
  end
end

---The regions' numbers of leaders differ by at most k.
function M.spread(k)
  if k == nil then k = 1 end
  local limit, bad = arguments.integer(k, 1)
  if not limit then return nil, bad end
  return ("spread(%d)"):format(k), function(layout)
    local most, least = extremes(layout)
    if most.leads - least.leads <= k then return true end
    return false, ("%s leads %d shards, %s %d: they may differ by %d; %s")
      :format(most.region.name, most.leads, least.region.name, least.leads,
              k, hand_over(layout, most.region, least.region))
  end
end

-- Events that arrive in each region, by region number, and their sum; nil
-- where they are not known. Where every region leads, each has its share.
local function load_of(layout)
  local seen = layout.load and layout.load.shards
  if not seen then return nil end
  local out, sum, regions = {}, 0, #layout.regions
  local leaders = layout.leaders
  for s = 0, layout.shards - 1 do
    local events = seen[s] or 0
    sum = sum + events
    if leaders == "all" then
      for r = 0, regions - 1 do out[r] = (out[r] or 0) + events / regions end
    else
      out[leaders[s]] = (out[leaders[s]] or 0) + events
    end
  end
  return sum > 0 and out or nil, sum
end

local function leaders_of(layout)
  local out, sum = {}, 0
  for _, region in ipairs(layout.regions) do
    local leads = layout:leads(region.id)
    out[region.id], sum = leads, sum + leads
  end
  return out, sum
end

local FORM <const> = "{ regions = { [\"us-east\"] = 2, ... }, of = "
  .. "\"leaders\" or \"load\", tolerance = 0.1 }"

local MEASURES <const> = {
  leaders = { of = leaders_of, noun = "leaders" },
  load = { of = load_of, noun = "load" },
}

local function read_weights(given)
  local record, why = arguments.record(
    given, { "regions", "of", "tolerance" }, FORM)
  if not record then return nil, why end
  local of = given.of or "leaders"
  if not MEASURES[of] then
    return nil, ("of: \"leaders\" or \"load\" expected, got %s")
                :format(faults.shown(of))
  end
  local tolerance = given.tolerance or 0.1
  if not math.type(tolerance) or not (tolerance >= 0 and tolerance <= 1) then
    return nil, ("tolerance: a share of 1 (0.1) expected, got %s")
                :format(faults.shown(tolerance))
  end
  local sum, list = 0
  list, why = arguments.by_region(given.regions, "regions: weights by region",
                                  function(weight)
    if math.type(weight) and weight >= 0 and weight < math.huge then
      sum = sum + weight
      return weight
    end
    return nil, "a weight >= 0 expected, got " .. faults.shown(weight)
  end)
  if not list then return nil, why end
  if sum == 0 then return nil, "regions: one weight must be above 0" end
  return { of = of, tolerance = tolerance, list = list, sum = sum }
end

-- Weights by region number, or nil and why.
local function wanted(layout, weights)
  local out = {}
  for _, pair in ipairs(weights.list) do
    local region, why = arguments.region(layout, pair[1])
    if not region then return nil, why end
    out[region.id] = pair[2] / weights.sum
  end
  return out
end

local function percent(share)
  return ("%.2f %%"):format(share * 100)
end

---Leaders, or the load that logs show, follow weights of regions.
function M.weights(given)
  local weights, bad = read_weights(given)
  if not weights then return nil, bad end
  local words = {}
  for i, pair in ipairs(weights.list) do
    words[i] = ("%s %s"):format(pair[1], tostring(pair[2]))
  end
  local title = ("weights(%s: %s)"):format(weights.of,
                                           table.concat(words, ", "))
  return title, function(layout)
    local want, why = wanted(layout, weights)
    if not want then return false, why end
    local has, sum = MEASURES[weights.of].of(layout)
    if not has then return true end
    local over, under
    for _, region in ipairs(layout.regions) do
      local off = (has[region.id] or 0) / sum - (want[region.id] or 0)
      if not over or off > over.off then over = { off = off, is = region } end
      if not under or off < under.off then
        under = { off = off, is = region }
      end
    end
    local worst = over.off >= -under.off and over or under
    if math.abs(worst.off) <= weights.tolerance + 1e-9 then return true end
    local share = want[worst.is.id] or 0
    return false, ("%s has %s of the %s, its weight is %s (+- %s); %s")
      :format(worst.is.name, percent(share + worst.off),
              MEASURES[weights.of].noun, percent(share),
              percent(weights.tolerance),
              hand_over(layout, over.is, under.is))
  end
end

return M
