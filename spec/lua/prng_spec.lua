-- Seeded numbers, against the published ones.
local prng = require "tidal.prng"

describe("prng.new", function()
  it("gives splitmix64's sequence for a seed", function()
    local next = prng.new(1234567)
    local want = { 6457827717110365317, 3203168211198807973, -8629252141511181193,
                   4593380528125082431, -2037821214251327795 }
    for i, value in ipairs(want) do assert.equal(value, next(), "number " .. i) end
  end)

  it("repeats for the same seed and differs for another", function()
    local a, b, c = prng.new(7), prng.new(7), prng.new(8)
    for _ = 1, 100 do
      local value = a()
      assert.equal(value, b())
      assert.not_equal(value, c())
    end
  end)

  it("reaches the half above 2^63 about as often", function()
    local next, high = prng.new(42), 0
    for _ = 1, 10000 do
      if next() < 0 then high = high + 1 end
    end
    assert.is_true(high > 4700 and high < 5300, high)
  end)
end)
