local rules = require "tidal.rules"
local script = require "spec.support.script"

-- What a rule says of a layout with these changes: true, or why not.
local function verdict(rule, changes)
  local ok, why = rule.check(script.layout(changes))
  return ok or why
end

describe("survives()", function()
  local rows = {
    { "region", { "a", "b" }, true }, { "region", { "a", "b", "c" }, true },
    { "region", { "a" }, "the only region holds the only copy of every shard" },
    { "node", { "a", "b" }, true },
    { "node", { "a" }, "the only node holds the only copy of every shard" },
  }
  for _, row in ipairs(rows) do
    it(("a %s of %d regions: %s"):format(row[1], #row[2], tostring(row[3])), function()
      assert.equal(row[3], verdict(rules.survives(row[1]), { regions = row[2] }))
    end)
  end

  it("is named by what it survives", function()
    assert.equal("survives region", rules.survives "region".name)
    assert.equal("survives node", rules.survives "node".name)
  end)
end)

describe("max_leaders()", function()
  local rows = {
    { 5, "us-east", true }, { 4, "us-east", "us-east leads 5 shards" },
    { 4, "ap-south", "ap-south leads 5 shards" }, { 2, "spread", true },
    { 1, "spread", "us-east leads 2 shards" }, { 5, "all", true },
    { 4, "all", "us-east leads 5 shards" }, { 1 << 40, "all", true },
  }
  for _, row in ipairs(rows) do
    it(("max_leaders(%d) of %s: %s"):format(row[1], row[2], tostring(row[3])), function()
      assert.equal(row[3], verdict(rules.max_leaders(row[1]), { leaders = row[2] }))
    end)
  end

  it("is named with its number", function()
    assert.equal("max_leaders(7)", rules.max_leaders(7).name)
  end)
end)

describe("new()", function()
  it("makes a rule of one's own", function()
    local rule = rules.new("even shards", function(layout)
      return layout.shards % 2 == 0, layout.shards .. " is odd"
    end)
    assert.is_true(rules.is(rule))
    assert.equal("5 is odd", verdict(rule))
    assert.is_true(verdict(rule, { shards = 4 }))
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

describe("a wrong argument raises", function()
  local NEW <const> = "tidal.rules.new: a name and a function(layout) expected"
  local MAX <const> = "tidal.rules.max_leaders: an integer >= 1 expected, got "
  local SURVIVES <const> = "tidal.rules.survives: 'region' or 'node' expected, got "
  local rows = {
    { "survives", { "town" }, SURVIVES .. "town" }, { "survives", {}, SURVIVES .. "nil" },
    { "survives", { 1 }, SURVIVES .. "1" }, { "max_leaders", { 0 }, MAX .. "0" },
    { "max_leaders", { -1 }, MAX .. "-1" }, { "max_leaders", { 1.0 }, MAX .. "1.0" },
    { "max_leaders", { "3" }, MAX .. "3" }, { "max_leaders", {}, MAX .. "nil" },
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
