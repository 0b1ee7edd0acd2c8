-- The work on one directory (place.lua): laps, what arrived, the cut.
--
-- copy, verify and cut_over are bodies of coroutines: after each piece of
-- work they give way, but for the pause, which is short and done in one go.
-- They may be left at any moment, and so may the process: the journal and the
-- directory say where to go on.
local core = require "tidal.core"
local sums = require "tidal.migrate.sums"

local M = {}

local RECORD_BYTES <const> = 21
local LAPS_BEHIND <const> = 8  -- that do not get nearer to the writers

local function raise(err)
  error(err, 0)
end

-- Where the next lap of a log begins. What was truncated is nowhere, and its
-- state is safe elsewhere.
local function after_of(state, log)
  local after = state.after[log.shard] or 0
  if log.first ~= 0 and math.ult(after, log.first - 1) then
    return log.first - 1
  end
  return after
end

-- The borders of the next lap.
local function borders(self)
  local state, list = self:state(), {}
  for _, log in ipairs(self:logs()) do
    local after = after_of(state, log)
    if math.ult(after, log.last) then
      local upto = log.last
      if core.u64.lt(self.lap_events, upto - after) then
        upto = after + self.lap_events
      end
      list[#list + 1] = { shard = log.shard, after = after, upto = upto }
    end
  end
  return list
end

-- How many events are not copied yet.
local function count_rest(self)
  local state, events = self:state(), 0
  for _, log in ipairs(self:logs()) do
    events = events + (log.last - after_of(state, log))
  end
  return events
end

-- --- copying ---------------------------------------------------------------

local function check_log(self, shard, after)
  local begun, err = self.move:check(shard, after)
  if not begun then raise(err) end
  local first = self.move:bytes()
  repeat
    local before = self.move:bytes()
    local more
    more, err = self.move:check_step(self.slice_bytes)
    if more == nil then raise(err) end
    self.looked_at = self.move:bytes() - first
    self:give_way(self.move:bytes() - before)
  until not more
  self.looked_at = 0
  return self.move:found()
end

-- What a lap that was begun has written before, by shard.
local function arrived(self)
  local state, skips = self:state(), {}
  for _, log in ipairs(self:logs()) do
    local start = state.start[log.shard] or 0
    if math.ult(start, log.last) then
      local done = (state.got[log.shard] or sums.none).count
      local found = check_log(self, log.shard, start)
      if found.count < done then
        error(core.error {
          code = "verify",
          message = ("%s: %s: %d events had arrived and %d are there: "
                     .. "somebody changed this log"):format(
            self.region, tostring(log.log), done, found.count),
        }, 0)
      end
      skips[log.shard] = found.count - done
    end
  end
  return skips
end

-- Tells the migration what is known of each log: of the lap that the journal
-- names, if one is to be copied.
local function set_logs(self, skips)
  local state, list = self:state(), {}
  local lap = state.lap or {}
  for _, log in ipairs(self:logs()) do
    local s = log.shard
    local after = state.after[s] or 0
    local border = lap[s] or { after = after, upto = after }
    list[#list + 1] = {
      shard = s, start = state.start[s] or 0, left = state.left[s] or 0,
      after = border.after, upto = border.upto, skip = skips[s] or 0,
    }
  end
  self.move:set(list)
end

-- The lap that the journal names. Gives what it brought, by shard.
local function run_lap(self, skips)
  set_logs(self, skips)
  self.lap_left, self.lap_read = count_rest(self), self.move:bytes()
  local begun, err = self.move:lap()
  if not begun then raise(err) end
  repeat
    local before = self.move:bytes()
    local more
    more, err = self.move:step(self.slice_bytes)
    if more == nil then raise(err) end
    self:give_way(self.move:bytes() - before)
  until not more
  local moved = self.move:moved()
  for _, log in ipairs(moved) do log.shard = log.log.shard.value end
  self:note("copied", moved, { "next", "left", "count", "low",
                                "high" })
  return moved
end

local function lap(self)
  local list = borders(self)
  if #list == 0 then return nil end
  self:note("lap", list, { "after", "upto" })
  return run_lap(self, {})
end

local function fall_behind(self, rest)
  error(core.error {
    code = "behind",
    message = ("%s: writers are faster than the copy: %d events are left, and "
               .. "%d laps did not make them fewer. Give it a higher rate, or "
               .. "the writers less to do, and go on: nothing is lost"):format(
      self.region, rest, LAPS_BEHIND),
  }, 0)
end

---Copies what is there, and what comes meanwhile, until little is left.
function M.copy(self)
  if self:open() then return end
  if self:state().lap then run_lap(self, arrived(self)) end
  local least, behind = math.maxinteger, 0
  while lap(self) do
    local rest = count_rest(self)
    if rest <= self.rest_events then return end
    behind = rest < least and 0 or behind + 1
    least = math.min(least, rest)
    if behind == LAPS_BEHIND then fall_behind(self, rest) end
  end
end

---Bytes of events that were not copied when the lap began, without what it
---has read since; nil before the first lap.
function M.left_to_copy(self)
  if not self.move or not self.lap_left then return nil end
  local read = self.move:bytes() - self.lap_read
  return math.max(0, self.lap_left * RECORD_BYTES - read)
end

-- --- verifying -------------------------------------------------------------

local function compare(self, log, found, wanted)
  if sums.eq(found, wanted) then return end
  error(core.error {
    code = "verify",
    message = ("%s: %s: %s left other logs for it, %s arrived; nothing was "
               .. "published: abort, and take a new epoch"):format(
      self.region, tostring(log), sums.text(wanted), sums.text(found)),
  }, 0)
end

---Reads what arrived, and compares count and sum with what left, log by log.
function M.verify(self)
  if self:open() then return end
  local state = self:state()
  for _, log in ipairs(self:logs()) do
    local start = state.start[log.shard] or 0
    if math.ult(start, log.last) then
      local found = check_log(self, log.shard, start)
      compare(self, log.log, found, state.got[log.shard] or sums.none)
      self.checked[log.shard] = found.last
    end
  end
  self.verified = true
end

---Bytes of events, arrived or written, that verify has not read yet.
function M.left_to_verify(self)
  if not self.move then return nil end
  local state, events = self:state(), 0
  for _, log in ipairs(self:logs()) do
    local start = state.start[log.shard] or 0
    if not self.checked[log.shard] and math.ult(start, log.last) then
      events = events + (log.last - start)
    end
  end
  return math.max(0, events * RECORD_BYTES - self.looked_at)
end

-- What the laps since verify brought, looked at behind what was seen then.
local function verify_rest(self, brought)
  for s, wanted in pairs(brought) do
    local after = self.checked[s] or self:state().start[s] or 0
    compare(self, ("r%d:s%d"):format(self.id, s), check_log(self, s, after),
            wanted)
  end
end

-- --- the cut ---------------------------------------------------------------

local function copy_rest(self)
  local brought = {}
  while true do
    local moved = lap(self)
    if not moved then break end
    for _, log in ipairs(moved) do
      brought[log.shard] = sums.add(brought[log.shard] or sums.none, log)
    end
  end
  return brought
end

local function publish(self)
  verify_rest(self, copy_rest(self))
  self:note "publish"
  set_logs(self, {})
  local done, err = self.move:publish(self.to.text)
  if not done then raise(err) end
end

---Holds the writers, copies the rest, writes the cuts, publishes: from then on
---the next layout counts. self.pause says for how many seconds nobody wrote.
function M.cut_over(self)
  if self:open() then return end
  if not self.verified then M.verify(self) end
  local held, err = self.move:hold()
  if not held then raise(err) end
  local began = self.clock()
  self.holding = true
  local done, why = pcall(publish, self)
  self.move:let_go()
  self.holding = false
  self.pause = self.clock() - began
  if not done then raise(why) end
  self:note "published"
  self:close()
end

return M
