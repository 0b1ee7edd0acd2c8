local start = require "tidal.hermetic.start"

-- A host whose children are the plans they were made from.
local function host()
  local made = {}
  return { child = function(plan)
    made[#made + 1] = plan
    return plan
  end }, made
end

describe("take()", function()
  it("makes a cell of 64 MiB with the filter", function()
    local fake, made = host()
    assert.equal(made[1], nil)
    local cell = start.take(fake, {})
    assert.same({ 64 << 20, true, "function" }, { cell.memory, cell.filter, type(cell.lpeg) })
  end)

  it("takes what was started ahead, once", function()
    local fake, made = host()
    start.ahead(fake, true)
    assert.equal(1, #made)
    assert.equal(made[1], start.take(fake, {}))
    assert.not_equal(made[1], start.take(fake, {}))
    assert.equal(2, #made)
  end)

  it("takes no other kind", function()
    local fake, made = host()
    start.ahead(fake, false)
    assert.is_true(start.take(fake, {}).filter)
    assert.equal(2, #made)
    assert.equal(made[1], start.take(fake, { filter = false }))
    start.ahead(fake, true)
    assert.equal(8 << 20, start.take(fake, { memory = 8 << 20 }).memory)
    assert.equal(made[3], start.take(fake, {}))
  end)

  it("raises what went wrong, also when that was ahead", function()
    local broken = { child = function() error("no fork", 0) end }
    start.ahead(broken, true)
    assert.has_error(function() start.take(broken, {}) end, "no fork")
  end)
end)
