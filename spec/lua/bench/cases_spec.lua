-- Every case runs on both sides, and both sides do the same work.
local cases = require "tidal.bench.cases"

local list = cases.list()

describe("bench.cases", function()
  it("covers the gates of the Lua side", function()
    local gates = {}
    for _, case in ipairs(list) do gates[case.id] = (gates[case.id] or 0) + 1 end
    assert.same({ G1 = 2, G2 = 2, G4 = 1, G8 = 1, G16 = 2, G18 = 3 }, gates)
  end)

  it("states the gates as they were set", function()
    local want = { G1 = { [3] = true, [5] = true }, G2 = { [1.5] = true }, G4 = { [0.12] = true },
                   G8 = { [0.2] = true }, G16 = { [4] = true },
                   G18 = { [1.6] = true, [0.7] = true } }
    local wrong = {}
    for _, case in ipairs(list) do
      if case.gate and not want[case.id][case.gate] then wrong[#wrong + 1] = case.name end
    end
    assert.same({}, wrong)
  end)

  for _, case in ipairs(list) do
    it(("%s: %s"):format(case.id, case.name), function()
      assert.is_true(case.sense == "faster" or case.sense == "cost")
      case.ours(2)
      case.peer(2)
    end)
  end

  it("routes the same ids to the same shards on both sides", function()
    for _, case in ipairs(list) do
      if case.id == "G1" then assert.equal(case.peer(5000), case.ours(5000)) end
    end
  end)
end)
