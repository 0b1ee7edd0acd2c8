-- A frame: one layout as plain tables to draw, alone or against the layout
-- before it. What is too small to be seen is put together, and said.
--
-- frame = {
--   epoch =, shards =, keys = what the ring holds: "ids", "hashes",
--     "remainders" (dealt out: sizes are true, places are not)
--   arcs = by rising keys { { shard = or nil for several, ranges = how many,
--     from =, to = 0..1 of the ring, first =, last = hex, moved = boolean,
--     source = shard before or nil } }
--   merged = ranges that stand in an arc with others
--   hidden = arcs so narrow that nobody sees them
--   rows = { { name =, label =, leads =, sign = "+" | "-" or nil, regions =
--     how many, there = how many of them now }, ... }
--   columns = { { first =, last =, label =, sign =, there = shards now } }
--   cells[row][column] = { leads =, of = nodes, turned = leaders that are
--     new } or false where there is no node
-- }
local layouts = require "tidal.cluster.layout"
local tables = require "tidal.plan.tables"
local core = require "tidal.core"

local M = {}

local SEEN <const> = 1 / 1000  -- of the ring: a pixel

local hex <const> = core.u64.hex

-- --- the ring --------------------------------------------------------------

-- The place on the ring behind a key: 1 behind the last.
local function behind(key)
  return key == -1 and 1.0 or core.u64.tonumber(key + 1) / 2.0 ^ 64
end

