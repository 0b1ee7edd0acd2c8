local cluster = require "tidal.cluster"
local core = require "tidal.core"
local gen = require "spec.support.gen"
local json = require "tidal.json"
local layout = require "tidal.cluster.layout"
local oracle = require "spec.support.oracle"
local routing = require "tidal.routing"
local script = require "spec.support.script"

local SPLIT <const> = "s1 0x8000000000000000..0xffffffffffffffff s0 0..0x7fffffffffffffff"

-- The first line of the layout file, and its XXH3-128 as the reference of the
-- formats computes it.
local LINES = {
  { "even", {}, [[{"format":"tidal-layout/1","name":"prod","epoch":1,"regions":[{"id":0,"name":]]
    .. [["us-east"},{"id":1,"name":"eu-west"},{"id":2,"name":"ap-south"}],"routing":{"strategy":]]
    .. [["ranges","num_shards":5,"ranges":[{"shard":0,"first":"0x0000000000000000","last":]]
    .. [["0x3333333333333333"},{"shard":1,"first":"0x3333333333333334","last":]]
    .. [["0x6666666666666666"},{"shard":2,"first":"0x6666666666666667","last":]]
    .. [["0x9999999999999999"},{"shard":3,"first":"0x999999999999999a","last":]]
    .. [["0xcccccccccccccccc"},{"shard":4,"first":"0xcccccccccccccccd","last":]]
    .. [["0xffffffffffffffff"}]}}]], "31b39216e4584c8e9ac22de4b9b57d61" },
  { "single", { regions = { "home" }, shards = 1, routing = routing.single(), epoch = 4294967295 },
    [[{"format":"tidal-layout/1","name":"prod","epoch":4294967295,"regions":[{"id":0,"name":]]
    .. [["home"}],"routing":{"strategy":"single","num_shards":1}}]],
    "1f69d8b43ebad1f92df4045e354e36d5" },
  { "hash", { regions = { "home" }, shards = 4, routing = routing.hash() },
    [[{"format":"tidal-layout/1","name":"prod","epoch":1,"regions":[{"id":0,"name":"home"}],]]
    .. [["routing":{"strategy":"hash","num_shards":4}}]], "c08641e8ec084c51a868b545ddfb3699" },
  { "hash_ranges", { regions = { "a" }, shards = 3, routing = routing.hash_ranges(SPLIT) },
    [[{"format":"tidal-layout/1","name":"prod","epoch":1,"regions":[{"id":0,"name":"a"}],]]
    .. [["routing":{"strategy":"hash_ranges","num_shards":3,"ranges":[{"shard":0,"first":]]
    .. [["0x0000000000000000","last":"0x7fffffffffffffff"},{"shard":1,"first":]]
    .. [["0x8000000000000000","last":"0xffffffffffffffff"}]}}]],
    "d1f503911772bd63f1a6d08e9eaf262e" },
}

describe("line(), hash() and text()", function()
  for _, row in ipairs(LINES) do
    it("are those of the format: " .. row[1], function()
      local made = script.layout(row[2])
      assert.equal(row[3] .. "\n", made:line())
      assert.equal(row[4], made:hash())
      assert.equal(core.checksum(row[3] .. "\n"), made:hash())
      assert.equal("tidal-layout/1", json.decode(made:line()).format)
      assert.equal(row[3] .. "\n" .. row[4] .. "\n", made:text())
    end)
  end

  it("leave leaders and rules out", function()
    local hash = script.layout():hash()
    assert.equal(hash, script.layout { leaders = "all" }:hash())
    assert.equal(hash, script.layout { rules = { require "tidal.rules".max_leaders(1) } }:hash())
  end)

  it("change with everything else", function()
    local hash = script.layout():hash()
    for _, changes in ipairs { { name = "prof" }, { epoch = 2 }, { shards = 6 },
                               { regions = { "us-east", "eu-west" } },
                               { regions = { "eu-west", "us-east", "ap-south" } },
                               { routing = routing.hash() }, { routing = routing.hash_ranges() },
                               { routing = routing.ranges(SPLIT) } } do
      assert.not_equal(hash, script.layout(changes):hash())
    end
  end)

  it("do not tell a split from the same ranges written out", function()
    local list = {}
    for i = 1, 5 do
      list[i] = { shard = i - 1, first = oracle.even_first(i - 1, 5),
                  last = i < 5 and oracle.even_first(i, 5) - 1 or -1 }
    end
    assert.equal(script.layout():hash(), script.layout { routing = routing.ranges(list) }:hash())
  end)
end)

