-- What is left of a cluster when nodes are lost.
--
-- Every region holds every shard, so a shard has a copy in each region that
-- is left, less the nodes that are lost with it. A shard without a leader
-- that has a copy left gets a new one: the region with a copy that leads
-- least, the lowest number among equals. Until then it cannot be written.
--
-- loss = { regions = { [region id] = true }, nodes = { [region id] = { [shard]
--   = true } } }
--
-- left = { copies = { least, most }, below = shards with less than 2 copies,
--   none = { shards without a copy }, writable = shards that keep a leader,
--   elect = { { shard =, source =, target = region ids }, ... }, leads = {
--   [region id] = shards }, events = { [region id] = } or nil }
local layouts = require "tidal.cluster.layout"

local M = {}

-- --- the region that leads least -----------------------------------------

local function before(a, b)
  if a.leads ~= b.leads then return a.leads < b.leads end
  return a.id < b.id
end

local function sink(heap, i)
  while true do
    local least = i
    for child = 2 * i, 2 * i + 1 do
      if heap[child] and before(heap[child], heap[least]) then
        least = child
      end
    end
    if least == i then return end
    heap[i], heap[least], i = heap[least], heap[i], least
  end
end

local function heap_of(list)
  for i = #list // 2, 1, -1 do sink(list, i) end
  return list
end

-- The region of the heap that leads least and may lead the shard. Where a
-- few nodes are lost only, all regions are looked at.
local function elect(heap, shard, nodes)
  local best, at = heap[1], 1
  local lost = best and nodes[best.id]
  if lost and lost[shard] then
    best = nil
    for i, region in ipairs(heap) do
      local gone = nodes[region.id] and nodes[region.id][shard]
      if not gone and (not best or before(region, best)) then
        best, at = region, i
      end
    end
  end
  if not best then return nil end
  best.leads = best.leads + 1
  sink(heap, at)
  return best
end

-- --- losses --------------------------------------------------------------

---Nothing lost yet.
function M.none()
  return { regions = {}, nodes = {} }
end

---Adds a node.
function M.add_node(loss, region, shard)
  local nodes = loss.nodes[region] or {}
  loss.nodes[region] = nodes
  nodes[shard] = true
end

---The loss of these regions.
function M.of_regions(...)
  local loss = M.none()
  for _, region in ipairs { ... } do loss.regions[region] = true end
  return loss
end

-- --- what they leave -----------------------------------------------------

