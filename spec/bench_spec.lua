-- The two programs of benchmarks as a user runs them: what they say, their
-- JSON, their exit codes, and that nothing is left behind. What they measure
-- is asserted nowhere: gates belong to a quiet machine.
local cli = require "spec.support.cli"
local json = require "tidal.json"
local lfs = require "lfs"

local PROGRAM <const> = (cli.tidal:match "^(.*)/[^/]+$" or ".") .. "/tidal-bench"
local SHM <const> = "/dev/shm"

local function run(args, options)
  options = options or {}
  options.program = options.program or PROGRAM
  options.files = {}                 -- its removal fails if anything is left
  return cli.run(args, options)
end

-- Results of a run with --json, by id; checks what all of them have.
local function results_of(args, options)
  local status, out, err = run(args, options)
  local value, by_id, missed = json.decode(out), {}, false
  assert.equal("tidal-bench/1", value.format)
  assert.is_string(value.cpu)
  for _, r in ipairs(value.results) do
    by_id[r.id] = by_id[r.id] or {}
    table.insert(by_id[r.id], r)
    missed = missed or r.ok == false
    if not r.skip then
      assert.is_true(r.ours > 0 and r.peer > 0 and r.ratio > 0, r.name)
      assert.equal(r.gate == json.null, r.ok == json.null)
    end
  end
  assert.equal(missed and 1 or 0, status)
  return by_id, err
end

if not lfs.attributes(PROGRAM) then
  return describe("tidal-bench", function()
    it("stands beside tidal-lua", function() pending("it was not built") end)
  end)
end

describe("tidal-bench", function()
  it("says how it is used, and what --peers needs", function()
    local status, out = run { "--help" }
    assert.equal(0, status)
    assert.matches("^usage: tidal%-bench %[%-%-json%] %[%-%-dir DIR%] %[%-%-peers%]", out)
    status, out = run { "--peers", "--help" }
    assert.equal(0, status)
    assert.matches("apt-get install librocksdb-dev libsqlite3-dev liblmdb-dev redis-server", out,
                   1, true)
  end)

  for _, args in ipairs { { "G99" }, { "--dir" }, { "G" }, { "--peers", "G11" } } do
    it("refuses " .. table.concat(args, " "), function()
      local status, out, err = run(args)
      assert.equal(2, status)
      assert.equal("", out)
      assert.matches("unknown gate or group: " .. args[#args] .. "\nusage: ", err, 1, true)
    end)
  end

  it("says when the directory is not there", function()
    local status, out, err = run { "--dir", "/nonexistent", "G11" }
    assert.same({ 1, "", "benchmark: /nonexistent: No such file or directory\n" },
                { status, out, err })
  end)

  it("only reports where a sync is none", function()
    if not lfs.attributes(SHM) then return pending "no tmpfs" end
    local dir = SHM .. "/" .. os.tmpname():match "[^/]*$"
    assert(lfs.mkdir(dir))
    local by_id, err = results_of { "--json", "--dir", dir, "log", "logs" }
    assert(lfs.rmdir(dir))           -- nothing is left in it
    assert.matches("is on tmpfs: what waits for a disk is only reported", err, 1, true)
    for _, id in ipairs { "G11", "G14", "many" } do
      assert.equal(1, #by_id[id])
      assert.equal("ns", by_id[id][1].unit)
      assert.equal(json.null, by_id[id][1].gate)
    end
  end)

  it("leaves nothing behind when it is ended", function()
    local status, out = run({ "-c", ([[
      '%s' G14 >log 2>&1 &
      until ls -d tidal-bench-* >dirs 2>&1 || ! kill -0 $!; do sleep 0.01; done
      kill -TERM $!
      wait $!
      echo $? $(wc -l <dirs)
      ls -d tidal-bench-* 2>/dev/null
      rm log dirs]]):format(PROGRAM) }, { program = "sh" })
    assert.equal("143 1\n", out)
    assert.equal(0, status)
  end)
end)

describe("tidal-bench --peers", function()
  it("measures the peers that are there, and skips the others aloud", function()
    local by_id = results_of({ "--json", "--peers", "G13" }, { env = { PATH = "/nonexistent" } })
    local seen, skipped = {}, 0
    for _, r in ipairs(by_id.G13) do
      for _, peer in ipairs { "RocksDB", "SQLite", "LMDB", "Redis" } do
        if r.name:find(peer, 1, true) then seen[peer] = r end
      end
      if r.skip then
        skipped = skipped + 1
        assert.equal("SKIP", r.skip)
        assert.matches(": apt%-get install [%w-]+", r.name)
      end
    end
    assert.equal(5, #by_id.G13)
    assert.equal("Redis: apt-get install redis-server", seen.Redis.name)
    assert.is_true(seen.RocksDB and seen.SQLite and seen.LMDB and skipped >= 1)
    local status, out = run({ "--peers", "G13" }, { env = { PATH = "/nonexistent" } })
    assert.is_true(status == 0 or status == 1)
    assert.matches("G13   Redis: apt%-get install redis%-server +SKIP\n", out)
  end)
end)
