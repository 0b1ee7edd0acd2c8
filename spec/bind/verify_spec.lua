-- tidal.wal.verifier: reports as tables, life times.
local core = require "tidal.core"
local golden = dofile "spec/support/golden.lua"
local raised = dofile "spec/support/raised.lua"

local function reports(name)
  local reader <close> = assert(core.wal.reader(golden.dir .. "/" .. name))
  local verifier <close> = assert(core.wal.verifier(reader))
  local out = {}
  for report in verifier.next, verifier do out[#out + 1] = report end
  return out
end

describe("a verifier", function()
  it("reports every segment of a sound directory", function()
    local list = reports "v2-five-shards"
    assert.equal(16, #list)
    assert.same({ verdict = "clean", file = "wal-s00001-00000000000000001493.seg", whole = true,
                  shard = core.shard(1), region = core.region(1), size = 31327, batches = 16,
                  events = 1443, first_seq = 1493, last_seq = 2935 }, list[4])
  end)

  it("says what is wrong and why", function()
    local report = reports "damaged/torn-payload"[2]
    assert.same({ "torn", "wal-00000000000000000301.seg", 4328, false, 0 },
                { report.verdict, report.file, report.offset, report.suspect,
                  report.lost_events })
    assert.equal("short: payload has 5 bytes where 2100 are needed; the last batch is cut",
                 report.why)
  end)

  it("leaves the region out where no header tells it", function()
    assert.is_nil(reports "damaged/flip-in-middle"[2].nothing)
    local files = dofile "spec/support/wal_dir.lua"
    files.with({ ["wal-00000000000000000001.seg"] = "" }, function(dir)
      local reader <close> = core.wal.reader(dir)
      local verifier <close> = core.wal.verifier(reader)
      local report = verifier:next()
      assert.same({ "clean", nil, 0 }, { report.verdict, report.region, report.first_seq })
    end)
  end)

  it("finds what is there beside segments, of any shard", function()
    local files = dofile "spec/support/wal_dir.lua"
    for _, form in ipairs { "checkpoint-s%05d.0", "checkpoint-s%05d.1", "cuts-s%05d" } do
      for _, shard in ipairs { 0, 1, 63, 64, 127, 128, 65535 } do
        local name = form:format(shard)
        files.with({ [name] = "x" }, function(dir)
          local reader <close> = core.wal.reader(dir)
          local verifier <close> = core.wal.verifier(reader)
          local report = verifier:next()
          assert.same({ "corrupt", name }, { report and report.verdict, report and report.file })
          assert.is_nil(verifier:next())
        end)
      end
    end
  end)

  it("is nil at the end, again and again", function()
    local reader <close> = core.wal.reader(golden.dir .. "/damaged/zero-tail")
    local verifier <close> = core.wal.verifier(reader)
    for _ = 1, 2 do assert.is_table(verifier:next()) end
    for _ = 1, 2 do assert.equal(1, select("#", verifier:next())) end
  end)

  it("raises when it or its reader is closed", function()
    local reader = core.wal.reader(golden.dir .. "/v1-single")
    local verifier = core.wal.verifier(reader)
    reader:close()
    assert.matches("the reader is closed", raised(verifier.next, verifier))
    assert.matches("the reader is closed", raised(core.wal.verifier, reader))
    verifier:close()
    verifier:close()
    assert.matches("the verifier is closed", raised(verifier.next, verifier))
  end)

  it("survives collection in any order", function()
    for _ = 1, 20 do
      local verifier = core.wal.verifier(core.wal.reader(golden.dir .. "/v1-single"))
      collectgarbage()
      assert.is_table(verifier:next())
    end
    collectgarbage()
  end)

  it("takes a reader and nothing else", function()
    for _, value in ipairs { 1, "x", {}, true, print } do
      assert.is_false(pcall(core.wal.verifier, value))
    end
    assert.is_false(pcall(core.wal.verifier))
  end)
end)
