local core = require "tidal.core"
local explain = require "tidal.inspect.explain"
local gen = require "spec.support.gen"
local json = require "tidal.json"
local pairs_of = require "spec.support.pairs"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local script = require "spec.support.script"

describe("explain.find", function()
  it("finds the range of every boundary, of both halves", function()
    gen.property("explain.find", 200, function(g)
      local ranges = pairs_of.layout(g, 3):ranges()
      for i, range in ipairs(ranges or {}) do
        for _, key in ipairs { range.first, range.last } do
          if explain.find(ranges, key) ~= i then return core.u64.hex(key) end
        end
      end
    end)
  end)
end)

describe("explain.id", function()
  it("agrees with the router on any id", function()
    gen.property("explain.id", 200, function(g)
      local made, id = pairs_of.layout(g, 3), g:u64()
      local answer = explain.id(made, id)
      if answer.shard ~= made:route(id).value then return "shard" end
      local range = answer.range
      if not range then return nil end
      if range.shard ~= answer.shard or math.ult(answer.key, range.first)
         or math.ult(range.last, answer.key) then
        return core.u64.hex(id)
      end
      if answer.below and answer.below.last + 1 ~= range.first
         or not answer.below and range.first ~= 0
         or answer.above and answer.above.first - 1 ~= range.last
         or not answer.above and range.last ~= -1 then
        return "neighbours of " .. core.u64.hex(id)
      end
    end)
  end)

  it("has the hash where hashes decide", function()
    local hash = explain.id(script.layout { routing = routing.hash() }, -1)
    assert.same({ core.hash(-1), 5 }, { hash.key, hash.modulus })
    assert.equal(hash.shard, core.u64.mod(hash.key, 5))
    assert.is_nil(hash.range)
    local ranges = explain.id(script.layout { routing = routing.hash_ranges() }, -1)
    assert.equal(core.hash(-1), ranges.key)
    assert.is_nil(ranges.modulus)
    assert.equal(-1, explain.id(script.layout(), -1).key)
  end)

  it("tells which rule binds the leader, region by region", function()
    local answer = explain.id(script.layout {
      leaders = { [0] = "us-east", "eu-west", "eu-west", "us-east", "us-east" },
      rules = { rules.survives "region", rules.max_leaders(3), rules.spread(3),
                function(layout) return layout:leads(1) < 3, "eu-west is full" end },
    }, 0)
    assert.same({ { region = "ap-south", leads = 1 },
                  { region = "eu-west", leads = 3, rule = "rule 4", why = "eu-west is full" } },
                answer.choices)
    assert.same({ 0, 0, 4 }, { answer.leader, answer.untold, #answer.rules })
  end)

  it("tries the eight regions that lead least", function()
    local regions = {}
    for i = 1, 12 do regions[i] = "r-" .. i end
    local answer = explain.id(script.layout {
      regions = regions, leaders = { [0] = "r-1", "r-2", "r-3", "r-4", "r-5" },
    }, 0)
    local names = {}
    for i, choice in ipairs(answer.choices) do names[i] = choice.region end
    assert.equal("r-6 r-7 r-8 r-9 r-10 r-11 r-12 r-2", table.concat(names, " "))
    assert.equal(3, answer.untold)
  end)

  it("tries none where every region leads", function()
    local answer = explain.id(script.layout { leaders = "all" }, 0)
    assert.same({ nil, 0, 0 }, { answer.leader, #answer.choices, answer.untold })
  end)

  it("says which rules are broken as it is", function()
    local answer = explain.id(script.layout { rules = { rules.spread(1) } }, 7)
    assert.is_false(answer.rules[1].ok)
    assert.matches("^us%-east leads 5 shards", answer.rules[1].why)
  end)
end)

describe("explain.json", function()
  it("holds ids as text and all copies", function()
    local value = json.decode(explain.json(explain.id(script.layout {
      leaders = "spread", rules = { rules.max_leaders(2) },
    }, math.mininteger)))
    assert.same({ "tidal-explain/1", "prod", 1, "0x8000000000000000", "ranges", 2 },
                { value.format, value.name, value.epoch, value.id, value.strategy,
                  value.shard })
    assert.same({ shard = 2, first = "0x6666666666666667", last = "0x9999999999999999" },
                value.range)
    assert.same({ 1, 3 }, { value.below.shard, value.above.shard })
    assert.same({ "follower", "follower", "leader" },
                { value.copies[1].role, value.copies[2].role, value.copies[3].role })
    assert.same({ "us-east", "max_leaders(2)", false },
                { value.leaders[1].region, value.leaders[1].rule, value.leaders[1].allowed })
    assert.is_true(value.rules[1].ok)
  end)
end)
