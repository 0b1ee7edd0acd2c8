-- tidal.rows: lists as text, byte for byte as string.format writes them.
local core = require "tidal.core"
local gen = require "spec.support.gen"

local rows = core.rows

describe("rows()", function()
  it("writes every record by the form", function()
    assert.equal('{"a":1,"b":"0x00000000000000ff","c":"x"},{"a":0,"b":"0xffffffffffffffff","c":""}',
      rows({ { a = 1, b = 255, c = "x" }, { a = 0, b = -1, c = "" } },
           '{"a":%d(a),"b":"0x%x(b)","c":"%s(c)"}'))
    assert.equal("", rows({}, "%d(a)"))
    assert.equal("-,-", rows({ {}, {} }, "-"))
  end)

  it("writes as string.format does", function()
    gen.property("rows", 200, function(g)
      local list, want = {}, {}
      for i = 1, g:int(1, 20) do
        local id = g:u64()
        list[i] = { n = id >> 1, id = id, share = (id >> 11) / 2.0 ^ 53, word = ("r"):rep(i) }
        want[i] = ("%d 0x%016x %.17g %s"):format(id >> 1, id, list[i].share, list[i].word)
      end
      local got = rows(list, "%d(n) 0x%x(id) %g(share) %s(word)")
      if got ~= table.concat(want, ",") then return got end
    end)
    for _, x in ipairs { 0, 1, 1.0, 0.1, -0.0, 2.0 ^ 64, 1e300, 5e-324 } do
      assert.equal(("%.17g"):format(x), rows({ { x = x } }, "%g(x)"))
    end
  end)

  it("writes a point in a locale with a comma", function()
    assert.equal("0.25,-1e-300,2,inf,-nan,nan\n", require "spec.support.locale".printed [[
      local list = {}
      for i, x in ipairs { 0.25, -1e-300, 2, 1 / 0, 0 / 0, -(0 / 0) } do list[i] = { x = x } end
      print(require "tidal.core".rows(list, "%g(x)"))]])
  end)

  it("writes a part of a list", function()
    local list = { { n = 1 }, { n = 2 }, { n = 3 } }
    local function part(...) return rows(list, "%d(n)", ...) end
    assert.same({ "2,3", "2", "", "1,2,3", "1,2,3" },
                { part(2), part(2, 2), part(3, 2), part(), part(0, 65536) })
  end)

  it("reads views", function()
    local view = require "tidal.frozen".view({ { n = 1 }, { n = 2 } }, "plan")
    assert.equal("1,2", rows(view, "%d(n)"))
  end)

  it("takes 8 fields, and rows of 511 bytes", function()
    local eight, value = ("%d(a)"):rep(8), ("x"):rep(509)
    assert.equal("77777777", rows({ { a = 7 } }, eight))
    assert.has_error(function() rows({}, eight .. "%d(a)") end,
                     "bad argument #2 to 'rows' (at most 8 fields expected)")
    assert.equal(511, #rows({ { s = value } }, "<%s(s)>"))
    assert.has_error(function() rows({ {s = ""}, { s = value .. "y" } }, "<%s(s)>") end,
                     "list[2] has more than 511 bytes")
  end)

  for _, form in ipairs { "%", "%d", "%d(", "%d(a", "%u(a)", "%%", "a%(b)" } do
    it("refuses the form " .. form, function()
      assert.has_error(function() rows({}, form) end)
    end)
  end

  local lists = {
    { { 1 }, "%d(a)" }, { { {} }, "%d(a)" }, { { { a = -1 } }, "%d(a)" },
    { { { a = 1.0 } }, "%d(a)" }, { { { a = "1" } }, "%d(a)" }, { { {} }, "%x(a)" },
    { { { a = 1.5 } }, "%x(a)" }, { { { a = 1 } }, "%s(a)" }, { { { a = "1" } }, "%g(a)" },
    { { { a = 1 }, {} }, "%d(a)" },
  }
  for i, case in ipairs(lists) do
    it("refuses what does not fit " .. i, function()
      local fine, why = pcall(rows, case[1], case[2])
      assert.is_false(fine)
      assert.matches("list[" .. #case[1] .. "]", why, 1, true)
    end)
  end

  it("refuses what is no list, no form, no number", function()
    for _, args in ipairs { {}, { 5, "" }, { {} }, { {}, 5 }, { {}, "", "x" }, { {}, "", 1, {} },
                            { {}, "", -1 }, { {}, "", 1, 1.0 }, { {}, "", 1, 1 << 32 } } do
      assert.has_error(function() rows(table.unpack(args)) end)
    end
  end)
end)
