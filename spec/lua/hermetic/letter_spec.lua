-- What a cell may answer: everything that is not in the one accepted form is
-- refused with an error object.
local core = require "tidal.core"
local gen = require "spec.support.gen"
local letter = require "tidal.hermetic.letter"
local routing = require "tidal.routing"
local script = require "spec.support.script"

local function refused(f, ...)
  local fine, err = pcall(f, ...)
  assert.is_false(fine)
  assert.is_true(core.is_error(err), tostring(err))
  assert.equal("isolation", err.code)
  return (err.message:gsub("^a layout's process gave an answer that is none: ", ""))
end

describe("a reader", function()
  it("gives texts, numbers and flags in turn", function()
    local r = letter.reader { "a", "12", "1", "0" }
    assert.same({ "a", 12, true, false }, { r:text(), r:number(12), r:flag(), r:flag() })
    r:finish()
    assert.equal("it has 4 texts", refused(r.text, r))
  end)

  for _, text in ipairs { "", "x", "-1", "1.0", "0x1", " 1", "1 ", "1e1", "13", "99999999999",
    "1\0" } do
    it(("takes no %q for a number"):format(text), function()
      local r = letter.reader { text }
      assert.equal("text 1 is no number up to 12", refused(r.number, r, 12))
    end)
  end

  it("says what is left over", function()
    local r = letter.reader { "a", "b" }
    r:text()
    assert.equal("1 texts are left over", refused(r.finish, r))
  end)
end)

