-- Error objects: what the world's failures and lists of faults look like.
local core = require "tidal.core"
local raised = dofile "spec/support/raised.lua"

describe("an error of C", function()
  local _, err = core.wal.decode_batch(("x"):rep(100), 4)

  it("has code, message, subject, got, bound and place", function()
    assert.equal("magic", err.code)
    assert.equal("batch header", err.subject)
    assert.equal(0x78787878, err.got)
    assert.equal(0x5449444c, err.bound)
    assert.equal(4, err.offset)
    assert.is_nil(err.file)
    assert.is_nil(err.index)
    assert.is_nil(err.sys)
    assert.equal("magic: batch header starts with 0x0000000078787878 instead of "
                 .. "0x000000005449444c (at byte 4)", err.message)
  end)

  it("prints as its message, also through assert", function()
    assert.equal(err.message, tostring(err))
    assert.equal(err.message, raised(assert, core.wal.decode_batch(("x"):rep(100), 4)))
  end)

  it("has what the system said", function()
    local _, failure = core.wal.reader "spec/nowhere"
    assert.equal("io", failure.code)
    assert.equal(2, failure.sys)
    assert.equal("nowhere", failure.file)
    assert.matches("No such file or directory$", failure.message)
  end)

  it("is known as one, and its class cannot be changed", function()
    assert.is_true(core.is_error(err))
    assert.equal("locked", getmetatable(err))
    assert.is_false(pcall(setmetatable, err, nil))
  end)
end)

describe("core.error", function()
  it("gives the same table the class", function()
    local made = { code = "layout", message = "no shards" }
    assert.equal(made, core.error(made))
    assert.is_true(core.is_error(made))
    assert.equal("no shards", tostring(made))
    assert.equal(made, core.error(made))
  end)

  it("prints whatever it has as a message", function()
    assert.equal("an error without a message", tostring(core.error {}))
    assert.equal("an error without a message", tostring(core.error { message = 5 }))
  end)

  it("takes no table that has a class", function()
    local other = setmetatable({}, { __metatable = "mine" })
    assert.equal("bad argument #1 (the table has a metatable already)", raised(core.error, other))
    assert.equal("mine", getmetatable(other))
    assert.equal("bad argument #1 (a table { code =, message = } expected, got \"x\")",
                 raised(core.error, "x"))
  end)
end)

describe("core.is_error", function()
  it("is false for everything else", function()
    assert.is_false(core.is_error())
    for _, value in ipairs { 1, "x", {}, setmetatable({}, { __name = "tidal.Error" }), print,
                             core.shard(1), io.stdout } do
      assert.is_false(core.is_error(value))
    end
  end)
end)

describe("a list of faults", function()
  local function fault(list)
    local _, err = pcall(core.router.ranges, list)
    return err
  end

  it("is one error: the code of the first, and all of them", function()
    local err = fault { { shard = 0, first = 5, last = 9 }, { shard = 1, first = 8, last = 20 } }
    assert.is_true(core.is_error(err))
    assert.equal("not_from_zero", err.code)
    assert.equal(3, #err.faults)
    assert.same({ "not_from_zero", "overlap", "not_to_last" },
                { err.faults[1].code, err.faults[2].code, err.faults[3].code })
    assert.same({ 1, 2 }, { err.faults[2].index, err.faults[2].other })
    for _, one in ipairs(err.faults) do assert.is_true(core.is_error(one)) end
    assert.equal("ranges: 3 faults\n"
      .. "  not_from_zero: ranges start at 0x0000000000000005: the ids below it have no shard\n"
      .. "  overlap: ranges claim the ids 0x0000000000000008..0x0000000000000009 twice: "
      .. "entries 1 and 2\n"
      .. "  not_to_last: ranges end at 0x0000000000000014: the ids above it have no shard",
      tostring(err))
  end)

  it("counts one as one", function()
    assert.equal("ranges: 1 fault\n  no_ranges: router has no ranges", tostring(fault {}))
  end)

  it("shows a hundred and says how many more", function()
    local list = {}
    for i = 1, 150 do list[i] = { shard = 0, first = 2 * i, last = 2 * i } end
    list[1].first = 0
    list[150].last = -1
    local err = fault(list)
    assert.equal(149, #err.faults)
    local _, lines = tostring(err):gsub("\n", "")
    assert.equal(101, lines)
    assert.matches("^ranges: 149 faults\n", tostring(err))
    assert.matches("\n  %.%.%. and 49 more$", tostring(err))
  end)

  it("stands behind the caller's place", function()
    local line = debug.getinfo(1, "l").currentline + 1
    local _, err = pcall(function() local x = core.router.ranges {} return x end)
    assert.matches("error_spec.lua:" .. line .. ": ranges: 1 fault\n", tostring(err))
  end)
end)
