-- Why a move is allowed, or not, and what would be instead.
--
--   s3 us-east->eu-west          another region leads s3
--   0x00..-0xff.. s1->s4         ids (hashes) go to another shard
--   s1->s4                       all that s1 owns does
--
-- answer = { layout =, kind = "leader" | "range", shard = or source =, target
--   =, ranges = { { first =, last = }, ... }, share = of 1, allowed =, rule =
--   name or nil, why =, line = of the rule, before = true where the rule is
--   broken without the move, instead = { target =, ... } or nil, tried = how
--   many others were, price = { bytes =, events = } of a move of ids where
--   logs were given }
local arguments = require "tidal.rules.arguments"
local core = require "tidal.core"
local diff = require "tidal.plan.diff"
local explain = require "tidal.inspect.explain"
local extent = require "tidal.plan.extent"
local json = require "tidal.json"
local places = require "tidal.cluster.places"
local probe = require "tidal.inspect.probe"
local rules = require "tidal.rules"
local tables = require "tidal.plan.tables"

local M = {}

local OTHERS_MAX <const> = 8  -- shards that are tried instead

local ult <const>, hex <const> = math.ult, core.u64.hex

-- --- reading -------------------------------------------------------------

local function shard_of(word)
  local digits = word:match "^s(%d%d?%d?%d?%d?)$"
  return digits and math.tointeger(tonumber(digits))
end

local function id_of(word)
  local fine, id = pcall(core.u64.parse, word)
  return fine and id or nil
end

local function bounds_of(word)
  local first, last = word:match "^(%w+)%-(%w+)$"
  if not first then first, last = word:match "^(%w+)%.%.(%w+)$" end
  first, last = first and id_of(first), last and id_of(last)
  if first and last then return first, last end
end

---A move as it is written; nil for what is none.
---@param text string
---@return table? move { kind =, shard =, source =, target =, first =, last = }
function M.read(text)
  text = text:gsub("^%s*move%s+", ""):gsub("%s*%->%s*", "->")
  local what, from, to = text:match "^%s*(.-)%s*(%S+)%->(%S+)%s*$"
  if not what then return nil end
  local source, target = shard_of(from), shard_of(to)
  local shard = shard_of(what)
  if shard then
    return { kind = "leader", shard = shard, source = from, target = to }
  end
  if not source or not target then return nil end
  local move = { kind = "range", source = source, target = target }
  if what == "" then return move end
  move.first, move.last = bounds_of(what)
  return move.first and move or nil
end

-- --- facts ---------------------------------------------------------------

-- Name and number of a region, by either; nil and why.
local function region_of(layout, word)
  local number = math.tointeger(tonumber(word:match "^r(%d+)$"))
  local region, why = arguments.region(layout, word)
  region = region or number and layout.regions[number + 1]
  if not region then return nil, why end
  return region.name, region.id
end

local function no_shard(layout, shard)
  if shard < layout.shards then return nil end
  return ("s%d is not a shard of this layout (s0..s%d)"):format(
    shard, layout.shards - 1)
end

-- Steps of a change of leader, or nil and why there is none.
local function leader_steps(layout, move)
  local why = no_shard(layout, move.shard)
  if why then return nil, why end
  local source, source_id = region_of(layout, move.source)
  if not source then return nil, source_id end
  local target, target_id = region_of(layout, move.target)
  if not target then return nil, target_id end
  move.source, move.target = source, target
  if layout.leaders == "all" then
    return nil, ("every region leads every shard: there is no lead of s%d "
                 .. "to hand over"):format(move.shard)
  elseif layout.leaders[move.shard] ~= source_id then
    local leader = layout.regions[layout.leaders[move.shard] + 1].name
    return nil, ("s%d is led by %s, not by %s"):format(move.shard, leader,
                                                       source)
  elseif source == target then
    return nil, ("%s leads s%d already"):format(source, move.shard)
  end
  return { probe.lead(move.shard, source, target) }
end

