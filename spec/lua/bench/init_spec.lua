-- The harness, on a clock that the functions under test move.
local bench = require "tidal.bench"

local now

local function set_clock(clock) rawset(os, "clock", clock) end

-- A function that takes `seconds` for each repetition.
local function taking(seconds)
  return function(n) now = now + seconds * n end
end

local function near(want, got)
  return math.abs(want - got) <= 1e-6 * math.abs(want)
end

describe("measure()", function()
  local clock = os.clock
  before_each(function()
    now = 0
    set_clock(function() return now end)
  end)
  after_each(function() set_clock(clock) end)

  local function measured(sense, gate, ours, peer, more)
    local case = { id = "G0", name = "test", sense = sense, gate = gate, ours = taking(ours),
                   peer = taking(peer) }
    for key, value in pairs(more or {}) do case[key] = value end
    return bench.measure(case, 5)
  end

  -- sense, gate, seconds of ours and of the peer, ratio, verdict
  local rows = {
    { "faster", 4, 1e-6, 5e-6, 5, true }, { "faster", 6, 1e-6, 5e-6, 5, false },
    { "faster", 0.5, 2e-6, 1e-6, 0.5, true }, { "faster", nil, 1e-6, 5e-6, 5, nil },
    { "cost", 1.5, 2e-6, 1e-6, 2, false }, { "cost", 2.5, 2e-6, 1e-6, 2, true },
    { "cost", 0.1, 1e-7, 1e-5, 0.01, true }, { "cost", nil, 2e-6, 1e-6, 2, nil },
  }
  for _, row in ipairs(rows) do
    it(("%s with gate %s: %g s against %g s is %s"):format(row[1], row[2], row[3], row[4],
                                                          tostring(row[6])), function()
      local result = measured(row[1], row[2], row[3], row[4])
      assert.equal(row[6], result.ok)
      assert.is_true(near(row[5], result.ratio), result.ratio)
      assert.is_true(near(row[5], result.median_ratio), result.median_ratio)
      assert.same({ "G0", "test", "ns", row[1] == "cost" and "<=" or ">=", row[2] },
                  { result.id, result.name, result.unit, result.rule, result.gate })
      assert.is_true(near(row[3] * 1e9, result.ours))
      assert.is_true(near(row[4] * 1e9, result.peer))
    end)
  end

  it("tells the cost of one item", function()
    local result = measured("faster", 2, 1e-4, 1e-3, { per = 100 })
    assert.is_true(near(1000, result.ours))
    assert.is_true(near(10000, result.peer))
    assert.is_true(near(10, result.ratio))
  end)

  it("counts the best slice of each side", function()
    local calls = 0
    local function noisy(n)
      calls = calls + 1
      now = now + (calls % 3 == 0 and 1e-6 or 9e-6) * n
    end
    local result = bench.measure({ id = "G0", name = "noisy", sense = "faster", gate = 5,
                                   ours = noisy, peer = taking(6e-6) }, 31)
    assert.is_true(near(6, result.ratio), result.ratio)
    assert.is_true(result.ok)
    assert.is_true(result.median_ratio < 1)
  end)

  it("tries three times before it says no", function()
    local function attempts(good)
      local count, collect = 0, collectgarbage
      _G.collectgarbage = function() count = count + 1 end
      local result = bench.measure({ id = "G0", name = "late", sense = "faster", gate = 2,
        peer = taking(2e-6),
        ours = function(n) now = now + (count >= good and 1e-6 or 4e-6) * n end }, 3)
      _G.collectgarbage = collect
      return count, result.ok
    end
    assert.same({ 1, true }, { attempts(1) })
    assert.same({ 2, true }, { attempts(2) })
    assert.same({ 3, true }, { attempts(3) })
    assert.same({ 3, false }, { attempts(4) })
  end)

  it("fills slices of a millisecond or two, whatever a call takes", function()
    for _, seconds in ipairs { 1e-9, 1e-6, 1e-3, 0.5 } do
      local longest = 0
      bench.measure({ id = "G0", name = "slices", sense = "cost", peer = taking(1e-6),
                      ours = function(n)
                        longest = math.max(longest, seconds * n)
                        now = now + seconds * n
                      end }, 3)
      assert.is_true(longest >= 0.0015 and longest <= math.max(0.02, seconds), longest)
    end
  end)

  it("stands a clock that is too coarse to see one call", function()
    local calls = 0
    set_clock(function() return now // 0.01 * 0.01 end)
    local result = bench.measure({ id = "G0", name = "coarse", sense = "faster",
      ours = function(n) calls = calls + 1 now = now + 1e-6 * n end, peer = taking(1e-6) }, 3)
    assert.is_true(calls > 3)
    assert.is_true(result.ours >= 0)
  end)
end)

describe("control()", function()
  it("is the ratio of a function to itself", function()
    local clock = os.clock
    now = 0
    set_clock(function()
      now = now + 0.002
      return now
    end)
    local ok, ratio = pcall(bench.control)
    set_clock(clock)
    assert.is_true(ok)
    assert.is_true(near(1, ratio), ratio)
  end)
end)
