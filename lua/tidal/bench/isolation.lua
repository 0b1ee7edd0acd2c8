-- L6: what a process of its own costs a layout: from the start of tidal-lua
-- to its end, in turns with --trust. The cell gets ready on another core
-- while the verb's modules load, so on a busy machine it costs more; the best
-- run of each side counts.
local M = {}

local ROUNDS <const> = 41
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
    ours[round] = time(host, path, "--")
    peers[round] = time(host, path, "--trust --")
    if not ours[round] or not peers[round] then return nil end
  end
  table.sort(ours)
  table.sort(peers)
  return ours, peers
end

---@param host? table the module tidal.host
---@return table result as tidal.bench makes them
function M.measure(host)
  local result = { id = "L6", name = "tidal-lua plan, isolated vs --trust",
                   unit = "ms", rule = "<=" }
  local path = os.tmpname()
  local file = assert(io.open(path, "wb"))
  file:write(LAYOUT)
  file:close()
  local ours, peers
  if host and host.path then ours, peers = in_turns(host, path) end
  os.remove(path)
  if not ours then
    result.skip = "SKIP not in tidal-lua"
    return result
  end
  local middle = (ROUNDS + 1) // 2
  result.ours, result.peer = ours[1], peers[1]
  result.ratio = result.ours / result.peer
  result.median_ratio = ours[middle] / peers[middle]
  return result
end

return M
