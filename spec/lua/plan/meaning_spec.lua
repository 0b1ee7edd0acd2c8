local cli = require "spec.support.cli"
local core = require "tidal.core"
local json = require "tidal.json"
local plan = require "tidal.plan.meaning"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local script = require "spec.support.script"

describe("a plan", function()
  it("is made of a layout, and says so", function()
    local layout = script.layout()
    local made = layout:plan()
    assert.is_true(plan.is(made))
    assert.equal(layout, made.layout)
    assert.equal(layout:hash(), made.hash)
    for _, value in ipairs { {}, layout, "plan", 5 } do assert.is_false(plan.is(value)) end
    assert.is_false(plan.is(nil))
  end)

  it("lists the nodes by region and shard, as their NodeConfigs", function()
    for _, leaders in ipairs { "us-east", "spread", "all", { s3 = "ap-south" } } do
      local layout, want = script.layout { leaders = leaders }, {}
      for i, node in ipairs(layout:nodes()) do
        want[i] = { region = node.region.value, shard = node.shard.value, role = node.role,
                    log = tostring(node.log) }
      end
      assert.same(want, layout:plan():nodes())
    end
  end)

  it("has the ranges of the layout, or none", function()
    assert.equal(5, #script.layout():plan().ranges)
    assert.is_nil(script.layout { routing = routing.hash() }:plan().ranges)
  end)
end)

describe("losses", function()
  -- copies, shards that can be written, shards that need a new leader; by region
  local rows = {
    { { leaders = "us-east" }, "2/0/5 2/5/0 2/5/0" },
    { { leaders = "spread" }, "2/3/2 2/3/2 2/4/1" },
    { { leaders = "all" }, "2/5/0 2/5/0 2/5/0" },
    { { leaders = { [0] = "eu-west" } }, "2/1/4 2/4/1 2/5/0" },
    { { regions = { "a" } }, "0/0/0" },
    { { regions = { "a" }, leaders = "all" }, "0/0/0" },
    { { regions = { "a", "b" }, shards = 1 }, "1/0/1 1/1/0" },
  }
  for _, row in ipairs(rows) do
    it("leave " .. row[2], function()
      local out = {}
      for i, loss in ipairs(script.layout(row[1]):plan().losses) do
        assert.equal(i - 1, loss.region)
        out[i] = ("%d/%d/%d"):format(loss.copies, loss.writable, loss.promote)
      end
      assert.equal(row[2], table.concat(out, " "))
    end)
  end
end)

describe("rules", function()
  local function judged(list)
    local made = script.layout { rules = list }:plan()
    return made:ok(), made.rules
  end

  it("that hold leave the plan ok", function()
    assert.is_true(judged {})
    local ok, list = judged { rules.survives "region", rules.max_leaders(5),
                              function() return true end, function() return 1 end }
    assert.is_true(ok)
    assert.same({ name = "rule 3", ok = true }, list[3])
    assert.same({ name = "rule 4", ok = true }, list[4])
  end)

  it("that are broken say why, and break the plan", function()
    local ok, list = judged { rules.max_leaders(4), rules.survives "node" }
    assert.is_false(ok)
    assert.same({ { name = "max_leaders(4)", ok = false,
                    why = "us-east leads 5 shards, at most 4: let eu-west lead s0" },
                  { name = "survives node", ok = true } }, list)
  end)

  it("may say why in any way, or not at all", function()
    local _, list = judged { function() return false end, function() end,
                             function() return nil, 5 end, rules.new("x", function(layout)
                               return layout.shards == 6, "shards: " .. layout.shards
                             end) }
    assert.same({ "broken", "broken", "5", "shards: 5" },
                { list[1].why, list[2].why, list[3].why, list[4].why })
    assert.equal("x", list[4].name)
  end)

  it("that raise are broken, and say what they raised", function()
    local _, list = judged { function() error("my rule", 0) end,
                          require "tidal.rules".survives }
    assert.same({ false, "my rule" }, { list[1].ok, list[1].why })
    assert.is_false(list[2].ok)
    assert.truthy(list[2].why:find("'region' or 'node' expected", 1, true))
  end)

  it("see the layout and cannot change it", function()
    local seen
    judged { function(layout) seen = layout return true end }
    assert.equal("prod", seen.name)
    local _, list = judged { function(layout) layout.shards = 1 return true end }
    assert.is_false(list[1].ok)
    assert.truthy(list[1].why:find("a layout is a value", 1, true))
  end)
end)

local NODES2 <const> = [[{"region":0,"shard":0,"role":"leader","log":"r0:s0"},]]
  .. [[{"region":0,"shard":1,"role":"leader","log":"r0:s1"},]]
  .. [[{"region":1,"shard":0,"role":"follower","log":"r1:s0"},]]
  .. [[{"region":1,"shard":1,"role":"follower","log":"r1:s1"}]]
local HALVES <const> = [[{"id":0,"first":"0x0000000000000000","last":"0x7fffffffffffffff"},]]
  .. [[{"id":1,"first":"0x8000000000000000","last":"0xffffffffffffffff"}]]
local TWO <const> = { regions = { "a", "b" }, shards = 2, epoch = 4294967295 }
local HEAD <const> = [[{"format":"tidal-plan/1","name":"prod","epoch":4294967295,"layout_hash":"]]
local REGIONS <const> = [[,"num_shards":2},"regions":[{"id":0,"name":"a"},{"id":1,"name":"b"}],]]
  .. [["peer_shards":[0,1],"shards":[]]

local function with(changes)
  local out = {}
  for key, value in pairs(TWO) do out[key] = value end
  for key, value in pairs(changes) do out[key] = value end
  return out
end

local JSON = {
  { "even", with {}, [["routing":{"strategy":"ranges"]] .. REGIONS .. HALVES },
  { "hash", with { routing = routing.hash() },
    [["routing":{"strategy":"hash"]] .. REGIONS .. [[{"id":0},{"id":1}]] },
  { "hash_ranges", with { routing = routing.hash_ranges() },
    [["routing":{"strategy":"hash_ranges"]] .. REGIONS .. HALVES },
  { "a shard with two ranges, another with none",
    with { routing = routing.ranges "s1 0..9 s1 10..0xffffffffffffffff" },
    [["routing":{"strategy":"ranges"]] .. REGIONS
    .. [[{"id":1,"first":"0x0000000000000000","last":"0x0000000000000009"},]]
    .. [[{"id":1,"first":"0x000000000000000a","last":"0xffffffffffffffff"}]] },
}

describe("json()", function()
  for _, row in ipairs(JSON) do
    it("is as promised: " .. row[1], function()
      local made = script.layout(row[2]):plan()
      assert.equal(HEAD .. made.hash .. '",' .. row[3] .. '],"nodes":[' .. NODES2 .. "]}",
                   made:json())
    end)
  end

  it("of a single node has no peers", function()
    local made = script.layout { regions = { "a" }, shards = 1, routing = routing.single() }:plan()
    assert.equal([[{"format":"tidal-plan/1","name":"prod","epoch":1,"layout_hash":"]] .. made.hash
                 .. [[","routing":{"strategy":"single","num_shards":1},]]
                 .. [["regions":[{"id":0,"name":"a"}],"peer_shards":[],"shards":[{"id":0}],]]
                 .. [["nodes":[{"region":0,"shard":0,"role":"single","log":"r0:s0"}]}]],
                 made:json())
  end)

  it("has the rules, if there are any", function()
    local made = script.layout(with { rules = { rules.max_leaders(1), rules.survives "node" } })
    assert.matches([=[,"rules":[{"name":"max_leaders(1)","ok":false,"why":"a leads 2 shards, ]=]
                   .. [=[at most 1: let b lead s0"},{"name":"survives node","ok":true}]}]=],
                   made:plan():json(), 1, true)
  end)

  it("survives any text that a rule says", function()
    local made = script.layout { rules = { rules.new('"\\\n\255', function()
      return false, "\0\u{20ac}\xff"
    end) } }:plan()
    assert.same({ name = '"\\\n\u{fffd}', ok = false, why = "\0\u{20ac}\u{fffd}" },
                json.decode(made:json()).rules[1])
  end)

  it("reads back as what it was", function()
    local made = script.layout { leaders = "spread", shards = 300 }:plan()
    local value = json.decode(made:json())
    assert.equal(900, #value.nodes)
    assert.equal(300, #value.shards)
    assert.equal(300, #value.peer_shards)
    assert.same(made:nodes()[700], { region = value.nodes[700].region,
      shard = value.nodes[700].shard, role = value.nodes[700].role, log = value.nodes[700].log })
    assert.equal(made.ranges[200].first, core.u64.parse(value.shards[200].first))
  end)
end)

describe("text", function()
  it("is what tostring gives, too", function()
    local made = script.layout():plan()
    assert.equal(made:text(), tostring(made))
    assert.matches("^prod  epoch 1  3 regions x 5 shards = 15 nodes, 15 logs\n", made:text())
  end)
end)

describe("the same layout", function()
  -- Tables with keys, which Lua walks in another order in every process.
  local SOURCE <const> = [[
local leaders = {}
for s = 0, 39 do leaders["s" .. s] = s % 3 == 0 and "eu-west" or "ap-south" end
return tidal.cluster { name = "prod", regions = { "us-east", "eu-west", "ap-south" }, shards = 40,
  leaders = leaders, rules = { tidal.rules.max_leaders(1), tidal.rules.survives "node" } }]]
  local FAULTY <const> = [[
return tidal.cluster { name = "prod", a1 = 1, b2 = 2, c3 = 3, d4 = 4, e5 = 5,
  regions = { "a", x = 1, y = 2, z = 3 }, shards = 2, leaders = { q = 1, r = 2, s9 = 3, t = 4 },
  routing = tidal.routing.ranges { { shard = 0, u = 1, v = 2, w = 3, x = 4 }, k = 1, l = 2 } }]]

  local function runs(args, text)
    local first, different
    for _ = 1, 20 do
      local status, out, err = cli.run(args, { files = { ["cluster.lua"] = text } })
      assert.equal(1, status)
      first = first or out .. err
      different = different or first ~= out .. err
    end
    assert.is_true(#first > 500)
    assert.is_falsy(different)
  end

  it("plans to the same bytes in 20 processes", function()
    runs({ "plan", "cluster.lua", "--json" }, SOURCE)
    runs({ "cluster.lua" }, SOURCE)
  end)

  it("is refused with the same bytes in 20 processes", function()
    runs({ "plan", "cluster.lua" }, FAULTY)
  end)
end)
