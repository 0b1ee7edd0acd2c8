-- tidal-lua wal repair: golden directories, exit statuses, what is said.
local cli = dofile "spec/support/cli.lua"
local golden = dofile "spec/support/golden.lua"
local json = require "tidal.json"
local wal_dir = dofile "spec/support/wal_dir.lua"

local function verdicts(dir)
  local _, out = cli.run { "wal", "verify", dir, "--json" }
  local list = {}
  for _, finding in ipairs(json.decode(out).findings) do
    list[#list + 1] = finding.verdict
  end
  return list
end

local function export(dir)
  local exit, out = cli.run { "wal", "export", dir, "--all" }
  return exit, out
end

describe("wal repair", function()
  local expect = golden.json "damaged/expect.json"
  for _, name in ipairs { "cut-sealed", "flip-in-middle", "flip-in-sealed", "missing-segment",
                          "torn-header", "torn-payload", "wrong-name" } do
    it("makes the logs of " .. name .. " whole", function()
      wal_dir.with(wal_dir.copy("damaged/" .. name), function(dir)
        local exit, plan = cli.run { "wal", "repair", dir }
        assert.equal(0, exit)
        assert.matches("nothing was changed, %-%-apply does it", plan)
        assert.same({ expect[name].verdict }, verdicts(dir))
        local again, done = cli.run { "wal", "repair", dir, "--apply" }
        assert.equal(0, again)
        assert.equal(plan:match "^(.-)\n[^\n]*nothing was", done:match "^(.-)\n[^\n]*done; ")
        assert.same({}, verdicts(dir))
        assert.equal(0, (export(dir)))
        local last, out = cli.run { "wal", "repair", dir }
        assert.same({ 0, "sound: nothing to repair\n" }, { last, out })
      end)
    end)
  end

  for name, why in pairs {
    ["version-3"] = "written by a newer version: only that one may touch it",
    ["v1-with-tags"] = "bytes that must be zero are not: ask what wrote it",
  } do
    it("leaves " .. name .. " alone", function()
      wal_dir.with(wal_dir.copy("damaged/" .. name), function(dir)
        local exit, out = cli.run { "wal", "repair", dir, "--apply" }
        assert.equal(1, exit)
        assert.equal(("leave  %s: %s\n1 file left alone\n"):format(expect[name].file, why), out)
        assert.same({ expect[name].verdict }, verdicts(dir))
      end)
    end)
  end

  it("says what is given up", function()
    wal_dir.with(wal_dir.copy "damaged/missing-segment", function(dir)
      local _, out = cli.run { "wal", "repair", dir }
      local lines = {}
      for line in out:gmatch "[^\n]+" do lines[#lines + 1] = line end
      assert.same({
        "move   wal-s00003-00000000000000000892.seg, 6745 bytes, 309 readable events 892..1200: "
        .. "stands behind damage, or was to be removed",
        "move   wal-s00003-00000000000000000592.seg, 6492 bytes, 300 readable events 592..891: "
        .. "stands behind damage, or was to be removed",
        "2 actions; nothing was changed, --apply does it",
        "acknowledged events are given up: bring the files back from a follower or a backup "
        .. "first, if there is one",
        "new events will get the numbers of those given up: whoever applied them must start anew",
      }, lines)
    end)
  end)

  it("keeps layouts and cuts", function()
    local name, bytes = wal_dir.layout(2, "hash", 3)
    wal_dir.with({ [name] = bytes:gsub("hash", "hasn", 1), ["cuts-s00001"] = "x" }, function(dir)
      local exit, out = cli.run { "wal", "repair", dir, "--apply" }
      assert.equal(1, exit)
      assert.matches("leave  cuts%-s00001: without it dead events would count again", out)
      assert.matches("leave  layout%-0000000002.json: without it dead", out)
      assert.matches("2 files left alone", out)
    end)
  end)

  it("gives no event up for a bad checkpoint", function()
    local files = wal_dir.copy("v2-five-shards", { ["checkpoint-s00003.1"] = wal_dir.flip(9) })
    wal_dir.with(files, function(dir)
      local exit, out = cli.run { "wal", "repair", dir, "--apply" }
      assert.equal(0, exit)
      assert.equal(("move   checkpoint-s00003.1: damaged, or names what is not there\n"
                    .. "1 action done; what went is in %s/quarantine\n"):format(dir), out)
      assert.same({}, verdicts(dir))
    end)
  end)

  it("is refused without a directory, and for one in use", function()
    local exit, _, err = cli.run { "wal", "repair" }
    assert.equal(2, exit)
    assert.matches("too few arguments", err)
    exit, _, err = cli.run { "wal", "repair", "spec/nowhere", "--apply" }
    assert.equal(1, exit)
    assert.matches("No such file or directory", err)
  end)
end)
