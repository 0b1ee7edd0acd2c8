-- What is left of a layout: for losses that are named, in detail; else a
-- matrix over every class of nodes, every region and every pair of regions.
--
-- report = { layout =, lost = { names }, left = of inspect/loss.lua, rules =
--   { { name =, ok =, why = }, ... } of what is left, or nil, regions = { {
--   id =, name =, leads =, share = of the load or nil, held = bytes or nil },
--   ... } that are left }
--
-- matrix = { layout =, groups = { { noun = "node" | "region" | "pair", rows =
--   worst first, untold = why rows are missing, or nil }, ... } } of rows {
--   lost = { names }, role = of a node, count = nodes like it, copies =
--   least, writable =, promote =, peak = { name =, leads =, share = } or nil }
local draft = require "tidal.plan.draft"
local losses = require "tidal.inspect.loss"
local rules = require "tidal.rules"

local M = {}

local NODES_MAX <const> = 262144  -- of layouts whose elections are held
local REGIONS_MAX <const> = 512   -- of which every pair is listed
local ELECTED_MAX <const> = 64    -- of which every pair holds elections

-- --- losses that are named -----------------------------------------------

-- The layout of what is left, with its new leaders.
local function after(layout, loss, left)
  local now = draft.new(layout)
  for _, change in ipairs(left.elect) do
    now:lead(change.shard, change.target + 1)
  end
  for r = #layout.regions - 1, 0, -1 do
    if loss.regions[r] then now:drop(r) end
  end
  local load = layout.load
  now.load = load and { regions = load.regions, shards = load.shards }
  return now:layout(layout.rules)
end

local function regions_of(layout, base, loss, left)
  local out = {}
  for _, region in ipairs(layout.regions) do
    if not loss.regions[region.id] then
      local events = left.events and left.events[region.id]
      out[#out + 1] = {
        id = region.id, name = region.name, leads = left.leads[region.id],
        share = events and base.sum > 0 and events / base.sum or nil,
        held = layout.load and layout.load.regions[region.name],
      }
    end
  end
  return out
end

---@param layout table
---@param loss table of inspect/loss.lua
---@param names string[] what is lost, as it was given
---@return table report
function M.report(layout, loss, names)
  local base = losses.base(layout)
  local left = losses.left(base, loss)
  local whole = #left.none == 0
  return {
    layout = layout, lost = names, left = left,
    regions = regions_of(layout, base, loss, left),
    rules = whole and rules.judge(after(layout, loss, left)) or nil,
  }
end

-- --- the matrix ----------------------------------------------------------

local function peak_of(layout, base, left)
  local best
  for r = 0, base.regions - 1 do
    local leads = left.leads[r]
    local share = leads and left.events and base.sum > 0
              and left.events[r] / base.sum or nil
    local weight = share or leads
    if weight and weight > (best and best.weight or 0) then
      best = { weight = weight, leads = leads, share = share,
               name = layout.regions[r + 1].name }
    end
  end
  return best
end

local function row_of(matrix, loss, row)
  local layout, base = matrix.layout, matrix.base
  local left = losses.left(base, loss)
  row.copies, row.writable = left.copies.least, left.writable
  row.promote, row.below = #left.elect, left.below
  row.peak = peak_of(layout, base, left)
  return row
end

-- Regions that are lost as a whole.
local function region_row(matrix, ids)
  local names = {}
  for i, id in ipairs(ids) do names[i] = matrix.names[id] end
  if not matrix.base or #ids > 1 and #matrix.names >= ELECTED_MAX then
    local row = losses.count(matrix.layout, ids)
    row.lost = names
    return row
  end
  return row_of(matrix, losses.of_regions(table.unpack(ids)),
                { lost = names })
end

-- The shards of a region that stand for its leaders and its followers: those
-- with most events.
local function examples(layout, region)
  local seen = layout.load and layout.load.shards or {}
  local out, role_of, id = {}, layout.role, region.id
  for s = 0, layout.shards - 1 do
    local role = role_of(layout, id, s)
    local one = out[role]
    if not one then
      one = { role = role, shard = s, count = 0, events = seen[s] or 0 }
      out[role] = one
      out[#out + 1] = one
    end
    one.count = one.count + 1
    if (seen[s] or 0) > one.events then
      one.shard, one.events = s, seen[s]
    end
  end
  return out
end

local function node_rows(matrix)
  local rows = {}
  for _, region in ipairs(matrix.layout.regions) do
    for _, one in ipairs(examples(matrix.layout, region)) do
      local loss = losses.none()
      losses.add_node(loss, region.id, one.shard)
      rows[#rows + 1] = row_of(matrix, loss, {
        lost = { region.name }, role = one.role, count = one.count,
        shard = one.shard,
      })
    end
  end
  return rows
end

local function region_rows(matrix)
  local rows = {}
  for id = 0, #matrix.names do rows[id + 1] = region_row(matrix, { id }) end
  return rows
end

local function pair_rows(matrix)
  local rows = {}
  for a = 0, #matrix.names do
    for b = a + 1, #matrix.names do
      rows[#rows + 1] = region_row(matrix, { a, b })
    end
  end
  return rows
end

local function worst_first(rows)
  for i, row in ipairs(rows) do row.at = i end
  table.sort(rows, function(a, b)
    if a.copies ~= b.copies then return a.copies < b.copies end
    if a.writable ~= b.writable then return a.writable < b.writable end
    local x = a.peak and a.peak.weight or 0
    local y = b.peak and b.peak.weight or 0
    if x ~= y then return x > y end
    return a.at < b.at
  end)
  return rows
end

---@param layout table
---@return table matrix
function M.matrix(layout)
  local names, count = {}, #layout.regions
  for i, region in ipairs(layout.regions) do names[i - 1] = region.name end
  local small = count * layout.shards <= NODES_MAX
  local matrix = { layout = layout, names = names, groups = {},
                   base = small and losses.base(layout) or nil }
  local function add(noun, rows, untold)
    table.insert(matrix.groups, { noun = noun, untold = untold,
                                  rows = worst_first(rows) })
  end
  if small then add("node", node_rows(matrix))
  else add("node", {}, ("more than %d nodes"):format(NODES_MAX)) end
  add("region", region_rows(matrix))
  if count > REGIONS_MAX then
    add("pair", {}, ("more than %d regions"):format(REGIONS_MAX))
  elseif count > 1 then
    add("pair", pair_rows(matrix))
  end
  return matrix
end

return M
