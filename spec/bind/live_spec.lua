-- tidal.wal.layouts and walks over live events.
local core = require "tidal.core"
local golden = dofile "spec/support/golden.lua"
local raised = dofile "spec/support/raised.lua"
local wal_dir = dofile "spec/support/wal_dir.lua"

local function open(name)
  local reader = assert(core.wal.reader(golden.dir .. "/" .. name))
  return reader, assert(core.wal.layouts(reader))
end

local function text_of(layouts, shard, form, all, most)
  local walk <close> = assert(layouts:live(shard))
  local out = {}
  for text in function() return walk:text(form, all, most) end do out[#out + 1] = text end
  return table.concat(out)
end

describe("layouts", function()
  it("tell the published epochs, rising", function()
    local _, layouts = open "live/hashed"
    assert.same({ 1, 7, 4294967295 }, layouts:epochs())
    _, layouts = open "live/unpublished"
    assert.same({}, layouts:epochs())
  end)

  it("are nil, err where one is damaged", function()
    wal_dir.with(wal_dir.copy("live/moved", { ["layout-0000000003.json"] = wal_dir.flip(40) }),
                 function(dir)
      local layouts, err = core.wal.layouts(core.wal.reader(dir))
      assert.is_nil(layouts)
      assert.same({ "payload_hash", "layout-0000000003.json" }, { err.code, err.file })
    end)
  end)

  it("and walks raise when closed, also by their owners", function()
    local reader, layouts = open "live/moved"
    local walk = layouts:live(0)
    reader:close()
    assert.matches("the reader is closed", raised(walk.read, walk))
    assert.matches("the reader is closed", raised(layouts.epochs, layouts))
    layouts:close()
    assert.matches("the layouts are closed", raised(walk.counts, walk))
    walk:close()
    walk:close()
    assert.matches("the walk is closed", raised(walk.text, walk, "csv"))
  end)

  it("survive collection in any order", function()
    for _ = 1, 20 do
      local walk = core.wal.layouts(core.wal.reader(golden.dir .. "/live/moved")):live(0)
      collectgarbage()
      assert.is_true(walk:read() > 0)
    end
  end)
end)

describe("a walk", function()
  it("prints the same in pieces of any size", function()
    local _, layouts = open "live/hashed"
    for shard = 0, 3 do
      local whole = text_of(layouts, shard, "csv", false, 4294967295)
      assert.is_true(#whole > 500)
      for _, most in ipairs { 1, 700, 5000 } do
        assert.equal(whole, text_of(layouts, shard, "csv", false, most))
      end
    end
  end)

  it("counts what it passes, live events in the profile", function()
    local _, layouts = open "live/moved"
    local walk = layouts:live(2)
    local profile = core.profile(core.router.single())
    assert.equal(1011, walk:read(profile))
    assert.equal(0, walk:read(profile))
    local counts = walk:counts()
    assert.same({ core.region(0), 3, 39, 32, 0, 1, 39 },
                { counts.region, counts.batches, counts.events, counts.live, counts.sessions,
                  counts.first_seq, counts.last_seq })
    assert.equal(32, profile:events())
  end)

  it("has no numbers of an empty log", function()
    local _, layouts = open "live/moved"
    local walk = layouts:live(9)
    assert.equal(0, walk:read())
    assert.same({ batches = 0, events = 0, live = 0, sessions = 0 }, walk:counts())
  end)

  it("prints weights with a point in any locale", function()
    local found
    for _, name in ipairs { "de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8" } do
      found = found or os.setlocale(name, "numeric")
    end
    if not found then return pending "SKIP: no locale with a comma here" end
    local _, layouts = open "live/moved"
    local there = text_of(layouts, 0, "csv")
    os.setlocale("C", "numeric")
    assert.equal(text_of(layouts, 0, "csv"), there)
    assert.matches(",%d+%.%d+,", there)
  end)

  it("starts at an event", function()
    local _, layouts = open "v1-single"
    local walk = layouts:live(0, 39999)
    local text = walk:text("csv", false, 4294967295)
    assert.matches("^0,0,39999,[^\n]+\n0,0,40000,[^\n]+\n$", text)
  end)

  it("gives what stands before the damage, then nil, err again and again", function()
    local _, layouts = open "damaged/flip-in-middle"
    local walk, last, lines = layouts:live(0), nil, 0
    local text, err = walk:text "csv"
    while text do
      lines, last = lines + select(2, text:gsub("\n", "")), text
      text, err = walk:text "csv"
    end
    assert.equal(331, lines)
    assert.matches("0,0,331,", last, 1, true)
    assert.same({ "payload_hash", 0 }, { err.code, err.offset })
    assert.equal(err.code, select(2, walk:read()).code)
  end)

  it("takes its arguments as they must be", function()
    local _, layouts = open "live/moved"
    local walk = layouts:live(0)
    for _, bad in ipairs { { "xml" }, { 5 }, {}, { "csv", true, 0 }, { "csv", true, 1.5 },
                           { "csv", true, 4294967296 } } do
      assert.is_false(pcall(walk.text, walk, table.unpack(bad)))
    end
    assert.is_false(pcall(walk.read, walk, 5))
    assert.is_false(pcall(walk.read, walk, nil, 0))
    assert.is_false(pcall(layouts.live, layouts, 65536))
    assert.is_false(pcall(layouts.live, layouts, 0, 1.5))
    assert.is_false(pcall(core.wal.layouts, 5))
  end)
end)
