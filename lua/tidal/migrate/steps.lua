-- The steps of a migration, as values, in their order: what they are and what
-- must come before is said in tidal.migrate.
local core = require "tidal.core"

local M = {}

local Step = {}
Step.__index = Step

function Step:__tostring()
  local text = self.region and self.name .. " " .. self.region or self.name
  return self.target and text .. " to " .. self.target or text
end

-- An error that says in whose directory.
local function with_place(region, why)
  if core.is_error(why) and region
     and why.message:sub(1, #region + 1) ~= region .. ":" then
    why.message = region .. ": " .. why.message
  end
  return why
end

---Does a piece of it. Gives the bytes it read, nil when the step is done;
---raises what went wrong, after which a new migration goes on by resume.
function Step:slice()
  if self.done then return nil end
  if not self.work then
    local ready, why = self:ready()
    if not ready then
      error(core.error { code = "order",
                         message = tostring(self) .. ": " .. why }, 0)
    end
    self.work = coroutine.wrap(self.body)
  end
  local worked, bytes = pcall(self.work)
  if not worked then error(with_place(self.region, bytes), 0) end
  if bytes then return bytes end
  self.done = true
  return nil
end

---About how many bytes it is still to read; nil where that is not known.
function Step:left()
  if self.work and not self.done and self.expect then return self.expect() end
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
  { name = "copy", method = "copy", left = "left_to_copy", of = HAS_LOGS,
    after = {},
    says = "what moves goes to its new log, dead until it is published",
    back = NOTHING_COUNTS },
  { name = "verify", method = "verify", left = "left_to_verify",
    of = HAS_LOGS, after = { copy = true },
    says = "what arrived is counted and summed",
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

---The steps of a migration.
---@param self table { places =, finish = }
---@return table[] steps
function M.of(self)
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
          expect = part.left and function() return one[part.left](one) end,
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
      expect = function() return pair[1].left_to_hand end,
    }
  end
  add {
    name = "finish", says = "the journal says that it is over", back = BACK,
    ready = ready_after(steps, { ["cut over"] = true, ["hand over"] = true }),
    body = function() self:finish() end,
  }
  -- A home that was given has its writers open: theirs is writer:retire().
  for _, one in ipairs(self.retire and self.places or {}) do
    if HAS_LOGS[one.kind] and not one.given_home then
      add {
        name = "retire", region = one.region,
        says = "segments without an event that counts go to retired/",
        back = "move them back: they count as little as before",
        ready = ready_after(steps, { finish = true }),
        body = function() one:retire() end,
      }
    end
  end
  return steps
end

return M
