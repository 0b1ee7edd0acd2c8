-- The price of plans, against counting every event of the logs by hand.
local core = require "tidal.core"
local gen = require "spec.support.gen"
local golden = require "spec.support.golden"
local json = require "tidal.json"
local oracle = require "spec.support.oracle"
local routing = require "tidal.routing"
local script = require "spec.support.script"

local V1 <const>, V2 <const> = golden.dir .. "/v1-single", golden.dir .. "/v2-five-shards"
local DIRS <const> = { ["us-east"] = V1, ["eu-west"] = V2 }

-- { [id] = events } of a golden directory.
local function counted(dir)
  local counts = {}
  for _, name in ipairs(golden.segments(dir)) do
    for _, batch in ipairs(oracle.read_segment(golden.read(dir .. "/" .. name))) do
      for _, event in ipairs(batch.events) do
        counts[event.entity] = (counts[event.entity] or 0) + 1
      end
    end
  end
  return counts
end

local COUNTS = { ["us-east"] = counted "v1-single", ["eu-west"] = counted "v2-five-shards" }

-- What moves in one region, by hand: all, by pair of shards, by shard before
-- and after.
local function expected(from, to, counts)
  local all, by_pair, before, after = 0, {}, {}, {}
  for id, n in pairs(counts) do
    local a, b = from:route(id).value, to:route(id).value
    before[a], after[b] = (before[a] or 0) + n, (after[b] or 0) + n
    if a ~= b then
      all = all + n
      local key = a .. ">" .. b
      by_pair[key] = (by_pair[key] or 0) + n
    end
  end
  local gains = 0
  for s, n in pairs(after) do gains = gains + math.max(0, n - (before[s] or 0)) end
  return all, by_pair, gains
end

local function check(from, to)
  local plan = assert(from:diff(to):weigh(DIRS))
  local price, least, sum = plan.price, 0, 0
  local by_pair = {}
  for _, region in ipairs(price.regions) do
    local all, pairs_seen, gains = expected(from, to, COUNTS[region.region])
    assert.same({ all, all * 21 }, { region.events, region.bytes })
    for key, n in pairs(pairs_seen) do by_pair[key] = (by_pair[key] or 0) + n end
    least, sum = least + gains * 21, sum + all
  end
  assert.same({ sum, sum * 21 }, { price.events, price.bytes })
  assert.equal(least, plan.lower_bound.bytes)
  assert.is_true(price.bytes >= least)
  if plan.minimal then assert.equal(least, price.bytes) end
  local got = {}
  for i, move in ipairs(plan.moves) do
    local cost = price.moves[i]
    assert.equal(cost.events * 21, cost.bytes)
    if cost.events > 0 then
      local key = move.source .. ">" .. (move.target or "")
      got[key] = (got[key] or 0) + cost.events
    end
  end
  if plan.listed then assert.same(by_pair, got) end
  return plan
end

local function layout(fields)
  fields.regions = fields.regions or { "us-east", "eu-west" }
  return script.layout(fields)
end

local STRATEGIES <const> = { "even", "hash", "hash_ranges" }

