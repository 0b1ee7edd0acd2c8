-- What runs in a cell (host/cell.h): evaluates one script and answers with
-- data, then answers for its rules until the host closes the socket.
--
-- Only here are the functions of a script called. They get the environment
-- of tidal.hermetic.sandbox; everything that happens in them counts towards
-- their budget.
local brief = require "tidal.hermetic.brief"
local cell = require "tidal.cell"
local cluster = require "tidal.cluster"
local core = require "tidal.core"
local letter = require "tidal.hermetic.letter"
local precheck = require "tidal.hermetic.precheck"
local raised = require "tidal.raised"
local rules = require "tidal.rules"
local sandbox = require "tidal.hermetic.sandbox"
local strings = require "tidal.hermetic.strings"

local M = {}

local RULES_BUDGET <const> = 20000000 -- instructions for judging one layout
local TELL_BUDGET <const> = 100000    -- for an error object's __tostring

-- Scripts get the constructor; the rest of the module reads files.
local load_layout = cluster.load
cluster.load = nil

-- The files that the host handed over, by path: tidal.cluster.origin reads
-- them again to find the lines of faults.
local texts = {}

-- Stands in for the library: files that are in memory, to be read whole.
_G.io = {
  open = function(path)
    local text = texts[path]
    return text and { read = function() return text end,
                      close = function() end }
  end,
}

-- Compiles a script's text in its environment.
local function compile(path, text, env)
  texts[path] = text
  local why = precheck.fault(text)
  if why then
    error(core.error { code = "layout", message = path .. ":" .. why }, 0)
  end
  return load(precheck.code(text), "@" .. path, "t", env)
end

-- Asks the host for a module.
local function fetch(name)
  cell.send { "need", name }
  local answer = cell.receive()
  if answer[1] ~= "have" then return nil, answer[2] end
  return answer[2], answer[3]
end

local function evaluate(path, text, env)
  local made = load_layout(path, function() return compile(path, text, env)
  end)
  return made, rules.judge(made)
end

-- What a script raised, as text.
local function describe(why)
  local meta = type(why) == "table" and getmetatable(why)
  if type(why) == "string" then return raised.trimmed(why) end
  if type(meta) == "table" and meta.__tostring then
    local how, _, text = cell.call(TELL_BUDGET, raised.traced, tostring, why)
    if how == "ok" then return text end
  end
  return raised.untold(why)
end

local function send_end(how, why, notes)
  if how == "spent" then return cell.send { "spent", notes, why } end
  if not core.is_error(why) then
    return cell.send { "raised", notes, describe(why) }
  end
  local out = { "fault", notes }
  letter.put_error(out, why)
  cell.send(out)
end

local function run(path, text, budget)
  local env, notes = sandbox.new(cell, fetch, compile)
  strings.install(env.string)
  local how, why, made, verdicts = cell.call(budget, raised.traced, evaluate,
                                             path, text, env)
  if how ~= "ok" then return send_end(how, why, notes()) end
  local out = { "layout", notes(), made.file or "" }
  letter.put_verdicts(out, verdicts)
  letter.put_state(out, made)
  cell.send(out)
  return made
end

-- Asks for a part of the n-th layout that is judged.
local function fetch_part(n, name)
  cell.send { "part", tostring(n), name }
  local reader = letter.reader(cell.receive())
  local word = reader:text()
  if word == "none" then error(reader:text(), 0) end
  return word, reader
end

local function closed()
  error("this layout was judged before: a rule reads the layout that it is "
        .. "given", 0)
end

-- Judges one layout. A rule may keep it: then it can read only what was read
-- while it was judged.
local function judge(made, reader, n, budget)
  local ask = fetch_part
  local state = brief.take(reader, made, function(name)
    return ask(n, name)
  end, cell.aside)
  local how, why, verdicts = cell.call(budget, raised.traced, rules.judge,
                                       state)
  ask = closed
  return how, why, verdicts
end

-- Other states of the layout, under the script's rules: as many as the budget
-- lasts for, so that many take no longer than one may. What it ends at is
-- told where nothing was judged before it.
local function check(made, asked)
  local reader, out, n = letter.reader(asked), { "verdicts" }, 0
  local budget, before = RULES_BUDGET, nil
  reader:text()
  repeat
    n = n + 1
    local how, why, verdicts = judge(made, reader, n, budget)
    if how ~= "ok" then
      if n == 1 then return send_end(how, why, "") end
      break
    end
    letter.put_verdicts(out, verdicts, before)
    before = verdicts
    budget = cell.left()
  until reader.at == #asked or budget <= 0
  cell.send(out)
end

---Serves the host until it goes away.
function M.main()
  local asked = cell.receive()
  local made = run(asked[2], asked[3], math.tointeger(asked[4]))
  while true do
    asked = cell.receive()
    check(made, asked)
  end
end

return M
