-- Ranges that do not fit: what a message says, and that what it says helps.
local core = require "tidal.core"
local gen = require "spec.support.gen"
local script = require "spec.support.script"

local hex <const> = core.u64.hex
local HEAD <const> = "return tidal.cluster { name = 'n', regions = { 'a' }, shards = 64,\n"

-- Scripts whose ranges stand on lines 3, 4, ...
local FORMS = {
  list = function(ranges)
    local out = {}
    for i, range in ipairs(ranges) do
      out[i] = ("  { shard = %d, first = %s, last = %s },\n"):format(
        range.shard, hex(range.first), hex(range.last))
    end
    return HEAD .. "  routing = tidal.routing.ranges {\n" .. table.concat(out) .. "} }\n"
  end,
  text = function(ranges)
    local out = {}
    for i, range in ipairs(ranges) do
      out[i] = ("  s%d %s..%s\n"):format(range.shard, hex(range.first), hex(range.last))
    end
    return HEAD .. "  routing = tidal.routing.ranges [[\n" .. table.concat(out) .. "]] }\n"
  end,
}

-- "s0 0-9, s1 a-" -> ranges; an empty last is 2^64-1.
local function ranges_of(text)
  local list = {}
  for shard, first, last in text:gmatch "s(%d+) (%x+)%-(%x*)" do
    list[#list + 1] = { shard = tonumber(shard), first = tonumber(first, 16),
                        last = last == "" and -1 or tonumber(last, 16) }
  end
  return list
end

