-- What a migration has done so far: its journal, and what it says.
--
-- The journal is `migration-{epoch}.journal` (io/journal.h) in the directory
-- of the first region; each other directory has one of the same name that
-- says so. A journal's name is how a second migration finds the first, and
-- how an epoch that was used once is known. Lines are objects of JSON, numbers
-- of events as decimal text:
--
--   begin     format, name, from, to = { epoch, hash, text }, regions =
--             { { id, region, kind }, ... }: the first line; kind: "stays",
--             "comes" or "goes"
--   part      the first line in the other directories: main = the region
--             whose directory has the journal, id = hash of its first line
--   start     region, logs = { { shard, start }, ... }: how far each log was
--   lap       region, logs = { { shard, after, upto }, ... }: to be copied
--   copied    region, logs = { { shard, next, left, count, low, high }, ... }:
--             that lap is copied; next: where the shard's next one begins;
--             left: events that left it, in all laps; count, low, high: sum
--             of those that came to it, in this one
--   publish   region: cuts are written from here on, then the layout
--   published region
--   hand      region, from: it gets the logs of that region
--   handed    region, from: it has them
--   finished | aborted
--
-- A lap is the unit of starting anew; what is published the directories say.
local core = require "tidal.core"
local faults = require "tidal.faults"
local json = require "tidal.json"
local sums = require "tidal.migrate.sums"

local M = {}

local FORMAT <const> = "tidal-migration/1"

---The name of the journal of a migration to that epoch.
function M.name(epoch)
  return ("migration-%010d.journal"):format(epoch)
end

local function fail(code, form, ...)
  error(core.error { code = code, message = form:format(...) }, 0)
end

-- --- what the lines say ----------------------------------------------------

local number = core.u64.parse

-- What is known of the region that a line is about.
local function place_of(state, line)
  local place = state.places[line.region]
  if place then return place end
  fail("corrupt", "%s of a region %q that did not begin", line.step,
       tostring(line.region))
end

local function new_place(region)
  return { region = region.region, id = region.id, kind = region.kind,
           laps = 0, moved = 0, after = {}, left = {}, got = {},
           handing = {}, handed = {} }
end

-- By the step that a line names: what it changes in the state.
local READ <const> = {}

-- The task, and a place for each region.
function READ.begin(state, line)
  if line.format ~= FORMAT then
    fail("unsupported", "format %s, this build knows %s",
         tostring(line.format), FORMAT)
  end
  state.begin = line
  for _, region in ipairs(line.regions) do
    state.places[region.region] = new_place(region)
  end
end

-- The journal itself is in another directory.
function READ.part(state, line)
  state.part = line
end

-- Where each log ended before it began.
function READ.start(state, line)
  local start = {}
  for _, log in ipairs(line.logs) do start[log.shard] = number(log.start) end
  place_of(state, line).start = start
end

-- A lap is begun; nothing of it counts before `copied`.
function READ.lap(state, line)
  local lap = {}
  for _, log in ipairs(line.logs) do
    lap[log.shard] = { after = number(log.after), upto = number(log.upto) }
  end
  place_of(state, line).lap = lap
end

-- Its sums are added up; the lap is over.
function READ.copied(state, line)
  local place = place_of(state, line)
  for _, log in ipairs(line.logs) do
    local sum = { count = number(log.count), low = number(log.low),
                  high = number(log.high) }
    local s = log.shard
    place.after[s], place.left[s] = number(log.next), number(log.left)
    place.got[s] = sums.add(place.got[s] or sums.none, sum)
    place.moved = place.moved + sum.count
  end
  place.laps, place.lap = place.laps + 1, nil
end

-- Cuts and the layout may be there from here on.
function READ.publish(state, line)
  place_of(state, line).publish = true
end

-- The next layout counts in that directory.
function READ.published(state, line)
  place_of(state, line).published = true
end

-- The logs of another region are to be handed to this one.
function READ.hand(state, line)
  place_of(state, line).handing[line.from] = true
end

-- They were.
function READ.handed(state, line)
  place_of(state, line).handed[line.from] = true
end