describe("a state", function()
  local layouts = {
    even = script.layout(), single = script.layout { shards = 1, routing = routing.single() },
    hash = script.layout { shards = 7, routing = routing.hash(), leaders = "spread" },
    hash_ranges = script.layout { routing = routing.hash_ranges(), leaders = "all", epoch = 7 },
    ranges = script.layout { shards = 2, leaders = { [0] = "eu-west", s1 = "ap-south" },
      routing = routing.ranges("s1 0..9 s0 10..0xffffffffffffffff") },
  }
  for name, made in pairs(layouts) do
    it("comes back: " .. name, function()
      local out = {}
      letter.put_state(out, made)
      local back = letter.take_state(letter.reader(out), {}, "f.lua")
      assert.equal(made:text(), back:text())
      assert.equal("f.lua", back.file)
      local plan, again = made:plan():json(), back:plan():json()
      assert.equal(plan, again)
    end)
  end

  -- Between hash() over 5 shards and over 7 there are states with 6 and 7.
  it("comes back where hashes have fewer shards than the layout", function()
    local from = script.layout { routing = routing.hash(), leaders = "spread" }
    local to = script.layout { routing = routing.hash(), leaders = "spread", shards = 7, epoch = 2 }
    local seen = 0
    for _, made in from:diff(to):states() do
      local out = {}
      letter.put_state(out, made)
      local back = letter.take_state(letter.reader(out), {})
      assert.same({ made:text(), made.shards }, { back:text(), back.shards })
      if made.router:num_shards() < made.shards then seen = seen + 1 end
      if made.shards == 7 then
        out[4] = "4"
        assert.matches("^4 shards, its routing has %d$",
                       refused(letter.take_state, letter.reader(out), {}))
      end
    end
    assert.is_true(seen > 0)
  end)

  it("comes back with what logs showed", function()
    local function back_of(load)
      local out = {}
      local made = script.layout():with_load(load)
      letter.put_state(out, made)
      letter.put_load(out, made)
      local reader = letter.reader(out)
      local back = letter.take_load(reader, letter.take_state(reader, {}))
      reader:finish()
      return back.load
    end
    local back = back_of { regions = { ["us-east"] = math.maxinteger, ["ap-south"] = 0 },
                           shards = { [0] = 7, [4] = 1 << 40 } }
    assert.same({ math.maxinteger, nil, 0 }, { back.regions["us-east"], back.regions["eu-west"],
                                               back.regions["ap-south"] })
    assert.same({ 7, nil, 1 << 40 }, { back.shards[0], back.shards[1], back.shards[4] })
    assert.is_nil(back_of { regions = {} }.shards)
    assert.is_nil(back.absent)
    back = back_of { regions = {}, absent = { [3] = 2 } }
    assert.same({ 2, nil, nil }, { back.absent[3], back.absent[0], back.shards })
  end)

  it("that lies about its load is refused", function()
    local made = script.layout { regions = { "a", "b" }, shards = 2 }
    local function lying(regions, shards)
      return refused(letter.take_load, letter.reader { regions, shards }, made)
    end
    assert.equal("2 numbers expected", refused(letter.take_load, letter.reader {
      string.pack("<i8i8", 1, 1), "", "x" }, made))
    local two <const> = string.pack("<i8i8", 5, -1)
    assert.equal("2 numbers expected", lying("", ""))
    assert.equal("2 numbers expected", lying(two:sub(1, 15), ""))
    assert.equal("2 numbers expected", lying(two, two .. "x"))
    assert.equal("it has 1 texts", lying(two))
    assert.equal("a number is -2", lying(string.pack("<i8i8", 5, -2), ""))
    assert.equal("a number is " .. math.mininteger,
                 lying(two, string.pack("<i8i8", 0, math.mininteger)))
  end)

  -- The texts of a small layout, one changed.
  local function changed(at, text)
    local out = {}
    letter.put_state(out, script.layout { regions = { "a", "b" }, shards = 2 })
    out[at] = text
    return refused(letter.take_state, letter.reader(out), {})
  end
  local rows = {
    { 1, "", "layout is damaged" }, { 1, "{}", "layout is damaged" }, { 2, "",
      "its leaders are not one a shard" },
    { 2, "\0\0", "its leaders are not one a shard" }, { 2, "\0\0\2\0", "s1 is led by r2" },
    { 2, "\xff\xff\0\0", "s0 is led by r65535" }, { 3, "", "text 3 is no name" },
    { 3, ("n"):rep(65), "text 3 is no name" }, { 4, "", "text 4 is no number up to 65536" },
    { 4, "65537", "text 4 is no number up to 65536" }, { 4, "1", "1 shards, its routing has 2" },
    { 4, "3", "3 shards, its routing has 2" }, { 5, "a b", "text 5 is no name" },
    { 6, "\27", "text 6 is no name" }, { 6, nil, "it has 5 texts" },
  }
  for i, row in ipairs(rows) do
    it("that lies is refused " .. i, function()
      assert.matches(row[3], changed(row[1], row[2]), 1, true)
    end)
  end

  it("of single() over many shards is refused", function()
    local out = {}
    letter.put_state(out, script.layout { shards = 1, routing = routing.single() })
    local line = out[1]:match "^[^\n]*\n":gsub('"num_shards":1', '"num_shards":5')
    out[1], out[2], out[4] = line .. core.checksum(line) .. "\n", "all", "5"
    assert.equal("single() over 5 shards", refused(letter.take_state, letter.reader(out), {}))
  end)

  it("that is damaged anywhere is a layout or an error, never more", function()
    local out = {}
    letter.put_state(out, layouts.ranges)
    gen.property("state", 2000, function(g)
      local list = table.move(out, 1, #out, 1, {})
      local i = g:int(1, #list)
      local at = g:int(1, math.max(#list[i], 1))
      list[i] = list[i]:sub(1, at - 1) .. string.char(g:int(0, 255)) .. list[i]:sub(at + g:int(0,
        1))
      local fine, err = pcall(letter.take_state, letter.reader(list), {})
      if not fine and not core.is_error(err) then return tostring(err) end
    end)
  end)
end)

describe("verdicts", function()
  it("come back", function()
    local out, list = {}, { { name = "a", ok = true }, { name = "b", ok = false, why = "no" } }
    letter.put_verdicts(out, list)
    assert.same(list, letter.take_verdicts(letter.reader(out)))
  end)

  it("that are those before are said to be", function()
    local out, a, b = {}, { { name = "a", ok = true } }, { { name = "a", ok = false, why = "w" } }
    for i, list in ipairs { a, a, b, b, a } do
      letter.put_verdicts(out, list, i > 1 and ({ a, a, b, b })[i - 1] or nil)
    end
    for _, other in ipairs { { name = "a", ok = false, why = "x" }, { name = "b", ok = false,
      why = "w" }, { name = "a", ok = true, why = "w" } } do
      local told = {}
      letter.put_verdicts(told, b, { other })
      assert.equal("1", told[1])
    end
    assert.same({ "1", "a", "1", "", "=", "1", "a", "0", "w", "=", "1", "a", "1", "" }, out)
    local reader, last, back = letter.reader(out), nil, {}
    for i = 1, 5 do
      last = letter.take_verdicts(reader, last)
      back[i] = last
    end
    assert.same({ a, a, b, b, a }, back)
    refused(letter.take_verdicts, letter.reader { "=" })
  end)

  it("that lie are refused", function()
    for _, list in ipairs { { "2", "a", "1", "" }, { "x" }, { "1", "a", "2", "" }, {},
                            { "99999999", "a", "1", "" } } do
      refused(letter.take_verdicts, letter.reader(list))
    end
  end)
end)

describe("an error", function()
  it("comes back with its faults", function()
    local out = {}
    local err = core.error { code = "layout", message = "m\nn", faults = {
      { path = "a.b", message = "x", file = "f.lua", line = 3 }, { path = "", message = "y" } } }
    letter.put_error(out, err)
    local back = letter.take_error(letter.reader(out))
    assert.same({ "layout", "m\nn", err.faults }, { back.code, back.message, back.faults })
  end)

  it("has a code, also when the script gave none", function()
    local out = {}
    letter.put_error(out, core.error { message = "m" })
    assert.equal("script", letter.take_error(letter.reader(out)).code)
  end)

  it("shows no control characters", function()
    local out = {}
    letter.put_error(out, core.error { code = "x", message = "a\27[2J\0b\tc\r\n\u{e9}" })
    assert.equal("a?[2J?b\tc?\n\u{e9}", letter.take_error(letter.reader(out)).message)
  end)

  it("that lies is refused", function()
    for _, list in ipairs { { "X", "m", "0" }, { "", "m", "0" }, { "c", "m", "10001" },
                            { "c", "m", "1", "p", "m", "f", "-1" }, { "c" } } do
      refused(letter.take_error, letter.reader(list))
    end
  end)
end)
