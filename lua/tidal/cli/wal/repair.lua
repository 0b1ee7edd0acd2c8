-- tidal-lua wal repair DIR [--apply]
-- What it takes to make the logs of DIR whole again; with --apply it is done.
-- A damaged log keeps its part before the damage; what stands behind it goes
-- to quarantine/, nothing is deleted. Without --apply nothing is changed.
-- Exit 0 if DIR is, or with --apply would be, sound; 1 if something must be
-- left alone.
local core = require "tidal.core"
local options = require "tidal.cli.options"

local M = {}

local SYNOPSIS <const> = "wal repair DIR [--apply]"

-- What a finding says about the file that goes.
local REASON <const> = {
  clean = "stands behind damage, or was to be removed",
  torn = "a torn write, never acknowledged",
  corrupt = "damaged, or names what is not there",
  gap = "stands behind a missing segment",
  mismatch = "not where it belongs",
  unsupported = "written by a newer version: only that one may touch it",
  reserved = "bytes that must be zero are not: ask what wrote it",
}

local function amount(action)
  local parts = {}
  if action.bytes ~= 0 then
    parts[#parts + 1] = core.u64.str(action.bytes) .. " bytes"
  end
  if action.events ~= 0 then
    parts[#parts + 1] = ("%s readable events %s..%s"):format(
      core.u64.str(action.events), core.u64.str(action.first_seq),
      core.u64.str(action.last_seq))
  end
  return #parts > 0 and ", " .. table.concat(parts, ", ") or ""
end

-- Layouts and cuts say which events count: none of them may go.
local function left_reason(action)
  if action.verdict == "corrupt" or action.verdict == "mismatch" then
    return "without it dead events would count again: restore it from a copy"
  end
  return REASON[action.verdict]
end

local LINE <const> = {
  cut = function(a)
    return ("cut    %s at byte %s%s: %s"):format(
      a.file, core.u64.str(a.offset), amount(a), REASON[a.verdict])
  end,
  move = function(a)
    return ("move   %s%s: %s"):format(a.file, amount(a), REASON[a.verdict])
  end,
  leave = function(a)
    return ("leave  %s: %s"):format(a.file, left_reason(a))
  end,
}

-- What goes of segments was acknowledged once; a torn tail was not.
local function gives_up(actions)
  for _, action in ipairs(actions) do
    if action.action ~= "leave" and action.verdict ~= "torn"
       and action.file:find "%.seg$" then
      return true
    end
  end
  return false
end

local function count(actions, wanted)
  local sum = 0
  for _, action in ipairs(actions) do
    if (action.action == "leave") == wanted then sum = sum + 1 end
  end
  return sum
end

local function plural(n, noun)
  return ("%d %s%s"):format(n, noun, n == 1 and "" or "s")
end

local function summary(path, actions, applied)
  local todo, left = count(actions, false), count(actions, true)
  if todo + left == 0 then return "sound: nothing to repair" end
  local out = {}
  if todo > 0 and applied then
    out[#out + 1] = ("%s done; what went is in %s/quarantine"):format(
      plural(todo, "action"), path)
  elseif todo > 0 then
    out[#out + 1] = ("%s; nothing was changed, --apply does it"):format(
      plural(todo, "action"))
  end
  if todo > 0 and gives_up(actions) then
    out[#out + 1] = "acknowledged events are given up: bring the files back "
      .. "from a follower or a backup first, if there is one"
    out[#out + 1] = "new events will get the numbers of those given up: "
      .. "whoever applied them must start anew"
  end
  if left > 0 then
    out[#out + 1] = plural(left, "file") .. " left alone"
  end
  return table.concat(out, "\n")
end

---Prints the actions, with --apply after doing them.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, { apply = "flag" }, SYNOPSIS)
  options.expect(rest, 1, 1, SYNOPSIS)
  local path = rest[1]
  local actions, err = core.wal.repair(path, opts.apply == true)
  if not actions then error(err, 0) end
  for _, action in ipairs(actions) do print(LINE[action.action](action)) end
  print(summary(path, actions, opts.apply))
  return count(actions, true) > 0 and 1 or 0
end

return M
