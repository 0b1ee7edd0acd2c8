-- The ring of the key space as SVG: the first key is at the top, keys rise
-- clockwise, an arc belongs to a shard. Of a plan the inner ring is what was
-- before, and what has moved since is hatched. With the load of a log, bars
-- around it show how busy each shard is, and dots the hottest ids.
--
-- Takes a scene and a frame (draw/scene.lua); draws in a square box.
local colours = require "tidal.render.colours"
local markup = require "tidal.render.markup"

local M = {}

local SIZE <const>, MARGIN <const> = 400, 44       -- margin for bars of load
local CENTRE <const> = 200
local OUTER <const>, INNER <const> = 158, 106      -- the ring
local RIM <const> = 2                              -- around a hatch
local HOT <const> = 6                              -- a dot of a hot id
local BARS <const>, BARS_LONG <const> = 162, 30    -- bars of load
local WAS_OUTER <const>, WAS_INNER <const> = 100, 88
local LABEL_PX <const> = 28    -- an arc this long holds its label,
local SMALL_PX <const> = 23    -- this long a small one
local FINE <const> = 72        -- more arcs than these have thin edges
local NEAR <const> = 1e-9

local number <const> = markup.number

-- x and y of a place on the ring at a radius.
local function point(at, radius)
  local angle = (at - 0.25) * 2 * math.pi
  return number(CENTRE + radius * math.cos(angle)) .. " "
      .. number(CENTRE + radius * math.sin(angle))
end

local function circle(radius, sweep)
  local top, bottom = point(0, radius), point(0.5, radius)
  local arc = ("A%d %d 0 1 %d "):format(radius, radius, sweep)
  return "M" .. top .. arc .. bottom .. arc .. top .. "Z"
end

-- The outline of a part of the ring.
local function band(from, to, outer, inner)
  if to - from > 1 - NEAR then return circle(outer, 1) .. circle(inner, 0) end
  local large = to - from > 0.5 and 1 or 0
  return ("M%sA%s %s 0 %d 1 %sL%sA%s %s 0 %d 0 %sZ"):format(
    point(from, outer), number(outer), number(outer), large,
    point(to, outer), point(to, inner), number(inner), number(inner), large,
    point(from, inner))
end

local function percent(share)
  return ("%.2f %%"):format(share * 100)
end

local function owner_text(arc)
  if arc.shard then return "s" .. arc.shard end
  return ("%d ranges of several shards"):format(arc.ranges)
end