-- The ranges to be moved; nil and why where its source does not own them.
local function ranges_to_move(layout, move)
  local t, out = tables.of(layout), {}
  if move.first and ult(move.last, move.first) then
    return nil, ("%s is above %s: bounds are inclusive"):format(
      hex(move.first), hex(move.last))
  end
  for i, first in ipairs(t.firsts) do
    local last, owner = tables.last(t, i), t.owners[i]
    local within = not move.first or not ult(last, move.first)
                                     and not ult(move.last, first)
    if within and owner == move.source then
      if move.first then
        if ult(first, move.first) then first = move.first end
        if ult(move.last, last) then last = move.last end
      end
      out[#out + 1] = { first = first, last = last }
    elseif within and move.first then
      if ult(first, move.first) then first = move.first end
      if ult(move.last, last) then last = move.last end
      return nil, ("s%d does not own all of it: %s..%s belongs to s%d")
                  :format(move.source, hex(first), hex(last), owner)
    end
  end
  if #out == 0 then return nil, ("s%d owns nothing"):format(move.source) end
  return out
end

local function steps_to(move, target)
  local out = {}
  for i, range in ipairs(move.ranges) do
    out[i] = { kind = "move", first = range.first, last = range.last,
               source = move.source, target = target }
  end
  return out
end

local function range_steps(layout, move)
  local why = no_shard(layout, move.source) or no_shard(layout, move.target)
  if why then return nil, why end
  local strategy = layout.router:strategy()
  if strategy == "hash" then
    return nil, ("XXH3-64(id) %% %d alone decides where ids are: hash has no "
      .. "ranges to move, hash_ranges would"):format(
      layout.router:num_shards())
  elseif strategy == "single" then
    return nil, "single() sends every id to s0: there is no other shard"
  elseif move.source == move.target then
    return nil, ("s%d owns it already"):format(move.source)
  end
  move.ranges, why = ranges_to_move(layout, move)
  if not move.ranges then return nil, why end
  local keys = extent.none
  for _, range in ipairs(move.ranges) do
    keys = keys + extent.of(range.first, range.last)
  end
  move.share = keys:share()
  return steps_to(move, move.target)
end

-- --- instead -------------------------------------------------------------

local function another_leader(layout, move, where)
  local tried = 0
  for _, choice in ipairs(explain.choices(layout, move.shard, where)) do
    if choice.region ~= move.target then
      tried = tried + 1
      if not choice.why then
        return { target = choice.region, leads = choice.leads }, tried
      end
    end
  end
  return nil, tried
end

-- Another shard: those that own least are tried first.
local function another_shard(layout, move)
  local owned, order = tables.owned(tables.of(layout)), {}
  for s = 0, layout.shards - 1 do
    if s ~= move.source and s ~= move.target then order[#order + 1] = s end
  end
  table.sort(order, function(a, b)
    local x, y = owned[a] or extent.none, owned[b] or extent.none
    if x == y then return a < b end
    return x < y
  end)
  local tried = math.min(#order, OTHERS_MAX)
  for i = 1, tried do
    if not probe.broken(layout, steps_to(move, order[i])) then
      local share = (owned[order[i]] or extent.none):share() + move.share
      return { target = order[i], share = share }, i
    end
  end
  return nil, tried
end

-- Why a rule forbids a lead, without a way out that is the way back.
local function reason(move, why)
  if move.kind ~= "leader" then return why end
  local back = (" let %s lead s%d"):format(move.source, move.shard)
  if why:sub(-#back) == back then return why:sub(1, -#back - 2) end
  local first, last = why:find(back .. ", or", 1, true)
  return first and why:sub(1, first - 1) .. why:sub(last + 1) or why
end

-- What a change of these steps copies, from logs; nil for a lead.
local function price_of(layout, move, list, weigh)
  if not weigh or move.kind == "leader" then return nil end
  local after = probe.after(layout, list)
  return after and weigh(diff.between(layout, after)).price
end

---@param layout table
---@param move table of M.read
---@param weigh? fun(plan): table reads logs: the plan with its price
---@return table answer
function M.move(layout, move, weigh)
  local where = places.of(layout)
  local answer = { layout = layout, kind = move.kind, file = layout.file }
  local leads = move.kind == "leader"
  local list, why = (leads and leader_steps or range_steps)(layout, move)
  for key, value in next, move do answer[key] = value end
  if not list then
    answer.allowed, answer.why = false, why
    return answer
  end
  answer.price = price_of(layout, move, list, weigh)
  local broken = probe.broken(layout, list)
  answer.allowed = broken == nil
  if not broken then return answer end
  answer.rule, answer.why = broken.rule, reason(move, broken.why)
  if broken.number then
    answer.line = where:rule(broken.number)
    answer.before = not rules.judge(layout)[broken.number].ok
  end
  local instead = leads and another_leader or another_shard
  answer.instead, answer.tried = instead(layout, move, where)
  return answer
end

local function ranges_json(ranges)
  if not ranges then return nil end
  local out = {}
  for i, range in ipairs(ranges) do
    out[i] = json.object { { "first", hex(range.first) },
                           { "last", hex(range.last) } }
  end
  return json.list(out)
end

---The answer as one JSON object.
function M.json(answer)
  local instead, price = answer.instead, answer.price
  return json.encode(json.object {
    { "format", "tidal-explain/1" }, { "name", answer.layout.name },
    { "epoch", answer.layout.epoch }, { "file", answer.file },
    { "move", json.object {
      { "kind", answer.kind }, { "shard", answer.shard },
      { "source", answer.source }, { "target", answer.target },
      { "ranges", ranges_json(answer.ranges) }, { "share", answer.share },
      { "bytes", price and core.u64.str(price.bytes) },
      { "events", price and core.u64.str(price.events) },
    } },
    { "allowed", answer.allowed }, { "rule", answer.rule },
    { "why", answer.why }, { "line", answer.line },
    { "broken_before", answer.before },
    { "instead", instead and json.object { { "target", instead.target } } },
  })
end

return M
