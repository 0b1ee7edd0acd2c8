-- tidal-lua wal dump: every batch, against the golden vectors of names and
-- the counts of the golden directories.
local cli = dofile "spec/support/cli.lua"
local golden = dofile "spec/support/golden.lua"
local json = require "tidal.json"

describe("wal dump", function()
  it("shows every batch of a directory, then the end of each file", function()
    local exit, out = cli.run { "wal", "dump", golden.dir .. "/v2-five-shards", "--json" }
    local batches, ends = 0, 0
    for line in out:gmatch "[^\n]+" do
      local object = json.decode(line)
      if object["end"] then
        ends = ends + 1
        assert.equal(json.null, object.error)
      else
        batches = batches + 1
      end
    end
    assert.same({ 0, 231, 16 }, { exit, batches, ends })
  end)

  it("shows dead events too", function()
    local exit, out = cli.run { "wal", "dump", golden.dir .. "/live/moved", "--events", "--json" }
    local _, events = out:gsub('"entity"', "")
    assert.same({ 0, 180 }, { exit, events })
  end)

  it("is 1 where bytes are damaged, at their offset", function()
    local exit, out = cli.run { "wal", "dump", golden.dir .. "/damaged/torn-header" }
    assert.equal(1, exit)
    assert.matches("0374%.seg @3320 +DAMAGED short", out)
  end)
end)
