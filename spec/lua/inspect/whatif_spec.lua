local losses = require "tidal.inspect.loss"
local rules = require "tidal.rules"
local script = require "spec.support.script"
local whatif = require "tidal.inspect.whatif"

local function names(count)
  local out = {}
  for i = 1, count do out[i] = "r-" .. i end
  return out
end

describe("a report", function()
  local function of(changes, loss, load)
    local layout = script.layout(changes)
    if load then layout = layout:with_load(load) end
    return whatif.report(layout, loss, { "it" })
  end

  it("asks the rules of the regions that are left, with new leaders", function()
    local report = of({ rules = { rules.survives "region", rules.max_leaders(5),
                                  rules.copies(3), rules.max_leaders(2) } },
                      losses.of_regions(0))
    local said = {}
    for i, rule in ipairs(report.rules) do said[i] = rule.ok or rule.why end
    assert.same({ true, true,
      "every shard (s0..s4) has 2 copies (eu-west ap-south), 3 are wanted: add 1 region",
      "eu-west leads 3 shards, at most 2: no region may lead one more: 2 regions need a limit "
      .. "of 3" }, said)
  end)

  it("asks rules about load and disk as they are then", function()
    local load = { regions = { ["eu-west"] = 10 }, shards = { [0] = 90, 10 } }
    local report = of({ shards = 2, rules = {
      rules.disk { ["eu-west"] = "9" },
      rules.weights { of = "load", tolerance = 0,
                      regions = { ["eu-west"] = 9, ["ap-south"] = 1 } },
    } }, losses.of_regions(0), load)
    assert.same({ false, true }, { report.rules[1].ok, report.rules[2].ok })
    assert.same({ { id = 1, name = "eu-west", leads = 1, share = 0.9, held = 10 },
                  { id = 2, name = "ap-south", leads = 1, share = 0.1 } }, report.regions)
  end)

  it("asks rules about copies of single nodes that are lost", function()
    local loss = losses.none()
    losses.add_node(loss, 0, 3)
    losses.add_node(loss, 2, 3)
    losses.add_node(loss, 1, 4)
    local report = of({ rules = { rules.copies(2), rules.copies(1) } }, loss)
    assert.same({ false, true }, { report.rules[1].ok, report.rules[2].ok })
    assert.equal("s3 has 1 copy left, 2 are wanted: bring its nodes back, or add 1 region",
                 report.rules[1].why)
  end)

  it("asks no rules where a shard has no copy left", function()
    local report = of({ rules = { rules.copies(1) } }, losses.of_regions(0, 1, 2))
    assert.is_nil(report.rules)
    assert.same({ {}, 5 }, { report.regions, #report.left.none })
  end)
end)

describe("the matrix", function()
  local function group(matrix, noun)
    for _, one in ipairs(matrix.groups) do
      if one.noun == noun then return one end
    end
  end

  it("has every class of nodes, every region and every pair", function()
    local matrix = whatif.matrix(script.layout { leaders = "spread" })
    local nodes = group(matrix, "node").rows
    assert.equal(6, #nodes)
    local sum = 0
    for _, row in ipairs(nodes) do sum = sum + row.count end
    assert.same({ 15, 3, 3 }, { sum, #group(matrix, "region").rows,
                                #group(matrix, "pair").rows })
  end)

  it("puts the worst first: copies, then writable, then the busiest", function()
    local matrix = whatif.matrix(script.layout { leaders = {
      [0] = "us-east", "us-east", "us-east", "eu-west", "eu-west" } })
    local order = {}
    for i, row in ipairs(group(matrix, "region").rows) do
      order[i] = ("%s %d %d"):format(row.lost[1], row.writable, row.promote)
    end
    assert.same({ "us-east 2 3", "eu-west 3 2", "ap-south 5 0" }, order)
    order = {}
    for i, row in ipairs(group(matrix, "pair").rows) do
      order[i] = table.concat(row.lost, "+") .. " " .. row.copies .. " " .. row.writable
    end
    assert.same({ "us-east+eu-west 1 0", "us-east+ap-south 1 2", "eu-west+ap-south 1 3" },
                order)
  end)

  it("takes the busiest node of a class, and the busiest region by load", function()
    local matrix = whatif.matrix(script.layout { shards = 2, regions = { "a", "b" } }
      :with_load { regions = {}, shards = { [0] = 10, 90 } })
    local leader = group(matrix, "node").rows[1]
    assert.same({ "leader", 1, 2 }, { leader.role, leader.shard, leader.count })
    assert.same({ "b", 1, 0.9 }, { leader.peak.name, leader.peak.leads, leader.peak.share })
  end)

  it("has the rules that each loss breaks", function()
    local matrix = whatif.matrix(script.layout { rules = {
      rules.copies(3), rules.survives "region", rules.max_leaders(5) } })
    local function broken(noun, n) return group(matrix, noun).rows[n].broken end
    assert.same({ { "copies(3)" }, { "copies(3)" }, { "copies(3)", "survives region" } },
                { broken("node", 1), broken("region", 1), broken("pair", 1) })
    assert.is_nil(group(whatif.matrix(script.layout()), "node").rows[1].broken)
    local all = whatif.matrix(script.layout { regions = { "a", "b" },
                                              rules = { rules.copies(1) } })
    assert.same({ {} }, { group(all, "region").rows[1].broken })
    assert.is_nil(group(all, "pair").rows[1].broken)
  end)

  it("asks rules of 256 losses of a kind, and says that it asks no more", function()
    local function pairs_of(count)
      local asked = 0
      local counting = rules.new("counts", function() asked = asked + 1 return true end)
      local pairs_in = group(whatif.matrix(script.layout {
        shards = 1, regions = names(count), rules = { counting } }), "pair")
      local judged = 0
      for _, row in ipairs(pairs_in.rows) do if row.broken then judged = judged + 1 end end
      return judged, pairs_in.unasked
    end
    assert.same({ 253, nil }, { pairs_of(23) })
    assert.same({ 256, "rules judge 256 losses of a kind at most" }, { pairs_of(24) })
  end)

  it("has no pairs of one region", function()
    local matrix = whatif.matrix(script.layout { shards = 1, regions = { "a" } })
    assert.is_nil(group(matrix, "pair"))
    local row = group(matrix, "region").rows[1]
    assert.same({ 0, 0, 0 }, { row.copies, row.writable, row.promote })
    assert.is_nil(row.peak)
  end)

  it("lists pairs of 512 regions, and says why of 513 it does not", function()
    local most = group(whatif.matrix(script.layout { shards = 1, regions = names(512) }), "pair")
    assert.same({ 512 * 511 // 2 }, { #most.rows, most.untold })
    local more = group(whatif.matrix(script.layout { shards = 1, regions = names(513) }), "pair")
    assert.same({ 0, "more than 512 regions" }, { #more.rows, more.untold })
  end)

  it("holds elections for pairs of 64 regions, and counts for those of 65", function()
    local most = group(whatif.matrix(script.layout { shards = 2, regions = names(64) }), "pair")
    local row = most.rows[1]
    assert.same({ "r-1", "r-2", "r-3", 2, 62, 0 }, { row.lost[1], row.lost[2], row.peak.name,
                row.promote, row.copies, row.writable })
    row = group(whatif.matrix(script.layout { shards = 2, regions = names(65) }), "pair").rows[1]
    assert.same({ "r-1", "r-2", 2, 63, 0 }, { row.lost[1], row.lost[2], row.promote, row.copies,
                row.writable })
    assert.is_nil(row.peak)
  end)

  it("holds elections for 262144 nodes, and counts only for more", function()
    local most = whatif.matrix(script.layout { shards = 65536, regions = names(4) })
    assert.is_table(group(most, "region").rows[1].peak)
    local more = whatif.matrix(script.layout { shards = 65536, regions = names(5) })
    assert.same({ 0, "more than 262144 nodes" }, { #group(more, "node").rows,
                                                   group(more, "node").untold })
    local row = group(more, "region").rows[1]
    assert.same({ "r-1", 4, 0, 65536 }, { row.lost[1], row.copies, row.writable, row.promote })
    assert.is_nil(row.peak)
    assert.equal(10, #group(more, "pair").rows)
  end)
end)
