-- Against the library where the order does not matter; for its own order
-- where it does.
local gen = require "spec.support.gen"
local tables = require "tidal.hermetic.tables"

local charged
local library = tables.library { charge = function(work) charged = work end }

-- What f raises, and at a line of this file.
local function told(f)
  local fine, why = pcall(f)
  assert.is_false(fine)
  return why:match "^%S*tables_spec%.lua:%d+: (.*)$" or "no line: " .. why
end

local function keys(t)
  local out = {}
  for key in tables.pairs(t) do out[#out + 1] = key end
  return out
end

describe("pairs()", function()
  it("goes in the order of the keys, integers first", function()
    assert.same({ -5, 1, 2, 10, "", "a", "aa", "b" },
                keys { b = 1, a = 1, [10] = 1, 7, 8, [-5] = 1, aa = 1, [""] = 1 })
    assert.same({}, keys {})
  end)

  it("sees the values of now, without what is gone", function()
    local t, seen = { a = 1, b = 2, c = 3 }, {}
    for key, value in tables.pairs(t) do
      seen[#seen + 1] = key .. value
      t.b, t.c = nil, 30
    end
    assert.same({ "a1", "c30" }, seen)
  end)

  for _, key in ipairs { true, 1.5, print, {} } do
    it("refuses a key that is a " .. (math.type(key) or type(key)), function()
      local why = (": a key is a %s: only integers and strings have an order; walk a list instead")
                  :format(math.type(key) or type(key))
      assert.equal("pairs" .. why, told(function() tables.pairs { [key] = 1 } end))
      assert.equal("next" .. why, told(function() local _ = tables.next { [key] = 1 } end))
    end)
  end

  it("goes through a value that walks itself, in order", function()
    local t = setmetatable({}, { __pairs = function() return next, { b = 2, a = 1, [3] = 0 } end })
    local out = {}
    for key, value in tables.pairs(t) do out[#out + 1] = key .. "=" .. value end
    assert.same({ "3=0", "a=1", "b=2" }, out)
  end)

  it("goes through frozen lists of layouts", function()
    local made = require "spec.support.script".layout()
    local out = {}
    for i, region in tables.pairs(made.regions) do out[i] = region.name end
    assert.same({ "us-east", "eu-west", "ap-south" }, out)
  end)

  it("takes tables only", function()
    assert.equal("pairs: a table expected, got string", told(function() tables.pairs "x" end))
    assert.equal("next: a table expected, got nil",
                 told(function() local _ = tables.next(nil) end))
  end)
end)

describe("next()", function()
  it("gives the keys in the same order", function()
    local out = {}
    for key, value in tables.next, { z = false, a = 2, 5, [-1] = 3 } do
      out[#out + 1] = key .. tostring(value)
    end
    assert.same({ "-13", "15", "a2", "zfalse" }, out)
    assert.is_nil(tables.next {})
  end)

  it("goes on behind a key that is gone, and refuses one that has no order", function()
    local t = { 5, 6, 7, a = 1 }
    t[2] = nil
    assert.equal(3, (tables.next(t, 2)))
    assert.is_nil(tables.next(t, "a"))
    for _, key in ipairs { true, 1.5, {}, print } do
      assert.equal(("next: a key is a %s: only integers and strings have an order; walk a list "
        .. "instead"):format(math.type(key) or type(key)),
        told(function() local _ = tables.next(t, key) end))
    end
  end)
end)

describe("the library", function()
  local function agree(name, ...)
    local mine, theirs = { 1, 2, 3, 4, 5 }, { 1, 2, 3, 4, 5 }
    local a = table.pack(pcall(library[name], mine, ...))
    local b = table.pack(pcall(table[name], theirs, ...))
    assert.equal(b[1], a[1], name)
    if a[1] then assert.same(b, a) end
    assert.same(theirs, mine)
  end

  it("inserts, removes and moves as table does", function()
    for _, args in ipairs { { 9 }, { 1, 9 }, { 3, 9 }, { 6, 9 }, { 7, 9 }, { 0, 9 }, {}, { 1, 2,
      3 },
                            { "2", 9 }, { 1.5, 9 } } do
      agree("insert", table.unpack(args))
    end
    for _, at in ipairs { 1, 3, 5, 6, 7, 0, -1, "2" } do agree("remove", at) end
    agree("remove")
    for _, args in ipairs { { 1, 3, 2 }, { 2, 5, 1 }, { 1, 5, 1 }, { 3, 2, 1 }, { 1, 2, 9 } } do
      agree("move", table.unpack(args))
    end
    assert.same({ 2, 3 }, library.move({ 1, 2, 3 }, 2, 3, 1, {}))
    for _, value in ipairs { table.pack(pcall(library.remove, {})) } do assert.is_true(value[1]) end
  end)

  local wrong = {
    { "insert", { 5, 1 }, "table.insert: a table expected, got number" },
    { "insert", { {} }, "wrong number of arguments to 'insert'" },
    { "insert", { {}, 1, 2, 3 }, "wrong number of arguments to 'insert'" },
    { "insert", { {}, "x", 2 }, "table.insert: an integer expected, got string" },
    { "insert", { {}, 1.5, 2 }, "table.insert: an integer expected, got number" },
    { "insert", { {}, 2, 2 }, "table.insert: position out of bounds" },
    { "insert", { {}, 0, 2 }, "table.insert: position out of bounds" },
    { "remove", { "x" }, "table.remove: a table expected, got string" },
    { "remove", { {}, {} }, "table.remove: an integer expected, got table" },
    { "remove", { { 1 }, 3 }, "table.remove: position out of bounds" },
    { "remove", { { 1 }, 0 }, "table.remove: position out of bounds" },
    { "move", { nil, 1, 2, 3 }, "table.move: a table expected, got nil", n = 4 },
    { "move", { {}, 1, 2, 3, 4 }, "table.move: a table expected, got number" },
    { "move", { {}, 1, true, 3 }, "table.move: an integer expected, got boolean" },
    { "sort", { print }, "table.sort: a table expected, got function" },
    { "unpack", { {}, "a" }, "table.unpack: an integer expected, got string" },
    { "concat", { 7 }, "table.concat: a table expected, got number" },
    { "concat", { {}, "", 1, false }, "table.concat: an integer expected, got boolean" },
  }
  for i, row in ipairs(wrong) do
    it(("refuses %s, told at the line that calls %d"):format(row[1], i), function()
      local count = row.n or #row[2]
      assert.equal(row[3], told(function() library[row[1]](table.unpack(row[2], 1, count)) end))
    end)
  end

  it("unpacks and joins as table does, charged first", function()
    assert.same({ 2, 3 }, { library.unpack({ 1, 2, 3 }, 2) })
    assert.equal(1, charged)
    assert.equal("1-2-3", library.concat({ 1, 2, 3 }, "-"))
    assert.equal(2, charged)
    assert.equal("", library.concat({}, "-", 2, 1))
    pcall(library.unpack, {}, math.mininteger, math.maxinteger)
    assert.equal(math.maxinteger, charged)
  end)

  it("sorts like table.sort, and keeps equal entries in order", function()
    gen.property("sort", 300, function(g)
      local mine, theirs = {}, {}
      for i = 1, g:int(0, 60) do
        mine[i] = g:int(1, 20)
        theirs[i] = mine[i]
      end
      library.sort(mine)
      table.sort(theirs)
      if table.concat(mine, ",") ~= table.concat(theirs, ",") then return table.concat(mine,
        ",") end
    end)
    local list = {}
    for i = 1, 200 do list[i] = { i % 3, i } end
    library.sort(list, function(a, b) return a[1] < b[1] end)
    for i = 2, 200 do
      local a, b = list[i - 1], list[i]
      assert.is_true(a[1] < b[1] or a[1] == b[1] and a[2] < b[2])
    end
  end)

  it("takes what a comparison lies", function()
    local list = { 3, 1, 2 }
    library.sort(list, function() return true end)
    table.sort(list)
    assert.same({ 1, 2, 3 }, list)
  end)
end)
