-- "Did you mean ...?"
local suggest = require "tidal.suggest"
local gen = dofile "spec/support/gen.lua"

local KEYS <const> = { "name", "epoch", "regions", "shards", "routing", "leaders", "rules" }

describe("suggest.nearest", function()
  local rows = {
    { "a dropped letter", "shard", KEYS, "shards" },
    { "an added letter", "epochs", KEYS, "epoch" },
    { "a changed letter", "regians", KEYS, "regions" },
    { "two neighbours swapped, as one mistake", "wieght", { "height", "weight" }, "weight" },
    { "a swap at the front", "anme", KEYS, "name" },
    { "a third of the letters, no more", "abcdef", { "abcdxy" }, "abcdxy" },
    { "nothing past a third of the letters", "abcdef", { "abcxyz" }, nil },
    { "one mistake in a word of one letter", "x", { "y" }, "y" },
    { "no more than one in a word of five", "abcde", { "abcxy" }, nil },
    { "two in a word of six", "shrads", { "shard" }, "shard" },
    { "the word itself", "rules", KEYS, "rules" },
    { "the nearest, not the first", "leader", { "reader", "leaders" }, "reader" },
    { "the nearer one behind a near one", "rulesx", { "rulers", "rules" }, "rules" },
    { "the first of equals", "bat", { "cat", "rat" }, "cat" },
    { "a letter for the empty word", "", { "ab", "a" }, "a" },
    { "nothing in an empty list", "name", {}, nil },
    { "nothing for an alien", "replication", KEYS, nil },
    { "another case as so many mistakes", "NAME", KEYS, nil },
    { "bytes of any value", "r\xE9gions", KEYS, "regions" },
    { "a word of 64 letters", ("a"):rep(64), { ("a"):rep(63) }, ("a"):rep(63) },
    { "nothing for a longer one", ("a"):rep(65), { ("a"):rep(64) }, nil },
  }
  for _, row in ipairs(rows) do
    it("finds " .. row[1], function()
      assert.equal(row[4], suggest.nearest(row[2], row[3]))
    end)
  end

  it("finds every word back after one slip", function()
    gen.property("suggest.nearest", 500, function(stream)
      local word = stream:pick(KEYS)
      local at, kind = stream:int(1, #word - 1), stream:int(1, 4)
      local head, tail = word:sub(1, at - 1), word:sub(at + 1)
      local slip = kind == 1 and head .. tail
        or kind == 2 and head .. "_" .. tail
        or kind == 3 and word:sub(1, at) .. "_" .. tail
        or head .. tail:sub(1, 1) .. word:sub(at, at) .. tail:sub(2)
      local got = suggest.nearest(slip, KEYS)
      return got ~= word and ("%s gives %s"):format(slip, got)
    end)
  end)
end)

describe("suggest.unknown", function()
  it("asks", function()
    assert.equal(" (did you mean 'weight'?)", suggest.unknown("wieght", { "weight" }))
  end)

  it("is empty when nothing is near", function()
    assert.equal("", suggest.unknown("wieght", { "name" }))
  end)
end)

describe("suggest.guard", function()
  local module = suggest.guard({ even = 1, hash = 2 }, "some.module")

  it("leaves what is there", function()
    assert.same({ 1, 2 }, { module.even, module.hash })
  end)

  it("names the nearest for what is not, at the caller's line", function()
    local ok, err = pcall(function() return module.evne end)
    assert.is_false(ok)
    assert.equal("some.module has no 'evne' (did you mean 'even'?); there are: even hash",
                 (err:gsub("^.-suggest_spec.lua:%d+: ", "")))
    assert.has_error(function() return module[5] end)
  end)
end)
