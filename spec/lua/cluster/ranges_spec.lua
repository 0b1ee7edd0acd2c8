local core = require "tidal.core"
local faults = require "tidal.faults"
local gen = require "spec.support.gen"
local oracle = require "spec.support.oracle"
local ranges = require "tidal.cluster.ranges"
local routing = require "tidal.routing"
local script = require "spec.support.script"

-- The router of a routing value, and its faults as text.
local function made(value, shards)
  local found = faults.new()
  local router, out = ranges.router(value, shards, found), {}
  for i, fault in ipairs(found.list) do out[i] = fault.path .. ": " .. fault.message end
  return router, table.concat(out, "\n")
end

local function refused(given, shards)
  local router, why = made(routing.ranges(given), shards or 5)
  assert.is_nil(router)
  return why
end

describe("router()", function()
  local plain = {
    { "single", routing.single(), 1, "tidal.Router(single, 1 shards)" },
    { "hash", routing.hash(), 7, "tidal.Router(hash, 7 shards)" },
    { "even ranges", routing.even(), 7, "tidal.Router(ranges, 7 shards)" },
    { "even ranges of hashes", routing.hash_ranges(), 7, "tidal.Router(hash_ranges, 7 shards)" },
    { "ranges", routing.ranges "s0 0..9 s1 10..0xffffffffffffffff", 7,
      "tidal.Router(ranges, 2 shards)" },
    { "ranges of hashes", routing.hash_ranges "s0 0..9 s1 10..0xffffffffffffffff", 7,
      "tidal.Router(hash_ranges, 2 shards)" },
  }
  for _, row in ipairs(plain) do
    it("makes " .. row[1], function()
      local router, why = made(row[2], row[3])
      assert.equal("", why)
      assert.equal(row[4], tostring(router))
    end)
  end

  it("takes shards and ids in all their forms", function()
    local router = made(routing.ranges {
      { shard = 4, first = 0, last = 9 },
      { shard = "s3", first = "10", last = "0x13" },
      { shard = core.shard(2), first = 0x14, last = "9223372036854775807" },
      { shard = 0, first = "9223372036854775808", last = "0XFFFFFFFFFFFFFFFF" },
    }, 5)
    for id, shard in pairs { [0] = 4, [9] = 4, [10] = 3, [19] = 3, [20] = 2, [math.maxinteger] = 2,
                             [math.mininteger] = 0, [-1] = 0 } do
      assert.equal(shard, router:route(id).value, id)
    end
  end)

  it("routes as the list says, in both forms and above 2^63", function()
    gen.property("ranges of a layout", 150, function(g)
      local list = g:ranges(g:int(1, 30), 9)
      local lines = {}
      for i, range in ipairs(list) do
        local form = g:pick { "0x%x", "0X%016X" }
        lines[i] = ("s%d %s..%s"):format(range.shard, form:format(range.first),
                                         oracle.decimal(range.last))
      end
      local given = g:once_in(2) and g:shuffle(list) or table.concat(g:shuffle(lines), "\n")
      local router, why = made(routing.ranges(given), 9)
      if not router then return why end
      for _ = 1, 40 do
        local range = g:pick(list)
        local id = g:pick { range.first, range.last, g:u64() }
        if router:route(id).value ~= oracle.owner(list, id) then
          return ("0x%x: %s"):format(id, tostring(router:route(id)))
        end
      end
    end)
  end)
end)

local ID <const> = 'an id expected (an integer, "0x" and 1-16 hex digits, or decimal text up to '
  .. '"18446744073709551615"), got '
local FLOAT <const> = "; a decimal above 2^63-1 is a float in Lua: write it as text, "
  .. '"18446744073709551615" or "0xffffffffffffffff"'

describe("id_fault()", function()
  local rows = {
    { 2.0 ^ 64, "got the float 1.8446744073709552e+19" .. FLOAT },
    { 2.0 ^ 63, "got the float 9.2233720368547758e+18" .. FLOAT },
    { math.huge, "got the float inf" .. FLOAT }, { 5.0, ID .. "the float 5" },
    { 1.5, ID .. "the float 1.5" }, { -2.0 ^ 63, ID .. "the float -9.2233720368547758e+18" },
    { "0x00000000000000001", ID .. '"0x00000000000000001"' },
    { "18446744073709551616", ID .. '"18446744073709551616"' }, { "", ID .. '""' },
    { "0x", ID .. '"0x"' }, { "-1", ID .. '"-1"' }, { " 1", ID .. '" 1"' },
    { "1e3", ID .. '"1e3"' },
    { true, ID .. "true" }, { {}, ID .. "a table" }, { core.shard(3), ID .. "s3" },
  }
  for _, row in ipairs(rows) do
    it("for " .. faults.shown(row[1]), function() assert.equal(row[2], ranges.id_fault(row[1])) end)
  end

  it("for nil", function() assert.equal(ID .. "nil", ranges.id_fault(nil)) end)
end)

