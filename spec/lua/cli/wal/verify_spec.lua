-- tidal-lua wal verify: the golden directories, exit statuses, what is said.
local cli = dofile "spec/support/cli.lua"
local golden = dofile "spec/support/golden.lua"
local json = require "tidal.json"
local lfs = require "lfs"
local wal_dir = dofile "spec/support/wal_dir.lua"

local function verify(dir, ...)
  local exit, out, err = cli.run { "wal", "verify", dir, "--json", ... }
  assert.equal("", err)
  return exit, json.decode(out)
end

describe("wal verify --json", function()
  local expect = golden.json "damaged/expect.json"
  for name in lfs.dir(golden.dir .. "/damaged") do
    local want = expect[name]
    if want and want.verdict ~= "clean" then
      it("finds exactly what is wrong: " .. name, function()
        local exit, result = verify(golden.dir .. "/damaged/" .. name)
        assert.equal("tidal-verify/1", result.format)
        assert.equal(1, #result.findings)
        local finding = result.findings[1]
        assert.same({ want.verdict, want.file, want.offset },
                    { finding.verdict, finding.file, finding.offset })
        assert.is_true(#finding.why > 10)
        assert.same({ want.verdict == "torn" and 0 or 1, want.verdict == "torn" },
                    { exit, result.ok })
      end)
    end
  end

  for _, name in ipairs { "v1-single", "v2-five-shards", "damaged/zero-tail", "live/moved",
                          "live/hashed", "live/unpublished" } do
    it("finds nothing in " .. name, function()
      local exit, result = verify(golden.dir .. "/" .. name)
      assert.same({ 0, true, 0 }, { exit, result.ok, #result.findings })
      assert.is_true(#result.logs > 0)
    end)
  end

  it("counts logs as text above 2^53", function()
    local _, result = verify(golden.dir .. "/live/unpublished")
    local log = result.logs[3]
    assert.same({ 0, 65535, 1, "1089", "2", "41", "18446744073709551575", "18446744073709551615" },
                { log.region, log.shard, log.segments, log.bytes, log.batches, log.events,
                  log.first_seq, log.last_seq })
  end)

  it("takes an empty directory for clean", function()
    wal_dir.with({ ["other.txt"] = "x" }, function(dir)
      local exit, result = verify(dir)
      assert.same({ 0, true, 0, 0 }, { exit, result.ok, #result.findings, #result.logs })
    end)
  end)

  it("marks what is suspect", function()
    local name = "wal-s00004-00000000000000004484.seg"
    local files = wal_dir.copy("v2-five-shards", {
      [name] = wal_dir.flip(11200), ["checkpoint-s00004.0"] = function() end,
      ["checkpoint-s00004.1"] = function() end })
    wal_dir.with(files, function(dir)
      local exit, result = verify(dir)
      local finding = result.findings[1]
      assert.same({ 0, 1, "torn", true, name },
                  { exit, #result.findings, finding.verdict, finding.suspect, finding.file })
    end)
  end)

  it("does not take for torn what a checkpoint names", function()
    local name = "wal-s00004-00000000000000004484.seg"
    wal_dir.with(wal_dir.copy("v2-five-shards", { [name] = wal_dir.flip(11200) }), function(dir)
      local exit, result = verify(dir)
      assert.same({ 1, 1, "corrupt" }, { exit, #result.findings, result.findings[1].verdict })
      assert.matches("a checkpoint of this log names event 5000", result.findings[1].why)
    end)
  end)

  it("finds all of several faults", function()
    local files = wal_dir.copy("v2-five-shards", {
      ["wal-00000000000000001501.seg"] = wal_dir.flip(70),
      ["wal-s00001-00000000000000001493.seg"] = function() end,
      ["wal-s00003-00000000000000001483.seg"] = wal_dir.flip(70),
      ["wal-s00003-00000000000000002942.seg"] = wal_dir.flip(70),
      ["checkpoint-s00001.0"] = function() end, ["checkpoint-s00001.1"] = function() end,
      ["checkpoint-s00002.0"] = wal_dir.flip(20), ["cuts-s00002"] = function() return "x" end,
      ["layout-0000000004.json"] = function() return "{}" end })
    wal_dir.with(files, function(dir)
      local exit, result = verify(dir)
      local seen = {}
      for i, finding in ipairs(result.findings) do
        seen[i] = ("%s %s %d"):format(finding.verdict, finding.file, finding.offset)
      end
      assert.same({ "corrupt wal-00000000000000001501.seg 0",
                    "gap wal-s00001-00000000000000002936.seg 0",
                    "corrupt checkpoint-s00002.0 0", "corrupt cuts-s00002 0",
                    "corrupt wal-s00003-00000000000000001483.seg 0",
                    "corrupt wal-s00003-00000000000000002942.seg 0",
                    "corrupt layout-0000000004.json 0" }, seen)
      assert.same({ 1, false, 5 }, { exit, result.ok, #result.logs })
    end)
  end)
end)

describe("wal verify", function()
  it("says per log what is there, then what is wrong and what to do", function()
    local exit, out = cli.run { "wal", "verify", golden.dir .. "/damaged/torn-payload" }
    assert.equal(0, exit)
    assert.equal([[
r0:s0  2 segments  10889 bytes  5 batches  500 events  1..500
torn wal-00000000000000000301.seg @4328
    short: payload has 5 bytes where 2100 are needed; the last batch is cut
1 torn: a write was cut off before it was acknowledged: the next writer moves the tail to ]]
      .. "quarantine/ and goes on\n", out)
  end)

  it("says clean", function()
    local exit, out = cli.run { "wal", "verify", golden.dir .. "/v1-single" }
    assert.same({ 0, "r0:s0  4 segments  868288 bytes  442 batches  40000 events  1..40000\n"
                     .. "clean\n" }, { exit, out })
  end)

  it("changes nothing", function()
    wal_dir.with(wal_dir.copy "damaged/torn-header", function(dir)
      local function state()
        local pipe = io.popen(("ls -lA --time-style=full-iso %s; stat -c %%y %s; cksum %s/*")
                              :format(dir, dir, dir))
        local text = pipe:read "a"
        pipe:close()
        return text
      end
      local before = state()
      verify(dir)
      assert.equal(before, state())
    end)
  end)

  it("refuses a file and a directory that cannot be read", function()
    local exit, _, err = cli.run { "wal", "verify", golden.dir .. "/vectors.json" }
    assert.equal(1, exit)
    assert.matches("vectors.json", err, 1, true)
    assert.matches("Not a directory", err, 1, true)
  end)
end)
