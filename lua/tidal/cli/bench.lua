-- tidal-lua bench [--json]
-- Measures the Lua side in this process, instructions with callgrind where
-- valgrind is installed, and runs bin/tidal-bench for the C side. Exit 1 if a
-- gate is missed in three attempts.
local bench = require "tidal.bench"
local cases = require "tidal.bench.cases"
local instructions = require "tidal.bench.instructions"
local isolation = require "tidal.bench.isolation"
local json = require "tidal.json"
local luajit = require "tidal.bench.luajit"
local options = require "tidal.cli.options"
local terminal = require "tidal.render.terminal"

local M = {}

local SYNOPSIS <const> = "bench [--json]"

-- The C benchmark beside this executable, as decoded JSON; nil without it.
local function c_results(host)
  local path = host and host:match "^(.*)/[^/]+$"
  path = path and path .. "/tidal-bench"
  local file = path and io.open(path, "rb")
  if not file then return nil end
  file:close()
  local pipe = assert(io.popen(("'%s' --json"):format(
    path:gsub("'", "'\\''"))))
  local text = pipe:read "a"
  pipe:close()
  local fine, value = pcall(json.decode, text)
  if not fine then options.fail("%s --json: %s", path, tostring(value)) end
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

---Prints the table or the JSON. Status 1 if a gate is missed.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, { json = "flag" },
                                   SYNOPSIS)
  options.expect(rest, 0, 0, SYNOPSIS)
  local module = options.host()
  local host = module and module.path
  local results, report = {}, { control = bench.control() }
  for _, case in ipairs(cases.list()) do
    progress(case.name)
    results[#results + 1] = bench.measure(case)
  end
  progress "instructions of route(id)"
  results[#results + 1] = instructions.measure(host)
  progress "isolation"
  results[#results + 1] = isolation.measure(module)
  progress "LuaJIT"
  for _, result in ipairs(luajit.measure(host)) do
    results[#results + 1] = result
  end
  progress "C side"
  local c = c_results(host)
  for _, result in ipairs(c and c.results or {}) do
    results[#results + 1] = result
  end
  report.cpu, report.loadavg = c and c.cpu, c and c.loadavg
  progress()
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
