-- Whether a plan keeps its rules on the way: each rule of the layout it leads
-- to must hold there, and once it holds it must hold after every later step.
-- A rule that the old layout breaks may be broken until it first holds.
--
-- refusal = { step = number of the step after which it is broken (0: the
--   plan leads to a layout that breaks it), rule = name, why =, steps = the
--   fewest steps found that break it, in order, numbers = of those steps,
--   repair = { steps = all steps in an order that breaks no rule, text = }
--   or nil }
--
-- A rule is asked again only where something changed that it looked at: after
-- moves, if it read the routing. So rules must give the same answer to the
-- same layout. Where a rule that reads the routing meets very many moves, it
-- is asked after every `stride` of them only.
local draft = require "tidal.plan.draft"
local frozen = require "tidal.frozen"
local steps = require "tidal.plan.steps"

local M = {}

local REPAIR_TRIES <const> = 256   -- orders that are tried
local REPAIR_STEPS <const> = 512   -- of a plan in which one is looked for
local SUBSET_TRIES <const> = 4096  -- sets of steps tried to shrink
local SUBSET_STEPS <const> = 1 << 19  -- steps taken for that, all together
local WORK_MAX <const> = 1 << 24   -- ranges made for a rule that reads them
local AHEAD <const> = 32           -- layouts that rules are told of at once

-- ok, why of a rule on a layout.
local function ask(rule, layout)
  local ran, ok, why = pcall(rule.check, layout)
  if not ran then return false, tostring(ok) end
  return ok and true or false, not ok and tostring(why or "broken") or nil
end

-- Walks the steps; calls visit(i, draft) after each, and with 0 before. Nil,
-- i and why where a step cannot be taken. A table may be written in more
-- pieces than it needs: at both ends it is the one that is written.
local function walk(from, to, list, visit)
  local now = draft.new(from)
  now.given = from
  visit(0, now)
  for i, step in ipairs(list) do
    local done, why = steps.take(now, step)
    if not done then return nil, i, why end
    now.given = i == #list and to or nil
    if visit(i, now) then break end
  end
  return true
end

