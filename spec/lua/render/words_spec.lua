-- Steps and changes in words.
local gen = require "spec.support.gen"
local pairs_of = require "spec.support.pairs"
local script = require "spec.support.script"
local words = require "tidal.render.words"

describe("words of a step", function()
  it("are there for every step and change", function()
    gen.property("words", 300, function(g)
      local from, to = pairs_of.pair(g)
      for _, list in ipairs { from:diff(to).steps, from:diff(to).changes } do
        for _, step in ipairs(list) do
          if #words.of(step) < 5 then return step.kind end
        end
      end
    end)
  end)
end)

describe("a step in words", function()
  local from = script.layout { shards = 2 }
  local to = script.layout { shards = 3, epoch = 2, regions = { "us-east", "eu-west", "new" } }
  local seen = {}
  for _, step in ipairs(from:diff(to).steps) do seen[#seen + 1] = words.of(step) end

  it("reads like this", function()
    assert.same({
      "region ap-south is called new (same number, same logs)", "+ shard s2 led by us-east",
      "s0 -> s1 0x5555555555555556..0x7fffffffffffffff",
      "s1 -> s2 0xaaaaaaaaaaaaaaab..0xffffffffffffffff", "epoch 1 -> 2",
    }, seen)
  end)
end)
