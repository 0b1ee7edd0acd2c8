-- scripts/migrations: from the logs to the next layout, and the events with it.
local cli = require "spec.support.cli"
local scene = dofile "spec/support/migration.lua"
local script = require "tidal.cli.script"
local tidal = require "tidal"
local wal_dir = dofile "spec/support/wal_dir.lua"

local function layout_text(fields)
  return ([[return tidal.cluster { name = "prod", epoch = 1, shards = %d,
    regions = { %s }, routing = tidal.routing.%s, leaders = %s }]]):format(
    fields.shards or 2, fields.regions or '"us", "eu"', fields.routing or "even()",
    fields.leaders or '"us"')
end

-- Calls fn(run, path, before): run(name, ...) runs a script over both regions.
local function within(fields, fn)
  wal_dir.with({ ["old.lua"] = layout_text(fields) }, function(path)
    local from = tidal.cluster.load(path .. "/old.lua")
    local before = {}
    for i, region in ipairs(from.regions) do
      scene.write(path .. "/" .. region.name, from, i - 1, scene.events(i * 1000, 60))
      before[region.name] = scene.live(path .. "/" .. region.name)
    end
    local function run(name, ...)
      local args = { ("scripts/migrations/%s.lua"):format(name), path .. "/old.lua" }
      for _, region in ipairs(from.regions) do
        args[#args + 1] = ("%s=%s/%s"):format(region.name, path, region.name)
      end
      return cli.run(table.move({ ... }, 1, select("#", ...), #args + 1, args))
    end
    fn(run, path, before, from)
  end)
end

-- Runs it with --apply; the layout it made, everything checked against it.
local function applied(run, path, before, name, ...)
  local status, out, err = run(name, "--apply", "-o", path .. "/new.lua", ...)
  assert.same({ 0, "" }, { status, err })
  assert.matches("prod: epoch 1 to epoch 2: done, %d+ events moved\n$", out)
  local to = tidal.cluster.load(path .. "/new.lua")
  assert.equal(2, to.epoch)
  for _, region in ipairs(to.regions) do
    if before[region.name] then
      assert.same({}, scene.faults(path .. "/" .. region.name, before[region.name], to))
    end
  end
  return to
end

describe("scripts/migrations", function()
  it("split_hot_shard halves the shard with the most events", function()
    within({ shards = 3, routing = [[ranges [=[
      s0 0x0000000000000000..0x0fffffffffffffff
      s1 0x1000000000000000..0xefffffffffffffff
      s2 0xf000000000000000..0xffffffffffffffff ]=] ]] }, function(run, path, before, from)
      local status, out = run "split_hot_shard"
      assert.equal(0, status)
      assert.matches("nothing was changed; %-%-apply does it\n$", out)
      assert.equal(1, scene.epoch(path .. "/us"))
      local to = applied(run, path, before, "split_hot_shard")
      assert.equal(4, to.shards)
      local counts = script.load(from, { us = path .. "/us", eu = path .. "/eu" })
      local hot, most = script.hottest(counts)
      assert.equal(1, hot)
      local new = script.load(to, { us = path .. "/us", eu = path .. "/eu" })
      assert.equal(most, new[1] + new[3])
      assert.is_true(math.abs(new[1] - new[3]) <= 1)
    end)
  end)

  it("merge_shards empties a shard, and drops the last one", function()
    within({ shards = 3, leaders = '"spread"' }, function(run, path, before)
      local to = applied(run, path, before, "merge_shards", "--shard", "s2", "--into", "0")
      assert.equal(2, to.shards)
    end)
    within({ shards = 3 }, function(run, path, before)
      local to = applied(run, path, before, "merge_shards", "--shard", "s1", "--into", "s2")
      assert.equal(3, to.shards)
      assert.equal(2, #to:ranges())
    end)
  end)

  it("add_region brings a region the logs of the others", function()
    within({}, function(run, path, before)
      local to = applied(run, path, before, "add_region", "ap=" .. path .. "/ap", "--lead",
                         "s1")
      assert.equal("ap", to.regions[3].name)
      assert.is_true(to:is_leader(2, 1))
      assert.same({}, scene.faults(path .. "/ap/from-r00001", before.eu, to))
    end)
  end)

  it("drain_region leaves the last region's logs to the first", function()
    within({ leaders = '"eu"' }, function(run, path, before)
      local to = applied(run, path, before, "drain_region")
      assert.equal(1, #to.regions)
      assert.is_true(to:is_leader(0, 1))
      assert.same({}, scene.faults(path .. "/us/from-r00001", before.eu, to))
    end)
  end)

  it("hash_to_ranges goes from hash % n to ranges over hashes", function()
    within({ routing = "hash()" }, function(run, path, before)
      local to = applied(run, path, before, "hash_to_ranges")
      assert.equal("hash_ranges", to.router:strategy())
    end)
  end)

  it("say what they cannot do, and change nothing", function()
    local function refused(fields, pattern, ...)
      local rest = table.pack(...)
      within(fields, function(run, path)
        local status, _, err = run(table.unpack(rest, 1, rest.n))
        assert.equal(1, status)
        assert.matches(pattern, err)
        assert.equal(1, scene.epoch(path .. "/us"))
      end)
    end
    refused({ routing = "hash()" }, "prod has no ranges to split: make them with hash_to_ranges",
            "split_hot_shard")
    refused({ routing = "hash()" }, "prod has no ranges to merge", "merge_shards", "--shard",
            "s1", "--into", "s0")
    refused({}, "%-%-shard s4 %-%-into s3: which one goes into which", "merge_shards")
    refused({}, "%-%-shard and %-%-into are the same", "merge_shards", "--shard", "1", "--into",
            "s1")
    refused({}, "%-%-shard s9: prod has the shards s0..s1", "merge_shards", "--shard", "s9",
            "--into", "s1")
    refused({}, "one region that prod does not have yet, got none", "add_region")
    refused({ leaders = '"all"' }, "every region leads every shard", "add_region", "ap=x",
            "--lead", "s0")
    refused({ regions = '"us"' }, "prod has one region only", "drain_region")
    refused({}, "prod routes by ranges, not by hash", "hash_to_ranges")
  end)

  it("tell what they take", function()
    local status, _, err = cli.run { "scripts/migrations/drain_region.lua" }
    assert.same({ 2, true }, { status, err:find("usage: ", 1, true) ~= nil })
    local done, out = cli.run { "scripts/migrations/drain_region.lua", "--help" }
    assert.equal(0, done)
    assert.matches("LAYOUT REGION=DIR", out)
  end)
end)
