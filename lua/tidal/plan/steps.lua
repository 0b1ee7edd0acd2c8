-- Steps: the small changes that lead from one layout to another, each with
-- the step that takes it back. Flat tables, written to JSON as they are:
--
--   rename_region  { region =, to = }        name, the name it gets
--   add_region     { region =, at = }        at its number in the layout
--   remove_region  { region =, at = }
--   order_regions  { source = names, target = names }
--   add_shard      { first =, last =, leader = }   shards, led by a region
--   remove_shard   { first =, last =, leader = }   (nil when all lead)
--   strategy       { source =, target = }    { strategy =, num_shards = } or
--                  { strategy =, ranges = { { shard =, first =, last = } } }
--   move           { first =, last =, source =, target = }   keys, shards
--   leader         { first =, last =, source =, target = }   shards, regions
--   leaders        { source =, target = }    "all" or { { first =, last =,
--                                            leader = }, ... } by shards
--   epoch          { source =, target = }
--
-- take(draft, step) does one; nil and why where it cannot be done there.
local tables = require "tidal.plan.tables"

local M = {}

local OPPOSITE <const> = {
  add_region = "remove_region", remove_region = "add_region",
  add_shard = "remove_shard", remove_shard = "add_shard",
}

---The step that takes this one back.
---@param step table
---@return table
function M.inverse(step)
  local out = {}
  for key, value in next, step do out[key] = value end
  out.kind = OPPOSITE[step.kind] or step.kind
  if step.kind == "rename_region" then
    out.region, out.to = step.to, step.region
  else
    out.source, out.target = step.target, step.source
  end
  return out
end

-- --- taking --------------------------------------------------------------

local taking = {}

function taking.rename_region(draft, step)
  local mark, why = draft:region(step.region)
  if not mark then return nil, why end
  if draft:region(step.to) then
    return nil, ("there is a region %s already"):format(step.to)
  end
  draft:rename(mark, step.to)
  return true
end

