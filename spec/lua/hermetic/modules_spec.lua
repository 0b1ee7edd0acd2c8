local modules = require "tidal.hermetic.modules"

-- Files by name; what read_below was asked for is in `asked`.
local asked
local function files(list)
  asked = {}
  return function(folder, name, most)
    asked[#asked + 1] = folder .. " " .. name .. " " .. most
    local text = list[name]
    if text == nil then return nil, "absent" end
    if text == false then return nil, "outside" end
    return text
  end
end

describe("find()", function()
  it("looks below the script's folder", function()
    local found = modules.new("deep/dir/cluster.lua", files { ["a/b.lua"] = "1",
      ["c/init.lua"] = "2" })
    assert.same({ "deep/dir/a/b.lua", "1" }, { found:find "a.b" })
    assert.same({ "deep/dir/c/init.lua", "2" }, { found:find "c" })
    assert.same({ "deep/dir/ a/b.lua 262144", "deep/dir/ c.lua 262144",
      "deep/dir/ c/init.lua 262144" },
                asked)
    assert.same({ "x.lua", "1" }, { modules.new("l.lua", files { ["x.lua"] = "1" }):find "x" })
    assert.same({ ". x.lua 262144" }, asked)
  end)

  it("says what it tried", function()
    assert.same({ nil, "there is no d/a/b.lua and no d/a/b/init.lua" },
                { modules.new("d/c.lua", files {}):find "a.b" })
    assert.same({ nil, "d/a.lua is a link that leads out of the script's folder" },
                { modules.new("d/c.lua", files { ["a.lua"] = false }):find "a" })
  end)

  for _, name in ipairs { "", ".", "a.", ".a", "a..b", "../a", "/a", "a/b", "A", "a-b", "a\0",
    "a b",
                          "\u{e9}", "a\n" } do
    it(("reads nothing for %q"):format(name), function()
      local found = modules.new("c.lua", files {})
      assert.same({ nil, "a name is made of a-z, 0-9 and _, with dots between" },
        { found:find(name) })
      assert.same({}, asked)
    end)
  end

  it("gives so many, and so many bytes", function()
    local all = setmetatable({}, { __index = function() return "x" end })
    local found = modules.new("c.lua", files(all))
    for i = 1, 64 do assert.is_truthy((found:find("m" .. i))) end
    assert.same({ nil, "more than 64 modules" }, { found:find "last" })
    local large = modules.new("c.lua", files(setmetatable({}, { __index = function()
      return ("x"):rep(262144) end })))
    for _ = 1, 8 do assert.is_truthy((large:find "m")) end
    assert.same({ nil, "the modules have more than 2097152 bytes" }, { large:find "m" })
  end)
end)