-- Collects arcs: add(first, last, from, to, source, target) by rising keys.
-- Neighbours narrower than can be seen become one, up to that width.
local function collector(narrow)
  local arcs, arc, merged = {}, nil, 0
  local function add(first, last, from, to, source, target)
    local moved = source ~= target
    if arc and arc.shard == target and arc.source == source
       and arc.moved == moved then
      arc.to, arc.last = to, last
    elseif arc and arc.to - arc.from < narrow and to - from < narrow then
      merged = merged + (arc.ranges == 1 and 2 or 1)
      if arc.shard ~= target then arc.shard = nil end
      if arc.source ~= source then arc.source = nil end
      arc.moved, arc.ranges = arc.moved or moved, arc.ranges + 1
      arc.to, arc.last = to, last
    else
      arc = { shard = target, source = source, moved = moved, ranges = 1,
              from = from, to = to, first = first, last = last }
      arcs[#arcs + 1] = arc
    end
  end
  return arcs, add, function() return merged end
end

-- How wide an arc must be to be seen, where there are n.
local function narrow_of(n, most)
  return n > most and 2 / most or 0.0
end

-- The arcs of a table against the one before.
local function arcs_of(before, now, most)
  local n = math.max(#before.firsts, #now.firsts)
  local arcs, add, merged = collector(narrow_of(n, most))
  local from = 0.0
  tables.walk(before, now, function(first, last, source, target)
    local to = behind(last)
    add(first, last, from, to, source, target)
    from = to
  end)
  for _, arc in ipairs(arcs) do
    arc.first, arc.last = hex(arc.first), hex(arc.last)
  end
  return arcs, merged()
end

-- Shards of a hash, side by side: each has the same part of the keys.
local function remainders(n, before, most)
  local arcs, add, merged = collector(narrow_of(n, most))
  for s = 0, n - 1 do
    add(nil, nil, s / n, (s + 1) / n, before == n and s or nil, s)
  end
  return arcs, merged()
end

local function number_of(layout)
  return layout.router:strategy() == "hash" and layout.router:num_shards()
end

-- The routing before, made once for all frames.
local function table_before(world, layout, before, now)
  if rawequal(layout, before) then return now end
  if world.table == nil then world.table = tables.of(before) or false end
  return world.table
end

local function ring(layout, before, world, most)
  local n = number_of(layout)
  if n then return "remainders", remainders(n, number_of(before), most) end
  local now = tables.of(layout)
  local was = table_before(world, layout, before, now)
  local space = tables.space(now)
  local apart = not was or tables.space(was) ~= space
                and space ~= "any" and tables.space(was) ~= "any"
  local arcs, merged = arcs_of(apart and now or was, now, most)
  for _, arc in ipairs(apart and arcs or {}) do
    arc.moved, arc.source = true, nil
  end
  return space == "any" and "ids" or space, arcs, merged
end

-- --- the grid --------------------------------------------------------------

---Groups of 0..n-1, at most so many, as even as can be.
---@return { first: integer, last: integer }[] groups
---@return integer size of each but the last
function M.groups(n, most)
  local out, size = {}, math.max(1, (n + most - 1) // most)
  for first = 0, n - 1, size do
    out[#out + 1] = { first = first, last = math.min(first + size, n) - 1 }
  end
  return out, size
end

local function span(letter, first, last)
  if first == last then return letter .. first end
  return ("%s%d..%s%d"):format(letter, first, letter, last)
end
M.span = span

local function sign_of(was, now)
  if was == now then return nil end
  return was < now and "+" or "-"
end

local function columns_of(layout, before, shards, limits)
  local fits = shards <= limits.columns or not limits.grouped
  local out, size = M.groups(shards, fits and limits.columns
                                     or limits.grouped)
  for _, column in ipairs(out) do
    local function there(of)
      return math.max(0, math.min(column.last, of.shards - 1)
                         - column.first + 1)
    end
    column.label = span("s", column.first, column.last)
    column.there = there(layout)
    column.sign = sign_of(there(before), column.there)
  end
  return out, size
end

-- Numbers of the regions of a layout by who they are.
local function numbers(layout, who)
  local out = {}
  for _, region in ipairs(layout.regions) do
    out[who(region.name)] = region.id
  end
  return out
end

local function row_label(row)
  if not row.low then
    return row.regions == 1 and row.name
        or ("%d regions"):format(row.regions)
  end
  local label = span("r", row.low, row.high)
  return row.regions == 1 and label .. " " .. row.name or label
end

-- One row or several regions, in the order of the roster.
local function rows_of(roster, now, was, layout, most)
  local out, size = M.groups(#roster, most)
  for _, row in ipairs(out) do
    row.there, row.was, row.leads, row.regions = 0, 0, 0, 0
    for i = row.first + 1, row.last + 1 do
      local id = now[roster[i]]
      row.regions = row.regions + 1
      if id then
        row.there, row.leads = row.there + 1, row.leads + layout:leads(id)
        row.name = layout.regions[id + 1].name
        row.low = math.min(row.low or id, id)
        row.high = math.max(row.high or id, id)
      end
      if was[roster[i]] then row.was = row.was + 1 end
      row.name = row.name or roster[i]
    end
    row.sign = sign_of(row.was, row.there)
    row.label = row_label(row)
    row.first, row.last, row.was, row.low, row.high = nil, nil, nil, nil, nil
  end
  return out, size
end

-- The leader of each shard: a function from shard to region, or nil for all.
local function leaders_of(layout)
  local leaders = layouts.leaders(layout)
  if leaders == "all" then return nil end
  return table.move(leaders, 0, layout.shards - 1, 0, {})
end

-- Places in the roster by number of region.
local function places(roster, ids)
  local out = {}
  for i, who in ipairs(roster) do
    if ids[who] then out[ids[who]] = i end
  end
  return out
end

-- Everybody leads; those are new that did not lead before.
local function lead_all(cells, cell_of, before, was)
  for _, row in ipairs(cells) do
    for _, cell in ipairs(row) do
      if cell then cell.leads, cell.turned = cell.of, was and cell.of or 0 end
    end
  end
  for s = 0, was and before.shards - 1 or -1 do
    local cell = cell_of(s)
    if cell then cell.turned = cell.turned - 1 end
  end
end

-- Adds leaders, each at the row and column in which it stands.
local function lead(cells, layout, before, grid)
  local now, was = leaders_of(layout), leaders_of(before)
  local who_now = places(grid.roster, grid.now)
  local who_was = places(grid.roster, grid.was)
  local function cell(i, s)
    return cells[(i - 1) // grid.tall + 1][s // grid.wide + 1]
  end
  if not now then
    return lead_all(cells, function(s)
      return s < layout.shards and cell(who_was[was[s]], s)
    end, before, was)
  end
  for s = 0, layout.shards - 1 do
    local i = who_now[now[s]]
    local here = cell(i, s)
    here.leads = here.leads + 1
    if s < before.shards and was and who_was[was[s]] ~= i then
      here.turned = here.turned + 1
    end
  end
end

local function cells_of(rows, columns)
  local out = {}
  for i, row in ipairs(rows) do
    out[i] = {}
    for j, column in ipairs(columns) do
      local nodes = row.there * column.there
      out[i][j] = nodes > 0 and { leads = 0, of = nodes, turned = 0 }
    end
  end
  return out
end

---@param layout table what is drawn
---@param before table what it is compared with; itself for nothing
---@param world { roster: string[], who: function, was: function, shards:
---  integer } regions and shards of all frames; who(name) is a region in the
---  roster, whatever it is called now, was(name) the same before
---@param limits { arcs: integer, rows: integer, columns: integer,
---  grouped: integer? } grouped: columns where one is several shards
---@return table frame
function M.of(layout, before, world, limits)
  local keys, arcs, merged = ring(layout, before, world, limits.arcs)
  local grid = { roster = world.roster,
                 now = numbers(layout, world.who),
                 was = numbers(before, world.was) }
  local rows, columns
  rows, grid.tall = rows_of(world.roster, grid.now, grid.was, layout,
                            limits.rows)
  columns, grid.wide = columns_of(layout, before, world.shards,
                                  limits)
  local cells = cells_of(rows, columns)
  lead(cells, layout, before, grid)
  local hidden = 0
  for _, arc in ipairs(arcs) do
    if arc.to - arc.from < SEEN then hidden = hidden + 1 end
  end
  return { epoch = layout.epoch, shards = layout.shards, keys = keys,
           arcs = arcs, merged = merged, hidden = hidden, rows = rows,
           columns = columns, cells = cells }
end

return M
