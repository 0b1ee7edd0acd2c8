-- Tables of words beside a picture: what it shows, for those who read.
--
-- sheet = { title =, head = words, rows = { words, ... }, more = text or nil,
--   right = { [column] = true } where numbers stand }
local core = require "tidal.core"

local M = {}

local ROWS_MAX <const> = 40  -- of one sheet

local function percent(share)
  return ("%.2f %%"):format(share * 100)
end

-- A sheet of the first rows of a list.
local function sheet(title, head, list, noun, row, right)
  local rows = {}
  for i = 1, math.min(#list, ROWS_MAX) do rows[i] = row(list[i], i) end
  local rest = #list - #rows
  return { title = title, head = head, rows = rows, right = right or {},
           more = rest > 0 and ("and %d more %s"):format(rest, noun) or nil }
end

-- Numbers 0..n-1 as a list, no longer than is shown and one.
local function numbers(n)
  local out = {}
  for i = 1, n do out[i] = i - 1 end
  return out
end

local function leader_text(layout, shard)
  if layout.leaders == "all" then return "all regions" end
  return layout.regions[layout.leaders[shard] + 1].name
end

local function hot_text(shard)
  local heat = shard.hottest[1]
  return heat and ("%s, %s events"):format(core.u64.hex(heat.entity),
                                           core.u64.str(heat.events)) or ""
end

-- Which part of the keys each of the first shards owns.
local function shares(plan)
  local out, layout = {}, plan.layout
  for s = 0, math.min(layout.shards, ROWS_MAX) - 1 do
    out[s] = plan.ranges and 0.0 or 1 / layout.shards
  end
  for _, range in ipairs(plan.ranges or {}) do
    local s = range.shard.value
    if s < ROWS_MAX then
      local keys = core.u64.tonumber(range.last - range.first) + 1
      out[s] = out[s] + keys / 2.0 ^ 64
    end
  end
  return out
end

local function shards(plan)
  local layout, load = plan.layout, plan.load
  local owned = shares(plan)
  local head = { "shard", "keys", "leader" }
  local right = { [2] = true }
  if load then
    head[4], head[5], head[6] = "events", "share", "hottest id"
    right[4], right[5] = true, true
  end
  return sheet("Shards", head, numbers(layout.shards), "shards", function(s)
    local row = { "s" .. s, percent(owned[s]),
                  leader_text(layout, s) }
    if load then
      local shard = load.shards[s + 1]
      row[4], row[5] = core.u64.str(shard.events), percent(shard.share)
      row[6] = hot_text(shard)
    end
    return row
  end, right)
end

local function ranges(plan)
  if not plan.ranges then return nil end
  return sheet("Ranges", { "first", "last", "shard" }, plan.ranges, "ranges",
               function(range)
    return { core.u64.hex(range.first), core.u64.hex(range.last),
             "s" .. range.shard.value }
  end)
end

local function losses(plan)
  return sheet("If a region is lost",
               { "region", "copies left", "shards that need a leader" },
               plan.losses, "regions", function(loss)
    return { plan.layout.regions[loss.region + 1].name,
             tostring(loss.copies), tostring(loss.promote) }
  end, { [2] = true, [3] = true })
end

local function rules(plan)
  if #plan.rules == 0 then return nil end
  return sheet("Rules", { "rule", "holds", "why not" }, plan.rules, "rules",
               function(rule)
    return { rule.name, rule.ok and "yes" or "no", rule.why or "" }
  end)
end

---The sheets of a layout's plan.
function M.of_layout(plan)
  local out = { shards(plan) }
  for _, make in ipairs { ranges, losses, rules } do
    out[#out + 1] = make(plan)
  end
  return out
end

-- What a move costs, where the plan was weighed.
local function bytes_of(plan)
  local price = plan.price
  if not price or #price.moves == 0 then return function() return nil end end
  local bytes = require "tidal.amount".bytes
  return function(i) return bytes(price.moves[i].bytes) end
end

local function moves(plan)
  if #plan.moves == 0 then return nil end
  local cost = bytes_of(plan)
  local head = { "from", "to", "first", "last", "share", cost(1) and "bytes" }
  return sheet("Moves", head, plan.moves, "moves", function(move, i)
    return { "s" .. move.source, move.target and "s" .. move.target
             or "others", move.first and core.u64.hex(move.first) or "",
             move.last and core.u64.hex(move.last) or "",
             percent(move.share), cost(i) }
  end, { [5] = true, [6] = true })
end

local function steps(plan)
  local words = require "tidal.render.words".of
  return sheet("Steps", { "step", "what" }, plan.steps, "steps",
               function(step, i)
    return { tostring(i), words(step) }
  end, { [1] = true })
end

local function waves(plan)
  if not plan.schedule then return nil end
  return sheet("Waves", { "wave", "day", "bytes", "time", "copies" },
               plan.schedule:words(), "waves", function(row) return row end,
               { [1] = true, [2] = true, [3] = true, [4] = true })
end

---The sheets of a plan between two layouts.
function M.of_plan(plan)
  local out = { steps(plan) }
  out[#out + 1] = moves(plan)
  out[#out + 1] = waves(plan)
  return out
end

return M
