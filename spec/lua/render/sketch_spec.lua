local pictures = require "spec.support.pictures"
local render = require "tidal.draw"
local routing = require "tidal.routing"
local script = require "spec.support.script"
local sketch = require "tidal.render.sketch"
local terminal = require "tidal.render.terminal"

local function lines(text)
  local out = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do out[#out + 1] = line end
  return out
end

describe("the picture as text", function()
  local rows = {
    { "even", nil }, { "even", "wider" }, { "hash5", nil }, { "single", nil }, { "many", "more" },
  }
  for _, row in ipairs(rows) do
    local name = row[2] and row[1] .. "-" .. row[2] or row[1]
    it("is the golden one: " .. name, function()
      local value = pictures.layouts[row[1]]
      if row[2] then value = value:diff(pictures.layouts[row[2]]) end
      local text = render.terminal(value) .. "\n"
      assert.equal(pictures.golden(name .. ".txt", text), text)
    end)
  end

  it("shows the load of a log", function()
    assert.matches("   events      █  ·  ·  ·  ·\n", render.terminal(pictures.weighed()), 1, true)
  end)

  it("has a bar for each wave, as long as it takes", function()
    local one = pictures.scene("even", "wider")
    one.waves = { { part = 1.0, text = "wave 1" }, { part = 0.5, text = "wave 2" },
                  { part = 0.0, text = pictures.HOSTILE }, more = "and 7 more waves" }
    local text = sketch.text(one)
    assert.matches("\n" .. ("█"):rep(16) .. " wave 1\n" .. ("█"):rep(8) .. (" "):rep(9)
      .. "wave 2\n█" .. (" "):rep(16) .. "[^\n]+\nand 7 more waves\n\ndigits", text)
    assert.not_matches("[\0\27]", text)
  end)

  it("fits a screen, but for what names and sentences need", function()
    for _, changes in ipairs { {}, { shards = 40 }, { shards = 65535 } } do
      for _, line in ipairs(lines(render.terminal(script.layout(changes)))) do
        assert.is_true(terminal.width(line) <= 80 or line:find "[a-z] [a-z]" ~= nil, line)
      end
    end
  end)

  it("begins at the top and goes clockwise", function()
    local text = render.terminal(script.layout { shards = 4, routing = routing.even() })
    local ring = {}
    for _, line in ipairs(lines(text)) do
      if line:find "^ *[0-3]+ *[0-3]* *$" then ring[#ring + 1] = line:gsub("%s+", " ") end
    end
    assert.matches("^ 3+0+$", ring[1])
    assert.matches("^ 2+1+$", ring[#ring])
  end)

  it("is in colour where asked, and the same without it", function()
    local scene = pictures.scene("even", "wider")
    local coloured = sketch.text(scene, terminal.style(true))
    assert.matches("\27[34m0\27[0m", coloured, 1, true)
    assert.equal(sketch.text(scene), (coloured:gsub("\27%[%d*m", "")))
  end)

  it("lets no control character of a text through", function()
    assert.not_matches("[\0\27]", sketch.text(pictures.hostile()))
  end)

  it("has signs for 36 shards, a dot above, and another for several", function()
    assert.matches("zz0", render.terminal(script.layout { shards = 36 }))
    local some = render.terminal(script.layout { shards = 40 })
    assert.matches("•", some)
    assert.matches("a is s10, • is above s35, · is several", some, 1, true)
    assert.matches("···", render.terminal(script.layout { shards = 4000 }))
  end)
end)
