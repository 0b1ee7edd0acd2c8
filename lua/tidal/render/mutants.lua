-- What a spec noticed of the variants of a layout: as text and as JSON.
--
--   M.new(...) -> { total =, killed =, survived =, rows = { { name =, result
--   = "killed" | "timeout" | "survived", by = test or nil, assertion = },
--   ... } } with :text(style) and :json()
local json = require "tidal.json"
local terminal = require "tidal.render.terminal"

local M = {}

local Table = {}
Table.__index = Table

local COLOURS <const> = { killed = "green", timeout = "yellow",
                          survived = "red" }

local function result_of(result)
  if result.status == "timeout" then return "timeout" end
  if result.status == 0 then return "survived" end
  return "killed", result.report and result.report.first
                   or ("the process ended with %d"):format(result.status)
end

---@param layout string file
---@param spec string file
---@param mutants table[] of testing/mutants.lua
---@param results table[] of testing/runs.lua, by number
function M.new(layout, spec, mutants, results)
  local self = setmetatable({ layout = layout, spec = spec, rows = {},
                              total = #mutants, survived = 0 }, Table)
  for i, mutant in ipairs(mutants) do
    local result, by = result_of(results[i])
    if result == "survived" then self.survived = self.survived + 1 end
    self.rows[i] = { name = mutant.name, result = result, by = by,
                     assertion = mutant.assertion }
  end
  self.killed = self.total - self.survived
  return self
end

---@param style? table of tidal.render.terminal; default plain
function Table:text(style)
  style = style or terminal.plain
  local cells, missing, told = {}, {}, {}
  for i, row in ipairs(self.rows) do
    local lives = row.result == "survived"
    cells[i] = { tostring(i), style:paint(COLOURS[row.result], row.result),
                 row.name, row.by or "" }
    if lives and not told[row.assertion] then
      told[row.assertion] = true
      missing[#missing + 1] = "  " .. row.assertion
    end
    if lives then cells[i][4] = "-> " .. row.assertion end
  end
  local sum = ("%d mutants, %d killed, %d survived"):format(self.total,
    self.killed, self.survived)
  local lines = { terminal.columns(cells, { right = { true } }),
                  style:paint("bold", sum) }
  if #missing > 0 then
    lines[3] = "add to " .. self.spec .. ", with require \"tidal.testing\":"
    table.move(missing, 1, #missing, 4, lines)
  end
  return table.concat(lines, "\n")
end

---One JSON object.
function Table:json()
  local rows = {}
  for i, row in ipairs(self.rows) do
    rows[i] = json.object {
      { "id", i }, { "name", row.name }, { "result", row.result },
      { "by", row.by }, { "assertion", row.assertion },
    }
  end
  return json.encode(json.object {
    { "format", "tidal-mutants/1" }, { "layout", self.layout },
    { "spec", self.spec }, { "total", self.total }, { "killed", self.killed },
    { "survived", self.survived }, { "mutants", json.list(rows) },
  })
end

return M
