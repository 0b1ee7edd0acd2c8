local gen = require "spec.support.gen"
local markup = require "tidal.render.markup"
local xml = require "spec.support.xml"

local PARTS <const> = { "<", ">", "&", "'", '"', "&lt;", "]]>", "é", "\u{10ffff}" }

describe("escape()", function()
  local rows = {
    { "plain text", "us-east_1.a/b", "us-east_1.a/b" },
    { "what opens and closes elements", "</a>&", "&lt;/a&gt;&amp;" },
    { "both quotes", [["']], "&quot;&#39;" },
    { "letters of any language", "čeština 東京", "čeština 東京" },
    { "bytes that are no UTF-8", "a\xff\xc3b", "a\u{fffd}\u{fffd}b" },
    { "control characters", "a\27[31m\0\127b", "a\u{fffd}[31m\u{fffd}\u{fffd}b" },
    { "characters that turn the reading order", "a\u{202e}\u{2066}", "a\u{fffd}\u{fffd}" },
    { "what XML has no room for", "\u{fffe}\u{ffff}", "\u{fffd}\u{fffd}" },
    { "a tab and line ends as they are", "a\tb\nc", "a\tb\nc" },
  }
  for _, row in ipairs(rows) do
    it("takes " .. row[1], function() assert.equal(row[3], markup.escape(row[2])) end)
  end

  it("gives well-formed text for any bytes", function()
    gen.property("escape", 500, function(g)
      local bytes = {}
      for i = 1, g:int(0, 40) do
        bytes[i] = g:once_in(2) and g:pick(PARTS)
                   or string.char(g:int(0, 255))
      end
      local text = markup.escape(table.concat(bytes))
      local root = xml.read(('<a b="%s">%s</a>'):format(text, text))
      assert(#root.kids == 1 and #root.kids[1].kids == 0, text)
      assert(root.kids[1].attrs.b == root.kids[1].text, text)
    end)
  end)
end)

describe("shorten()", function()
  it("leaves what fits", function() assert.equal("äöü", markup.shorten("äöü", 3)) end)
  it("cuts between characters", function() assert.equal("äö…", markup.shorten("äöüß", 3)) end)
  it("cuts what is no UTF-8", function()
    assert.equal("\u{fffd}…", markup.shorten("\xff\xff\xff", 2))
  end)
end)

describe("number()", function()
  local rows = { { 1.0, "1" }, { 0.125, "0.12" }, { 12.5, "12.5" }, { -0.001, "0" },
                 { 100, "100" }, { -3.456, "-3.46" }, { 120.0, "120" } }
  for _, row in ipairs(rows) do
    it(("writes %s as %s"):format(row[1], row[2]), function()
      assert.equal(row[2], markup.number(row[1]))
    end)
  end
end)

describe("fill()", function()
  it("escapes texts, writes numbers, takes markup as it is", function()
    assert.equal("<b>&lt;1.5<i/></b>", markup.fill("<b>{text}{n}{inside}</b>",
                 { text = "<", n = 1.5 }, { inside = "<i/>" }))
  end)

  it("fills a form once: a value cannot name another", function()
    assert.equal("{b}", markup.fill("{a}", { a = "{b}", b = "no" }))
  end)

  it("raises where a value is missing", function()
    assert.error_matches(function() markup.fill("{a}", {}) end, "nothing for {a}", 1, true)
  end)
end)
