-- Every wrong way to write an id, wherever one is taken: refused with a text,
-- never rounded, wrapped or guessed.
local core = require "tidal.core"
local script = require "spec.support.script"

local NONE <const> = {}  -- a table
-- Values that are no id anywhere, and how the list below calls them.
local WRONG <const> = {
  { "nil", nil }, { "true", true }, { "a table", NONE }, { "a function", print },
  { "0.0", 0.0 }, { "1.5", 1.5 }, { "-0.0", -0.0 }, { "2^53", 2.0 ^ 53 }, { "2^53 + 1",
    2.0 ^ 53 + 1 },
  { "2^63", 2.0 ^ 63 }, { "2^64", 2.0 ^ 64 }, { "1e3", 1e3 }, { "1e300", 1e300 }, { "nan", 0 / 0 },
  { "inf", 1 / 0 }, { "-inf", -1 / 0 }, { "18446744073709551615", 18446744073709551615 },
  { "9223372036854775808", 9223372036854775808 }, { "'' ", "" }, { "' '", " " }, { "'x'", "x" },
  { "'1e3'", "1e3" }, { "'1.0'", "1.0" }, { "'-1'", "-1" }, { "'+1'", "+1" }, { "' 1'", " 1" },
  { "'1 '", "1 " }, { "'1\\n'", "1\n" }, { "'1\\0'", "1\0" }, { "'0x'", "0x" }, { "'0xg'", "0xg" },
  { "'x1'", "x1" }, { "'1x'", "1x" }, { "'0x 1'", "0x 1" }, { "'0x-1'", "0x-1" }, { "'0x1.0'",
    "0x1.0" },
  { "'0x1p4'", "0x1p4" }, { "17 hex digits", "0x12345678901234567" },
  { "17 hex digits of zeros", "0x00000000000000001" }, { "2^64 as text", "18446744073709551616" },
  { "21 digits", "100000000000000000000" }, { "30 digits", ("9"):rep(30) }, { "'1,000'", "1,000" },
  { "'1_000'", "1_000" }, { "'nan'", "nan" }, { "'inf'", "inf" }, { "'s0'", "s0" }, { "'r0'",
    "r0" },
  { "'0b1'", "0b1" }, { "'0o7'", "0o7" }, { "'1;2'", "1;2" }, { "'\\xff'", "\xff" }, { "'１'", "１" },
  { "a shard", core.shard(1) }, { "a region", core.region(1) },
}

-- Where ids are taken; each raises for a wrong one.
local router = core.router.even(3)
local route = router:bind()
local PLACES <const> = {
  { "router:route", function(id) return router:route(id) end },
  { "a bound route", function(id) return route(id) end },
  { "route_many", function(id) return router:route_many { 1, id, 3 } end },
  { "u64.hex", core.u64.hex }, { "u64.lt", function(id) return core.u64.lt(1, id) end },
  { "hash", core.hash },
  { "a range's first", function(id)
    return core.router.ranges { { shard = 0, first = id, last = -1 } }
  end },
  { "a range's last", function(id)
    return core.router.ranges { { shard = 0, first = 0, last = id } }
  end },
  { "a layout's range", function(id)
    return script.layout { shards = 1, routing = require "tidal.routing".ranges {
      { shard = 0, first = 0, last = id } } }
  end },
  { "an event's entity", function(id)
    return core.wal.encode_batch { first_seq = 1, timestamp_ns = 1, shard = 0, events = {
      { entity = id, signal_type = 1, weight = 1.0, timestamp_ns = 1 } } }
  end },
}

describe("a wrong id", function()
  local tried = 0
  for _, place in ipairs(PLACES) do
    it("is refused by " .. place[1], function()
      for _, row in ipairs(WRONG) do
        -- a list ends at nil
        if not (place[1] == "route_many" and row[2] == nil) then
          local fine, why = pcall(place[2], row[2])
          assert.is_false(fine, place[1] .. " takes " .. row[1])
          assert.is_true(#tostring(why) > 10)
          tried = tried + 1
        end
      end
    end)
  end

  it("was tried in enough ways", function() assert.is_true(tried >= 500, tried) end)

  it("is told from a right one", function()
    for _, id in ipairs { 0, -1, math.mininteger, "0x0", "0xffffffffffffffff", "0",
                          "18446744073709551615", "0XFF", "007" } do
      for _, place in ipairs(PLACES) do
        if not place[1]:find "range" then assert.is_true((pcall(place[2], id)), place[1] .. id) end
      end
    end
  end)
end)
