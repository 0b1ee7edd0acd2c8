local cli = require "spec.support.cli"
local golden = require "spec.support.golden"

local CLUSTER <const> = "scripts/cluster.lua"
local RANGES <const> = "scripts/layouts/ranges.lua"
local SYNOPSIS <const> = "usage: tidal-lua explain LAYOUT ID|MOVE [--wal REGION=DIR]... [--json], "
  .. "a MOVE being 's3 REGION->REGION', '0x0-0xff s1->s4' or 's1->s4'\n"

local function explain(...)
  return { cli.run { "explain", ... } }
end

describe("explain", function()
  local rows = {
    { "id", { "42" } }, { "id", { "0x2a" } },
    { "leader", { "s3 us-east->eu-west" } }, { "leader", { "s3", "us-east->eu-west" } },
    { "leader", { "move", "s3", "r0->r1" } }, { "leader", { "s3  us-east -> eu-west" } },
    { "range", { "s1->s4" } }, { "range", { "s1 -> s4" } },
  }
  for _, row in ipairs(rows) do
    it("prints " .. table.concat(row[2], " ") .. " as recorded", function()
      local name = "explain/" .. row[1]
      assert.same({ 0, golden.read(name .. ".txt"), "" },
                  explain(CLUSTER, table.unpack(row[2])))
      assert.same({ 0, golden.read(name .. ".json"), "" },
                  explain("--json", CLUSTER, table.unpack(row[2])))
    end)
  end

  it("fails for a move that is not allowed", function()
    local want = "s2 ap-south->us-east  no: rule 'max_leaders(1)' "
      .. "(scripts/layouts/ranges.lua:13): us-east leads 2 shards, at most 1: let ap-south lead "
      .. "s0\n  no other is allowed (1 tried)\n"
    assert.same({ 1, want, "" }, explain(RANGES, "s2 ap-south->us-east"))
    local json = explain(RANGES, "s2 ap-south->us-east", "--json")
    assert.equal(1, json[1])
    assert.matches('"allowed":false,"rule":"max_leaders(1)",', json[2], 1, true)
  end)

  it("says with --wal what a move copies", function()
    local wal = "us-east=" .. golden.dir .. "/v1-single"
    local found = explain(CLUSTER, "s0->s1", "--wal", wal)
    assert.same({ 0, "" }, { found[1], found[3] })
    assert.matches(", in each of 3 regions, copies 840.0 kB (40000 events)\n", found[2], 1, true)
    assert.matches('"bytes":"840000","events":"40000"}',
                   explain(CLUSTER, "s0->s1", "--json", "--wal", wal)[2], 1, true)
    assert.same({ 2, "", "tidal-lua: --wal goes with a move: an id copies nothing\n" .. SYNOPSIS },
                explain(CLUSTER, "42", "--wal", wal))
  end)

  local words = { "5x", "s3 us-east", "0x0-0xff", "s1->r4", "0xg s1->s4", "s1 s1->" }
  for _, word in ipairs(words) do
    it("is usage for " .. word, function()
      local status, out, err = table.unpack(explain(CLUSTER, word))
      assert.same({ 2, "" }, { status, out })
      assert.equal(("tidal-lua: %s: neither a move nor an id: "):format(word),
                   err:match "^.-: neither a move nor an id: ")
      assert.equal(SYNOPSIS, err:match "\n(.+)$")
    end)
  end
end)
