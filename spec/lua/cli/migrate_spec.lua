-- tidal-lua migrate, as a user meets it: real directories, real processes.
local cli = dofile "spec/support/cli.lua"
local core = require "tidal.core"
local dirs = dofile "spec/support/migration_dirs.lua"
local json = require "tidal.json"
local lfs = require "lfs"
local scene = dofile "spec/support/migration.lua"

local HEAD <const> = "spec: epoch 1 to epoch 2"

local function with(f) dirs.with({ count = 60 }, f) end

-- Refused with that exit status and message; nothing is changed.
local function refused(here, status, pattern, ...)
  local before = here:tree()
  local exit, out, err = here:raw(...)
  assert.same({ status, "" }, { exit, out }, err)
  assert.matches(pattern, err)
  assert.same({}, dirs.changes(before, here:tree()))
end

-- A migration that is begun and left after some steps, or when `enough` says.
local function begin(here, enough)
  local m = require "tidal.migrate"(here.from:diff(here.to)) { wal = here:dirs() }
  m:begin()
  local steps = 0
  while steps ~= (enough or 0) and not (type(enough) == "function" and enough(m)) do
    steps = steps + 1
    assert.is_true(m:step(steps))
  end
  m:close()
end

local function has_copied(m)
  return m:place("us"):state().laps > 0 and m:place("eu"):state().laps > 0
end