-- <9> -> 0x0000000000000009, <-> -> 2^64-1: rows stay readable.
local function wide(text)
  return (text:gsub("<(%x+)>", function(digits)
    return "0x" .. ("0"):rep(16 - #digits) .. digits
  end):gsub("<%->", "0x" .. ("f"):rep(16)))
end

local INCLUSIVE <const> = " (bounds are inclusive)"
local ROWS = {
  { "an overlap of one id", "s0 0-9, s1 9-", {
    "3: routing[1]: s0 [<0>..<9>] overlaps s1 [<9>..<->] (line 4); shared: 1 id, <9>. "
    .. "fix: last = <8> on line 3, or first = <a> on line 4" .. INCLUSIVE } },
  { "an overlap of many", "s0 0-8fffffffffffffff, s1 8000000000000000-", {
    "3: routing[1]: s0 [<0>..<8fffffffffffffff>] overlaps s1 [<8000000000000000>..<->] (line 4); "
    .. "shared: 1152921504606846976 ids, <8000000000000000>..<8fffffffffffffff>. "
    .. "fix: last = <7fffffffffffffff> on line 3, or first = <9000000000000000> on line 4"
    .. INCLUSIVE } },
  { "a gap of one id", "s0 0-8, s1 a-", {
    "3: routing[1]: gap: no shard owns 1 id, <9>, between s0 [<0>..<8>] and s1 [<a>..<->] "
    .. "(line 4). fix: last = <9> on line 3, or first = <9> on line 4" } },
  { "a gap of many", "s0 0-8, s1 ff00000000000000-", {
    "3: routing[1]: gap: no shard owns 18374686479671623671 ids, <9>..<feffffffffffffff>, "
    .. "between s0 [<0>..<8>] and s1 [<ff00000000000000>..<->] (line 4). "
    .. "fix: last = <feffffffffffffff> on line 3, or first = <9> on line 4" } },
  { "ranges not from 0", "s5 1-9, s1 a-", {
    "3: routing[1]: gap: no shard owns the 1 id below s5 [<1>..<9>]. "
    .. "fix: first = <0> on line 3" } },
  { "ranges not to the end", "s0 0-9, s1 a-fffffffffffffff0", {
    "4: routing[2]: gap: no shard owns the 15 ids above s1 [<a>..<fffffffffffffff0>]. "
    .. "fix: last = <-> on line 4" } },
  { "one id only", "s0 8000000000000000-8000000000000000", {
    "3: routing[1]: gap: no shard owns the 9223372036854775808 ids below "
    .. "s0 [<8000000000000000>..<8000000000000000>]. fix: first = <0> on line 3",
    "3: routing[1]: gap: no shard owns the 9223372036854775807 ids above "
    .. "s0 [<8000000000000000>..<8000000000000000>]. fix: last = <-> on line 3" } },
  { "a range from end to start", "s0 0-f, s1 1f-10, s2 20-", {
    "3: routing[1]: gap: no shard owns 16 ids, <10>..<1f>, between s0 [<0>..<f>] and "
    .. "s2 [<20>..<->] (line 5). "
    .. "fix: swap first and last of s1 [<1f>..<10>] on line 4",
    "4: routing[2]: s1 [<1f>..<10>] ends before it starts. "
    .. "fix: swap first and last of s1 [<1f>..<10>] on line 4" } },
  { "a range with a wrong end before its start", "s0 0-f, s1 10-5, s2 20-", {
    "3: routing[1]: gap: no shard owns 16 ids, <10>..<1f>, between s0 [<0>..<f>] and "
    .. "s2 [<20>..<->] (line 5). fix: last = <1f> on line 4",
    "4: routing[2]: s1 [<10>..<5>] ends before it starts. fix: last = <1f> on line 4" } },
  { "the same range twice", "s0 0-f, s1 10-, s2 10-", {
    "4: routing[2]: s1 [<10>..<->] overlaps s2 [<10>..<->] (line 5); "
    .. "shared: 18446744073709551600 ids, <10>..<->. fix: leave one of the two out" } },
  { "everything twice", "s0 0-, s1 0-", {
    "3: routing[1]: s0 [<0>..<->] overlaps s1 [<0>..<->] (line 4); "
    .. "shared: 18446744073709551616 ids, <0>..<->. fix: leave one of the two out" } },
  { "a range too many", "s0 0-f, s1 8-17, s2 10-", {
    "3: routing[1]: s0 [<0>..<f>] overlaps s1 [<8>..<17>] (line 4); shared: 8 ids, <8>..<f>. "
    .. "fix: leave out s1 [<8>..<17>] on line 4",
    "4: routing[2]: s1 [<8>..<17>] overlaps s2 [<10>..<->] (line 5); shared: 8 ids, <10>..<17>. "
    .. "fix: leave out s1 [<8>..<17>] on line 4" } },
  { "ranges in any order", "s2 20-, s0 0-10, s1 10-1f", {
    "4: routing[2]: s0 [<0>..<10>] overlaps s1 [<10>..<1f>] (line 5); shared: 1 id, <10>. "
    .. "fix: last = <f> on line 4, or first = <11> on line 5" .. INCLUSIVE } },
  { "more than one change can mend", "s0 0-10, s1 10-1f, s2 30-", {
    "3: routing[1]: s0 [<0>..<10>] overlaps s1 [<10>..<1f>] (line 4); shared: 1 id, <10>. "
    .. "fix: last = <f> on line 3" .. INCLUSIVE,
    "4: routing[2]: gap: no shard owns 16 ids, <20>..<2f>, between s1 [<10>..<1f>] and "
    .. "s2 [<30>..<->] (line 5). fix: last = <2f> on line 4, or first = <20> on line 5" } },
  { "many faults", "s0 1-10, s0 10-10, s1 30-20, s2 50-60", {
    "3: routing[1]: gap: no shard owns the 1 id below s0 [<1>..<10>]. fix: first = <0> on line 3",
    "3: routing[1]: s0 [<1>..<10>] overlaps s0 [<10>..<10>] (line 4); shared: 1 id, <10>. "
    .. "fix: last = <f> on line 3" .. INCLUSIVE,
    "3: routing[1]: gap: no shard owns 63 ids, <11>..<4f>, between s0 [<1>..<10>] and "
    .. "s2 [<50>..<60>] (line 6). fix: last = <4f> on line 3, or first = <11> on line 6",
    "5: routing[3]: s1 [<30>..<20>] ends before it starts. fix: swap first and last on line 5",
    "6: routing[4]: gap: no shard owns the 18446744073709551519 ids above s2 [<50>..<60>]. "
    .. "fix: last = <-> on line 6" } },
}

describe("the faults of", function()
  for _, row in ipairs(ROWS) do
    it(row[1], function()
      local want = {}
      for i, line in ipairs(row[3]) do want[i] = "cluster.lua:" .. wide(line) end
      if #want > 1 then want[#want + 1] = #want .. " faults; nothing planned" end
      want = table.concat(want, "\n")
      local _, list = script.load(FORMS.list(ranges_of(row[2])))
      local _, text = script.load(FORMS.text(ranges_of(row[2])))
      assert.equal(want, list)
      assert.equal((want:gsub("routing%[%d%]: ", "routing: ")), text)
    end)
  end

  local GAP <const> = "gap: no shard owns 1 id, <9>, between s0 [<0>..<8>] and s1 [<a>..<->]. "
  it("ranges that stand on one line, by shard", function()
    local _, why = script.load(HEAD .. "routing = tidal.routing.ranges [[ s0 0..8 "
                               .. "s1 10..0xffffffffffffffff ]] }")
    assert.equal(wide("cluster.lua:2: routing: " .. GAP .. "fix: last of s0 = <9> on line 2, "
                      .. "or first of s1 = <9> on line 2"), why)
  end)

  -- The faults without file and line: as from a chunk that nobody knows.
  local function without_lines(ranges)
    local source = "return require 'tidal'.cluster { name = 'n', regions = { 'a' }, shards = 9, "
      .. "routing = require 'tidal'.routing.ranges(...) }"
    return script.faults(function() return load(source, "=chunk")(ranges) end)
  end

  it("ranges without a line, by entry", function()
    assert.equal(wide("routing[1]: " .. GAP .. "fix: last = <9> in routing[1], "
                      .. "or first = <9> in routing[2]"),
                 without_lines(ranges_of "s0 0-8, s1 a-"))
  end)

  it("text without a line, by its own lines", function()
    assert.equal(wide("routing: " .. GAP .. "fix: last = <9> on line 1 of the text, "
                      .. "or first = <9> on line 3 of the text"),
                 without_lines("s0 0..8\n\ns1 10..0xffffffffffffffff"))
  end)

  it("an incomplete list: only what is wrong all the same", function()
    local text = FORMS.list(ranges_of "s0 0-10, s9 11-1f, s1 8-20, s2 50-")
    local _, why = script.load((text:gsub("shard = 9", "shard = {}")))
    assert.equal(wide("cluster.lua:3: routing[1]: s0 [<0>..<10>] overlaps s1 [<8>..<20>] (line 5); "
                      .. "shared: 9 ids, <8>..<10>. fix: last = <7> on line 3" .. INCLUSIVE
                      .. "\ncluster.lua:4: routing[2].shard: s0..s63 expected, got a table"
                      .. "\n2 faults; nothing planned"), why)
  end)

  it("ranges of a shard that the layout has not", function()
    for form, place in pairs { list = "routing[1]: ", text = "routing: " } do
      local _, why = script.load(FORMS[form](ranges_of "s0 0-8, s64 a-"))
      assert.equal(wide("cluster.lua:3: " .. place
                        .. "gap: no shard owns 1 id, <9>, between s0 [<0>..<8>] and s64 [<a>..<->] "
                        .. "(line 4). fix: last = <9> on line 3, or first = <9> on line 4\n"
                        .. (form == "list" and "cluster.lua:4: routing[2].shard: s0..s63 expected, "
                            .. "got 64" or "cluster.lua:4: routing: s64 is not a shard of this "
                            .. "layout (s0..s63)") .. "\n2 faults; nothing planned"), why)
    end
  end)
end)

-- The script's lines with the fix applied that its message names first.
local function mended(lines, why)
  local key, value, line = why:match "fix: (%l+) = (0x%x+) on line (%d+)"
  if key then
    line = tonumber(line)
    local list, count = lines[line]:gsub(key .. " = 0x%x+", key .. " = " .. value)
    local pattern = key == "first" and " 0x%x+%.%." or "%.%.0x%x+"
    local put = key == "first" and " " .. value .. ".." or ".." .. value
    lines[line] = count == 1 and list or lines[line]:gsub(pattern, put)
    return true
  end
  line = tonumber(why:match "fix: swap first and last of .- on line (%d+)")
  if line then
    lines[line] = lines[line]:gsub("0x(%x+)(.-)0x(%x+)", "0x%3%20x%1")
    return true
  end
  line = tonumber(why:match "fix: leave out .- on line (%d+)"
                  or why:match "^cluster.lua:(%d+).-fix: leave one of the two out")
  if line then lines[line] = "" end
  return line ~= nil
end

-- What one may do to a table by mistake.
local BREAK = {
  bound = function(g, list)
    g:pick(list)[g:pick { "first", "last" }] = g:once_in(2) and g:u64()
      or g:pick(list).first + g:int(-2, 2)
  end,
  swap = function(g, list)
    local range = g:pick(list)
    range.first, range.last = range.last, range.first
  end,
  twice = function(g, list)
    local range = g:pick(list)
    list[#list + 1] = { shard = g:int(0, 9), first = range.first, last = range.last }
  end,
  lost = function(g, list)
    if #list > 1 then table.remove(list, g:int(1, #list)) end
  end,
}

describe("the fix that a message names mends the layout:", function()
  for _, kind in ipairs { "bound", "swap", "twice", "lost" } do
    for _, form in ipairs { "list", "text" } do
      it(("%s, as %s"):format(kind, form), function()
        local broken = 0
        gen.property("fix " .. kind .. form, 80, function(g)
          local list = g:ranges(g:int(1, 12), 9)
          BREAK[kind](g, list)
          local text = FORMS[form](g:shuffle(list))
          local layout, why = script.load(text)
          if layout then return nil end
          broken = broken + 1
          local lines = {}
          for line in text:gmatch "[^\n]*" do lines[#lines + 1] = line end
          if not mended(lines, why) then return "no fix in: " .. why end
          local healed, still = script.load(table.concat(lines, "\n"))
          return not healed and why .. "\nthen: " .. still or nil
        end)
        assert.is_true(broken > 10)
      end)
    end
  end
end)
