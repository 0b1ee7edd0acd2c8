-- tidal-lua wal import: every event in the log of its shard, or nothing at
-- all. That export gives it back is in export_spec.lua.
local cli = dofile "spec/support/cli.lua"
local core = require "tidal.core"
local golden = dofile "spec/support/golden.lua"
local import = dofile "spec/support/import.lua"
local json = require "tidal.json"
local lfs = require "lfs"
local script = dofile "spec/support/script.lua"

local CSV <const> = "0x000000000000002a,3,0.5,1700000000000000000\n"
  .. "18446744073709551615,255,-1e-07,0\n0x4000000000000000,0,nan,18446744073709551615\n"
  .. "42,1,inf,5\n"

local exists, names, with = import.exists, import.names, import.with

local EXPORTED <const> = "1,0,1,0x000000000000002a,3,0.5,1700000000000000000\n"
  .. "1,0,2,0x000000000000002a,1,inf,5\n"
  .. "1,1,1,0x4000000000000000,0,nan,18446744073709551615\n"
  .. "1,3,1,0xffffffffffffffff,255,-1.00000001e-07,0\n"

describe("wal import", function()
  it("puts each event into its shard's log of the named region", function()
    with(CSV, function(here)
      local exit, out, err = here.import { here.file }
      assert.same({ 0, "" }, { exit, err })
      assert.equal("r1:s0  2 events  1..2\nr1:s1   1 event  1..1\nr1:s3   1 event  1..1\n"
        .. "4 events imported into " .. here.dir .. " under epoch 3, synced\n", out)
      assert.equal(EXPORTED, here.export())
      assert.matches("layout%-0000000003.json wal%-0", names(here.dir))
      assert.same({ 0 }, { (cli.run { "wal", "verify", here.dir }) })
      local reader <close> = assert(core.wal.reader(here.dir))
      for batch in reader:batches(3) do
        assert.same({ 2, 3, false }, { batch.version, batch.layout_epoch, batch.lazy })
      end
    end)
  end)

  local forms = {
    { "with the names of the columns", "entity,signal_type,weight,timestamp_ns\r\n" .. CSV },
    { "of a spreadsheet", "\xef\xbb\xbf" .. CSV:gsub("\n", "\r\n") .. "\r\n" },
    { "without the last line feed", CSV:sub(1, -2) },
    { "of JSON", (CSV:gsub("(.-),(.-),(.-),(.-)\n", function(e, s, w, t)
      w = w:find "^[ni]" and '"' .. w .. '"' or w
      return ('{"timestamp_ns":%s, "weight":%s,"signal_type":%s,"entity":"%s"}\n'):format(
        t, w, s, e)
    end)) },
  }
  for _, form in ipairs(forms) do
    it("takes lines " .. form[1], function()
      with(form[2], function(here)
        assert.equal(0, (here.import { here.file }))
        assert.equal(EXPORTED, here.export())
      end)
    end)
  end

  it("reads standard input, redirected or through a pipe, and appends", function()
    with(CSV, function(here)
      assert.equal(0, (here.import({}, { stdin = CSV })))
      assert.equal(0, (here.import({ "-" }, { stdin = CSV })))
      local pipe = ("cat '%s' | '%s' wal import '%s' --layout '%s/layout.lua' --region eu-west")
        :format(here.file, cli.tidal, here.dir, here.base)
      local out = io.popen(pipe):read "a"
      assert.matches("^r1:s0  2 events  5..6\n", out)
      assert.equal(3 * 4, select(2, here.export():gsub("\n", "")))
    end)
  end)

  it("tells the result as JSON", function()
    with(CSV .. "x\n", function(here)
      local exit, out = here.import { "--json", "--skip-bad", here.file }
      local told = json.decode(out)
      assert.same({ 0, "tidal-import/1", 1, 3, "4", "1" }, { exit, told.format, told.region,
                  told.epoch, told.events, told.skipped })
      assert.same({ shard = 0, events = "2", first_seq = "1", last_seq = "2" }, told.logs[1])
      assert.equal(3, #told.logs)
    end)
  end)

  it("takes an empty input", function()
    with("\n", function(here)
      local exit, out = here.import { here.file }
      assert.same({ 0, "0 events imported into " .. here.dir .. " under epoch 3, synced\n" },
                  { exit, out })
      assert.equal("LOCK layout-0000000003.json", names(here.dir))
    end)
  end)

  it("commits many rounds in order", function()
    local lines, events = {}, {}
    for i = 1, 150000 do
      local id = i * 0x9e3779b97f4a7c15
      lines[i] = ("%s,%d,%d,%d\n"):format(core.u64.hex(id), i % 7, i % 3, i)
      events[i] = { lines[i]:sub(1, -2), id }
    end
    with(table.concat(lines), function(here)
      assert.equal(0, (here.import { here.file }))
      assert.is_true(here.export() == import.expected(events, 1))
    end)
  end)
end)

describe("wal import refuses", function()
  it("all of it for one bad line, and leaves no trace", function()
    for _, input in ipairs { "file", "standard input" } do
      with(CSV .. "1,256,0,1\n" .. CSV .. ",,,\n", function(here)
        local exit, out, err
        if input == "file" then exit, out, err = here.import { here.file }
        else exit, out, err = here.import({}, { stdin = import.read(here.file) }) end
        assert.same({ 1, "" }, { exit, out })
        assert.equal("tidal-lua: " .. (input == "file" and here.file or input)
          .. ": 2 bad lines, nothing was imported\n"
          .. '  line 5, column 3: signal_type "256": write an integer 0..255\n'
          .. '  line 10, column 1: entity "": write 0..18446744073709551615, or 0x and 1 to 16 '
          .. "hex digits\n--skip-bad passes over bad lines and imports the others\n", err)
        assert.is_false(exists(here.dir))
        lfs.mkdir(here.dir)
        assert.equal(1, (here.import { here.file }))
        assert.equal("", names(here.dir))
      end)
    end
  end)

  it("no more than asked: with --skip-bad the others are imported", function()
    with("x\n" .. CSV .. "1,256,0,1\n", function(here)
      local exit, out, err = here.import { "--skip-bad", here.file }
      assert.equal(0, exit)
      assert.matches("4 events imported .* synced; 2 bad lines skipped\n", out)
      assert.matches('line 1, column 1: "x": .* %(skipped%)\n', err)
      assert.matches('line 6, column 3: signal_type "256": .* %(skipped%)\n', err)
      assert.equal(EXPORTED, here.export())
    end)
  end)

  it("to show more than twenty faults, but counts them", function()
    with(("x\n"):rep(50), function(here)
      local _, _, err = here.import { here.file }
      assert.matches("50 bad lines", err)
      assert.matches("line 20, .*\n  %.%.%. and 30 more\n", err)
      assert.is_nil(err:find("line 21", 1, true))
      _, _, err = here.import { "--skip-bad", here.file }
      assert.matches("line 20, .*\n.*%.%.%. and 30 more\n", err)
    end)
  end)

  it("other columns even with --skip-bad", function()
    with("entity,weight,signal_type,timestamp_ns\n" .. CSV, function(here)
      local exit, _, err = here.import { "--skip-bad", here.file }
      assert.equal(1, exit)
      assert.matches("line 1, column 1: names \".*\": write entity,signal_type,", err)
      assert.is_nil(err:find("passes over", 1, true))
      assert.is_false(exists(here.dir))
    end)
  end)

  it("what it cannot read", function()
    with(CSV, function(here)
      for _, case in ipairs { { here.base, "Is a directory" },
                              { "nowhere", "nowhere: No such" } } do
        local exit, _, err = here.import { case[1] }
        assert.equal(1, exit)
        assert.matches(case[2], err, 1, true)
        assert.is_false(exists(here.dir))
      end
    end)
  end)

  it("an unknown region or layout", function()
    with(CSV, function(here)
      local function import_as(layout, region)
        return cli.run { "wal", "import", here.dir, "--layout", layout, "--region", region,
                         here.file }
      end
      local exit, _, err = import_as(here.base .. "/layout.lua", "eu-wset")
      assert.equal(1, exit)
      assert.equal("tidal-lua: --region eu-wset: prod has no region 'eu-wset' (did you mean "
                   .. "'eu-west'?); its regions are: us-east eu-west\n", err)
      exit, _, err = import_as(here.base .. "/none.lua", "eu-west")
      assert.equal(1, exit)
      assert.matches("none.lua", err, 1, true)
      assert.is_false(exists(here.dir))
    end)
  end)

  it("a directory under another layout, and writes nothing there", function()
    with(CSV, function(here)
      for epoch, word in pairs { [3] = "layout", [4] = "epoch" } do
        here.dir = here.base .. "/" .. word
        assert(core.wal.open(here.dir, { create = true,
               layout = script.layout { epoch = epoch } })):close()
        local before = names(here.dir)
        local exit, _, err = here.import { here.file }
        assert.equal(1, exit)
        assert.matches(": " .. word .. ": .*\nimport under the layout published there, or migrate",
                       err)
        assert.equal(before, names(here.dir))
      end
    end)
  end)

  it("a second writer, and what is no directory", function()
    with(CSV, function(here)
      local home <close> = assert(core.wal.open(here.dir, { create = true }))
      local exit, _, err = here.import { here.file }
      assert.equal(1, exit)
      assert.matches("locked: directory is held by another writer\nanother process writes", err)
      home:close()
      assert.equal("LOCK", names(here.dir))
      here.dir = here.file
      exit, _, err = here.import { here.file }
      assert.equal(1, exit)
      assert.matches("Not a directory", err)
      here.dir = "/proc/wal"
      exit, _, err = here.import { here.file }
      assert.equal(1, exit)
      assert.matches("/proc/wal: wal: io: making the directory failed: ", err)
      here.dir = here.base .. "/no/wal"
      assert.matches("No such file", select(3, here.import { here.file }))
    end)
  end)

  it("to write where it cannot, or into a damaged log", function()
    with(CSV, function(here)
      lfs.mkdir(here.dir)
      os.execute(("cp %s/damaged/flip-in-middle/* '%s'"):format(golden.dir, here.dir))
      local before = names(here.dir)
      local exit, _, err = here.import { here.file }
      assert.equal(1, exit)
      assert.matches("corrupt", err)
      assert.equal(before, (names(here.dir):gsub("LOCK ", "")))
    end)
  end)

  it("what changes between its two readings", function()
    with(CSV, function(here)
      local verb, real, reads = require "tidal.cli.wal.import", io.open, 0
      io.open = function(path, mode)  -- luacheck: ignore
        if path ~= here.file then return real(path, mode) end
        return { seek = function() return 0 end, read = function()
          reads = reads + 1
          return ({ CSV, nil, CSV:sub(1, -3) .. "6\n" })[reads]
        end }
      end
      local fine, err = pcall(verb.run, { here.dir, "--layout", here.base .. "/layout.lua",
                                            "--region", "us-east", here.file })
      io.open = real  -- luacheck: ignore
      assert.same({ false, here.file .. ": changed while it was read\nevents imported before "
        .. "that, from the start of each log's: r0:s0 0, r0:s1 0, r0:s3 0" },
        { fine, tostring(err) })
      assert.equal("", here.export())
    end)
  end)

  it("arguments that do not fit", function()
    for _, args in ipairs { {}, { "d" }, { "d", "--layout", "l" }, { "d", "--region", "r" },
                            { "d", "--layout", "l", "--region", "r", "f", "g" },
                            { "d", "--skip-bad=1" }, { "d", "--skipbad" } } do
      local exit, out, err = cli.run { "wal", "import", table.unpack(args) }
      assert.same({ 2, "" }, { exit, out })
      assert.matches("usage: tidal%-lua wal import DIR %-%-layout LAYOUT %-%-region NAME", err)
    end
    assert.matches("^usage:", select(2, cli.run { "wal", "import", "--help" }))
  end)
end)

describe("wal import and a full disk", function()
  local function big()
    local lines = {}
    for i = 1, 100000 do lines[i] = ("%d,1,1,%d\n"):format(i, i) end
    return table.concat(lines)
  end

  local function command(here)
    return ("'%s' wal import '%s' --layout '%s/layout.lua' --region eu-west"):format(
      cli.tidal, here.dir, here.base)
  end

  -- The program writes no file beyond so many blocks of 512 bytes.
  local LIMIT <const> = "trap '' XFSZ; ulimit -f %d; exec %s"

  local function shell(text)
    return cli.run({ "-c", text }, { program = "/bin/sh" })
  end

  -- Cut off in the second round: the first one is there, the next import
  -- takes the torn end away.
  local function check_stopped(here, exit, out, err)
    assert.same({ 1, "" }, { exit, out })
    assert.matches("events imported before that, from the start of each log's: r1:s0 65536\n",
                   err)
    assert.same({ 0 }, { (cli.run { "wal", "verify", here.dir }) })
  end

  it("says how far it came; what is there is whole", function()
    with(big(), function(here)
      local exit, out, err = shell(LIMIT:format(4000, command(here) .. " '" .. here.file .. "'"))
      assert.matches("poisoned: .*File too large", err)
      check_stopped(here, exit, out, err)
      exit, out, err = here.import({}, { stdin = CSV })
      assert.equal(0, exit)
      assert.matches("r1:s0 ended in a torn write: %d+ bytes went to quarantine/\n", err)
      assert.matches("^r1:s0  2 events  65537..65538\n", out)
      local text = here.export()
      assert.matches("^1,0,1,0x0000000000000001,1,1,1\n", text)
      assert.equal(65536 + 4, select(2, text:gsub("\n", "")))
    end)
  end)

  it("of the real kind, too", function()
    with(big(), function(here)
      lfs.mkdir(here.dir)
      if not os.execute(("mount -t tmpfs -o size=2m none '%s' 2>/dev/null"):format(here.dir)) then
        return pending "SKIP: no tmpfs can be mounted here"
      end
      local fine, why = pcall(function()
        local exit, out, err = here.import { here.file }
        assert.matches("full: .*nothing of it was kept: No space left", err)
        check_stopped(here, exit, out, err)
        assert.equal(65536, select(2, here.export():gsub("\n", "")))
      end)
      assert(os.execute(("umount '%s'"):format(here.dir)))
      if not fine then error(why, 0) end
    end)
  end)

  it("leaves no trace when there is no room for standard input", function()
    with(big(), function(here)
      local exit, _, err = shell("cat '" .. here.file .. "' | ("
                                 .. LIMIT:format(100, command(here)) .. ")")
      assert.equal(1, exit)
      assert.equal("tidal-lua: temporary file: File too large\n", err)
      assert.is_false(exists(here.dir))
    end)
  end)
end)
