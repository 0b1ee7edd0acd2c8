local rules = require "tidal.rules"
local verdict = require "spec.support.verdict"

describe("survives()", function()
  local rows = {
    { "region", { "a", "b" }, 5, true }, { "region", { "a", "b", "c" }, 5, true },
    { "region", { "a" }, 5,
      "a holds the only copy of every shard (s0..s4): add a second region" },
    { "region", { "a" }, 1, "a holds the only copy of s0: add a second region" },
    { "node", { "a", "b" }, 5, true },
    { "node", { "a" }, 5,
      "a node of a holds the only copy of its shard: add a second region" },
    { "node", { "a" }, 1, "a node of a holds the only copy of s0: add a second region" },
  }
  for _, row in ipairs(rows) do
    it(("a %s of %d regions x %d shards: %s"):format(row[1], #row[2], row[3],
                                                     tostring(row[4])), function()
      assert.equal(row[4], verdict(rules.survives(row[1]),
                                   { regions = row[2], shards = row[3] }))
    end)
  end
end)

describe("copies()", function()
  local MANY <const> = { "a", "b", "c", "d", "e", "f", "g", "h", "i" }
  local rows = {
    { 1, { "a" }, 1, true }, { 3, { "a", "b", "c" }, 5, true },
    { 2, { "a", "b", "c" }, 5, true },
    { 4, { "a", "b", "c" }, 5,
      "every shard (s0..s4) has 3 copies (a b c), 4 are wanted: add 1 region" },
    { 3, { "a" }, 1, "s0 has 1 copy (a), 3 are wanted: add 2 regions" },
    { 9, MANY, 2, true },
    { 10, MANY, 2, "every shard (s0..s1) has 9 copies (a b c d e f g h ...), 10 are wanted: "
      .. "add 1 region" },
  }
  for _, row in ipairs(rows) do
    it(("copies(%d) of %d regions: %s"):format(row[1], #row[2], tostring(row[4])), function()
      assert.equal(row[4], verdict(rules.copies(row[1]),
                                   { regions = row[2], shards = row[3] }))
    end)
  end
end)

describe("copies of nodes that are lost", function()
  local function of(rule, absent, regions)
    local layout = require "spec.support.script".layout {
      regions = regions or { "a", "b", "c" }, shards = 5 }
    local ok, why = rule.check(layout:with_load { regions = {}, absent = absent })
    return ok or why
  end
  local NODES <const> = "bring its nodes back"
  local rows = {
    { "all are there", rules.copies(3), {}, true },
    { "one of three is gone", rules.copies(3), { [2] = 1 },
      "s2 has 2 copies left, 3 are wanted: " .. NODES .. ", or add 1 region" },
    { "two of three are", rules.copies(3), { 1, 1, [0] = 1, [4] = 2 },
      "s4 has 1 copy left, 3 are wanted: " .. NODES .. ", or add 2 regions" },
    { "two that need not be there", rules.copies(1), { [4] = 2 }, true },
    { "a region may be lost too", rules.survives "region", { [4] = 1 }, true },
    { "no region may be lost too", rules.survives "region", { [4] = 2 },
      "s4 has 1 copy left: " .. NODES },
    { "no node may be lost too", rules.survives "node", { [0] = 2 }, "s0 has 1 copy left: "
      .. NODES },
  }
  for _, row in ipairs(rows) do
    it("count: " .. row[1], function() assert.equal(row[4], of(row[2], row[3])) end)
  end
end)
