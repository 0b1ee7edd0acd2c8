-- tidal.migrate: from one layout to the next, with the events.
--
--   local m = tidal.migrate(before:diff(after)) {
--     wal = { ["us-east"] = "data/us", ["eu-west"] = "data/eu" },
--     rate = "30MB/s",
--   }
--   m:run()          to the end; or step by step:
--   m:begin()
--   for _, step in ipairs(m.steps) do step:run() end
--
-- The story. In each region's directory, with writers going on:
--   copy     what the next layout routes elsewhere goes to its new log, dead
--            until that layout is published; in laps, until little is left
--   verify   what arrived is read, counted and summed
--   cut over writers are held; the rest is copied and verified; cuts; the
--            layout is published. One region after the other
-- Then, where regions come or go:
--   open     a region that comes is put under the next layout, and
--   hand over  gets the logs of all others, as they lie there; the logs of one
--            that goes are handed to the first of those that stay
-- and the migration is finished. Regions do not exchange events, so each
-- directory commits by itself, in one rename.
--
-- Every step is journalled before it is taken (record.lua). Whatever happens,
--   tidal.migrate.resume{ wal = ... }   goes on, to the new layout, and
--   tidal.migrate.abort{ wal = ... }    gives up, to the old one: until the
--                                       first directory is published
-- and tidal.migrate.status{ wal = ... } says where it is.
--
-- A step is a value: name, region, says (a sentence), back (how it is undone);
-- :ready() -> true | nil, why; :slice() -> bytes read, or nil when it is done;
-- :run() for all of it. Steps of one name may be sliced in turns.
local check = require "tidal.migrate.check"
local core = require "tidal.core"
local json = require "tidal.json"
local place = require "tidal.migrate.place"
local record = require "tidal.migrate.record"
local text = require "tidal.text"

local M = {}

local function fail(code, form, ...)
  error(core.error { code = code, message = form:format(...) }, 0)
end

-- --- steps -----------------------------------------------------------------

local Step = {}
Step.__index = Step

function Step:__tostring()
  local text = self.region and self.name .. " " .. self.region or self.name
  return self.target and text .. " to " .. self.target or text
end

---Does a piece of it. Gives the bytes it read, nil when the step is done;
---raises what went wrong, after which a new migration goes on by resume.
function Step:slice()
  if self.done then return nil end
  if not self.work then
    local ready, why = self:ready()
    if not ready then fail("order", "%s: %s", tostring(self), why) end
    self.work = coroutine.wrap(self.body)
  end
  local bytes = self.work()
  if bytes then return bytes end
  self.done = true
  return nil
end

---All of it.
function Step:run()
  while self:slice() do end
end

-- What has to be done before: every step of the names before this one's.
local function ready_after(steps, names)
  return function()
    for _, step in ipairs(steps) do
      if names[step.name] and not step.done then
        return nil, ("%s comes first"):format(tostring(step))
      end
    end
    return true
  end
end

local NOTHING_COUNTS <const> = "nothing of it counts before it is published"
local BACK <const> = "a migration back, under a higher epoch"
local HAS_LOGS <const> = { stays = true, goes = true }
local COMES <const> = { comes = true }

local STORY <const> = {
  { name = "copy", method = "copy", of = HAS_LOGS, after = {},
    says = "what moves goes to its new log, dead until it is published",
    back = NOTHING_COUNTS },
  { name = "verify", method = "verify", of = HAS_LOGS,
    after = { copy = true }, says = "what arrived is counted and summed",
    back = NOTHING_COUNTS },
  { name = "cut over", method = "cut_over", of = HAS_LOGS,
    after = { copy = true, verify = true },
    says = "writers wait for the rest, cuts are written, the layout is "
           .. "published", back = BACK },
  { name = "open", method = "come", of = COMES,
    after = { ["cut over"] = true }, says = "the new region gets its layout",
    back = BACK },
}

