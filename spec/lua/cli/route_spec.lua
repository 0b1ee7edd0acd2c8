local cli = require "spec.support.cli"
local gen = require "spec.support.gen"
local oracle = require "spec.support.oracle"

local CLUSTER <const> = "scripts/cluster.lua"
local ID <const> = 'an id expected (an integer, "0x" and 1-16 hex digits, or decimal text up to '
  .. '"18446744073709551615"), got '

local function route(args, options)
  local status, out, err = cli.run({ "route", table.unpack(args) }, options)
  return { status, out, err }
end

describe("route LAYOUT ID...", function()
  it("prints one line an id", function()
    assert.same({ 0, "0x000000000000002a s0\n0x8000000000000000 s2\n0xffffffffffffffff s4\n"
                  .. "0xffffffffffffffff s4\n0x0000000000000000 s0\n", "" },
                route { CLUSTER, "42", "9223372036854775808", "18446744073709551615",
                        "0xFFFFFFFFFFFFFFFF", "0x0" })
  end)

  it("routes by hash, too", function()
    local tidal = require "tidal"
    local want = ("0x0000000000000001 s%d\n"):format(oracle.remainder(tidal.hash(1), 4))
    assert.same({ 0, want, "" }, route { "scripts/layouts/hash.lua", "1" })
  end)

  it("takes ids behind --, but they are never negative", function()
    assert.same({ 0, "0x0000000000000001 s0\n", "" }, route { CLUSTER, "--", "1" })
    assert.same({ 1, "", "tidal-lua: argument 2: " .. ID .. '"-1"\n' },
                route { CLUSTER, "--", "-1" })
  end)

  local bad = { "", "x", "1.5", "1e3", "0x", "0x12345678901234567", "18446744073709551616", " 1",
                "s0", "nan" }
  for _, word in ipairs(bad) do
    it(("prints nothing if one is bad: %q"):format(word), function()
      assert.same({ 1, "", ('tidal-lua: argument 3: %s"%s"\n'):format(ID, word) },
                  route { CLUSTER, "1", word, "2" })
    end)
  end

  it("takes a hyphen for an id where others follow", function()
    assert.same({ 1, "", "tidal-lua: argument 2: " .. ID .. '"-"\n' }, route { CLUSTER, "-", "1" })
  end)

  it("needs an id", function()
    assert.same({ 2, "", "tidal-lua: too few arguments\n"
                  .. "usage: tidal-lua route LAYOUT ID... | -\n" }, route { CLUSTER })
  end)
end)

describe("route LAYOUT -", function()
  it("reads ids from standard input, one a line", function()
    assert.same({ 0, "0x0000000000000001 s0\n0xffffffffffffffff s4\n0x0000000000000002 s0\n", "" },
                route({ CLUSTER, "-" },
                      { stdin = "1\n 0xffffffffffffffff \r\n\n\t\n2" }))
  end)

  it("prints nothing for nothing", function()
    assert.same({ 0, "", "" }, route { CLUSTER, "-" })
  end)

  it("names a bad line, after those before it", function()
    assert.same({ 1, "0x0000000000000001 s0\n",
                  "tidal-lua: standard input:3: " .. ID .. '"zwei"\n' },
                route({ CLUSTER, "-" }, { stdin = "1\n\nzwei\n2\n" }))
    assert.same({ 1, "", "tidal-lua: standard input:1: " .. ID .. '"1 2"\n' },
                route({ CLUSTER, "-" }, { stdin = "1 2\n" }))
  end)

  it("keeps up with many lines, and is right for each", function()
    local stream, ids, want = gen.stream "route -", {}, {}
    for i = 1, 20000 do
      local id = stream:u64()
      ids[i] = i % 2 == 0 and ("0x%x"):format(id) or oracle.decimal(id)
      local owner = 4
      while math.ult(id, oracle.even_first(owner, 5)) do owner = owner - 1 end
      want[i] = ("0x%016x s%d\n"):format(id, owner)
    end
    local status, out = cli.run({ "route", CLUSTER, "-" }, { stdin = table.concat(ids, "\n") })
    assert.equal(0, status)
    assert.is_true(out == table.concat(want), "TIDAL_SEED=" .. gen.seed)
  end)

  it("tells that ids are unsigned", function()
    assert.same({ 1, "", "tidal-lua: argument 2: " .. ID .. '"-1"\n' }, route { CLUSTER, "-1" })
  end)

  it("is not slowed down by blanks inside a line", function()
    -- Found by a user: trimming with a lazy match took a minute for this line.
    local status, out = table.unpack(route({ CLUSTER, "-" },
                                           { stdin = "1" .. (" "):rep(100000) .. "x\n" }))
    assert.same({ 1, "" }, { status, out })
  end)

  it("says why standard input cannot be read", function()
    local status, _, err = cli.run({ "-c", ("'%s' route %s - <."):format(cli.tidal, CLUSTER) },
                                   { program = "sh" })
    assert.same({ 1, "tidal-lua: standard input: Is a directory\n" }, { status, err })
  end)
end)
