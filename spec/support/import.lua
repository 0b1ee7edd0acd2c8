-- Files to import, and what they become: for the specs of import and export.
local cli = dofile "spec/support/cli.lua"
local core = require "tidal.core"
local lfs = require "lfs"
local script = dofile "spec/support/script.lua"

local M = {}

local LAYOUT <const> = [[return tidal.cluster {
  name = "prod", epoch = 3, regions = { "us-east", "eu-west" }, shards = 4 }]]
local ROUTER <const> = core.router.even(4)

function M.exists(path) return lfs.attributes(path, "mode") ~= nil end

function M.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

function M.names(dir)
  local out = {}
  for name in lfs.dir(dir) do if name:sub(1, 1) ~= "." then out[#out + 1] = name end end
  table.sort(out)
  return table.concat(out, " ")
end

---Calls f with an object: dir (not made yet), file, import(args, input),
-- export(...).
function M.with(text, f)
  return script.within({ ["layout.lua"] = LAYOUT, ["events"] = text }, function(base)
    local here = { base = base, dir = base .. "/wal", file = base .. "/events" }
    function here.import(more, options)
      local args = { "wal", "import", here.dir, "--layout", base .. "/layout.lua",
                     "--region", "eu-west" }
      return cli.run(table.move(more, 1, #more, #args + 1, args), options)
    end
    function here.export(...)
      local exit, out, err = cli.run { "wal", "export", here.dir, ... }
      assert(exit == 0 and err == "", err)
      return out
    end
    return f(here)
  end)
end

---What export prints once these events are imported: { text of the event, id }.
function M.expected(events, region)
  local logs, out = {}, {}
  for _, event in ipairs(events) do
    local shard = ROUTER:route(event[2]).value
    logs[shard] = logs[shard] or {}
    table.insert(logs[shard], event[1])
  end
  for shard = 0, 3 do
    for i, text in ipairs(logs[shard] or {}) do
      out[#out + 1] = ("%d,%d,%d,%s\n"):format(region, shard, i, text)
    end
  end
  return table.concat(out)
end

return M
