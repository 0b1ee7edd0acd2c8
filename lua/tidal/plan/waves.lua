-- plan:waves{...}: what of a weighed plan is copied at the same time, and how
-- long it takes.
--
--   per_node = 1               copies at most that a node (region, shard)
--                              takes part in at once; default 1
--   per_link = "30MB/s"        what one link carries: within a region, or
--                              between two; default 30MB/s
--   window = "02:00..05:00"    when copies may run, each day; default always
--   never = { "us-east+eu-west" }  regions that never copy in one wave, by
--                              name or number ("r0+r1")
--
-- waves = { { items = { { region =, source =, target =, bytes =, first =,
--   last =, from = region or nil }, ... }, bytes =, seconds = }, ...,
--   bytes =, seconds = of copying, days = windows it takes }
--
-- A wave ends when its slowest link is done. Greedy, the largest first: not
-- always the fewest waves, always the same ones.
local amount = require "tidal.amount"
local core = require "tidal.core"
local json = require "tidal.json"
local terminal_columns = require "tidal.render.terminal".columns

local M = {}

local WAVES_SHOWN <const> = 16
local ITEMS_MAX <const> = 1048576

local KEYS <const> = {
  per_node = true, per_link = true, window = true, never = true,
}

local function bad(form, ...)
  error("plan:waves: " .. form:format(...), 0)
end

-- "30MB/s" as bytes a second.
local function rate_of(text)
  local size = type(text) == "string" and text:match "^(.*)/s$"
  local rate, why = amount.read(size, "size")
  if not size or not rate or rate < 1 then
    bad('per_link: "30MB/s" expected, got %s%s', tostring(text),
        size and why and " (" .. why .. ")" or "")
  end
  return rate
end

-- Seconds of a day that "02:00..05:00" leaves; over midnight too.
local function window_of(text)
  if text == nil then return 86400 end
  local h1, m1, h2, m2 = tostring(text):match
    "^(%d%d):(%d%d)%.%.(%d%d):(%d%d)$"
  if not h1 then
    bad('window: "02:00..05:00" expected, got %s', tostring(text))
  end
  local from, upto = h1 * 60 + m1, h2 * 60 + m2
  if from >= 1440 or upto > 1440 or m1 + 0 > 59 or m2 + 0 > 59 then
    bad("window: %s is no time of day", text)
  end
  local minutes = math.tointeger(upto - from) % 1440
  return (minutes == 0 and 1440 or minutes) * 60
end

local function region_name(plan, word)
  local number = word:match "^r(%d+)$"
  local region = plan.from:region(word) or plan.to:region(word)
              or number and plan.from.regions[math.tointeger(number) + 1]
  if not region then bad("never: there is no region %s", word) end
  return region.name
end

-- { [name] = { [name] = true } } of regions that are kept apart.
local function apart(plan, list)
  local out = {}
  for _, pair in ipairs(list or {}) do
    local a, b = tostring(pair):match "^(.-)%+(.+)$"
    if not a then
      bad('never: "r0+r1" expected, got %s', tostring(pair))
    end
    a, b = region_name(plan, a), region_name(plan, b)
    out[a], out[b] = out[a] or {}, out[b] or {}
    out[a][b], out[b][a] = true, true
  end
  return out
end

