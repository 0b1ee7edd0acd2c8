-- Homes: several logs of one directory that commit together.
local core = require "tidal.core"
local churn = dofile "spec/support/churn.lua"
local collector = dofile "spec/support/collector.lua"
local gen = dofile "spec/support/gen.lua"
local raised = dofile "spec/support/raised.lua"
local script = dofile "spec/support/script.lua"
local wal = core.wal

local function within(f) return script.within({}, f) end

local function payload(dir, shard)
  local reader <close> = assert(wal.reader(dir))
  local out, batches = {}, 0
  for batch in reader:batches(shard) do
    out[#out + 1], batches = batch.payload, batches + 1
  end
  return table.concat(out), batches
end

describe("a home", function()
  it("commits what its writers hold: one batch in each, in order of the logs", function()
    within(function(dir)
      local home <close> = assert(wal.open(dir))
      local b, a = assert(home:writer { shard = 7 }), assert(home:writer { shard = 2 })
      local idle = assert(home:writer { shard = 3 })
      assert.same({}, home:commit())
      for i = 1, 3 do a:add(i, 1, 1, 1) end
      b:add(9, 1, 1, 1)
      assert.same({ { log = core.log(0, 2), events = 3, first_seq = 1 },
                    { log = core.log(0, 7), events = 1, first_seq = 1 } }, home:commit())
      assert.same({ 0, 0, 3, 1, 0 }, { #a, #b, a:durable(), b:durable(), idle:durable() })
      b:add(9, 1, 1, 1)
      assert.same({ { log = core.log(0, 7), events = 1, first_seq = 2 } }, home:commit())
      assert.equal(2, select(2, payload(dir, 7)))
    end)
  end)

  it("spreads events over the writers of their shards, in order (property)", function()
    gen.property("spread", 8, function(rng)
      return within(function(dir)
        local router = rng:once_in(2) and core.router.even(3) or core.router.hash(3)
        local home <close> = assert(wal.open(dir))
        local want, builder = { [0] = {}, {}, {} }, wal.builder()
        for s = 0, 2 do assert(home:writer { shard = s }) end
        collectgarbage "stop"  -- nobody holds the writers
        for _ = 1, rng:int(1, 3) do
          for _, e in ipairs(rng:events(rng:int(0, 300))) do
            builder:add(e.entity, e.signal_type, e.weight, e.timestamp_ns)
            local one = wal.builder()
            one:add(e.entity, e.signal_type, e.weight, e.timestamp_ns)
            table.insert(want[router:route(e.entity).value], one:seal { first_seq = 1 }:sub(65))
          end
          home:spread(builder, router)
          if #builder ~= 0 then return "the builder keeps events" end
          if rng:once_in(2) then assert(home:commit()) end
        end
        assert(home:commit())
        home:close()
        collectgarbage "restart"
        for s = 0, 2 do
          if payload(dir, s) ~= table.concat(want[s]) then return "s" .. s .. " is another" end
        end
      end)
    end)
    collectgarbage "restart"
  end)

  it("takes ids that its layout gives to the shard, and names who owns another", function()
    within(function(dir)
      local home <close> = assert(wal.open(dir, { layout = script.layout() }))
      local writer = assert(home:writer { shard = 4 })
      local function event(id)
        return { entity = id, signal_type = 1, weight = 1, timestamp_ns = 1 }
      end
      assert.equal(1, writer:append { event "18446744073709551615", event "0xcccccccccccccccd" })
      local first, err = writer:append { event(-1), event "0xcccccccccccccccc" }
      assert.same({ nil, "moved", 3, 2 }, { first, err.code, err.bound, err.index })
      assert.equal("layout-0000000001.json: moved: event has the id 0xcccccccccccccccc, "
                   .. "which the layout gives to s3: send it there", tostring(err))
      writer:add(0, 1, 1, 1)
      local parts, why = home:commit()
      assert.same({ nil, "moved" }, { parts, why.code })
      assert.equal(2, writer:durable())
      assert.equal(1, #writer)
      writer:discard()
    end)
  end)

  it("routes by the layout that counts now, and tells its epoch", function()
    within(function(dir)
      local next_one = script.layout { epoch = 9, routing = require "tidal.routing".hash() }
      local home <close> = assert(wal.open(dir, { layout = script.layout() }))
      local router, epoch = home:router()
      assert.same({ 1, "ranges" }, { epoch, router:strategy() })
      assert.equal("s4", tostring(router:route(-1)))
      local m <close> = assert(home:migration(next_one))
      assert.same({ 1, "ranges" }, { select(2, home:router()), home:router():strategy() })
      assert(m:hold())
      assert(m:publish(next_one:text()))
      m:let_go()
      local later, now = home:router()
      assert.same({ 9, "hash" }, { now, later:strategy() })
      assert.equal(next_one:route(-1), later:route(-1))
    end)
    within(function(dir)
      local home <close> = assert(wal.open(dir))
      local router, err = home:router()
      assert.same({ nil, "epoch" }, { router, err.code })
      assert.equal("epoch: a directory opened without { layout = } is of epoch 0, the layout "
                   .. "published here is of epoch 0", tostring(err))
    end)
  end)

  it("moves nothing where a shard has no writer", function()
    within(function(dir)
      local home <close> = assert(wal.open(dir))
      local writer <const> = assert(home:writer { shard = 0 })
      local builder, router = wal.builder(), core.router.even(2)
      builder:add(1, 1, 1, 1)
      builder:add(-1, 1, 1, 1)
      assert.equal("s1 has no open writer", raised(home.spread, home, builder, router))
      assert.same({ 2, 0 }, { #builder, #writer })
      local second = assert(home:writer { shard = 1 })
      home:spread(builder, router)
      assert.same({ 0, 1, 1 }, { #builder, #writer, #second })
      assert(home:commit())
      second:close()
      builder:add(-1, 1, 1, 1)
      assert.equal("s1 has no open writer", raised(home.spread, home, builder, router))
    end)
  end)

  it("holds no more in a writer than a batch does", function()
    within(function(dir)
      local home <close> = assert(wal.open(dir))
      local writer <const> = assert(home:writer())
      local builder, router = wal.builder(), core.router.single()
      for i = 1, 500000 do builder:add(i, 1, 1, 1) end
      home:spread(builder, router)
      for i = 1, 500000 do builder:add(i, 1, 1, 1) end
      assert.equal("a batch holds at most 798912 events",
                   raised(home.spread, home, builder, router))
      assert.same({ 500000, 500000 }, { #builder, #writer })
      assert.equal(500000, assert(home:commit())[1].events)
      home:spread(builder, router)
      assert.equal(500001, assert(home:commit())[1].first_seq)
    end)
  end)

  it("closes its writers before itself", function()
    within(function(dir)
      local home = assert(wal.open(dir))
      local a, b = assert(home:writer { shard = 1 }), assert(home:writer { shard = 0 })
      a:add(1, 1, 1, 1)
      assert.equal("r0:s1: 1 events wait: commit() or discard() them first",
                   raised(home.close, home))
      a:commit()
      assert.is_true(home:close())
      assert.is_true(home:close())
      assert.equal("the writer is closed", raised(a.durable, a))
      assert.equal("the writer is closed", raised(b.durable, b))
      for _, method in ipairs { "writer", "commit", "spread", "router" } do
        assert.equal("the directory is closed", raised(home[method], home))
      end
      assert.is_true(wal.recover { dir = dir, shard = 1 }.clean)
    end)
  end)

  it("says at the end of a scope what was not committed", function()
    within(function(dir)
      assert.equal("the scope ended with 2 events that nobody committed: they are gone",
                   raised(function()
        local home <close> = assert(wal.open(dir))
        local a, b = assert(home:writer { shard = 1 }), assert(home:writer { shard = 0 })
        a:add(1, 1, 1, 1)
        b:add(1, 1, 1, 1)
      end))
      assert(wal.open(dir)):close()
    end)
  end)

  it("is kept by its writers and forgets those nobody holds", function()
    within(function(dir)
      local writer
      do
        local home = assert(wal.open(dir))
        writer = assert(home:writer { shard = 1 })
        assert(home:writer { shard = 0 }):add(1, 1, 1, 1)
      end
      churn(2048)
      assert.equal(1, writer:append { { entity = 1, signal_type = 1, weight = 1,
                                        timestamp_ns = 1 } })
      writer = nil
      collectgarbage()
      collectgarbage()
      local home <close> = assert(wal.open(dir))
      local first = assert(home:writer { shard = 0 })
      assert.same({ false, 0 }, { first:recovery().clean, first:recovery().last_seq })
    end)
  end)

  it("may be closed by a field of a writer's options", function()
    within(function(dir)
      local home <close> = assert(wal.open(dir))
      local options = setmetatable({}, { __index = function() home:close() end })
      assert.equal("the directory is closed", raised(home.writer, home, options))
    end)
  end)

  it("survives finalizers that close its writers while it commits", collector(function()
    within(function(dir)
      local home = assert(wal.open(dir))
      local writers, changed, done = {}, 0, 0
      for round = 1, 60 do
        for s = 0, 3 do writers[s] = writers[s] or assert(home:writer { shard = s,
          sync = "unsafe_never" }) end
        for s = 0, 3 do writers[s]:add(round, 1, 1, 1) end
        -- A whole cycle at every allocation; the writer goes in one of them.
        collectgarbage("incremental", 1, 1000, 30)
        collectgarbage()
        local function arm(cycles)
          setmetatable({}, { __gc = function()
            local one = writers[round % 4]
            if cycles > 0 then return arm(cycles - 1) end
            writers[round % 4] = nil
            if one then
              one:discard()
              one:close()
            end
          end })
        end
        arm(round % 12)
        local fine, err = pcall(home.commit, home)
        collectgarbage("incremental", 200, 100, 13)
        if fine then done = done + 1 else
          assert.matches("changed while", err)
          changed = changed + 1
        end
      end
      assert.is_true(changed > 0)
      for _, one in pairs(writers) do one:discard() end
      home:close()
      assert.equal(60, done + changed)
    end)
  end))
end)
