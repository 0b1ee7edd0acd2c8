-- The journal of a migration: what its lines say, line by line.
local core = require "tidal.core"
local json = require "tidal.json"
local raised = dofile "spec/support/raised.lua"
local record = require "tidal.migrate.record"
local tidal = require "tidal"

local MAX <const> = "18446744073709551615"
local TASK <const> = {
  name = "spec", from = { epoch = 1, hash = "aa", text = "old\n" },
  to = { epoch = 2, hash = "bb", text = "new\n" },
  places = { { region = "us", id = 0 }, { region = "eu", id = 1 } },
}

local function dir() return tidal.sim.disk { seed = 1 }:dir "us" end

-- A directory whose journal has these lines, as text.
local function written(...)
  local where = dir()
  local home <close> = assert(core.wal.open(where, { create = true }))
  local journal <close> = assert(core.wal.journal(where, record.name(2), "create"))
  for _, line in ipairs { ... } do assert(journal:append(line)) end
  return where, home
end

local BEGIN <const> = json.encode(record.begin(TASK))

local function state_of(...)
  local journal = record.open(written(BEGIN, ...), 2, "read")
  journal:close()
  return journal.state
end

local function us(step, logs)
  return ('{"step":"%s","region":"us"%s}'):format(step, logs and ',"logs":' .. logs or "")
end

describe("a journal of a migration", function()
  it("has the epoch in its name, in ten digits", function()
    assert.equal("migration-0000000002.journal", record.name(2))
    assert.equal("migration-4294967295.journal", record.name(0xffffffff))
  end)

  it("says in its first line what is done", function()
    assert.equal('{"step":"begin","format":"tidal-migration/1","name":"spec",'
      .. '"from":{"epoch":1,"hash":"aa","text":"old\\n"},'
      .. '"to":{"epoch":2,"hash":"bb","text":"new\\n"},'
      .. '"regions":[{"region":"us","id":0},{"region":"eu","id":1}]}', BEGIN)
    local state = state_of()
    assert.same({ "new\n", "old\n", "spec" },
                { state.begin.to.text, state.begin.from.text, state.begin.name })
    for i, region in ipairs { "us", "eu" } do
      assert.same({ region = region, id = i - 1, laps = 0, moved = 0, after = {}, left = {},
                    got = {}, handing = {}, handed = {} }, state.places[region])
    end
  end)

  it("keeps where logs were and what laps brought: numbers above 2^63, too", function()
    local logs = '[{"shard":65535,"%s":"%s","%s":"%s"}]'
    local state = state_of(us("start", '[{"shard":65535,"start":"' .. MAX .. '"}]'),
                           us("lap", logs:format("after", "5", "upto", MAX)))
    assert.same({ [65535] = -1 }, state.places.us.start)
    assert.same({ [65535] = { after = 5, upto = -1 } }, state.places.us.lap)
    assert.is_nil(state.places.eu.start)
  end)

  it("adds up the laps, and a lap that was copied is no more begun", function()
    local function copied(next, left, count, low, high)
      return us("copied", ('[{"shard":3,"next":"%s","left":"%s","count":"%s","low":"%s",'
                           .. '"high":"%s"}]'):format(next, left, count, low, high))
    end
    local lap = us("lap", '[{"shard":3,"after":"0","upto":"9"}]')
    local state = state_of(lap, copied("9", "4", "3", MAX, "1"), lap,
                           copied("12", "6", "2", "1", "1"))
    local place = state.places.us
    assert.is_nil(place.lap)
    assert.same({ 2, 5, { [3] = 12 }, { [3] = 6 } },
                { place.laps, place.moved, place.after, place.left })
    assert.same({ [3] = { count = 5, low = 0, high = 3 } }, place.got)
  end)

  it("knows each end", function()
    assert.is_true(state_of(us "publish").places.us.publish)
    assert.is_true(state_of(us "published").places.us.published)
    assert.is_nil(state_of(us "published").places.eu.published)
    assert.is_true(state_of('{"step":"finished"}').finished)
    assert.is_true(state_of('{"step":"aborted"}').aborted)
    for _, row in ipairs { { "{\"step\":\"finished\"}", true }, { us "published", false },
                           { '{"step":"aborted"}', true } } do
      local journal = record.open(written(BEGIN, row[1]), 2, "read")
      assert.equal(row[2], journal:is_over())
      journal:close()
    end
  end)

  it("says in other directories whose it is", function()
    local line = json.encode(record.part("us", "0123"))
    assert.equal('{"step":"part","main":"us","id":"0123"}', line)
    local journal = record.open(written(line), 2, "read")
    assert.same({ step = "part", main = "us", id = "0123" }, journal.state.part)
    assert.is_nil(journal.state.begin)
    journal:close()
    journal:close()
  end)
end)

