-- How logs are opened: tidal.wal.open, wal.writer and wal.recover; what is
-- published, what is refused.
local core = require "tidal.core"
local golden = dofile "spec/support/golden.lua"
local lfs = require "lfs"
local raised = dofile "spec/support/raised.lua"
local script = dofile "spec/support/script.lua"
local wal = core.wal

local EVENT <const> = { entity = 1, signal_type = 2, weight = 3, timestamp_ns = 4 }

local function names(dir)
  local out = {}
  for name in lfs.dir(dir) do if name:sub(1, 1) ~= "." then out[#out + 1] = name end end
  table.sort(out)
  return table.concat(out, " ")
end

local function within(f) return script.within({}, f) end

-- nil, err as { code, message }
local function refused(object, err)
  assert.is_nil(object)
  return err.code, err.message
end

describe("open", function()
  it("makes the directory when asked to, and only the last part of its path", function()
    within(function(dir)
      assert.equal("io", (refused(wal.open(dir .. "/a"))))
      assert.equal("io", (refused(wal.open(dir .. "/a/b", { create = true }))))
      assert.equal("", names(dir))
      for _, tail in ipairs { "/a", "/a", "/b/", "/c//" } do
        assert(wal.open(dir .. tail, { create = true })):close()
      end
      assert.equal("a b c", names(dir))
      assert.matches("making the directory failed: ",
                     select(2, refused(wal.open("/proc/x", { create = true }))))
    end)
  end)

  it("publishes the first layout and takes it ever after", function()
    within(function(dir)
      local layout = script.layout { epoch = 7 }
      assert(wal.open(dir, { layout = layout })):close()
      local file = assert(io.open(dir .. "/layout-0000000007.json"))
      assert.equal(layout:text(), file:read "a")
      file:close()
      assert(wal.open(dir, { layout = layout:text() })):close()
      assert.equal("layout", (refused(wal.open(dir, { layout = script.layout {
        epoch = 7, shards = 4 } }))))
      assert.equal("epoch", (refused(wal.open(dir, { layout = script.layout { epoch = 8 } }))))
      assert.equal("LOCK layout-0000000007.json", names(dir))
    end)
  end)

  it("refuses a text that is no layout", function()
    within(function(dir)
      local text = script.layout():text()
      for _, bad in ipairs { "", "{}", text:sub(1, -3), text .. " ",
                             (text:gsub("prod", "prob")) } do
        local home, err = wal.open(dir, { layout = bad })
        assert.is_nil(home)
        assert.is_true(core.is_error(err))
      end
      for _, bad in ipairs { 5, true, {}, setmetatable({}, { __name = "tidal.Layout" }), print } do
        assert.is_false(pcall(wal.open, dir, { layout = bad }))
      end
      assert.matches("layout: a layout or the text of a layout file expected, got table",
                     raised(wal.open, dir, { layout = {} }))
      assert.equal("LOCK", names(dir))
    end)
  end)

  it("is for one at a time", function()
    within(function(dir)
      local home <close> = assert(wal.open(dir))
      assert.equal("locked", (refused(wal.open(dir))))
      assert.equal("locked", (refused(wal.writer { dir = dir })))
      assert.equal("locked", (refused(wal.recover { dir = dir })))
      home:close()
      assert(wal.open(dir)):close()
    end)
  end)

  it("refuses other options", function()
    assert.matches("unknown key \"lay\"; known are layout, create",
                   raised(wal.open, "x", { lay = 1 }))
    assert.matches("a table { layout =, create = } expected, got 5", raised(wal.open, "x", 5))
    assert.matches("a path holds no zero byte", raised(wal.open, "x\0y"))
    assert.matches("create: a boolean expected, got 1", raised(wal.open, "x", { create = 1 }))
  end)
end)

describe("a writer", function()
  it("is opened in a home, or with one of its own", function()
    within(function(dir)
      local home = assert(wal.open(dir))
      local writer = assert(home:writer { shard = "s3", region = 2 })
      assert.equal(core.log(2, 3), writer:log())
      writer:close()
      home:close()
      local alone = assert(wal.writer { dir = dir, shard = 3, region = core.region(2) })
      assert.equal(1, alone:append { EVENT })
      assert.equal("locked", (refused(wal.open(dir))))
      assert.is_true(alone:close())
      assert(wal.open(dir)):close()
    end)
  end)

  it("needs the layout that is published, and one of its shards", function()
    within(function(dir)
      assert(wal.open(dir, { layout = script.layout() })):close()
      assert.equal("epoch", (refused(wal.writer { dir = dir })))
      local home <close> = assert(wal.open(dir, { layout = script.layout() }))
      assert.equal("out_of_range", (refused(home:writer { shard = 5 })))
      local writer = assert(home:writer { shard = 4 })
      writer:append { { entity = -1, signal_type = 2, weight = 3, timestamp_ns = 4 } }
      home:close()
      local reader <close> = wal.reader(dir)
      local cursor <close> = reader:cursor(4)
      assert.equal(1, cursor:next().layout_epoch)
    end)
  end)

  it("is one for each shard number, whatever the region", function()
    within(function(dir)
      local home <close> = assert(wal.open(dir))
      local first = assert(home:writer { shard = 3 })
      assert.equal("s3 has an open writer in this directory; close it first",
                   raised(home.writer, home, { shard = 3, region = 1 }))
      first:close()
      assert(home:writer { shard = 3 }):close()
    end)
  end)

  it("refuses a log of another region, and damage, and changes nothing", function()
    for _, case in ipairs { { "v1-single", { region = 1 }, "mismatch" },
                            { "damaged/flip-in-middle", {}, "corrupt" },
                            { "damaged/version-3", {}, "unsupported" } } do
      script.within({}, function(dir)
        os.execute(("cp %s/%s/* %s"):format(golden.dir, case[1], dir))
        local before = names(dir)
        case[2].dir = dir
        local code = refused(wal.writer(case[2]))
        assert.equal(case[3], code)
        assert.equal(code, (refused(wal.recover(case[2]))))
        assert.same(before, (names(dir):gsub("LOCK ", "")))
        assert(wal.open(dir)):close()
      end)
    end
  end)

  it("takes its options as they must be", function()
    local function why(options)
      options.dir = "build/nothing/there"
      return raised(wal.writer, options)
    end
    assert.matches("dir: is missing", raised(wal.writer, {}))
    assert.matches("unknown key \"dri\"", raised(wal.writer, { dri = "x" }))
    assert.matches("sync: one of always, unsafe_interval, unsafe_never expected",
                   why { sync = "never" })
    assert.matches("sync_interval_ns: goes with", why { sync = "unsafe_interval" })
    assert.matches("segment_bytes: 4095 is outside 4096..16777216", why { segment_bytes = 4095 })
    assert.matches("segment_bytes: 16777217 is outside", why { segment_bytes = 16777217 })
    assert.matches("group_events_max: 798913 is outside 1..798912",
                   why { group_events_max = 798913 })
    assert.matches("window_events: 16777217 is outside 0..16777216",
                   why { window_events = 16777217 })
    assert.matches("group_events_max: 0 is outside", why { group_events_max = 0 })
    assert.matches("group_delay_ns: 60000000001 is outside", why { group_delay_ns = 60000000001 })
    assert.matches("shard: a shard .* expected, got the float 1.5", why { shard = 1.5 })
    assert.equal("io", (refused(wal.writer { dir = "build/nothing/there", segment_bytes = 4096,
      sync = "unsafe_interval", sync_interval_ns = 1, group_events_max = 798912,
      group_delay_ns = 60000000000, window_events = 16777216, shard = 65535, region = 65535 })))
  end)
end)

describe("recover", function()
  it("mends what a crash left and says what it did", function()
    within(function(dir)
      os.execute(("cp %s/damaged/torn-payload/* %s"):format(golden.dir, dir))
      local report = assert(wal.recover { dir = dir })
      assert.same({ true, "wal-00000000000000000301.seg", 4328, false, 500 },
                  { report.torn, report.file, report.offset, report.clean, report.last_seq })
      assert.is_true(report.cut_bytes > 0)
      assert.matches("quarantine", names(dir))
      report = assert(wal.recover { dir = dir })
      assert.same({ false, true, 500 }, { report.torn, report.clean, report.last_seq })
      assert.is_nil(report.file)
    end)
  end)

  it("takes the layout that is published", function()
    within(function(dir)
      assert(wal.open(dir, { layout = script.layout { epoch = 9 } })):close()
      assert.equal(0, wal.recover { dir = dir, shard = 2 }.last_seq)
      assert.equal("out_of_range", (refused(wal.recover { dir = dir, shard = 5 })))
      assert.equal("layout", (refused(wal.recover { dir = dir, layout = script.layout {
        epoch = 9, shards = 2 } })))
      assert(wal.open(dir, { layout = script.layout { epoch = 9 } })):close()
    end)
  end)
end)
