-- wal.journal and wal.migrations, over real files and a simulated disk.
local churn = dofile "spec/support/churn.lua"
local core = require "tidal.core"
local raised = dofile "spec/support/raised.lua"
local script = dofile "spec/support/script.lua"
local tidal = require "tidal"
local wal = core.wal

local NAME <const> = "migration-0000000009.journal"

-- f(directory, write(name, bytes), read(name)) over both.
local function both(f)
  local disk <close> = tidal.sim.disk { seed = 1 }
  assert(disk:write("us", "other", ""))
  f(disk:dir "us", function(name, bytes) assert(disk:write("us", name, bytes)) end,
    function(name) return disk:read("us", name) end)
  script.within({}, function(dir)
    f(dir, function(name, bytes)
      local file <close> = assert(io.open(dir .. "/" .. name, "wb"))
      file:write(bytes)
    end, function(name)
      local file <close> = assert(io.open(dir .. "/" .. name, "rb"))
      return file:read "a"
    end)
  end)
end

local LINES <const> = { "one", "", "a\0b", ("x"):rep(100000), "\xff\r" }

local function fill(dir)
  local journal <close>, lines = assert(wal.journal(dir, NAME, "create"))
  for _, line in ipairs(LINES) do assert.is_true(journal:append(line)) end
  return lines
end

local function lines_of(dir, mode)
  local journal <close>, lines = wal.journal(dir, NAME, mode)
  assert(journal, lines)
  return lines
end

