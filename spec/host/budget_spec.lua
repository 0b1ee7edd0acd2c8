-- Budgets: where they end, that nothing goes on behind that, and that a
-- layout of any possible size fits.
local foreign = require "spec.support.foreign"

local SUFFIX <const> = "; --trust runs a layout in full Lua, without limits\n"

describe("the instruction budget", function()
  local rows = {
    { "a loop", "\n\nwhile true do end", 3 },
    { "a loop in a function", "local function f()\n while true do end end\nf()", 2 },
    { "a loop in a coroutine", "coroutine.wrap(function()\nwhile true do end end)()", 2 },
    { "a callback", "table.sort({ 2, 1 }, function()\n\nwhile true do end end)", 3 },
    { "a handler that is called for that", "local function f() while true do end end xpcall(f, f)",
      1 },
    { "a pattern", "\n(('a'):rep(99999)):find '.-.-b'", 2 },
    { "a loop of the library that scripts get",
      "\ntable.sort(setmetatable({}, { __len = function() return 1 << 40 end }))", 2 },
    { "work of C", "\n\nstring.rep('', 1 << 62)", 3 },
  }
  for _, row in ipairs(rows) do
    it("ends " .. row[1] .. " at its line", function()
      assert.equal(("instruction budget used up at cluster.lua:%d%s"):format(row[3], SUFFIX),
                   foreign.refused(row[2]))
    end)
  end

  it("names the line of the first time, whatever is caught", function()
    assert.equal("instruction budget used up at cluster.lua:2" .. SUFFIX, foreign.refused [[
local function f()
  while true do end end
while true do pcall(f) end]])
  end)

  it("names the module", function()
    assert.equal("instruction budget used up at slow.lua:2" .. SUFFIX,
      foreign.refused("require 'slow'", { files = { ["slow.lua"] = "\nwhile true do end" } }))
  end)
end)

describe("the memory budget", function()
  it("ends at its line", function()
    assert.equal("memory budget used up at cluster.lua:2" .. SUFFIX,
                 foreign.refused "local t = {}\nfor i = 1, 1e9 do t[i] = { i } end")
    assert.equal("memory budget used up at cluster.lua:2" .. SUFFIX,
                 foreign.refused "\nlocal s = ('x'):rep(1 << 30)")
  end)

  it("is final, also when it is caught", function()
    assert.equal("memory budget used up at cluster.lua:1" .. SUFFIX,
                 foreign.refused("pcall(string.rep, 'x', 1 << 30)\n" .. foreign.FINE))
  end)

  it("does not count what is collected", function()
    assert.equal(0, foreign.run("for i = 1, 300 do local s = ('x'):rep(1 << 20) .. i end\n"
                                .. foreign.FINE)[1])
  end)
end)

-- While newer Lua 5.4 moves a stack it may not be asked for the line, and it
-- collects nothing for it.
describe("a block that grows", function()
  -- How a text ends in cells with other budgets, each way once.
  local function ends(text, field, first, last, step)
    return foreign.host(foreign.OPEN .. ([[
      local text, field, seen = %q, %q, {}
      for n = %d, %d, %d do
        local given = { memory = 1 << 25, instructions = 100000000, [field] = n }
        local cell <close> = new(given)
        local answer, why = cell:ask { "run", "x.lua", text, tostring(given.instructions) }
        local how = answer and answer[1] .. " " .. answer[3]:match "^[%%C]*" or why
        if not seen[how] then print(how) end
        seen[how] = true
      end]]):format(text, field, first, last, step))
  end

  it("ends with the instruction budget wherever that is", function()
    assert.equal("spent instruction budget used up at x.lua:2\n", ends([[
local t = setmetatable({}, { __index = function(t, k)
  return t[k + 0] end }) while true do pcall(function() return t[1] end) end]],
      "instructions", 100000, 140000, 701))
  end)

  -- Needs `mib` with what was there before, and 3 more for a string.
  local blocks = {
    { name = "a stack", mib = 16, "(function(...) end)(table.unpack({}, 1, 990000))" },
    { name = "a table", mib = 9, "local t = {} for i = 1, 1 << 19 do t[i] = i end" },
  }
  for _, block in ipairs(blocks) do
    local function filled(before)
      return ends(("local s = ('x'):rep(3 << 20) %s\npcall(function() %s end)\n%s"):format(
        before, block[1], foreign.FINE), "memory", block.mib << 20, block.mib + 1 << 20, 100001)
    end

    it("counts as memory, also where that is caught: " .. block.name, function()
      assert.equal("spent memory budget used up at x.lua:2\n", filled "")
    end)

    it("takes the room of what can be collected: " .. block.name, function()
      assert.equal("layout x.lua\n", filled "s = nil")
    end)
  end
end)

describe("a large layout", function()
  -- Sanitizers make a cell ten times as slow.
  local SHIFT <const> = foreign.fenced() and 48 or 52
  local MOST <const> = 1 << 64 - SHIFT
  local function layout(regions, shards, more)
    return ("local r = {} for i = 1, %d do r[i] = 'r' .. i end return tidal.cluster { name = 'n', "
            .. "regions = r, shards = %d, %s }"):format(regions, shards, more)
  end
  local rows = {
    { "64 regions of 1,024 shards", layout(64, 1024, "leaders = 'spread'") },
    { "3 regions of as many shards as possible", layout(3, MOST, "leaders = 'spread'") },
    { "as many ranges in a list", "local list = {} for i = 0, MOST - 1 do "
      .. "list[i + 1] = { shard = i, first = i << SHIFT, last = (i + 1 << SHIFT) - 1 } end "
      .. layout(1, MOST, "routing = tidal.routing.ranges(list)") },
    { "as many ranges in a text", "local list = {} for i = 0, MOST - 1 do list[i + 1] = "
      .. "('s%d 0x%x..0x%x'):format(i, i << SHIFT, (i + 1 << SHIFT) - 1) end "
      .. layout(1, MOST, "routing = tidal.routing.ranges(table.concat(list, '\\n'))") },
  }
  for _, row in ipairs(rows) do
    it("fits: " .. row[1], function()
      local text = row[2]:gsub("MOST", MOST):gsub("SHIFT", SHIFT)
      local result = foreign.run(text, { verb = "route", args = { "0xffffffffffffffff" } })
      assert.equal("", result[3])
      assert.equal(0, result[1])
    end)
  end
end)
