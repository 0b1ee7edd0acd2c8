local probe = require "tidal.inspect.probe"
local rules = require "tidal.rules"
local script = require "spec.support.script"

describe("probe", function()
  local function layout() return script.layout { rules = { rules.max_leaders(4) } } end

  it("asks the rules after a step, not before", function()
    local made = script.layout { leaders = "spread", rules = {
      rules.survives "region", rules.max_leaders(2),
    } }
    assert.is_nil(probe.broken(made, {}))
    assert.same({ rule = "max_leaders(2)", number = 2,
                  why = "us-east leads 3 shards, at most 2: let eu-west lead s0" },
                probe.broken(made, { probe.lead(1, "eu-west", "us-east") }))
  end)

  it("leaves the layout as it is", function()
    local made = layout()
    assert.equal("max_leaders(4)", probe.broken(made, {}).rule)
    assert.is_nil(probe.broken(made, { probe.lead(4, "us-east", "ap-south") }))
    assert.equal(5, made:leads(0))
  end)

  it("says which step cannot be taken", function()
    assert.same({ why = "s4 is not led by eu-west" },
                probe.broken(layout(), { probe.lead(4, "eu-west", "us-east") }))
    assert.same({ nil, "there is no region moon" },
                { probe.after(layout(), { probe.lead(4, "moon", "us-east") }) })
  end)
end)