describe("the price", function()
  for _, before in ipairs(STRATEGIES) do
    for _, after in ipairs(STRATEGIES) do
      it(("is every event that moves: %s to %s"):format(before, after), function()
        check(layout { routing = routing[before]() },
              layout { routing = routing[after](), shards = 7, epoch = 2 })
      end)
    end
  end

  it("is that of each range", function()
    gen.property("prices", 25, function(g)
      local n, m = g:int(1, 6), g:int(1, 6)
      local strategy = g:pick { "ranges", "hash_ranges" }
      local plan = check(layout { shards = n, routing = routing[strategy](g:ranges(6, n)) },
                         layout { shards = m, routing = routing[strategy](g:ranges(6, m)),
                                  epoch = 2 })
      for i, move in ipairs(plan.moves) do
        local want = 0
        for _, counts in pairs(COUNTS) do
          for id, events in pairs(counts) do
            local key = plan.space == "hashes" and core.hash(id) or id
            if not math.ult(key, move.first) and not math.ult(move.last, key) then
              want = want + events
            end
          end
        end
        if plan.price.moves[i].events ~= want then return "move " .. i end
      end
    end)
  end)

  it("is by source where pairs are too many", function()
    local plan = check(layout { routing = routing.hash(), shards = 300 },
                       layout { routing = routing.hash(), shards = 301, epoch = 2 })
    assert.is_false(plan.listed)
    local sum = 0
    for i in ipairs(plan.moves) do sum = sum + plan.price.moves[i].events end
    assert.equal(plan.price.events, sum)
    check(layout { routing = routing.hash(), shards = 1100 },
          layout { routing = routing.hash(), shards = 1200, epoch = 2 })
  end)

  it("tells more pieces apart than one router has", function()
    local list, shards = {}, 40000
    for i, range in ipairs(layout { shards = shards }:ranges()) do
      list[i] = { shard = i % shards, first = range.first, last = range.last }
    end
    local from = layout { shards = shards, routing = routing.hash_ranges() }
    check(from, layout { shards = 25000, routing = routing.hash_ranges(), epoch = 2 })
    check(from, layout { shards = shards, routing = routing.hash_ranges(list), epoch = 2 })
  end)
end)

-- Bytes of the segments of a directory.
local function bytes_of(dir)
  local sum = 0
  for _, name in ipairs(golden.segments(dir)) do
    sum = sum + #golden.read(dir .. "/" .. name)
  end
  return sum
end

describe("copies", function()
  it("are whole logs, to each new region from each that was read", function()
    local plan = assert(layout {}:diff(layout { regions = { "us-east", "eu-west", "sa" },
                                                epoch = 2 }):weigh(DIRS))
    local copies = plan.price.copies
    assert.same({ "sa", "us-east", bytes_of "v1-single", 40000 },
                { copies[1].region, copies[1].source, copies[1].bytes, copies[1].events })
    assert.same({ 2, "eu-west", 20000 }, { #copies, copies[2].source, copies[2].events })
    local bytes = bytes_of "v1-single" + bytes_of "v2-five-shards"
    assert.same({ bytes, bytes, 60000 }, { plan.price.bytes, plan.lower_bound.bytes,
                                           plan.price.events })
  end)

  it("are those of a region that gets another number", function()
    local plan = assert(layout {}:diff(layout { regions = { "eu-west" }, epoch = 2, shards = 6 })
                        :weigh(DIRS))
    assert.same({ 1, "eu-west", "eu-west", 1, "eu-west" },
                { #plan.price.copies, plan.price.copies[1].region, plan.price.copies[1].source,
                  #plan.price.regions, plan.price.regions[1].region })
  end)
end)

describe("weigh()", function()
  local plan = layout {}:diff(layout { shards = 6, epoch = 2 })

  it("leaves the plan as it was", function()
    local weighed = assert(plan:weigh(DIRS))
    assert.is_nil(plan.price)
    assert.is_nil(plan.lower_bound.bytes)
    assert.same({ plan.keys, plan.share, #plan.steps },
                { weighed.keys, weighed.share, #weighed.steps })
  end)

  it("reports progress", function()
    local last = 0
    assert(plan:weigh(DIRS, function(done, total)
      assert.is_true(done > last and done <= total)
      last = done
    end))
    assert.is_true(last > 0)
  end)

  it("says why it cannot", function()
    local made, err = plan:weigh { ["us-east"] = "no/such" }
    assert.same({ nil, "io" }, { made, err.code })
    made, err = plan:weigh { mars = V1 }
    assert.same({ nil, "region", 'prod has no region "mars"' }, { made, err.code, err.message })
  end)

  it("is in the JSON as text", function()
    local value = json.decode(assert(plan:weigh(DIRS)):json())
    assert.equal(tostring(value.price.events * 21), value.price.bytes)
    local sum = 0
    for _, move in ipairs(value.moves) do sum = sum + move.events end
    assert.equal(value.price.events, tostring(sum))
    assert.same({ "us-east", "eu-west" }, { value.price.regions[1].region,
                                            value.price.regions[2].region })
    assert.equal("string", type(value.lower_bound.bytes))
  end)
end)
