-- Pictures of a layout, of its plan, or of a plan between two layouts:
-- tidal.render.
--
-- How much is drawn at most decides how large a picture gets; what is put
-- together for it is said in the picture.
local scene = require "tidal.draw.scene"

local M = {}

local SVG <const> = { arcs = 360, rows = 64, columns = 64, frames = 2 }
local STEPS <const> = { arcs = 240, rows = 32, columns = 32, frames = 25 }
local TERMINAL <const> = { arcs = 720, rows = 16, columns = 14, grouped = 8,
                           frames = 2 }

---The picture as text for a terminal.
---@param value table a layout, its plan, or a plan between two
---@param style? table of tidal.render.terminal; default plain
---@return string
function M.terminal(value, style)
  local drawn = scene.of(value, TERMINAL)
  return require "tidal.render.sketch".text(drawn, style)
end

---One static picture, the text of an SVG file.
---@param value table
---@return string
function M.svg(value)
  return require "tidal.render.svg".text(scene.of(value, SVG))
end

---One page that needs nothing else, the text of an HTML file.
---@param value table
---@return string
function M.html(value)
  local drawn = scene.of(value, scene.is_plan(value) and STEPS or SVG)
  return require "tidal.render.html".text(drawn)
end

return M
