-- What people call it.
local routing = require "tidal.routing"
local script = require "spec.support.script"

local function kinds(before, after)
  local out = {}
  after.epoch = 2
  for i, change in ipairs(script.layout(before):diff(script.layout(after)).changes) do
    local ends = change.source and (" %s>%s"):format(change.source, change.target) or ""
    out[i] = change.kind .. (change.region and " " .. change.region or "") .. ends
  end
  return table.concat(out, ", ")
end

local function ranges(text, shards)
  return { shards = shards, routing = routing.ranges(text) }
end

local WHOLE <const> = "s0 0..0xffffffffffffffff"
local TWO <const> = "s0 0..0x7fffffffffffffff s1 0x8000000000000000..0xffffffffffffffff"

describe("changes", function()
  it("are splits where a shard gets its first keys", function()
    assert.equal("split 0>1, epoch 1>2", kinds(ranges(WHOLE, 2), ranges(TWO, 2)))
  end)

  it("are merges where a shard is left with none", function()
    assert.equal("merge 1>0, epoch 1>2", kinds(ranges(TWO, 2), ranges(WHOLE, 2)))
  end)

  it("are moves where all of a shard goes to an empty one", function()
    assert.equal("move 0>1, epoch 1>2", kinds(ranges(WHOLE, 2),
                                              ranges("s1 0..0xffffffffffffffff", 2)))
  end)

  it("are moves between shards that had and keep some", function()
    assert.equal("move 0>1, epoch 1>2", kinds(ranges(TWO, 2), ranges(
      "s0 0..9 s1 10..0xffffffffffffffff", 2)))
  end)

  it("tell of regions that get another number", function()
    assert.equal("remove_region us-east, epoch 1>2, renumber_region eu-west 1>0, "
                 .. "renumber_region ap-south 2>1",
                 kinds({ leaders = "ap-south" }, { regions = { "eu-west", "ap-south" },
                                                  leaders = "ap-south" }))
    assert.equal("rename_region eu-west, epoch 1>2",
                 kinds({}, { regions = { "us-east", "eu", "ap-south" } }))
  end)

  it("carry the share of moves", function()
    local plan = script.layout(ranges(WHOLE, 2)):diff(script.layout {
      epoch = 2, shards = 2, routing = routing.ranges(TWO) })
    local split = plan.changes[1]
    assert.same({ "split", math.mininteger, -1, 0.5 },
                { split.kind, split.first, split.last, split.share })
  end)
end)
