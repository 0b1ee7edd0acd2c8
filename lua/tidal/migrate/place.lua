-- One directory of a migration: its region's logs, from the published layout
-- to the next (flow/migrate.h).
local core = require "tidal.core"
local laps = require "tidal.migrate.laps"
local record = require "tidal.migrate.record"

local M = {}

local Place = {}
Place.__index = Place

local SLICE_BYTES <const> = 1048576
local LAP_EVENTS <const> = 2097152  -- of each log: what is done again at most
local REST_EVENTS <const> = 8192    -- left for the pause, at most

local function raise(err)
  error(err, 0)
end

---@param given { region: string, id: integer, kind: string, dir: any,
---  home: userdata? }
---@param task table { from =, to = } each { epoch =, text =, hash = }
---@param options { lap_events: integer?, slice_bytes: integer?,
---  rest_events: integer?, clock: (fun(): number)? }
function M.new(given, task, options)
  return setmetatable({
    region = given.region, id = given.id, kind = given.kind,
    dir = given.dir, given_home = given.home, from = task.from, to = task.to,
    clock = options.clock or os.clock,
    lap_events = options.lap_events or LAP_EVENTS,
    slice_bytes = options.slice_bytes or SLICE_BYTES,
    rest_events = options.rest_events or REST_EVENTS,
    checked = {}, looked_at = 0,
  }, Place)
end

-- A piece of work is done; others may go on.
function Place:give_way(bytes)
  if not self.holding then coroutine.yield(bytes) end
end

---What the journal says of it.
function Place:state()
  return self.journal.state.places[self.region]
end

---Notes a line about it: on disk when this returns.
function Place:note(step, logs, names)
  self.journal:note(record.line(step, self.region, logs, names))
end

-- --- open and closed -------------------------------------------------------

---The epoch of the layout that is published in a directory; nil where none
---is.
function M.published(dir)
  local reader <close>, err = core.wal.reader(dir)
  if not reader then raise(err) end
  local layouts <close>, why = core.wal.layouts(reader)
  if not layouts then raise(why) end
  local epochs = layouts:epochs()
  return epochs[#epochs]
end

-- The directory under one of the two layouts; checks that it is that one. A
-- home that was given has no end here.
local function open_home(self, layout)
  if self.given_home then return self.given_home end
  local home, err = core.wal.open(self.dir, { layout = layout.text })
  if not home then raise(err) end
  return home
end

---Opens the directory, unless it is. True if the layout is published already.
---@return boolean published
function Place:open()
  if self.move then return false end
  if self:state().published then return true end
  if M.published(self.dir) == self.to.epoch then
    if not self.given_home then open_home(self, self.to):close() end
    self:note "published"
    return true
  end
  self.home = open_home(self, self.from)
  local move, err = self.home:migration(self.to.text, {
    region = self.id, resume = self:state().start ~= nil,
  })
  if not move then raise(err) end
  self.move = move
  if not self:state().start then self:note_start() end
  return false
end

---Closes what it opened. Idempotent.
function Place:close()
  if self.move then self.move:close() end
  if self.home and not self.given_home then self.home:close { clean = true } end
  self.move, self.home = nil, nil
end

-- --- logs ------------------------------------------------------------------

-- Every log as it is now: { shard =, last =, there = }.
function Place:logs()
  local logs, err = self.move:logs()
  if not logs then raise(err) end
  for _, log in ipairs(logs) do log.shard = log.log.shard.value end
  return logs
end

---Notes how far each log is, before anything is copied.
function Place:note_start()
  local list = {}
  for _, log in ipairs(self:logs()) do
    if log.there then
      list[#list + 1] = { shard = log.shard, start = log.last }
    end
  end
  self:note("start", list, { "start" })
end

for name, method in next, laps do Place[name] = method end

-- --- retiring --------------------------------------------------------------

-- The logs of the directory, { shard =, region = }, by their first batch;
-- where that is torn, the region's own.
local function logs_of(self)
  local reader <close>, err = core.wal.reader(self.dir)
  if not reader then raise(err) end
  local out = {}
  for _, shard in ipairs(reader:shards()) do
    local cursor <close> = reader:cursor(shard)
    local batch = cursor:next()
    out[#out + 1] = { shard = shard,
                      region = batch and batch.log.region or self.id }
  end
  return out
end

---Moves the segments at the front of each log in which no event counts any
---more to retired/.
function Place:retire()
  local home <close> = open_home(self, self.to)
  self.retired = 0
  for _, log in ipairs(logs_of(self)) do
    local writer <close>, err = home:writer { shard = log.shard,
                                              region = log.region }
    if not writer then raise(err) end
    repeat
      local more, segments = writer:retire(self.slice_bytes)
      if more == nil then raise(segments) end
      self.retired = self.retired + (segments or 0)
      coroutine.yield(self.slice_bytes)
    until not more
  end
end

-- --- whole logs ------------------------------------------------------------

---Makes the directory of a region that comes, where there is none.
function Place:make()
  local home, err = core.wal.open(self.dir, { create = true })
  if not home then raise(err) end
  home:close()
end

---Puts the directory of a region that comes under the next layout.
function Place:come()
  if self:state().published then return end
  local home, err = core.wal.open(self.dir, {
    create = true, layout = self.to.text,
  })
  if not home then raise(err) end
  home:close()
  self:note "published"
end

---Mends what a writer left that died, so that the logs can be read.
function Place:recover()
  local home <close> = open_home(self, self.to)
  for _, log in ipairs(logs_of(self)) do
    local writer <close>, err = home:writer { shard = log.shard,
                                              region = log.region }
    if not writer then raise(err) end
  end
end

-- Of all segments of a directory.
local function bytes_of(dir)
  local reader <close>, err = core.wal.reader(dir)
  if not reader then raise(err) end
  return reader:bytes()
end

---Copies the logs of this region, as they lie there, into the directory of
---another one.
---@param target table a place
function Place:hand_over(target)
  local state = target:state()
  if state.handed[self.region] then return end
  local fresh = not state.handing[self.region]
  if not self.given_home then self:recover() end
  local home = open_home(self, self.to)
  local _ <close> = not self.given_home and home or nil
  local clone <close>, err = home:clone(
    target.dir, ("from-r%05d"):format(self.id), fresh)
  if not clone then raise(err) end
  if fresh then
    self.journal:note(record.handed("hand", target.region, self.region))
  end
  local before, all = 0, bytes_of(self.dir)
  repeat
    local more, bytes = clone:step(self.slice_bytes)
    if more == nil then raise(bytes) end
    self.left_to_hand = math.max(0, all - bytes)
    coroutine.yield(bytes - before)
    before = bytes
  until not more
  self.journal:note(record.handed("handed", target.region, self.region))
end

return M
