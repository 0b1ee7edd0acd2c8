local cli = require "spec.support.cli"
local json = require "tidal.json"

local LAYOUT <const> = [[
return tidal.cluster { name = "n", regions = { "a" }, shards = 1 }]]
local LOAD <const> = [[
require "tidal.testing"
local layout = require "tidal".cluster.load "a.lua"
]]
local STRONG <const> = LOAD .. [[
it("is all there", function()
  assert.equal(1, layout.shards)
  assert.regions(layout, { "a" })
  assert.equal(1, layout.epoch)
  assert.equal("n", layout.name)
end)]]

local function run(spec, args, layout)
  return cli.run({ "mutate", "a.lua", "a_spec.lua", table.unpack(args or {}) },
                 { files = { ["a.lua"] = layout or LAYOUT, ["a_spec.lua"] = spec } })
end

describe("mutate LAYOUT SPEC", function()
  it("is content with a spec that notices everything", function()
    local status, out, err = run(STRONG)
    assert.same({ 0, [[
1  killed  one shard more   is all there
2  killed  one region more  is all there
3  killed  the next epoch   is all there
4  killed  another name     is all there
4 mutants, 4 killed, 0 survived
]], "" }, { status, out, err })
  end)

  it("says what to add where one survives", function()
    local status, out, err = run(LOAD .. [[
it("has one shard", function() assert.equal(1, layout.shards) end)]])
    assert.same({ 1, [[
1  killed    one shard more   has one shard
2  survived  one region more  -> assert.regions(layout, { "a" })
3  survived  the next epoch   -> assert.equal(1, layout.epoch)
4  survived  another name     -> assert.equal("n", layout.name)
4 mutants, 1 killed, 3 survived
add to a_spec.lua, with require "tidal.testing":
  assert.regions(layout, { "a" })
  assert.equal(1, layout.epoch)
  assert.equal("n", layout.name)
]], "" }, { status, out, err })
  end)

  it("is JSON for programs, and passes arguments on to busted", function()
    local status, out = run(STRONG .. [[it("is #slow", function() error "x" end)]],
                            { "--json", "--exclude-tags=slow", "--jobs=1" })
    assert.equal(0, status)
    local value = json.decode(out)
    assert.same({ "tidal-mutants/1", 4, 4, 0 },
                { value.format, value.total, value.killed, value.survived })
  end)

  it("counts what hangs as noticed", function()
    local status, out = run(STRONG .. [[
it("hangs", function() while layout.epoch == 2 do end end)]], { "--timeout", "5" })
    assert.equal(0, status)
    assert.matches("\n3  timeout  the next epoch\n", out)
  end)

  it("runs one with busted's own output", function()
    local status, out = run(STRONG, { "--only=3", "--output=TAP" })
    assert.equal(1, status)
    assert.matches("^not ok 1 %- is all there\n.*\n# Passed in:\n# %(number%) 2\n", out)
    status, out = run(STRONG, { "--only", "0", "--output=TAP" })
    assert.same({ 0, "ok 1 - is all there\n1..1\n" }, { status, out })
  end)

  local refused = {
    { "a spec that is red anyway", LOAD .. "it('x', function() error 'y' end)",
      "a_spec.lua is red against the layout itself: 'x'; tidal-lua test a_spec.lua shows why" },
    { "a spec that cannot be read", "it(", "a_spec.lua is red against the layout itself: "
      .. "'a_spec.lua'; tidal-lua test a_spec.lua shows why" },
    { "a spec without tests", LOAD, "a_spec.lua has no test that runs" },
    { "a spec of something else", "it('x', function() end)", "a_spec.lua does not load a.lua: "
      .. "load it by tidal.cluster.load, dofile or require, in the process of the spec" },
    { "a spec that leaves", "os.exit(3)", "a_spec.lua ended without a word (status 3): "
      .. "tidal-lua test a_spec.lua shows why" },
  }
  for _, row in ipairs(refused) do
    it("refuses " .. row[1], function()
      local status, out, err = run(row[2])
      assert.same({ 1, "" }, { status, out })
      assert.equal("tidal-lua: " .. row[3] .. "\n", (err:gsub("'%./a_spec", "'a_spec")))
    end)
  end

  it("refuses a spec that hangs anyway", function()
    local status, _, err = run("while true do end", { "--timeout=1" })
    assert.same({ 1, "tidal-lua: a_spec.lua did not end in time against the layout itself\n" },
                { status, err })
  end)

  it("refuses what is no layout, and numbers there are not", function()
    local status, _, err = run(STRONG, {}, "return 7")
    assert.same({ 1, "tidal-lua: a.lua: returned a number, not a layout: end it with `return "
                  .. "tidal.cluster { ... }`\n" }, { status, err })
    status, _, err = run(STRONG, { "--only=5" })
    assert.same({ 1, "tidal-lua: --only 5: a.lua has the mutants 1..4\n" }, { status, err })
  end)

  it("says that there is no such spec", function()
    local status, out, err = cli.run { "mutate", "scripts/cluster.lua", "no/such_spec.lua" }
    assert.same({ 1, "", "tidal-lua: cannot open no/such_spec.lua: No such file or directory\n" },
                { status, out, err })
  end)

  it("takes a layout, a spec, and numbers", function()
    for _, args in ipairs { {}, { "a.lua" }, { "--jobs=0", "a.lua", "b" },
                            { "--jobs", "x", "a.lua", "b" }, { "--only=-1", "a.lua", "b" },
                            { "--timeout=0", "a.lua", "b" }, { "--nonsense", "a.lua", "b" } } do
      local status, out, err = cli.run { "mutate", table.unpack(args) }
      assert.same({ 2, "" }, { status, out })
      assert.matches("\nusage: tidal%-lua mutate %[%-%-json%]", err)
    end
    local status, out = cli.run { "mutate", "--help" }
    assert.equal(0, status)
    assert.matches("^usage: tidal%-lua mutate ", out)
  end)
end)
