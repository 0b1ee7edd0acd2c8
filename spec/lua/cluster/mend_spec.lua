local core = require "tidal.core"
local gen = require "spec.support.gen"
local mend = require "tidal.cluster.mend"

local hex <const> = core.u64.hex

-- "0-9 a-ff" as ranges of s0, s1, ...; "-" at the end of a bound is 2^64-1.
local function ranges(text)
  local list = {}
  for first, last in text:gmatch "(%x+)%-(%x+)" do
    list[#list + 1] = { shard = #list, first = tonumber(first, 16), last = tonumber(last, 16) }
  end
  return list
end

-- Changes as short text: "s1 last=9".
local function changes(list)
  local out = {}
  for i, change in ipairs(mend.find(list)) do
    local value = change.value and "=" .. hex(change.value):gsub("^0x0*(%x)", "%1") or ""
    if change.other then value = value .. "," .. hex(change.other):gsub("^0x0*(%x)", "%1") end
    out[i] = ("s%d %s%s"):format(change.range.shard, change.key, value)
  end
  return table.concat(out, "; ")
end

local MAX <const> = ("f"):rep(16)
local ROWS = {
  { "an overlap", "0-9 9-" .. MAX, "s0 last=8; s1 first=a" },
  { "a gap", "0-5 9-" .. MAX, "s0 last=8; s1 first=6" },
  { "a table not from 0", "5-9 a-" .. MAX, "s0 first=0" },
  { "a table not to the end", "0-9 a-ff", "s1 last=" .. MAX },
  { "one range that is too short at both ends", "5-9", "" },
  { "a range over several", "0-ff 10-1f 20-" .. MAX, "s0 last=f" },
  { "a range that starts before several", "0-f 10-1f 5-" .. MAX, "s2 first=20" },
  { "a range that ends before it starts", "0-f 10-5 20-" .. MAX, "s1 last=1f" },
  { "a range that starts behind its end", "0-f 50-1f 20-" .. MAX, "s1 first=10" },
  { "a range with its bounds exchanged", "0-f 1f-10 20-" .. MAX, "s1 both=10,1f" },
  { "the first and last with exchanged bounds", "f-0 10-" .. MAX, "s0 both=0,f" },
  { "the same range twice", "0-f 10-1f 10-1f 20-" .. MAX, "s1 drop; s2 drop" },
  { "a range too many", "0-f 8-17 10-" .. MAX, "s1 drop" },
  { "a whole table too many", "0-" .. MAX .. " 0-" .. MAX, "" },
  { "overlaps in two places", "0-10 10-20 20-" .. MAX, "" },
  { "a gap and an overlap", "0-e 10-20 20-" .. MAX, "" },
  { "two exchanged ranges", "f-0 1f-10 20-" .. MAX, "" },
  { "a bound above 2^63", "0-8fffffffffffffff 9000000000000001-" .. MAX,
    "s0 last=9000000000000000; s1 first=9000000000000000" },
}

describe("find()", function()
  for _, row in ipairs(ROWS) do
    it("for " .. row[1] .. (row[3] == "" and " gives nothing" or ""), function()
      assert.equal(row[3], changes(ranges(row[2])))
    end)
  end

  it("leaves the list as it was", function()
    for _, row in ipairs(ROWS) do
      local list = ranges(row[2])
      mend.find(list)
      assert.same(ranges(row[2]), list)
    end
  end)

  it("gives up where thousands are concerned", function()
    local list = ranges("0-f 10-" .. MAX)
    for _ = 1, 5000 do list[#list + 1] = { shard = 1, first = 16, last = -1 } end
    assert.same({}, mend.find(list))
    list = ranges("0-" .. MAX)
    for _ = 1, 5000 do list[#list + 1] = { shard = 1, first = 16, last = 5 } end
    assert.same({}, mend.find(list))
  end)

  it("finds a change for every table with one wrong bound, and each heals it", function()
    gen.property("mend", 2000, function(g)
      local list = g:shuffle(g:ranges(g:int(1, 20), 7))
      local broken = g:pick(list)
      local key = g:pick { "first", "last" }
      local right = broken[key]
      broken[key] = g:once_in(2) and g:pick(list).first + g:int(-1, 1) or g:u64()
      if pcall(core.router.ranges, list) then return nil end
      local found, bad, own = mend.find(list), nil, false
      for _, change in ipairs(found) do
        local kept = { change.range.first, change.range.last }
        own = own or change.range == broken and change.key == key and change.value == right
        if change.key == "drop" then return nil end
        if change.key == "both" then
          change.range.first, change.range.last = change.value, change.other
        else
          change.range[change.key] = change.value
        end
        if not pcall(core.router.ranges, list) then bad = change end
        change.range.first, change.range.last = kept[1], kept[2]
      end
      if bad then return ("%s = %s does not heal"):format(bad.key, hex(bad.value)) end
      if not own then return ("the broken bound is not among the %d found"):format(#found) end
    end)
  end)
end)
