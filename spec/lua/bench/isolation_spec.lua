local cli = require "spec.support.cli"
local isolation = require "tidal.bench.isolation"

-- A host whose clock goes on by itself.
local function host(path)
  local now = 0
  return { path = path, clock = function()
    now = now + 0.001
    return now
  end }
end

describe("measure()", function()
  it("is skipped where there is no tidal-lua", function()
    assert.equal("SKIP not in tidal-lua", isolation.measure(nil).skip)
    assert.equal("SKIP not in tidal-lua", isolation.measure(host "/no/such").skip)
  end)

  it("runs both sides in turns; what they differ by is judged", function()
    local result = isolation.measure(host "/bin/true")
    assert.same({ "L6", "ms", 1, 2, true }, { result.id, result.unit,
      math.floor(result.ratio * 10 + 0.5) // 10, result.gate, result.ok })
    assert.is_true(math.abs(result.difference) < 1)
  end)

  -- A clock that runs faster for one side: each run of it takes so many ms.
  local function slower(ms)
    local calls, now = 0, 0
    return { path = "/bin/true", clock = function()
      calls = calls + 1
      local round = (calls - 1) // 4 % 41 + 1
      local first = (calls - 1) % 4 < 2
      local ours = first == (round % 2 == 1)
      if calls % 2 == 0 then now = now + (ours and ms or 1) / 1000 end
      return now
    end }
  end

  it("fails where isolation costs more than 2 ms, if a core was free", function()
    assert.is_true(isolation.measure(slower(2.9)).ok)
    local result = isolation.measure(slower(3.5))
    assert.equal(25, math.floor(result.difference * 10 + 0.5))
    assert.is_true(result.ok == false or result.skip == "SKIP no core is free")
  end)

  it("runs a layout that plans", function()
    local result = isolation.measure(host(cli.tidal))
    assert.is_truthy(result.ours)
  end)
end)
