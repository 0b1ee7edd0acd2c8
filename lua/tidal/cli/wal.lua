-- tidal-lua wal VERB ...: the verbs that work on write-ahead logs, each a
-- module tidal.cli.wal.<verb> with run(args) -> exit status.
local options = require "tidal.cli.options"
local suggest = require "tidal.suggest"

local M = {}

local VERBS <const> = {
  "dump", "verify", "stat", "export", "import", "repair",
}
local SYNOPSIS <const> = "wal " .. table.concat(VERBS, "|") .. " PATH ..."

local function is_verb(word)
  for _, verb in ipairs(VERBS) do
    if verb == word then return true end
  end
  return false
end

-- What the verbs take: before the verb, too.
local OPTIONS <const> = options.with_layout {
  json = "flag", csv = "flag", events = "flag", all = "flag",
  layout = "value", region = "value", ["skip-bad"] = "flag",
  apply = "flag",
}

-- The first word that is no option, and the arguments without it.
local function split(args)
  for i, word in ipairs(args) do
    if word:sub(1, 1) ~= "-" then
      local rest = table.move(args, 1, #args, 1, {})
      return table.remove(rest, i), rest
    end
  end
end

---Runs the verb that the arguments name.
---@param args string[]
---@return integer status
function M.run(args)
  local verb, rest = split(args)
  if not verb then
    options.parse(args, OPTIONS, SYNOPSIS)
    options.expect({}, 1, nil, SYNOPSIS)
  end
  if not is_verb(verb) then
    options.usage("no verb 'wal %s'%s; there are: wal %s\n"
                  .. "usage: tidal-lua %s", verb,
                  suggest.unknown(verb, VERBS),
                  table.concat(VERBS, ", wal "), SYNOPSIS)
  end
  return require("tidal.cli.wal." .. verb).run(rest)
end

return M
