local cli = require "spec.support.cli"

local LAYOUT <const> = [[
return tidal.cluster { name = "n", regions = { "a" }, shards = 2, epoch = %d }]]

-- What the code prints after the stand-in, with the epoch 9, is there.
local function run(code)
  local status, out, err = cli.run({ "-e", [[
local tidal = require "tidal"
local stand_in = require "tidal.testing.stand_in"
stand_in.install("a.lua", 3, function(layout)
  return tidal.cluster { name = layout.name, regions = { "a" }, shards = 2, epoch = 9 }
end)
local function show(layout) print(layout.epoch, stand_in.served()) end
]] .. code, "-" }, { files = { ["a.lua"] = LAYOUT:format(1), ["b.lua"] = LAYOUT:format(2),
                               ["c.lua"] = "return { dofile 'a.lua' }" } })
  assert.same({ 0, "" }, { status, err })
  return out
end

describe("stand_in", function()
  local ways = {
    { "tidal.cluster.load", "show(tidal.cluster.load 'a.lua')" },
    { "another name of the file", "show(tidal.cluster.load './/a.lua')" },
    { "dofile", "show(dofile 'a.lua')" },
    { "loadfile", "show(assert(loadfile 'a.lua')())" },
    { "loadfile with an environment",
      "show(assert(loadfile('a.lua', 't', { tidal = tidal }))())" },
    { "require", "package.path = './?.lua' show(require 'a')" },
    { "another file that loads it", "show(dofile 'c.lua'[1])" },
  }
  for _, way in ipairs(ways) do
    it("is given through " .. way[1], function()
      assert.equal("9\t1\n", run(way[2]))
    end)
  end

  it("leaves other files alone", function()
    assert.equal("2\t0\n2\t0\n2\t0\n2\t0\n", run [[
      show(dofile "b.lua") show(tidal.cluster.load "b.lua") show(assert(loadfile "b.lua")())
      package.path = "./?.lua" show(require "b")]])
  end)

  it("keeps what files are called", function()
    assert.equal("b.lua\tb.lua\n", run [[
      print(dofile("b.lua").file, tidal.cluster.load("b.lua").file)]])
  end)

  it("fails as the originals do", function()
    assert.equal("nil\tcannot open x.lua: No such file or directory\n"
      .. "false\ttrue\nfalse\ttrue\n", run [[
      print(loadfile "x.lua")
      local ok, why = pcall(dofile, "x.lua") print(ok, why:find "x.lua" ~= nil)
      local ok, why = pcall(require, "x") print(ok, why:find "module 'x' not found" ~= nil)]])
  end)

  it("has its number", function()
    assert.equal("3\n", run "print(stand_in.number())")
  end)
end)