-- Shards by the region that leads them, and events that arrive in each.
local function leaders_of(base, leaders, shards)
  local led, load = base.led, base.load
  for s = 0, shards - 1 do
    local leader = leaders[s]
    local list = led[leader] or {}
    led[leader], list[#list + 1], base.leaders[s] = list, s, leader
    if base.events then
      load[leader] = (load[leader] or 0) + (base.events[s] or 0)
    end
  end
end

---What losses of a layout are counted from.
---@param layout table
function M.base(layout)
  local seen = layout.load and layout.load.shards
  local base = { regions = #layout.regions, shards = layout.shards,
                 leaders = {}, led = {}, load = {}, events = seen and {},
                 sum = 0 }
  for s = 0, seen and layout.shards - 1 or -1 do
    base.events[s] = seen[s] or 0
    base.sum = base.sum + base.events[s]
  end
  local leaders = layouts.leaders(layout)
  if leaders == "all" then base.leaders = "all"
  else leaders_of(base, leaders, layout.shards) end
  return base
end

local function count(set)
  local n = 0
  for _ in next, set or {} do n = n + 1 end
  return n
end

-- Lost nodes in regions that are left: { [shard] = { region ids } }, and the
-- shards, rising.
local function lost_nodes(base, loss)
  local out, order = {}, {}
  for r = 0, base.regions - 1 do
    for s in next, not loss.regions[r] and loss.nodes[r] or {} do
      if not out[s] then
        out[s] = {}
        order[#order + 1] = s
      end
      table.insert(out[s], r)
    end
  end
  table.sort(order)
  return out, order
end

local function add_copies(left, base, lost, order, whole)
  local least, most, shards = whole, 0, base.shards
  if #order < shards then most = whole end
  for _, s in ipairs(order) do
    local copies = whole - #lost[s]
    least, most = math.min(least, copies), math.max(most, copies)
    if copies < 2 and whole >= 2 then left.below = left.below + 1 end
    if copies == 0 and whole > 0 then left.none[#left.none + 1] = s end
  end
  if whole < 2 then left.below = shards end
  for s = 0, whole == 0 and shards - 1 or -1 do left.none[s + 1] = s end
  left.copies = { least = least, most = most }
end

-- The shards whose leader is lost, rising.
local function waiting_of(base, loss, lost, order)
  local out = {}
  for r = 0, base.regions - 1 do
    local led = loss.regions[r] and base.led[r]
    if led then table.move(led, 1, #led, #out + 1, out) end
  end
  for _, s in ipairs(order) do
    for _, r in ipairs(lost[s]) do
      if base.leaders[s] == r then out[#out + 1] = s end
    end
  end
  table.sort(out)
  return out
end

local function one_leads(left, base, loss, list, waiting)
  for _, region in ipairs(list) do
    region.leads = #(base.led[region.id] or {})
  end
  local by_id = {}
  for _, region in ipairs(list) do by_id[region.id] = region end
  for _, s in ipairs(waiting) do
    local region = by_id[base.leaders[s]]
    if region then region.leads = region.leads - 1 end
  end
  local heap = heap_of(list)
  for _, s in ipairs(waiting) do
    local target = elect(heap, s, loss.nodes)
    if target then
      left.elect[#left.elect + 1] = { shard = s, source = base.leaders[s],
                                      target = target.id }
    end
  end
  left.writable = base.shards - #waiting
end

-- Events by region; where all lead, each has its share of what it holds.
local function events_of(left, base, list, waiting, lost, order)
  local out, whole = {}, #list
  local function add(r, events) if out[r] then out[r] = out[r] + events end end
  for _, region in ipairs(list) do
    out[region.id] = base.leaders == "all" and base.sum / whole
                  or base.load[region.id] or 0
  end
  for _, s in ipairs(waiting) do add(base.leaders[s], -base.events[s]) end
  for _, change in ipairs(left.elect) do
    add(change.target, base.events[change.shard])
  end
  for _, s in ipairs(base.leaders == "all" and order or {}) do
    local events, rest, gone = base.events[s], whole - #lost[s], {}
    for _, r in ipairs(lost[s]) do gone[r] = true end
    for _, region in ipairs(list) do
      add(region.id, (gone[region.id] and 0 or events / rest) - events / whole)
    end
  end
  return out
end

---What is left.
---@param base table of M.base
---@param loss table
---@return table left
function M.left(base, loss)
  local left = { below = 0, none = {}, elect = {}, leads = {} }
  local lost, order = lost_nodes(base, loss)
  local list, waiting = {}, {}
  for r = 0, base.regions - 1 do
    if not loss.regions[r] then list[#list + 1] = { id = r, leads = 0 } end
  end
  add_copies(left, base, lost, order, #list)
  if base.leaders == "all" then
    for _, region in ipairs(list) do
      region.leads = base.shards - count(loss.nodes[region.id])
    end
    left.writable = base.shards - #left.none
  else
    waiting = waiting_of(base, loss, lost, order)
    one_leads(left, base, loss, list, waiting)
  end
  for _, region in ipairs(list) do left.leads[region.id] = region.leads end
  left.events = base.events
            and events_of(left, base, list, waiting, lost, order) or nil
  return left
end

---The same in numbers only, for regions that are lost as a whole.
---@param layout table
---@param ids integer[]
---@return table { copies =, writable =, promote = new leaders needed }
function M.count(layout, ids)
  local copies, waiting = #layout.regions - #ids, 0
  for _, id in ipairs(layout.leaders ~= "all" and ids or {}) do
    waiting = waiting + layout:leads(id)
  end
  if copies == 0 then return { copies = 0, writable = 0, promote = 0 } end
  return { copies = copies, writable = layout.shards - waiting,
           promote = waiting }
end

return M
