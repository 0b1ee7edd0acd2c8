-- What verbs take over large layouts, from the start of tidal-lua to its end:
-- 64 regions x 1,024 shards, and 3 regions x 65,535 shards, in turns with
-- --trust, which needs no process for the layout. Milliseconds; the best run
-- of each side counts. Reported beside each other, without a gate.
local M = {}

local ROUNDS <const> = 5

local SIZES <const> = {
  { regions = 64, shards = 1024 }, { regions = 3, shards = 65535 },
}

-- What is done, with OLD for the layout, LEAD where another region leads one
-- shard, TURN where another one leads each, so that every second leader is a
-- step of its own, MORE where there is one shard more, so that every range
-- moves, SAVED for the plan to that, PICTURE for a page.
local VERBS <const> = {
  { "plan", "plan OLD" }, { "plan --json", "plan OLD --json" },
  { "prove", "prove OLD" }, { "draw", "draw OLD -o PICTURE" },
  { "explain", "explain OLD 42" },
  { "explain of a move", "explain OLD 's7 a0->a1'" },
  { "whatif", "whatif OLD" },
  { "whatif of a region", "whatif OLD --lose region=a0" },
  { "diff, one leader", "diff OLD LEAD" },
  { "diff, every leader", "diff LEAD TURN" },
  { "diff, every range", "diff OLD MORE" },
  { "diff --json, every range", "diff OLD MORE --json" },
  { "draw --from, every range", "draw MORE --from OLD -o PICTURE" },
  { "plan, saved, every range", "plan SAVED" },
}

local LAYOUT <const> = [[
local regions = {}
for i = 1, %d do regions[i] = "a" .. i - 1 end
return tidal.cluster {
  name = "large", epoch = %d, regions = regions, shards = %d, leaders = %s,
  rules = { tidal.rules.survives "region", tidal.rules.max_leaders(65536) },
}
]]

local function quoted(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

---The layouts of one size, as scripts.
---@param size { regions: integer, shards: integer }
---@return { [string]: string } by the words that VERBS use
function M.scripts(size)
  local r, s = size.regions, size.shards
  return {
    OLD = LAYOUT:format(r, 1, s, '"a0"'),
    LEAD = LAYOUT:format(r, 2, s, '{ [7] = "a1" }'),
    TURN = LAYOUT:format(r, 3, s, '"spread"'),
    MORE = LAYOUT:format(r, 2, s + 1, '"a0"'),
  }
end

-- Milliseconds of one run, or nil.
local function time(host, words, option)
  local line = ("exec %s %s %s >/dev/null 2>&1"):format(quoted(host.path),
                                                        words, option)
  local start = host.clock()
  local fine = os.execute(line)
  return fine and (host.clock() - start) * 1000
end

local function in_turns(host, words, rounds)
  local ours, peers = {}, {}
  for round = 1, rounds do
    ours[round] = time(host, words, "")
    peers[round] = time(host, words, "--trust")
    if not ours[round] or not peers[round] then return nil end
  end
  table.sort(ours)
  table.sort(peers)
  return ours, peers
end

local function result_of(host, size, verb, paths, rounds)
  local digits = tostring(size.shards):gsub("^(%d+)(%d%d%d)$", "%1,%2")
  local result = { id = "large", unit = "ms", rule = "<=",
    name = ("%s, %d x %s, isolated vs --trust"):format(
      verb[1], size.regions, digits) }
  local ours, peers
  if host and host.path then
    ours, peers = in_turns(host, verb[2]:gsub("%u%u+", paths), rounds)
  end
  if not ours then
    result.skip = host and host.path and "SKIP it failed"
               or "SKIP not in tidal-lua"
    return result
  end
  local middle = (rounds + 1) // 2
  result.ours, result.peer = ours[1], peers[1]
  result.ratio = result.ours / result.peer
  result.median_ratio = ours[middle] / peers[middle]
  return result
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- Files of the layouts, the plan and the picture, by the words that VERBS use,
-- quoted, and a list of all.
local function write_all(host, size)
  local paths, files = {}, {}
  for word, text in pairs(M.scripts(size)) do
    files[#files + 1] = os.tmpname()
    write(files[#files], text)
    paths[word] = quoted(files[#files])
  end
  for word, ending in next, { SAVED = ".plan", PICTURE = ".html" } do
    files[#files + 1] = files[1] .. ending
    paths[word] = quoted(files[#files])
  end
  if host and host.path then
    time(host, ("plan MORE --from OLD -o SAVED"):gsub("%u%u+", paths), "")
  end
  return paths, files
end

---@param host? table the module tidal.host
---@param rounds? integer default 5
---@param sizes? table[] default SIZES
---@return table[] results as tidal.bench makes them
function M.measure(host, rounds, sizes)
  local out = {}
  for _, size in ipairs(sizes or SIZES) do
    local paths, files = write_all(host, size)
    for _, verb in ipairs(VERBS) do
      out[#out + 1] = result_of(host, size, verb, paths, rounds or ROUNDS)
    end
    for _, path in ipairs(files) do os.remove(path) end
  end
  return out
end

return M
