-- tidal-lua wal export: event for event what another implementation finds
-- live. Golden directories always; with TIDAL_REFERENCE=DIR (and python3)
-- also random ones, against DIR/tidal_format.py.
local cli = dofile "spec/support/cli.lua"
local core = require "tidal.core"
local gen = dofile "spec/support/gen.lua"
local golden = dofile "spec/support/golden.lua"
local import = dofile "spec/support/import.lua"
local json = require "tidal.json"
local wal_dir = dofile "spec/support/wal_dir.lua"

local LIVE <const> = { "moved", "unpublished", "hashed" }

local function export(dir, ...)
  return cli.run { "wal", "export", dir, ... }
end

local function csv_of(line)
  local e = json.decode(line)
  local weight = line:match '"weight":"?([^,"]+)'  -- as written: -0 is no integer
  return ("%d,%d,%s,%s,%d,%s,%s"):format(e.region, e.shard, e.seqno, e.entity, e.signal_type,
                                         weight, e.timestamp_ns), e
end

describe("wal export", function()
  for _, name in ipairs(LIVE) do
    it("prints the live events of " .. name .. ", byte for byte", function()
      local exit, out, err = export(golden.dir .. "/live/" .. name)
      assert.same({ 0, "" }, { exit, err })
      assert.equal(golden.read("live/" .. name .. ".csv"), out)
      assert.equal(out, select(2, export(golden.dir .. "/live/" .. name, "--csv")))
    end)

    it("prints the same as JSON: " .. name, function()
      local exit, out = export(golden.dir .. "/live/" .. name, "--json")
      local lines = {}
      for line in out:gmatch "[^\n]+" do lines[#lines + 1] = csv_of(line) .. "\n" end
      assert.same({ 0, golden.read("live/" .. name .. ".csv") }, { exit, table.concat(lines) })
    end)

    it("marks dead events with --all --json: " .. name, function()
      local _, out = export(golden.dir .. "/live/" .. name, "--json", "--all")
      local lines, dead = {}, 0
      for line in out:gmatch "[^\n]+" do
        local csv, event = csv_of(line)
        if event.live then lines[#lines + 1] = csv .. "\n" else dead = dead + 1 end
      end
      assert.equal(golden.read("live/" .. name .. ".csv"), table.concat(lines))
      assert.equal(name == "unpublished", dead == 0)
    end)
  end

  it("prints all 40000 events of a log without layouts", function()
    local exit, out = export(golden.dir .. "/v1-single")
    assert.same({ 0, 40000 }, { exit, select(2, out:gsub("\n", "")) })
    assert.matches("^0,0,1,0x%x+,%d+,[^,]+,%d+\n", out)
  end)

  it("prints nothing of an empty directory", function()
    wal_dir.with({}, function(dir)
      assert.same({ 0, "", "" }, { export(dir) })
    end)
  end)

  it("is 1 at damage, behind what stands before it, and names the next step", function()
    local exit, out, err = export(golden.dir .. "/damaged/torn-payload")
    assert.same({ 1, 500 }, { exit, select(2, out:gsub("\n", "")) })
    assert.matches("0301%.seg: short: .* %(at byte 4328%)", err)
    assert.matches("lua wal verify .*torn%-payload` says what is damaged", err)
  end)

  it("prints nothing where a layout or cut is damaged: dead events stay dead", function()
    for _, name in ipairs { "layout-0000000002.json", "cuts-s00000" } do
      wal_dir.with(wal_dir.copy("live/moved", { [name] = wal_dir.flip(30) }), function(dir)
        local exit, out, err = export(dir)
        assert.same({ 1, "" }, { exit, out })
        assert.matches(name, err, 1, true)
        assert.matches("wal verify", err, 1, true)
      end)
    end
  end)

  it("takes one form", function()
    local exit, out, err = export("x", "--csv", "--json")
    assert.same({ 2, "" }, { exit, out })
    assert.matches("not both", err)
  end)

  it("fails where its output goes nowhere", function()
    local exit, _, err = cli.run({ "wal", "export", golden.dir .. "/v1-single" },
                                 { stdout = "/dev/full" })
    assert.equal(1, exit)
    assert.matches("No space left", err)
  end)
end)

-- --- against the reference, over random directories ------------------------

local STRATEGIES <const> = { "single", "hash", "ranges", "hash_ranges" }

local function random_ranges(rng, shards)
  local starts, count = { 0 }, rng:int(0, 5)
  for i = 1, count do starts[i + 1] = rng:u64() end
  table.sort(starts, core.u64.lt)
  local out = {}
  for i, first in ipairs(starts) do
    local following = starts[i + 1]
    if following ~= first then
      out[#out + 1] = ('{"shard":%d,"first":"%s","last":"%s"}'):format(
        rng:int(0, shards - 1), core.u64.hex(first),
        core.u64.hex(following and following - 1 or -1))
    end
  end
  return "[" .. table.concat(out, ",") .. "]"
end

local function random_batch(rng, seq, shard, region)
  local events = {}
  for i = 1, 1 + rng:int(0, 19) do
    events[i] = { entity = rng:int(0, 2) == 0 and -1 - rng:int(0, 2) or rng:u64(),
                  signal_type = rng:int(0, 255), weight = rng:int(0, 1999) / 7,
                  timestamp_ns = rng:u64() }
  end
  return core.wal.encode_batch { first_seq = seq, timestamp_ns = 1, shard = shard,
                                 region = region, epoch = rng:int(0, 5), events = events }, #events
end

local function random_files(rng)
  local files = {}
  for epoch = 1, 5 do
    if rng:int(0, 1) == 0 then
      local strategy = STRATEGIES[1 + rng:int(0, 3)]
      local shards = 1 + rng:int(0, 3)
      local ranges = strategy:find "ranges" and random_ranges(rng, shards) or nil
      local name, bytes = wal_dir.layout(epoch, strategy, shards, ranges)
      files[name] = bytes
    end
  end
  for shard = 0, rng:int(0, 3) do
    local region, seq = rng:int(0, 2), 1
    for _ = 1, 1 + rng:int(0, 2) do
      local first, parts = seq, {}
      for i = 1, 1 + rng:int(0, 5) do
        local count
        parts[i], count = random_batch(rng, seq, shard, region)
        seq = seq + count
      end
      files[core.wal.segment_name(shard, first)] = table.concat(parts) .. ("\0"):rep(rng:int(0, 98))
    end
    local cuts, epoch = {}, 0
    for i = 1, rng:int(0, 3) do
      epoch = epoch + 1 + rng:int(0, 1)
      cuts[i] = { upto = rng:int(0, seq), epoch = epoch }
    end
    if #cuts > 0 then
      files[("cuts-s%05d"):format(shard)] = core.wal.encode_cuts {
        shard = shard, region = region, generation = 1, cuts = cuts }
    end
  end
  return files
end

local function reference()
  local dir = os.getenv "TIDAL_REFERENCE"
  local script = dir and dir .. "/tidal_format.py"
  local file = script and io.open(script)
  if file then file:close() end
  if not file or not os.execute "python3 -c '' 2>/dev/null" then return nil end
  return script
end

describe("wal export and the reference", function()
  it("agree event for event over random directories", function()
    local script = reference()
    if not script then
      return pending "SKIP: set TIDAL_REFERENCE=DIR to the folder of tidal_format.py"
    end
    local rng, printed = gen.stream "live against the reference", 0
    for _ = 1, 12 do
      wal_dir.with(random_files(rng), function(dir)
        local pipe = io.popen(("python3 -B '%s' live '%s'"):format(script, dir))
        local want = pipe:read "a"
        assert.is_true(pipe:close())
        local exit, out = export(dir)
        printed = printed + #out
        assert.same({ 0, want }, { exit, out })
      end)
    end
    assert.is_true(printed > 3000)
  end)
end)

-- --- and back --------------------------------------------------------------

describe("export and import", function()
  it("are each other's inverse: golden logs, in both forms", function()
    for _, name in ipairs { "v2-five-shards", "live/moved" } do
      for _, form in ipairs { "--csv", "--json" } do
        local _, text = cli.run { "wal", "export", golden.dir .. "/" .. name, form }
        import.with(text, function(here)
          assert.equal(0, (here.import { here.file }))
          local events = {}
          local _, csv = cli.run { "wal", "export", golden.dir .. "/" .. name }
          for line in csv:gmatch "[^\n]+" do
            local event = line:match "^%d+,%d+,%d+,(.*)"
            events[#events + 1] = { event, event:match "^[^,]+" }
          end
          assert.is_true(#events > 30)
          assert.is_true(here.export() == import.expected(events, 1))
        end)
      end
    end
  end)

  it("keep every bit of every weight that is a number (property)", function()
    gen.property("weights through text", 4, function(rng)
      local builder = core.wal.builder()
      for _ = 1, 2000 do
        local weight = string.unpack("<f", string.pack("<I4", rng:u32()))
        if weight ~= weight then weight = 0 / 0 end
        builder:add(rng:u64() >> 2, rng:int(0, 255), weight, rng:u64())
      end
      local payload = builder:seal { first_seq = 1 }:sub(65)
      local batch = core.wal.encode_batch { first_seq = 1, payload = payload }
      return wal_dir.with({ [core.wal.segment_name(0, 1)] = batch }, function(source)
        local form = rng:pick { "--csv", "--json" }
        local _, text = cli.run { "wal", "export", source, form }
        return import.with(text, function(here)
          local exit, _, err = here.import { here.file }
          if exit ~= 0 then return err end
          local reader <close> = assert(core.wal.reader(here.dir))
          local got = {}
          for one in reader:batches(0) do got[#got + 1] = one.payload end
          -- A NaN has one text: they all become the same one.
          local want = payload:gsub(("."):rep(21), function(record)
            local weight = string.unpack("<f", record, 10)
            return weight ~= weight and record:sub(1, 9) .. "\0\0\xc0\x7f" .. record:sub(14) or nil
          end)
          if table.concat(got) ~= want then return "other bytes" end
        end)
      end)
    end)
  end)

  it("refuse dead events: they would come back to life", function()
    local _, text = cli.run { "wal", "export", golden.dir .. "/live/moved", "--json", "--all" }
    import.with(text, function(here)
      local exit, _, err = here.import { here.file }
      assert.equal(1, exit)
      assert.matches('key "live": is not known', err)
    end)
  end)

  it("agree with the reference", function()
    local script = reference()
    if not script then
      return pending "SKIP: set TIDAL_REFERENCE=DIR to the folder of tidal_format.py"
    end
    local rng, lines = gen.stream "import against the reference", {}
    for i = 1, 3000 do
      lines[i] = ("%s,%d,%.9g,%s\n"):format(core.u64.str(rng:u64()), rng:int(0, 255),
                                           rng:int(-2000, 2000) / 7, core.u64.hex(rng:u64()))
    end
    import.with(table.concat(lines), function(here)
      assert.equal(0, (here.import { here.file }))
      local pipe = io.popen(("python3 -B '%s' live '%s'"):format(script, here.dir))
      local want = pipe:read "a"
      assert.is_true(pipe:close())
      assert.equal(3000, select(2, want:gsub("\n", "")))
      assert.is_true(want == here.export())
    end)
  end)
end)
