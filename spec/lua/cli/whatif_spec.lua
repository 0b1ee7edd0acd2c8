local cli = require "spec.support.cli"
local golden = require "spec.support.golden"
local json = require "tidal.json"

local CLUSTER <const> = "scripts/cluster.lua"
local SINGLE <const> = "scripts/layouts/single.lua"
local V1 <const> = "us-east=" .. golden.dir .. "/v1-single"
local SYNOPSIS <const> = "usage: tidal-lua whatif LAYOUT [--lose region=NAME|node=rR:sS]... "
  .. "[--wal REGION=DIR]... [--json]\n"

local function whatif(...)
  return { cli.run { "whatif", ... } }
end

describe("whatif", function()
  local rows = {
    { "matrix", {} }, { "region", { "--lose", "region=us-east" } },
    { "region", { "--lose=region=us-east" } },
    { "node", { "--lose", "node=r0:s3", "--lose", "region=eu-west" } },
  }
  for _, row in ipairs(rows) do
    it(("prints %s as recorded: %s"):format(row[1], table.concat(row[2], " ")), function()
      local name = "whatif/" .. row[1]
      assert.same({ 0, golden.read(name .. ".txt"), "" },
                  whatif(CLUSTER, table.unpack(row[2])))
      assert.same({ 0, golden.read(name .. ".json"), "" },
                  whatif("--json", CLUSTER, table.unpack(row[2])))
    end)
  end

  it("adds load and disk from logs", function()
    local found = whatif(CLUSTER, "--lose", "region=eu-west", "--wal", V1)
    assert.same({ 0, "" }, { found[1], found[3] })
    assert.matches("\n  us-east   leads 5  load 100.00 %  disk 868.3 kB\n", found[2], 1, true)
    found = whatif(CLUSTER, "--wal", V1)
    assert.matches("us%-east leads 5, 100.00 %%   rules hold\n", found[2])
    local value = json.decode(whatif(CLUSTER, "--lose", "region=eu-west", "--wal", V1,
                                     "--json")[2])
    assert.same({ "868288", 1.0 }, { value.regions[1].bytes, value.regions[1].load_share })
  end)

  it("fails where a shard has no copy left", function()
    assert.same({ 1, "single  epoch 1  without node=r0:s0\n  writable  0 of 1 shards\n  copies    "
      .. "0 of every shard; 1 shard below 2 copies; no copy is left of s0\nregions that are left\n"
      .. "  home  leads 0\n", "" }, whatif(SINGLE, "--lose", "node=r0:s0"))
  end)

  local refused = {
    { { CLUSTER, "--lose", "us-east" }, 2,
      '--lose takes region=NAME or node=rR:sS, got "us-east"\n' .. SYNOPSIS },
    { { CLUSTER, "--lose", "zone=a" }, 2,
      '--lose takes region=NAME or node=rR:sS, got "zone=a"\n' .. SYNOPSIS },
    { { CLUSTER, "--lose", "region=" }, 2,
      '--lose takes region=NAME or node=rR:sS, got "region="\n' .. SYNOPSIS },
    { { CLUSTER, "--lose", "node=s3" }, 2,
      "--lose node=s3: a node is rR:sS, as r0:s3\n" .. SYNOPSIS },
    { { CLUSTER, "--lose", "node=r3:s0" }, 1,
      "--lose node=r3:s0: prod has the nodes r0:s0..r2:s4\n" },
    { { CLUSTER, "--lose", "node=r0:s5" }, 1,
      "--lose node=r0:s5: prod has the nodes r0:s0..r2:s4\n" },
    { { CLUSTER, "--lose", "node=r0:s99999999999999999999" }, 1,
      "--lose node=r0:s99999999999999999999: prod has the nodes r0:s0..r2:s4\n" },
    { { CLUSTER, "--lose", "region=us-eats" }, 1, "--lose region=us-eats: prod has no region "
      .. "'us-eats' (did you mean 'us-east'?); its regions are: us-east eu-west ap-south\n" },
    { { CLUSTER, "x" }, 2, "unexpected argument x\n" .. SYNOPSIS },
    { { CLUSTER, "--wal", "us-east=no/such" }, 1,
      "us-east: cannot read the directory no/such: No such file or directory; "
      .. "give the one that holds the segments (wal-*.seg) of us-east\n" },
  }
  for _, row in ipairs(refused) do
    it("refuses " .. table.concat(row[1], " ", 2), function()
      assert.same({ row[2], "", "tidal-lua: " .. row[3] }, whatif(table.unpack(row[1])))
    end)
  end
end)
