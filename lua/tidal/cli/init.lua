-- The verbs of tidal-lua: which there are, and what runs them.
--
-- A verb is a module tidal.cli.<name> with run(args) -> exit status; it may
-- raise a usage error (cli/options.lua). The host calls main and show.
local core = require "tidal.core"
local faults = require "tidal.faults"
local options = require "tidal.cli.options"
local suggest = require "tidal.suggest"

local M = {}

---One line per verb, for --help.
M.verbs = {
  plan = "what a layout means, node by node",
  diff = "what changes from one layout to another, and what must move",
  draw = "a picture of a layout or of a plan: text, SVG, one HTML page",
  prove = "total and unique over all 2^64 ids, from the boundaries",
  route = "the shard of each id",
  explain = "why an id is on its shard, why a move is allowed or not",
  whatif = "what is left when nodes or regions are lost",
  migrate = "moves events from one layout to the next, while writers go on",
  wal = "wal dump|verify|stat|export|import|repair: write-ahead logs",
  test = "busted inside the host",
  mutate = "wrong variants of a layout: which does its spec notice?",
  bench = "speed as ratios, measured side by side",
}

---The names, in the order in which people meet them.
M.order = { "plan", "diff", "draw", "prove", "route", "explain", "whatif",
            "migrate", "wal", "test", "mutate", "bench" }

local function complain(message)
  io.stderr:write("tidal-lua: ", message, "\n")
end

-- What a layout's author is to mend.
local FAULTS <const> = { layout = true, script = true, budget = true }

local function wants_json(args)
  for _, word in ipairs(args) do
    if word == "--" then return false end
    if word == "--json" then return true end
  end
  return false
end

local function failed(why, args)
  if core.is_error(why) and FAULTS[why.code] and wants_json(args) then
    print(faults.json(why))
    return 1
  end
  if options.is_usage(why) and why.help then
    print(why.help)
    return 0
  end
  complain(tostring(why))
  return options.is_usage(why) and 2 or 1
end

-- What a verb raised: an object that speaks for itself, or text with the
-- way that led there.
local function describe(why)
  if options.is_usage(why) or core.is_error(why) then return why end
  local meta = type(why) == "table" and getmetatable(why)
  if type(meta) == "table" and meta.__tostring then return tostring(why) end
  if type(why) ~= "string" then
    why = ("(error object is a %s value)"):format(type(why))
  end
  return debug.traceback(why, 2)
end

-- Verbs that evaluate a layout, by what they are called with.
local LAYOUT_VERBS <const> = {
  plan = true, diff = true, draw = true, prove = true, route = true,
  explain = true, whatif = true, mutate = true, migrate = true,
}

-- The process in which a layout is evaluated gets ready beside this one.
local function start_ahead(verb, args)
  local host = options.host()
  local given = {}
  for _, word in ipairs(args) do given[word] = true end
  local wanted = LAYOUT_VERBS[verb] or verb == "wal" and given.import
  if host and wanted and not given["--trust"] then
    require "tidal.hermetic.start".ahead(host, not given["--no-isolate"])
  end
end

---Runs a verb with its arguments.
---@param verb string
---@param args string[]
---@return integer status 0 done, 1 failed or refused, 2 usage
function M.main(verb, args)
  if not M.verbs[verb] then
    complain(("no verb or script '%s'%s; the verbs are: %s"):format(
      verb, suggest.unknown(verb, M.order), table.concat(M.order, " ")))
    return 2
  end
  start_ahead(verb, args)
  local run = require("tidal.cli." .. verb).run
  local result = table.pack(xpcall(run, describe, args))
  if result[1] then return result[2] or 0 end
  return failed(result[2], args)
end

---Prints the plan of a layout that a script returned.
---@param value any
---@return boolean printed, integer? status
function M.show(value)
  if not require "tidal.cluster.layout".is(value) then return false end
  local plan = value:plan()
  print(plan:text(options.style(io.stdout)))
  return true, plan:ok() and 0 or 1
end

return M