-- What is to be copied: moves within each region, and whole logs between two.
local function items_of(plan)
  local out, price = {}, plan.price
  for _, region in ipairs(price.regions) do
    if #out + #region.moves > ITEMS_MAX then
      bad("%d copies are too many for waves", #out + #region.moves)
    end
    for i, events in ipairs(region.moves) do
      local move = plan.moves[i]
      if events > 0 then
        out[#out + 1] = { region = region.region, bytes = events * 21,
                          source = move.source, target = move.target,
                          first = move.first, last = move.last }
      end
    end
  end
  for _, copy in ipairs(price.copies) do
    if copy.bytes > 0 then
      out[#out + 1] = { region = copy.region, from = copy.source,
                        bytes = copy.bytes }
    end
  end
  for i, item in ipairs(out) do item.n = i end
  table.sort(out, function(a, b)
    if a.bytes ~= b.bytes then return a.bytes > b.bytes end
    return a.n < b.n
  end)
  return out
end

-- The regions, nodes and link of an item. A whole log keeps all nodes of its
-- two regions busy, each with one of its own: no node is named.
local function places(item)
  if item.from then
    return { item.region, item.from }, {}, item.from .. ">" .. item.region
  end
  local node = item.region .. ":s"
  return { item.region }, { node .. item.source, node .. item.target },
         item.region
end

local function new_wave()
  return { items = {}, bytes = 0, regions = {}, nodes = {}, links = {} }
end

local function fits(wave, item, limits)
  local regions, nodes, link = places(item)
  for _, node in ipairs(nodes) do
    if (wave.nodes[node] or 0) >= limits.per_node then return false end
  end
  if item.from and wave.links[link] then return false end
  for _, region in ipairs(regions) do
    for _, other in ipairs(wave.regions) do
      local kept = limits.apart[region]
      if kept and kept[other] then return false end
    end
  end
  return true
end

local function put(wave, item)
  local regions, nodes, link = places(item)
  for _, node in ipairs(nodes) do
    wave.nodes[node] = (wave.nodes[node] or 0) + 1
  end
  for _, region in ipairs(regions) do
    if not wave.regions[region] then
      wave.regions[region] = true
      table.insert(wave.regions, region)
    end
  end
  local before = wave.links[link] or 0
  if before == 0 then table.insert(wave.links, link) end
  wave.links[link] = before + item.bytes
  wave.items[#wave.items + 1] = item
  wave.bytes = wave.bytes + item.bytes
end

local Waves = { __name = "tidal.Waves" }
Waves.__index = Waves

-- Times, and the windows that the waves take one after the other; a wave that
-- is longer than a window takes several.
local function time(waves, limits)
  local left, days = limits.window, 1
  for _, wave in ipairs(waves) do
    local most = 0
    for _, link in ipairs(wave.links) do
      most = math.max(most, wave.links[link])
    end
    wave.seconds = most / limits.rate
    waves.bytes = waves.bytes + wave.bytes
    waves.seconds = waves.seconds + wave.seconds
    if wave.seconds > left and left < limits.window then
      left, days = limits.window, days + 1
    end
    local over = math.max(0, math.ceil(wave.seconds / limits.window) - 1)
    days = days + over
    left = left + over * limits.window - wave.seconds
    wave.day = days
  end
  waves.days = #waves > 0 and days or 0
end

---@param options table
---@return table waves
function M.waves(self, options)
  options = options or {}
  local odd = {}
  for key in next, options do
    if not KEYS[key] then odd[#odd + 1] = tostring(key) end
  end
  table.sort(odd)
  if #odd > 0 then
    bad("unknown key %s; the keys are: per_node per_link window never",
        odd[1])
  elseif not self.price then
    bad("the plan has not been weighed: plan:weigh(dirs) first")
  end
  local per_node = options.per_node or 1
  if math.type(per_node) ~= "integer" or per_node < 1 then
    bad("per_node: an integer >= 1 expected, got %s", tostring(per_node))
  end
  local limits = {
    per_node = per_node, rate = rate_of(options.per_link or "30MB/s"),
    window = window_of(options.window), apart = apart(self, options.never),
  }
  local waves = setmetatable({ bytes = 0, seconds = 0.0 }, Waves)
  local left = items_of(self)
  while #left > 0 do
    local wave, later = new_wave(), {}
    for _, item in ipairs(left) do
      if fits(wave, item, limits) then put(wave, item)
      else later[#later + 1] = item end
    end
    waves[#waves + 1], left = wave, later
  end
  time(waves, limits)
  return waves
end

local function duration(seconds)
  return amount.nanoseconds(seconds * 1e9)
end

local function item_text(item)
  if item.from then return ("%s > %s"):format(item.from, item.region) end
  return ("%s s%d>s%s"):format(item.region, item.source,
                               item.target or "*")
end

-- What is copied in a wave, in a few words.
local function items_text(wave)
  local words = {}
  for n = 1, math.min(#wave.items, 3) do
    words[n] = item_text(wave.items[n])
  end
  if #wave.items > 3 then
    words[4] = ("and %d more"):format(#wave.items - 3)
  end
  return table.concat(words, ", ")
end

---Each wave in words: { number, day, bytes, time, what is copied }.
function Waves:words()
  local out = {}
  for i, wave in ipairs(self) do
    out[i] = { tostring(i), tostring(wave.day), amount.bytes(wave.bytes),
               duration(wave.seconds), items_text(wave) }
  end
  return out
end

---The waves as a JSON value.
function Waves:json()
  local out = {}
  for i, wave in ipairs(self) do
    local items = {}
    for n, item in ipairs(wave.items) do
      items[n] = json.object {
        { "region", item.region }, { "from", item.from },
        { "source", item.source }, { "target", item.target },
        { "bytes", core.u64.str(item.bytes) },
      }
    end
    out[i] = json.object {
      { "day", wave.day }, { "seconds", wave.seconds },
      { "bytes", core.u64.str(wave.bytes) }, { "copies", json.list(items) },
    }
  end
  return json.object {
    { "days", self.days }, { "seconds", self.seconds },
    { "bytes", core.u64.str(self.bytes) }, { "list", json.list(out) },
  }
end

---The waves as text, one a line and a sum.
function Waves:__tostring()
  local rows = {}
  for i = 1, math.min(#self, WAVES_SHOWN) do
    local wave = self[i]
    rows[i] = { "wave " .. i, amount.bytes(wave.bytes),
                duration(wave.seconds), items_text(wave) }
  end
  if #self > WAVES_SHOWN then
    rows[#rows + 1] = { ("... %d more"):format(#self - WAVES_SHOWN) }
  end
  rows[#rows + 1] = { "all", amount.bytes(self.bytes),
                      duration(self.seconds), ("in %d day%s"):format(
                        self.days, self.days == 1 and "" or "s") }
  return terminal_columns(rows, { right = { [2] = true, [3] = true } })
end

return M
