-- Scenes for specs of drawings: of the golden layouts, and one whose texts
-- are as hostile as texts can be.
local scene = require "tidal.draw.scene"
local script = require "spec.support.script"

local M = {}

M.layouts = dofile "spec/golden/diff/layouts.lua"
M.limits = { arcs = 360, rows = 64, columns = 64, frames = 25 }

---The scene of a value; a name is a golden layout, two are a plan.
function M.scene(value, to, limits)
  if type(value) == "string" then value = M.layouts[value] end
  if to then value = value:diff(M.layouts[to]) end
  return scene.of(value, limits or M.limits)
end

---A layout that has been weighed with a golden log.
function M.weighed(changes)
  return assert(script.layout(changes):plan():weigh {
    ["us-east"] = "spec/golden/v1-single" })
end

M.HOSTILE = "\"'></title></text></script><script>alert(1)</script>&amp;{x}%s\27[31m\0\xff\u{202e}"

---A plan's scene in which every text that people give is hostile.
function M.hostile()
  local one = M.scene("even", "wider")
  local bad = M.HOSTILE
  one.name, one.title = bad, bad
  one.facts, one.warnings, one.notes = { bad }, { bad, bad }, { bad }
  for _, frame in ipairs(one.frames) do
    frame.caption = bad
    for _, row in ipairs(frame.rows) do row.name, row.label = bad, bad end
    for _, column in ipairs(frame.columns) do column.label = bad end
    for _, arc in ipairs(frame.arcs) do arc.first, arc.last = bad, bad end
  end
  for _, sheet in ipairs(one.sheets) do
    sheet.title, sheet.head[1], sheet.more = bad, bad, bad
    for _, row in ipairs(sheet.rows) do row[2] = bad end
  end
  return one
end

---The text of a golden picture; TIDAL_UPDATE_GOLDEN=1 writes what is drawn.
function M.golden(name, text)
  local path = "spec/golden/draw/" .. name
  if os.getenv "TIDAL_UPDATE_GOLDEN" then
    local file = assert(io.open(path, "wb"))
    file:write(text)
    file:close()
  end
  local file = assert(io.open(path, "rb"))
  local kept = file:read "a"
  file:close()
  return kept
end

return M
