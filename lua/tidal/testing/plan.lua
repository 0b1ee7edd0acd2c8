-- assert.plan(from, to [, { region = DIR }]): checks of what lies between
-- two layouts. It returns the checks, so that one follows the other:
--
--   assert.plan(a, b).moves_at_most("8GB")      what is copied, in all
--     .moves_at_most "20 %"                     regions; of all keys
--     .keeps(rule)          on the old layout and after each step
--     .minimal()            no plan to such shares moves less
--     .takes_at_most(12)    steps
--
-- .is_not (or .does_not) turns the one check round that follows it. A size
-- needs the logs: the third argument names their directories.
local luassert = require "luassert"
local amount = require "tidal.amount"
local core = require "tidal.core"
local diff = require "tidal.plan.diff"
local draft = require "tidal.plan.draft"
local faults = require "tidal.faults"
local judge = require "tidal.plan.judge"
local register = require "tidal.testing.register"
local words = require "tidal.render.words"
local terminal = require "tidal.render.terminal"

local M = {}

local STEPS_SHOWN <const> = 8

-- "prod epoch 1 -> 2", and the command that shows the plan.
local function named(plan)
  local from, to = plan.from, plan.to
  return ("the plan of %s, epoch %d -> %d"):format(to.name, from.epoch,
                                                  to.epoch),
         ("look closer: tidal-lua diff %s %s"):format(from.file or "OLD",
                                                      to.file or "NEW")
end

local function texts(plan, expected, is, otherwise)
  local name, closer = named(plan)
  return {
    yes = ("expected %s %s\n%s\n%s"):format(name, expected, is, closer),
    no = ("expected %s %s\n%s\n%s"):format(name, otherwise, is, closer),
  }
end

-- A share of 1 from "20 %" or a number 0..1; nil for another value.
local function share_of(given)
  if type(given) == "string" then
    local digits = given:match "^%s*(%d+%.?%d*)%s*%%%s*$"
    return digits and tonumber(digits) / 100
  end
  return math.type(given) == "float" and given >= 0 and given <= 1 and given
      or (given == 0 or given == 1) and given + 0.0 or nil
end

local Checks = {}

