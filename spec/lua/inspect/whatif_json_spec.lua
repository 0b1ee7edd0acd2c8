local json = require "tidal.json"
local losses = require "tidal.inspect.loss"
local rules = require "tidal.rules"
local script = require "spec.support.script"
local whatif = require "tidal.inspect.whatif"
local whatif_json = require "tidal.inspect.whatif_json"

describe("whatif as JSON", function()
  it("tells elections by runs of shards", function()
    local layout = script.layout { regions = { "a", "b" }, shards = 9 }
    local value = json.decode(whatif_json.report(
      whatif.report(layout, losses.of_regions(0), { "region=a" })))
    assert.same({ { first = 0, last = 8, source = "a", target = "b" } }, { value.elect[1] })
    assert.same({ "tidal-whatif/1", 9, 0, 1, 1, 9 },
                { value.format, value.shards, value.writable, value.copies.least,
                  #value.elect, value.below_two_copies })
    assert.equal(json.encode(json.list {}), json.encode(value.rules))
  end)

  it("has load, bytes as text, and broken rules", function()
    local layout = script.layout { regions = { "a", "b" }, shards = 1,
                                   rules = { rules.copies(2) } }
      :with_load { regions = { b = 1 << 40 }, shards = { [0] = 5 } }
    local value = json.decode(whatif_json.report(
      whatif.report(layout, losses.of_regions(0), { "region=a" })))
    assert.same({ id = 1, name = "b", leads = 1, load_share = 1.0, bytes = "1099511627776" },
                value.regions[1])
    assert.same({ "copies(2)", false }, { value.rules[1].name, value.rules[1].ok })
  end)

  it("has null for rules that cannot be asked", function()
    local value = json.decode(whatif_json.report(whatif.report(
      script.layout(), losses.of_regions(0, 1, 2), { "all" })))
    assert.equal(json.null, value.rules)
    assert.same({ 0, 1, 2, 3, 4 }, { table.unpack(value.no_copy) })
  end)

  it("says what a matrix leaves out", function()
    local names = {}
    for i = 1, 513 do names[i] = "r-" .. i end
    local value = json.decode(whatif_json.matrix(whatif.matrix(
      script.layout { regions = names, shards = 1 })))
    assert.same({ { loss = "pair", why = "more than 512 regions" } }, { value.left_out[1] })
    assert.equal(513 + 513, #value.losses)
  end)
end)
