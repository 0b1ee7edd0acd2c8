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
