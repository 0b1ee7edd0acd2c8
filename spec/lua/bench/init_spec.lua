-- The method of measuring, on functions of known cost. What is asserted are
-- verdicts on wide margins and the form of the results, never times.
local bench = require "tidal.bench"

-- Work that costs `units` for each repetition.
local function work(units)
  return function(n)
    local sum = 0
    for i = 1, n * units do sum = sum + (i ~ sum) end
    return sum
  end
end

local function measure(case)
  case.id, case.name = case.id or "T1", case.name or "a test"
  return bench.measure(case, 9)
end

describe("bench.measure", function()
  it("passes a side that is plainly faster", function()
    local result = measure { ours = work(10), peer = work(200), sense = "faster", gate = 2 }
    assert.is_true(result.ok)
    assert.equal(">=", result.rule)
    assert.is_true(result.ratio > 2 and result.ours < result.peer)
  end)

  it("fails a side that is plainly slower, after all attempts", function()
    local result = measure { ours = work(200), peer = work(10), sense = "faster", gate = 2 }
    assert.is_false(result.ok)
    assert.is_true(result.ratio < 1)
  end)

  it("counts cost the other way round", function()
    local cheap = measure { ours = work(10), peer = work(200), sense = "cost", gate = 0.5 }
    assert.is_true(cheap.ok)
    assert.equal("<=", cheap.rule)
    assert.is_true(cheap.ratio < 0.5)
    local dear = measure { ours = work(200), peer = work(10), sense = "cost", gate = 0.5 }
    assert.is_false(dear.ok)
  end)

  it("reports without a verdict where there is no gate", function()
    local result = measure { ours = work(10), peer = work(10), sense = "cost" }
    assert.is_nil(result.ok)
    assert.is_nil(result.gate)
    assert.equal("number", type(result.median_ratio))
  end)

  it("divides by what one call handles, and keeps the ratio", function()
    local result = measure { ours = work(1000), peer = work(20000), sense = "faster", gate = 2,
                             per = 1000 }
    assert.is_true(result.ok)
    assert.is_true(result.ours < 1000)
    assert.equal("ns", result.unit)
  end)
end)

describe("bench.control", function()
  it("compares a function with itself", function()
    local ratio = bench.control()
    assert.is_true(ratio > 0.2 and ratio < 5, tostring(ratio))
  end)
end)
