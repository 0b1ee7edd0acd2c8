-- What is left of a layout, as text on one screen: long lists show their
-- worst rows, JSON holds all of them.
local amount = require "tidal.amount"
local terminal = require "tidal.render.terminal"

local count <const> = terminal.count

local M = {}

local ROWS_MAX <const> = 8    -- of each group of the matrix
local NAMES_MAX <const> = 8
local REGIONS_MAX <const> = 16
local BROKEN_MAX <const> = 2  -- rules named in a row

local function names(list, say)
  local out = {}
  for i = 1, math.min(#list, NAMES_MAX) do out[i] = say(list[i]) end
  if #list > NAMES_MAX then
    out[#out + 1] = ("... %d more"):format(#list - NAMES_MAX)
  end
  return table.concat(out, " ")
end

local function itself(name) return name end

-- --- a report ------------------------------------------------------------

local function copies_text(left, style)
  local least, most = left.copies.least, left.copies.most
  local text = least == most and ("%d of every shard"):format(least)
            or ("%d at least, %d at most"):format(least, most)
  if least < 2 then
    text = ("%s; %s below 2 copies"):format(text, count(left.below, "shard"))
  end
  if #left.none == 0 then return text end
  return style:paint("red", ("%s; no copy is left of %s"):format(
    text, names(left.none, function(s) return "s" .. s end)))
end

local function writable_text(report)
  local left, shards = report.left, report.layout.shards
  local text = ("%d of %d shards"):format(left.writable, shards)
  if #left.elect == 0 then return text end
  return ("%s at once, %d once %s elected"):format(
    text, left.writable + #left.elect, #left.elect == 1
    and "1 leader is" or ("%d leaders are"):format(#left.elect))
end

local function elect_text(report)
  local regions = report.layout.regions
  return names(report.left.elect, function(change)
    return ("s%d->%s"):format(change.shard, regions[change.target + 1].name)
  end)
end

local function region_rows(report)
  local rows, list = {}, report.regions
  for i = 1, math.min(#list, REGIONS_MAX) do
    local region = list[i]
    rows[i] = {
      "  " .. region.name, ("leads %d"):format(region.leads),
      region.share and "load " .. terminal.percent(region.share) or "",
      region.held and "disk " .. amount.bytes(region.held) or "",
    }
  end
  if #list > REGIONS_MAX then
    rows[#rows + 1] = { "  ...", count(#list - REGIONS_MAX, "more region") }
  end
  return rows
end

local function rule_rows(report, style)
  local rows = {}
  for _, rule in ipairs(report.rules or {}) do
    if not rule.ok then
      rows[#rows + 1] = { style:paint("yellow", "broken then"),
                          ("%s: %s"):format(rule.name, rule.why) }
    end
  end
  return rows
end

---@param report table of inspect/whatif.lua
---@param style? table of tidal.render.terminal
function M.report(report, style)
  style = style or terminal.plain
  local left = report.left
  local rows = { { "writable", writable_text(report) },
                 { "copies", copies_text(left, style) } }
  if #left.elect > 0 then rows[3] = { "elect", elect_text(report) } end
  local parts = {
    ("%s  epoch %d  without %s"):format(
      style:paint("bold", report.layout.name), report.layout.epoch,
      names(report.lost, itself)),
    terminal.columns(rows, { indent = "  " }),
  }
  if #report.regions > 0 then
    parts[#parts + 1] = "regions that are left\n"
      .. terminal.columns(region_rows(report),
                          { right = { [3] = true, [4] = true } })
  end
  local broken = rule_rows(report, style)
  if #broken > 0 then
    parts[#parts + 1] = terminal.columns(broken, { indent = "  " })
  end
  return table.concat(parts, "\n")
end

-- --- the matrix ----------------------------------------------------------

local LABELS <const> = {
  node = function(row)
    return ("%s in %s (%d)"):format(row.role, row.lost[1], row.count)
  end,
  region = function(row) return row.lost[1] end,
  pair = function(row) return table.concat(row.lost, " + ") end,
}

local function peak_text(row)
  local peak = row.peak
  if not peak then return "" end
  local share = peak.share and ", " .. terminal.percent(peak.share) or ""
  return ("%s leads %d%s"):format(peak.name, peak.leads, share)
end

-- Names of the rules that a loss breaks; nothing where none was asked.
local function broken_text(row, style)
  if not row.broken then return "" end
  if #row.broken == 0 then return "rules hold" end
  local rest = #row.broken - BROKEN_MAX
  return style:paint("yellow", ("breaks %s%s"):format(
    table.concat(row.broken, ", ", 1, math.min(#row.broken, BROKEN_MAX)),
    rest > 0 and (" and %d more"):format(rest) or ""))
end

local function matrix_row(noun, row, shards, style)
  local copies = tostring(row.copies)
  if row.copies == 0 then copies = style:paint("red", copies) end
  return { "  " .. LABELS[noun](row), copies,
           ("%d/%d"):format(row.writable, shards), tostring(row.promote),
           peak_text(row), broken_text(row, style) }
end

local TITLES <const> = { node = "one node", region = "one region",
                         pair = "two regions" }

local function rest_text(group)
  if group.untold then return { "  not listed: " .. group.untold } end
  local rest = #group.rows - ROWS_MAX
  return rest > 0 and { ("  ... %d more, none worse"):format(rest) } or nil
end

---@param matrix table of inspect/whatif.lua
---@param style? table of tidal.render.terminal
function M.matrix(matrix, style)
  style = style or terminal.plain
  local layout = matrix.layout
  local rows = { { "lost", "copies left", "writable", "to elect",
                   "busiest then", layout.rules[1] and "rules then" } }
  for _, group in ipairs(matrix.groups) do
    rows[#rows + 1] = { TITLES[group.noun] }
    for i = 1, math.min(#group.rows, ROWS_MAX) do
      rows[#rows + 1] = matrix_row(group.noun, group.rows[i], layout.shards,
                                   style)
    end
    rows[#rows + 1] = rest_text(group)
    rows[#rows + 1] = group.unasked and { "  " .. group.unasked }
  end
  return ("%s  epoch %d  %s x %s, each shard in every region\n%s"):format(
    style:paint("bold", layout.name), layout.epoch,
    count(#layout.regions, "region"), count(layout.shards, "shard"),
    terminal.columns(rows, { right = { [2] = true, [3] = true,
                                       [4] = true } }))
end

return M
