-- Answers of explain as text: why an id is on its shard, why a move is
-- allowed or not.
local amount = require "tidal.amount"
local core = require "tidal.core"
local terminal = require "tidal.render.terminal"

local M = {}

local NAMES_MAX <const> = 8
local hex <const> = core.u64.hex

local KEYS <const> = {
  single = function() return "single: every id goes to s0" end,
  ranges = function() return "the id itself" end,
  hash = function(answer)
    return ("XXH3-64(id) = %s, %% %d = %d"):format(
      hex(answer.key), answer.modulus, answer.shard)
  end,
  hash_ranges = function(answer)
    return ("XXH3-64(id) = %s"):format(hex(answer.key))
  end,
}

-- " (cluster.lua:14)", or nothing.
local function place(answer, line)
  return line and (" (%s:%d)"):format(answer.file, line) or ""
end

local function share_of(range)
  return (core.u64.tonumber(range.last - range.first) + 1) / 2.0 ^ 64
end

local function bounds(range)
  return ("%s..%s"):format(hex(range.first), hex(range.last))
end

local function names(list)
  local out = {}
  for i = 1, math.min(#list, NAMES_MAX) do out[i] = list[i] end
  local rest = #list - NAMES_MAX
  return table.concat(out, ", ")
         .. (rest > 0 and (" and %d more"):format(rest) or "")
end

local function neighbour(range, answer, none)
  if not range then return none end
  return ("s%d %s%s"):format(range.shard, bounds(range),
                             place(answer, range.line))
end

local function range_rows(answer)
  local range = answer.range
  if not range then return {} end
  return {
    { "range", ("s%d %s, %s of all%s"):format(
      range.shard, bounds(range), terminal.percent(share_of(range)),
      place(answer, range.line)) },
    { "  below", neighbour(answer.below, answer, "nothing: it is the first") },
    { "  above", neighbour(answer.above, answer, "nothing: it is the last") },
  }
end

local function copies_row(answer)
  local layout, followers = answer.layout, {}
  if answer.leader == nil then
    return { "copies", "every region holds and leads it" }
  end
  for _, region in ipairs(layout.regions) do
    if region.id ~= answer.leader then
      followers[#followers + 1] = region.name
    end
  end
  local leads = layout.regions[answer.leader + 1].name .. " leads"
  if #followers == 0 then return { "copies", leads .. ", the only one" } end
  return { "copies", ("%s; %s follow%s"):format(
    leads, names(followers), #followers == 1 and "s" or "") }
end

local function rule_rows(answer, style)
  local rows = {}
  for i, rule in ipairs(answer.rules) do
    local verdict = rule.ok and style:paint("green", "ok")
                 or style:paint("red", "BROKEN")
    rows[i] = { i == 1 and "rules" or "", ("%s  %s%s%s"):format(
      verdict, rule.name, place(answer, rule.line),
      rule.why and ": " .. rule.why or "") }
  end
  return rows
end

-- Refused choices by the rule that binds them, in order.
local function by_rule(choices)
  local out = {}
  for _, choice in ipairs(choices) do
    local group = choice.why and out[choice.rule]
    if group then
      table.insert(group.names, choice.region)
    elseif choice.why then
      group = { names = { choice.region }, choice = choice }
      out[choice.rule], out[#out + 1] = group, group
    end
  end
  return out
end

-- Which other region may lead, and which rule binds the rest.
local function leader_rows(answer, style)
  local may, rows = {}, {}
  for _, choice in ipairs(answer.choices) do
    if not choice.why then may[#may + 1] = choice.region end
  end
  if #may > 0 then
    rows[1] = { "", ("no rule keeps %s from leading it"):format(names(may)) }
  end
  for _, group in ipairs(by_rule(answer.choices)) do
    local choice = group.choice
    rows[#rows + 1] = { "", ("%s %s: rule '%s'%s: %s"):format(
      names(group.names), style:paint("yellow", "may not"), choice.rule,
      place(answer, choice.line), choice.why) }
  end
  if answer.untold > 0 then
    rows[#rows + 1] = { "", ("%d more region%s not tried"):format(
      answer.untold, answer.untold == 1 and " was" or "s were") }
  end
  if rows[1] then rows[1][1] = "leader" end
  return rows
end

---@param answer table of inspect/explain.lua
---@param style? table of tidal.render.terminal
function M.id(answer, style)
  style = style or terminal.plain
  local layout = answer.layout
  local rows = { { "key", KEYS[answer.strategy](answer) } }
  for _, part in ipairs { range_rows(answer), { copies_row(answer) },
                          rule_rows(answer, style),
                          leader_rows(answer, style) } do
    table.move(part, 1, #part, #rows + 1, rows)
  end
  return ("%s is on %s  %s, epoch %d\n%s"):format(
    hex(answer.id), style:paint("bold", "s" .. answer.shard), layout.name,
    layout.epoch, terminal.columns(rows, { indent = "  " }))
end

-- --- moves ---------------------------------------------------------------

local function move_text(answer)
  if answer.kind == "leader" then
    return ("s%d %s->%s"):format(answer.shard, answer.source, answer.target)
  end
  local what = answer.first and bounds(answer) .. " " or ""
  return ("%ss%d->s%d"):format(what, answer.source, answer.target)
end

-- What is copied, where logs told.
local function cost_text(answer)
  local price = answer.price
  return price and (", copies %s (%d event%s)"):format(
    amount.bytes(price.bytes), price.events,
    price.events == 1 and "" or "s") or ""
end

local function after_text(answer)
  local layout = answer.layout
  if answer.kind == "leader" then
    local function leads(name) return layout:leads(layout:region(name).id) end
    local rest = leads(answer.source) - 1
    return ("%s then leads %d shard%s, %s %d; nothing is copied"):format(
      answer.source, rest, rest == 1 and "" or "s", answer.target,
      leads(answer.target) + 1)
  end
  return ("%s of all keys in %d range%s, in each of %d region%s%s"):format(
    terminal.percent(answer.share), #answer.ranges,
    #answer.ranges == 1 and "" or "s", #layout.regions,
    #layout.regions == 1 and "" or "s", cost_text(answer))
end

local function instead_text(answer)
  local instead = answer.instead
  if not instead then
    return answer.tried == 0 and "there is no other"
        or ("no other is allowed (%d tried)"):format(answer.tried)
  elseif answer.kind == "leader" then
    return ("next best %s, which then leads %d"):format(instead.target,
                                                        instead.leads)
  end
  return ("next best s%d, which then owns %s%s"):format(
    instead.target, terminal.percent(instead.share), cost_text(answer))
end

---@param answer table of inspect/motion.lua
---@param style? table of tidal.render.terminal
function M.move(answer, style)
  style = style or terminal.plain
  if answer.allowed then
    return ("%s  %s: every rule holds\n  %s"):format(
      move_text(answer), style:paint("green", "yes"), after_text(answer))
  end
  local no = style:paint("red", "no")
  if not answer.rule then
    return ("%s  %s: %s"):format(move_text(answer), no, answer.why)
  end
  return ("%s  %s: rule '%s'%s%s: %s\n  %s"):format(
    move_text(answer), no, answer.rule, place(answer, answer.line),
    answer.before and " is broken without it too" or "", answer.why,
    instead_text(answer))
end

return M
