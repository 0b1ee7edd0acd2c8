-- Options of verbs that show a plan: how much may be copied at once. With any
-- of them a weighed plan is put in waves (plan/waves.lua).
--
--   --per-node N          copies that a node takes part in at once; 1
--   --per-link 30MB/s     what a link carries, within a region or between two
--   --window 02:00..05:00 when copies may run, each day; always
--   --never A+B           regions that never copy in one wave; may be repeated
local options = require "tidal.cli.options"

local M = {}

local KINDS <const> = {
  ["per-node"] = "value", ["per-link"] = "value", window = "value",
  never = "list",
}
local ORDER <const> = { "per-node", "per-link", "window", "never" }

---A line of a synopsis.
M.SYNOPSIS = "[--per-node N] [--per-link 30MB/s] [--window 02:00..05:00] "
  .. "[--never A+B]..."

---Adds the options to those of a verb.
---@param spec table as for options.parse; changed
function M.with(spec)
  for name, kind in pairs(KINDS) do spec[name] = kind end
  return spec
end

-- The name of the first that is given, or nil.
local function first_given(opts)
  for _, name in ipairs(ORDER) do
    if opts[name] then return name end
  end
end

---The plan in waves, if a budget is given: only a weighed plan can be.
---@param plan table
---@param opts table what options.parse gave
---@param synopsis string
---@return table plan
function M.apply(plan, opts, synopsis)
  local given = first_given(opts)
  if not given then return plan end
  if not opts.wal or not plan.in_waves then
    options.wrong(synopsis, "--%s goes with a plan between two layouts and "
                  .. "--wal: bytes take time", given)
  end
  local number = opts["per-node"]
  local fine, timed = pcall(plan.in_waves, plan, {
    per_node = number and math.tointeger(tonumber(number)) or number,
    per_link = opts["per-link"], window = opts.window, never = opts.never,
  })
  if fine then return timed end
  local why = tostring(timed):match "^plan:waves: (.*)$"
  if not why then error(timed, 0) end
  options.wrong(synopsis, "--%s", (why:gsub("^per_", "per-")))
end

return M
