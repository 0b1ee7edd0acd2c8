-- The picture as text: the ring of the key space, drawn with the numbers of
-- the shards, and the grid of regions and shards beside or below it. Of a
-- plan there are two rings, before and after.
--
-- Takes a scene (draw/scene.lua). Shards above s35 have no sign of their
-- own: they are drawn as dots.
local colours = require "tidal.render.colours"
local markup = require "tidal.render.markup"
local terminal = require "tidal.render.terminal"

local M = {}

local WIDE <const>, TALL <const> = 33, 17   -- characters of a ring
local OUTER <const>, INNER <const> = 8.4, 5.4
local SCREEN <const> = 80
local SIGNS <const> = "0123456789abcdefghijklmnopqrstuvwxyz"
local HUES <const> = { "blue", "yellow", "magenta", "cyan", "red", "green" }
local LABEL_LONG <const> = 18
local WAVE <const> = 16   -- of the wave that takes longest

-- --- the ring --------------------------------------------------------------

local function hue(shard)
  return HUES[colours.of(shard) + 1]
end

local function sign_of(arc, style)
  local shard = arc.shard
  if not shard then return style:paint("dim", "·") end
  local sign = shard < #SIGNS and SIGNS:sub(shard + 1, shard + 1) or "•"
  return style:paint(hue(shard), sign)
end

-- The arc at a place of the ring.
local function find(arcs, at)
  local low, high = 1, #arcs
  while low < high do
    local middle = (low + high + 1) // 2
    if arcs[middle].from <= at then low = middle else high = middle - 1 end
  end
  return arcs[low]
end

-- What stands in the middle, by line, or nil.
local function middle_of(frame)
  local texts = { "epoch " .. frame.epoch,
                  ("%d shard%s"):format(frame.shards,
                                        frame.shards == 1 and "" or "s") }
  return { [TALL // 2] = texts[1], [TALL // 2 + 1] = texts[2] }
end

local function ring_row(frame, y, style, text)
  local out, x, skip = {}, 0, nil
  if text then skip = (WIDE - #text) // 2 end
  while x < WIDE do
    if x == skip then
      out[#out + 1] = text
      x = x + #text
    else
      local right, up = (x - WIDE // 2) / 2, TALL // 2 - y
      local radius = math.sqrt(right * right + up * up)
      local at = math.atan(right, up) / (2 * math.pi) % 1
      out[#out + 1] = radius >= INNER and radius <= OUTER
        and sign_of(find(frame.arcs, at), style) or " "
      x = x + 1
    end
  end
  return table.concat(out)
end

-- The lines of a ring, all of them as wide.
local function ring(frame, style)
  local out, texts = {}, middle_of(frame)
  for y = 0, TALL - 1 do
    out[y + 1] = ring_row(frame, y, style, texts[y])
  end
  return out
end

-- --- the grid --------------------------------------------------------------

local EIGHTHS <const> = { "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" }

local function eighth(part)
  return EIGHTHS[math.max(1, math.ceil(part * 8))]
end

local function cell_text(cell, column, style)
  if not cell then return " " end
  if cell.leads == 0 then return style:paint("dim", "○") end
  local sign = cell.turned > 0 and "◆" or "●"
  if cell.of > 1 then sign = eighth(cell.leads / cell.of) end
  return column.first == column.last and style:paint(hue(column.first), sign)
      or sign
end

local function column_label(column)
  local label = (column.sign or "") .. "s" .. column.first
  return column.first == column.last and label or label .. "+"
end

local function grid(scene, frame, style)
  local rows = { { "" } }
  for j, column in ipairs(frame.columns) do
    rows[1][j + 1] = column_label(column)
  end
  for i, row in ipairs(frame.rows) do
    local cells = { (row.sign and row.sign .. " " or "")
                    .. markup.shorten(row.label, LABEL_LONG) }
    for j, column in ipairs(frame.columns) do
      cells[j + 1] = cell_text(frame.cells[i][j], column, style)
    end
    rows[i + 1] = cells
  end
  if scene.heat then
    local cells = { "events" }
    for j, share in ipairs(scene.heat.shares) do
      cells[j + 1] = share > 0 and eighth(share / scene.heat.peak) or "·"
    end
    rows[#rows + 1] = cells
  end
  local lines = {}
  local text = terminal.columns(rows, { gap = " " })
  for line in text:gmatch "[^\n]+" do lines[#lines + 1] = line end
  return lines
end

-- --- both ------------------------------------------------------------------

local function widest(lines)
  local most = 0
  for _, line in ipairs(lines) do
    most = math.max(most, terminal.width(line))
  end
  return most
end

-- Two blocks side by side, the lower one in the middle.
local function beside(left, right)
  local out, wide = {}, widest(left)
  local down = math.max(0, (#left - #right) // 2)
  for i = 1, math.max(#left, #right + down) do
    local line = left[i] or ""
    local more = right[i - down]
    if more then
      line = line .. (" "):rep(wide - terminal.width(line)) .. "   " .. more
    end
    out[i] = line:gsub("%s+$", "")
  end
  return out
end

local function append(out, lines)
  for _, line in ipairs(lines) do out[#out + 1] = line end
end

-- Sentences: texts from outside, which may not reach the terminal as they are.
local function say(out, texts, style)
  for _, text in ipairs(texts) do
    text = markup.clean(text)
    out[#out + 1] = style and style:paint("red", text) or text
  end
end

-- Waves, each behind a bar as long as it takes.
local function add_waves(out, waves)
  out[#out + 1] = ""
  for _, wave in ipairs(waves) do
    local bar = math.max(1, math.floor(wave.part * WAVE + 0.5))
    out[#out + 1] = ("█"):rep(bar) .. (" "):rep(WAVE + 1 - bar)
                 .. markup.clean(wave.text)
  end
  out[#out + 1] = waves.more
end

-- How to read it.
local function legend(scene, frame)
  local out = { "digits are the numbers of shards" }
  if frame.shards > 10 then
    out[1] = out[1] .. ", a is s10" .. (frame.shards > 36
             and ", • is above s35, · is several" or "")
  end
  local column, row = frame.columns[1], frame.rows[1]
  local single = column.first == column.last and row.regions == 1
  out[2] = single and "● leads, ○ follows"
           or "bars are as high as the part of the nodes that leads"
  if single and scene.kind == "plan" then out[3] = "◆ leads now" end
  return table.concat(out, "; ")
end

---The picture.
---@param scene table
---@param style? table of tidal.render.terminal; default plain
---@return string
function M.text(scene, style)
  style = style or terminal.plain
  local first, last = scene.frames[1], scene.frames[#scene.frames]
  local out = { style:paint("bold", markup.clean(scene.title)) }
  say(out, scene.facts)
  out[#out + 1] = ""
  local cells, picture = grid(scene, last, style), ring(last, style)
  if scene.kind == "plan" then
    append(out, beside(ring(first, style), picture))
    out[#out + 1] = ""
    append(out, cells)
  elseif WIDE + 3 + widest(cells) <= SCREEN then
    append(out, beside(picture, cells))
  else
    append(out, beside(picture, {}))
    out[#out + 1] = ""
    append(out, cells)
  end
  if scene.waves then add_waves(out, scene.waves) end
  out[#out + 1] = ""
  out[#out + 1] = legend(scene, last)
  say(out, scene.notes)
  say(out, scene.warnings, style)
  return table.concat(out, "\n")
end

return M
