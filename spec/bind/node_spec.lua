-- tidal.node and tidal.nodes: NodeConfig.
local core = require "tidal.core"
local churn = dofile "spec/support/churn.lua"
local raised = dofile "spec/support/raised.lua"

local FIELDS <const> = { "role", "data_dir", "segment_bytes", "sync", "group_events_max",
                         "group_delay_ns" }

describe("tidal.node", function()
  it("is by default exactly a single node r0:s0", function()
    for _, node in ipairs { core.node(), core.node {}, core.node(nil) } do
      local got = {}
      for i, field in ipairs(FIELDS) do got[i] = node[field] end
      assert.same({ "single", ".", 16777216, "always", 100, 10000000 }, got)
      assert.same({ core.region(0), core.shard(0), core.log(0, 0), {} },
                  { node.region, node.shard, node.log, node.peers })
      assert.is_nil(node.router)
      assert.is_true(node:is_single_node())
      assert.is_true(node:accepts_writes())
      assert.equal("tidal.NodeConfig(r0:s0, single)", tostring(node))
    end
  end)

  it("has what it was given", function()
    local router = core.router.even(5)
    local node = core.node { role = "follower", region = "r2", shard = 3, router = router,
                             peers = { 4, "s3", core.shard(0), 1, 2 }, data_dir = "/data/3",
                             segment_bytes = 4096, sync = "unsafe_interval", group_events_max = 1,
                             group_delay_ns = "60000000000" }
    assert.same({ "follower", "/data/3", 4096, "unsafe_interval", 1, 60000000000 },
                { node.role, node.data_dir, node.segment_bytes, node.sync, node.group_events_max,
                  node.group_delay_ns })
    assert.equal(core.log(2, 3), node.log)
    assert.equal(router, node.router)
    assert.equal("s4 s3 s0 s1 s2", table.concat({ tostring(node.peers[1]), tostring(node.peers[2]),
      tostring(node.peers[3]), tostring(node.peers[4]), tostring(node.peers[5]) }, " "))
    assert.is_false(node:is_single_node())
    assert.is_false(node:accepts_writes())
  end)

  it("accepts writes as a leader", function()
    local node = core.node { role = "leader", peers = { 0 }, router = core.router.single() }
    assert.is_true(node:accepts_writes())
    assert.is_false(node:is_single_node())
  end)

  it("keeps its router, peers and texts alive", function()
    local node
    do
      node = core.node { role = "leader", peers = { 0, 1 }, router = core.router.hash(2),
                         data_dir = ("d"):rep(100) .. "ir" }
    end
    churn(48)
    churn(103)
    assert.same({ core.shard(0), core.shard(1) }, node.peers)
    assert.equal("tidal.Router(hash, 2 shards)", tostring(node.router))
    assert.equal(("d"):rep(100) .. "ir", node.data_dir)
    node.peers[1] = nil
    assert.equal(core.shard(0), node.peers[1])
  end)

  it("has no other fields", function()
    local node = core.node()
    for _, key in ipairs { "nothing", "role\0", "", 1, true, node } do assert.is_nil(node[key]) end
  end)

  local function codes(options)
    local fine, err = pcall(core.node, options)
    assert.is_false(fine)
    local out = {}
    for i, fault in ipairs(err.faults) do out[i] = fault.code end
    return table.concat(out, " ")
  end
  local router = core.router.even(5)
  local cases = {
    { "an empty data_dir", { data_dir = "" }, "text" },
    { "segments too small", { segment_bytes = 4095 }, "out_of_range" },
    { "segments too large", { segment_bytes = 16777217 }, "out_of_range" },
    { "groups of no events", { group_events_max = 0 }, "out_of_range" },
    { "groups too large", { group_events_max = 798913 }, "out_of_range" },
    { "a delay above a minute (TD_GROUP_DELAY_NS_MAX)", { group_delay_ns = 60000000001 },
      "out_of_range" },
    { "a single node with peers", { peers = { 0 }, router = core.router.single() }, "role" },
    { "a leader without", { role = "leader", router = router }, "role" },
    { "a follower without", { role = "follower" }, "role" },
    { "a peer twice", { role = "leader", peers = { 0, 1, 2, 3, 4, 0 }, router = router },
      "duplicate" },
    { "peers without itself", { role = "leader", shard = 9, peers = { 0, 1, 2, 3, 4 },
                                router = router }, "peers" },
    { "peers without a router", { role = "leader", peers = { 0 } }, "no_router" },
    { "a router of more shards than peers",
      { role = "leader", peers = { 0, 1 }, router = router },
      "mismatch" },
    { "everything at once", { data_dir = "", segment_bytes = 1, group_events_max = 0,
                              group_delay_ns = -1, shard = 7, peers = { 1, 1 } },
      "text out_of_range out_of_range out_of_range role peers duplicate no_router" },
  }
  for _, case in ipairs(cases) do
    it("reports " .. case[1], function() assert.equal(case[3], codes(case[2])) end)
  end

  it("takes the limits themselves", function()
    local node = core.node { segment_bytes = 4096, group_events_max = 798912,
                             group_delay_ns = 60000000000 }
    assert.equal(798912, node.group_events_max)
    node = core.node { segment_bytes = 16777216, group_delay_ns = 0 }
    assert.equal(16777216, node.segment_bytes)
  end)

  it("raises at a field of the wrong kind", function()
    local refusals = {
      { { role = "boss" }, 'role: one of single, leader, follower expected, got "boss"' },
      { { role = 1 }, "role: one of single, leader, follower expected, got 1" },
      { { shard = core.region(1) }, 'shard: a shard (tidal.shard(3), 3 or "s3") expected, '
        .. "got tidal.RegionId" },
      { { region = 65536 }, "region: 65536 is outside 0..65535" },
      { { data_dir = 5 }, "data_dir: a string expected, got 5" },
      { { data_dir = "a\0b" }, "data_dir: a path holds no zero byte" },
      { { router = {} }, "router: a router expected, got table" },
      { { peers = "all" }, 'peers: a list of shards expected, got "all"' },
      { { peers = { 0, "x" } }, 'peers[2]: a shard (tidal.shard(3), 3 or "s3") expected, got "x"' },
      { { segment_bytes = -1 }, "segment_bytes: -1 is outside 0..4294967295" },
      { { group_delay_ns = 1.5 }, 'group_delay_ns: an integer, "0x" and 1-16 hex digits, or '
        .. 'decimal text up to "18446744073709551615" expected, got the float 1.5' },
      { 5, "bad argument #1 (a table { shard =, role =, ... } expected, got 5)" },
    }
    for _, case in ipairs(refusals) do assert.equal(case[2], raised(core.node, case[1])) end
    local many = {}
    for i = 1, 65537 do many[i] = 0 end
    assert.equal("peers: 65537 entries, at most 65536 are possible",
                 raised(core.node, { peers = many }))
  end)
end)

