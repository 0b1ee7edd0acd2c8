-- tidal.state: ReplicationState, forward only, one mark per log.
local core = require "tidal.core"
local gen = dofile "spec/support/gen.lua"
local oracle = dofile "spec/support/oracle.lua"
local raised = dofile "spec/support/raised.lua"

describe("a state", function()
  it("knows its logs, sorted, and answers nil for others", function()
    local state = core.state { "r1:s0", core.log(0, 9), "r0:s2" }
    assert.equal(3, #state)
    local seen = {}
    for log, seqno in pairs(state) do seen[#seen + 1] = tostring(log) .. "=" .. seqno end
    assert.same({ "r0:s2=0", "r0:s9=0", "r1:s0=0" }, seen)
    assert.same({ 0, 0 }, { state:get "r0:s9" })
    assert.equal(1, select("#", state:get "r5:s5"))
    assert.is_nil(state:get(core.log(5, 5)))
    assert.equal(0, #core.state {})
  end)

  it("is advanced, whole batches and overlaps alike", function()
    local state = core.state { "r0:s0" }
    assert.is_true(state:advance("r0:s0", 1, 100))
    assert.is_true(state:advance("r0:s0", 50, 120))
    assert.is_true(state:advance("r0:s0", 1, 5))
    assert.equal(120, (state:get "r0:s0"))
    assert.is_true(state:advance("r0:s0", 121, -1))
    assert.equal(-1, (state:get "r0:s0"))
    assert.is_true(state:advance("r0:s0", -1, -1))
  end)

  it("refuses holes, turned batches, number 0 and other logs", function()
    local state = core.state { "r0:s0", "r0:s1" }
    assert(state:advance("r0:s0", 1, 10))
    local cases = {
      { "ahead", "r0:s0", 12, 20, "r0:s0: ahead: batch starts at 12, above the last contiguous "
        .. "number 10" },
      { "ahead", "r0:s1", -1, -1, "r0:s1: ahead: batch starts at 18446744073709551615, above the "
        .. "last contiguous number 0" },
      { "inverted", "r0:s0", 5, 4 }, { "inverted", "r0:s0", -1, math.maxinteger },
      { "sequence", "r0:s0", 0, 4 },
      { "unknown_log", "r9:s0", 1, 4, "r9:s0: unknown_log: log is not one of the logs of this "
        .. "state" },
    }
    for _, case in ipairs(cases) do
      local done, err = state:advance(case[2], case[3], case[4])
      assert.is_nil(done)
      assert.equal(case[1], err.code)
      assert.equal(core.log(case[2]), err.log)
      assert.equal(case[5] or err.message, tostring(err))
      assert.matches("^" .. case[2] .. ": " .. case[1] .. ": ", err.message)
    end
    assert.same({ 10, 0 }, { (state:get "r0:s0"), (state:get "r0:s1") })
  end)

  it("changes its epoch by its own call, upwards only", function()
    local state = core.state { "r0:s0" }
    assert.is_true(state:raise_epoch("r0:s0", 7))
    assert.is_true(state:raise_epoch("r0:s0", 7))
    local done, err = state:raise_epoch("r0:s0", 6)
    assert.is_nil(done)
    assert.equal("r0:s0: backward: epoch would go back from 7 to 6", tostring(err))
    assert(state:advance("r0:s0", 1, 5))
    assert.same({ 5, 7 }, { state:get "r0:s0" })
    assert.is_true(state:raise_epoch("r0:s0", 0xffffffff))
    assert.equal("unknown_log", select(2, state:raise_epoch("r0:s1", 1)).code)
    assert.equal("bad argument #3 (epoch: 4294967296 is outside 0..4294967295)",
                 raised(state.raise_epoch, state, "r0:s0", 1 << 32))
  end)

  it("gives its marks for a checkpoint and takes them again", function()
    local state = core.state { "r1:s0", "r0:s5" }
    assert(state:advance("r1:s0", 1, -1))
    assert(state:raise_epoch("r0:s5", 3))
    local marks = state:marks()
    assert.same({ { log = core.log(0, 5), epoch = 3, seqno = 0 },
                  { log = core.log(1, 0), epoch = 0, seqno = -1 } }, marks)
    local other = core.state { "r0:s5", "r1:s0", "r7:s7" }
    assert.is_true(other:restore(marks))
    assert.same({ -1, 0 }, { other:get "r1:s0" })
    assert.same({ 0, 3 }, { other:get "r0:s5" })
    local bytes = core.wal.encode_checkpoint { marks = marks }
    local third = core.state { "r0:s5", "r1:s0" }
    assert.is_true(third:restore(core.wal.decode_checkpoint(bytes).marks))
    assert.is_true(other:restore {})
  end)

  it("restores all marks or none, and never goes back", function()
    local state = core.state { "r0:s0", "r0:s1" }
    assert(state:advance("r0:s0", 1, 50))
    local done, err = state:restore { { log = "r0:s0", epoch = 9, seqno = 99 },
                                      { log = "r3:s3", epoch = 0, seqno = 1 } }
    assert.is_nil(done)
    assert.same({ "unknown_log", 2, core.log(3, 3) }, { err.code, err.index, err.log })
    assert.same({ 50, 0 }, { state:get "r0:s0" })
    assert.equal("marks[2]: a table { log =, epoch =, seqno = } expected, got 5",
                 raised(state.restore, state, { { log = "r0:s0", epoch = 9, seqno = 99 }, 5 }))
    assert.same({ 50, 0 }, { state:get "r0:s0" })
    assert(state:restore { { log = "r0:s0", epoch = 1, seqno = 20 } })
    assert.same({ 50, 1 }, { state:get "r0:s0" })
  end)

  it("tells how far another one is ahead", function()
    local here, there = core.state { "r0:s0", "r0:s1" }, core.state { "r0:s1", "r1:s0", "r0:s0" }
    assert(there:advance("r0:s0", 1, 100))
    assert(here:advance("r0:s0", 1, 60))
    assert(here:advance("r0:s1", 1, 5))
    assert(there:advance("r1:s0", 1, -1))
    assert.equal(40, here:lag(there, "r0:s0"))
    assert.equal(0, here:lag(there, "r0:s1"))
    assert.equal(-1, here:lag(there, "r1:s0"))
    assert.equal(0, here:lag(there, "r9:s9"))
    assert.same({ { log = core.log(0, 0), lag = 40 }, { log = core.log(1, 0), lag = -1 } },
                here:lag(there))
    assert.same({ { log = core.log(0, 1), lag = 5 } }, there:lag(here))
    assert.same({}, here:lag(here))
  end)

  it("may be walked inside a walk", function()
    local state, count = core.state { "r0:s0", "r0:s1", "r0:s2" }, 0
    for _ in pairs(state) do
      for _ in pairs(state) do count = count + 1 end
    end
    assert.equal(9, count)
  end)

  it("is refused with a log twice or none at all", function()
    local fine, err = pcall(core.state, { "r0:s0", "r0:s1", "r0:s0" })
    assert.is_false(fine)
    assert.same({ "duplicate", 1, 3 }, { err.code, err.index, err.other })
    assert.equal('logs[2]: a log (tidal.log(0, 3) or "r0:s3") expected, got 5',
                 raised(core.state, { "r0:s0", 5 }))
    assert.equal("bad argument #1 (logs: a list of logs expected, got nothing)", raised(core.state))
    assert.equal("bad argument #1 (logs: a list of logs expected, got \"r0:s0\")",
                 raised(core.state, "r0:s0"))
  end)

  it("names the argument that is wrong", function()
    local state = core.state { "r0:s0" }
    assert.matches("^bad argument #2 %(log: a log ", raised(state.get, state, core.shard(0)))
    assert.matches("^bad argument #3 %(first: ", raised(state.advance, state, "r0:s0", 1.0, 2))
    assert.matches("^bad argument #4 %(last: .* got nothing",
                   raised(state.advance, state, "r0:s0", 1))
    assert.equal("bad argument #2 (marks: a list of marks expected, got nil)",
                 raised(state.restore, state, nil))
    assert.equal("bad argument #2 (tidal.ReplicationState expected, got nothing)",
                 raised(state.lag, state))
    assert.equal("bad argument #1 (tidal.ReplicationState expected, got table)",
                 raised(state.get, {}, "r0:s0"))
  end)
end)

describe("states", function()
  it("do what a table of marks does", function()
    gen.property("states", 150, function(g)
      local logs, marks = {}, {}
      for i = 1, g:int(1, 9) do
        local log = core.log(g:int(0, 2), g:int(0, 3))
        if not marks[log] then
          marks[log] = { seqno = 0, epoch = 0 }
          logs[#logs + 1] = log
        end
        if i > 5 and g:once_in(3) then break end
      end
      local state = core.state(logs)
      for step = 1, 60 do
        local log = core.log(g:int(0, 2), g:int(0, 3))
        local mark, done = marks[log]
        local expected = mark ~= nil
        if g:once_in(5) then
          local epoch = g:int(0, 9)
          done = state:raise_epoch(log, epoch)
          expected = expected and epoch >= mark.epoch
          if expected then mark.epoch = epoch end
        else
          local first = (mark and mark.seqno or 0) + g:int(-3, 2)
          local last = g:once_in(12) and g:u64() or first + g:int(-1, 50)
          done = state:advance(log, first, last)
          expected = expected and first ~= 0 and not math.ult(last, first)
            and not math.ult(mark.seqno, first - 1)
          if expected and math.ult(mark.seqno, last) then mark.seqno = last end
        end
        if done ~= (expected or nil) then return ("step %d on %s"):format(step, tostring(log)) end
        for known, want in pairs(marks) do
          local seqno, epoch = state:get(known)
          if seqno ~= want.seqno or epoch ~= want.epoch then
            return ("step %d: %s is %s"):format(step, tostring(known), oracle.decimal(seqno))
          end
        end
      end
    end)
  end)
end)
