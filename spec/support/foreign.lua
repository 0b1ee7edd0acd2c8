-- Scripts that are evaluated in a cell, as users of the verbs do.
local cli = require "spec.support.cli"

local M = {}

---A layout that is fine.
M.FINE = 'return tidal.cluster { name = "n", regions = { "a", "b" }, shards = 2 }\n'

---Runs a verb (plan) on a script; gives { status, standard output, standard
---error }.
---@param text string
---@param options? table verb =, args =, files = other files beside it
function M.run(text, options)
  options = options or {}
  local files = { ["cluster.lua"] = text }
  for name, other in pairs(options.files or {}) do files[name] = other end
  local args = { options.verb or "plan", "cluster.lua" }
  table.move(options.args or {}, 1, #(options.args or {}), 3, args)
  return { cli.run(args, { files = files }) }
end

---The error of a script that is refused, without the program's name.
function M.refused(text, options)
  local result = M.run(text, options)
  assert(result[1] == 1 and result[2] == "", "not refused: " .. table.concat(result, " "))
  return (result[3]:gsub("^tidal%-lua: ", ""))
end

---What a script printed.
function M.printed(text, options)
  local result = M.run(text .. "\n" .. M.FINE, options)
  assert(result[1] == 0, result[3])
  return result[3]
end

---Runs code in tidal-lua; gives what it printed.
function M.host(code, ...)
  local status, out, err = cli.run { "-e", code, ... }
  assert(status == 0, err)
  return out
end

---Code for M.host: the beginning of most.
M.OPEN = "local host = require 'tidal.host' "
  .. "local lpeg = package.loadlib(package.searchpath('lpeg', package.cpath), 'luaopen_lpeg') "
  .. "local function new(t) t = t or {} t.lpeg, t.memory = lpeg, t.memory or 1 << 25 "
  .. "if t.filter == nil then t.filter = true end return host.child(t) end "

---True where the whole fence stands: not in builds with sanitizers.
function M.fenced()
  return M.host "print(require 'tidal.host'.fenced)" == "true\n"
end

return M
