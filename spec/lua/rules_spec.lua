local rules = require "tidal.rules"
local script = require "spec.support.script"

describe("ready rules", function()
  local rows = {
    { "survives", "region", "survives region" }, { "survives", "node", "survives node" },
    { "max_leaders", 7, "max_leaders(7)" }, { "copies", 3, "copies(3)" },
    { "spread", 2, "spread(2)" }, { "spread", nil, "spread(1)" },
    { "weights", { regions = { b = 1, a = 2.5 } }, "weights(leaders: a 2.5, b 1)" },
    { "weights", { regions = { a = 1 }, of = "load" }, "weights(load: a 1)" },
    { "residency", { first = 0, last = "0xff", regions = { "b", "a" } },
      "residency(0x0000000000000000..0x00000000000000ff: b a)" },
    { "disk", { b = "2TB", a = "10GiB" }, "disk(a 10GiB, b 2TB)" },
  }
  for _, row in ipairs(rows) do
    it("are named by what they say: " .. row[3], function()
      local rule = rules[row[1]](row[2])
      assert.is_true(rules.is(rule))
      assert.equal(row[3], rule.name)
    end)
  end
end)

describe("new()", function()
  it("makes a rule of one's own", function()
    local rule = rules.new("even shards", function(layout)
      return layout.shards % 2 == 0, layout.shards .. " is odd"
    end)
    assert.is_true(rules.is(rule))
    assert.same({ false, "5 is odd" }, { rule.check(script.layout()) })
    assert.is_true((rule.check(script.layout { shards = 4 })))
  end)
end)

describe("a rule", function()
  it("is the same one in a layout", function()
    local rule = rules.copies(2)
    local layout = script.layout { rules = { rule, function() return true end } }
    assert.equal(rule, layout.rules[1])
    assert.is_true(rules.is(layout.rules[1]))
    assert.is_true(rules.is(layout.rules[2]))
    assert.equal(layout.rules[2], script.layout { rules = { layout.rules[2] } }.rules[1])
  end)

  it("is a value: nothing in it can be set", function()
    local rule = script.layout { rules = { rules.copies(2) } }.rules[1]
    for _, key in ipairs { "name", "check", "x" } do
      local fine, why = pcall(function() rule[key] = print end)
      assert.is_false(fine)
      assert.matches("rules_spec.lua:%d+: a rule is a value: " .. key .. " cannot be set; declare "
                     .. "another one$", why)
    end
    assert.same({ "copies(2)", "locked", nil }, { rule.name, getmetatable(rule), rule.x })
  end)
end)

describe("is()", function()
  it("tells rules from other values", function()
    for _, value in ipairs { {}, "survives region", print, 5, rules } do
      assert.is_false(rules.is(value))
    end
    assert.is_false(rules.is(nil))
    assert.is_true(rules.is(rules.survives "node"))
  end)
end)

