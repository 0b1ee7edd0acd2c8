-- A plan as text: what is where, who leads, what a lost region leaves, and,
-- with a load, how heavy each shard is. Long tables are shortened in the
-- middle; the JSON holds all of it.
local core = require "tidal.core"
local terminal = require "tidal.render.terminal"
local text = require "tidal.text"
local weigh = require "tidal.plan.weigh"

local count <const>, shorten <const> = terminal.count, terminal.shorten

local M = {}

local COLUMNS_MAX <const> = 10  -- shards side by side in the table of nodes
local ROWS_MAX <const> = 32     -- ranges, regions or shards listed
local IDLE_SHOWN <const> = 10   -- shards without ids named

-- "... 7 more regions"
local function more(n, noun)
  return "... " .. count(n, "more " .. noun)
end

local function head(plan, style)
  local layout = plan.layout
  local nodes = #layout.regions * layout.shards
  return ("%s  epoch %d  %s x %s = %s, %s\nlayout %s"):format(
    style:paint("bold", layout.name), layout.epoch,
    count(#layout.regions, "region"), count(layout.shards, "shard"),
    count(nodes, "node"), count(nodes, "log"), plan.hash)
end

local function region_label(region)
  return ("r%d %s"):format(region.id, region.name)
end

-- One row a region, one column a shard.
local function node_grid(plan, style)
  local layout = plan.layout
  local header = { "" }
  for s = 0, layout.shards - 1 do header[s + 2] = "s" .. s end
  local rows = shorten(layout.regions, ROWS_MAX, function(region)
    local row = { region_label(region) }
    for s = 0, layout.shards - 1 do
      local role = layout:role(region.id, s)
      row[s + 2] = style:paint(role == "follower" and "dim" or "green", role)
    end
    return row
  end, function(n) return { more(n, "region") } end)
  table.insert(rows, 1, header)
  return terminal.columns(rows, { indent = "  " })
end

-- Too many shards for columns: who leads how many.
local function node_counts(plan)
  local layout = plan.layout
  local rows = shorten(layout.regions, ROWS_MAX, function(region)
    local leads = layout:leads(region.id)
    return { region_label(region), count(leads, "leader"),
             count(layout.shards - leads, "follower") }
  end, function(n) return { more(n, "region") } end)
  return terminal.columns(rows, { indent = "  ",
                                  right = { [2] = true, [3] = true } })
end

local function nodes(plan, style)
  local body = plan.layout.shards <= COLUMNS_MAX and node_grid(plan, style)
            or node_counts(plan)
  return "nodes\n" .. body
end

local TITLES <const> = {
  ranges = "ranges of ids",
  hash_ranges = "ranges of XXH3-64(id)",
}

-- Share of the key space; 2^64 keys are 1.
local function share_of(range)
  return (core.u64.tonumber(range.last - range.first) + 1) / 2.0 ^ 64
end

local function ranges(plan)
  local layout = plan.layout
  local strategy = layout.router:strategy()
  if strategy == "single" then return "routing  every id to s0" end
  if strategy == "hash" then
    return ("routing  XXH3-64(id) %% %d, %s of the ids each; another number "
            .. "of shards\n         would move nearly all of them "
            .. "(hash_ranges would not)"):format(
      layout.shards, terminal.percent(1 / layout.shards))
  end
  local rows = shorten(plan.ranges, ROWS_MAX, function(range)
    return { tostring(range.shard),
             ("%s..%s"):format(core.u64.hex(range.first),
                               core.u64.hex(range.last)),
             terminal.percent(share_of(range)) }
  end, function(n) return { "...", count(n, "more range") } end)
  return ("routing  %s, in every region, all 2^64 covered\n%s"):format(
    TITLES[strategy],
    terminal.columns(rows, { indent = "  ", right = { [3] = true } }))
end

-- Shards that own nothing: allowed, but said.
local function idle(plan)
  if not plan.ranges then return nil end
  local owns, out = {}, {}
  for _, range in ipairs(plan.ranges) do owns[range.shard.value] = true end
  for s = 0, plan.layout.shards - 1 do
    if not owns[s] then out[#out + 1] = "s" .. s end
  end
  if #out == 0 then return nil end
  local names = table.concat(out, " ", 1, math.min(#out, IDLE_SHOWN))
             .. (#out > IDLE_SHOWN and " ..." or "")
  return ("note     %s own%s no ids: %s"):format(
    count(#out, "shard"), #out == 1 and "s" or "", names)
end

local function leaders(plan)
  local layout = plan.layout
  local rows = shorten(layout.regions, ROWS_MAX, function(region)
    return { region.name, tostring(layout:leads(region.id)) }
  end, function(n) return { more(n, "region"), "" } end)
  return "leaders per region\n"
      .. terminal.columns(rows, { indent = "  ", right = { [2] = true } })
end

local function loss_text(loss)
  if loss.copies == 0 then return "nothing is left" end
  local copies = ("%d %s of every shard left"):format(
    loss.copies, loss.copies == 1 and "copy" or "copies")
  if loss.promote == 0 then return copies .. ", every shard has a leader" end
  return ("%s, %s a new leader"):format(
    copies, loss.promote == 1 and "1 shard needs"
            or loss.promote .. " shards need")
end

local function losses(plan)
  local rows = shorten(plan.losses, ROWS_MAX, function(loss)
    return { plan.layout.regions[loss.region + 1].name, loss_text(loss) }
  end, function(n) return { more(n, "region") } end)
  return "if a region is lost\n" .. terminal.columns(rows, { indent = "  " })
end

local function rules(plan, style)
  if #plan.rules == 0 then return nil end
  local rows = {}
  for i, rule in ipairs(plan.rules) do
    rows[i] = { rule.ok and style:paint("green", "ok")
                or style:paint("red", "BROKEN"), rule.name, rule.why or "" }
  end
  return "rules\n" .. terminal.columns(rows, { indent = "  " })
end

local function hottest_text(shard)
  local out = {}
  for i, heat in ipairs(shard.hottest) do
    out[i] = ("%s %d"):format(core.u64.hex(heat.entity), heat.events)
  end
  return table.concat(out, "  ")
end

local function load_rows(load)
  local rows = shorten(load.shards, ROWS_MAX, function(shard)
    return { "s" .. shard.id, tostring(shard.events),
             text.bytes(shard.bytes), terminal.percent(shard.share),
             terminal.bar(shard.share, 20), hottest_text(shard) }
  end, function(n) return { more(n, "shard"), "", "", "", "", "" } end)
  table.insert(rows, 1, { "", "events", "bytes", "share", "",
                          "hottest ids" })
  return rows
end

local function proposal(load)
  if not load.balanced then
    return "no other boundaries would spread it much better: few ids carry "
        .. "the load"
  end
  local balanced = load.balanced
  return ("these boundaries would bring the peak to %s%s:\n"
          .. "  routing = tidal.routing.%s [[\n%s\n  ]],"):format(
    terminal.percent(balanced.peak),
    balanced.kept and (", moving %s"):format(terminal.percent(balanced.moved))
    or "", balanced.strategy, weigh.ranges_text(balanced, "    "))
end

local function load(plan, style)
  local seen = plan.load
  if not seen then return nil end
  local lines = {
    ("load     %d events, %s, %d %s"):format(
      seen.events, text.bytes(seen.bytes), seen.distinct,
      seen.exact and "ids" or "runs of ids (more ids than slots)"),
    terminal.columns(load_rows(seen), {
      indent = "  ", right = { [2] = true, [3] = true, [4] = true },
    }),
  }
  if seen.skewed then
    lines[#lines + 1] = style:paint("yellow", ("skewed: the busiest shard "
      .. "takes %s, an equal share is %s"):format(
      terminal.percent(seen.peak), terminal.percent(1 / plan.layout.shards)))
    lines[#lines + 1] = proposal(seen)
  end
  return table.concat(lines, "\n")
end

---@param plan table of tidal.plan.meaning
---@param style? table of tidal.render.terminal
function M.text(plan, style)
  style = style or terminal.plain
  local parts = {}
  for _, part in ipairs { head, nodes, ranges, idle, leaders, losses, rules,
                          load } do
    parts[#parts + 1] = part(plan, style)
  end
  return table.concat(parts, "\n\n")
end

return M
