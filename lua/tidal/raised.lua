-- What a layout's script raised, as its author is told: the message with the
-- frames of the script, without those of tidal that called it.
local M = {}

---The handler of calls into a script. Where a budget is used up it must not
-- do anything that is charged: it would raise again, and again be called.
---@param why any
---@return any # text gets its traceback
function M.traced(why)
  return type(why) == "string" and debug.traceback(why, 2) or why
end

-- What stands below the script's first frame; frames and places of ours, as
-- they are named inside the program and in lua5.4.
local BELOW <const> = "^(.*)\n\t[^\n]*tidal/cluster/origin%.lua:.-$"
local FRAME <const> = "\n\t%.?/?lua/tidal/[^\n]*"
local PLACE <const> = "^%.?/?lua/tidal/[%w_/]+%.lua:%d+: "

-- The one frame that is left, of the line that the message is about.
local ALONE <const> = "^(([^\n]-:%d+:).*)\nstack traceback:\n\t([^\n]-:%d+:)"
                   .. "[^\n]*$"
local ERROR <const> = "\n\t%[C%]: in function 'error'"

---A text that went through M.traced, for its author. A traceback that tells
---no more than the message is left out.
---@param trace string
---@return string
function M.trimmed(trace)
  local text = (trace:match(BELOW) or trace):gsub(FRAME, ""):gsub(PLACE, "")
                 :gsub(ERROR, "", 1)
  local message, place, frame = text:match(ALONE)
  return message and place == frame and message or text
end

---An error object that says nothing of itself.
---@param why any
---@return string
function M.untold(why)
  return ("(error object is a %s value)"):format(type(why))
end

return M
