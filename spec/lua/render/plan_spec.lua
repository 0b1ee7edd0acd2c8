local golden = require "spec.support.golden"
local render = require "tidal.render.plan"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local script = require "spec.support.script"
local terminal = require "tidal.render.terminal"

local function text_of(changes, style)
  return render.text(script.layout(changes):plan(), style)
end

-- The part of the text that begins with a title, without the title.
local function part(changes, title)
  local text = "\n\n" .. text_of(changes) .. "\n\n"
  return text:match("\n\n" .. title .. "[^\n]*\n(.-)\n\n")
end

local function names(count)
  local out = {}
  for i = 1, count do out[i] = "region-" .. i end
  return out
end

local function lines(text)
  local out = {}
  for line in text:gmatch "[^\n]+" do out[#out + 1] = line end
  return out
end

describe("the head", function()
  local rows = {
    { {}, "prod  epoch 1  3 regions x 5 shards = 15 nodes, 15 logs" },
    { { regions = { "a" }, shards = 1, epoch = 9 },
      "prod  epoch 9  1 region x 1 shard = 1 node, 1 log" },
    { { regions = names(64), shards = 1024 },
      "prod  epoch 1  64 regions x 1024 shards = 65536 nodes, 65536 logs" },
  }
  for _, row in ipairs(rows) do
    it("is " .. row[2], function()
      local found = lines(text_of(row[1]))
      assert.equal(row[2], found[1])
      assert.equal("layout " .. script.layout(row[1]):hash(), found[2])
    end)
  end
end)

describe("the nodes", function()
  it("are a table by region and shard", function()
    assert.equal([[
               s0        s1
  r0 us-east   leader    follower
  r1 eu-west   follower  leader
  r2 ap-south  follower  follower]], part({ shards = 2, leaders = "spread" }, "nodes"))
  end)

  it("are counted where they are too many for columns", function()
    assert.equal([[
  r0 us-east   11 leaders   0 followers
  r1 eu-west    0 leaders  11 followers
  r2 ap-south   0 leaders  11 followers]], part({ shards = 11 }, "nodes"))
    assert.matches("s9\n", part({ shards = 10 }, "nodes"))
  end)

  it("are shortened in the middle", function()
    local found = lines(part({ regions = names(100), shards = 11 }, "nodes"))
    assert.equal(33, #found)
    assert.equal("  ... 68 more regions", found[17])
    assert.matches("r15 region%-16 ", found[16])
    assert.matches("r84 region%-85 ", found[18])
    assert.equal(32, #lines(part({ regions = names(32), shards = 11 }, "nodes")))
    found = lines(part({ regions = names(33), shards = 2 }, "nodes"))
    assert.equal("  ... 1 more region", found[18])
  end)
end)

describe("the routing", function()
  it("of ranges lists them with their share", function()
    assert.equal([[
  s1  0x0000000000000000..0x0fffffffffffffff   6.25 %
  s0  0x1000000000000000..0xfffffffffffffffe  93.75 %
  s1  0xffffffffffffffff..0xffffffffffffffff   0.00 %]], part({ shards = 2,
      routing = routing.ranges [[ s1 0..0xfffffffffffffff
        s0 0x1000000000000000..0xfffffffffffffffe
        s1 0xffffffffffffffff..0xffffffffffffffff ]] }, "routing  ranges of ids"))
  end)

  it("of one range is everything", function()
    assert.equal("  s0  0x0000000000000000..0xffffffffffffffff  100.00 %",
                 part({ shards = 1 }, "routing  ranges of ids, in every region, all 2%^64 covered"))
  end)

  it("of hashes says so", function()
    assert.equal(5, #lines(part({ routing = routing.hash_ranges() },
                                "routing  ranges of XXH3%-64%(id%)")))
    assert.matches("\nrouting  XXH3-64(id) % 4, 25.00 % of the ids each; another number of shards\n"
                   .. "         would move nearly all of them (hash_ranges would not)\n",
                   text_of { shards = 4, routing = routing.hash() }, 1, true)
    assert.matches("\nrouting  every id to s0\n",
                   text_of { shards = 1, routing = routing.single() }, 1, true)
  end)

  it("is shortened in the middle", function()
    local found = lines(part({ shards = 1000 }, "routing"))
    assert.equal(33, #found)
    assert.equal("  ...   968 more ranges", found[17])
    assert.matches("^  s999  .*0xffffffffffffffff", found[33])
  end)
end)

describe("the note", function()
  local ALL_TO_S0 <const> = "s0 0..0xffffffffffffffff"
  local rows = {
    { 2, "note     1 shard owns no ids: s1" }, { 4, "note     3 shards own no ids: s1 s2 s3" },
    { 12, "note     11 shards own no ids: s1 s2 s3 s4 s5 s6 s7 s8 s9 s10 ..." },
    { 11, "note     10 shards own no ids: s1 s2 s3 s4 s5 s6 s7 s8 s9 s10" },
  }
  for _, row in ipairs(rows) do
    it("is: " .. row[2], function()
      local text = text_of { shards = row[1], routing = routing.ranges(ALL_TO_S0) }
      assert.matches("\n" .. row[2] .. "\n", text, 1, true)
    end)
  end

  it("is missing where every shard owns something, or nobody can tell", function()
    assert.is_nil(text_of {}:find "note")
    assert.is_nil(text_of { routing = routing.hash() }:find "note")
  end)
end)

describe("leaders and losses", function()
  it("are told by region", function()
    assert.equal("  us-east   2\n  eu-west   2\n  ap-south  1",
                 part({ leaders = "spread" }, "leaders per region"))
    assert.equal([[
  us-east   2 copies of every shard left, 2 shards need a new leader
  eu-west   2 copies of every shard left, 2 shards need a new leader
  ap-south  2 copies of every shard left, 1 shard needs a new leader]],
                 part({ leaders = "spread" }, "if a region is lost"))
  end)

  it("are told for two regions, one, and where all lead", function()
    assert.equal("  a  1 copy of every shard left, 5 shards need a new leader\n"
                 .. "  b  1 copy of every shard left, every shard has a leader",
                 part({ regions = { "a", "b" } }, "if a region is lost"))
    assert.equal("  a  nothing is left", part({ regions = { "a" } }, "if a region is lost"))
    assert.equal("  a  1 copy of every shard left, every shard has a leader\n"
                 .. "  b  1 copy of every shard left, every shard has a leader",
                 part({ regions = { "a", "b" }, leaders = "all" }, "if a region is lost"))
  end)

  it("are shortened in the middle", function()
    assert.equal("  ... 2 more regions",
                 lines(part({ regions = names(34) }, "leaders per region"))[17])
    assert.equal("  ... 2 more regions",
                 lines(part({ regions = names(34) }, "if a region is lost"))[17])
  end)
end)

describe("the rules", function()
  it("are judged one by one", function()
    assert.equal("  BROKEN  max_leaders(4)   us-east leads 5 shards, at most 4: let eu-west lead "
                 .. "s0\n  ok      survives region",
                 part({ rules = { rules.max_leaders(4), rules.survives "region" } }, "rules"))
  end)

  it("are not mentioned where there are none", function()
    assert.is_nil(text_of {}:find "rules")
  end)
end)

describe("colour", function()
  local style = terminal.style(true)

  it("changes nothing but escapes", function()
    local changes = { rules = { rules.max_leaders(1), rules.survives "region" } }
    local coloured = text_of(changes, style)
    assert.equal(text_of(changes), (coloured:gsub("\27%[[%d;]*m", "")))
    assert.matches(style:paint("red", "BROKEN"), coloured, 1, true)
    assert.matches(style:paint("bold", "prod"), coloured, 1, true)
  end)

  it("is absent by default", function()
    assert.is_nil(text_of {}:find "\27")
  end)
end)

describe("the load", function()
  local function with_load(changes)
    local plan = script.layout(changes):plan()
    assert(plan:weigh { ["us-east"] = golden.dir .. "/v1-single" })
    return plan
  end

  it("is a table by shard with bars and the hottest ids", function()
    local text = render.text(with_load { shards = 2, routing = routing.hash() })
    assert.matches([[

load     40000 events, 840.0 kB, 3520 ids
      events     bytes    share                 hottest ids
  s0   24576  516.1 kB  61.44 %  ████████████▎  0x0b031c9af598e101 4532  0x]], text, 1, true)
  end)

  it("says nothing of skew where there is none", function()
    assert.is_nil(render.text(with_load { routing = routing.hash() }):find "skewed")
  end)

  it("says where it is skewed, and what would help", function()
    local text = render.text(with_load {}, terminal.style(true))
    assert.matches(terminal.style(true):paint("yellow", "skewed: the busiest shard takes 100.00 %, "
                   .. "an equal share is 20.00 %"), text, 1, true)
    assert.matches("\nthese boundaries would bring the peak to %d+%.%d%d %%:\n"
                   .. "  routing = tidal.routing.ranges %[%[\n    s0 0x0000000000000000%.%.", text)
    assert.matches("0xffffffffffffffff\n  ]],", text:sub(-24), 1, true)
  end)

  it("says so where ids were merged", function()
    local plan = with_load {}
    plan.load.exact = false
    assert.matches("3520 runs of ids (more ids than slots)", render.text(plan), 1, true)
  end)

  it("is shortened in the middle", function()
    local text = render.text(with_load { shards = 40, routing = routing.hash() })
    assert.matches("\n  ... 8 more shards", text, 1, true)
  end)
end)
