-- Properties: what holds for every value, tried with many, and the smallest
-- counterexample where it does not.
--
--   local prop = require "tidal.testing.prop"
--   it("routes each id to a shard it has", function()
--     prop.forall(prop.layout(), prop.id(), { runs = 200 },
--                 function(layout, id)
--       assert.is_true(layout:route(id).value < layout.shards)
--     end)
--   end)
--
-- A property fails if it raises or returns false. A function among the
-- generators gets the values before it and returns a generator:
-- prop.forall(prop.layout(), function(layout) return prop.id(layout) end, ...)
--
-- The seed is $TIDAL_SEED, else options.seed, else 1: without the variable
-- every run tries the same values.
--
-- Generators (generators.lua, layouts.lua): id integer boolean one_of any_of
-- constant list record event batch layout pair, new(make, show), and
-- generator:map(f).
local choices = require "tidal.testing.choices"
local faults = require "tidal.faults"
local generators = require "tidal.testing.generators"
local prng = require "tidal.prng"

local M = {}

for name, value in next, generators do M[name] = value end
for name, value in next, (require "tidal.testing.layouts") do
  M[name] = value
end

local RUNS <const> = 100
local SEED <const> = 1
local DISCARDED_MAX <const> = 10  -- per run
local SHOWN_BYTES_MAX <const> = 4096
local Discarded <const> = {}

---Leaves this case out unless the condition holds.
function M.assume(condition)
  if not condition then error(Discarded, 0) end
end

---The seed in force.
---@param given? integer options.seed
function M.seed(given)
  local text = os.getenv "TIDAL_SEED"
  if not text or text == "" then return given or SEED end
  local seed = math.tointeger(tonumber(text))
  if seed then return seed end
  error(("TIDAL_SEED=%s: an integer expected"):format(text), 0)
end

-- Values, and how each is shown.
local function draw(list, source)
  local values, shows = {}, {}
  for i, of in ipairs(list) do
    if not generators.is(of) then
      local made = of(table.unpack(values, 1, i - 1))
      if not generators.is(made) then
        error(("prop.forall: function %d returned %s, not a generator")
              :format(i, faults.shown(made)), 0)
      end
      of = made
    end
    values[i], shows[i] = source:span(of.make), of.show
  end
  return values, shows
end

-- What busted's pending() raises: no failure.
local function is_pending(value)
  local meta = type(value) == "table" and getmetatable(value)
  return type(meta) == "table" and meta.__type == "pending"
end

-- Nil if it holds, Discarded, or { why =, values =, shows = }.
local function run(list, property, source)
  local values, shows = draw(list, source)
  local ran, result = pcall(property, table.unpack(values, 1, #list))
  if ran and result ~= false then return nil end
  if not ran and result == Discarded then return Discarded end
  if is_pending(result) then error(result, 0) end
  return { values = values, shows = shows, ran = ran, why = result }
end

-- What is shared by all cases: generators, options, property.
local function parse(...)
  local args = table.pack(...)
  local property, options = args[args.n], {}
  local last = args.n - 1
  if type(property) ~= "function" then
    error("prop.forall(generators..., [options,] property): the property, a "
          .. "function, comes last", 3)
  end
  if type(args[last]) == "table" and not generators.is(args[last]) then
    options, last = args[last], last - 1
  end
  for key in next, options do
    if key ~= "runs" and key ~= "seed" then
      error(("prop.forall: unknown option %s; the options are: runs seed")
            :format(tostring(key)), 3)
    end
  end
  for i = 1, last do
    if not generators.is(args[i]) and type(args[i]) ~= "function" then
      error(("prop.forall: argument %d: a generator expected, got %s"):format(
        i, faults.shown(args[i])), 3)
    end
  end
  if last < 1 then error("prop.forall: a generator expected", 3) end
  return table.move(args, 1, last, 1, {}), options, property
end

-- The command that runs the same cases again.
local function command(file, seed)
  local busted = pcall(require, "tidal.host") and "tidal-lua test" or "busted"
  return ("TIDAL_SEED=%d %s %s"):format(seed, busted, file)
end

local function values_text(case)
  local out = {}
  for i, value in ipairs(case.values) do
    local text = case.shows[i](value):gsub("\n", "\n     ")
    if #text > SHOWN_BYTES_MAX then
      text = text:sub(1, SHOWN_BYTES_MAX) .. " ..."
    end
    out[i] = ("  %d: %s"):format(i, text)
  end
  return table.concat(out, "\n")
end

local function why_text(case)
  if case.ran then return "it returned false" end
  local why = case.why
  local meta = type(why) == "table" and getmetatable(why)
  if type(meta) == "table" and meta.__tostring then return tostring(why) end
  if type(why) == "table" and why.message then return tostring(why.message) end
  return tostring(why)
end

-- A failure in busted, an error elsewhere, at the line of the spec.
local function fail(text, level)
  local found, busted = pcall(require, "busted")
  local raise = found and busted.fail or error
  raise(text, level + 1)
end

-- The smallest case that fails, tries, and whether it stopped early.
local function smallest(list, property, source)
  local function fails(replayed)
    local drawn, case = pcall(run, list, property, replayed)
    return drawn and case ~= nil and case ~= Discarded
  end
  local best, tries, spent = choices.shrink(source, fails)
  return run(list, property, choices.replay(best)), tries, spent
end

-- Runs all cases. Nil, or the failing source and after how many runs.
local function search(list, property, runs, seed)
  local seeds, done, discarded = prng.new(seed), 0, 0
  while done < runs do
    local source = choices.source(seeds())
    local case = run(list, property, source)
    if case == Discarded then
      discarded = discarded + 1
      if discarded > DISCARDED_MAX * runs then
        error(("prop.forall: prop.assume left out %d cases and only %d were "
               .. "tried: let the generators make what it asks for"):format(
          discarded, done), 3)
      end
    else
      done = done + 1
      if case then return source, done, case end
    end
  end
end

---Tries the property; raises with the smallest counterexample found.
---@param ... any generators, options = { runs = 100, seed = 1 }, property
function M.forall(...)
  local list, options, property = parse(...)
  local seed, runs = M.seed(options.seed), options.runs or RUNS
  local source, after, first = search(list, property, runs, seed)
  if not source then return end
  local case, tries, spent = smallest(list, property, source)
  local flaky = not case or case == Discarded
  if flaky then case = first end
  local file = debug.getinfo(2, "S").short_src
  local text = ("the property fails, found in run %d of %d, %s in %d tries:\n"
    .. "%s\n%s\nrepeat: %s"):format(after, runs,
    flaky and "NOT REPEATED" or spent and "shrinking stopped"
    or "made smaller", tries, values_text(case), why_text(case),
    command(file, seed))
  fail(text, 2)
end

return M
