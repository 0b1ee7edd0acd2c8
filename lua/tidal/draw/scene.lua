-- A scene: a layout, its plan, or a plan between two layouts as plain tables,
-- from which every picture is made. Nobody who draws needs to know a cluster.
--
-- scene = {
--   kind = "layout" | "plan", name =, title =, facts = sentences
--   warnings = sentences: rules that are broken, a plan that is refused
--   notes = sentences: what the picture puts together or leaves out
--   frames = list (draw/frame.lua), each with caption =, step = number of
--     steps taken so far; of a plan the first is what is there before
--   steps = number of steps, of a plan
--   heat = nil or { peak =, shares = by column, hot = { { id =, at = place on
--     the ring or nil, shard =, events = }, ... } }
--   waves = nil or { { part = of the time of the longest, text = }, ..., more =
--     text or nil }, of a plan in waves
--   sheets = { { title =, head = words, rows = { words, ... }, more = text or
--     nil, right = { [column] = true } }, ... }
-- }
local core = require "tidal.core"
local diff = require "tidal.plan.diff"
local frame = require "tidal.draw.frame"
local layouts = require "tidal.cluster.layout"
local plans = require "tidal.plan.meaning"
local sheets = require "tidal.draw.sheets"
local terminal = require "tidal.render.terminal"

local count <const>, plain <const> = terminal.count, terminal.plain

local M = {}

local HOT_SHOWN <const> = 8         -- hottest ids of all shards
local WAVES_SHOWN <const> = 12
local WORK_MAX <const> = 262144     -- ranges looked at for all frames

local ROUTING <const> = {
  single = "every id to s0",
  ranges = "ranges of ids",
  hash_ranges = "ranges of XXH3-64(id)",
  hash = "XXH3-64(id) %% %d",
}

local function routing_text(layout)
  local strategy = layout.router:strategy()
  return ROUTING[strategy]:format(layout.router:num_shards())
end

