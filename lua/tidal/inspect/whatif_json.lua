-- What is left, as JSON ("tidal-whatif/1").
local core = require "tidal.core"
local json = require "tidal.json"

local M = {}

local function head(layout)
  return { { "format", "tidal-whatif/1" }, { "name", layout.name },
           { "epoch", layout.epoch }, { "shards", layout.shards } }
end

-- Names of regions have nothing to escape, and runs may be many.
local RUN <const> = '{"first":%d(first),"last":%d(last),'
                 .. '"source":"%s(source)","target":"%s(target)"}'

-- Elections as runs of neighbouring shards from one region to another.
local function elect_json(report)
  local out, names, run = {}, {}, nil
  for _, region in ipairs(report.layout.regions) do
    names[region.id] = region.name
  end
  for _, change in ipairs(report.left.elect) do
    local source, target = names[change.source], names[change.target]
    if run and run.last + 1 == change.shard and run.source == source
       and run.target == target then
      run.last = change.shard
    else
      run = { first = change.shard, last = change.shard,
              source = source, target = target }
      out[#out + 1] = run
    end
  end
  return json.raw("[" .. core.rows(out, RUN) .. "]")
end

local function regions_json(report)
  local out = {}
  for i, region in ipairs(report.regions) do
    out[i] = json.object {
      { "id", region.id }, { "name", region.name },
      { "leads", region.leads }, { "load_share", region.share },
      { "bytes", region.held and core.u64.str(region.held) },
    }
  end
  return json.list(out)
end

local function rules_json(list)
  if not list then return json.null end
  local out = {}
  for i, rule in ipairs(list) do
    out[i] = json.object { { "name", rule.name }, { "ok", rule.ok },
                           { "why", rule.why } }
  end
  return json.list(out)
end

---@param report table of inspect/whatif.lua
function M.report(report)
  local left, out = report.left, head(report.layout)
  local none = table.move(left.none, 1, #left.none, 1, {})
  table.move({
    { "lost", json.list(table.move(report.lost, 1, #report.lost, 1, {})) },
    { "writable", left.writable }, { "elect", elect_json(report) },
    { "copies", json.object { { "least", left.copies.least },
                              { "most", left.copies.most } } },
    { "below_two_copies", left.below }, { "no_copy", json.list(none) },
    { "regions", regions_json(report) }, { "rules", rules_json(report.rules) },
  }, 1, 8, #out + 1, out)
  return json.encode(json.object(out))
end

local function row_json(noun, row)
  local peak = row.peak
  return json.object {
    { "loss", noun }, { "regions", json.list(row.lost) },
    { "role", row.role }, { "nodes", row.count },
    { "copies", row.copies }, { "writable", row.writable },
    { "elect", row.promote },
    { "peak", peak and json.object {
      { "region", peak.name }, { "leads", peak.leads },
      { "load_share", peak.share },
    } },
  }
end

---@param matrix table of inspect/whatif.lua
function M.matrix(matrix)
  local rows, untold, out = {}, {}, head(matrix.layout)
  for _, group in ipairs(matrix.groups) do
    for _, row in ipairs(group.rows) do
      rows[#rows + 1] = row_json(group.noun, row)
    end
    if group.untold then
      untold[#untold + 1] = json.object { { "loss", group.noun },
                                          { "why", group.untold } }
    end
  end
  out[#out + 1] = { "losses", json.list(rows) }
  out[#out + 1] = { "left_out", #untold > 0 and json.list(untold) or nil }
  return json.encode(json.object(out))
end

return M
