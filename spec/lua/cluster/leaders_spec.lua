local core = require "tidal.core"
local gen = require "spec.support.gen"
local script = require "spec.support.script"

local refused = script.refused

-- Which region leads s0, s1, ...: "0 0 2", a region that all lead is "*".
local function leading(leaders, changes)
  local fields = changes or {}
  fields.leaders = leaders
  local layout, out = script.layout(fields), {}
  for s = 0, layout.shards - 1 do
    local who = {}
    for _, region in ipairs(layout.regions) do
      if layout:is_leader(region.id, s) then who[#who + 1] = region.id end
    end
    out[s + 1] = #who == #layout.regions and #who > 1 and "*" or table.concat(who, "+")
  end
  return table.concat(out, " ")
end

local RIGHT = {
  { "nothing: the first region", script.NONE, "0 0 0 0 0" },
  { "a region", "ap-south", "2 2 2 2 2" },
  { '"spread": in turn', "spread", "0 1 2 0 1" },
  { '"all"', "all", "* * * * *" },
  { "an empty table", {}, "0 0 0 0 0" },
  { "shards by number", { [0] = "eu-west", [4] = "ap-south" }, "1 0 0 0 2" },
  { "shards by text", { s1 = "eu-west", s3 = "us-east" }, "0 1 0 0 0" },
  { "shards by id", { [core.shard(2)] = "eu-west" }, "0 0 1 0 0" },
  { "all three", { [0] = "ap-south", s1 = "eu-west", [core.shard(4)] = "eu-west" },
    "2 1 0 0 1" },
}

describe("leaders may be", function()
  for _, row in ipairs(RIGHT) do
    it(row[1], function() assert.equal(row[3], leading(row[2])) end)
  end

  it("a region that is called all or spread", function()
    local regions = { "us", "spread", "all" }
    assert.equal("1 1", leading("spread", { regions = regions, shards = 2 }))
    assert.equal("2 2", leading("all", { regions = regions, shards = 2 }))
  end)

  it("spread over more regions than shards", function()
    assert.equal("0 1", leading("spread", { shards = 2 }))
  end)

  it("anything, at 65536 shards", function()
    local layout = script.layout { shards = 65536, leaders = { s65535 = "ap-south" } }
    assert.is_true(layout:is_leader(2, 65535))
    assert.is_true(layout:is_leader(0, 65534))
  end)
end)

local EXPECTED = 'leaders: a region, "spread", "all" or a table by shard expected, got '
local NO_SHARD = "is not a shard of this layout (s0..s4)"
local WRONG = {
  { "an unknown region", "us-west", EXPECTED .. [["us-west" (did you mean 'us-east'?)]] },
  { "a word like no other", "nobody-at-all", EXPECTED .. '"nobody-at-all"' },
  { "a misspelt word", "spraed", EXPECTED .. [["spraed" (did you mean 'spread'?)]] },
  { "a number", 0, EXPECTED .. "0" },
  { "false", false, EXPECTED .. "false" },
  { "a region id", core.region(1), EXPECTED .. "r1" },
  { "a function", print, EXPECTED .. "a function" },
  { "a shard past the last", { [5] = "us-east" }, "leaders[5]: " .. NO_SHARD },
  { "a negative shard", { [-1] = "us-east" }, "leaders[-1]: " .. NO_SHARD },
  { "a float", { [1.5] = "us-east" }, "leaders[the float 1.5]: " .. NO_SHARD },
  { "a shard past the last, by text", { s5 = "us-east" }, "leaders.s5: " .. NO_SHARD },
  { "a shard of 30 digits", { ["s" .. ("9"):rep(30)] = "us-east" },
    "leaders.s" .. ("9"):rep(30) .. ": " .. NO_SHARD },
  { "a shard past the last, by id", { [core.shard(5)] = "us-east" }, "leaders.s5: " .. NO_SHARD },
  { "a region id for a key", { [core.region(1)] = "us-east" }, "leaders.r1: " .. NO_SHARD },
  { "a shard as bare text", { ["3"] = "us-east" }, 'leaders["3"]: ' .. NO_SHARD },
  { "regions as keys", { ["us-east"] = 1 }, 'leaders["us-east"]: ' .. NO_SHARD },
  { "true for a key", { [true] = "us-east" }, "leaders[true]: " .. NO_SHARD },
  { "an unknown region of a shard", { s1 = "us-esat" },
    [[leaders.s1: "us-esat" is not a region (did you mean 'us-east'?)]] },
  { "a number for a region", { s1 = 2 }, "leaders.s1: 2 is not a region" },
  { '"all" for a shard', { s1 = "all" }, 'leaders.s1: "all" is not a region' },
  { "a shard twice", { [1] = "us-east", s1 = "eu-west" }, "leaders.s1: s1 is named twice" },
  { "a list for shards from s0", { "us-east", "us-east", "us-east", "us-east", "us-east" },
    "leaders[5]: " .. NO_SHARD
    .. '; entries without a key count from 1: write { [0] = "us-east", ... }' },
}

describe("leaders are refused for", function()
  for _, row in ipairs(WRONG) do
    it(row[1], function() assert.equal(row[3], refused { leaders = row[2] }) end)
  end

  it("every entry that is wrong, sorted", function()
    assert.equal("leaders[7]: " .. NO_SHARD .. "\nleaders.s1: 1 is not a region\nleaders.s9: "
                 .. NO_SHARD, refused { leaders = { s9 = "x", s1 = 1, [7] = "us-east" } })
  end)
end)

describe("random tables", function()
  it("give every shard the region they name", function()
    gen.property("leaders", 200, function(g)
      local names, leaders, want = {}, {}, {}
      for i = 1, g:int(1, 6) do names[i] = "region-" .. i end
      local shards = g:int(1, 40)
      for s = 0, shards - 1 do
        local named = not g:once_in(3)
        local region = g:int(1, #names)
        want[s + 1] = named and region - 1 or 0
        local key = g:pick { s, "s" .. s, core.shard(s) }
        if named then leaders[key] = names[region] end
      end
      local layout = script.layout { regions = names, shards = shards, leaders = leaders }
      for s = 0, shards - 1 do
        for r = 0, #names - 1 do
          if layout:is_leader(r, s) ~= (want[s + 1] == r) then
            return ("r%d leads s%d: %s"):format(r, s, tostring(want[s + 1] ~= r))
          end
        end
      end
    end)
  end)
end)
