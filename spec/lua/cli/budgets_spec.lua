-- A plan in waves, from the command line.
local cli = require "spec.support.cli"
local golden = require "spec.support.golden"
local json = require "tidal.json"
local lfs = require "lfs"

local function text(epoch, shards)
  return ("return tidal.cluster { name = 'n', epoch = %d, regions = { 'a' }, shards = %d, "
          .. "routing = tidal.routing.hash_ranges() }"):format(epoch, shards)
end
local FILES <const> = { ["old.lua"] = text(1, 2), ["new.lua"] = text(2, 3) }
local WAL <const> = "a=" .. lfs.currentdir() .. "/" .. golden.dir .. "/v1-single"

local function run(verb, ...)
  local status, out, err = cli.run({ verb, ... }, { files = FILES })
  return status, out, err
end

local function plan(...)
  return run("plan", "new.lua", "--from", "old.lua", "--wal", WAL, ...)
end

describe("budgets", function()
  it("show a plan in waves", function()
    local status, out, err = plan("--per-link", "10kB/s", "--window=02:00..02:01")
    assert.same({ 0, "" }, { status, err })
    assert.matches([[

wave 1  316.2 kB  31.6 s  a s1>s2
wave 2  145.6 kB  14.6 s  a s0>s1
all     461.7 kB  46.2 s  in 1 day
]], out, 1, true)
    local _, slow = plan("--per-link", "5kB/s", "--window=02:00..02:01")
    assert.matches("\nall     461.7 kB   1m32s  in 2 days\n", slow, 1, true)
  end)

  it("may let a node do more at once", function()
    local status, out = plan("--per-node", "2")
    assert.equal(0, status)
    assert.matches("\nwave 1  4%d%d%.%d kB  %d+%.%d ms  a s1>s2, a s0>s1\nall ", out)
  end)

  it("are in the JSON", function()
    local _, out = plan("--json", "--per-link", "10kB/s")
    local value = json.decode(out)
    local waves = value.waves
    assert.same({ 1, 2, value.price.bytes }, { waves.days, #waves.list, waves.bytes })
    assert.same({ region = "a", source = 1, target = 2, bytes = waves.list[1].bytes },
                waves.list[1].copies[1])
    assert.equal(tonumber(waves.bytes) / 10000, waves.seconds)
    assert.is_nil(json.decode((select(2, plan "--json"))).waves)
  end)

  it("are a table of the page", function()
    local page = os.tmpname() .. ".html"
    assert.equal(0, (run("draw", "new.lua", "--from", "old.lua", "--wal", WAL, "--per-link",
                         "10kB/s", "-o", page)))
    local file <close> = assert(io.open(page))
    os.remove(page)
    local html = file:read "a"
    assert.matches("<h2>Waves</h2>", html, 1, true)
    assert.matches("<td>a s1&gt;s2</td>", html, 1, true)
  end)

  it("are kept out of the regions' way", function()
    local status, _, err = plan("--never", "a+b")
    assert.equal(2, status)
    assert.matches("^tidal%-lua: %-%-never: there is no region b\nusage: tidal%-lua plan ", err)
  end)

  local rows = {
    { { "--per-node", "0" }, "--per-node: an integer >= 1 expected, got 0" },
    { { "--per-node", "x" }, "--per-node: an integer >= 1 expected, got x" },
    { { "--per-link", "10kB" }, '--per-link: "30MB/s" expected, got 10kB' },
    { { "--window", "2..5" }, '--window: "02:00..05:00" expected, got 2..5' },
    { { "--never", "a" }, '--never: "r0+r1" expected, got a' },
  }
  for _, row in ipairs(rows) do
    it("refuse: " .. row[2], function()
      local status, out, err = plan(table.unpack(row[1]))
      assert.same({ 2, "", "tidal-lua: " .. row[2] }, { status, out, err:match "^[^\n]*" })
    end)
  end

  it("need a plan between two layouts, and logs", function()
    for _, args in ipairs { { "plan", "new.lua", "--from", "old.lua" },
                            { "plan", "new.lua", "--wal", WAL },
                            { "draw", "new.lua", "--wal", WAL } } do
      table.move({ "--window", "02:00..05:00" }, 1, 2, #args + 1, args)
      local status, _, err = run(table.unpack(args))
      assert.same({ 2, "tidal-lua: --window goes with a plan between two layouts and --wal: bytes "
                    .. "take time" }, { status, err:match "^[^\n]*" })
    end
  end)
end)
