local routing = require "tidal.routing"

local LIST <const> = { { shard = 0, first = 0, last = -1 } }

describe("tidal.routing", function()
  local rows = {
    { "single()", routing.single(), { strategy = "single" } },
    { "hash()", routing.hash(), { strategy = "hash" } },
    { "even()", routing.even(), { strategy = "ranges", even = true } },
    { "ranges(list)", routing.ranges(LIST), { strategy = "ranges", ranges = LIST } },
    { "ranges(text)", routing.ranges "s0 0..1", { strategy = "ranges", ranges = "s0 0..1" } },
    { "hash_ranges()", routing.hash_ranges(), { strategy = "hash_ranges", even = true } },
    { "hash_ranges(list)", routing.hash_ranges(LIST),
      { strategy = "hash_ranges", even = false, ranges = LIST } },
  }
  for _, row in ipairs(rows) do
    it(row[1] .. " is a value that says what was wanted", function()
      assert.is_true(routing.is(row[2]))
      local fields = {}
      for key, value in pairs(row[2]) do fields[key] = value end
      assert.same(row[3], fields)
    end)
  end

  it("judges nothing: the layout does", function()
    assert.is_true(routing.is(routing.ranges(nil)))
    assert.is_true(routing.is(routing.ranges(5)))
  end)

  it("tells its values from others", function()
    for _, value in ipairs { {}, { strategy = "hash" }, "hash", 5, routing, routing.hash } do
      assert.is_false(routing.is(value))
    end
    assert.is_false(routing.is(nil))
  end)

  it("takes no number of shards: the layout has it", function()
    for _, name in ipairs { "single", "hash", "even" } do
      local ok, err = pcall(function() local r = routing[name](5) return r end)
      assert.is_false(ok)
      assert.equal(("tidal.routing.%s takes no argument: the layout's shards = n decides")
                   :format(name), err:match "routing_spec%.lua:%d+: (.*)$")
    end
  end)

  it("knows its names", function()
    assert.has_error(function() return routing.evne end)
    local _, err = pcall(function() return routing.evne end)
    assert.truthy(err:find("(did you mean 'even'?)", 1, true), err)
  end)
end)