-- All directories are published.
function READ.finished(state)
  state.finished = true
end

-- The old layout stays.
function READ.aborted(state)
  state.aborted = true
end

local function read_line(state, text)
  local line = json.decode(text)
  if type(line) ~= "table" then fail("corrupt", "it is no object") end
  local read = READ[line.step]
  if not read then
    fail("unsupported", "a step %q, which this build does not know",
         tostring(line.step))
  end
  read(state, line)
end

-- Each line is whole, by its hash: one that makes no sense is another build's.
local function read_lines(state, lines, name)
  for i, text in ipairs(lines) do
    local done, why = pcall(read_line, state, text)
    if not done then
      fail(core.is_error(why) and why.code or "corrupt",
           "%s: line %d: %s: %s; go on with the build that wrote it", name, i,
           faults.shown(text), tostring(why))
    end
  end
end

-- --- the journal -----------------------------------------------------------

local Journal = {}
Journal.__index = Journal

---Opens a journal; raises where there is none, but for "create".
---@param dir any a path or a tidal.SimDir
---@param epoch integer
---@param mode "read"|"write"|"create"
---@return table journal { state =, noted = lines by this process }
function M.open(dir, epoch, mode)
  local name = M.name(epoch)
  local file, lines = core.wal.journal(dir, name, mode)
  if not file then fail(lines.code, "%s: %s", tostring(dir), lines) end
  local self = setmetatable({ file = file, noted = 0,
                              state = { places = {} } }, Journal)
  local done, why = pcall(read_lines, self.state, lines,
                          tostring(dir) .. "/" .. name)
  if done then return self end
  file:close()
  error(why, 0)
end

---Notes what is about to be done, or was: on disk when this returns.
---@param line table of tidal.json, with `step` first
function Journal:note(line)
  local text = json.encode(line)
  local done, err = self.file:append(text)
  if not done then error(err, 0) end
  read_line(self.state, text)
  self.noted = self.noted + 1
  return text
end

---Whether it says that it is over.
function Journal:is_over()
  return self.state.finished or self.state.aborted or false
end

---Idempotent.
function Journal:close()
  self.file:close()
end

---The epochs of the journals in a directory, rising.
---@param dir any
---@return integer[]
function M.epochs(dir)
  local names, err = core.wal.migrations(dir)
  if not names then error(err, 0) end
  local out = {}
  for i, name in ipairs(names) do
    out[i] = math.tointeger(tonumber(name:match "%d+"))
  end
  table.sort(out)
  return out
end

-- --- lines -----------------------------------------------------------------

local function layout_object(layout)
  return json.object { { "epoch", layout.epoch }, { "hash", layout.hash },
                       { "text", layout.text } }
end

---The first line.
---@param task { name: string, from: table, to: table, places: table[] }
function M.begin(task)
  local regions = {}
  for i, place in ipairs(task.places) do
    regions[i] = json.object { { "region", place.region },
                               { "id", place.id },
                               { "kind", place.kind } }
  end
  return json.object {
    { "step", "begin" }, { "format", FORMAT }, { "name", task.name },
    { "from", layout_object(task.from) }, { "to", layout_object(task.to) },
    { "regions", json.list(regions) },
  }
end

---A line about one region; `logs` is a list of { shard =, name = u64 ... }.
---@param step string
---@param region? string
---@param logs? table[]
---@param names? string[] of the numbers in each
function M.line(step, region, logs, names)
  local list
  if logs then
    list = json.list {}
    for i, log in ipairs(logs) do
      local members = { { "shard", log.shard } }
      for _, name in ipairs(names) do
        members[#members + 1] = { name, core.u64.str(log[name]) }
      end
      list[i] = json.object(members)
    end
  end
  return json.object { { "step", step }, { "region", region },
                       { "logs", list } }
end

---That a region gets, or has, the logs of another one.
---@param step "hand"|"handed"
function M.handed(step, region, from)
  return json.object { { "step", step }, { "region", region },
                       { "from", from } }
end

---The first line in a directory that has not the journal.
function M.part(main, id)
  return json.object { { "step", "part" }, { "main", main }, { "id", id } }
end

return M