-- Between how many moves a rule that reads the routing is asked.
local function stride_of(list, from)
  local moves, ranges = 0, #(from:ranges() or {})
  for _, step in ipairs(list) do
    if step.kind == "move" then moves = moves + 1 end
  end
  return math.max(1, moves * (moves + ranges) // WORK_MAX)
end

-- Rules that are asked in another process are told of many layouts at once;
-- they say what they can when they are asked for each.
local function announce(points, rules)
  local layouts = {}
  for i, point in ipairs(points) do layouts[i] = point.layout end
  for _, rule in ipairs(#points > 1 and rules or {}) do
    if rule.ahead then pcall(rule.ahead, layouts) end
  end
end

-- The answers of all rules along the steps. Gives the first break: i, rule,
-- why; nothing when all hold; a step that cannot be taken breaks too.
local function first_break(from, to, list, rules, stride)
  local held, reads, broken = {}, {}, nil
  local told, waiting = {}, {}  -- points that are not answered yet
  local function asks(i, n)
    local step, next_step = list[i], list[i + 1]
    if not step or step.kind ~= "move" then return true end
    return reads[n] and (i % stride == 0 or not next_step
                         or next_step.kind ~= "move")
  end
  local function layout_at(point, now)
    return now:layout(rules, function() point.seen = true end)
  end
  local function answer(point, now)
    for n, rule in ipairs(rules) do
      local ok, why = held[n], nil
      if asks(point.step, n) then
        point.layout = point.layout or layout_at(point, now)
        ok, why = ask(rule, point.layout)
        reads[n] = point.seen
      end
      if held[n] and not ok then
        broken = { step = point.step, rule = rule, why = why }
        return true
      end
      held[n] = ok
    end
  end
  -- Answers those that were told of last time, while others judge the next.
  local function turn()
    local points = told
    told, waiting = waiting, {}
    announce(told, rules)
    for _, point in ipairs(points) do
      if answer(point) then return true end
    end
  end
  local function settle()
    return turn() or turn()
  end
  local function visit(i, now)
    local point, step = { step = i }, list[i]
    if step and step.kind == "move" then
      return settle() or answer(point, now)
    end
    point.layout = layout_at(point, now)
    waiting[#waiting + 1] = point
    return #waiting == AHEAD and turn()
  end
  local done, at, why = walk(from, to, list, visit)
  if not broken then settle() end
  if broken or done then return broken end
  return { step = at, why = why, rule = { name = "step can be taken" } }
end

-- What is left of steps after taking those in order: ok, why of the rule; nil
-- where they cannot be taken.
local function outcome(from, list, rule, rules)
  local now = draft.new(from)
  for _, step in ipairs(list) do
    if not steps.take(now, step) then return nil end
  end
  if not now.routing.n and not now:table() then return nil end
  return ask(rule, now:layout(rules))
end

local function without(list, first, last)
  local out = table.move(list, 1, first - 1, 1, {})
  return table.move(list, last + 1, #list, first, out)
end

-- Leaves out ever smaller parts while the rest still breaks the rule, or
-- until breaks() gives up: nil.
local function reduce(list, breaks)
  local size = math.max(#list // 2, 1)
  while size >= 1 do
    local at, less = 1, false
    while at <= #list do
      local shorter = without(list, at, math.min(at + size - 1, #list))
      local broken = breaks(shorter)
      if broken == nil then return list end
      if broken then
        list, less = shorter, true
      else
        at = at + size
      end
    end
    if not less or size > 1 then size = size // 2 end
  end
  return list
end

-- The shortest set of one or two steps that breaks it, if `list` is longer.
local function fewest(all, list, breaks)
  if #list > 1 then
    for _, i in ipairs(all) do
      local broken = breaks { i }
      if broken then return { i } end
      if broken == nil then return list end
    end
  end
  if #list > 2 then
    for a = 1, #all do
      for b = a + 1, #all do
        local broken = breaks { all[a], all[b] }
        if broken then return { all[a], all[b] } end
        if broken == nil then return list end
      end
    end
  end
  return list
end

-- Numbers of the fewest steps up to the broken one that break the rule.
local function shrink(plan, broken, rules)
  if ask(broken.rule, plan.from) == false then return {} end
  local numbers, tries, taken_steps = {}, 0, 0
  for i = 1, broken.step do numbers[i] = i end
  local function breaks(list)
    tries, taken_steps = tries + 1, taken_steps + #list
    if tries > SUBSET_TRIES or taken_steps > SUBSET_STEPS then return nil end
    local taken = {}
    for i, n in ipairs(list) do taken[i] = plan.steps[n] end
    return outcome(plan.from, taken, broken.rule, rules) == false
  end
  return fewest(numbers, reduce(numbers, breaks), breaks)
end

local function moved(list, from, to)
  local out = table.move(list, 1, #list, 1, {})
  table.insert(out, to, table.remove(out, from))
  return out
end

local function swapped(list, a, b)
  local out = table.move(list, 1, #list, 1, {})
  out[a], out[b] = out[b], out[a]
  return out
end

-- Orders near the given one: what broke the rule later, or something else
-- earlier, or two swapped.
local function each_order(list, at)
  return coroutine.wrap(function()
    for d = 1, #list do
      for _, other in ipairs { at + d, at - d } do
        if other >= 1 and other <= #list then
          local a, b = math.min(at, other), math.max(at, other)
          coroutine.yield(swapped(list, a, b), ("swap %d and %d"):format(a, b))
          if d > 1 then
            coroutine.yield(moved(list, at, other),
                            ("take %d %s %d"):format(at, other > at
                              and "after" or "before", other))
            coroutine.yield(moved(list, other, at),
                            ("take %d %s %d"):format(other, other > at
                              and "before" or "after", at))
          end
        end
      end
    end
  end)
end

local function repair(plan, broken, rules)
  if #plan.steps > REPAIR_STEPS then return nil end
  local tries = 0
  for list, text in each_order(plan.steps, broken.step) do
    tries = tries + 1
    if tries > REPAIR_TRIES then return nil end
    if not first_break(plan.from, plan.to, list, rules, 1) then
      return { steps = list, text = text }
    end
  end
end

---What refuses a plan, or nil. The plan's own fields, plain tables.
---@param plan table { from =, to =, steps = }
---@return table? refusal, integer stride
function M.judge(plan)
  local rules = plan.to.rules
  if #rules == 0 then return nil, 1 end
  for _, rule in ipairs(rules) do
    local ok, why = ask(rule, plan.to)
    if not ok then
      return { step = 0, rule = rule.name, why = why, steps = {},
               numbers = {} }, 1
    end
  end
  local stride = stride_of(plan.steps, plan.from)
  local broken = first_break(plan.from, plan.to, plan.steps, rules,
                             stride)
  if not broken then return nil, stride end
  local numbers, short = {}, {}
  if broken.rule.check then numbers = shrink(plan, broken, rules) end
  for i, n in ipairs(numbers) do short[i] = plan.steps[n] end
  return { step = broken.step, rule = broken.rule.name, why = broken.why,
           steps = short, numbers = numbers,
           repair = repair(plan, broken, rules) }, stride
end

---The layout after each prefix of the steps, from none to all, one by one.
---@param plan table { from =, to =, steps = }
---@param wanted? { [integer]: true } only after so many steps
---@return fun(): integer?, table?, table? number of steps, layout, last step
function M.states(plan, wanted)
  local now, i, list = draft.new(plan.from), -1, plan.steps
  local rules = plan.to.rules
  return function()
    repeat
      i = i + 1
      if i > #list then return nil end
      local done, why = i == 0, nil
      if not done then done, why = steps.take(now, list[i]) end
      if not done then
        error(("step %d of %d cannot be taken: %s"):format(i, #list, why), 2)
      end
    until not wanted or wanted[i]
    now.given = i == #list and plan.to or i == 0 and plan.from or nil
    return i, now:layout(rules), i > 0 and frozen.view(list[i], "plan") or nil
  end
end

return M
