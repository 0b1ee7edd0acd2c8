local cli = require "spec.support.cli"
local failing = require "spec.support.failing"
local prop = require "tidal.testing.prop"
local tidal = require "tidal"

-- The values that a failing property prints.
local function counterexample(...)
  local args = table.pack(...)
  local text = failing(function() prop.forall(table.unpack(args, 1, args.n)) end)
  return text:match "tries:\n(.-)\nit returned false\nrepeat: " or text
end

describe("prop.forall", function()
  it("is silent where it holds", function()
    local runs = 0
    prop.forall(prop.id(), prop.id(), { runs = 37 }, function(a, b)
      runs = runs + 1
      assert.equal(math.ult(a, b), tidal.u64.lt(a, b))
    end)
    assert.equal(37, runs)
    prop.forall(prop.id(), function() runs = runs + 1 end)
    assert.equal(137, runs)
  end)

  local MANY <const> = { runs = 3000 }
  local cases = {
    { "ids below 2^63", "  1: 0x8000000000000000", prop.id(),
      function(id) return id >= 0 end },
    { "the last id", "  1: 0xffffffffffffffff", prop.id(), function(id) return id ~= -1 end },
    { "a bound", "  1: 1000", prop.integer(-99999, 99999), function(n) return n < 1000 end },
    { "a bound below 0", "  1: -7", prop.integer(-99999, 99999), function(n) return n > -7 end },
    { "an entry of a list", "  1: { 0x00000000000003e8 }", prop.list(prop.id()),
      function(list)
        for _, id in ipairs(list) do if not math.ult(id, 1000) then return false end end
      end },
    { "an event of a batch", "  1: { epoch = 0, events = { { entity = 0x0000000000000000, "
      .. "signal_type = 0, timestamp_ns = 0x0000000000000000, weight = 0.015625 } }, "
      .. "first_seq = 1, region = 0, shard = 0, timestamp_ns = 0x0000000000000000 }",
      prop.batch(), function(batch)
        for _, event in ipairs(batch.events) do if event.weight > 0 then return false end end
      end },
    { "a layout", [[
  1: tidal.cluster {
       name = "prop", epoch = 1, shards = 3,
       regions = { "us", "eu" },
       routing = tidal.routing.even(),
       leaders = "us",
     }]], prop.layout(), function(layout) return #layout.regions < 2 or layout.shards < 3 end },
    { "a pair of layouts", [[
  1: from tidal.cluster {
       name = "prop", epoch = 1, shards = 1,
       regions = { "us" },
       routing = tidal.routing.single(),
       leaders = "us",
     }
     to tidal.cluster {
       name = "prop", epoch = 2, shards = 1,
       regions = { "us", "eu" },
       routing = tidal.routing.single(),
       leaders = "us",
     }]], prop.pair(), function(pair) return #pair.to.regions <= #pair.from.regions end },
  }
  for _, case in ipairs(cases) do
    it("shrinks to " .. case[1], function()
      local text = counterexample(case[3], MANY, case[4])
      assert.equal(case[2], text)
    end)
  end

  it("makes generators of the values before", function()
    local text = counterexample(prop.layout { shards = 5 },
      function(layout) return prop.id(layout) end, MANY,
      function(layout, id)
        return layout.router:strategy() ~= "ranges" or layout:route(id).value == 0
      end)
    assert.matches("shards = 2,.*\n  2: 0x", text)
  end)

  it("says what was raised, and at which line it failed", function()
    local text, place = failing(function()
      prop.forall(prop.integer(0, 9), function(n) assert.equal(0, n) end)
    end)
    assert.matches("spec/lua/testing/prop_spec.lua:%d+", place)
    assert.matches("^the property fails, found in run %d+ of 100, made smaller in %d+ tries:\n"
      .. "  1: 1\n%S+prop_spec.lua:%d+: Expected objects to be equal.\n.*\nrepeat: TIDAL_SEED="
      .. "%-?%d+ .* spec/lua/testing/prop_spec.lua$", text)
  end)

  it("tells a property that does not fail twice", function()
    local calls = 0
    local text = failing(function()
      prop.forall(prop.id(), function() calls = calls + 1 return calls > 1 end)
    end)
    assert.matches("^the property fails, found in run 1 of 100, NOT REPEATED in %d+ tries:\n",
                   text)
  end)

  it("leaves out what is not assumed", function()
    local seen = {}
    prop.forall(prop.integer(0, 9), function(n)
      prop.assume(n > 4)
      seen[n] = true
      assert.is_true(n > 4)
    end)
    assert.is_true(seen[5] and seen[9])
    local text = failing(function()
      prop.forall(prop.id(), { runs = 5 }, function() prop.assume(false) end)
    end)
    assert.equal("prop.forall: prop.assume left out 51 cases and only 0 were tried: let the "
                 .. "generators make what it asks for", text)
    assert.equal("  1: 6", counterexample(prop.integer(0, 99), function(n)
      prop.assume(n > 5)
      return false
    end))
  end)

  it("lets pending pass", function()
    local ok, why = pcall(prop.forall, prop.id(), function()
      error(setmetatable({ message = "later" }, { __type = "pending" }))
    end)
    assert.is_false(ok)
    assert.equal("later", why.message)
  end)

  it("refuses wrong arguments", function()
    local rows = {
      { { prop.id() }, "the property, a function, comes last" },
      { { {}, print }, "prop.forall: a generator expected" },
      { { 7, print }, "prop.forall: argument 1: a generator expected, got 7" },
      { { prop.id(), { run = 3 }, print }, "unknown option run; the options are: runs seed" },
      { { function() return 3 end, print }, "function 1 returned 3, not a generator" },
    }
    for _, row in ipairs(rows) do
      assert.matches(row[2], failing(function() prop.forall(table.unpack(row[1])) end), 1, true)
    end
  end)
end)

describe("the seed", function()
  local SPEC <const> = [[
local prop = require "tidal.testing.prop"
it("lies", function()
  prop.forall(prop.id(), prop.list(prop.id()), %s function(id, list)
    local file = io.open("drawn", "a")
    file:write(id, " ", #list, "\n")
    file:close()
    return #list < 9
  end)
end)]]

  -- What is printed and what was drawn.
  local function run(options, seed)
    local status, out = cli.run({ "-c", "rm -f drawn; " .. cli.tidal
      .. " test a_spec.lua --output=TAP; cat drawn; true" }, {
      program = "sh", files = { ["a_spec.lua"] = SPEC:format(options), drawn = "" },
      env = { TIDAL_SEED = seed or false } })
    assert.equal(0, status)
    return out
  end

  it("is the same in every run, so that one can be repeated", function()
    local out = run ""
    assert.matches("# repeat: TIDAL_SEED=1 tidal%-lua test a_spec.lua\n", out)
    assert.equal(out, run "")
    assert.equal(out, run("", "1"))
    assert.equal(out, run("{ seed = 5 },", "1"))
  end)

  it("is the one that is given", function()
    local out = run "{ seed = 5 },"
    assert.matches("# repeat: TIDAL_SEED=5 tidal%-lua test a_spec.lua\n", out)
    assert.equal(out, run("", "5"))
    assert.not_equal(out, run "")
    assert.matches("TIDAL_SEED=five: an integer expected", run("", "five"))
  end)
end)