-- Who hands his logs to whom: { from, to } in order.
local function hand_overs(places)
  local out, heir = {}, nil
  for _, target in ipairs(places) do
    if target.kind == "stays" then heir = heir or target end
    for _, source in ipairs(target.kind == "comes" and places or {}) do
      if source.kind ~= "comes" then out[#out + 1] = { source, target } end
    end
  end
  for _, source in ipairs(places) do
    if source.kind == "goes" and heir then out[#out + 1] = { source, heir } end
  end
  return out
end

local function make_steps(self)
  local steps = {}
  local function add(step)
    steps[#steps + 1] = setmetatable(step, Step)
  end
  for _, part in ipairs(STORY) do
    for _, one in ipairs(self.places) do
      if part.of[one.kind] then
        add {
          name = part.name, region = one.region, says = part.says,
          back = part.back, ready = ready_after(steps, part.after),
          body = function() return one[part.method](one) end,
        }
      end
    end
  end
  for _, pair in ipairs(hand_overs(self.places)) do
    add {
      name = "hand over", region = pair[1].region, target = pair[2].region,
      says = "its logs go to " .. pair[2].region .. ", as they lie there",
      back = "they are copies: nobody needs them",
      ready = ready_after(steps, { ["cut over"] = true, open = true }),
      body = function() return pair[1]:hand_over(pair[2]) end,
    }
  end
  add {
    name = "finish", says = "the journal says that it is over", back = BACK,
    ready = ready_after(steps, { ["cut over"] = true, ["hand over"] = true }),
    body = function() self:finish() end,
  }
  return steps
end

-- --- the migration ---------------------------------------------------------

local Migration = {}
Migration.__index = Migration

-- What the journal and the places need to know, without the layouts.
local function layout_part(layout)
  return { epoch = layout.epoch, hash = layout:hash(), text = layout:text() }
end

-- A region's directory: a path, a tidal.SimDir, or { dir =, home = } with a
-- home that is open already, for who writes meanwhile.
local function place_of(region, given, kind)
  local home = type(given) == "table" and given.home or nil
  return { region = region.name, id = region.id, home = home, kind = kind,
           dir = type(given) == "table" and given.dir or given }
end

local function new(task, options)
  local self = setmetatable({
    task = task, places = {}, rate = options.rate,
    concurrency = options.concurrency or #task.places,
  }, Migration)
  for i, one in ipairs(task.places) do
    self.places[i] = place.new(one, task, options)
  end
  self.steps = make_steps(self)
  return self
end

local OPTIONS <const> = {
  wal = true, rate = true, concurrency = true, clock = true,
  lap_events = true, slice_bytes = true, rest_events = true,
}

local function check_options(options)
  if type(options) ~= "table" or type(options.wal) ~= "table" then
    error("tidal.migrate: { wal = { [region] = directory } } expected", 3)
  end
  for key in next, options do
    if not OPTIONS[key] then
      error(("tidal.migrate: unknown option %s"):format(tostring(key)), 3)
    end
  end
  local out, why = {}, nil
  for key, value in next, options do out[key] = value end
  if options.rate then
    out.rate, why = text.rate(options.rate)
    if not out.rate then error("tidal.migrate: rate: " .. why, 3) end
  end
  local most = options.concurrency
  if most and (math.type(most) ~= "integer" or most < 1) then
    error("tidal.migrate: concurrency is a number of regions, 1 or more", 3)
  end
  return out
end

local function attach(self, journal)
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
  attach(self, journal)
  note_parts(self, journal:note(record.begin(self.task)))
end

-- In every directory, the first one first.
local function note_end(self, word)
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

function Migration:finish()
  note_end(self, "finished")
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

-- The steps that may be sliced now: the first that is not done, and those of
-- its name behind it, as many as may be at once. Cuts come one by one.
local function open_steps(self)
  local out, name = {}, nil
  for _, step in ipairs(self.steps) do
    if not step.done then
      name = name or step.name
      local most = name == "cut over" and 1 or self.concurrency
      if step.name ~= name or #out == most then break end
      out[#out + 1] = step
    end
  end
  return out
end

---Does a piece of work. Gives false when all is done; else true, and how many
---seconds to wait before the next piece, by the rate.
---@param now number seconds, of any clock that does not go back
---@return boolean more, number? wait
function Migration:step(now)
  self:begin()
  local open = open_steps(self)
  if #open == 0 then return false end
  local step = open[(self.turn or 0) % #open + 1]
  self.turn = (self.turn or 0) + 1
  local bytes = step:slice() or 0
  step.read, self.step_now = (step.read or 0) + bytes, step
  self.read = (self.read or 0) + bytes
  if not self.rate then return true end
  self.began = self.began or now
  return true, math.max(0, self.began + self.read / self.rate - now)
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

-- --- from the journal ------------------------------------------------------

-- The last migration that was begun in a directory: its epoch, and whether
-- the journal itself is there; nil where there is none.
local function last_of(region, dir)
  local done, epochs = pcall(record.epochs, dir)
  if not done then fail("io", "%s=%s: %s", region, tostring(dir), epochs) end
  for i = #epochs, 1, -1 do
    local journal = record.open(dir, epochs[i], "read")
    local begin, part = journal.state.begin, journal.state.part
    journal:close()
    if begin or part then return epochs[i], begin ~= nil end
  end
end

-- The region whose directory has the journal of the last migration, or nil;
-- its epoch.
local function find(dirs)
  local last, main
  for region, dir in pairs(dirs) do
    local epoch, whole = last_of(region, dir)
    if epoch and (not last or epoch > last) then last, main = epoch, nil end
    if epoch and epoch == last and whole then main = region end
  end
  return main, last
end

local function dirs_of(options)
  local dirs = {}
  for region, given in pairs(options.wal) do
    dirs[region] = type(given) == "table" and given.dir or given
  end
  return dirs
end

local function task_of(begin, options)
  local places = {}
  for i, region in ipairs(begin.regions) do
    local given = options.wal[region.region]
    if given == nil then
      fail("migration", "wal.%s: is missing: the migration that is under way "
           .. "has this region, too", region.region)
    end
    places[i] = place_of({ name = region.region, id = region.id }, given,
                         region.kind)
  end
  for region in pairs(options.wal) do
    local known = false
    for _, one in ipairs(places) do known = known or one.region == region end
    if not known then
      fail("migration", "wal.%s: is not a region of the migration that is "
           .. "under way", region)
    end
  end
  return { name = begin.name, from = begin.from, to = begin.to,
           places = places }
end

-- The migration of the last journal; mode as record.open.
local function load(options, mode)
  options = check_options(options)
  local dirs = dirs_of(options)
  local main, epoch = find(dirs)
  if not main then
    if epoch then
      fail("migration", "the journal of the migration to epoch %d is in "
           .. "another region's directory: give all of them", epoch)
    end
    fail("migration", "no migration was begun here")
  end
  local journal = record.open(dirs[main], epoch, mode)
  local self = new(task_of(journal.state.begin, options), options)
  attach(self, journal)
  return self
end

---Goes on with what was begun. A finished one has nothing to do.
---@param options { wal: table, rate: any, concurrency: integer? }
function M.resume(options)
  local self = load(options, "write")
  local state = self.journal.state
  if state.aborted then
    fail("migration", "the migration to epoch %d was aborted: begin a new one "
         .. "with a higher epoch", self.task.to.epoch)
  end
  if state.finished then
    for _, step in ipairs(self.steps) do step.done = true end
  end
  return self
end

---Whether this very migration was finished before; nil where it was not.
---@param plan table
---@param dirs { [string]: any }
---@return table? migration closed
function M.finished(plan, dirs)
  local main, epoch = find(dirs)
  if not main or epoch ~= plan.to.epoch then return nil end
  local self = load({ wal = dirs }, "read")
  self:close()
  local same = self.task.to.hash == plan.to:hash()
           and self.task.from.hash == plan.from:hash()
  return same and self.journal.state.finished and self or nil
end

-- Where it is: by the journal, and the directories themselves.
local function published(self)
  local out = {}
  for _, one in ipairs(self.places) do
    if one.kind ~= "comes"
       and place.published(one.dir) == self.task.to.epoch then
      out[#out + 1] = one.region
    end
  end
  return out
end

---Gives up what was begun, unless a directory is published: the old layout
---stays. Idempotent.
---@param options { wal: table }
---@return integer epoch that is used up
function M.abort(options)
  local self = load(options, "write")
  local there = published(self)
  local epoch = self.task.to.epoch
  if #there > 0 then
    fail("migration", "epoch %d is published in %s and cannot be aborted.%s "
         .. "The way back is a migration to the old layout under epoch %d",
         epoch, table.concat(there, ", "), self.journal.state.finished and ""
         or " --resume goes on.", epoch + 1)
  end
  for _, one in ipairs(self.places) do
    local home, err = core.wal.open(one.dir)
    if not home then error(err, 0) end
    home:close()
  end
  note_end(self, "aborted")
  self:close()
  return epoch
end

---Where the last migration is. Changes nothing.
---@param options { wal: table }
---@return table status { epoch, from, state = "running" | "finished" |
---  "aborted", regions = { { region, state, laps, moved }, ... } }
function M.status(options)
  local self = load(options, "read")
  local state = self.journal.state
  local there = {}
  for _, region in ipairs(published(self)) do there[region] = true end
  local regions = {}
  for i, one in ipairs(self.places) do
    local seen = one:state()
    regions[i] = {
      region = one.region, laps = seen.laps, moved = seen.moved,
      state = there[one.region] and "published"
              or seen.publish and "cutting over"
              or seen.laps > 0 and "copying" or "waiting",
    }
  end
  self:close()
  return {
    from = self.task.from.epoch, epoch = self.task.to.epoch,
    name = self.task.name, regions = json.list(regions),
    state = state.finished and "finished" or state.aborted and "aborted"
            or "running",
  }
end

-- --- from a plan -----------------------------------------------------------

-- The regions of both layouts, those that stay first: a region is its number,
-- which its logs bear.
local function regions_of(plan)
  local out, before, after = {}, plan.from.regions, plan.to.regions
  for i, region in ipairs(after) do
    out[#out + 1] = { region = region, kind = before[i] and "stays"
                      or "comes" }
  end
  for i = #after + 1, #before do
    out[#out + 1] = { region = before[i], kind = "goes" }
  end
  return out
end

local function from_plan(plan, options)
  options = check_options(options)
  local task = { name = plan.to.name, from = layout_part(plan.from),
                 to = layout_part(plan.to), places = {} }
  for _, one in ipairs(regions_of(plan)) do
    table.insert(task.places, place_of(one.region,
                                       options.wal[one.region.name],
                                       one.kind))
  end
  local self = new(task, options)
  self.plan, self.dirs = plan, dirs_of(options)
  return self
end

return setmetatable(M, {
  __call = function(_, plan)
    if not require "tidal.plan.diff".is(plan) then
      error("tidal.migrate(plan): what from:diff(to) gives expected", 2)
    end
    return function(options) return from_plan(plan, options) end
  end,
})
