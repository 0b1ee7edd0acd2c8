local cases = require "tidal.bench.cases"

local KNOWN <const> = { G1 = true, G2 = true, G4 = true, G8 = true, G16 = true, G18 = true }

describe("list()", function()
  local list = cases.list()

  it("has a case for every gate", function()
    local seen = {}
    for _, case in ipairs(list) do seen[case.id] = true end
    assert.same(KNOWN, seen)
  end)

  for i, case in ipairs(list) do
    it(("%d runs both sides: %s"):format(i, case.name), function()
      assert.is_true(KNOWN[case.id])
      assert.is_true(case.sense == "faster" or case.sense == "cost")
      assert.is_true(case.gate == nil or case.gate > 0)
      assert.is_true(case.per == nil or case.per >= 1)
      local ours, peer = case.ours(3), case.peer(3)
      -- Both sides of G1 route the same ids: the sum of the shards is the same.
      if case.id == "G1" then
        assert.equal("integer", math.type(ours))
        assert.equal(ours, peer)
        assert.equal(case.ours(2500), case.peer(2500))
      end
    end)
  end
end)
