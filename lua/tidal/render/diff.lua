-- A plan between two layouts as text: one screen. What changes first, then
-- what moves, then one line that sums it up. Long lists are shortened in the
-- middle; the JSON holds all of it.
local core = require "tidal.core"
local terminal = require "tidal.render.terminal"
local text = require "tidal.text"
local words = require "tidal.render.words"

local count <const> = terminal.count

local M = {}

local CHANGES_MAX <const> = 12  -- listed
local MOVES_MAX <const> = 16
local PAIRS_MAX <const> = 8     -- moves that are pairs of shards: much alike

-- The row for what is left out: "... 7 more moves".
local function more(noun)
  return function(n) return { "... " .. count(n, "more " .. noun) } end
end

local function head(plan, style)
  local from, to = plan.from, plan.to
  return ("%s  epoch %d -> %d  %d x %d -> %d x %d (regions x shards)"):format(
    style:paint("bold", to.name), from.epoch, to.epoch, #from.regions,
    from.shards, #to.regions, to.shards)
end

local COLOURS <const> = { ["+"] = "green", ["-"] = "red", ["~"] = "yellow" }

local function changes(plan, style)
  local list = {}
  for _, change in ipairs(plan.changes) do
    if words.is_plain(change) and change.kind ~= "epoch" then
      list[#list + 1] = change
    end
  end
  if #list == 0 then return nil end
  local rows = terminal.shorten(list, CHANGES_MAX, function(change)
    local sign, said = words.say(change)
    return { ("%s %s"):format(style:paint(COLOURS[sign], sign), said) }
  end, more "change")
  return terminal.columns(rows)
end

-- Bytes of a move and the regions that have some.
local function cost_cells(plan, i)
  local cost = plan.price and plan.price.moves and plan.price.moves[i]
  if not cost then return "" end
  return text.bytes(cost.bytes)
end

local function regions_cell(plan)
  local names = {}
  for i, region in ipairs(plan.from.regions) do
    if i > 3 then
      names[4] = "..."
      break
    end
    names[i] = "r" .. region.id
  end
  return table.concat(names, ",")
end

local function move_row(plan, style, move, i, kind)
  local where = ""
  if plan.space then
    where = ("[%s..%s]"):format(core.u64.hex(move.first),
                                core.u64.hex(move.last))
  end
  return { ("%s s%d -> %s"):format(style:paint("yellow", "~"), move.source,
                                   move.target and "s" .. move.target
                                   or "others"),
           where, terminal.percent(move.share), cost_cells(plan, i),
           kind or "", regions_cell(plan) }
end

local function moves(plan, style)
  if #plan.moves == 0 then return nil end
  local kinds = {}
  for _, change in ipairs(plan.changes) do
    if change.first and not words.is_plain(change) then
      kinds[#kinds + 1] = change.kind
    end
  end
  local most = plan.space and MOVES_MAX or PAIRS_MAX
  local rows = terminal.shorten(plan.moves, most, function(move, i)
    return move_row(plan, style, move, i, kinds[i])
  end, more "move")
  return terminal.columns(rows, { right = { [3] = true, [4] = true } })
end

local NOUNS <const> = {
  { "split", "split", "splits" }, { "merge", "merge", "merges" },
  { "move", "move", "moves" }, { "add_region", "new region", "new regions" },
  { "remove_region", "region removed", "regions removed" },
  { "rename_region", "region renamed", "regions renamed" },
  { "renumber_region", "region renumbered", "regions renumbered" },
  { "leader", "change of leaders", "changes of leaders" },
}

-- "1 split, 3 moves"
local function tally(plan)
  local counts, out = {}, {}
  for _, change in ipairs(plan.changes) do
    counts[change.kind] = (counts[change.kind] or 0) + 1
  end
  if not plan.space and #plan.moves > 0 then
    counts.move = (counts.move or 0) + #plan.moves
  end
  for _, noun in ipairs(NOUNS) do
    local n = counts[noun[1]]
    if n then
      out[#out + 1] = ("%d %s"):format(n, n == 1 and noun[2] or noun[3])
    end
  end
  return #out > 0 and table.concat(out, ", ") or count(#plan.steps, "step")
end

local function bytes_text(plan)
  local price = plan.price
  return price and ", " .. text.bytes(price.bytes) or ""
end

local function bound_text(plan)
  local bound = plan.lower_bound
  local bytes = bound.bytes and ", " .. text.bytes(bound.bytes) or ""
  local least = terminal.percent(bound.share) .. bytes
  if plan.minimal then return least .. " (plan is minimal)" end
  return least
end

local function summary(plan, style)
  if #plan.moves == 0 and not plan.price then
    return ("%s %s. No keys move."):format(style:paint("bold", "Plan:"),
                                           tally(plan))
  end
  local share = terminal.percent(plan.share)
  return ("%s %s. Moves %s%s of all keys%s. Lower bound %s."):format(
    style:paint("bold", "Plan:"), tally(plan), plan.exact and "" or "about ",
    share, bytes_text(plan), bound_text(plan))
end

-- What is copied at the same time, and how long that takes.
local function waves(plan)
  return plan.schedule and tostring(plan.schedule) or nil
end

local HASH_NOTE <const> =
  "note: hash moves nearly everything when the number of shards changes; under"
  .. "\n      routing = tidal.routing.hash_ranges{...} a new shard moves only "
  .. "what it\n      gets: %s here"
local RANGES_NOTE <const> =
  "note: other boundaries give every shard as many keys and move %s; diff "
  .. "--least\n      shows them"
local STRATEGY_NOTE <const> =
  "note: a change of strategy moves more than the shards gain, which is %s"

-- What would be better, where much moves without need.
local function advice(plan, style, value)
  if plan.minimal or #plan.moves == 0 then return nil end
  local hashed = plan.to.router:strategy() == "hash"
             and plan.from.router:strategy() == "hash"
  local note = value:has_least() and RANGES_NOTE or hashed and HASH_NOTE
            or STRATEGY_NOTE
  return style:paint("yellow",
                     note:format(terminal.percent(plan.lower_bound.share)))
end

-- The regions of the new layout in an order in which those that stay keep
-- their numbers; nil where one that leaves takes its number with it.
local function steady_order(plan)
  local out, seen, renamed = {}, {}, {}
  for _, step in ipairs(plan.steps) do
    if step.kind == "rename_region" then renamed[step.region] = step.to end
  end
  for i, region in ipairs(plan.from.regions) do
    local name = renamed[region.name] or region.name
    out[i] = plan.to:region(name) and name or false
    seen[name] = true
  end
  local hole = 1
  for _, region in ipairs(plan.to.regions) do
    if not seen[region.name] then
      while out[hole] do hole = hole + 1 end
      out[hole] = region.name
    end
  end
  while out[#out] == false do out[#out] = nil end
  for _, name in ipairs(out) do
    if not name then return nil end
  end
  return out
end

local PLACE_NOTE <const> =
  "note: a region's number is its place in the list. With\n      regions = "
  .. "{ \"%s\" }\n      none gets another one, and no log is copied for it"
local LEAVE_NOTE <const> =
  "note: a region's number is its place in the list: those behind one that "
  .. "leaves\n      get another one, and their logs are copied. A new region "
  .. "in its place, or\n      removing the last one, renumbers nothing"

-- How to leave the regions their numbers, where they get others.
local function numbering(plan, style)
  for _, change in ipairs(plan.changes) do
    if change.kind == "renumber_region" then
      local order = steady_order(plan)
      return style:paint("yellow", order
        and PLACE_NOTE:format(table.concat(order, '", "')) or LEAVE_NOTE)
    end
  end
end

-- Why the plan is refused, the fewest steps that show it, and the repair.
local function refusal(plan, style, value)
  local found, stride = value:check()
  style = style or terminal.plain
  if not found then
    if plan.unasked then
      return ("rules were asked when the plan was written: %s; --to LAYOUT "
              .. "asks them\nagain"):format(table.concat(plan.unasked, ", "))
    end
    if stride == 1 then return nil end
    return ("rules were checked after every %d moves"):format(stride)
  end
  local out = { style:paint("red", "plan rejected:") }
  if found.step == 0 then
    out[1] = ("%s the layout itself breaks rule '%s': %s"):format(
      out[1], found.rule, found.why)
    return out[1]
  end
  out[1] = ("%s after step %d of %d rule '%s' is broken: %s."):format(
    out[1], found.step, #plan.steps, found.rule, found.why)
  if #found.steps > 0 then
    out[1] = ("%s shrunk %d -> %s:"):format(out[1], found.step,
                                            count(#found.steps, "step"))
  end
  for i, step in ipairs(found.steps) do
    out[#out + 1] = ("  %d. %s"):format(found.numbers[i], words.of(step))
  end
  out[#out + 1] = found.repair
    and ("  %s to repair (checked)"):format(found.repair.text)
    or "  no other order near this one keeps the rules"
  return table.concat(out, "\n")
end

-- Sentences for other pictures: of (plan's fields, style[, plan]).
M.summary, M.refusal = summary, refusal

---@param value table a plan of plan/diff.lua
---@param plan table its fields, as plain tables: they may be many
---@param style? table of tidal.render.terminal
function M.text(value, plan, style)
  style = style or terminal.plain
  if value:empty() then return "no changes" end
  local parts = {}
  for _, part in ipairs { head, changes, moves, summary, waves, numbering,
                          advice, refusal } do
    parts[#parts + 1] = part(plan, style, value)
  end
  return table.concat(parts, "\n")
end

return M
