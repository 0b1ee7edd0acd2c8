-- What others hold of a log stays right when it is migrated: a follower goes on
-- where it was, and marks and checkpoints keep their meaning.
local core = require "tidal.core"
local scene = dofile "spec/support/migration.lua"

local layout, must = scene.layout, scene.must
local COUNT <const> = 60

local function log_of(shard) return "r0:s" .. shard end

-- The last number of each log of "us".
local function ends(disk)
  local out = {}
  local reader <close> = must(core.wal.reader(disk:dir "us"))
  for _, shard in ipairs(reader:shards()) do
    local last = 0
    for batch in reader:batches(shard) do last = batch.last_seq end
    out[shard.value] = last
  end
  return out
end

-- Takes what is durable and new; the state refuses what does not follow.
local function catch_up(follower, state, log, durable)
  while true do
    local batch, err = follower:next(durable)
    if not batch then
      assert.is_nil(err)
      return
    end
    must(state:advance(log, batch.first_seq, batch.last_seq))
  end
end

describe("a follower of a log that is migrated", function()
  local from, to = layout(1, 2), layout(2, 3, require "tidal.routing".hash())

  it("goes on where it was, open all the time or opened anew from its mark", function()
    local disk = scene.written(from, COUNT)
    local state, anew = core.state { "r0:s0", "r0:s1" }, core.state { "r0:s0", "r0:s1" }
    local followers, before = {}, ends(disk)
    for shard, last in pairs(before) do
      followers[shard] = must(core.wal.follow { dir = disk:dir "us", shard = shard })
      catch_up(followers[shard], state, log_of(shard), last // 2)
    end
    must(anew:restore(state:marks()))
    local m = require "tidal.migrate"(from:diff(to))(scene.settings(disk, to.regions))
    local now = 0
    while m:step(now) do
      now = now + 1
      for shard in pairs(before) do
        catch_up(followers[shard], state, log_of(shard), before[shard])
      end
    end
    m:close()
    local after = ends(disk)
    for shard, last in pairs(before) do
      assert.is_true(after[shard] > last)  -- events came to it
      catch_up(followers[shard], state, log_of(shard), after[shard])
      assert.equal(after[shard], (state:get(log_of(shard))))
      followers[shard]:close()
      local mark = anew:get(log_of(shard))
      assert.is_true(mark > 0 and mark < last)
      local second <close> = must(core.wal.follow { dir = disk:dir "us", shard = shard,
                                                    from = mark + 1 })
      catch_up(second, anew, log_of(shard), after[shard])
      assert.equal(after[shard], (anew:get(log_of(shard))))
    end
  end)

  it("keeps the checkpoint and the marks that its log has of others", function()
    local disk, before = scene.written(from, COUNT)
    local marks = { { log = "r1:s0", epoch = 1, seqno = -1 },
                    { log = "r2:s1", epoch = 1, seqno = 77 } }
    do
      local home <close> = must(core.wal.open(disk:dir "us", { layout = from }))
      local writer <close> = must(home:writer { shard = 0 })
      must(writer:checkpoint { seqno = 9, marks = marks, hlc_wall_ns = 5 })
      must(writer:close { clean = true })
    end
    scene.migrate(from, to, scene.settings(disk, to.regions))
    local newest = must(core.wal.checkpoint { dir = disk:dir "us", shard = 0 })
    assert.same({ 9, 5 }, { newest.seqno, newest.hlc_wall_ns })
    local kept = {}
    for _, mark in ipairs(newest.marks) do
      if mark.log.region.value > 0 then
        kept[#kept + 1] = { log = tostring(mark.log), epoch = mark.epoch, seqno = mark.seqno }
      end
    end
    assert.same(marks, kept)
    assert.same({}, scene.all_faults(disk, before, to))
  end)
end)
