-- host.read_below: files below a folder, and none beside it.
local foreign = require "spec.support.foreign"
local lfs = require "lfs"
local script = require "spec.support.script"

local FILES <const> = { ["out.lua"] = "outside", ["a.lua"] = "inside\0\xff",
  ["big"] = ("x"):rep(101),
                        ["fits"] = ("x"):rep(100) }

local function read(dir, name, folder)
  return foreign.host(([[
    local text, why = require "tidal.host".read_below(%q, %q, 100)
    io.write(text and #text .. " " .. text or tostring(why))]]):format(dir .. (folder or ""), name))
end

describe("read_below()", function()
  local function within(f)
    script.within(FILES, function(dir)
      assert(lfs.mkdir(dir .. "/box"))
      assert(lfs.mkdir(dir .. "/boxes"))
      assert(lfs.link("../a.lua", dir .. "/box/up", true))
      assert(lfs.link("inner", dir .. "/box/in", true))
      assert(lfs.link("..", dir .. "/box/back", true))
      assert(lfs.link("box", dir .. "/alias", true))
      for _, name in ipairs { "/box/inner", "/boxes/x" } do
        local file = assert(io.open(dir .. name, "w"))
        file:write "here"
        file:close()
      end
      f(dir)
      os.remove(dir .. "/box/back")
      os.remove(dir .. "/alias")
    end)
  end

  local rows = {
    { "a file", "a.lua", "8 inside\0\xff" }, { "one of the largest size", "fits", "100 " },
    { "not a larger one", "big", "too large" }, { "not an absent one", "none", "absent" },
    { "nothing below a file", "a.lua/x", "absent" }, { "no folder", "box", "not a regular file" },
    { "a link that stays", "in", "4 here", "/box" }, { "no link that leads out", "up", "outside",
      "/box" },
    { "nothing above", "../a.lua", "outside", "/box" },
    { "nothing through a folder that leads out", "back/a.lua", "outside", "/box" },
    { "no folder whose name goes on", "../boxes/x", "outside", "/box" },
    { "a folder that is a link itself", "inner", "4 here", "/alias" },
  }
  for _, row in ipairs(rows) do
    it("reads " .. row[1], function()
      within(function(dir)
        assert.equal(row[3], read(dir, row[2], row[4]):sub(1, #row[3]))
      end)
    end)
  end

  it("does not wait for a pipe", function()
    script.within({}, function(dir)
      assert(os.execute(("mkfifo '%s/pipe'"):format(dir)))
      assert.equal("not a regular file", read(dir, "pipe"))
    end)
  end)
end)
