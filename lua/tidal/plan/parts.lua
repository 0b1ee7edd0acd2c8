-- Parts of plans, which are plans themselves.
--
--   plan:split(most)        a list of plans that move at most so much each:
--                           "5GB" once weighed, else a share of 1. Each is a
--                           change of its own, so each takes an epoch: the
--                           last one the plan's, if that leaves enough
--   plan:only(region)       what concerns one region, to be read, not applied
--
-- These are methods of plan/diff.lua; `self` is a plan.
local amount = require "tidal.amount"
local draft = require "tidal.plan.draft"
local refuse = require "tidal.faults".refuse
local steps = require "tidal.plan.steps"

local M = {}

local RECORD_BYTES <const> = 21

local function diff()
  return require "tidal.plan.diff"
end

-- What each move counts for, and how much a part may hold.
local function measure(fields, most)
  local bytes = type(most) == "string" and not most:find "%%"
  if bytes then
    local limit, why = amount.read(most, "size")
    if not limit then error(("plan:split: %q %s"):format(most, why), 3) end
    if not fields.price then
      error(("plan:split(%q): the plan has not been weighed; split by a share "
             .. "of 1"):format(most), 3)
    end
    return limit, function(i) return fields.price.moves[i].bytes end
  end
  if type(most) ~= "number" or most ~= most or most <= 0 then
    error('plan:split(most): a size ("5GB") or a share of 1 (0.1) expected', 3)
  end
  return most, function(i) return fields.moves[i].share end
end

-- Numbers of the steps behind which a part ends.
local function ends_of(fields, limit, weight)
  local out, sum, move = {}, 0, 0
  for i, step in ipairs(fields.steps) do
    if step.kind == "move" then
      move = move + 1
      local here = weight(move)
      if sum > 0 and sum + here > limit then
        out[#out + 1], sum = i - 1, 0
      end
      sum = sum + here
    end
  end
  return out
end

-- The price of moves first.. of a plan, as the price of a plan of its own.
local function price_of(price, first, count)
  local out = { bytes = 0, events = 0, regions = {}, copies = {},
                moves = table.move(price.moves, first, first + count - 1, 1,
                                   {}) }
  for i, region in ipairs(price.regions) do
    local moves = table.move(region.moves, first, first + count - 1, 1, {})
    local events = 0
    for _, n in ipairs(moves) do events = events + n end
    out.regions[i] = { region = region.region, moves = moves,
                       events = events, bytes = events * RECORD_BYTES }
    out.events = out.events + events
    out.bytes = out.bytes + events * RECORD_BYTES
  end
  if first == 1 then
    out.copies = price.copies
    for _, copy in ipairs(price.copies) do
      out.bytes = out.bytes + copy.bytes
      out.events = out.events + copy.events
    end
  end
  return out
end

-- The layouts at which parts end. Each is published, so each has an epoch.
local function stops(fields, ends)
  local out, now, part = {}, draft.new(fields.from), 1
  local epoch = fields.from.epoch
  for i, step in ipairs(fields.steps) do
    assert(steps.take(now, step))
    if ends[part] == i then
      local kept = now.epoch
      now.epoch = epoch + part
      out[part] = now:layout(fields.to.rules)
      now.epoch, part = kept, part + 1
    end
  end
  local last = math.max(fields.to.epoch, epoch + part)
  out[part] = last == fields.to.epoch and fields.to
           or draft.at_epoch(fields.to, last)
  return out
end

---@param most string|number
---@return table[] plans
function M.split(self, most)
  local fields = diff().fields(self)
  local limit, weight = measure(fields, most)
  if not fields.space and #fields.moves > 0 then
    refuse("diff", "a change of strategy moves all at once: it cannot be "
           .. "split; go there by a layout between the two")
  end
  local out, from, first = {}, fields.from, 1
  for i, stop in ipairs(stops(fields, ends_of(fields, limit, weight))) do
    local part = diff().new(from, stop)
    if fields.price then
      part = diff().with(part, {
        price = price_of(fields.price, first, #part.moves),
      })
    end
    out[i], from, first = part, stop, first + #part.moves
  end
  return out
end

local ABOUT <const> = {
  rename_region = function(step, name)
    return step.region == name or step.to == name
  end,
  add_region = function(step, name) return step.region == name end,
  remove_region = function(step, name) return step.region == name end,
  add_shard = function() return true end,
  remove_shard = function() return true end,
  leader = function(step, name)
    return step.source == name or step.target == name
  end,
}

-- Whether a step or change concerns a region; what is not about regions
-- concerns all.
local function concerns(step, name)
  local about = ABOUT[step.kind]
  return not about or about(step, name)
end

local function chosen(list, name)
  local out = {}
  for _, step in ipairs(list) do
    if concerns(step, name) then out[#out + 1] = step end
  end
  return out
end

-- What the moves cost one region.
local function price_in(price, name)
  local out = { bytes = 0, events = 0, moves = {}, regions = {}, copies = {} }
  for _, region in ipairs(price.regions) do
    if region.region == name then
      out.regions[1], out.bytes = region, region.bytes
      out.events = region.events
      for i, events in ipairs(region.moves) do
        out.moves[i] = { events = events, bytes = events * RECORD_BYTES }
      end
    end
  end
  for _, copy in ipairs(price.copies) do
    if copy.region == name or copy.source == name then
      out.copies[#out.copies + 1] = copy
      out.bytes, out.events = out.bytes + copy.bytes, out.events + copy.events
    end
  end
  if #out.regions == 0 then
    for i = 1, #price.moves do out.moves[i] = { events = 0, bytes = 0 } end
  end
  return out
end

local function region_name(fields, region)
  for _, layout in ipairs { fields.from, fields.to } do
    local number = tostring(region):match "^r?(%d+)$"
    local found = layout:region(region)
              or number and layout.regions[math.tointeger(number) + 1]
    if found then return found.name end
  end
  refuse("region", "%s has no region %s", fields.to.name, tostring(region))
end

---@param region string|integer a name, "r1" or 1
function M.only(self, region)
  local fields = diff().fields(self)
  local name = region_name(fields, region)
  return diff().with(self, {
    region = name, changes = chosen(fields.changes, name),
    steps = chosen(fields.steps, name),
    price = fields.price and price_in(fields.price, name), schedule = false,
  })
end

return M