describe("tidal.nodes", function()
  it("makes 3 regions x 5 shards, in order of region and shard", function()
    local router = core.router.even(5)
    local nodes = core.nodes { regions = 3, shards = 5, router = router }
    assert.equal(15, #nodes)
    for i, node in ipairs(nodes) do
      local region, shard = (i - 1) // 5, (i - 1) % 5
      assert.equal(core.log(region, shard), node.log)
      assert.equal(region == 0 and "leader" or "follower", node.role)
      assert.equal(router, node.router)
      assert.equal(5, #node.peers)
    end
  end)

  it("is one single node by default", function()
    local nodes = core.nodes {}
    assert.equal(1, #nodes)
    assert.equal("tidal.NodeConfig(r0:s0, single)", tostring(nodes[1]))
    assert.same({}, nodes[1].peers)
  end)

  local function leaders(value)
    local out = {}
    for i, node in ipairs(core.nodes { regions = 3, shards = 3, router = core.router.hash(3),
                                       leaders = value }) do
      out[i] = node.role == "leader" and "L" or "f"
    end
    return table.concat(out)
  end
  it("gives the lead as told", function()
    assert.equal("LLLffffff", leaders(nil))
    assert.equal("fffLLLfff", leaders(1))
    assert.equal("ffffffLLL", leaders "r2")
    assert.equal("LLLLLLLLL", leaders "all")
    assert.equal("LfffLfffL", leaders { 0, "r1", core.region(2) })
  end)

  it("gives every node texts, peers and router that live", function()
    local node
    do
      local nodes = core.nodes { regions = 2, shards = 40, router = core.router.hash(40) }
      node = nodes[77]
    end
    churn(2 * 40 + 16)
    assert.equal("tidal.NodeConfig(r1:s36, follower)", tostring(node))
    for i = 1, 40 do assert.equal(core.shard(i - 1), node.peers[i]) end
    assert.equal(".", node.data_dir)
    assert.equal(40, node.router:num_shards())
  end)

  it("refuses what makes no grid", function()
    local router = core.router.hash(2)
    local refusals = {
      { { regions = 0 }, "regions: 0 is outside 1..65536" },
      { { shards = 65537 }, "shards: 65537 is outside 1..65536" },
      { { regions = 2, shards = 2, router = 5 }, "router: a router expected, got 5" },
      { { regions = 2, router = router, leaders = 2 }, "leaders: region 2 is outside 0..1" },
      { { regions = 2, router = router, leaders = true },
        'leaders: a region (tidal.region(2), 2 or "r2") expected, got true' },
      { { regions = 2, shards = 2, router = router, leaders = { 0 } },
        "leaders: 1 given for 2 shards, one per shard is needed" },
      { { regions = 2, shards = 2, router = router, leaders = { 0, 7 } },
        "leaders[2]: region 7 is outside 0..1" },
      { { regions = 65536, shards = 65536, router = router },
        "bad argument #1 (65536 regions x 65536 shards are more than 4194304 nodes)" },
      { { regions = 2 }, "no_router: router is missing: a node with peers needs one" },
      { { region = 2 }, 'bad argument #1 (unknown key "region"; known are regions, shards, '
        .. "leaders, router)" },
      { nil, "bad argument #1 (a table { regions =, ... } expected, got nil)" },
    }
    for _, case in ipairs(refusals) do assert.equal(case[2], raised(core.nodes, case[1])) end
  end)
end)
