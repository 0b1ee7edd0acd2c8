local cluster = require "tidal.cluster"
local core = require "tidal.core"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local script = require "spec.support.script"

local NONE, refused = script.NONE, script.refused

describe("tidal.cluster", function()
  it("makes a layout of what a script declares", function()
    local layout = cluster {
      name = "prod", epoch = 7, regions = { "us-east", "eu-west", "ap-south" }, shards = 5,
      routing = routing.even(), leaders = "eu-west",
      rules = { rules.survives "region", rules.max_leaders(5) },
    }
    assert.is_true(cluster.is_layout(layout))
    assert.same({ "prod", 7, 5, 3 },
                { layout.name, layout.epoch, layout.shards, #layout.regions })
    assert.same({ 2, "ap-south" }, { layout.regions[3].id, layout.regions[3].name })
    assert.equal(5, layout:leads(1))
    assert.same({ "survives region", "max_leaders(5)" },
                { layout.rules[1].name, layout.rules[2].name })
    assert.equal("tidal.Router(ranges, 5 shards)", tostring(layout.router))
  end)

  it("needs a name, regions and shards only", function()
    local layout = cluster { name = "n", regions = { "home" }, shards = 1 }
    assert.same({ 1, 0, "ranges" }, { layout.epoch, #layout.rules, layout.router:strategy() })
    assert.is_true(layout:is_leader(0, 0))
  end)

  it("knows where it was declared", function()
    local layout = cluster { name = "n", regions = { "home" }, shards = 1 }
    assert.equal("spec/lua/cluster/init_spec.lua", (layout.file:gsub("^%./", "")))
  end)

  it("tells layouts from other values", function()
    for _, value in ipairs { 1, "x", {}, cluster, false, print } do
      assert.is_false(cluster.is_layout(value))
    end
    assert.is_false(cluster.is_layout(nil))
  end)

  local not_tables = { { 5, "5" }, { "prod", '"prod"' }, { true, "true" }, { print, "a function" },
                       { core.shard(3), "s3" }, { 1.5, "the float 1.5" } }
  for _, row in ipairs(not_tables) do
    it("takes a table, not " .. row[2], function()
      local ok, err = pcall(function()
        local layout = cluster(row[1])
        return layout
      end)
      assert.is_false(ok)
      assert.equal("tidal.cluster: a table expected, got " .. row[2],
                   (err:gsub("^.-_spec.lua:%d+: ", "")))
      assert.is_truthy(err:find("^.-init_spec.lua:%d+: "))
    end)
  end
end)

local LONGEST = ("n"):rep(64)
local RIGHT = {
  { "a name of one letter", { name = "a" } },
  { "a name of all that is allowed", { name = "aZ09._-" } },
  { "a name of 64 bytes", { name = LONGEST } },
  { "epoch 1", { epoch = 1 } },
  { "epoch 2^32-1", { epoch = 4294967295 } },
  { "one shard", { shards = 1 } },
  { "65536 shards", { shards = 65536 } },
  { "a region of 64 bytes", { regions = { LONGEST } } },
  { "65536 regions", { shards = 1, regions = (function()
    local out = {}
    for i = 1, 65536 do out[i] = "r" .. i end
    return out
  end)() } },
  { "4194304 nodes", { shards = 65536, regions = (function()
    local out = {}
    for i = 1, 64 do out[i] = "r" .. i end
    return out
  end)() } },
  { "every strategy: single", { shards = 1, routing = routing.single() } },
  { "every strategy: hash", { routing = routing.hash() } },
  { "every strategy: even", { routing = routing.even() } },
  { "every strategy: hash_ranges", { routing = routing.hash_ranges() } },
  { "no rules", { rules = {} } },
  { "a rule and a function", { rules = { rules.survives "node", function() return true end } } },
}

describe("a layout may have", function()
  for _, row in ipairs(RIGHT) do
    it(row[1], function() assert.equal("", refused(row[2])) end)
  end
end)

local NAME = " is not a name (letters, digits, '.', '_' or '-', at most 64 bytes)"
local EPOCH = "epoch: an integer 1..4294967295 expected, got "
local SHARDS = "shards: an integer 1..65536 expected, got "
local WRONG = {
  { "no name", { name = NONE },
    "name: is missing: letters, digits, '.', '_' or '-', at most 64 bytes" },
  { "an empty name", { name = "" }, 'name: ""' .. NAME },
  { "a name with a blank", { name = "my cluster" }, 'name: "my cluster"' .. NAME },
  { "a name with a line end", { name = "a\nb" }, 'name: "a?b"' .. NAME },
  { "a name with a zero byte", { name = "a\0b" }, 'name: "a?b"' .. NAME },
  { "a name of other letters", { name = "b\u{fc}ro" }, 'name: "b\u{fc}ro"' .. NAME },
  { "a name of 65 bytes", { name = ("n"):rep(65) }, 'name: "' .. LONGEST .. '..."' .. NAME },
  { "a number for a name", { name = 5 }, "name: 5" .. NAME },
  { "epoch 0", { epoch = 0 }, EPOCH .. "0" },
  { "epoch 2^32", { epoch = 4294967296 }, EPOCH .. "4294967296" },
  { "epoch -1", { epoch = -1 }, EPOCH .. "-1" },
  { "a float for an epoch", { epoch = 1.0 }, EPOCH .. "the float 1: write 1" },
  { "a fraction for an epoch", { epoch = 1.5 }, EPOCH .. "the float 1.5" },
  { "text for an epoch", { epoch = "1" }, EPOCH .. '"1": write 1' },
  { "an epoch with a unit", { epoch = "1d" }, EPOCH .. '"1d"' },
  { "text that is too much", { shards = "65537" }, SHARDS .. '"65537"' },
  { "false for an epoch", { epoch = false }, EPOCH .. "false" },
  { "no shards", { shards = NONE }, "shards: is missing: an integer 1..65536" },
  { "0 shards", { shards = 0 }, SHARDS .. "0" },
  { "65537 shards", { shards = 65537 }, SHARDS .. "65537" },
  { "a table of shards", { shards = {} }, SHARDS .. "a table" },
  { "no regions", { regions = NONE }, "regions: is missing: a list of names, r0 first" },
  { "an empty list of regions", { regions = {} },
    "regions: is empty: a list of names, r0 first" },
  { "a number of regions", { regions = 3 }, "regions: a list of names expected, got 3" },
  { "a region for regions", { regions = "us-east" },
    'regions: a list of names expected, got "us-east"' },
  { "a region twice", { regions = { "a", "b", "a" } }, 'regions[3]: "a" is already regions[1]' },
  { "regions that are no names", { regions = { "a", 5, "b c", {} } },
    "regions[2]: 5" .. NAME .. '\nregions[3]: "b c"' .. NAME .. "\nregions[4]: a table" .. NAME },
  { "a region with a key", { regions = { "a", eu = "b" } }, "regions.eu: only a list of names" },
  { "only regions with keys", { regions = { [0] = "a" } }, "regions[0]: only a list of names" },
  { "an unknown key", { shrads = 4 }, "shrads: unknown key (did you mean 'shards'?)" },
  { "a key like no other", { weight = 4 },
    "weight: unknown key; the keys are: name epoch regions shards routing leaders rules" },
  { "an entry without a key", { [1] = "prod" },
    "[1]: unknown key; the keys are: name epoch regions shards routing leaders rules" },
  { "a routing that is none", { routing = "even" },
    'routing: tidal.routing.* expected, got "even"' },
  { "the function instead of what it returns", { routing = routing.even },
    "routing: tidal.routing.* expected, got a function" },
  { "ranges without the function", { routing = { { shard = 0 } } },
    "routing: tidal.routing.* expected, got a table" },
  { "single with many shards", { routing = routing.single() },
    "routing: single() sends every id to s0, but there are 5 shards: "
    .. "write shards = 1, or even()" },
  { "a rule without a list", { rules = rules.survives "region" },
    "rules: a list of rules expected, got one rule: write { ... } around it" },
  { "text for rules", { rules = "survives" }, 'rules: a list of rules expected, got "survives"' },
  { "a rule that is none", { rules = { "survives" } },
    'rules[1]: tidal.rules.* or a function expected, got "survives"' },
  { "the maker of a rule's key", { rules = { survives = "region" } },
    "rules.survives: only a list of rules" },
  { "rules.new without its list", { rules = { rules.new, 3 } },
    "rules[2]: tidal.rules.* or a function expected, got 3" },
  { "4194368 nodes", { shards = 65537 - 1, regions = (function()
    local out = {}
    for i = 1, 65 do out[i] = "r" .. i end
    return out
  end)() },
    "shards: 65 regions x 65536 shards are 4259840 nodes, at most 4194304 are possible" },
}

describe("a layout is refused for", function()
  for _, row in ipairs(WRONG) do
    it(row[1], function() assert.equal(row[3], refused(row[2])) end)
  end

  it("65537 regions", function()
    local list = {}
    for i = 1, 65537 do list[i] = "r" .. i end
    assert.equal("regions: are 65537, at most 65536 are possible", refused { regions = list })
  end)

  it("everything at once, in the same order every time", function()
    local changes = { name = NONE, epoch = 0, shards = 0, regions = {}, rules = 5,
                      routing = 7, nmae = 1, leader = 2, [true] = 3 }
    local want = table.concat({
      "[true]: unknown key; the keys are: name epoch regions shards routing leaders rules",
      "leader: unknown key (did you mean 'leaders'?)",
      "nmae: unknown key (did you mean 'name'?)",
      "name: is missing: letters, digits, '.', '_' or '-', at most 64 bytes",
      EPOCH .. "0", "regions: is empty: a list of names, r0 first", SHARDS .. "0",
      "rules: a list of rules expected, got 5", "routing: tidal.routing.* expected, got 7",
    }, "\n")
    for _ = 1, 10 do assert.equal(want, refused(changes)) end
  end)

  it("ranges and leaders too where shards are wrong", function()
    assert.equal(SHARDS .. "0\n"
      .. "routing: has no ranges: every id needs a shard\n"
      .. 'leaders: a region, "spread", "all" or a table by shard expected, got "us-eats" '
      .. "(did you mean 'us-east'?)",
      refused { shards = 0, routing = routing.ranges {}, leaders = "us-eats" })
  end)
end)

-- One entry a line, so that a fault's line is its entry.
local FAULTY = [[
-- a comment
return tidal.cluster {
  name = "my cluster",
  epoch = 0,
  regions = {
    "us-east",
    "us-east",
  },
  shrads = 4,
  shards = 3,
  leaders = {
    [0] = "us-east",
    s1 = "eu-wset",
    [tidal.shard(2)] = "us-east",
    s3 = "us-east",
  },
  routing = tidal.routing.ranges {
    { shard = 0, first = 0, last = 9 },
    { shard = 1, first = 9, last = "0xg" },
    { shard = 7, first = 20, last = 18446744073709551615 },
  },
  rules = {
    tidal.rules.survives "region",
    5,
  },
  shards = 3,
}
]]

describe("the message", function()
  it("has every fault with file and line, in order of lines", function()
    local layout, message = script.load(FAULTY)
    assert.is_nil(layout)
    assert.equal([[
cluster.lua:3: name: "my cluster"]] .. NAME .. [[

cluster.lua:4: epoch: an integer 1..4294967295 expected, got 0
cluster.lua:7: regions[2]: "us-east" is already regions[1]
cluster.lua:9: shrads: unknown key (did you mean 'shards'?)
cluster.lua:13: leaders.s1: "eu-wset" is not a region
cluster.lua:15: leaders.s3: is not a shard of this layout (s0..s2)
cluster.lua:19: routing[2].last: an id expected (an integer, "0x" and 1-16 hex digits, ]]
      .. [[or decimal text up to "18446744073709551615"), got "0xg"
cluster.lua:20: routing[3].shard: s0..s2 expected, got 7
cluster.lua:20: routing[3].last: got the float 1.8446744073709552e+19; a decimal above 2^63-1 ]]
      .. [[is a float in Lua: write it as text, "18446744073709551615" or "0xffffffffffffffff"
cluster.lua:24: rules[2]: tidal.rules.* or a function expected, got 5
cluster.lua:26: shards: is already set on line 10
11 faults; nothing planned]], message)
  end)

  it("tells operators that go wrong for ids, wherever they stand", function()
    local _, message = script.load [[
local function odd(id) return id % 2 == 1 end
return tidal.cluster {
  name = "n", regions = { "a" }, shards = 1, epoch = 0,
  rules = { function(layout)
    local r = layout:ranges()[1]
    return r.first <= r.last and not odd(r.first)
  end },
}
]]
    assert.equal("cluster.lua:1: id % 2: is a signed remainder, wrong from 2^63 on: write "
      .. "tidal.u64.mod(a, b) for a % b\n"
      .. "cluster.lua:3: " .. EPOCH .. "0\n"
      .. "cluster.lua:6: r.first <= r.last: compares as signed numbers, wrong from 2^63 on: "
      .. "write tidal.u64.le(a, b) for a <= b\n"
      .. "3 faults; nothing planned", message)
  end)

  it("is an error object for programs", function()
    local _, err = pcall(cluster, { name = "n", regions = { "a" }, shards = 0 })
    assert.is_true(core.is_error(err))
    assert.equal("layout", err.code)
    assert.equal(1, #err.faults)
    assert.equal("shards", err.faults[1].path)
  end)

  it("shows numerals that Lua's lexer changes", function()
    local _, message = script.load [[
return tidal.cluster { name = "n", regions = { "a" }, shards = 1,
  routing = tidal.routing.ranges {
    { shard = 0, first = 0x00,
      last = 0xffffffffffffffff0 },
  } }
]]
    assert.matches("\ncluster.lua:4: 0xffffffffffffffff0: has 17 hex digits: Lua's lexer "
                   .. "silently keeps the last 16\n", "\n" .. message, 1, true)
    assert.matches("gap: no shard owns the", message, 1, true)
  end)

  it("says it once where a float is the value", function()
    local _, message = script.load [[
return tidal.cluster { name = "n", regions = { "a" }, shards = 1, routing =
  tidal.routing.ranges { { shard = 0, first = 0, last = 18446744073709551615 } } }
]]
    assert.matches("^cluster.lua:2: routing%[1%]%.last: got the float [^\n]*$", message)
    _, message = script.load [[
return tidal.cluster { name = "n", regions = { "a" },
  shards = 99999999999999999999 }
]]
    assert.equal("cluster.lua:2: shards: an integer 1..65536 expected, got the float 1e+20",
                 message)
  end)
end)

describe("cluster.load", function()
  local NOT_A_LAYOUT = ", not a layout: end it with `return tidal.cluster { ... }`"
  local rows = {
    { "nothing", "local x = 1", "cluster.lua: returned nothing" .. NOT_A_LAYOUT },
    { "a layout that is not returned",
      "tidal.cluster { name = 'n', regions = { 'a' }, shards = 1 }",
      "cluster.lua: returned nothing" .. NOT_A_LAYOUT },
    { "a table", "return {}", "cluster.lua: returned a table" .. NOT_A_LAYOUT },
    { "a number", "return 5", "cluster.lua: returned a number" .. NOT_A_LAYOUT },
    { "false", "return false", "cluster.lua: returned a boolean" .. NOT_A_LAYOUT },
    { "what does not parse", "return tidal.cluster {\n  name = = 5 }",
      "cluster.lua:2: unexpected symbol near '='" },
    { "what raises", "\nerror 'no way'", "cluster.lua:2: no way" },
    { "a mistake", "local t\nreturn t.x",
      "cluster.lua:2: attempt to index a nil value (local 't')" },
    { "compiled code", "\27Lua",
      "cluster.lua: attempt to load a binary chunk (mode is 't')" },
    { "a wrong call", "local r = tidal.rules.survives 'town'",
      "cluster.lua:1: tidal.rules.survives: 'region' or 'node' expected, got town" },
  }
  for _, row in ipairs(rows) do
    it("refuses a script with " .. row[1], function()
      local layout, message = script.load(row[2])
      assert.is_nil(layout)
      assert.equal(row[3], message)
    end)
  end

  it("refuses a file that is not there", function()
    local ok, err = pcall(cluster.load, "no/such/file.lua")
    assert.is_false(ok)
    assert.equal("cannot open no/such/file.lua: No such file or directory", tostring(err))
    assert.equal("layout", err.code)
  end)

  it("raises what the script raises, untouched", function()
    script.within({ ["x.lua"] = "error({ mine = true })" }, function(dir)
      local _, err = pcall(cluster.load, dir .. "/x.lua")
      assert.same({ mine = true }, err)
    end)
  end)

  it("gives scripts tidal and all of Lua", function()
    local layout = script.load [[
      made = { "us-" .. os.getenv("HOME"):sub(1, 0) .. "east" }
      return tidal.cluster { name = "n", regions = made, shards = math.max(1, 2) }]]
    assert.same({ "us-east", 2 }, { layout.regions[1].name, layout.shards })
    assert.equal("us-east", _G.made[1])
    _G.made = nil
  end)

  it("takes a script with a shebang line and without return's tail call", function()
    local layout = script.load [[
#!/usr/bin/env tidal-lua
local l = tidal.cluster { name = "n", regions = { "a" }, shards = 1 }
return l]]
    assert.is_true(cluster.is_layout(layout))
  end)
end)