describe("the words of migrate", function()
  local E <const> = { "--from", "x.lua", "--to", "y.lua" }
  local usage = {
    { {}, "%-%-from is missing" },
    { { "--wal", "us=d" }, "%-%-from is missing" },
    { { "--from", "x.lua", "--wal", "us=d" }, "%-%-to is missing" },
    { { "--to", "x.lua", "--wal", "us=d", "--apply" }, "%-%-from is missing" },
    { E, "%-%-wal REGION=DIR is missing" },
    { { "--wal", "us", table.unpack(E) }, '%-%-wal takes REGION=DIR, got "us"' },
    { { "--wal", "=d", table.unpack(E) }, '%-%-wal takes REGION=DIR, got "=d"' },
    { { "--wal", "us=", table.unpack(E) }, '%-%-wal takes REGION=DIR, got "us="' },
    { { "--wal", "us=d", "--wal", "us=e", table.unpack(E) }, "%-%-wal us=e: once per region" },
    { { "--wal", "us=d/", "--wal", "eu=d", table.unpack(E) },
      "%-%-wal eu=d: is the directory of us: each region has its own" },
    { { "--apply", "--resume", "--wal", "us=d" }, "%-%-apply and %-%-resume: one of them" },
    { { "--abort", "--status", "--wal", "us=d" }, "%-%-abort and %-%-status: one of them" },
    { { "--resume", "--from", "x.lua", "--wal", "us=d" },
      "%-%-resume and %-%-from: the journal knows the layouts" },
    { { "--status", "--to", "x.lua", "--wal", "us=d" }, "%-%-status and %-%-to: the journal" },
    { { "--resume", "--rate", "quick", "--wal", "us=d" }, "%-%-rate: .*quick" },
    { { "--from", "a", "--to", "b", "--node-rate", "5", "--wal", "us=d" }, "%-%-node%-rate: .*5" },
    { { "--resume", "--link-rate=0kB/s", "--wal", "us=d" }, "%-%-link%-rate: .*0kB/s" },
    { { "--resume", "--concurrency", "0", "--wal", "us=d" },
      '%-%-concurrency takes a number, 1 or more, got "0"' },
    { { "--resume", "--concurrency", "1.5", "--wal", "us=d" }, '%-%-concurrency .*got "1.5"' },
    { { "--status", "extra", "--wal", "us=d" }, "unexpected argument extra" },
    { { "--statsu" }, "unknown option %-%-statsu.*%-%-status" },
  }
  for _, row in ipairs(usage) do
    it("are refused: " .. table.concat(row[1], " "), function()
      local args = table.move(row[1], 1, #row[1], 2, { "migrate" })
      local exit, out, err = cli.run(args)
      assert.same({ 2, "" }, { exit, out })
      assert.matches("^tidal%-lua: " .. row[2], err)
      assert.matches("\nusage: tidal%-lua migrate %-%-from OLD %-%-to NEW %-%-wal", err)
    end)
  end

  it("are shown by --help", function()
    local exit, out, err = cli.run { "migrate", "--help" }
    assert.same({ 0, "" }, { exit, err })
    assert.matches("%-%-resume|%-%-abort|%-%-status %[%-%-json%]", out)
  end)
end)

describe("migrate without --apply", function()
  it("says what would be done and changes nothing", function()
    with(function(here)
      local before = here:tree()
      local exit, out, err = here:run("--from", here:path "e1.lua", "--to", here:path "e2.lua")
      assert.same({ 0, "" }, { exit, err })
      assert.matches("^" .. HEAD .. "\n\n  1  copy us +%d+ events, %d+ B: ", out)
      assert.matches("\n  7  finish .*\n\nnothing was changed; %-%-apply does it\n$", out)
      assert.same({}, dirs.changes(before, here:tree()))
    end)
  end)
end)

describe("migrate --apply", function()
  it("does it; --status, --resume, --apply and --abort know that it is done", function()
    with(function(here)
      local exit, out, err = here:apply()
      assert.same({ 0, "" }, { exit, err })
      assert.matches("^done  copy us: %d+ events in 1 lap\ndone  copy eu: ", out)
      assert.matches("\ndone  cut over us: writers waited [%d.]+ %a+\n", out)
      assert.matches("\ndone  finish\n" .. HEAD .. ": done, %d+ events moved\n$", out)
      assert.same({}, here:faults(here.to))
      for _, region in ipairs(here.regions) do
        assert.equal(2, scene.epoch(here:path(region)))
        assert.equal(0, (cli.run { "wal", "verify", here:path(region) }))
      end
      local after = here:tree()
      assert.same({ 0, HEAD .. ": finished already, nothing to do\n", "" }, { here:apply() })
      assert.same({ 0, HEAD .. ": finished already, nothing to do\n", "" },
                  { here:run "--resume" })
      exit, out, err = here:run "--abort"
      assert.same({ 1, "" }, { exit, out })
      assert.equal("tidal-lua: epoch 2 is published in us, eu and cannot be aborted. The way back "
                   .. "is a migration to the old layout under epoch 3\n", err)
      exit, out = here:run "--status"
      assert.equal(0, exit)
      assert.matches("^" .. HEAD .. ": finished\n  us  published +%d+ events moved\n"
                     .. "  eu  published +%d+ events moved\n$", out)
      exit, out = here:run("--status", "--json")
      local status = json.decode(out)
      assert.same({ 0, 1, 2, "spec", "finished", 2 }, { exit, status.from, status.epoch,
                  status.name, status.state, #status.regions })
      assert.same({ "us", "published", 1 }, { status.regions[1].region,
                  status.regions[1].state, status.regions[1].laps })
      assert.same({}, dirs.changes(after, here:tree()))
    end)
  end)

  it("takes a rate and a concurrency", function()
    with(function(here)
      local exit, out = here:apply("--rate", "900MB/s", "--concurrency", "1",
                                   "--node-rate", "800MB/s", "--link-rate=700MB/s")
      assert.equal(0, exit)
      assert.matches("done, %d+ events moved\n$", out)
      assert.same({}, here:faults(here.to))
    end)
  end)

  it("goes there and back, under higher epochs", function()
    with(function(here)
      assert.equal(0, (here:apply()))
      local third = here:layout(3)
      assert.equal(0, (here:run("--from", here:path "e2.lua", "--to", here:path "e3.lua",
                                "--apply")))
      assert.same({}, here:faults(third))
      local exit, _, err = here:apply()
      assert.equal(1, exit)
      assert.matches("epoch 3 is published here already: the next layout takes epoch 4 or higher",
                     err)
    end)
  end)

  local function plan(here) return "--from", here:path "e1.lua", "--to", here:path "e2.lua" end
  local function both(here) return "--wal", "us=" .. here:path "us", "--wal",
                                   "eu=" .. here:path "eu" end
  local function splice(...)
    local out = {}
    for _, list in ipairs { ... } do table.move(list, 1, #list, #out + 1, out) end
    return table.unpack(out)
  end

  local wrong = {
    { "a region without its directory", "wal%.eu: is missing: every region's directory is needed",
      function(here) return splice({ plan(here) }, { "--wal", "us=" .. here:path "us" }) end },
    { "a region that is none", "wal%.au: there is no such region .did you mean 'eu'",
      function(here) return splice({ plan(here) }, { both(here) },
                                   { "--wal", "au=" .. here:path "none" }) end },
    { "one directory twice, in other words", "eu.* holds the logs r0:s0 r0:s1, none of eu, "
      .. "which is r1",
      function(here)
        return splice({ plan(here) }, { "--wal", "us=" .. here:path "us", "--wal",
                                        "eu=" .. here:path "eu/../us" })
      end },
    { "a directory that is not there", "eu.* No such file or directory",
      function(here) return splice({ plan(here) }, { "--wal", "us=" .. here:path "us", "--wal",
                                                     "eu=" .. here:path "none" }) end },
    { "directories of each other's regions",
      "us.* holds the logs r1:s0 r1:s1, none of us, which is r0",
      function(here) return splice({ plan(here) }, { "--wal", "us=" .. here:path "eu", "--wal",
                                                     "eu=" .. here:path "us" }) end },
    { "an epoch that is not higher",
      "plan: leads from epoch 1 to epoch 1: the next layout takes epoch 2 or higher",
      function(here) return splice({ "--from", here:path "e1.lua", "--to", here:path "e1.lua" },
                                   { both(here) }) end },
    { "layouts that lead down", "epoch",
      function(here) return splice({ "--from", here:path "e2.lua", "--to", here:path "e1.lua" },
                                   { both(here) }) end },
    { "a plan for another state", "us: epoch 1 is published here, the plan begins at epoch 2",
      function(here)
        here:layout(5)
        return splice({ "--from", here:path "e2.lua", "--to", here:path "e5.lua" }, { both(here) })
      end },
    { "a layout that is not the published one", "us: .*layout%-0000000001%.json",
      function(here)
        here:layout(1, 4)
        return splice({ plan(here) }, { both(here) })
      end },
    { "a region whose number would change", "us: is r0 and would be r1, and its logs say r0",
      function(here)
        dirs.write(here:path "e2.lua", dirs.read(here:path "e2.lua")
                   :gsub('"us", "eu"', '"eu", "us"'), nil)
        return splice({ plan(here) }, { both(here) })
      end },
    { "a plan that breaks a rule", "plan: after step %d+ rule 'max_leaders%(1%)' is broken: ",
      function(here)
        for _, name in ipairs { "e1.lua", "e2.lua" } do
          local text = dirs.read(here:path(name)):gsub('leaders = "all"', "leaders = { [0] = "
            .. '"us", s1 = "eu"' .. (name == "e2.lua" and ', s2 = "us"' or "") .. " }, "
            .. "rules = { tidal.rules.max_leaders(1) }")
          dirs.write(here:path(name), text)
        end
        return splice({ plan(here) }, { both(here) })
      end },
  }
  for _, row in ipairs(wrong) do
    it("refuses " .. row[1] .. ", and so it is without", function()
      with(function(here)
        local args = { row[3](here) }
        refused(here, 1, row[2], table.unpack(args))
        args[#args + 1] = "--apply"
        refused(here, 1, row[2], table.unpack(args))
      end)
    end)
  end

  it("says all that is wrong at once", function()
    with(function(here)
      refused(here, 1, "wal%.eu: is missing.*\nwal%.au: .*\nus: .*\n3 faults; nothing planned",
              "--apply",
              "--from", here:path "e1.lua", "--to", here:path "e2.lua", "--wal",
              "au=" .. here:path "us", "--wal", "us=" .. here:path "none")
    end)
  end)

  it("refuses a directory that somebody has open, and does it then", function()
    with(function(here)
      local home = assert(core.wal.open(here:path "eu"))
      local exit, out, err = here:apply()
      assert.same({ 1, "" }, { exit, out })
      assert.matches("eu: .*locked", err)
      assert.is_nil(here:tree()["us/" .. dirs.journal(2)])
      home:close()
      assert.equal(0, (here:apply()))
      assert.same({}, here:faults(here.to))
    end)
  end)
end)

describe("a migration that was left", function()
  it("is gone on with by --resume", function()
    with(function(here)
      begin(here, has_copied)
      local exit, out = here:run "--status"
      assert.equal(0, exit)
      assert.matches("^" .. HEAD .. ": running\n  us  copying", out)
      refused(here, 1, "us: a migration to epoch 2 is under way %(migration%-0000000002%.journal%)"
              .. ": %-%-resume goes on with it, %-%-abort gives it up", "--apply", "--from",
              here:path "e1.lua", "--to", here:path "e2.lua", here:wal())
      exit, out = here:run "--resume"
      assert.equal(0, exit)
      assert.matches(HEAD .. ": done, %d+ events moved\n$", out)
      assert.same({}, here:faults(here.to))
    end)
  end)

  it("is given up by --abort; its epoch is used up", function()
    with(function(here)
      begin(here, has_copied)
      local gone = { 0, "aborted: the old layout stays; epoch 2 is used up\n", "" }
      assert.same(gone, { here:run "--abort" })
      assert.same(gone, { here:run "--abort" })
      assert.same({}, here:faults(here.from))
      local exit, out, err = here:run "--status"
      assert.same({ 0, "" }, { exit, err })
      assert.matches(HEAD .. ": aborted", out)
      refused(here, 1, "epoch 2 was aborted: begin a new one with a higher epoch", "--resume",
              here:wal())
      exit, out, err = here:apply()
      assert.same({ 1, "" }, { exit, out })
      assert.matches("us: a migration to epoch 2 was begun here, and an epoch is used once: take "
                     .. "epoch 3", err)
      local fourth = here:layout(4)
      assert.equal(0, (here:run("--from", here:path "e1.lua", "--to", here:path "e4.lua",
                                "--apply")))
      assert.same({}, here:faults(fourth))
    end)
  end)

  it("half published, cannot be given up; it says how to go on", function()
    with(function(here)
      local m = require "tidal.migrate"(here.from:diff(here.to)) { wal = here:dirs() }
      for step = 1, 200 do
        m:step(step)
        if m:place("us"):state().published then break end
      end
      m:close()
      refused(here, 1, "epoch 2 is published in us and cannot be aborted. %-%-resume goes on. The "
              .. "way back is a migration to the old layout under epoch 3", "--abort", here:wal())
      local exit, out = here:run "--status"
      assert.equal(0, exit)
      assert.matches("running\n  us  published .*\n  eu  copying ", out)
      assert.equal(0, (here:run "--resume"))
      assert.same({}, here:faults(here.to))
    end)
  end)

  it("is not there: --resume, --abort and --status say so", function()
    with(function(here)
      for _, mode in ipairs { "--resume", "--abort", "--status" } do
        refused(here, 1, "^tidal%-lua: no migration was begun here\n$", mode, here:wal())
        local why = mode == "--status" and "no migration was begun here"
          or "us: cannot read the directory .*none: No such file or directory; give the one "
        refused(here, 1, why, mode, "--wal", "us=" .. here:path "none")
      end
    end)
  end)

  it("wants all of its directories, and no other", function()
    with(function(here)
      begin(here, 1)
      local us, eu = "us=" .. here:path "us", "eu=" .. here:path "eu"
      refused(here, 1, "wal%.eu: is missing", "--resume", "--wal", us)
      refused(here, 1, "journal .* is in us's directory: give all regions", "--resume", "--wal", eu)
      refused(here, 1, "wal%.au: is not a region of the migration", "--resume", "--wal", us,
              "--wal", eu, "--wal", "au=" .. here:path ".")
      refused(here, 2, "%-%-wal eu=.*us/: is the directory of us: each region has its own",
              "--resume", "--wal", us, "--wal", "eu=" .. here:path "us/")
      local exit, _, err = here:raw("--resume", "--wal", us, "--wal", "eu=" .. here:path "eu/../us")
      assert.equal(1, exit)
      assert.matches("locked", err)
    end)
  end)

  it("of another plan is told from this one", function()
    with(function(here)
      begin(here, 1)
      here:layout(2, 5)
      local before = here:tree()
      local exit, _, err = here:apply()
      assert.equal(1, exit)
      assert.matches("us: a migration to epoch 2 is under way", err)
      assert.same({}, dirs.changes(before, here:tree()))
    end)
  end)
end)

describe("a journal", function()
  local function file(here, region) return here:path(region .. "/" .. dirs.journal(2)) end

  it("that is damaged is refused with file and offset, by every verb", function()
    with(function(here)
      begin(here, 2)
      local path = file(here, "us")
      local bytes = dirs.read(path)
      dirs.write(path, bytes:sub(1, 40) .. "#" .. bytes:sub(42))
      for _, mode in ipairs { "--resume", "--abort", "--status" } do
        refused(here, 1, "us: migration%-0000000002%.journal.*at byte 0", mode, here:wal())
      end
      refused(here, 1, "us: .*migration%-0000000002%.journal", "--apply", "--from",
              here:path "e1.lua", "--to", here:path "e2.lua", here:wal())
    end)
  end)

  it("that a crash tore at its end is gone on with", function()
    with(function(here)
      begin(here, 2)
      local path = file(here, "us")
      local bytes = dirs.read(path)
      local last = bytes:match "[^\n]*\n$"
      for _, size in ipairs { 1, #last // 2, #last - 1 } do
        dirs.write(path, bytes .. last:sub(1, size))
        local exit, out = here:run "--status"
        assert.equal(0, exit)
        assert.matches(": running\n", out)
      end
      assert.equal(0, (here:run "--resume"))
      assert.same({}, here:faults(here.to))
    end)
  end)

  it("that lost its last line is right all the same, or is given up", function()
    local done = 0
    for steps = 1, 12 do
      with(function(here)
        begin(here, steps)
        local path = file(here, "us")
        local bytes = dirs.read(path)
        dirs.write(path, (bytes:gsub("[^\n]*\n$", "")))
        local exit, _, err = here:run "--resume"
        if exit == 0 then
          done = done + 1
          assert.same({}, here:faults(here.to))
        else
          assert.matches("nothing was published: abort, and take a new epoch", err)
          assert.same({}, here:faults(here.from))
          assert.equal(0, (here:run "--abort"))
          here:layout(4)
          assert.equal(0, (here:run("--from", here:path "e1.lua", "--to", here:path "e4.lua",
                                    "--apply")))
          assert.same({}, here:faults(here.to))
        end
      end)
    end
    assert.is_true(done > 5)
  end)

  it("of which nothing is left was never begun", function()
    with(function(here)
      begin(here)
      for _, region in ipairs(here.regions) do dirs.write(file(here, region), "0123") end
      local exit, _, err = here:run "--resume"
      assert.same({ 1, "tidal-lua: no migration was begun here\n" }, { exit, err })
      assert.equal(0, (here:apply()))
      assert.same({}, here:faults(here.to))
    end)
  end)
end)

describe("a migrated directory and the reference", function()
  it("agree on what is live", function()
    local folder = os.getenv "TIDAL_REFERENCE"
    local tool = folder and folder .. "/tidal_format.py"
    if not tool or not lfs.attributes(tool, "mode")
       or not os.execute "python3 -c '' 2>/dev/null" then
      return pending "SKIP: set TIDAL_REFERENCE=DIR to the folder of tidal_format.py"
    end
    local function agree(here)
      for _, region in ipairs(here.regions) do
        local pipe = io.popen(("python3 -B '%s' live '%s'"):format(tool, here:path(region)))
        local want = pipe:read "a"
        assert.is_true(pipe:close())
        assert.equal(60, select(2, want:gsub("\n", "")))
        assert.same({ 0, want, "" }, { cli.run { "wal", "export", here:path(region) } })
      end
    end
    with(function(here)
      begin(here, 2)      -- dead copies are there
      agree(here)
      assert.equal(0, (here:run "--abort"))
      agree(here)
      for _, pair in ipairs { { 1, 3, 4 }, { 3, 4, 2 } } do  -- epochs, and shards
        here:layout(pair[2], pair[3])
        here:migrate(pair[1], pair[2])
        agree(here)
      end
    end)
  end)
end)