local function title_of(arc)
  local words = { owner_text(arc) .. ":" }
  if arc.first then words[2] = arc.first .. ".." .. arc.last end
  words[#words + 1] = percent(arc.to - arc.from)
  if arc.moved and arc.source and arc.source ~= arc.shard then
    words[#words + 1] = ("(was s%d)"):format(arc.source)
  elseif arc.moved then
    words[#words + 1] = "(moved)"
  end
  return table.concat(words, " ")
end

local function class_of(shard)
  return shard and "c" .. colours.of(shard) or "mixed"
end

local function label(arc)
  local middle, radius = (arc.from + arc.to) / 2, (OUTER + INNER) / 2
  local room = (arc.to - arc.from) * 2 * math.pi * radius
  if not arc.shard or room < SMALL_PX then return nil end
  if arc.to - arc.from > 1 - NEAR then middle = 0.5 end
  local x, y = point(middle, radius):match "(%S+) (%S+)"
  local colour = colours.of(arc.shard)
  local big = room >= LABEL_PX
  return markup.fill('<text x="{x}" y="{y}" class="mid {class}">'
    .. "s{shard}</text>", { x = x, y = tonumber(y) + 5, shard = arc.shard,
    class = ("%s%s t%d"):format(big and "big" or "small",
      arc.moved and " halo h" .. colour or "", colour) })
end

local function add_arc(out, arc, edge)
  out[#out + 1] = ('<path class="%s %s" d="%s"><title>%s</title></path>')
    :format(edge, class_of(arc.shard), band(arc.from, arc.to, OUTER, INNER),
            markup.escape(title_of(arc)))
  if arc.moved then
    out[#out + 1] = ('<path class="moved" d="%s"/>'):format(
      band(arc.from, arc.to, OUTER - RIM, INNER + RIM))
  end
end

---The inner ring: who owned the keys before the plan.
function M.before(scene)
  local out = {}
  for _, arc in ipairs(scene.frames[1].arcs) do
    out[#out + 1] = ('<path class="thin %s" d="%s"><title>before: %s'
      .. "</title></path>"):format(class_of(arc.shard),
      band(arc.from, arc.to, WAS_OUTER, WAS_INNER),
      markup.escape(title_of(arc)))
  end
  return table.concat(out, "\n")
end

-- The places of quarters, so that one can read where an id stands.
local function add_ticks(out, frame, heat)
  local far = heat and BARS + BARS_LONG + 2 or OUTER + 4
  local names = { "0x0", "0x4…", "0x8…", "0xc…" }
  if frame.keys == "remainders" then return end
  for i, name in ipairs(names) do
    local at = (i - 1) / 4
    local x, y = point(at, far + (at == 0 and 3 or 0)):match "(%S+) (%S+)"
    local down = ({ 0, 4, 12, 4 })[i]
    local turn = ({ "mid", "start", "mid", "end" })[i]
    out[#out + 1] = markup.fill(
      '<text x="{x}" y="{y}" class="dim small {turn}">{name}</text>',
      { x = x, y = tonumber(y) + down, turn = turn, name = name })
  end
end

-- Bars as long as a shard's part of the busiest one's events.
local function add_bars(out, frame, heat)
  local peak = 0.0
  for _, share in next, heat.by_shard do peak = math.max(peak, share) end
  for _, arc in ipairs(frame.arcs) do
    local share = arc.shard and heat.by_shard[arc.shard] or 0
    if share > 0 then
      out[#out + 1] = ('<path class="heat" d="%s"><title>%s</title></path>')
        :format(band(arc.from, arc.to, BARS + BARS_LONG * share / peak, BARS),
                ("s%d: %s of the events"):format(arc.shard, percent(share)))
    end
  end
end

-- The hottest ids, where they stand.
local function add_hot(out, heat)
  for _, hot in ipairs(heat.hot) do
    if hot.at then
      local x, y = point(hot.at, INNER + HOT + 2):match "(%S+) (%S+)"
      out[#out + 1] = markup.fill('<circle class="hot" cx="{x}" cy="{y}" '
        .. 'r="4.5"><title>{id}: {events} events</title></circle>',
        { x = x, y = y, id = hot.id, events = hot.events })
    end
  end
end

local KEYS <const> = { ids = "ids", hashes = "XXH3-64(id)",
                       remainders = "shares, not places" }

local function add_middle(out, scene, frame)
  local lines = {
    { "big ink", markup.shorten(scene.name, 16) },
    { "ink", "epoch " .. frame.epoch },
    { "dim", ("%d shard%s"):format(frame.shards,
                                   frame.shards == 1 and "" or "s") },
    { "dim", KEYS[frame.keys] },
  }
  for i, line in ipairs(lines) do
    out[#out + 1] = markup.fill(
      '<text x="200" y="{y}" class="mid {class}">{text}</text>',
      { y = 152 + i * 20, class = line[1], text = line[2] })
  end
end

---Width and height of the drawing.
function M.box(scene)
  return SIZE + (scene.heat and 2 * MARGIN or 0)
end

---The parts of a drawing, without the svg element around it.
---@param scene table
---@param frame table
---@param before? string markup for the inner ring, where it is there already
---@return string
function M.draw(scene, frame, before)
  local out = {}
  if scene.heat then add_bars(out, frame, scene.heat) end
  local edge = #frame.arcs > FINE and "edge fine" or "edge"
  for _, arc in ipairs(frame.arcs) do add_arc(out, arc, edge) end
  if scene.kind == "plan" then out[#out + 1] = before or M.before(scene) end
  for _, arc in ipairs(frame.arcs) do out[#out + 1] = label(arc) end
  add_ticks(out, frame, scene.heat)
  add_middle(out, scene, frame)
  if not scene.heat then return table.concat(out, "\n") end
  add_hot(out, scene.heat)
  return ('<g transform="translate(%d %d)">\n%s\n</g>'):format(
    MARGIN, MARGIN, table.concat(out, "\n"))
end

---What the drawing shows, in a sentence.
function M.describe(frame)
  local parts, shown = {}, math.min(#frame.arcs, 8)
  for i = 1, shown do
    local arc = frame.arcs[i]
    parts[i] = ("%s %s"):format(owner_text(arc), percent(arc.to - arc.from))
  end
  local rest = #frame.arcs - shown
  if rest > 0 then parts[#parts + 1] = ("and %d more arcs"):format(rest) end
  return "Ring of all keys: " .. table.concat(parts, ", ")
end

return M
