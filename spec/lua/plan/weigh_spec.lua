-- What logs say about a layout: live events, counted as plain arithmetic
-- counts them, errors that name the directory.
local core = require "tidal.core"
local gen = require "spec.support.gen"
local golden = require "spec.support.golden"
local json = require "tidal.json"
local lfs = require "lfs"
local oracle = require "spec.support.oracle"
local routing = require "tidal.routing"
local script = require "spec.support.script"
local wal_dir = require "spec.support.wal_dir"
local weigh = require "tidal.plan.weigh"

local V1 <const>, V2 <const> = "v1-single", "v2-five-shards"  -- r0 and, but for s0, r1

local function even_owner(key, shards)
  for i = shards - 1, 0, -1 do
    if not math.ult(key, oracle.even_first(i, shards)) then return i end
  end
end

-- Who owns an id, by plain arithmetic.
local OWNER = {
  even = even_owner,
  hash_ranges = function(id, shards) return even_owner(core.hash(id), shards) end,
  hash = function(id, shards) return oracle.remainder(core.hash(id), shards) end,
}

-- { [id] = number of events } of golden directories, and their sum.
local function count_ids(dirs)
  local counts, sum = {}, 0
  for _, dir in ipairs(dirs) do
    for _, name in ipairs(golden.segments(dir)) do
      for _, batch in ipairs(oracle.read_segment(golden.read(dir .. "/" .. name))) do
        for _, event in ipairs(batch.events) do
          counts[event.entity] = (counts[event.entity] or 0) + 1
          sum = sum + 1
        end
      end
    end
  end
  return counts, sum
end

