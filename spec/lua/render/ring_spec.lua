local pictures = require "spec.support.pictures"
local ring = require "tidal.render.ring"
local routing = require "tidal.routing"
local script = require "spec.support.script"
local xml = require "spec.support.xml"

-- The drawing of the last frame, read back.
local function drawn(scene)
  return xml.read(ring.draw(scene, scene.frames[#scene.frames]))
end

local function titles(nodes)
  local out = {}
  for i, node in ipairs(nodes) do out[i] = xml.text(xml.find(node, "title")[1]) end
  return out
end

describe("the ring", function()
  it("has an arc a range, in the colour of its shard, with a title and a label", function()
    local root = drawn(pictures.scene "even")
    local arcs = xml.find(root, "path", "edge")
    assert.equal(5, #arcs)
    assert.equal("s2: 0x6666666666666667..0x9999999999999999 20.00 %", titles(arcs)[3])
    assert.equal("edge c2", arcs[3].attrs.class)
    local labels = xml.find(root, "text", "t2")
    assert.same({ 1, "s2" }, { #labels, labels[1].text })
  end)

  it("begins at the top and goes clockwise", function()
    local first = xml.find(drawn(pictures.scene "hash5"), "path", "edge")[1]
    assert.matches("^M200 42A158 158 0 0 1 350%.%d+ 151%.%d+L", first.attrs.d)
  end)

  it("is two half circles where one shard has it all", function()
    local arcs = xml.find(drawn(pictures.scene "single"), "path", "edge")
    assert.equal(1, #arcs)
    assert.equal("M200 42A158 158 0 1 1 200 358A158 158 0 1 1 200 42Z"
                 .. "M200 94A106 106 0 1 0 200 306A106 106 0 1 0 200 94Z", arcs[1].attrs.d)
  end)

  it("takes the long way for an arc of more than a half", function()
    local arcs = xml.find(drawn(pictures.scene(script.layout { shards = 2,
      routing = routing.ranges [[
        s0 0..0xbfffffffffffffff s1 0xc000000000000000..0xffffffffffffffff ]]
    })), "path", "edge")
    assert.matches("A158 158 0 1 1 ", arcs[1].attrs.d, 1, true)
    assert.matches("A158 158 0 0 1 ", arcs[2].attrs.d, 1, true)
  end)

  it("shows what was before as an inner ring, and hatches what moved", function()
    local root = drawn(pictures.scene("even", "split"))
    assert.equal(5, #xml.find(root, "path", "thin"))
    assert.equal(1, #xml.find(root, "path", "moved"))
    local arcs = titles(xml.find(root, "path", "edge"))
    assert.equal("s5: 0xe000000000000000..0xffffffffffffffff 12.50 % (was s4)", arcs[#arcs])
    assert.equal(1, #xml.find(root, "text", "halo"))
  end)

  it("takes an inner ring that is there already", function()
    local scene = pictures.scene("even", "split")
    local text = ring.draw(scene, scene.frames[2], '<use href="#before"/>')
    assert.matches('<use href="#before"/>', text, 1, true)
    assert.not_matches("thin", text, 1, true)
  end)

  it("shows load as bars of the busiest, and hot ids as dots", function()
    local root = drawn(pictures.scene(pictures.weighed()))
    assert.same({ "s0: 100.00 % of the events" }, titles(xml.find(root, "path", "heat")))
    local hot = xml.find(root, "circle", "hot")
    assert.equal("0x0b031c9af598e101: 4532 events", titles(hot)[1])
  end)

  it("draws arcs of many shards in a colour of their own, without a label", function()
    local root = drawn(pictures.scene(script.layout { shards = 1000 }))
    local arcs = xml.find(root, "path", "mixed")
    assert.equal(#xml.find(root, "path", "fine"), #arcs)
    assert.matches("^%d+ ranges of several shards: 0x0+%.%.", titles(arcs)[1])
    assert.equal(0, #xml.find(root, "text", "big") - 1)  -- the name
  end)

  it("names no places where a hash has none", function()
    assert.equal(4, #xml.find(drawn(pictures.scene "even"), "text", "dim") - 2)
    assert.equal(0, #xml.find(drawn(pictures.scene "hash5"), "text", "dim") - 2)
  end)

  it("needs more room where there are bars", function()
    assert.equal(400, ring.box(pictures.scene "even"))
    assert.equal(488, ring.box(pictures.scene(pictures.weighed())))
  end)
end)

describe("describe()", function()
  it("tells the first arcs and how many more there are", function()
    assert.equal("Ring of all keys: s0 100.00 %", ring.describe(pictures.scene "single".frames[1]))
    assert.matches("s7 2%.50 %%, and 32 more arcs$",
                   ring.describe(pictures.scene(script.layout { shards = 40 }).frames[1]))
  end)
end)
