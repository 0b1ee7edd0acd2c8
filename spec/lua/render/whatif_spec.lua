-- What is left as text; that of the README's cluster is in cli/whatif_spec.
local losses = require "tidal.inspect.loss"
local render = require "tidal.render.whatif"
local rules = require "tidal.rules"
local script = require "spec.support.script"
local terminal = require "tidal.render.terminal"
local whatif = require "tidal.inspect.whatif"

local function names(count)
  local out = {}
  for i = 1, count do out[i] = "r-" .. i end
  return out
end

local function report(changes, loss, lost, load, style)
  local layout = script.layout(changes)
  if load then layout = layout:with_load(load) end
  return render.report(whatif.report(layout, loss, lost or { "region=a" }), style)
end

local function matrix(changes, load)
  local layout = script.layout(changes)
  if load then layout = layout:with_load(load) end
  return render.matrix(whatif.matrix(layout))
end

describe("a report", function()
  it("has load, disk and rules that are broken then", function()
    assert.equal([[
prod  epoch 1  without region=a
  writable  0 of 1 shards at once, 1 once 1 leader is elected
  copies    1 of every shard; 1 shard below 2 copies
  elect     s0->b
regions that are left
  b  leads 1  load 100.00 %  disk 1.0 kB
  broken then  copies(2): s0 has 1 copy (b), 2 are wanted: add 1 region]],
      report({ regions = { "a", "b" }, shards = 1, rules = { rules.copies(2) } },
             losses.of_regions(0), nil,
             { regions = { b = 1000 }, shards = { [0] = 3 } }))
  end)

  it("names no regions where none is left", function()
    assert.equal([[
prod  epoch 1  without region=a
  writable  0 of 9 shards
  copies    0 of every shard; 9 shards below 2 copies; no copy is left of ]]
      .. "s0 s1 s2 s3 s4 s5 s6 s7 ... 1 more",
      report({ regions = { "a" }, shards = 9 }, losses.of_regions(0)))
  end)

  it("is shortened", function()
    local text = report({ regions = names(20), shards = 20 }, losses.of_regions(0))
    assert.matches("elect     s0->r-2 s1->r-3 s2->r-4 s3->r-5 s4->r-6 s5->r-7 s6->r-8 s7->r-9 "
                   .. "... 12 more\n", text, 1, true)
    assert.matches("\n  r%-17  leads 1\n  ...   3 more regions$", text)
    assert.is_nil(text:find("r-18", 1, true))
  end)

  it("is painted where colours are", function()
    assert.matches("\27[31m0 of every shard", report({ regions = { "a" } }, losses.of_regions(0),
                   nil, nil, terminal.style(true)), 1, true)
  end)
end)

describe("the matrix", function()
  it("has load beside leaders", function()
    assert.equal([[
prod  epoch 1  2 regions x 2 shards, each shard in every region
lost                 copies left  writable  to elect  busiest then
one node
  leader in a (2)              1       1/2         1  b leads 1, 90.00 %
  follower in b (2)            1       2/2         0  a leads 2, 100.00 %
one region
  a                            1       0/2         2  b leads 2, 100.00 %
  b                            1       2/2         0  a leads 2, 100.00 %
two regions
  a + b                        0       0/2         0]],
      matrix({ regions = { "a", "b" }, shards = 2 },
             { regions = {}, shards = { [0] = 10, 90 } }))
  end)

  it("has the rules that are broken then", function()
    local function no(name) return rules.new(name, function() return false end) end
    assert.equal([[
prod  epoch 1  2 regions x 1 shard, each shard in every region
lost                 copies left  writable  to elect  busiest then  rules then
one node
  leader in a (1)              1       0/1         1  b leads 1     breaks a, b and 1 more
  follower in b (1)            1       1/1         0  a leads 1     breaks a, b and 1 more
one region
  a                            1       0/1         1  b leads 1     breaks a, b and 1 more
  b                            1       1/1         0  a leads 1     breaks a, b and 1 more
two regions
  a + b                        0       0/1         0]],
      matrix { regions = { "a", "b" }, shards = 1, rules = {
        no "a", no "b", no "c", rules.copies(1) } })
    assert.matches("\n  rules judge 256 losses of a kind at most$",
                   matrix { regions = names(24), shards = 1, rules = { rules.copies(1) } })
  end)

  it("shows eight rows of each group, the worst, and what is not listed", function()
    local text = matrix { regions = names(12), shards = 24, leaders = "spread" }
    local lines = select(2, text:gsub("\n", "\n")) + 1
    assert.equal(2 + 3 * (1 + 8 + 1), lines)
    assert.matches("\n  ... 16 more, none worse\none region\n", text, 1, true)
    assert.matches("\n  ... 58 more, none worse$", text)
    assert.matches("\ntwo regions\n  not listed: more than 512 regions$",
                   matrix { regions = names(513), shards = 1 })
  end)
end)