local KEYS <const> = "unknown key; the keys are: shard first last"
local RECORD <const> = "{ shard =, first =, last = } expected, got "
local WHOLE <const> = { shard = 0, first = 0, last = -1 }
local LISTS = {
  { "a number", 5, "routing: a list of ranges or text expected, got 5" },
  { "a function", print, "routing: a list of ranges or text expected, got a function" },
  { "nothing", nil, "routing: a list of ranges or text expected, got nil" },
  { "an empty list", {}, "routing: has no ranges: every id needs a shard" },
  { "one range without its list", WHOLE, "routing.first: only a list of ranges\n"
    .. "routing.last: only a list of ranges\nrouting.shard: only a list of ranges" },
  { "a list with a key", { WHOLE, s1 = WHOLE }, "routing.s1: only a list of ranges" },
  { "records that are none", { 1, "s0 0..1", WHOLE },
    "routing[1]: " .. RECORD .. '1\nrouting[2]: ' .. RECORD .. '"s0 0..1"' },
  { "a record with a wrong key", { { shard = 0, frist = 0, last = -1 } },
    "routing[1].frist: unknown key (did you mean 'first'?)\nrouting[1].first: " .. ID .. "nil" },
  { "a record with strange keys", { { shard = 0, first = 0, last = -1, z = 1, [1] = 2, a = 3 } },
    "routing[1][1]: " .. KEYS .. "\nrouting[1].a: " .. KEYS .. "\nrouting[1].z: " .. KEYS },
  { "a record without a shard", { { first = 0, last = -1 } },
    "routing[1].shard: s0..s4 expected, got nil" },
  { "a shard past the last", { { shard = 5, first = 0, last = -1 } },
    "routing[1].shard: s0..s4 expected, got 5" },
  { "a negative shard", { { shard = -1, first = 0, last = -1 } },
    "routing[1].shard: s0..s4 expected, got -1" },
  { "a shard past the last as text", { { shard = "s5", first = 0, last = -1 } },
    'routing[1].shard: s0..s4 expected, got "s5"' },
  { "a shard as bare text", { { shard = "3", first = 0, last = -1 } },
    'routing[1].shard: s0..s4 expected, got "3"' },
  { "a float for a shard", { { shard = 1.0, first = 0, last = -1 } },
    "routing[1].shard: s0..s4 expected, got the float 1" },
  { "a region for a shard", { { shard = core.region(1), first = 0, last = -1 } },
    "routing[1].shard: s0..s4 expected, got r1" },
  { "bad ids", { { shard = 0, first = "0x1234567890abcdef0", last = 2.0 ^ 64 } },
    "routing[1].first: " .. ID .. '"0x1234567890abcdef0"\n'
    .. "routing[1].last: got the float 1.8446744073709552e+19" .. FLOAT },
  { "everything in every record",
    { { shard = 9, first = "a" }, { shard = 8, first = 1, last = {} } },
    "routing[1].shard: s0..s4 expected, got 9\nrouting[1].first: " .. ID .. '"a"\n'
    .. "routing[1].last: " .. ID .. "nil\nrouting[2].shard: s0..s4 expected, got 8\n"
    .. "routing[2].last: " .. ID .. "a table" },
}

describe("a list is refused for", function()
  for _, row in ipairs(LISTS) do
    it(row[1], function() assert.equal(row[3], refused(row[2])) end)
  end

  it("65537 ranges, not for 65536", function()
    local list = {}
    for i = 1, 65536 do
      list[i] = { shard = 0, first = (i - 1) << 48, last = (i << 48) - 1 }
    end
    local router, why = made(routing.ranges(list), 1)
    assert.equal("", why)
    assert.equal(65536, #router:ranges())
    list[65536].last = -2
    list[65537] = { shard = 0, first = -1, last = -1 }
    assert.equal("routing: has 65537 ranges, at most 65536 are possible", refused(list))
  end)
end)

local TEXTS = {
  { "nothing", "", "routing: has no ranges: every id needs a shard" },
  { "only a comment", " -- s0 0..1", "routing: has no ranges: every id needs a shard" },
  { "a shard past the last", "s0 0..9 s5 10..0xffffffffffffffff",
    "routing: s5 is not a shard of this layout (s0..s4)" },
}

describe("a text is refused for", function()
  for _, row in ipairs(TEXTS) do
    it(row[1], function() assert.equal(row[3], refused(row[2])) end)
  end

  it("what tidal.text finds, line by line", function()
    local text = "s0 0..9\ns1 0x1234567890abcdef0..18446744073709551616\nx2 5..6"
    local _, wrong = require "tidal.text".ranges(text)
    local want = {}
    for i, fault in ipairs(wrong) do want[i] = "routing: " .. fault.message end
    assert.is_true(#want >= 3)
    assert.equal(table.concat(want, "\n"), refused(text))
  end)

  it("65537 ranges, not for 65536", function()
    local lines = {}
    for i = 1, 65536 do lines[i] = ("s0 0x%x..0x%x"):format((i - 1) << 48, (i << 48) - 1) end
    local router, why = made(routing.ranges(table.concat(lines, "\n")), 1)
    assert.equal("", why)
    assert.equal(65536, #router:ranges())
    lines[65536] = ("s0 0x%x..0x%x"):format(65535 << 48, -2)
    lines[65537] = "s0 0xffffffffffffffff..0xffffffffffffffff"
    assert.equal("routing: has 65537 ranges, at most 65536 are possible",
                 refused(table.concat(lines, "\n")))
  end)
end)

describe("a script's text", function()
  local HEAD <const> = "return tidal.cluster { name = 'n', regions = { 'a' }, shards = 2,\n"
  it("has the lines of the script", function()
    local _, why = script.load(HEAD .. [==[
  routing = tidal.routing.ranges [[
    s0 0..9
    s7 10..19

    s1 zwanzig..0xffffffffffffffff
  ]] }]==])
    assert.matches("^cluster.lua:6: routing: [^\n]*zwanzig", why)
    _, why = script.load(HEAD .. [==[
  routing = tidal.routing.ranges [[
    s0 0..9
    s7 10..0xffffffffffffffff ]] }]==])
    assert.equal("cluster.lua:4: routing: s7 is not a shard of this layout (s0..s1)", why)
  end)
end)
