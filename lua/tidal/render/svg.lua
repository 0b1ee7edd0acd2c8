-- One static picture: the ring of the key space and, beside it, the grid of
-- regions and shards; what was put together is said below. Of a plan it is
-- the last frame, with the layout before as the inner ring, and below it the
-- waves, each with a bar as long as it takes.
local colours = require "tidal.render.colours"
local grid = require "tidal.render.grid"
local markup = require "tidal.render.markup"
local ring = require "tidal.render.ring"

local M = {}

local PAD <const> = 20
local HEAD <const> = 58   -- title and facts
local LINE <const> = 18
local WIDE_MIN <const> = 760
local BAR <const> = 120   -- of the wave that takes longest
local BAR_TALL <const>, GAP <const> = 10, 8
local COLUMN_PX <const> = 7.1  -- of a character of plain text, about

-- Sizes and lines; colours come from colours.sheet().
M.sheet = [[
text{font:13px system-ui,sans-serif;font-variant-numeric:tabular-nums}
.mid{text-anchor:middle}.start{text-anchor:start}.end{text-anchor:end}
.big{font-size:15px;font-weight:600}.small{font-size:11px}
.bold{font-weight:700}
.title{font-size:19px;font-weight:600}
.edge{stroke-width:1.5}.fine{stroke-width:.4}.thin{opacity:.9}
.follow{stroke-width:1.5}
.halo{paint-order:stroke;stroke-width:5;stroke-linejoin:round}
.gone{stroke-width:1}.moved{fill:url(#hatch)}]]

local MORE <const> = [[
.heat{fill:%s}.hot{fill:%s;stroke:%s}.turned{fill:%s}.gone{stroke:%s}
.some{fill:%s}.empty{fill:%s}.hatch{stroke:%s}]]

local function more(of)
  return MORE:format(of.dim, of.ink, of.paper, of.ink, of.line, of.dim,
                     of.track, of.paper)
end

---The style sheet of both drawings.
function M.styles()
  return ("%s\n%s\n%s\n@media screen and (prefers-color-scheme:dark){\n%s\n}")
    :format(M.sheet, colours.sheet(), more(colours.light),
            more(colours.dark))
end

---The hatch of keys that have moved: once a page.
M.hatch = '<pattern id="hatch" width="7" height="7" '
  .. 'patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
  .. '<path class="hatch" d="M3.5 0v7" stroke-width="2.2" fill="none"/>'
  .. "</pattern>"

local LEGEND <const> = {
  nodes = "filled (L): leads; hollow: follows",
  groups = "bars in the grid: the part of the nodes that leads",
  plan = "inner ring: before; hatched: moved; corner: new leader",
  heat = "bars around: part of the events in the log",
  hot = "dots: hottest ids",
}

---How to read the drawings, in sentences.
function M.legend(scene)
  local frame = scene.frames[1]
  local column = frame.columns[1]
  local single = column.first == column.last and frame.rows[1].regions == 1
  local out = { single and LEGEND.nodes or LEGEND.groups }
  if scene.kind == "plan" then out[2] = LEGEND.plan end
  if scene.heat then out[#out + 1] = LEGEND.heat end
  if scene.heat and frame.keys == "ids" then out[#out + 1] = LEGEND.hot end
  return out
end

-- Words of a paragraph in lines that fit.
local function wrap(text, columns, out, class)
  local line = ""
  for word in text:gmatch "%S+" do
    if line ~= "" and utf8.len(line) + utf8.len(word) + 1 > columns then
      out[#out + 1] = { class, line }
      line = word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  out[#out + 1] = { class, line }
end

-- What stands below: classes and lines.
local function foot(scene, wide)
  local out, columns = {}, (wide - 2 * PAD) // COLUMN_PX
  for _, text in ipairs(scene.warnings) do
    wrap(markup.shorten(text, 600), columns, out, "warn bold")
  end
  wrap(table.concat(M.legend(scene), "; "), columns, out, "dim")
  for _, text in ipairs(scene.notes) do wrap(text, columns, out, "dim") end
  return out
end

local function add_lines(out, lines, x, y)
  for i, line in ipairs(lines) do
    out[#out + 1] = markup.fill(
      '<text x="{x}" y="{y}" class="{class}">{text}</text>',
      { x = x, y = y + (i - 1) * LINE, class = line[1], text = line[2] })
  end
end

-- Returns how much room they take.
local function add_waves(out, waves, wide, y)
  for i, wave in ipairs(waves) do
    out[#out + 1] = markup.fill('<rect class="heat" x="{x}" y="{y}" '
      .. 'width="{w}" height="{h}" rx="2"/>', {
        x = PAD, y = y + (i - 1) * LINE - BAR_TALL, h = BAR_TALL,
        w = markup.number(math.max(1, BAR * wave.part)) })
  end
  local lines, columns = {}, (wide - 2 * PAD - BAR - GAP) // COLUMN_PX
  for i, wave in ipairs(waves) do
    lines[i] = { "ink", markup.shorten(wave.text, math.tointeger(columns)) }
  end
  if waves.more then lines[#lines + 1] = { "dim", waves.more } end
  add_lines(out, lines, PAD + BAR + GAP, y)
  return #lines * LINE + GAP
end

---The picture as the text of an SVG file.
---@param scene table of draw/scene.lua
---@return string
function M.text(scene)
  local frame = scene.frames[#scene.frames]
  local grid_wide, grid_tall = grid.box(scene)
  local round = ring.box(scene)
  local wide = math.max(WIDE_MIN, 2 * PAD + round + grid_wide)
  local facts = {}
  for _, fact in ipairs(scene.facts) do
    wrap(markup.shorten(fact, 400), (wide - 2 * PAD) // COLUMN_PX, facts,
         "dim")
  end
  local top = HEAD + (#facts - 1) * LINE + 4
  local body = math.max(round, grid_tall)
  local below, waves = foot(scene, wide), {}
  local under = top + body + LINE
  local room = scene.waves and add_waves(waves, scene.waves, wide, under) or 0
  local tall = top + body + room + #below * LINE + PAD
  local values = { w = wide, h = tall, title = scene.title,
                   about = ring.describe(frame) .. ". "
                           .. grid.describe(frame) .. "." }
  local out = { markup.fill('<svg xmlns="http://www.w3.org/2000/svg" '
    .. 'viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" '
    .. 'aria-labelledby="title about">\n<title id="title">{title}</title>\n'
    .. '<desc id="about">{about}</desc>', values) }
  out[2] = "<style>\n" .. M.styles() .. "\n</style>"
  out[3] = "<defs>" .. M.hatch .. "</defs>"
  out[4] = markup.fill('<rect class="paper" width="{w}" height="{h}" rx="8"/>'
    .. '\n<text x="20" y="32" class="title ink">{title}</text>', {
      w = wide, h = tall, title = markup.shorten(scene.title, 70) })
  add_lines(out, facts, PAD, HEAD - 4)
  out[#out + 1] = ('<g transform="translate(%d %d)">'):format(PAD, top)
  out[#out + 1] = ring.draw(scene, frame)
  out[#out + 1] = ('</g>\n<g transform="translate(%d %d)">'):format(
    PAD + round, top + math.max(0, (body - grid_tall) // 2))
  out[#out + 1] = grid.draw(scene, frame)
  out[#out + 1] = "</g>"
  table.move(waves, 1, #waves, #out + 1, out)
  add_lines(out, below, PAD, under + room)
  out[#out + 1] = "</svg>"
  return table.concat(out, "\n")
end

return M
