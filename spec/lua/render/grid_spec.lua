local grid = require "tidal.render.grid"
local pictures = require "spec.support.pictures"
local script = require "spec.support.script"
local xml = require "spec.support.xml"

local function drawn(scene, i)
  return xml.read(grid.draw(scene, scene.frames[i or #scene.frames]))
end

local function texts(root, class)
  local out = {}
  for i, node in ipairs(xml.find(root, "text", class)) do out[i] = xml.text(node) end
  return out
end

describe("the grid", function()
  it("has a cell a node: filled and L leads, hollow follows", function()
    local root = drawn(pictures.scene "even")
    assert.equal(15, #xml.find(root, "g"))
    assert.equal(10, #xml.find(root, "path", "follow"))
    assert.equal(5, select(2, table.concat(texts(root, "mid")):gsub("L", "")))
    assert.equal("r0 us-east, s0: leader", xml.text(xml.find(root, "title")[4]))
  end)

  it("labels rows and columns", function()
    local root = drawn(pictures.scene "even")
    assert.matches("^r2 ap%-south", texts(root, "end")[3])
    assert.same({ "s0", "s4" }, { texts(root, "mid")[1], texts(root, "mid")[5] })
  end)

  it("marks what is new: regions, shards, leaders", function()
    local root = drawn(pictures.scene("even", "wider"))
    assert.matches("+ r3 sa", texts(root, "end")[4], 1, true)
    assert.equal("+s5", texts(root, "mid")[6])
    assert.is_true(#xml.find(root, "path", "turned") > 0)
    assert.equal(0, #xml.find(drawn(pictures.scene("even", "wider"), 1), "path", "turned"))
  end)

  it("leaves a dash where there is no node yet", function()
    local before = drawn(pictures.scene("even", "wider"), 1)
    local dashes = xml.find(before, "path", "gone")
    assert.equal(1, #dashes)  -- one path for all of them
    assert.equal(6 + 3, select(2, dashes[1].attrs.d:gsub("M", "")))
  end)

  it("draws groups as bars as high as the part that leads", function()
    local root = drawn(pictures.scene(script.layout { shards = 128 }))
    assert.equal(64, #xml.find(root, "path", "some"))       -- us-east leads them all
    assert.equal(64 * 3, #xml.find(root, "path", "empty"))  -- tracks
    assert.equal("r0 us-east, s2..s3: 2 of 2 nodes lead", xml.text(xml.find(root, "title")[5]))
  end)

  it("makes one path of all cells of a kind where they are many", function()
    local regions = {}
    for i = 1, 64 do regions[i] = "r" .. i end
    local scene = pictures.scene(script.layout { shards = 1024, regions = regions })
    local root = drawn(scene)
    assert.same({ 1, 1, 0 }, { #xml.find(root, "path", "some"), #xml.find(root, "path", "empty"),
                               #xml.find(root, "g") })
    assert.equal(4096, select(2, xml.find(root, "path", "empty")[1].attrs.d:gsub("M", "")))
  end)

  it("shortens long names and keeps them in the title", function()
    local name = ("x"):rep(64)
    local root = drawn(pictures.scene(script.layout { regions = { name } }))
    local label = xml.find(root, "text", "end")[1]
    assert.equal("r0 xxxxxxxxxxxxx…", label.text)
    assert.matches(name, xml.text(label), 1, true)
  end)

  it("shows the load below, in words where there is room", function()
    local root = drawn(pictures.scene(pictures.weighed()))
    assert.equal(5, #xml.find(root, "path", "heat"))
    assert.same({ "100 %", "0 %", "0 %", "0 %", "0 %" }, texts(root, "small"))
  end)

  it("says how large it is, and stays in it", function()
    for _, changes in ipairs { {}, { shards = 1 }, { shards = 65535 } } do
      local scene = pictures.scene(script.layout(changes))
      local wide, tall = grid.box(scene)
      for _, node in ipairs(xml.find(drawn(scene), "path")) do
        for x, y in node.attrs.d:gmatch "M(%S+) ([%d.]+)" do
          assert.is_true(tonumber(x) < wide and tonumber(y) < tall)
        end
      end
      assert.is_true(wide <= 700 and tall <= 600)
    end
  end)
end)

it("describe() tells who leads how many", function()
  assert.equal("Grid of regions and 5 shards: r0 us-east leads 5, r1 eu-west leads 0, "
               .. "r2 ap-south leads 0", grid.describe(pictures.scene "even".frames[1]))
end)