describe("a journal", function()
  it("gives its lines back, whatever is in them", function()
    both(function(dir)
      assert.same({}, fill(dir))
      for _, mode in ipairs { "read", "write", "create" } do
        assert.same(LINES, lines_of(dir, mode))
      end
      assert.same(LINES, lines_of(dir))
    end)
  end)

  it("has a hash of place and text before each line", function()
    both(function(dir, _, read)
      fill(dir)
      local bytes = read(NAME)
      assert.matches("^%x+ one\n", bytes)
      assert.equal(#table.concat(LINES) + 18 * #LINES, #bytes)
    end)
  end)

  it("is made by create alone", function()
    both(function(dir)
      for _, mode in ipairs { "read", "write" } do
        local journal, err = wal.journal(dir, NAME, mode)
        assert.same({ nil, "io" }, { journal, err.code })
        assert.matches(NAME .. ": io: opening failed", tostring(err), 1, true)
      end
      assert.same({}, wal.migrations(dir))
      assert.same({}, lines_of(dir, "create"))
      assert.same({ NAME }, wal.migrations(dir))
    end)
  end)

  it("passes over a torn last line to read, and cuts it off to write", function()
    both(function(dir, write, read)
      fill(dir)
      local bytes = read(NAME)
      write(NAME, bytes .. bytes:sub(1, 19))
      assert.same(LINES, lines_of(dir, "read"))
      assert.equal(#bytes + 19, #read(NAME))
      assert.same(LINES, lines_of(dir, "write"))
      assert.equal(#bytes, #read(NAME))
    end)
  end)

  it("is refused where it is damaged", function()
    both(function(dir, write, read)
      fill(dir)
      local bytes = read(NAME)
      write(NAME, bytes:sub(1, 17) .. "O" .. bytes:sub(19))
      for _, mode in ipairs { "read", "write", "create" } do
        local journal, err = wal.journal(dir, NAME, mode)
        assert.same({ nil, "payload_hash", 0 }, { journal, err.code, err.offset })
        assert.matches(NAME .. ": payload_hash: line of a journal is damaged: the stored hash ends "
                       .. "in 0x", tostring(err), 1, true)
      end
    end)
  end)

  it("takes no line feed and says so without writing", function()
    both(function(dir, _, read)
      fill(dir)
      local before = read(NAME)
      local journal <close> = assert(wal.journal(dir, NAME, "write"))
      local done, err = journal:append "two\nlines"
      assert.same({ nil, "text" }, { done, err.code })
      assert.equal(before, read(NAME))
    end)
  end)

  it("takes a line of 16 MiB, not one byte more (TD_JOURNAL_LINE_MAX)", function()
    both(function(dir)
      local journal <close> = assert(wal.journal(dir, NAME, "create"))
      local line = ("x"):rep(16777216)
      assert.is_true(journal:append(line))
      local done, err = journal:append(line .. "x")
      assert.same({ nil, "length", 16777217, 16777216 }, { done, err.code, err.got, err.bound })
      assert.is_true(lines_of(dir)[1] == line)
    end)
  end)

  it("is closed once, and open to read it takes nothing", function()
    both(function(dir)
      fill(dir)
      local journal = assert(wal.journal(dir, NAME, "write"))
      journal:close()
      journal:close()
      assert.equal("the journal is closed", raised(journal.append, journal, "x"))
      journal = assert(wal.journal(dir, NAME))
      assert.equal("the journal is open to read", raised(journal.append, journal, "x"))
      journal:close()
      for i = 1, 20 do
        journal = assert(wal.journal(dir, NAME, i % 2 == 0 and "read" or "write"))
        journal = nil
        churn(200)
      end
      assert.is_nil(journal)
      assert.same(LINES, lines_of(dir))
    end)
  end)

  it("says what a full disk did not take; what was there stays", function()
    local disk <close> = tidal.sim.disk { seed = 1 }
    assert(disk:write("us", "other", ""))
    local journal <close> = assert(wal.journal(disk:dir "us", NAME, "create"))
    assert(journal:append "one")
    disk:fault { capacity = 25 }
    local done, err = journal:append(("x"):rep(10000))
    assert.same({ nil, "full" }, { done, err.code })
    disk:fault()
    assert.is_true(journal:append "two")
    assert.same({ "one", "two" }, lines_of(disk:dir "us"))
  end)

  it("is written by one at a time; others may read", function()
    both(function(dir)
      local journal = assert(wal.journal(dir, NAME, "create"))
      assert(journal:append "one")
      for _, mode in ipairs { "write", "create" } do
        local other, err = wal.journal(dir, NAME, mode)
        assert.same({ nil, "locked" }, { other, err.code })
        assert.equal(NAME .. ": locked: journal is held by another writer", tostring(err))
      end
      assert.same({ "one" }, lines_of(dir))
      journal:close()
      assert.same({ "one" }, lines_of(dir, "write"))
    end)
  end)

  it("that failed once says so from then on", function()
    local disk <close> = tidal.sim.disk { seed = 1 }
    assert(disk:write("us", "other", ""))
    local journal <close> = assert(wal.journal(disk:dir "us", NAME, "create"))
    disk:fault { fail_call = disk:calls() + 1 }
    local done, err = journal:append "one"
    assert.same({ nil, "io" }, { done, err.code })
    disk:fault()
    done, err = journal:append "two"
    assert.same({ nil, "io" }, { done, err.code })
  end)
end)

describe("arguments of wal.journal", function()
  local names = { "", "a/b", "/", ("x"):rep(300), "a\0b" }
  for _, name in ipairs(names) do
    it(("refuse the name %q"):format(name:sub(1, 10)), function()
      both(function(dir)
        assert.matches("name", raised(wal.journal, dir, name, "create"))
        assert.same({}, wal.migrations(dir))
      end)
    end)
  end

  it("refuse a mode that is none", function()
    both(function(dir)
      assert.matches("mode.*append", raised(wal.journal, dir, NAME, "append"))
      assert.matches("mode", raised(wal.journal, dir, NAME, 5))
    end)
  end)

  it("say which directory is not there", function()
    local disk <close> = tidal.sim.disk { seed = 1 }
    for _, dir in ipairs { "no_such_directory", disk:dir "none" } do
      local journal, err = wal.journal(dir, NAME, "create")
      assert.same({ nil, "io" }, { journal, err.code })
      journal, err = wal.migrations(dir)
      assert.same({ nil, "io" }, { journal, err.code })
      assert.matches("No such file", tostring(err))
    end
  end)
end)

describe("wal.migrations", function()
  it("gives names in exactly that form", function()
    both(function(dir, write)
      local names = { "migration-0000000001.journal", NAME, "migration-4294967295.journal" }
      for _, name in ipairs(names) do write(name, "") end
      for _, name in ipairs {
        "migration-4294967296.journal", "migration-1.journal", "migration-0000000001.journal2",
        "migration-000000000x.journal", "Migration-0000000001.journal", "migration-.journal",
        "migration-0000000001.journal.tmp", "migration- 000000001.journal",
        "migration-0000000001_journal",
      } do write(name, "") end
      local found = wal.migrations(dir)
      table.sort(found)
      assert.same(names, found)
    end)
  end)
end)
