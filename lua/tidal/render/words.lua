-- Steps of a plan and changes in words, as text and pictures show them.
local core = require "tidal.core"
local count = require "tidal.render.terminal".count

local M = {}

local function shards_text(step)
  if step.first == step.last then return "s" .. step.first end
  return ("s%d..s%d"):format(step.first, step.last)
end

local function routing_text(routing)
  if routing.strategy == "hash" then
    return ("hash, XXH3-64(id) %% %d"):format(routing.num_shards)
  elseif routing.strategy == "single" then
    return "single"
  end
  return ("%s, %s"):format(routing.strategy, count(#routing.ranges, "range"))
end

local function led(step)
  return step.leader and " led by " .. step.leader or ""
end

local function leaders_text(value)
  return value == "all" and "all regions" or "one region a shard"
end

-- How each change that is no move reads, behind its sign.
local SAY <const> = {
  rename_region = function(step)
    return "~", ("region %s is called %s (same number, same logs)"):format(
      step.region, step.to)
  end,
  add_region = function(step)
    return "+", ("region r%d %s"):format(step.at, step.region)
  end,
  remove_region = function(step)
    return "-", ("region r%d %s"):format(step.at, step.region)
  end,
  order_regions = function(step)
    return "~", ("regions stand in the order %s"):format(
      table.concat(step.target, " "))
  end,
  renumber_region = function(step)
    return "~", ("region %s is r%d, it was r%d: logs are named by number, "
      .. "so all of its are new"):format(step.region, step.target,
                                         step.source)
  end,
  add_shard = function(step)
    return "+", ("shard %s%s"):format(shards_text(step), led(step))
  end,
  remove_shard = function(step)
    return "-", ("shard %s"):format(shards_text(step))
  end,
  strategy = function(step)
    return "~", ("routing %s -> %s"):format(routing_text(step.source),
                                            routing_text(step.target))
  end,
  leader = function(step)
    return "~", ("leader of %s  %s -> %s"):format(shards_text(step),
                                                  step.source, step.target)
  end,
  leaders = function(step)
    return "~", ("leaders  %s -> %s"):format(leaders_text(step.source),
                                             leaders_text(step.target))
  end,
  epoch = function(step)
    return "~", ("epoch %d -> %d"):format(step.source, step.target)
  end,
}

---True for a step or a change that moves no keys.
function M.is_plain(step)
  return SAY[step.kind] ~= nil
end

---A step or a change that is no move, in words.
---@return string sign "+", "-" or "~"
---@return string words
function M.say(step)
  return SAY[step.kind](step)
end

---Any step or change in words.
function M.of(step)
  if SAY[step.kind] then
    local sign, words = M.say(step)
    return sign == "~" and words or sign .. " " .. words
  end
  return ("s%d -> s%d %s..%s"):format(step.source, step.target,
                                      core.u64.hex(step.first),
                                      core.u64.hex(step.last))
end

return M
