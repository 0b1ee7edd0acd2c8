-- Ratios that hold on noisy machines: both sides in one process, in turns,
-- and the best slice of each counts.
--
-- case = { id = "G1", name =, ours = function(n), peer = function(n),
--   sense = "faster" (peer / ours must reach the gate) or "cost" (ours / peer
--   must stay below it), gate =, per = items that one call handles }
-- result = { id =, name =, unit = "ns", ours =, peer =, ratio =,
--   median_ratio =, gate =, rule = ">=" | "<=", ok = true | false | nil (no
--   gate) }: the form of bin/tidal-bench
--
-- Method: slices of 1-2 ms, 61 rounds, the order of the two reversed each
-- round; ratio of the minima; up to 3 attempts, any of them may pass. Time is
-- the process's own CPU time.
local M = {}

local ROUNDS <const> = 61
local SLICE_SECONDS <const> = 0.0015
local ATTEMPTS <const> = 3

-- CPU seconds of one call f(n).
local function time(f, n)
  local start = os.clock()
  f(n)
  return os.clock() - start
end

-- How many repetitions fill a slice.
local function calibrate(f)
  local n = 1
  while true do
    local spent = time(f, n)
    if spent >= SLICE_SECONDS then return n end
    local grow = spent > 0 and SLICE_SECONDS / spent * 1.2 or 10
    n = math.ceil(n * math.min(math.max(grow, 1.3), 10))
  end
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

-- Runs a and b in turns; seconds per repetition at best, and the median of
-- the ratios b / a round by round.
local function in_turns(a, b, rounds)
  local na, nb = calibrate(a), calibrate(b)
  local best_a, best_b, ratios = math.huge, math.huge, {}
  for round = 1, rounds do
    local ta, tb
    if round % 2 == 0 then
      ta = time(a, na) / na
      tb = time(b, nb) / nb
    else
      tb = time(b, nb) / nb
      ta = time(a, na) / na
    end
    best_a, best_b = math.min(best_a, ta), math.min(best_b, tb)
    ratios[round] = tb / ta
  end
  return best_a, best_b, median(ratios)
end

local function passes(case, ratio)
  if not case.gate then return nil end
  if case.sense == "cost" then return ratio <= case.gate end
  return ratio >= case.gate
end

---Measures one case.
---@param case table
---@param rounds? integer default 61
---@return table result
function M.measure(case, rounds)
  local result
  for _ = 1, ATTEMPTS do
    collectgarbage()
    local ours, peer, middle = in_turns(case.ours, case.peer,
                                        rounds or ROUNDS)
    local per = case.per or 1
    local cost = case.sense == "cost"
    result = {
      id = case.id, name = case.name, unit = "ns",
      rule = cost and "<=" or ">=",
      ours = ours / per * 1e9, peer = peer / per * 1e9,
      ratio = cost and ours / peer or peer / ours,
      median_ratio = cost and 1 / middle or middle,
      gate = case.gate,
    }
    result.ok = passes(case, result.ratio)
    if result.ok ~= false then break end
  end
  return result
end

---The ratio of a function against itself: how far the machine can be
---trusted right now; 1 on a quiet one.
function M.control()
  local function work(n)
    local sum = 0
    for i = 1, n do sum = sum + (i ~ sum) end
    return sum
  end
  local a, b = in_turns(work, work, ROUNDS)
  return b / a
end

return M