function taking.add_region(draft, step)
  if draft:region(step.region) then
    return nil, ("there is a region %s already"):format(step.region)
  elseif step.at > #draft.order then
    return nil, ("the last region is r%d"):format(#draft.order - 1)
  end
  draft:insert(step.region, step.at)
  return true
end

function taking.remove_region(draft, step)
  local mark, at = draft:region(step.region)
  if not mark then return nil, at end
  if at ~= step.at + 1 then
    return nil, ("region %s is r%d"):format(step.region, at - 1)
  elseif (draft.leads[mark] or 0) > 0 then
    return nil, ("region %s leads %d shards"):format(step.region,
                                                     draft.leads[mark])
  elseif #draft.order == 1 then
    return nil, "it is the only region"
  end
  draft:drop(step.at)
  return true
end

function taking.order_regions(draft, step)
  local order = {}
  for i, name in ipairs(step.target) do
    local mark, why = draft:region(name)
    if not mark then return nil, why end
    order[i] = mark
  end
  if #order ~= #draft.order then return nil, "it does not name all regions" end
  draft.order = order
  return true
end

-- The mark of a step's leader; false when all lead.
local function leader_of(draft, step)
  if draft.leaders == "all" then
    if step.leader then return nil, "all regions lead" end
    return false
  end
  if not step.leader then return nil, "no region is named to lead them" end
  return draft:region(step.leader)
end

function taking.add_shard(draft, step)
  local mark, why = leader_of(draft, step)
  if mark == nil then return nil, why end
  if step.first ~= draft.shards then
    return nil, ("there are %d shards"):format(draft.shards)
  elseif draft.routing.strategy == "single" then
    return nil, "single() has one shard"
  end
  draft.shards = step.last + 1
  for s = step.first, mark and step.last or -1 do draft:lead(s, mark) end
  return true
end

-- Whether shards from `first` on own keys.
local function own_keys(draft, first)
  local t, misfit = draft:table()
  if not t then return true, ("s%d lacks keys"):format(misfit.source) end
  if t.n then return t.n > first end
  if not t.most then
    t.most = 0
    for _, shard in ipairs(t.owners) do t.most = math.max(t.most, shard) end
  end
  return t.most >= first
end

function taking.remove_shard(draft, step)
  local mark, why = leader_of(draft, step)
  if mark == nil then return nil, why end
  if step.last ~= draft.shards - 1 then
    return nil, ("there are %d shards"):format(draft.shards)
  elseif step.first < 1 then
    return nil, "it would remove every shard"
  end
  for s = step.first, mark and step.last or -1 do
    if draft.leaders[s] ~= mark then
      return nil, ("s%d is not led by %s"):format(s, step.leader)
    end
  end
  local owns, lacks = own_keys(draft, step.first)
  if owns then return nil, lacks or ("s%d owns keys"):format(step.last) end
  for s = step.first, mark and step.last or -1 do draft:lead(s, nil) end
  draft.shards = step.first
  return true
end

---A routing as it stands in a step.
---@param t table of plan/tables.lua, or { strategy = "hash", n = }
function M.routing(t)
  if t.n then return { strategy = "hash", num_shards = t.n } end
  if t.strategy == "single" then
    return { strategy = "single", num_shards = 1 }
  end
  local ranges = {}
  for i, shard in ipairs(t.owners) do
    ranges[i] = { shard = shard, first = t.firsts[i],
                  last = tables.last(t, i) }
  end
  return { strategy = t.strategy, ranges = ranges }
end

-- The other way round.
local function table_of(routing)
  if routing.strategy == "hash" then
    return { strategy = "hash", n = routing.num_shards }
  elseif routing.strategy == "single" then
    return tables.single "single"
  end
  local t = { firsts = {}, owners = {}, strategy = routing.strategy }
  for i, range in ipairs(routing.ranges) do
    t.firsts[i], t.owners[i] = range.first, range.shard
  end
  return t
end

local function same_routing(a, b)
  if a.n or b.n then return a.n == b.n end
  return tables.same(a, b)
end

function taking.strategy(draft, step)
  local now, misfit = draft:table()
  if not now then return nil, ("s%d lacks keys"):format(misfit.source) end
  if not same_routing(now, table_of(step.source)) then
    return nil, "the routing is another one"
  end
  local after, most = table_of(step.target), 0
  for _, shard in ipairs(after.owners or {}) do most = math.max(most, shard) end
  if (after.n or most + 1) > draft.shards then
    return nil, ("there are %d shards"):format(draft.shards)
  elseif after.strategy == "single" and draft.shards ~= 1 then
    return nil, "single() has one shard"
  end
  draft.routing, draft.moves = after, {}
  return true
end

-- Whether the source owns the keys shows when a table is made.
function taking.move(draft, step)
  if draft.routing.n then return nil, "hash has no ranges to move" end
  if step.source >= draft.shards or step.target >= draft.shards then
    return nil, ("there are %d shards"):format(draft.shards)
  end
  draft.moves[#draft.moves + 1] = step
  return true
end

function taking.leader(draft, step)
  if draft.leaders == "all" then return nil, "all regions lead" end
  local source, why = draft:region(step.source)
  if not source then return nil, why end
  local target
  target, why = draft:region(step.target)
  if not target then return nil, why end
  for s = step.first, step.last do
    if draft.leaders[s] ~= source then
      return nil, ("s%d is not led by %s"):format(s, step.source)
    end
  end
  for s = step.first, step.last do draft:lead(s, target) end
  return true
end

function taking.leaders(draft, step)
  if (step.source == "all") ~= (draft.leaders == "all") then
    return nil, "the leaders are others"
  elseif step.target == "all" then
    draft:lead_all "all"
    return true
  end
  local marks, count = {}, 0
  for _, run in ipairs(step.target) do
    local mark, why = draft:region(run.leader)
    if not mark then return nil, why end
    for s = run.first, run.last do marks[s], count = mark, count + 1 end
  end
  if count ~= draft.shards then
    return nil, ("it names leaders of %d shards of %d"):format(count,
                                                               draft.shards)
  end
  draft:lead_all(marks)
  return true
end

function taking.epoch(draft, step)
  if draft.epoch ~= step.source then
    return nil, ("the epoch is %d"):format(draft.epoch)
  end
  draft.epoch = step.target
  return true
end

---Takes a step.
---@param draft table of plan/draft.lua
---@param step table
---@return true? done, string? why not; then the draft is as before
function M.take(draft, step)
  local take = taking[step.kind]
  if not take then return nil, "no such step: " .. tostring(step.kind) end
  return take(draft, step)
end

return M