describe("route()", function()
  it("gives a ShardId, for ids in every form", function()
    local made = script.layout()
    assert.equal(core.shard(0), made:route(0))
    assert.equal(core.shard(4), made:route(-1))
    assert.equal(core.shard(4), made:route "18446744073709551615")
    assert.equal(core.shard(2), made:route "0x8000000000000000")
  end)

  local strategies = {
    even = function(id, shards)
      for i = shards - 1, 0, -1 do
        if not math.ult(id, oracle.even_first(i, shards)) then return i end
      end
    end,
    hash = function(id, shards) return oracle.remainder(core.hash(id), shards) end,
    single = function() return 0 end,
  }
  strategies.hash_ranges = function(id, shards) return strategies.even(core.hash(id), shards) end
  for _, name in ipairs { "single", "hash", "even", "hash_ranges" } do
    local owner = strategies[name]
    it("agrees with plain arithmetic: " .. name, function()
      gen.property("route " .. name, 60, function(g)
        local shards = name == "single" and 1 or g:pick { 1, 2, 3, 5, g:int(1, 300) }
        local made = script.layout { shards = shards, routing = routing[name]() }
        for _ = 1, 50 do
          local id = g:u64()
          if made:route(id).value ~= owner(id, shards) then
            return ("0x%x of %d shards: %s"):format(id, shards, tostring(made:route(id)))
          end
        end
      end)
    end)
  end
end)

describe("ranges()", function()
  it("are those given, rising", function()
    local list = script.layout { routing = routing.ranges(SPLIT) }:ranges()
    assert.same({ { shard = core.shard(0), first = 0, last = math.maxinteger },
                  { shard = core.shard(1), first = math.mininteger, last = -1 } }, list)
  end)

  it("are nil where there are none", function()
    assert.is_nil(script.layout { routing = routing.hash() }:ranges())
    assert.is_nil(script.layout { shards = 1, routing = routing.single() }:ranges())
    assert.is_false(script.layout { routing = routing.hash() }:has_ranges())
    assert.is_true(script.layout { routing = routing.hash_ranges() }:has_ranges())
  end)
end)

local LEADERS = { script.NONE, "eu-west", "spread", "all", { [0] = "ap-south", s2 = "eu-west" } }

