-- tidal-lua bench [--json] [--peers] [--dir DIR]
-- Measures the Lua side in this process, instructions with callgrind where
-- valgrind is installed, and runs bin/tidal-bench for the C side; with
-- --peers only what that does beside other stores. Exit 1 if a gate is missed
-- in three attempts.
local bench = require "tidal.bench"
local cases = require "tidal.bench.cases"
local instructions = require "tidal.bench.instructions"
local isolation = require "tidal.bench.isolation"
local json = require "tidal.json"
local large = require "tidal.bench.large"
local luajit = require "tidal.bench.luajit"
local options = require "tidal.cli.options"
local terminal = require "tidal.render.terminal"

local M = {}

local SYNOPSIS <const> = [[bench [--json] [--peers] [--dir DIR]
  --dir DIR  where files are written while measuring, by default here
  --peers    the durable log beside RocksDB, SQLite, LMDB and Redis; first
             apt-get install librocksdb-dev libsqlite3-dev liblmdb-dev \
                             redis-server
             then sh scripts/run.sh, which builds what is there now]]

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- The C benchmark beside this executable, as decoded JSON; nil without it.
local function c_results(host, opts)
  local path = host and host:match "^(.*)/[^/]+$"
  path = path and path .. "/tidal-bench"
  local file = path and io.open(path, "rb")
  if not file then return nil end
  file:close()
  local command = quoted(path) .. " --json"
  if opts.peers then command = command .. " --peers" end
  if opts.dir then command = command .. " --dir " .. quoted(opts.dir) end
  local pipe = assert(io.popen(command))
  local text = pipe:read "a"
  pipe:close()
  local fine, value = pcall(json.decode, text)
  if not fine then options.fail("%s: %s", command, tostring(value)) end
  for _, result in ipairs(value.results) do
    for key, field in pairs(result) do
      if field == json.null then result[key] = nil end
    end
  end
  return value
end

local VERDICT <const> = { [true] = "ok", [false] = "BELOW" }

local function number(value)
  if not value then return "" end
  return ("%.1f"):format(value)
end

local function row(r)
  return { r.id, r.name, number(r.ours), number(r.peer), r.unit or "",
           r.ratio and ("%.2fx"):format(r.ratio) or "-",
           r.gate and ("%s %gx"):format(r.rule, r.gate) or "",
           r.skip or VERDICT[r.ok] or "" }
end

local function table_of(results)
  local rows = { { "", "", "ours", "peer", "", "ratio", "gate", "" } }
  for _, result in ipairs(results) do rows[#rows + 1] = row(result) end
  return terminal.columns(rows, {
    right = { [3] = true, [4] = true, [6] = true, [7] = true },
  })
end

local function result_json(r)
  return json.object {
    { "id", r.id }, { "name", r.name }, { "unit", r.unit },
    { "ours", r.ours }, { "peer", r.peer }, { "ratio", r.ratio },
    { "median_ratio", r.median_ratio }, { "gate", r.gate },
    { "rule", r.rule }, { "ok", r.ok }, { "skip", r.skip },
  }
end

local function print_json(report, results)
  local list = {}
  for i, result in ipairs(results) do list[i] = result_json(result) end
  print(json.encode(json.object {
    { "format", "tidal-bench/1" },
    { "cpu", report.cpu }, { "loadavg", report.loadavg },
    { "control", report.control },
    { "results", json.list(list) },
  }))
end

local function progress(name)
  if not options.is_tty(io.stderr) then return end
  io.stderr:write("\r", name or "", "\27[K")
end

-- What is measured from Lua, in this process and with its neighbours.
local function lua_results(module)
  local host = module and module.path
  local results = {}
  for _, case in ipairs(cases.list()) do
    progress(case.name)
    results[#results + 1] = bench.measure(case)
  end
  progress "instructions of route(id)"
  results[#results + 1] = instructions.measure(host)
  progress "isolation"
  results[#results + 1] = isolation.measure(module)
  progress "large layouts"
  local verbs = large.measure(module)
  table.move(verbs, 1, #verbs, #results + 1, results)
  progress "LuaJIT"
  local foreign = luajit.measure(host)
  table.move(foreign, 1, #foreign, #results + 1, results)
  return results
end

---Prints the table or the JSON. Status 1 if a gate is missed.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, { json = "flag", peers = "flag",
                                           dir = "value" }, SYNOPSIS)
  options.expect(rest, 0, 0, SYNOPSIS)
  local module = options.host()
  local host = module and module.path
  local report = { control = bench.control() }
  local results = opts.peers and {} or lua_results(module)
  progress(opts.peers and "peers" or "C side")
  local c = c_results(host, opts)
  progress()
  if opts.peers and not c then
    options.fail "bench --peers needs tidal-bench beside this program"
  end
  local more = c and c.results or {}
  table.move(more, 1, #more, #results + 1, results)
  report.cpu, report.loadavg = c and c.cpu, c and c.loadavg
  if opts.json then
    print_json(report, results)
  else
    print(table_of(results))
    print(("control (a function against itself): %.2f")
          :format(report.control))
  end
  for _, result in ipairs(results) do
    if result.ok == false then return 1 end
  end
  return 0
end

return M
