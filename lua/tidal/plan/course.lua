-- The steps from one layout to another, in an order in which each can be
-- taken: names, new regions, new shards, keys, leaders, then what is no
-- longer needed, and the epoch last.
local crossing = require "tidal.plan.crossing"
local layouts = require "tidal.cluster.layout"
local steps = require "tidal.plan.steps"
local tables = require "tidal.plan.tables"

local M = {}

local function names_of(layout)
  local list, set = {}, {}
  for i, region in ipairs(layout.regions) do
    list[i], set[region.name] = region.name, i
  end
  return list, set
end

-- Regions that keep their number and get another name; the names after.
local function rename(out, mine, theirs)
  local now, set = {}, {}
  for i, name in ipairs(mine.list) do
    local other = theirs.list[i]
    if not theirs.set[name] and other and not mine.set[other] then
      out[#out + 1] = { kind = "rename_region", region = name, to = other }
      name = other
    end
    now[i], set[name] = name, true
  end
  return now, set
end

-- What changes of the regions: steps before and steps behind the others, and
-- each region's new name by its old one.
local function regions(from, to)
  local mine, theirs = {}, {}
  mine.list, mine.set = names_of(from)
  theirs.list, theirs.set = names_of(to)
  local before, behind = {}, {}
  local now, set = rename(before, mine, theirs)
  for _, name in ipairs(theirs.list) do
    if not set[name] then
      before[#before + 1] = { kind = "add_region", region = name, at = #now }
      now[#now + 1] = name
    end
  end
  for i = #now, 1, -1 do
    if not theirs.set[now[i]] then
      behind[#behind + 1] = { kind = "remove_region", region = now[i],
                              at = i - 1 }
      table.remove(now, i)
    end
  end
  if table.concat(now, "\n") ~= table.concat(theirs.list, "\n") then
    behind[#behind + 1] = { kind = "order_regions", source = now,
                            target = theirs.list }
  end
  return before, behind
end

-- Runs of shards first..last that have the same answer: call(first, last,
-- answer) for each.
local function runs(first, last, answer, call)
  local from, value = first, nil
  for s = first, last do
    local here = answer(s)
    if s > first and here ~= value then
      call(from, s - 1, value)
      from = s
    end
    value = here
  end
  if last >= first then call(from, last, value) end
end

-- Who leads a shard, by name; names change by `renamed`.
local function leader_names(layout, renamed)
  local leaders, names = layouts.leaders(layout), {}
  if leaders == "all" then return function() return nil end end
  for i, region in ipairs(layout.regions) do
    names[i - 1] = renamed[region.name] or region.name
  end
  local plain = {}
  for s = 0, layout.shards - 1 do plain[s] = names[leaders[s]] end
  return function(s) return plain[s] end
end

-- Shards are added rising, and removed from the last one on.
local function add_runs(out, kind, first, last, leader)
  local list = {}
  runs(first, last, leader, function(from, upto, name)
    list[#list + 1] = { kind = kind, first = from, last = upto,
                        leader = name }
  end)
  local falling = kind == "remove_shard"
  for i = 1, #list do
    out[#out + 1] = list[falling and #list + 1 - i or i]
  end
end

-- Runs of one shard's old and new leader, where they differ.
local function leader_steps(out, count, mine, theirs)
  local function pair(s)
    local a, b = mine(s), theirs(s)
    return a ~= b and a .. "\n" .. b or false
  end
  runs(0, count - 1, pair, function(first, last, both)
    if not both then return end
    local source, target = both:match "^(.*)\n(.*)$"
    out[#out + 1] = { kind = "leader", first = first, last = last,
                      source = source, target = target }
  end)
end

-- All leaders as a step holds them.
local function leader_list(layout, shards, leader)
  if layout.leaders == "all" then return "all" end
  local out, default = {}, layout.regions[1].name
  runs(0, shards - 1, function(s) return leader(s) or default end,
       function(first, last, name)
         out[#out + 1] = { first = first, last = last, leader = name }
       end)
  return out
end

---Who leads what: "all", or runs { first =, last =, leader = } of shards.
function M.leaders_of(layout)
  return leader_list(layout, layout.shards, leader_names(layout, {}))
end

local function leaders(out, from, to, mine, theirs)
  local most = math.max(from.shards, to.shards)
  if (from.leaders == "all") == (to.leaders == "all") then
    if to.leaders ~= "all" then
      leader_steps(out, math.min(from.shards, to.shards), mine, theirs)
    end
    return
  end
  local default = to.leaders == "all" and to.regions[1].name
  out[#out + 1] = {
    kind = "leaders",
    source = leader_list(from, most, default and function(s)
      return mine(s) or default
    end or mine),
    target = leader_list(to, most, theirs),
  }
end

local function relabel(out, a, b)
  out[#out + 1] = { kind = "strategy", source = steps.routing(a),
                    target = steps.routing(b) }
end

local function under_name(t, strategy)
  return { firsts = t.firsts, owners = t.owners, strategy = strategy }
end

-- Steps that change the routing: before shards are added, then, and after
-- others are removed. single() has one shard, so it is a table while there
-- are more.
local function keys(crossed, from, to)
  local a, b = tables.of(from), tables.of(to)
  local before, now, behind = {}, {}, {}
  if crossed.space then
    if a.strategy ~= b.strategy then
      if crossing.relabels_first(a, b) then
        relabel(before, a, under_name(a, b.strategy))
      else
        relabel(behind, under_name(b, a.strategy), b)
      end
    end
    for i, move in ipairs(crossed.moves) do
      move.kind = "move"
      now[i] = move
    end
    return before, now, behind
  end
  a = a or { strategy = "hash", n = from.shards }
  b = b or { strategy = "hash", n = to.shards }
  if a.n == b.n and a.n then return before, now, behind end
  if a.strategy == "single" then
    local plain = tables.single "ranges"
    relabel(before, a, plain)
    a = plain
  end
  local last = b
  if b.strategy == "single" then last = tables.single "ranges" end
  relabel(now, a, last)
  if last ~= b then relabel(behind, last, b) end
  return before, now, behind
end

local function append(out, list)
  table.move(list, 1, #list, #out + 1, out)
end

---The steps from one layout to another.
---@param from table
---@param to table
---@param crossed table of plan/crossing.lua
---@return table[] steps
function M.between(from, to, crossed)
  local out, last_of_all = regions(from, to)
  local renamed = {}
  for _, step in ipairs(out) do
    if step.kind == "rename_region" then renamed[step.region] = step.to end
  end
  local mine, theirs = leader_names(from, renamed), leader_names(to, {})
  local before, now, behind = keys(crossed, from, to)
  append(out, before)
  if to.shards > from.shards then
    local default = from.leaders ~= "all" and to.leaders == "all"
                and to.regions[1].name
    add_runs(out, "add_shard", from.shards, to.shards - 1,
             from.leaders == "all" and mine or default
             and function() return default end or theirs)
  end
  append(out, now)
  leaders(out, from, to, mine, theirs)
  if to.shards < from.shards then
    local default = to.leaders ~= "all" and from.leaders == "all"
                and to.regions[1].name
    add_runs(out, "remove_shard", to.shards, from.shards - 1,
             to.leaders == "all" and theirs or default
             and function() return default end or mine)
  end
  append(out, last_of_all)
  append(out, behind)
  if to.epoch ~= from.epoch then
    out[#out + 1] = { kind = "epoch", source = from.epoch,
                      target = to.epoch }
  end
  return out
end

return M