local function size_text(layout)
  return ("%s x %s, %s"):format(count(#layout.regions, "region"),
    count(layout.shards, "shard"), routing_text(layout))
end

-- --- what was put together -------------------------------------------------

local function notes_of(frames, steps)
  local out, last = {}, frames[#frames]
  local merged, hidden = 0, 0
  local row, column = last.rows[1], last.columns[1]
  for _, one in ipairs(frames) do
    merged = math.max(merged, one.merged)
    hidden = math.max(hidden, one.hidden)
  end
  if merged > 0 then
    out[1] = ("%d ranges are too narrow to be seen: they share arcs with "
              .. "their neighbours"):format(merged)
  end
  if hidden > 0 then
    out[#out + 1] = ("%s less than a thousandth of the ring and cannot be "
      .. "seen"):format(hidden == 1 and "1 arc is" or hidden .. " arcs are")
  end
  if column.first ~= column.last then
    out[#out + 1] = ("a column is %s"):format(
      count(column.last - column.first + 1, "shard"))
  end
  if row.regions > 1 then
    out[#out + 1] = ("a row is %s"):format(count(row.regions, "region"))
  end
  if steps and #frames > 2 and #frames < steps + 1 then
    out[#out + 1] = ("%d of %d steps are drawn"):format(#frames - 1, steps)
  end
  if last.keys == "remainders" then
    out[#out + 1] = "a hash deals keys out: arcs show how many a shard has, "
                 .. "not which"
  end
  return out
end

-- --- a layout --------------------------------------------------------------

local function itself(name)
  return name
end

local function roster_of(layout)
  local out = {}
  for i, region in ipairs(layout.regions) do out[i] = region.name end
  return out
end

local function is_hotter(a, b)
  if a.events ~= b.events then return math.ult(b.events, a.events) end
  return math.ult(a.entity, b.entity)
end

-- The hottest ids of all shards, and where they stand.
local function hottest(load, keys)
  local all, out = {}, {}
  for _, shard in ipairs(load.shards) do
    for _, heat in ipairs(shard.hottest) do
      all[#all + 1] = { entity = heat.entity, events = heat.events,
                        shard = shard.id }
    end
  end
  table.sort(all, is_hotter)
  for i = 1, math.min(#all, HOT_SHOWN) do
    local one = all[i]
    out[i] = { id = core.u64.hex(one.entity), shard = one.shard,
               events = core.u64.str(one.events),
               at = keys == "ids"
                    and core.u64.tonumber(one.entity) / 2.0 ^ 64 or nil }
  end
  return out
end

local function heat_of(load, one)
  if not load or load.events == 0 then return nil end
  local heat = { peak = 0.0, shares = {}, by_shard = {} }
  for j, column in ipairs(one.columns) do
    local share = 0.0
    for s = column.first, column.last do
      share = share + load.shards[s + 1].share
      heat.by_shard[s] = load.shards[s + 1].share
    end
    heat.shares[j] = share
    heat.peak = math.max(heat.peak, share)
  end
  heat.hot = hottest(load, one.keys)
  return heat
end

local function of_layout(plan, limits)
  local layout = plan.layout
  local one = frame.of(layout, layout, {
    roster = roster_of(layout), who = itself, was = itself,
    shards = layout.shards,
  }, limits)
  one.step, one.caption = 0, size_text(layout)
  local warnings = {}
  for _, rule in ipairs(plan.rules) do
    if not rule.ok then
      warnings[#warnings + 1] = ("rule %s is broken: %s"):format(rule.name,
                                                                 rule.why)
    end
  end
  return {
    kind = "layout", name = layout.name,
    title = ("%s, epoch %d"):format(layout.name, layout.epoch),
    facts = { size_text(layout), "layout " .. plan.hash },
    warnings = warnings, notes = notes_of { one }, frames = { one },
    heat = heat_of(plan.load, one), sheets = sheets.of_layout(plan),
  }
end

-- --- a plan ----------------------------------------------------------------

-- Which numbers of steps are drawn: 0, the last, and as many between.
-- Frames of many ranges are dear: there are fewer of them.
local function chosen(steps, most, layout)
  local n = layout:has_ranges() and #layout:ranges() or layout.shards
  most = math.max(2, math.min(most, WORK_MAX // n))
  local out = { [0] = true, [steps] = true }
  for i = 1, most - 2 do out[i * steps // (most - 1)] = true end
  return out
end

-- What is said when step i has been taken, and those since `since`.
local function caption_of(plan, i, since)
  local words = require "tidal.render.words".of
  local step = plan.steps[i]
  if i == 0 then return "before: " .. size_text(plan.from) end
  local said = step and words(step)
  if i - since > 1 then
    return ("steps %d to %d of %d, the last: %s"):format(since + 1, i,
                                                         #plan.steps, said)
  end
  return ("step %d of %d: %s"):format(i, #plan.steps, said)
end

-- Who is who: a region that is renamed stays the same one. Gives all there
-- ever are, who each added one is, by step, and the most shards.
local function everyone(from, steps)
  local roster, added, shards = roster_of(from), {}, from.shards
  local taken = {}
  for _, name in ipairs(roster) do taken[name] = true end
  for i, step in ipairs(steps) do
    if step.kind == "add_region" then
      local one = step.region
      while taken[one] do one = one .. "'" end
      taken[one], added[i] = true, one
      roster[#roster + 1] = one
    elseif step.kind == "add_shard" then
      shards = math.max(shards, step.last + 1)
    end
  end
  return roster, added, shards
end

-- The layouts of the chosen steps, against the one before the plan.
local function frames_of(value, plan, limits)
  local steps, out, since = plan.steps, {}, 0
  local roster, added, shards = everyone(plan.from, steps)
  local draw, who, was = chosen(#steps, limits.frames, plan.from), {}, {}
  for _, region in ipairs(plan.from.regions) do
    who[region.name], was[region.name] = region.name, region.name
  end
  local world = { roster = roster, shards = shards,
                  who = function(name) return who[name] end,
                  was = function(name) return was[name] end }
  local function take(i)
    local step = steps[i]
    if added[i] then
      who[step.region] = added[i]
    elseif step.kind == "rename_region" then
      who[step.to], who[step.region] = who[step.region], nil
    end
  end
  for i, layout in value:states(draw) do
    for n = since + 1, i do take(n) end
    local one = frame.of(layout, plan.from, world, limits)
    one.step, one.caption = i, caption_of(plan, i, since)
    out[#out + 1], since = one, i
  end
  return out
end

-- The first waves of a plan, how long each takes and what it copies.
local function waves_of(schedule)
  if not schedule or #schedule == 0 then return nil end
  local out, longest = {}, 0.0
  for _, wave in ipairs(schedule) do
    longest = math.max(longest, wave.seconds)
  end
  for i, words in ipairs(schedule:words()) do
    if i > WAVES_SHOWN then break end
    out[i] = { part = longest > 0 and schedule[i].seconds / longest or 0.0,
               text = ("wave %s, day %s: %s in %s: %s"):format(
                 table.unpack(words)) }
  end
  local rest = #schedule - #out
  if rest > 0 then out.more = ("and %d more waves"):format(rest) end
  return out
end

-- `plan` is the plan's fields, as plain tables: they may be many.
local function of_plan(value, plan, limits)
  if plan.region then
    error(core.error { code = "part", message = ("this is %s's part of a "
      .. "plan: draw the whole"):format(plan.region) }, 0)
  end
  local frames, say = frames_of(value, plan, limits),
                      require "tidal.render.diff"
  local warning = value:check() and say.refusal(plan, plain, value)
  return {
    kind = "plan", name = plan.to.name, steps = #plan.steps,
    title = ("%s, epoch %d to %d"):format(plan.to.name, plan.from.epoch,
                                          plan.to.epoch),
    facts = { "from: " .. size_text(plan.from), "to: " .. size_text(plan.to),
              say.summary(plan, plain) },
    warnings = { warning }, notes = notes_of(frames, #plan.steps),
    frames = frames, waves = waves_of(plan.schedule),
    sheets = sheets.of_plan(plan),
  }
end

---True for a plan between two layouts.
M.is_plan = diff.is

---The scene of a layout, of its plan, or of a plan between two.
---@param value table
---@param limits { arcs: integer, rows: integer, columns: integer, frames:
---  integer } how much is drawn at most
---@return table scene
function M.of(value, limits)
  if layouts.is(value) then return of_layout(value:plan(), limits) end
  if plans.is(value) then return of_layout(value, limits) end
  if diff.is(value) then
    return of_plan(value, diff.fields(value), limits)
  end
  error(("a layout or a plan expected, got %s"):format(type(value)), 2)
end

return M
