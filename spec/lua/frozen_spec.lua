local frozen = require "tidal.frozen"
local raised = require "spec.support.raised"

describe("a view", function()
  local inner = setmetatable({}, { __metatable = "locked" })
  local t = { 1, 2, { a = 1 }, inner = inner, list = { 7, 8 } }
  local view = frozen.view(t, "layout")

  it("shows what is there, tables inside as views", function()
    assert.same({ 1, 2, 1, 3, 2 }, { view[1], view[2], view[3].a, #view, #view.list })
    assert.equal(inner, view.inner)
    assert.is_nil(view.none)
    local seen = {}
    for key, value in pairs(view.list) do seen[key] = value end
    assert.same({ 7, 8 }, seen)
    for i, value in ipairs(view.list) do assert.equal(6 + i, value) end
    assert.equal("7 8", table.concat(view.list, " "))
    assert.same({ 7, 8 }, { table.unpack(view.list) })
  end)

  it("is the same one while it is held", function()
    assert.equal(view, frozen.view(t, "layout"))
    local list = view.list
    collectgarbage()
    assert.equal(list, view.list)
    assert.not_equal(t, view)
  end)

  it("refuses to be set, at every depth, by the name of what it belongs to", function()
    local want = "a layout is a value: x cannot be set; declare another one"
    assert.equal(want, raised(function() view.x = 1 end))
    assert.equal(want, raised(function() view[3].x = 1 end))
    assert.equal((want:gsub("x", "1", 1)), raised(function() view.list[1] = 1 end))
    assert.equal("locked", getmetatable(view))
  end)

  it("does not keep a table alive", function()
    local weak = setmetatable({}, { __mode = "k" })
    do
      local short = {}
      weak[short] = true
      assert.is_table(frozen.view(short, "plan"))
    end
    collectgarbage()
    collectgarbage()
    assert.is_nil(next(weak))
  end)
end)
