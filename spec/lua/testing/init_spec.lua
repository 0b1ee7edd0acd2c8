local failing = require "spec.support.failing"
local layouts = require "tidal.cluster.layout"
local script = require "spec.support.script"
local tidal = require "tidal"
local testing = require "tidal.testing"

local HERE <const> = "^spec/lua/testing/init_spec.lua:%d+$"
local layout = tidal.cluster.load "scripts/cluster.lua"
local hashed = tidal.cluster.load "scripts/layouts/hash_ranges.lua"
local spread = script.layout { leaders = "spread" }

-- A layout whose table has a hole, which no script can declare.
local function holed()
  local router = setmetatable({ ranges = function()
    local list = layout:ranges()
    list[2].first = list[2].first + 1
    return list
  end }, { __index = function(_, name)
    return function(_, ...) return layout.router[name](layout.router, ...) end
  end })
  return layouts.new {
    name = "holed", epoch = 1, regions = { { id = 0, name = "a" } }, shards = 5,
    router = router, leaders = "all", rules = {}, file = "holed.lua",
  }
end

describe("tidal.testing", function()
  it("accepts what is", function()
    for _, one in ipairs { layout, hashed, spread } do assert.covers(one) end
    assert.routes(layout, 0, "s0")
    assert.routes(layout, "0x3333333333333333", 0)
    assert.routes(layout, "18446744073709551615", tidal.shard(4))
    assert.routes(layout, math.mininteger, "s2")
    assert.leads(layout, "us-east", "s4")
    assert.leads(spread, "eu-west", 1)
    assert.regions(layout, { "us-east", "eu-west", "ap-south" })
    assert.survives(layout, "region")
    assert.survives(layout, "node")
    assert.keeps(layout, tidal.rules.max_leaders(5))
    assert.keeps(layout, "max_leaders(5)")
    assert.keeps(layout, function(l) return l.shards == 5 end)
  end)

  it("accepts the opposite of what is not", function()
    local alone = script.layout { regions = { "a" } }
    assert.is_not.covers(holed())
    assert.is_not.routes(layout, -1, "s3")
    assert.is_not.leads(layout, "eu-west", "s4")
    assert.is_not.leads(script.layout { leaders = "all" }, "us-east", "s4")
    assert.is_not.regions(layout, { "eu-west", "us-east", "ap-south" })
    assert.is_not.regions(layout, { "us-east", "eu-west" })
    assert.is_not.survives(alone, "region")
    assert.is_not.survives(alone, "node")
    assert.does_not.keeps(layout, tidal.rules.max_leaders(4))
    assert.does_not.keeps(layout, "max_leaders(4)")
    assert.does_not.keeps(layout, function() error "ouch" end)
  end)

  local FILE <const> = "prod (scripts/cluster.lua)"
  local rows = {
    { "covers", { holed() }, [[
expected every id to have exactly one shard in holed (holed.lua)
total: NO  unique: yes  (10 boundaries decide 18446744073709551616 ids)   C router = Lua ]]
      .. [[reference: equal on all 5 pieces and 10000 ids
  range 2 starts at 0x3333333333333335, not at 0x3333333333333334
look closer: tidal-lua prove holed.lua]] },
    { "routes", { layout, -1, "s3" }, [[
expected 0xffffffffffffffff to go to s3 in ]] .. FILE .. [[

it goes to s4 (it owns 0xcccccccccccccccd..0xffffffffffffffff)
look closer: tidal-lua route scripts/cluster.lua 0xffffffffffffffff]] },
    { "routes", { tidal.cluster.load "scripts/layouts/hash.lua", 7, 0 }, [[
expected 0x0000000000000007 to go to s0 in hash (scripts/layouts/hash.lua)
it goes to s3
look closer: tidal-lua route scripts/layouts/hash.lua 0x0000000000000007]] },
    { "leads", { layout, "eu-wst", "s3" }, [[
expected eu-wst alone to lead s3 in ]] .. FILE .. [[

it is led by us-east (did you mean 'eu-west'?)
look closer: tidal-lua plan scripts/cluster.lua]] },
    { "regions", { layout, { "us-east", "eu-west" } }, [[
expected the regions us-east eu-west in ]] .. FILE .. [[

they are us-east eu-west ap-south
look closer: tidal-lua plan scripts/cluster.lua]] },
    { "survives", { script.layout { regions = { "a" } }, "node" }, [[
expected prod (spec/support/script.lua) to keep 'survives node'
it does not: a node of a holds the only copy of its shard: add a second region
look closer: tidal-lua plan spec/support/script.lua]] },
    { "keeps", { layout, tidal.rules.max_leaders(2) }, [[
expected ]] .. FILE .. [[ to keep 'max_leaders(2)'
it does not: us-east leads 5 shards, at most 2: let eu-west lead s0
look closer: tidal-lua plan scripts/cluster.lua]] },
    { "keeps", { layout, function() error("ouch", 0) end }, [[
expected ]] .. FILE .. [[ to keep 'the given function'
it does not: the rule raised: ouch
look closer: tidal-lua plan scripts/cluster.lua]] },
    { "keeps", { layout, "survives regio" }, [[
expected ]] .. FILE .. [[ to declare the rule 'survives regio' (did you mean 'survives region'?)
its rules: survives region, max_leaders(5)
look closer: tidal-lua plan scripts/cluster.lua]] },
    { "keeps", { spread, "mine" }, [[
expected prod (spec/support/script.lua) to declare the rule 'mine'
its rules: none
look closer: tidal-lua plan spec/support/script.lua]] },
  }
  for i, row in ipairs(rows) do
    it(("says what it expected of %s, case %d"):format(row[1], i), function()
      local text, place = failing(function()
        assert[row[1]](table.unpack(row[2]))
      end)
      assert.equal(row[3], text)
      assert.matches(HERE, place)
    end)
  end

  local opposites = {
    { "covers", { layout }, "expected an id without a shard, or with two, in " .. FILE
      .. "\ntotal: yes  unique: yes .*" },
    { "routes", { layout, 1, "s0" }, "expected 0x0000000000000001 not to go to s0 in " .. FILE
      .. ", but it does %(it owns 0x0000000000000000%.%.0x3333333333333333%)" },
    { "leads", { layout, "us-east", 0 }, "expected another region than us%-east to lead s0 in "
      .. FILE },
    { "regions", { layout, { "us-east", "eu-west", "ap-south" } },
      "expected other regions than us%-east eu%-west ap%-south in " .. FILE },
    { "survives", { layout, "region" }, "expected " .. FILE .. " to break 'survives region', "
      .. "but it keeps it" },
    { "keeps", { layout, "max_leaders(5)" }, "expected " .. FILE .. " to break "
      .. "'max_leaders%(5%)', but it keeps it" },
  }
  for _, row in ipairs(opposites) do
    it("says what it expected not to be of " .. row[1], function()
      local text = failing(function() assert.is_not[row[1]](table.unpack(row[2])) end)
      assert.matches("^" .. row[3]:gsub("prod %(scripts/", "prod %%(scripts/")
                                   :gsub("cluster.lua%)", "cluster.lua%%)") .. "$", text)
    end)
  end

  local wrong = {
    { "covers", {}, "assert.covers(layout): a layout expected, got nil" },
    { "routes", { "x" }, 'assert.routes(layout, id, shard): a layout expected, got "x"' },
    { "routes", { layout, 1.5, 0 }, "assert.routes(layout, id, shard): an id expected: an "
      .. 'integer, "0x" and 1-16 hex digits, or decimal text up to "18446744073709551615" '
      .. "expected, got the float 1.5" },
    { "routes", { layout, 1, "x" }, "assert.routes(layout, id, shard): a shard expected "
      .. '("s3", 3 or tidal.shard(3)), got "x"' },
    { "routes", { layout, 1, "s5" }, "assert.routes(layout, id, shard): prod has no s5: its "
      .. "shards are s0..s4" },
    { "leads", { layout, 1, "s0" }, "assert.leads(layout, region, shard): the name of a region "
      .. "expected, got 1" },
    { "leads", { layout, "us-east", 5 }, "assert.leads(layout, region, shard): prod has no s5: "
      .. "its shards are s0..s4" },
    { "regions", { layout, "us-east" }, "assert.regions(layout, names): a list of names "
      .. 'expected, got "us-east"' },
    { "survives", { layout, "shard" }, 'assert.survives(layout, what): "region" or "node" '
      .. 'expected, got "shard"' },
    { "keeps", { layout, 7 }, "assert.keeps(layout, rule): tidal.rules.*, a function or the "
      .. "name of a rule expected, got 7" },
    { "plan", { layout }, "assert.plan(from, to): a layout expected, got nil" },
  }
  for i, row in ipairs(wrong) do
    it(("refuses wrong arguments of %s, case %d"):format(row[1], i), function()
      local text, place = failing(function() assert[row[1]](table.unpack(row[2])) end)
      assert.equal(row[3], text)
      assert.matches(HERE, place)
      text = failing(function() assert.is_not[row[1]](table.unpack(row[2])) end)
      assert.equal(row[3], text)
    end)
  end

  it("tells a layout of another run of the modules", function()
    local text = failing(function() assert.covers { router = true } end)
    assert.equal('assert.covers(layout): a layout expected, got a table: it is one of another '
      .. 'run of the modules; require "tidal.testing" in the file that loads it', text)
  end)

  it("brings properties along", function()
    assert.equal(require "tidal.testing.prop", testing.prop)
    assert.is_nil(testing.nonsense)
  end)
end)
