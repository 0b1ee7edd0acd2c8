local pictures = require "spec.support.pictures"
local render = require "tidal.draw"
local tidal = require "tidal"

it("tidal.render draws", function()
  assert.equal(render, tidal.render)
end)

local FORMS <const> = { terminal = "^prod, epoch ", svg = "^<svg ", html = "^<!DOCTYPE html>\n" }

for _, name in ipairs { "terminal", "svg", "html" } do
  describe("tidal.render." .. name .. "()", function()
    local even, split = pictures.layouts.even, pictures.layouts.split

    it("takes a layout, its plan, and a plan between two", function()
      for _, value in ipairs { even, even:plan(), even:diff(split) } do
        assert.matches(FORMS[name], render[name](value))
      end
    end)

    it("is the same bytes each time", function()
      assert.equal(render[name](even:diff(split)), render[name](even:diff(split)))
    end)

    it("refuses anything else", function()
      assert.error_matches(function() render[name] "cluster.lua" end,
                           "a layout or a plan expected, got string", 1, true)
    end)
  end)
end
