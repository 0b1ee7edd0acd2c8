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

  it("runs both sides in turns", function()
    local result = isolation.measure(host "/bin/true")
    assert.same({ "L6", "ms", 1 }, { result.id, result.unit,
      math.floor(result.ratio * 10 + 0.5) // 10 })
    assert.is_nil(result.ok)
  end)

  it("runs a layout that plans", function()
    local result = isolation.measure(host(cli.tidal))
    assert.is_nil(result.skip)
  end)
end)
