-- The grid of regions and shards as SVG: a row a region, a column a shard, a
-- filled square leads, a hollow one follows. What is new since the layout
-- before is marked by a corner. A cell that stands for many nodes is a bar, as
-- high as the part of them that leads.
--
-- Takes a scene and a frame (draw/scene.lua); draws in a box M.box gives.
local colours = require "tidal.render.colours"
local markup = require "tidal.render.markup"

local M = {}

local LEFT <const>, TOP <const> = 132, 34
local WIDE <const>, TALL <const> = 520, 480  -- of all cells together
local CELL_MAX <const> = 38
local LABEL_LONG <const> = 17                -- characters of a label
local DENSE <const> = 512                    -- cells that have titles
local HEAT_TALL <const> = 46
local BAR_MIN <const> = 1.5                   -- a bar that can be seen

local number <const> = markup.number

-- Width and height of a cell.
local function cell_size(frame)
  local wide = math.min(CELL_MAX, WIDE / #frame.columns)
  local tall = math.min(CELL_MAX, TALL / #frame.rows)
  return math.floor(wide * 4) / 4, math.floor(tall * 4) / 4
end

---Width and height of the drawing.
function M.box(scene)
  local frame = scene.frames[1]
  local wide, tall = cell_size(frame)
  local heat = scene.heat and HEAT_TALL + 22 or 0
  return math.ceil(math.max(LEFT + wide * #frame.columns + 30, 300)),
         math.ceil(TOP + tall * #frame.rows + heat + 10)
end

local function square(x, y, wide, tall)
  return ("M%s %sh%sv%sh-%sz"):format(number(x), number(y), number(wide),
                                      number(tall), number(wide))
end

local function nodes_text(cell)
  if cell.of == 1 then return cell.leads == 1 and "leader" or "follower" end
  return ("%d of %d nodes lead"):format(cell.leads, cell.of)
end

local function title_of(row, column, cell)
  return ("%s, %s: %s%s"):format(row.label, column.label, nodes_text(cell),
                                 cell.turned > 0 and " (new)" or "")
end

-- Paths that collect: as many as there are classes, not as there are cells.
local function collector()
  local order, parts = {}, {}
  local self = {}
  function self.add(class, d)
    if not parts[class] then
      parts[class] = {}
      order[#order + 1] = class
    end
    table.insert(parts[class], d)
  end
  function self.markup(out)
    for _, class in ipairs(order) do
      out[#out + 1] = ('<path class="%s" d="%s"/>'):format(
        class, table.concat(parts[class]))
    end
  end
  return self
end

-- A cell of one node: filled or hollow.
local function add_node(add, shard, cell, box)
  local colour = colours.of(shard)
  local gap = math.min(3, box.wide / 8, box.tall / 8)
  local x, y = box.x + gap, box.y + gap
  local wide, tall = box.wide - 2 * gap, box.tall - 2 * gap
  if cell.leads == 1 then
    add("c" .. colour, square(x, y, wide, tall))
  else
    add("follow o" .. colour, square(x + 0.75, y + 0.75, wide - 1.5,
                                     tall - 1.5))
  end
end

-- A cell of many: a bar on its track.
local function add_nodes(add, cell, box)
  local gap = math.min(1, box.wide / 8)
  local x, wide = box.x + gap, box.wide - 2 * gap
  local room = box.tall - 2 * gap
  add("empty", square(x, box.y + gap, wide, room))
  if cell.leads == 0 then return end
  local tall = math.max(BAR_MIN, room * cell.leads / cell.of)
  add("some", square(x, box.y + gap + room - tall, wide, tall))
end

-- The shapes of one cell.
local function add_shapes(add, column, cell, box)
  if column.first == column.last and cell.of == 1 then
    add_node(add, column.first, cell, box)
  else
    add_nodes(add, cell, box)
  end
  if cell.turned > 0 then
    local corner = number(math.min(box.wide, box.tall) / 2.6)
    add("turned", ("M%s %sh%sl-%s %sz"):format(number(box.x), number(box.y),
        corner, corner, corner))
  end
end

local function add_titled(out, frame, i, j, box)
  local column, cell = frame.columns[j], frame.cells[i][j]
  local shapes = collector()
  add_shapes(shapes.add, column, cell, box)
  out[#out + 1] = "<g><title>"
    .. markup.escape(title_of(frame.rows[i], column, cell)) .. "</title>"
  shapes.markup(out)
  if cell.of == 1 and cell.leads == 1 and math.min(box.wide, box.tall) > 20
  then
    out[#out + 1] = markup.fill('<text x="{x}" y="{y}" class="mid t{c}">L'
      .. "</text>", { x = box.x + box.wide / 2, y = box.y + box.tall / 2 + 5,
                      c = colours.of(column.first) })
  end
  out[#out + 1] = "</g>"
end

local function add_cells(out, frame, wide, tall)
  local dense = #frame.rows * #frame.columns > DENSE
  local shapes = collector()
  for i in ipairs(frame.rows) do
    for j, column in ipairs(frame.columns) do
      local box = { x = LEFT + (j - 1) * wide, y = TOP + (i - 1) * tall,
                    wide = wide, tall = tall }
      local cell = frame.cells[i][j]
      if not cell then
        shapes.add("gone", ("M%s %sh%s"):format(number(box.x + wide * 0.35),
                   number(box.y + tall / 2), number(wide * 0.3)))
      elseif dense then
        add_shapes(shapes.add, column, cell, box)
      else
        add_titled(out, frame, i, j, box)
      end
    end
  end
  shapes.markup(out)
end

local SIGNS <const> = { ["+"] = "new", ["-"] = "removed" }

local function add_row_labels(out, frame, size)
  local every = math.ceil(11 / size)
  for i, row in ipairs(frame.rows) do
    if (i - 1) % every == 0 then
      local sign = row.sign and row.sign .. " " or ""
      out[#out + 1] = markup.fill(
        '<text x="{x}" y="{y}" class="end {class}"><title>{title}</title>'
        .. "{label}</text>", {
          x = LEFT - 8, y = TOP + (i - 0.5) * size + 4,
          class = row.sign and "ink bold" or "ink",
          title = ("%s, leads %d shards%s"):format(row.name, row.leads,
                    row.sign and ", " .. SIGNS[row.sign] or ""),
          label = sign .. markup.shorten(row.label, LABEL_LONG) })
    end
  end
end

local function add_column_labels(out, frame, size)
  local single = frame.columns[1].first == frame.columns[1].last
  local every = math.ceil((single and 26 or 76) / size)
  for j, column in ipairs(frame.columns) do
    local fits = j + every - 1 <= #frame.columns or j == 1
              or #frame.columns % every == 0
    if (j - 1) % every == 0 and fits then
      local first = every > 1 or not single
      out[#out + 1] = markup.fill(
        '<text x="{x}" y="{y}" class="{class}">{label}</text>', {
          x = LEFT + (j - (first and 1 or 0.5)) * size, y = TOP - 8,
          class = (first and "start" or "mid")
                  .. (column.sign and " ink bold" or " ink"),
          label = (column.sign or "") .. (first and "s" .. column.first
                                          or column.label) })
    end
  end
end

-- A bar below each column: its part of the events of the log.
local function add_heat(out, scene, frame, size, row_tall)
  local heat = scene.heat
  local bottom = TOP + row_tall * #frame.rows + 6 + HEAT_TALL
  out[#out + 1] = markup.fill('<text x="{x}" y="{y}" class="end dim">events'
    .. "</text>", { x = LEFT - 8, y = bottom - HEAT_TALL / 2 + 4 })
  for j, share in ipairs(heat.shares) do
    local tall = HEAT_TALL * share / heat.peak
    local x = LEFT + (j - 1) * size
    out[#out + 1] = markup.fill('<path class="heat" d="{d}"><title>{title}'
      .. "</title></path>", {
        d = square(x + size * 0.12, bottom - tall, size * 0.76, tall),
        title = ("%s: %.2f %% of the events"):format(frame.columns[j].label,
                                                     share * 100) })
    if size >= 30 then
      out[#out + 1] = markup.fill('<text x="{x}" y="{y}" class="mid dim '
        .. 'small">{text}</text>', { x = x + size / 2, y = bottom + 14,
        text = ("%.0f %%"):format(share * 100) })
    end
  end
end

---The parts of a drawing, without the svg element around it.
---@param scene table
---@param frame table
---@return string
function M.draw(scene, frame)
  local out, wide, tall = {}, cell_size(frame)
  add_column_labels(out, frame, wide)
  add_row_labels(out, frame, tall)
  add_cells(out, frame, wide, tall)
  if scene.heat then add_heat(out, scene, frame, wide, tall) end
  return table.concat(out, "\n")
end

---What the drawing shows, in a sentence.
function M.describe(frame)
  local parts, shown = {}, math.min(#frame.rows, 8)
  for i = 1, shown do
    local row = frame.rows[i]
    parts[i] = ("%s leads %d"):format(row.label, row.leads)
  end
  local rest = #frame.rows - shown
  if rest > 0 then parts[#parts + 1] = ("and %d more rows"):format(rest) end
  return ("Grid of regions and %d shards: %s"):format(
    frame.shards, table.concat(parts, ", "))
end

return M
