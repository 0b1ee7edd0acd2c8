-- Sums of events: 128 bits, in any order.
local sums = require "tidal.migrate.sums"

local function sum(count, high, low) return { count = count, low = low, high = high } end

describe("sums of events", function()
  local cases = {
    { "nothing and nothing", sums.none, sums.none, sum(0, 0, 0) },
    { "small ones", sum(1, 0, 5), sum(2, 3, 6), sum(3, 3, 11) },
    { "a carry out of the lower half", sum(1, 0, -1), sum(1, 0, 1), sum(2, 1, 0) },
    { "a carry between upper numbers", sum(1, 1, math.mininteger), sum(1, 2, math.mininteger),
      sum(2, 4, 0) },
    { "no carry just below it", sum(1, 0, math.maxinteger), sum(1, 0, math.mininteger),
      sum(2, 0, -1) },
    { "the whole wraps", sum(1, -1, -1), sum(1, 0, 1), sum(2, 0, 0) },
  }
  for _, case in ipairs(cases) do
    it("of " .. case[1] .. " are added, and taken apart again", function()
      local a, b, both = case[2], case[3], case[4]
      assert.same(both, sums.add(a, b))
      assert.same(both, sums.add(b, a))
      assert.same(a, sums.sub(both, b))
      assert.same(b, sums.sub(both, a))
    end)
  end

  it("are the same only if all three numbers are", function()
    local one = sum(1, 2, 3)
    assert.is_true(sums.eq(one, sum(1, 2, 3)))
    for _, other in ipairs { sum(2, 2, 3), sum(1, 3, 3), sum(1, 2, -3) } do
      assert.is_false(sums.eq(one, other))
      assert.is_false(sums.eq(other, one))
    end
  end)

  it("are written with 32 digits", function()
    assert.equal("1 event with sum " .. ("0"):rep(31) .. "a", sums.text(sum(1, 0, 10)))
    assert.equal("0 events with sum " .. ("0"):rep(32), sums.text(sums.none))
    assert.equal("7 events with sum ffffffffffffffff8000000000000000",
                 sums.text(sum(7, -1, math.mininteger)))
  end)

  it("leave what they are given as it was", function()
    local a, b = sum(1, 1, -1), sum(1, 1, 1)
    sums.add(a, b)
    sums.sub(a, b)
    assert.same({ sum(1, 1, -1), sum(1, 1, 1), sum(0, 0, 0) }, { a, b, sums.none })
  end)
end)
