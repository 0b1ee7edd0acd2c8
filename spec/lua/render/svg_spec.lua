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

  it("has a bar for each wave of a plan in waves, as long as it takes", function()
    local wider = { shards = 6, epoch = 2, regions = { "us-east", "eu-west", "ap-south", "new" } }
    local plan = assert(script.layout():diff(script.layout(wider)):weigh {
      ["us-east"] = "spec/golden/v1-single" }):in_waves { per_link = "10kB/s" }
    local waves = plan:waves { per_link = "10kB/s" }
    local root, bars, longest = xml.read(render.svg(plan)), {}, 0.0
    for _, wave in ipairs(waves) do longest = math.max(longest, wave.seconds) end
    for _, bar in ipairs(xml.find(root, "rect", "heat")) do bars[#bars + 1] = bar.attrs.width end
    assert.equal(#waves, #bars)
    for i, wave in ipairs(waves) do
      assert.is_true(math.abs(bars[i] - math.max(1, 120 * wave.seconds / longest)) < 0.01)
    end
    local words = waves:words()[1]
    assert.matches(("wave 1, day %s: %s in %s: us-east > new"):format(words[2], words[3], words[4]),
                   xml.text(root), 1, true)
    assert.equal(0, #xml.find(xml.read(svg.text(pictures.scene("even", "wider"))), "rect", "heat"))
  end)

  it("shows the first of many waves, shortened, as texts", function()
    local one = pictures.scene("even", "wider")
    one.waves = { { part = 0.5, text = pictures.HOSTILE .. ("x"):rep(999) }, more = "and 7 more" }
    local text = svg.text(one)
    assert.equal(1, #xml.find(xml.read(text), "rect", "heat"))
    assert.not_matches("<script", text, 1, true)
    assert.not_matches(("x"):rep(100), text, 1, true)
    assert.matches("and 7 more", text, 1, true)
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
