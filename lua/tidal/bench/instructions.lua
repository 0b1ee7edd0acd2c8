-- G3: machine instructions of one route(id), counted by callgrind: the same
-- on a loaded machine. Two runs of different length, so that start-up
-- cancels out.
local M = {}

local GATE <const> = 450
local SHORT <const>, LONG <const> = 4000, 12000

local SCRIPT <const> = [[
local route = tidal.router.starts { 0, 10, 1 << 40, -5 }:bind()
for i = 1, %d do route(i) end
]]

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Instructions of the whole process, or nil.
local function count(host, calls)
  local pipe = assert(io.popen(
    "valgrind --tool=callgrind --callgrind-out-file=/dev/null "
    .. quoted(host) .. " -e " .. quoted(SCRIPT:format(calls)) .. " 2>&1"))
  local text = pipe:read "a"
  pipe:close()
  local digits = text:match "Collected : (%d+)"
  return digits and math.tointeger(tonumber(digits))
end

---@param host? string path of this executable
---@return table result as tidal.bench makes them
function M.measure(host)
  local result = { id = "G3", name = "instructions of route(id)",
                   unit = "instr", rule = "<=" }
  local short = host and count(host, SHORT)
  local long = short and count(host, LONG)
  if not long then
    result.skip = "SKIP no valgrind"
    return result
  end
  result.ours = (long - short) / (LONG - SHORT)
  result.peer = GATE
  result.ratio, result.gate = result.ours / GATE, 1
  result.ok = result.ours <= GATE
  return result
end

return M