describe("a wrong argument raises, naming its line,", function()
  local NEW <const> = "tidal.rules.new: a name and a function(layout) expected"
  local AT_LEAST <const> = "tidal.rules.%s: an integer >= 1 expected, got %s"
  local SURVIVES <const> = "tidal.rules.survives: 'region' or 'node' expected, got "
  local WEIGHTS <const> = "tidal.rules.weights: "
  local RESIDENCY <const> = "tidal.rules.residency: "
  local DISK <const> = "tidal.rules.disk: "
  local ID <const> = "an id expected (an integer, \"0x\" and 1-16 hex digits, or decimal text "
    .. "up to \"18446744073709551615\"), got "
  local function within(changes)
    local out = { first = 0, last = 9, regions = { "a" } }
    for key, value in pairs(changes) do out[key] = value end
    return { out }
  end
  local rows = {
    { "survives", { "town" }, SURVIVES .. "town" }, { "survives", {}, SURVIVES .. "nil" },
    { "survives", { 1 }, SURVIVES .. "1" },
    { "max_leaders", { 0 }, AT_LEAST:format("max_leaders", "0") },
    { "max_leaders", { -1 }, AT_LEAST:format("max_leaders", "-1") },
    { "max_leaders", { 1.0 }, AT_LEAST:format("max_leaders", "1.0") },
    { "max_leaders", { "3" }, AT_LEAST:format("max_leaders", "3") },
    { "max_leaders", {}, AT_LEAST:format("max_leaders", "nil") },
    { "copies", { 0 }, AT_LEAST:format("copies", "0") },
    { "copies", {}, AT_LEAST:format("copies", "nil") },
    { "copies", { 2.5 }, AT_LEAST:format("copies", "2.5") },
    { "spread", { 0 }, AT_LEAST:format("spread", "0") },
    { "spread", { "1" }, AT_LEAST:format("spread", "1") },
    { "weights", {}, WEIGHTS .. '{ regions = { ["us-east"] = 2, ... }, of = "leaders" or '
      .. '"load", tolerance = 0.1 } expected, got nil' },
    { "weights", { {} }, WEIGHTS .. "regions: weights by region expected, got nil" },
    { "weights", { { regions = {} } },
      WEIGHTS .. "regions: weights by region expected, got an empty table" },
    { "weights", { { regions = { "a" } } },
      WEIGHTS .. "regions: weights by region expected, got the key 1" },
    { "weights", { { regions = { a = -1 } } },
      WEIGHTS .. "a: a weight >= 0 expected, got -1" },
    { "weights", { { regions = { a = 0 / 0 } } },
      WEIGHTS .. ("a: a weight >= 0 expected, got the float %.17g"):format(0 / 0) },
    { "weights", { { regions = { a = "1" } } },
      WEIGHTS .. 'a: a weight >= 0 expected, got "1"' },
    { "weights", { { regions = { a = 0, b = 0 } } },
      WEIGHTS .. "regions: one weight must be above 0" },
    { "weights", { { regions = { a = 1 }, of = "disk" } },
      WEIGHTS .. 'of: "leaders" or "load" expected, got "disk"' },
    { "weights", { { regions = { a = 1 }, tolerance = 1.5 } },
      WEIGHTS .. "tolerance: a share of 1 (0.1) expected, got the float 1.5" },
    { "weights", { { regions = { a = 1 }, tolerance = "10%" } },
      WEIGHTS .. 'tolerance: a share of 1 (0.1) expected, got "10%"' },
    { "weights", { { regions = { a = 1 }, tolerence = 0.1 } },
      WEIGHTS .. "unknown key \"tolerence\" (did you mean 'tolerance'?)" },
    { "weights", { { ["us-east"] = 1 } },
      WEIGHTS .. 'unknown key "us-east"; the keys are: regions of tolerance' },
    { "residency", {}, RESIDENCY .. '{ first =, last =, regions = { "us-east" } } expected, '
      .. "got nil" },
    { "residency", within { frist = 0 },
      RESIDENCY .. "unknown key \"frist\" (did you mean 'first'?)" },
    { "residency", within { first = "0xg" }, RESIDENCY .. "first: " .. ID .. '"0xg"' },
    { "residency", within { last = true }, RESIDENCY .. "last: " .. ID .. "true" },
    { "residency", within { last = 18446744073709551615 }, RESIDENCY .. "last: got the float "
      .. "1.8446744073709552e+19; a decimal above 2^63-1 is a float in Lua: write it as text, "
      .. '"18446744073709551615" or "0xffffffffffffffff"' },
    { "residency", within { first = -1 }, RESIDENCY .. "first = 0xffffffffffffffff is above "
      .. "last = 0x0000000000000009: bounds are inclusive" },
    { "residency", within { regions = "a" },
      RESIDENCY .. 'regions: a list of names expected, got "a"' },
    { "residency", within { regions = {} },
      RESIDENCY .. "regions: a list of names expected, got an empty one" },
    { "residency", within { regions = { "a", 5 } },
      RESIDENCY .. "regions[2]: a name expected, got 5" },
    { "disk", {}, DISK .. 'sizes by region, { ["us-east"] = "2TB" } expected, got nil' },
    { "disk", { {} },
      DISK .. 'sizes by region, { ["us-east"] = "2TB" } expected, got an empty table' },
    { "disk", { { a = "2T" } }, DISK .. 'a: "2T" has an unknown unit (one of B kB KB MB GB TB '
      .. "KiB MiB GiB TiB)" },
    { "disk", { { a = 2 } }, DISK .. "a: 2 is not a size (512, 64MiB, 1.5GB)" },
    { "disk", { { a = "2h" } }, DISK .. 'a: "2h" has an unknown unit (one of B kB KB MB GB TB '
      .. "KiB MiB GiB TiB)" },
    { "disk", { { a = "0" } }, DISK .. 'a: "0" is not above 0' },
    { "new", {}, NEW }, { "new", { "name" }, NEW }, { "new", { 5, print }, NEW },
    { "new", { "name", "check" }, NEW },
  }
  for _, row in ipairs(rows) do
    it(row[1] .. ": " .. row[3], function()
      local ok, err = pcall(function()
        local rule = rules[row[1]](table.unpack(row[2]))
        return rule
      end)
      assert.is_false(ok)
      assert.equal(row[3], (err:gsub("^.-rules_spec.lua:%d+: ", "")))
      assert.is_truthy(err:find("rules_spec.lua:%d+: "))
    end)
  end
end)

describe("judge()", function()
  local core = require "tidal.core"
  local function judged(...)
    local list = {}
    for i, check in ipairs { ... } do list[i] = rules.new("r" .. i, check) end
    return rules.judge { rules = list }
  end

  it("gives a verdict a rule, in their order", function()
    assert.same({ { name = "r1", ok = true }, { name = "r2", ok = false, why = "w" },
                  { name = "r3", ok = false, why = "broken" }, { name = "r4", ok = true } },
                judged(function() return true, "x" end, function() return false, "w" end,
                       function() end, function() return 1 end))
    assert.same({}, judged())
  end)

  it("takes what a rule raises for its verdict", function()
    assert.same({ { name = "r1", ok = false, why = "boom" } },
                judged(function() error("boom", 0) end))
    local err = core.error { code = "budget", message = "m" }
    assert.equal("m", judged(function() error(err) end)[1].why)
  end)

  it("raises what kept a rule from being asked", function()
    local err = core.error { code = "isolation", message = "m" }
    local fine, raised = pcall(judged, function() error(err) end)
    assert.same({ false, true }, { fine, rawequal(err, raised) })
  end)
end)
