-- assert.explored(scenario, options): every order of some actions, with a
-- crash at every call of the disk, breadth first; the first state that breaks
-- the invariant is reported with the shortest way to it.
--
--   scenario = {
--     start = function() return disk end        a tidal.sim.disk
--     actions = { { name = "step", run = function(disk, notes) end,
--                   answered = function(notes) end }, ... }
--     key = function(disk, notes) return text end
--     invariant = function(disk, notes) return true | false, why end
--   }
--
-- An action does what it does with the disk alone: it opens, acts and closes.
-- It returns false where it is not possible; what it raises is a finding.
-- `notes` is what others know beside the disk, e.g. what was tried and what
-- was acknowledged: a table of plain values, copied for each state. run notes
-- what is known before the answer, answered what is known by it. States with
-- one key are one.
--
--   options = {
--     faults = { "crash", "lose", "dup" }   which; none by default
--     crashes = 1         on one way, at most
--     states = 100000     at most; the exploration says when it stopped there
--     invariant =         instead of the scenario's
--   }
--   crash   the power fails behind any call of the action, and what was not
--           synced is lost, or is kept
--   lose    the action is done and its answer is lost
--   dup     it is done twice, as by who repeats a request
--
-- Ready scenarios: tidal.testing.migrations.
local M = {}

local FAULTS <const> = { crash = true, lose = true, dup = true }
local STATES <const> = 100000

local function copy(value)
  if type(value) ~= "table" then return value end
  local out = {}
  for key, item in next, value do out[key] = copy(item) end
  return out
end

-- A state is { disk =, notes =, crashes =, from = state, by = text }.
local function way_to(state)
  local out = {}
  while state.by do
    table.insert(out, 1, state.by)
    state = state.from
  end
  return out
end

local Search = {}
Search.__index = Search

-- Takes a state in, unless it is known. True if it breaks the invariant.
function Search:visit(disk, notes, crashes, from, by)
  local state = { disk = disk, notes = notes, crashes = crashes, from = from,
                  by = by }
  local key = crashes .. "\0" .. self.scenario.key(disk, notes)
  self.transitions = self.transitions + 1
  if self.known[key] then return end
  self.known[key] = true
  self.states = self.states + 1
  self.queue[#self.queue + 1] = state
  local ran, good, why = pcall(self.invariant, disk, notes)
  if ran and good then return end
  self:report(state, ran and (why or "the invariant does not hold")
              or "the invariant raised: " .. tostring(good))
end

---The first finding counts: it has the shortest way.
function Search:report(state, why)
  if not self.found then self.found = { way = way_to(state), why = why } end
end

-- Does an action on a copy. Gives the disk, the notes without and with the
-- answer, and the calls it took; nil where it is not possible.
function Search:act(state, action, times)
  local disk, notes = state.disk:copy(), copy(state.notes)
  local before = disk:calls()
  for time = 1, times do
    local ran, possible = pcall(action.run, disk, notes)
    if not ran then
      self:report({ by = action.name, from = state },
                  "it raised: " .. tostring(possible))
      return nil
    elseif possible == false and time == 1 then
      return nil
    end
  end
  local answered = copy(notes)
  if action.answered then action.answered(answered) end
  return disk, notes, answered, disk:calls() - before
end

-- The power fails behind call number `call` of the action.
function Search:crash(state, action, call)
  local disk, notes = state.disk:copy(), copy(state.notes)
  disk:fault { last_call = disk:calls() + call }
  if pcall(action.run, disk, notes) and action.answered then
    action.answered(notes)
  end
  disk:fault()
  local ways = disk:ways()
  for i, way in ipairs { 0, ways - 1 } do
    if i == 1 or ways > 1 then
      self:visit(disk:crash { way = way }, copy(notes), state.crashes + 1,
        state, ("%s, power fails behind call %d%s"):format(action.name, call,
          i == 2 and ", nothing is lost" or ""))
    end
  end
end

---Everything that can be done in a state.
function Search:expand(state)
  for _, action in ipairs(self.scenario.actions) do
    local disk, notes, answered, calls = self:act(state, action, 1)
    if self.found then return end
    if disk then
      self:visit(disk, answered, state.crashes, state, action.name)
      if self.faults.lose then
        self:visit(disk, notes, state.crashes, state,
                   action.name .. ", its answer is lost")
      end
      if self.faults.dup then
        local twice, _, more = self:act(state, action, 2)
        if twice then
          self:visit(twice, more, state.crashes, state,
                     action.name .. ", twice")
        end
      end
      local most = self.faults.crash and state.crashes < self.crashes_max
                   and calls or 0
      for call = 1, most do
        if not self.found then self:crash(state, action, call) end
      end
    end
    if self.found then return end
  end
end

local function fault_set(list)
  local set = {}
  for _, name in ipairs(list or {}) do
    if not FAULTS[name] then
      error(("assert.explored: no fault %q; there are: crash lose dup")
            :format(tostring(name)), 3)
    end
    set[name] = true
  end
  return set
end

---Explores all there is.
---@param scenario table
---@param options? table
---@return table { states =, transitions =, whole = boolean, found = { way =
---  string[], why = string } | nil }
function M.explore(scenario, options)
  options = options or {}
  local self = setmetatable({
    scenario = scenario, known = {}, queue = {}, states = 0, transitions = 0,
    faults = fault_set(options.faults), crashes_max = options.crashes or 1,
    invariant = options.invariant or scenario.invariant,
  }, Search)
  local most = options.states or STATES
  self:visit(scenario.start(), {}, 0, nil, nil)
  local at = 0
  while at < #self.queue and self.states < most and not self.found do
    at = at + 1
    local state = self.queue[at]
    self:expand(state)
    state.disk = nil
  end
  return { states = self.states, transitions = self.transitions,
           whole = at == #self.queue, found = self.found }
end

---What was found, as text.
function M.text(result)
  if not result.found then
    return ("%d states, %d ways between them: nothing was found%s"):format(
      result.states, result.transitions,
      result.whole and "" or "; there are more")
  end
  local lines = { ("in state %d: %s"):format(result.states,
                                             result.found.why) }
  for i, by in ipairs(result.found.way) do
    lines[#lines + 1] = ("  %d. %s"):format(i, by)
  end
  return table.concat(lines, "\n")
end

---Adds the assertion.
---@param register table tidal.testing.register
function M.add(register)
  register.add("explored", function(scenario, options)
    if type(scenario) ~= "table" or type(scenario.start) ~= "function" then
      register.wrong("assert.explored(scenario, options): a scenario "
                     .. "{ start =, actions =, key =, invariant = } expected")
    end
    local result = M.explore(scenario, options)
    local text = M.text(result)
    return not result.found and result.whole, {
      yes = "expected every state to be sound\n" .. text,
      no = "expected a state that is not sound\n" .. text,
    }, result
  end)
end

return M
