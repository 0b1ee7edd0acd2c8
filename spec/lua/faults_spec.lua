local core = require "tidal.core"
local faults = require "tidal.faults"

local function raised(found, code)
  local ok, err = pcall(found.raise, found, code or "layout")
  assert.is_false(ok)
  return err
end

describe("shown()", function()
  local rows = {
    { "text", '"text"' }, { "", '""' }, { "a\nb\t\0c", '"a?b??c"' }, { 5, "5" }, { -1, "-1" },
    { 1.0, "the float 1" }, { 0.1, "the float 0.10000000000000001" },
    { 2.0 ^ 64, "the float 1.8446744073709552e+19" }, { 0 / 0, "the float " },
    { math.huge, "the float inf" }, { true, "true" }, { {}, "a table" },
    { setmetatable({}, { __tostring = error }), "a table" }, { print, "a function" },
    { coroutine.create(print), "a thread" }, { core.shard(3), "s3" },
    { core.segment(1, 2, 3), "r1:s2:3" }, { ("x"):rep(64), '"' .. ("x"):rep(64) .. '"' },
    { ("x"):rep(65), '"' .. ("x"):rep(64) .. '..."' },
    { ("x"):rep(63) .. "\u{20ac}", '"' .. ("x"):rep(63) .. '..."' },
  }
  for _, row in ipairs(rows) do
    it("writes " .. row[2], function()
      local text = faults.shown(row[1])
      assert.equal(row[2], text:sub(1, #row[2]))
      if row[1] == row[1] then assert.equal(#row[2], #text) end
    end)
  end

  it("writes nil", function() assert.equal("nil", faults.shown(nil)) end)
end)

describe("a list of faults", function()
  it("is empty at first", function()
    assert.is_false(faults.new():any())
  end)

  it("raises all of them at once", function()
    local found = faults.new("cluster.lua")
    found:add("name", "is missing")
    found:add_format("epoch", "got %d, %s", 5, "alas")
    assert.is_true(found:any())
    local err = raised(found)
    assert.is_true(core.is_error(err))
    assert.equal("layout", err.code)
    assert.equal("cluster.lua: name: is missing\ncluster.lua: epoch: got 5, alas\n"
                 .. "2 faults; nothing planned", tostring(err))
    assert.same({ { path = "name", message = "is missing", file = "cluster.lua" },
                  { path = "epoch", message = "got 5, alas", file = "cluster.lua" } }, err.faults)
  end)

  it("has no sum below a single one", function()
    local found = faults.new()
    found:add("name", "is missing")
    assert.equal("name: is missing", tostring(raised(found, "rules")))
    assert.equal("rules", raised(found, "rules").code)
  end)

  it("takes lines from the index, or from who knows better", function()
    local index = { line = function(_, path) return path == "name" and 3 or nil end }
    local found = faults.new("f", index)
    assert.same({ 3, nil }, { found:line "name", found:line "other" })
    found:add("other", "x")
    found:add("name", "y", 9)
    found:add("name", "z")
    assert.equal("f: other: x\nf:3: name: z\nf:9: name: y\n3 faults; nothing planned",
                 tostring(raised(found)))
  end)

  it("keeps the order of what stands on one line", function()
    local found, want = faults.new("f"), {}
    for i = 1, 50 do
      found:add("p" .. i, "m", 7)
      want[i] = ("f:7: p%d: m"):format(i)
    end
    want[51] = "50 faults; nothing planned"
    assert.equal(table.concat(want, "\n"), tostring(raised(found)))
  end)

  it("prints 100 and counts the rest", function()
    for _, count in ipairs { 100, 101, 250 } do
      local found = faults.new()
      for i = 1, count do found:add("p" .. i, "m") end
      local err = raised(found)
      local lines = select(2, err.message:gsub("\n", "")) + 1
      assert.equal(count, #err.faults)
      assert.equal(count > 100 and 102 or 101, lines)
      assert.equal(count > 100, err.message:find("... and " .. count - 100 .. " more", 1,
                                                 true) ~= nil)
    end
  end)
end)

describe("refuse()", function()
  it("raises one thing that is wrong, with its code", function()
    local fine, err = pcall(faults.refuse, "plan", "%d of %s", 2, "x")
    assert.same({ false, "plan", "2 of x" }, { fine, err.code, err.message })
  end)
end)

describe("text()", function()
  it("is one fault with its place", function()
    local fault = { path = "p", message = "m", file = "f", line = 2 }
    assert.equal("f:2: p: m", faults.text(fault))
    fault.line = nil
    assert.equal("f: p: m", faults.text(fault))
    fault.file = nil
    assert.equal("p: m", faults.text(fault))
  end)
end)

describe("faults.json", function()
  it("has all faults in the order of their lines", function()
    local lines = { a = 9, b = 2 }
    local found = faults.new("f.lua", { line = function(_, path) return lines[path] end })
    found:add("a", 'an "a"')
    found:add("b", "a b")
    local _, err = pcall(found.raise, found, "layout")
    assert.equal('{"format":"tidal-faults/1","faults":[{"file":"f.lua","line":2,"path":"b",'
      .. '"message":"a b"},{"file":"f.lua","line":9,"path":"a","message":"an \\"a\\""}]}',
      faults.json(err))
  end)

  it("leaves out what is not known", function()
    local found = faults.new()
    found:add("a", "an a")
    local _, err = pcall(found.raise, found, "layout")
    assert.equal('{"format":"tidal-faults/1","faults":[{"file":null,"line":null,"path":"a",'
      .. '"message":"an a"}]}', faults.json(err))
  end)

  it("takes an error without a list as one fault", function()
    local function of(message)
      return faults.json(core.error { code = "layout", message = message })
    end
    assert.equal('{"format":"tidal-faults/1","faults":[{"file":"f.lua","line":7,"path":"",'
      .. '"message":"unexpected symbol"}]}', of "f.lua:7: unexpected symbol")
    assert.equal('{"format":"tidal-faults/1","faults":[{"file":null,"line":null,"path":"",'
      .. '"message":"cannot open it"}]}', of "cannot open it")
  end)
end)
