-- One page that needs nothing else: no network, no font, no other file. Its
-- pictures are those of the SVG; of a plan there is one for each step, and a
-- slider that shows one at a time. Without scripts all of them are there.
local grid = require "tidal.render.grid"
local markup = require "tidal.render.markup"
local page = require "tidal.render.page"
local ring = require "tidal.render.ring"
local svg = require "tidal.render.svg"

local M = {}

-- The inner ring stands in the page once.
local BEFORE <const> = '<use href="#before"/>'

local SHRINKS <const> = 0.7  -- how small a drawing gets before it scrolls

local function put(out, form, values, raw)
  out[#out + 1] = markup.fill(form, values or {}, raw)
end

local function add_list(out, class, texts)
  if #texts == 0 then return end
  put(out, '<ul class="{class}">', { class = class })
  for _, text in ipairs(texts) do
    put(out, "<li>{text}</li>", { text = text })
  end
  out[#out + 1] = "</ul>"
end

local function drawing(class, wide, tall, about, markup_inside)
  return markup.fill('<svg class="{class}" role="img" viewBox="0 0 {w} {h}" '
    .. 'style="max-width:{w}px;min-width:{least}px" '
    .. 'aria-label="{about}">\n{inside}\n</svg>', {
      class = class, w = wide, h = tall, about = about,
      least = math.floor(wide * SHRINKS) }, { inside = markup_inside })
end

local function add_frame(out, scene, frame, i)
  local ends = i == 1 or i == #scene.frames
  put(out, '<section class="frame{ends}" id="frame-{step}" '
    .. 'aria-label="{caption}">', { ends = ends and " end" or "",
    step = frame.step, caption = frame.caption })
  if scene.kind == "plan" then
    put(out, '<p class="caption">{caption}</p>', frame)
  end
  out[#out + 1] = '<div class="figures">'
  local round = ring.box(scene)
  out[#out + 1] = drawing("ring", round, round, ring.describe(frame),
                          ring.draw(scene, frame, BEFORE))
  local wide, tall = grid.box(scene)
  put(out, '<div class="scroll" tabindex="0" role="region" '
    .. 'aria-label="regions and shards">')
  out[#out + 1] = drawing("grid", wide, tall, grid.describe(frame),
                          grid.draw(scene, frame))
  out[#out + 1] = "</div>\n</div>\n</section>"
end

-- The slider stands behind the heading, before what it changes.
local function add_controls(out, scene)
  if #scene.frames < 2 then return end
  put(out, [[
<div class="controls">
<button type="button" id="back" aria-label="one step back">&#9664;</button>
<label for="step">step</label>
<input type="range" id="step" min="0" max="{last}" value="{last}" step="1">
<button type="button" id="on" aria-label="one step on">&#9654;</button>
<output for="step" id="said" aria-live="polite"></output>
</div>]], { last = #scene.frames - 1 })
end

local function add_row(out, tag, row, right)
  local cells = {}
  for i, word in ipairs(row) do
    cells[i] = markup.fill("<{tag}{class}>{word}</{tag}>", {
      tag = tag, word = word }, { class = (right[i] and ' class="right"' or "")
                                   .. (tag == "th" and ' scope="col"' or "") })
  end
  out[#out + 1] = "<tr>" .. table.concat(cells) .. "</tr>"
end

local function add_sheet(out, sheet)
  put(out, '<section class="sheet">\n<h2>{title}</h2>\n<div class="scroll" '
    .. 'tabindex="0" role="region" aria-label="{title}">\n<table>\n<thead>',
    sheet)
  add_row(out, "th", sheet.head, sheet.right)
  out[#out + 1] = "</thead>\n<tbody>"
  for _, row in ipairs(sheet.rows) do add_row(out, "td", row, sheet.right) end
  out[#out + 1] = "</tbody>\n</table>\n</div>"
  if sheet.more then put(out, '<p class="quiet">{more}</p>', sheet) end
  out[#out + 1] = "</section>"
end

local function hottest(scene)
  local rows = {}
  for i, hot in ipairs(scene.heat.hot) do
    rows[i] = { hot.id, "s" .. hot.shard, hot.events }
  end
  return { title = "Hottest ids", head = { "id", "shard", "events" },
           rows = rows, right = { [3] = true } }
end

---The page.
---@param scene table of draw/scene.lua
---@return string
function M.text(scene)
  local out = {}
  put(out, page.HEAD, { title = scene.title },
      { style = svg.styles() .. "\n" .. page.STYLE })
  local before = scene.kind == "plan" and '<g id="before">\n'
                 .. ring.before(scene) .. "\n</g>" or ""
  put(out, '<body>\n<svg width="0" height="0" class="defs" '
    .. 'aria-hidden="true"><defs>{hatch}{before}</defs></svg>\n<main>\n'
    .. "<h1>{title}</h1>", scene, { hatch = svg.hatch, before = before })
  add_list(out, "facts", scene.facts)
  add_list(out, "warnings", scene.warnings)
  add_controls(out, scene)
  for i, frame in ipairs(scene.frames) do add_frame(out, scene, frame, i) end
  add_list(out, "quiet", svg.legend(scene))
  add_list(out, "quiet", scene.notes)
  out[#out + 1] = '<div class="sheets">'
  if scene.heat then add_sheet(out, hottest(scene)) end
  for _, sheet in ipairs(scene.sheets) do add_sheet(out, sheet) end
  out[#out + 1] = "</div>\n</main>"
  if #scene.frames > 1 then
    out[#out + 1] = "<script>\n" .. page.SCRIPT .. "</script>"
  end
  out[#out + 1] = "</body>\n</html>"
  return table.concat(out, "\n")
end

return M
