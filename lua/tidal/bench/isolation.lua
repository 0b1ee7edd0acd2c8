-- L6: what a process of its own costs a layout: from the start of tidal-lua
-- to its end, in turns with --trust. The best run of each side counts, and
-- the difference is to stay below 2 ms; any of three attempts may. The cell
-- gets ready on another core while the verb's modules load: where none is
-- free both run one after the other, and more than that is no fault.
local M = {}

local ROUNDS <const> = 41
local ATTEMPTS <const> = 3
local GATE_MS <const> = 2
local LAYOUT <const> = [[
return tidal.cluster {
  name = "bench", regions = { "us-east", "eu-west", "ap-south" }, shards = 5,
  rules = { tidal.rules.survives "region", tidal.rules.max_leaders(5) },
}
]]

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

-- Milliseconds of one run, or nil.
local function time(host, path, option)
  local line = ("exec %s plan %s %s >/dev/null 2>&1")
    :format(quoted(host.path), option, quoted(path))
  local start = host.clock()
  local fine = os.execute(line)
  return fine and (host.clock() - start) * 1000
end

local function in_turns(host, path)
  local ours, peers = {}, {}
  for round = 1, ROUNDS do
    if round % 2 == 0 then peers[round] = time(host, path, "--trust --") end
    ours[round] = time(host, path, "--")
    peers[round] = peers[round] or time(host, path, "--trust --")
    if not ours[round] or not peers[round] then return nil end
  end
  table.sort(ours)
  table.sort(peers)
  return ours, peers
end

-- Whether other work leaves no core for the cell; this run takes one itself.
local function is_busy()
  local file = io.open "/proc/loadavg"
  local load = file and file:read "n"
  if file then file:close() end
  local pipe = io.popen "getconf _NPROCESSORS_ONLN 2>/dev/null"
  local cores = pipe and pipe:read "n"
  if pipe then pipe:close() end
  return (load or 0) > (cores or 1) - 0.5
end

local function attempt(host, path, result)
  local ours, peers = in_turns(host, path)
  if not ours then return nil end
  local middle = (ROUNDS + 1) // 2
  result.ours, result.peer = ours[1], peers[1]
  result.ratio = result.ours / result.peer
  result.median_ratio = ours[middle] / peers[middle]
  result.difference = result.ours - result.peer
  result.ok = result.difference <= GATE_MS
  return true
end

---@param host? table the module tidal.host
---@return table result as tidal.bench makes them; the gate is the difference's
function M.measure(host)
  local result = { id = "L6", name = "tidal-lua plan, isolated vs --trust",
                   unit = "ms", rule = "<=", gate = GATE_MS }
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(LAYOUT)
  file:close()
  local ran = false
  for _ = 1, ATTEMPTS do
    ran = host and host.path and attempt(host, path, result)
    if not ran or result.ok then break end
  end
  os.remove(path)
  if not ran then
    result.skip = "SKIP not in tidal-lua"
  elseif not result.ok and is_busy() then
    result.ok, result.skip = nil, "SKIP no core is free"
  end
  return result
end

return M
