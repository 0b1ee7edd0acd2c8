local pictures = require "spec.support.pictures"
local render = require "tidal.draw"
local script = require "spec.support.script"
local svg = require "tidal.render.svg"
local xml = require "spec.support.xml"

describe("the picture", function()
  it("of a layout is the golden one", function()
    local text = render.svg(pictures.layouts.even) .. "\n"
    assert.equal(pictures.golden("even.svg", text), text)
  end)

  it("of a plan is the golden one", function()
    local text = render.svg(pictures.layouts.even:diff(pictures.layouts.split)) .. "\n"
    assert.equal(pictures.golden("even-split.svg", text), text)
  end)

  it("of a weighed plan is the golden one", function()
    local text = render.svg(pictures.weighed()) .. "\n"
    assert.equal(pictures.golden("weighed.svg", text), text)
  end)

  it("is one element with a title and a description", function()
    local root = xml.read(svg.text(pictures.scene "even")).kids[1]
    assert.same({ "svg", "img", "title about" },
                { root.name, root.attrs.role, root.attrs["aria-labelledby"] })
    assert.equal("prod, epoch 1", root.kids[1].text)
    assert.matches("^Ring of all keys: s0 20.00 %%.*Grid of regions", root.kids[2].text)
  end)

  it("says below what is wrong and what was put together", function()
    local text = xml.text(xml.read(svg.text(pictures.scene("many", "more", { arcs = 20, rows = 1,
                 columns = 4, frames = 2 }))))
    for _, note in ipairs { "too narrow to be seen", "a column is", "a row is" } do
      assert.matches(note, text, 1, true)
    end
    local refused = svg.text(pictures.scene("even", "crowded"))
    assert.matches("plan rejected:", xml.text(xml.read(refused)), 1, true)
  end)

  it("asks nothing from outside", function()
    local text = svg.text(pictures.scene("even", "wider"))
    assert.equal(1, select(2, text:gsub("https?:", "")))  -- the name of SVG itself
    for _, word in ipairs { "@import", "<image", "<script", "src=" } do
      assert.not_matches(word, text, 1, true)
    end
    for target in text:gmatch "url%((.-)%)" do assert.equal("#hatch", target) end
  end)

  it("shows hostile texts as texts", function()
    local clean, bad = svg.text(pictures.scene("even", "wider")), svg.text(pictures.hostile())
    local function elements(text)
      local out = {}
      for _, node in ipairs(xml.find(xml.read(text))) do
        if node.name ~= "text" then out[#out + 1] = node.name end
      end
      return table.concat(out, " ")
    end
    assert.equal(elements(clean), elements(bad))
    assert.not_matches("<script", bad, 1, true)
    assert.matches("alert(1)", xml.text(xml.read(bad)), 1, true)
  end)
end)

describe("a picture of very many", function()
  local regions = {}
  for i = 1, 64 do regions[i] = "region-" .. i end
  local rows = { { "64 regions x 1,024 shards", { regions = regions, shards = 1024 } },
                 { "3 regions x 65,535 shards", { shards = 65535, leaders = "spread" } } }
  for _, row in ipairs(rows) do
    it("has a bounded size: " .. row[1], function()
      local layout = script.layout(row[2])
      assert.is_true(#render.svg(layout) < 300000)
      assert.is_true(#render.html(layout) < 300000)
      assert.is_true(#render.terminal(layout) < 5000)
    end)
  end
end)

it("legend() says only what can be seen", function()
  assert.same({ "filled (L): leads; hollow: follows" }, svg.legend(pictures.scene "even"))
  assert.equal(2, #svg.legend(pictures.scene("even", "split")))
  assert.equal(3, #svg.legend(pictures.scene(pictures.weighed())))
  assert.same({ "bars in the grid: the part of the nodes that leads" },
              svg.legend(pictures.scene(script.layout { shards = 100 })))
end)