-- The largest moves, one a line.
local function largest(plan)
  local list = {}
  for i, move in ipairs(plan.moves) do list[i] = move end
  table.sort(list, function(a, b)
    if a.share ~= b.share then return a.share > b.share end
    return math.ult(a.first or 0, b.first or 0)
  end)
  local out = {}
  for i = 1, math.min(3, #list) do
    local move = list[i]
    out[i] = ("  s%d -> s%s  %s%s"):format(move.source,
      tostring(move.target or "*"), terminal.percent(move.share),
      move.first and ("  %s..%s"):format(core.u64.hex(move.first),
                                         core.u64.hex(move.last)) or "")
  end
  if #list > 3 then out[4] = ("  ... %d more"):format(#list - 3) end
  return table.concat(out, "\n")
end

local function moves_share(plan, most, given)
  local is = ("it moves %s of all keys, the least possible is %s"):format(
    terminal.percent(plan.share), terminal.percent(plan.lower_bound.share))
  if #plan.moves > 0 then is = is .. "\n" .. largest(plan) end
  return plan.share <= most,
    texts(plan, ("to move at most %s"):format(given), is,
          ("to move more than %s"):format(given))
end

-- What is copied (a size), or the share of all keys.
function Checks.moves_at_most(plan, given)
  local where = ".moves_at_most(most)"
  local share = share_of(given)
  if share then
    return moves_share(plan, share, type(given) == "string" and given
                       or terminal.percent(share))
  end
  local limit = type(given) == "string" and amount.read(given, "size")
  if not limit then
    register.wrong('%s: a size ("8GB") or a share ("20 %%", 0.2) expected, '
                   .. "got %s", where, faults.shown(given))
  elseif not plan.price then
    register.wrong("%s: a size needs the logs: assert.plan(from, to, "
                   .. "{ [\"REGION\"] = DIR })", where)
  end
  local bytes = plan.price.bytes
  return bytes <= limit,
    texts(plan, "to move at most " .. given,
          ("it moves %s (%d bytes), the least possible is %s"):format(
            amount.bytes(bytes), bytes,
            amount.bytes(plan.lower_bound.bytes)),
          "to move more than " .. given)
end

-- The layout that a plan leads to, with this rule alone.
local function ruled(plan, rule)
  local now = draft.new(plan.to)
  now.given = plan.to
  return now:layout { rule }
end

local function steps_text(refusal)
  local out = {}
  for i, step in ipairs(refusal.steps) do
    if i > STEPS_SHOWN then
      out[i] = ("  ... %d more"):format(#refusal.steps - STEPS_SHOWN)
      break
    end
    out[i] = ("  %d. %s"):format(refusal.numbers[i], words.of(step))
  end
  if refusal.repair then
    out[#out + 1] = "  to repair: " .. refusal.repair.text
  end
  return table.concat(out, "\n")
end

-- Nil where a plan keeps a rule; else where not, and why.
local function broken(plan, rule)
  local ran, ok, why = pcall(rule.check, plan.from)
  if not ran or not ok then
    return ("the old layout breaks it before the first step: %s"):format(
      tostring(not ran and ok or why or "broken"))
  end
  local refusal = judge.judge { from = plan.from, to = ruled(plan, rule),
                                steps = diff.fields(plan).steps }
  if not refusal then return nil end
  if refusal.step == 0 then
    return "the new layout breaks it: " .. refusal.why
  end
  return ("after step %d of %d it is broken: %s\nthese steps are enough:\n%s")
    :format(refusal.step, #plan.steps, refusal.why, steps_text(refusal))
end

-- A rule, on the old layout and after each step.
function Checks.keeps(plan, given, testing)
  local rule = testing.rule(plan.to, given, ".keeps(rule)")
  if not rule then return false, testing.undeclared(plan.to, given) end
  local why = broken(plan, rule)
  return why == nil,
    texts(plan, ("to keep '%s' at every step"):format(rule.name),
          why or ("it holds before it and after each of its %d steps")
                 :format(#plan.steps),
          ("to break '%s' at some step"):format(rule.name))
end

-- No plan to such shares moves less.
function Checks.minimal(plan)
  local name = terminal.percent(plan.share)
  local is = not plan.exact
    and ("single keys move by their hash: about %s, the least possible is %s")
        :format(name, terminal.percent(plan.lower_bound.share))
    or ("it moves %s of all keys, the least possible is %s"):format(name,
      terminal.percent(plan.lower_bound.share))
  return plan.minimal, texts(plan, "to be minimal", is,
                             "to move more than it has to")
end

-- So many steps.
function Checks.takes_at_most(plan, most)
  if math.type(most) ~= "integer" or most < 0 then
    register.wrong(".takes_at_most(steps): an integer >= 0 expected, got %s",
                   faults.shown(most))
  end
  local count, rows = #plan.steps, {}
  for i = 1, math.min(count, STEPS_SHOWN) do
    rows[i] = ("  %d. %s"):format(i, words.of(plan.steps[i]))
  end
  if count > STEPS_SHOWN then
    rows[#rows + 1] = ("  ... %d more"):format(count - STEPS_SHOWN)
  end
  return count <= most,
    texts(plan, ("to take at most %d steps"):format(most),
          ("it takes %d%s"):format(count, count > 0 and ":\n"
            .. table.concat(rows, "\n") or ""),
          ("to take more than %d steps"):format(most))
end

local KNOWN <const> = "moves_at_most keeps minimal takes_at_most is_not "
  .. "does_not"

-- The checks of a plan. Each goes through luassert as a tail call: so a
-- failure is at the line of the spec.
local function chain(plan, negated)
  local self = { plan = plan }
  return setmetatable(self, { __index = function(_, key)
    if key == "is_not" or key == "does_not" then
      return chain(plan, not negated)
    elseif not Checks[key] then
      error(("assert.plan has no .%s; there are: %s"):format(tostring(key),
                                                            KNOWN), 2)
    end
    return function(...)
      local to = negated and luassert.is_not or luassert.is
      return to.planned(plan, key, ...)
    end
  end })
end

-- The plan, weighed where there are logs; nil and why.
local function plan_of(from, to, dirs)
  local made, plan = pcall(from.diff, from, to)
  if not made then return nil, tostring(plan) end
  if not dirs then return plan end
  local weighed, err = plan:weigh(dirs)
  if not weighed then return nil, tostring(err) end
  return weighed
end

---Adds the assertions.
---@param testing table tidal.testing
function M.add(testing)
  register.add("planned", function(plan, key, ...)
    local ok, text = Checks[key](plan, ..., testing)
    return ok, text, chain(plan)
  end)
  register.add("plan", function(from, to, dirs)
    local where = "assert.plan(from, to)"
    register.layout(from, where)
    register.layout(to, where)
    local plan, why = plan_of(from, to, dirs)
    local between = ("from %s to %s"):format((register.name(from)),
                                             (register.name(to)))
    return plan ~= nil, {
      yes = ("expected a plan %s\nthere is none: %s"):format(between,
                                                             why or ""),
      no = ("expected no plan %s, but there is one"):format(between),
    }, plan and chain(plan)
  end)
end

return M