-- What a load should be, by counting: { events =, [shard] = { events =,
-- hottest = "id n id n id n" } }.
local function expected(dirs, strategy, shards)
  local counts, sum = count_ids(dirs)
  local out, distinct = { events = sum, shards = {} }, 0
  for s = 0, shards - 1 do out.shards[s + 1] = { events = 0, ids = {} } end
  for id, n in pairs(counts) do
    local shard = out.shards[OWNER[strategy](id, shards) + 1]
    shard.events = shard.events + n
    table.insert(shard.ids, { id = id, n = n })
    distinct = distinct + 1
  end
  out.distinct = distinct
  for _, shard in ipairs(out.shards) do
    table.sort(shard.ids, function(a, b)
      if a.n ~= b.n then return a.n > b.n end
      return math.ult(a.id, b.id)
    end)
    local hottest = {}
    for i = 1, math.min(3, #shard.ids) do
      hottest[i] = ("%016x %d"):format(shard.ids[i].id, shard.ids[i].n)
    end
    shard.hottest = table.concat(hottest, " ")
  end
  return out
end

local function path(dir) return golden.dir .. "/" .. dir end

local function weighed(changes, dirs, progress)
  local plan = script.layout(changes):plan()
  local same, err = plan:weigh(dirs, progress)
  assert.is_nil(err)
  assert.equal(plan, same)
  return plan
end

local CASES = {
  { { V1 }, { ["us-east"] = path(V1) } }, { { V2 }, { ["eu-west"] = path(V2) } },
  { { V2 }, { ["us-east"] = path(V2) } },
  { { V1, V2 }, { ["us-east"] = path(V1), ["eu-west"] = path(V2) } },
}

describe("weigh()", function()
  for i, case in ipairs(CASES) do
    for _, strategy in ipairs { "even", "hash", "hash_ranges" } do
      it(("counts what is in %s, case %d, %s"):format(table.concat(case[1], " and "), i, strategy),
         function()
        local want = expected(case[1], strategy, 5)
        local load = weighed({ routing = routing[strategy]() }, case[2]).load
        local got, peak = {}, 0
        for s, shard in ipairs(load.shards) do
          local hottest = {}
          for h, heat in ipairs(shard.hottest) do
            hottest[h] = ("%016x %d"):format(heat.entity, heat.events)
          end
          got[s] = { shard.events, table.concat(hottest, " ") }
          peak = math.max(peak, shard.events / load.events)
          assert.same({ s - 1, shard.events * 21, shard.events / want.events },
                      { shard.id, shard.bytes, shard.share })
        end
        for s, shard in ipairs(want.shards) do
          assert.same({ shard.events, shard.hottest }, got[s])
        end
        assert.same({ want.events, want.events * 21, want.distinct, true, peak, peak > 0.3 },
                    { load.events, load.bytes, load.distinct, load.exact, load.peak, load.skewed })
      end)
    end
  end

  it("counts live events only, where a directory has layouts and cuts", function()
    local layout = script.layout { shards = 3, routing = routing.hash() }
    for name, region in pairs { moved = "us-east", hashed = "eu-west", unpublished = "us-east" } do
      local load = assert(weigh.weigh(layout, { [region] = path("live/" .. name) }))
      local want, all = { 0, 0, 0 }, 0
      for entity in golden.read("live/" .. name .. ".csv"):gmatch "%d+,%d+,%d+,(0x%x+)" do
        local shard = OWNER.hash(math.tointeger(tonumber(entity)), 3)
        want[shard + 1], all = want[shard + 1] + 1, all + 1
      end
      assert.is_true(all > 50)
      assert.same({ all, all * 21 }, { load.events, load.bytes })
      for s, shard in ipairs(load.shards) do assert.equal(want[s], shard.events) end
    end
  end)

  it("counts a single shard, which is never skewed", function()
    local load = weighed({ regions = { "a" }, shards = 1, routing = routing.single() },
                         { a = path(V1) }).load
    assert.same({ 40000, 1.0, false }, { load.events, load.peak, load.skewed })
    assert.is_nil(load.balanced)
  end)

  it("reports progress up to the size of all segments", function()
    local last, calls, total = 0, 0, 0
    local function progress(done, all)
      assert.is_true(done > last and done <= all)
      last, calls, total = done, calls + 1, all
    end
    weighed({}, CASES[4][2], progress)
    local size = 0
    for _, dir in ipairs { V1, V2 } do
      for _, name in ipairs(golden.segments(dir)) do
        size = size + lfs.attributes(path(dir) .. "/" .. name, "size")
      end
    end
    assert.equal(size, total)
    assert.is_true(calls >= 6)
    last = 0
    weighed({}, { ["us-east"] = path(V1) }, progress)
    assert.equal(total, last)
  end)

  it("knows an empty directory", function()
    script.within({}, function(dir)
      local plan = weighed({}, { ["us-east"] = dir })
      assert.same({ 0, 0, 0, false, 0.0 }, { plan.load.events, plan.load.bytes, plan.load.distinct,
                                             plan.load.skewed, plan.load.peak })
      assert.matches("load     0 events, 0 B, 0 ids", plan:text(), 1, true)
      assert.equal("0", json.decode(plan:json()).load.events)
    end)
  end)
end)

describe("balanced ranges", function()
  -- The layout with the routing that a plan's text proposes.
  local function pasted(plan, changes)
    local text = plan:text():match "\n(  routing = .*)$"
    local source = text:gsub("^%s*routing = ", "return "):gsub(",%s*$", "")
    local value = assert(load(source, "=text", "t", { tidal = require "tidal" }))()
    local copy = { routing = value }
    for key, field in pairs(changes) do copy[key] = copy[key] or field end
    return copy
  end

  local function round_trip(changes, dirs)
    local plan = weighed(changes, dirs)
    local load = plan.load
    if not load.balanced then return nil end
    local again = weighed(pasted(plan, changes), dirs).load
    local printed = plan:text():match "would bring the peak to (%d+%.%d%d) %%"
    assert.equal(printed, ("%.2f"):format(again.peak * 100))
    assert.equal(load.balanced.peak, again.peak)
    local events = {}
    for _, range in ipairs(load.balanced.ranges) do
      events[range.shard] = (events[range.shard] or 0) + range.events
    end
    for _, shard in ipairs(again.shards) do assert.equal(events[shard.id] or 0, shard.events) end
    return load, again
  end

  it("of v1-single bring the printed peak when pasted", function()
    local before, after = round_trip({}, { ["us-east"] = path(V1) })
    assert.same({ true, 1.0, "ranges" }, { before.skewed, before.peak, before.balanced.strategy })
    assert.is_true(after.peak < 0.21)
    assert.is_false(after.skewed)
  end)

  for _, shards in ipairs { 2, 3, 7, 64 } do
    it(("do so for %d shards, and two regions"):format(shards), function()
      assert.is_table(round_trip({ shards = shards }, CASES[4][2]))
    end)
  end

  it("are ranges of hashes for hash_ranges, of ids for hash", function()
    local lopsided = "s0 0..0xefffffffffffffff s1 0xf000000000000000..0xffffffffffffffff"
    local dirs = { ["us-east"] = path(V1) }
    local before = round_trip({ shards = 2, routing = routing.hash_ranges(lopsided) }, dirs)
    assert.equal("hash_ranges", before.balanced.strategy)
    script.within({}, function(dir)
      local builder = core.wal.builder()
      local add = builder:bind()
      local ids = {}
      for id = 1, 4000 do
        if core.hash(id) % 2 == 0 then ids[#ids + 1] = id end
      end
      for i = 1, 1000 do add(ids[i], 1, 1.0, 1) end
      local file = assert(io.open(dir .. "/" .. core.wal.segment_name(0, 1), "wb"))
      file:write(builder:seal { first_seq = 1, timestamp_ns = 1, shard = 0 })
      file:close()
      local load = round_trip({ shards = 2, routing = routing.hash() }, { ["us-east"] = dir })
      assert.same({ "ranges", 1.0, 0.5 },
                  { load.balanced.strategy, load.peak, load.balanced.peak })
    end)
  end)

  it("are not proposed where one id is all the load", function()
    script.within({}, function(dir)
      local events = {}
      for i = 1, 50 do
        events[i] = { entity = -1, signal_type = 1, weight = 1.0, timestamp_ns = i }
      end
      local file = assert(io.open(dir .. "/" .. core.wal.segment_name(0, 1), "wb"))
      file:write(core.wal.encode_batch { first_seq = 1, timestamp_ns = 1, shard = 0,
                                         events = events })
      file:close()
      local plan = weighed({}, { ["us-east"] = dir })
      assert.is_true(plan.load.skewed)
      assert.is_nil(plan.load.balanced)
      assert.matches("no other boundaries would spread it much better: few ids carry the load",
                     plan:text(), 1, true)
      assert.equal(json.null, json.decode(plan:json()).load.balanced)
    end)
  end)

  it("cover everything, rising", function()
    gen.property("balanced", 10, function(g)
      local load = weighed({ shards = g:int(2, 300) }, { ["us-east"] = path(V1) }).load
      local behind = 0
      for i, range in ipairs(load.balanced.ranges) do
        if range.first ~= behind then return "range " .. i end
        behind = range.last + 1
      end
      if behind ~= 0 then return "not to the end" end
    end)
  end)
end)

describe("damage", function()
  -- The directory, the region it is given for, what the message says.
  local expect = golden.json "damaged/expect.json"
  local regions = { ["cut-sealed"] = "eu-west", ["wrong-name"] = "eu-west" }
  for _, name in ipairs { "torn-header", "torn-payload", "flip-in-middle", "flip-in-sealed",
                          "cut-sealed", "missing-segment", "wrong-name", "version-3",
                          "v1-with-tags" } do
    it("is refused with file and offset: " .. name, function()
      local plan, region = script.layout():plan(), regions[name] or "us-east"
      local made, err = plan:weigh { [region] = path("damaged/" .. name) }
      assert.is_nil(made)
      assert.is_nil(plan.load)
      assert.same({ expect[name].file, expect[name].offset }, { err.file, err.offset })
      assert.equal(("%s=%s/damaged/%s: %s: "):format(region, golden.dir, name, err.file),
                   err.message:match "^.-: .-: ")
      assert.matches(("(at byte %d)"):format(err.offset), err.message, 1, true)
    end)
  end

  for _, row in ipairs {
    { "layout-0000000002.json", "payload_hash" }, { "cuts-s00000", "header_hash" },
    { "wal-s00001-00000000000000000001.seg", "payload_hash" },
  } do
    it("is refused where directories have layouts and cuts: " .. row[1], function()
      local files = wal_dir.copy("live/moved", { [row[1]] = wal_dir.flip(90) })
      wal_dir.with(files, function(dir)
        local made, err = weigh.weigh(script.layout(), { ["us-east"] = dir })
        assert.same({ nil, row[2], row[1] }, { made, err.code, err.file })
        assert.matches("us-east=" .. dir .. ": " .. row[1], err.message, 1, true)
      end)
    end)
  end

  it("is not space that was written ahead", function()
    assert.equal(600, weighed({}, { ["us-east"] = path "damaged/zero-tail" }).load.events)
  end)
end)

describe("weigh() refuses", function()
  local rows = {
    { "the directory of another region", { ["eu-west"] = path(V1) }, "mismatch",
      "eu-west=" .. path(V1) .. ": mismatch: holds the logs r0:s0, none of eu-west, which is r1" },
    { "one with logs of two others", { ["ap-south"] = path(V2) }, "mismatch",
      "ap-south=" .. path(V2) .. ": mismatch: holds the logs r0:s0 r1:s1 r1:s2 r1:s3 r1:s4, "
      .. "none of ap-south, which is r2" },
    { "a directory that is not there", { ["us-east"] = "no/such" }, "io",
      "us-east: cannot read the directory no/such: No such file or directory; "
      .. "give the one that holds the segments (wal-*.seg) of us-east" },
    { "a file", { ["us-east"] = "README.md" }, "io",
      "us-east: cannot read the directory README.md: Not a directory; give the one that holds "
      .. "the segments (wal-*.seg) of us-east" },
    { "an unknown region", { mars = path(V1) }, "region", 'prod has no region "mars"' },
    { "a list", { path(V1) }, "region", "prod has no region 1" },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      local made, err = weigh.weigh(script.layout(), row[2])
      assert.is_nil(made)
      assert.is_true(core.is_error(err))
      assert.same({ row[3], row[4] }, { err.code, err.message })
    end)
  end
end)

describe("json()", function()
  it("has counts as text and a share as a number", function()
    local load = json.decode(weighed({}, { ["us-east"] = path(V1) }):json()).load
    assert.same({ "40000", "840000", "3520", true, true },
                { load.events, load.bytes, load.ids, load.exact, load.skewed })
    assert.same({ id = 0, events = "40000", bytes = "840000", share = 1.0, hottest = {
      { id = "0x0b031c9af598e101", events = "4532" },
      { id = "0x0b017d5c6ebba601", events = "2297" },
      { id = "0x0affc356cf2c0ce2", events = "1539" },
    } }, load.shards[1])
    assert.equal(5, #load.shards)
    assert.equal(5, #load.balanced.shards)
    assert.equal("ranges", load.balanced.strategy)
    assert.same({ "0x0000000000000000", "0xffffffffffffffff" },
                { load.balanced.shards[1].first, load.balanced.shards[5].last })
  end)
end)
