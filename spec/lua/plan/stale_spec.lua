-- What is said of a plan that was made for another layout.
local script = require "spec.support.script"
local stale = require "tidal.plan.stale"

local function message(plan, layout, file)
  local ok, err = pcall(stale.raise, plan, layout, file)
  assert.same({ false, "stale" }, { ok, err.code })
  return (err.message:gsub("%x%x%x%x%x%x%x%x,", "HASH,"))
end

describe("a stale plan", function()
  local plan = script.layout():diff(script.layout { epoch = 2, shards = 6 })

  it("says what changed since, and that every step still fits", function()
    assert.equal("p7.plan was made for layout HASH, epoch 1, this is HASH, epoch 3\n"
      .. "  changed since: leader of s0  us-east -> eu-west; epoch 1 -> 3\n"
      .. "  every step still fits: make the plan anew, or rebase it",
      message(plan, script.layout { epoch = 3, leaders = { [0] = "eu-west" } }, "p7.plan"))
  end)

  it("says where nothing is left to do", function()
    assert.matches("\n  it is what the plan leads to: nothing is left to do$",
                   message(plan, plan.to))
  end)

  it("says which steps do not fit", function()
    assert.equal("the plan was made for layout HASH, epoch 1, this is HASH, epoch 2\n"
      .. "  changed since: + shard s5 led by us-east; s4 -> s5 0xe000000000000000.."
      .. "0xffffffffffffffff; epoch 1 -> 2\n"
      .. "  6 of 7 steps still fit; step 6 (s4 -> s5 0xd555555555555556..0xffffffffffffffff) does "
      .. "not fit: its keys have several owners now",
      message(plan, script.layout { epoch = 2, shards = 6, routing =
        require "tidal.routing".ranges [[
          s0 0..0x3333333333333333 s1 0x3333333333333334..0x6666666666666666
          s2 0x6666666666666667..0x9999999999999999 s3 0x999999999999999a..0xcccccccccccccccc
          s4 0xcccccccccccccccd..0xdfffffffffffffff s5 0xe000000000000000..0xffffffffffffffff
        ]] }))
  end)

  it("says so of another cluster, and where ids are hashed now", function()
    assert.matches("changed since: that one is called prod, this one test\n",
                   message(plan, script.layout { name = "test" }), 1, true)
    assert.matches("does not fit: ids are hashed, there are no ranges",
                   message(plan, script.layout { epoch = 2, routing =
                           require "tidal.routing".hash() }), 1, true)
  end)

  it("keeps long lists short", function()
    local many = script.layout { shards = 40 }:diff(script.layout { shards = 41, epoch = 2 })
    local text = message(many, script.layout { shards = 40, epoch = 2, leaders = "spread" })
    assert.matches("; and 21 more\n", text, 1, true)
    text = message(many, script.layout { shards = 20, epoch = 2 })
    assert.matches("\n  and %d+ more$", text)
  end)
end)
