-- Answers as text; those of the cluster of the README are in cli/explain_spec.
local explain = require "tidal.inspect.explain"
local motion = require "tidal.inspect.motion"
local render = require "tidal.render.explain"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local script = require "spec.support.script"
local terminal = require "tidal.render.terminal"

local function id(value, changes, style)
  return render.id(explain.id(script.layout(changes), value), style)
end

local function move(text, changes, style)
  return render.move(motion.move(script.layout(changes), motion.read(text)), style)
end

describe("an id", function()
  local rows = {
    { { shards = 1, regions = { "home" }, routing = routing.single() }, [[
0xffffffffffffffff is on s0  prod, epoch 1
  key     single: every id goes to s0
  copies  home leads, the only one]] },
    { { regions = { "a", "b" }, shards = 2, routing = routing.hash() }, [[
0xffffffffffffffff is on s1  prod, epoch 1
  key     XXH3-64(id) = 0x5111c7e47d784413, % 2 = 1
  copies  a leads; b follows
  leader  no rule keeps b from leading it]] },
    { { regions = { "a", "b" }, shards = 2, routing = routing.hash_ranges(), leaders = "all" }, [[
0xffffffffffffffff is on s0  prod, epoch 1
  key      XXH3-64(id) = 0x5111c7e47d784413
  range    s0 0x0000000000000000..0x7fffffffffffffff, 50.00 % of all
    below  nothing: it is the first
    above  s1 0x8000000000000000..0xffffffffffffffff
  copies   every region holds and leads it]] },
    { { shards = 1, rules = { function() return false, "no" end } }, [[
0xffffffffffffffff is on s0  prod, epoch 1
  key      the id itself
  range    s0 0x0000000000000000..0xffffffffffffffff, 100.00 % of all
    below  nothing: it is the first
    above  nothing: it is the last
  copies   us-east leads; eu-west, ap-south follow
  rules    BROKEN  rule 1: no
  leader   eu-west, ap-south may not: rule 'rule 1': no]] },
  }
  for i, row in ipairs(rows) do
    it("is explained, " .. i, function() assert.equal(row[2], id(-1, row[1])) end)
  end

  it("names eight regions and counts the rest", function()
    local names = {}
    for i = 1, 10 do names[i] = "r-" .. i end
    local text = id(0, { regions = names })
    assert.matches("r-1 leads; r-2, r-3, r-4, r-5, r-6, r-7, r-8, r-9 and 1 more follow", text,
                   1, true)
    assert.matches("\n           1 more region was not tried$", text)
  end)

  it("is painted where colours are", function()
    assert.matches("\27[31mBROKEN\27[0m", id(0, { rules = { rules.copies(4) } },
                                            terminal.style(true)), 1, true)
  end)
end)

describe("a move", function()
  local LED <const> = { [0] = "us-east", "us-east", "eu-west", "eu-west", "ap-south" }
  local rows = {
    { "s0 r0->r2", { leaders = LED }, "s0 us-east->ap-south  yes: every rule holds\n"
      .. "  us-east then leads 1 shard, ap-south 2; nothing is copied" },
    { "s0 r0->r1", { leaders = LED, rules = { rules.max_leaders(2) } },
      "s0 us-east->eu-west  no: rule 'max_leaders(2)': eu-west leads 3 shards, at most 2"
      .. "\n  next best ap-south, which then leads 2" },
    { "s0 r0->r1", { regions = { "a", "b" }, rules = { rules.copies(3) } },
      "s0 a->b  no: rule 'copies(3)' is broken without it too: every shard (s0..s4) has 2 copies "
      .. "(a b), 3 are wanted: add 1 region\n  there is no other" },
    { "s0 r1->r0", {}, "s0 eu-west->us-east  no: s0 is led by us-east, not by eu-west" },
    { "0x0-0x1 s0->s1", {}, "0x0000000000000000..0x0000000000000001 s0->s1  yes: every rule "
      .. "holds\n  0.00 % of all keys in 1 range, in each of 3 regions" },
    { "s0->s1", { shards = 3, rules = { function(layout)
        return layout:route(0).value ~= 1, "no" end } },
      "s0->s1  no: rule 'rule 1': no\n  next best s2, which then owns 66.67 %" },
  }
  for _, row in ipairs(rows) do
    it(row[1], function() assert.equal(row[3], move(row[1], row[2])) end)
  end

  it("has what it copies where logs told", function()
    local answer = motion.move(script.layout { shards = 3 }, motion.read "s0->s1")
    answer.price = { bytes = 21000000, events = 1000000 }
    assert.equal("s0->s1  yes: every rule holds\n  33.33 % of all keys in 1 range, in each of 3 "
      .. "regions, copies 21.0 MB (1000000 events)", render.move(answer))
    answer = motion.move(script.layout { shards = 3, rules = { function(layout)
      return layout:route(0).value ~= 1, "no" end } }, motion.read "s0->s1")
    answer.price = { bytes = 21, events = 1 }
    assert.matches("\n  next best s2, which then owns 66.67 %, copies 21 B (1 event)",
                   render.move(answer), 1, true)
  end)

  it("is painted where colours are", function()
    assert.matches("\27[32myes\27[0m", move("s0->s1", {}, terminal.style(true)), 1, true)
    assert.matches("\27[31mno\27[0m", move("s0->s9", {}, terminal.style(true)), 1, true)
  end)
end)
