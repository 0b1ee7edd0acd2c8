-- Operators that go wrong for ids: which are found, and which are not.
local gen = require "spec.support.gen"
local layout_text = dofile "spec/support/layout_text.lua"
local traps = require "tidal.traps"

local function found(source)
  local out = {}
  for i, trap in ipairs(traps.find(source)) do out[i] = trap.text end
  return table.concat(out, " | ")
end

local TRAPS <const> = {
  { "if id % 5 == 0 then end", "id % 5" }, { "x = id // 5", "id // 5" },
  { "x = n % id", "n % id" }, { "x = n // entity", "n // entity" },
  { "if r.first < r.last then end", "r.first < r.last" },
  { "return a.entity >= 7", "a.entity >= 7" }, { "a = 3 > last", "3 > last" },
  { "return first <= 5, last", "first <= 5" },
  { "a = b and entity >= 7 or c", "entity >= 7" },
  { "x = 0xffffffffffffffff // 5", "0xffffffffffffffff // 5" },
  { "if x < 0x8000000000000000 then end", "x < 0x8000000000000000" },
  { "x = (1 << 63) % 5", "(1 << 63) % 5" }, { "x = (first + 1) % 3", "(first + 1) % 3" },
  { "if last - first < 100 then end", "last - first < 100" },
  { "x = tidal.u64.parse(s) % 5", "tidal.u64.parse(s) % 5" },
  { "x = tidal.hash(id) % 4", "tidal.hash(id) % 4" },
  { "x = u64.sub(a, b) < 5", "u64.sub(a, b) < 5" },
  { "local half <const> = 0x8000000000000000\nx = half // 5", "half // 5" },
  { "local size = r.last - r.first  if size < 5 then end", "size < 5" },
  { "local key = tidal.hash(id)\nx = key % 4", "key % 4" },
  { "t = { first = 0, last = 9 }  x = first < last", "first < last" },
  { "x = first --[[ a ]] < --b\nlast", "first < last" },
  { "x = id % 2 < 1", "id % 2 | id % 2 < 1" },
}

local FINE <const> = {
  "if layout:leads(region.id) > 3 then end", "if region.id < 3 then end",
  "if #layout.regions < 3 then end", "x = layout.shards % 2", "x = #first < 3",
  "for first = 1, n do if first < 3 then end end", "local last = #list  x = last > 3",
  "local id = 5  x = id % 2", "if (id & 255) < 3 then end", "if id >> 60 < 3 then end",
  "x = math.ult(first, last)", "x = tidal.u64.lt(first, last)", "x = tidal.u64.mod(id, 5) < 3",
  "x = route(id) % 4", "x = first:len() < 3", "x = list[first] < 3", "x = list[id] % 3",
  "x = t.first.value < 3", "local x <const> = 5", "local x <close> = first",
  "-- id % 5", "x = 'id % 5'", "x = [[ id < 5 ]]", "x = 0x7fffffffffffffff % 5",
  "x = first == last", "x = first ~= last", "x = first + last",
}

describe("traps", function()
  for _, row in ipairs(TRAPS) do
    it("finds " .. row[1], function() assert.equal(row[2], found(row[1])) end)
  end

  for _, source in ipairs(FINE) do
    it("leaves alone " .. source, function() assert.equal("", found(source)) end)
  end

  it("says what to write, with the line", function()
    local signed = "compares as signed numbers, wrong from 2^63 on: write tidal.u64."
    local rows = {
      ["<"] = signed .. "lt(a, b) for a < b", ["<="] = signed .. "le(a, b) for a <= b",
      [">"] = signed .. "lt(b, a) for a > b", [">="] = signed .. "le(b, a) for a >= b",
      ["%"] = "is a signed remainder, wrong from 2^63 on: write tidal.u64.mod(a, b) for a % b",
      ["//"] = "is a signed division, wrong from 2^63 on: write tidal.u64.div(a, b) for a // b",
    }
    for operator, why in pairs(rows) do
      assert.same({ { line = 3, text = "id " .. operator .. " 5", why = why } },
                  traps.find("-- 1\n\nx = id " .. operator .. " 5"))
    end
  end)

  it("shows an excerpt of long ones", function()
    local text = traps.find("x = id % " .. ("n"):rep(80))[1].text
    assert.equal("id % " .. ("n"):rep(35) .. "...", text)
  end)

  it("looks into fifty brackets, and does not raise for more", function()
    local function nested(n) return ("("):rep(n) .. "id" .. (")"):rep(n) .. " % 3" end
    assert.equal(1, #traps.find(nested(50)))
    assert.equal(0, #traps.find(nested(60)))
    assert.equal(0, #traps.find(nested(50000)))
  end)

  it("takes any text", function()
    for _, text in ipairs { "", "%", "< id", "id <", "((( id %", ")) % id", "[ id ] < {", "id < 'a",
                            "local x <const", "x = <", "key = ", "<<<<>>>>63" } do
      assert.is_table(traps.find(text))
    end
    gen.property("traps", 300, function(g)
      local text = layout_text(g)
      local from = g:int(1, #text)
      traps.find(text:sub(from) .. " < id % " .. text:sub(1, from))
    end)
  end)

  it("finds none in layouts without operators", function()
    for _, name in ipairs { "cluster", "layouts/hash", "layouts/ranges", "layouts/single" } do
      local file = assert(io.open("scripts/" .. name .. ".lua"))
      assert.equal("", found(file:read "a"))
      file:close()
    end
  end)
end)
