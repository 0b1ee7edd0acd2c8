local colours = require "tidal.render.colours"
local page = require "tidal.render.page"

describe("the head", function()
  it("lets a page load nothing", function()
    assert.matches("default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'",
                   page.HEAD, 1, true)
  end)

  it("has room for a title and a style, and fits phones", function()
    for _, part in ipairs { "<title>{title}</title>", "{style}", "width=device-width" } do
      assert.matches(part, page.HEAD, 1, true)
    end
  end)
end)

describe("the style", function()
  it("is balanced", function()
    local open, close = select(2, page.STYLE:gsub("{", "")), select(2, page.STYLE:gsub("}", ""))
    assert.equal(open, close)
  end)

  it("knows light, dark and paper", function()
    assert.matches("--paper:" .. colours.light.paper, page.STYLE, 1, true)
    assert.matches("@media screen and (prefers-color-scheme:dark){\n:root{--paper:"
                   .. colours.dark.paper, page.STYLE, 1, true)
    assert.matches("@media print{", page.STYLE, 1, true)
  end)

  it("defines each variable it uses", function()
    for name in page.STYLE:gmatch "var%((%-%-%l+)%)" do
      assert.matches(name .. ":#", page.STYLE, 1, true)
    end
  end)
end)

it("the script cannot end its element", function()
  assert.not_matches("</", page.SCRIPT, 1, true)
end)
