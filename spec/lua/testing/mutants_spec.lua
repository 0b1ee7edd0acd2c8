local gen = require "spec.support.gen"
local mutants = require "tidal.testing.mutants"
local pairs_of = require "spec.support.pairs"
local script = require "spec.support.script"
local tidal = require "tidal"
require "tidal.testing"

-- Whether an assertion of a mutant holds for a layout.
local function holds(assertion, layout)
  return (pcall(assert(load(assertion, "=assertion", "t",
                            { assert = assert, layout = layout }))))
end

local function names(layout)
  local out = {}
  for i, mutant in ipairs(mutants.list(layout)) do out[i] = mutant.name end
  return out
end

-- What is wrong with the mutants of a layout, or nil.
local function fault(layout)
  local seen = {}
  for _, mutant in ipairs(mutants.list(layout)) do
    local other = mutant.layout
    if seen[mutant.name] then return "twice: " .. mutant.name end
    seen[mutant.name] = true
    if other == layout and #other.rules == #layout.rules then
      return "the same: " .. mutant.name
    elseif not holds(mutant.assertion, layout) then
      return ("%s: %s does not hold for %s"):format(mutant.name, mutant.assertion, layout:line())
    elseif holds(mutant.assertion, other) then
      return ("%s: %s holds for %s"):format(mutant.name, mutant.assertion, other:line())
    elseif other.file ~= layout.file then
      return mutant.name .. ": another file"
    end
  end
  return not next(seen) and "none" or nil
end

describe("mutants.list", function()
  it("differ, and their assertions tell them from the layout", function()
    for _, path in ipairs { "cluster", "layouts/single", "layouts/hash", "layouts/ranges",
                            "layouts/hash_ranges" } do
      assert.is_nil(fault(tidal.cluster.load("scripts/" .. path .. ".lua")), path)
    end
    local rules = { tidal.rules.survives "region", tidal.rules.max_leaders(9) }
    gen.property("mutants", 60, function(stream)
      local stands = pairs_of.layout(stream, stream:int(1, 5), { rules = rules })
      return fault(stands)
    end)
  end)

  it("are these", function()
    assert.same({
      "s0 and s1 swap 0x0000000000000000.. and 0x8000000000000000..",
      "boundary 0x8000000000000000 of s0 and s1 one id up",
      "boundary 0x8000000000000000 of s0 and s1 one id down",
      "boundary 0x8000000000000000 of s0 and s1 up by half a range",
      "hash instead of ranges", "hash_ranges instead of ranges",
      "one shard more", "one shard less", "without region a", "without region b",
      "one region more", "replicas of a and b change places",
      "every region leads every shard", "s0 is led by b", "s1 is led by a",
      "s0 and s1 swap their leaders", "without the rule 'survives node'",
      "the next epoch", "the epoch before", "another name",
    }, names(script.layout { shards = 2, regions = { "a", "b" }, leaders = "spread", epoch = 2,
                             rules = { tidal.rules.survives "node" } }))
    assert.same({ "one shard more", "one region more", "the next epoch", "another name" },
                names(script.layout { shards = 1, regions = { "a" } }))
  end)

  it("shift a boundary by exactly one id", function()
    for _, mutant in ipairs(mutants.list(script.layout { shards = 2 })) do
      local other = mutant.layout
      if mutant.name:find "one id up" then
        assert.routes(other, "0x8000000000000000", "s0")
        assert.routes(other, "0x8000000000000001", "s1")
      elseif mutant.name:find "one id down" then
        assert.routes(other, "0x7fffffffffffffff", "s1")
        assert.routes(other, "0x7ffffffffffffffe", "s0")
      elseif mutant.name:find "half" then
        assert.routes(other, "0xbffffffffffffffe", "s0")
        assert.routes(other, "0xbfffffffffffffff", "s1")
      end
    end
  end)

  it("take away no range, however short", function()
    local list = {}
    for i = 0, 3 do list[i + 1] = { shard = i, first = i, last = i == 3 and -1 or i } end
    local layout = script.layout { shards = 4, routing = tidal.routing.ranges(list) }
    assert.is_nil(fault(layout))
    for _, mutant in ipairs(mutants.list(layout)) do
      if mutant.name:find "boundary" then assert.equal(4, #mutant.layout:ranges()) end
    end
  end)

  it("are none that cannot be declared", function()
    local function has(changes, name)
      local layout = script.layout(changes)
      for _, mutant in ipairs(mutants.list(layout)) do
        if mutant.name == name then return mutant.layout ~= layout end
      end
      return false
    end
    assert.is_false(has({ epoch = 1 }, "the epoch before"))
    assert.is_true(has({ epoch = 2 }, "the epoch before"))
    assert.is_false(has({ epoch = 0xffffffff }, "the next epoch"))
    assert.is_true(has({ epoch = 0xfffffffe }, "the next epoch"))
    assert.is_false(has({ shards = 65536 }, "one shard more"))
    assert.is_true(has({ shards = 65535 }, "one shard more"))
    local many = {}
    for i = 1, 64 do many[i] = "r" .. i end
    assert.is_false(has({ shards = 65536, regions = many }, "one region more"))
    assert.is_true(has({ shards = 65536 }, "one region more"))
    assert.is_true(has({ regions = { "another-region" } }, "one region more"))
  end)

  it("stay few, however large the layout is", function()
    local list = names(script.layout { shards = 1024, leaders = "spread" })
    assert.is_true(#list < 80)
    assert.equal("s0 and s1 swap 0x0000000000000000.. and 0x0040000000000000..", list[1])
    assert.matches("^s1022 and s1023 swap", list[8])
    assert.same(list, names(script.layout { shards = 1024, leaders = "spread" }))
  end)
end)
