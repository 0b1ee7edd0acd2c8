-- A migration under way: directories, steps, and the journal that they share.
local check = require "tidal.migrate.check"
local core = require "tidal.core"
local pace = require "tidal.migrate.pace"
local place = require "tidal.migrate.place"
local record = require "tidal.migrate.record"
local steps = require "tidal.migrate.steps"
local text = require "tidal.text"

local M = {}

local Migration = {}
Migration.__index = Migration

---@param task { name: string, from: table, to: table, places: table[] }
---@param options table that check_options gave
function M.new(task, options)
  local self = setmetatable({
    task = task, places = {}, pace = pace.new(options),
    retire = options.retire,
    concurrency = options.concurrency or #task.places,
  }, Migration)
  for i, one in ipairs(task.places) do
    self.places[i] = place.new(one, task, options)
  end
  self.steps = steps.of(self)
  return self
end

local RATES <const> = { "rate", "node_rate", "link_rate" }
local OPTIONS <const> = {
  wal = true, rate = true, node_rate = true, link_rate = true,
  concurrency = true, clock = true, lap_events = true, slice_bytes = true,
  rest_events = true, retire = true,
}

---The options, checked, rates in bytes a second; raises.
function M.check_options(options)
  if type(options) ~= "table" or type(options.wal) ~= "table" then
    error("tidal.migrate: { wal = { [region] = directory } } expected", 3)
  end
  for key in next, options do
    if not OPTIONS[key] then
      error(("tidal.migrate: unknown option %s"):format(tostring(key)), 3)
    end
  end
  local out = {}
  for key, value in next, options do out[key] = value end
  for _, name in ipairs(RATES) do
    if options[name] then
      local rate, why = text.rate(options[name])
      if not rate then
        error(("tidal.migrate: %s: %s"):format(name, why), 3)
      end
      out[name] = rate
    end
  end
  local most = options.concurrency
  if most and (math.type(most) ~= "integer" or most < 1) then
    error("tidal.migrate: concurrency is a number of regions, 1 or more", 3)
  end
  return out
end

---The journal becomes that of all places.
function M.attach(self, journal)
  self.journal = journal
  for _, one in ipairs(self.places) do one.journal = journal end
end

-- The other directories say that they are part of it.
local function note_parts(self, line)
  local id = core.checksum(line)
  for i = 2, #self.places do
    local journal = record.open(self.places[i].dir, self.task.to.epoch,
                                "create")
    if not journal.state.part then
      journal:note(record.part(self.places[1].region, id))
    end
    journal:close()
  end
end

---Raises every reason why it cannot begin. Changes nothing.
function Migration:check()
  check.begin(self.plan, self.dirs, self.task)
end

---Checks everything and writes the journal's first line. Idempotent.
function Migration:begin()
  if self.journal then return end
  self:check()
  for _, one in ipairs(self.places) do
    if one.kind == "comes" then one:make() end
  end
  local journal = record.open(self.places[1].dir, self.task.to.epoch,
                              "create")
  if journal.state.begin then
    journal:close()
    error(core.error { code = "migration", message = "another process has "
      .. "just begun a migration to this epoch: --resume goes on" }, 0)
  end
  M.attach(self, journal)
  note_parts(self, journal:note(record.begin(self.task)))
end

---Notes that it is over, in every directory, the first one first.
---@param word "finished"|"aborted"
function Migration:note_end(word)
  if not self.journal.state[word] then
    self.journal:note(record.line(word))
  end
  for i = 2, #self.places do
    local journal = record.open(self.places[i].dir, self.task.to.epoch,
                                "create")
    if not journal.state[word] then journal:note(record.line(word)) end
    journal:close()
  end
end

---Notes the end, and lets go.
function Migration:finish()
  self:note_end "finished"
  self:close()
end

---Lets go of everything; goes on by tidal.migrate.resume. Idempotent.
function Migration:close()
  for _, one in ipairs(self.places) do one:close() end
  if self.journal then self.journal:close() end
end

---The place of a region.
function Migration:place(region)
  for _, one in ipairs(self.places) do
    if one.region == region then return one end
  end
end

-- --- running ---------------------------------------------------------------

-- Writers wait for a cut, and who hands his logs over holds his directory.
local ONE_BY_ONE <const> = { ["cut over"] = true, ["hand over"] = true }

-- The steps that may be sliced now: the first that is not done, and those of
-- its name behind it, as many as may be at once.
local function open_steps(self)
  local out, name = {}, nil
  for _, step in ipairs(self.steps) do
    if not step.done then
      name = name or step.name
      local most = ONE_BY_ONE[name] and 1 or self.concurrency
      if step.name ~= name or #out == most then break end
      out[#out + 1] = step
    end
  end
  return out
end

-- The next in turn that may go on now; else nil. And the least time to wait
-- for one, where there is a rate.
local function choose(self, open, now)
  local least
  for i = 0, #open - 1 do
    local step = open[((self.turn or 0) + i) % #open + 1]
    local wait = self.pace:wait(step, now)
    if not wait or wait <= 0 then return step, wait end
    least = math.min(least or wait, wait)
  end
  return nil, least
end

---Does a piece of work, if a rate does not forbid it now. Gives false when all
---is done; else true, and how many seconds to wait before the next piece.
---@param now number seconds, of any clock that does not go back
---@return boolean more, number? wait
function Migration:step(now)
  self:begin()
  local open = open_steps(self)
  if #open == 0 then return false end
  local step, wait = choose(self, open, now)
  if not step then return true, wait end
  self.turn = (self.turn or 0) + 1
  local bytes = step:slice() or 0
  step.read, self.step_now = (step.read or 0) + bytes, step
  self.read = (self.read or 0) + bytes
  self.pace:spend(step, bytes, now)
  open = open_steps(self)
  if #open == 0 then return true, wait and 0 end
  return true, select(2, choose(self, open, now))
end

---All of it.
---@param options? { clock: (fun(): number)?, sleep: fun(s: number)?,
---  progress: fun(migration)? }
function Migration:run(options)
  options = options or {}
  local clock = options.clock or os.clock
  while true do
    local more, wait = self:step(clock())
    if not more then return end
    if options.progress then options.progress(self) end
    if wait and wait > 0 and options.sleep then options.sleep(wait) end
  end
end

return M