describe("roles", function()
  it("are single where there is one node", function()
    for _, leaders in ipairs { "a", "spread", "all", {} } do
      local made = script.layout { regions = { "a" }, shards = 1, leaders = leaders }
      assert.equal("single", made:role(0, 0))
    end
    assert.equal("leader", script.layout { regions = { "a" }, shards = 2 }:role(0, 0))
    assert.equal("follower", script.layout { shards = 1 }:role(1, 0))
  end)

  for i, leaders in ipairs(LEADERS) do
    it("are those of the NodeConfigs, for leaders " .. i, function()
      local made = script.layout { leaders = leaders }
      local nodes, bad, leads = made:nodes(), {}, { 0, 0, 0 }
      assert.equal(15, #nodes)
      for n, node in ipairs(nodes) do
        local r, s = (n - 1) // 5, (n - 1) % 5
        local log = ("r%d:s%d"):format(r, s)
        if node.role ~= made:role(r, s) or tostring(node.log) ~= log or #node.peers ~= 5
           or node.router ~= made.router or (node.role == "leader") ~= made:is_leader(r, s)
           or node:accepts_writes() ~= made:is_leader(r, s) then bad[#bad + 1] = log end
        if node.role == "leader" then leads[r + 1] = leads[r + 1] + 1 end
      end
      assert.same({}, bad)
      assert.same(leads, { made:leads(0), made:leads(1), made:leads(2) })
      assert.equal(leaders == "all", made:all_lead())
    end)
  end

  it("of one node are those of a database without a cluster", function()
    local node = script.layout { regions = { "a" }, shards = 1 }:nodes()[1]
    assert.is_true(node:is_single_node())
    assert.same({ "single", 0 }, { node.role, #node.peers })
  end)
end)

describe("region()", function()
  it("finds one by name", function()
    local made = script.layout()
    assert.same({ 1, "eu-west" }, { made:region "eu-west".id, made:region "eu-west".name })
    assert.is_nil(made:region "nowhere")
  end)
end)

describe("a layout is frozen:", function()
  local function refused(set, name, what)
    local made = script.layout { rules = { function() return true end } }
    local hash = made:hash()
    local ok, err = pcall(set, made)
    assert.is_false(ok)
    assert.equal(("a %s is a value: %s cannot be set; declare another one"):format(what, name),
                 (err:gsub("^.-:%d+: ", "")))
    assert.equal(hash, made:hash())
  end
  local rows = {
    { "name", function(l) l.name = "x" end }, { "new", function(l) l.new = 1 end },
    { "shards", function(l) l.shards = 6 end }, { "4", function(l) l.regions[4] = {} end },
    { "1", function(l) l.regions[1] = nil end },
    { "name", function(l) l.regions[1].name = "x" end },
    { "0", function(l) l.leaders[0] = 1 end }, { "1", function(l) l.rules[1] = nil end },
    { "check", function(l) l.rules[1].check = print end, "rule" },
    { "plan", function(l) function l.plan() end end },
    { "4", function(l) table.insert(l.regions, {}) end },
  }
  for i, row in ipairs(rows) do
    it(("%s, %d"):format(row[1], i), function()
      refused(row[2], row[1], row[3] or "layout")
    end)
  end

  it("also for who keeps what it was made of", function()
    local fields = script.fields { leaders = { s1 = "eu-west" } }
    local made = cluster(fields)
    fields.regions[1], fields.leaders.s1, fields.shards = "other", "ap-south", 9
    assert.same({ "us-east", true, 5 },
                { made.regions[1].name, made:is_leader(1, 1), made.shards })
  end)

  it("and can be read like any table", function()
    local made, names, keys = script.layout(), {}, {}
    for i, region in ipairs(made.regions) do names[i] = region.name end
    for key in pairs(made.regions[2]) do keys[#keys + 1] = key end
    table.sort(keys)
    assert.same({ "us-east", "eu-west", "ap-south" }, names)
    assert.same({ "id", "name" }, keys)
    assert.same({ 3, 0, 0 }, { #made.regions, made.leaders[0], made.leaders[4] })
    assert.equal("all", script.layout { leaders = "all" }.leaders)
    assert.equal("locked", getmetatable(made))
    assert.is_nil(made.no_such_field)
  end)
end)

describe("with_load()", function()
  it("is the same layout, with what its logs showed", function()
    local made = script.layout { leaders = "spread" }
    local laden = made:with_load { regions = { ["us-east"] = 7 }, shards = { [4] = 9 } }
    assert.is_nil(made.load)
    assert.is_true(laden == made)
    assert.same({ 7, 9 }, { laden.load.regions["us-east"], laden.load.shards[4] })
    assert.same({ made:text(), 2, "prod", 5 },
                { laden:text(), laden:leads(1), laden.name, laden.shards })
    for _, load in ipairs { 5, {}, { regions = { a = "1" } }, { regions = { a = -1 } },
                            { regions = {}, shards = { 0.5 } }, { regions = {}, shards = 3 },
                            { regions = {}, absent = { -1 } } } do
      assert.has_error(function() made:with_load(load) end, "layout:with_load: { regions = "
        .. "bytes by name, shards = events by number } expected")
    end
    assert.has_error(function() laden.load.regions.x = 1 end,
                     "a layout is a value: x cannot be set; declare another one")
  end)
end)

describe("tostring()", function()
  it("says what it is", function()
    assert.equal("tidal.Layout(prod, epoch 1, 3 regions x 5 shards)", tostring(script.layout()))
    assert.equal("tidal.Layout(prod, epoch 9, 1 region x 1 shard)",
                 tostring(script.layout { epoch = 9, regions = { "a" }, shards = 1 }))
  end)
end)

describe("is()", function()
  it("knows its own only", function()
    assert.is_true(layout.is(script.layout()))
    assert.is_false(layout.is(setmetatable({}, { __name = "tidal.Layout" })))
  end)
end)

describe("layouts with one router", function()
  local router = core.router.even(3)
  local function with(changes)
    local fields = { name = "n", epoch = 1, shards = 3, router = router, leaders = "all",
                     regions = { { id = 0, name = "a" }, { id = 1, name = "b" } } }
    for key, value in pairs(changes or {}) do fields[key] = value end
    return layout.new(fields)
  end

  it("are equal where all else is", function()
    assert.is_true(with() == with { regions = { { id = 0, name = "a" }, { id = 1, name = "b" } } })
  end)

  for what, changes in pairs { name = { name = "m" }, epoch = { epoch = 2 },
    ["number of regions"] = { regions = { { id = 0, name = "a" } } },
    ["name of a region"] = { regions = { { id = 0, name = "a" }, { id = 1, name = "c" } } },
    leaders = { leaders = { [0] = 0, 1, 0 } } } do
    it("differ in their " .. what, function() assert.is_false(with() == with(changes)) end)
  end
end)