describe("a line", function()
  it("is an object whose numbers are text", function()
    local logs = { { shard = 0, after = 0, upto = -1 }, { shard = 7, after = 1, upto = 2 } }
    assert.equal('{"step":"lap","region":"us","logs":[{"shard":0,"after":"0","upto":"'
                 .. MAX .. '"},{"shard":7,"after":"1","upto":"2"}]}',
                 json.encode(record.line("lap", "us", logs, { "after", "upto" })))
    assert.equal('{"step":"start","region":"us","logs":[]}',
                 json.encode(record.line("start", "us", {}, { "start" })))
    assert.equal('{"step":"finished"}', json.encode(record.line "finished"))
  end)

  it("that was noted counts at once, and after it is read again", function()
    local where, home = written()
    local journal = record.open(where, 2, "write")
    local text = journal:note(record.begin(TASK))
    assert.equal(BEGIN, text)
    journal:note(record.line("publish", "eu"))
    assert.is_true(journal.state.places.eu.publish)
    journal:close()
    local again = record.open(where, 2, "read")
    assert.same(journal.state, again.state)
    again:close()
    home:close()
  end)

  local wrong = {
    { "is of another format", '{"step":"begin","format":"tidal-migration/9","regions":[]}',
      "unsupported", "tidal-migration/9, this build knows tidal-migration/1" },
    { "has a step that is not known", '{"step":"jump"}', "unsupported", '"jump"' },
    { "has no step", "{}", "unsupported", '"nil"' },
    { "is no JSON", "{step", "corrupt", "json: " },
    { "is no object", "5", "corrupt", "no object" },
    { "names a region that did not begin", '{"step":"publish","region":"mars"}', "corrupt",
      "mars" },
    { "lacks its logs", us "lap", "corrupt", "lap" },
    { "has a number that is none", us("start", '[{"shard":0,"start":"x"}]'), "corrupt", "start" },
  }
  for _, row in ipairs(wrong) do
    it("that " .. row[1] .. " is told, with its place", function()
      local ok, err = pcall(record.open, written(BEGIN, row[2]), 2, "read")
      assert.is_false(ok)
      assert.is_true(core.is_error(err), tostring(err))
      assert.equal(row[3], err.code)
      assert.matches("us/migration-0000000002.journal: line 2: ", err.message, 1, true)
      assert.matches("; go on with the build that wrote it$", err.message)
      assert.matches(row[4], err.message, 1, true)
    end)
  end
end)

describe("the journals of a directory", function()
  it("are known by their names, rising", function()
    local where, home = written()
    home:close()
    for _, epoch in ipairs { 0xffffffff, 3, 10 } do
      record.open(where, epoch, "create"):close()
    end
    assert.same({ 2, 3, 10, 0xffffffff }, record.epochs(where))
  end)

  it("are read only where there are any", function()
    local where, home = written()
    home:close()
    assert.equal("us: migration-0000000007.journal: io: opening failed (at byte 0): "
                   .. "No such file or directory",
                 raised(record.open, where, 7, "read"))
    assert.matches("^io: listing the directory failed", raised(record.epochs, "no_such_dir"))
  end)
end)
