-- The page as text, and as a real browser sees it where there is one.
local browser = require "spec.support.browser"
local html = require "tidal.render.html"
local pictures = require "spec.support.pictures"
local xml = require "spec.support.xml"

local function page(...)
  return html.text(pictures.scene(...))
end

describe("the page of a layout", function()
  it("is one document with a title, two drawings and its tables", function()
    local root = xml.read(page "even")
    assert.equal("prod, epoch 1", xml.find(root, "title")[1].text)
    assert.equal("en", root.kids[1].attrs.lang)
    local drawings = xml.find(root, "svg", "ring")
    assert.equal("img", drawings[1].attrs.role)
    assert.matches("^Ring of all keys: s0 20.00 %%", drawings[1].attrs["aria-label"])
    assert.equal(1, #xml.find(root, "svg", "grid"))
    assert.equal(3, #xml.find(root, "table"))
    assert.same({ 0, 0 }, { #xml.find(root, "input"), #xml.find(root, "script") })
  end)

  it("lists the hottest ids of a log", function()
    local root = xml.read(html.text(pictures.scene(pictures.weighed())))
    assert.equal("Hottest ids", xml.find(root, "h2")[1].text)
    assert.matches("0x0b031c9af598e101 s0 4532", (xml.text(xml.find(root, "tbody")[1])
                   :gsub("%s+", " ")), 1, true)
  end)
end)

describe("the page of a plan", function()
  it("has a frame a step, a slider over them, and the inner ring once", function()
    local root = xml.read(page("even", "split"))
    local frames = xml.find(root, "section", "frame")
    assert.equal(4, #frames)
    assert.equal("step 2 of 3: s4 -> s5 0xe000000000000000..0xffffffffffffffff",
                 frames[3].attrs["aria-label"])
    local slider = xml.find(root, "input")[1]
    assert.same({ "0", "3", "3" }, { slider.attrs.min, slider.attrs.max, slider.attrs.value })
    assert.equal("step", xml.find(root, "label")[1].attrs["for"])
    assert.equal(4, #xml.find(root, "use"))
    assert.equal(5, #xml.find(root, "path", "thin"))
    assert.same({ 2, "frame-0" }, { #xml.find(root, "section", "end"), frames[1].attrs.id })
  end)

  it("needs no slider where nothing changes", function()
    assert.equal(0, #xml.find(xml.read(page("even", "even")), "input"))
  end)

  it("has a bounded size", function()
    assert.is_true(#page("many", "more", { arcs = 240, rows = 32, columns = 32, frames = 25 })
                   < 2500000)
  end)
end)

describe("any page", function()
  it("can load nothing, and asks for nothing", function()
    local text = page("even", "wider")
    assert.matches("default-src 'none'", text, 1, true)
    for _, word in ipairs { "http:", "https:", "//", "@import", "src=\"", "<link", "fetch(" } do
      local found = text:gsub("default%-src", ""):find(word, 1, true)
      assert.is_nil(found, word)
    end
    for target in text:gmatch "url%((.-)%)" do assert.equal("#hatch", target) end
    for target in text:gmatch 'href="(.-)"' do assert.equal("#before", target) end
  end)

  it("shows hostile texts as texts", function()
    local function elements(text)
      local out = {}
      for i, node in ipairs(xml.find(xml.read(text))) do out[i] = node.name end
      return table.concat(out, " ")
    end
    local clean, bad = page("even", "wider"), html.text(pictures.hostile())
    local root = xml.read(bad)
    assert.equal(1, #xml.find(root, "script"))
    assert.matches("alert(1)", xml.text(root), 1, true)
    -- Two warnings and a note are a list each.
    local lists = select(2, elements(bad):gsub("ul", "")) - select(2, elements(clean):gsub("ul", ""))
    assert.equal(2, lists)
    assert.not_matches("<script>alert", bad, 1, true)
  end)

  it("is the same bytes each time", function()
    assert.equal(page("even", "wider"), page("even", "wider"))
  end)
end)

-- What a script that is put behind the page's own writes into <title>.
local function after(text, script, hash)
  local probe = "<script>" .. script .. "</script>\n</body>"
  local dom = browser.dom(text:gsub("</body>", (probe:gsub("%%", "%%%%"))), hash)
  return dom:match "<title>(.-)</title>", dom
end

local SHOWN <const> = "var shown = function () { return Array.prototype.filter.call("
  .. "document.querySelectorAll('.frame'), function (f) { return !f.hidden; })"
  .. ".map(function (f) { return f.id; }).join(' '); };"
  .. "var key = function (k) { document.body.dispatchEvent(new KeyboardEvent('keydown', "
  .. "{ key: k, bubbles: true })); };"

describe("in a browser", function()
  local function looks(name, f)
    it(name, function()
      if not browser.program then
        return pending "no chromium here: the page was not looked at in a browser"
      end
      f()
    end)
  end

  looks("the page draws what the layout has", function()
    local count = "document.title = ['.ring path.edge', '.grid g', 'table', '.warnings']"
      .. ".map(function (s) { return document.querySelectorAll(s).length; }).join(' ') + ' '"
      .. "+ (document.querySelector('.ring').getBoundingClientRect().width > 200)"
    assert.equal("5 15 3 0 true", (after(page "even", count)))
  end)

  looks("the slider, the buttons, the keys and the address show one step", function()
    local said, dom = after(page("even", "split"), SHOWN .. [[
      var slider = document.getElementById("step"), log = [shown()];
      slider.value = 0; slider.dispatchEvent(new Event("input")); log.push(shown());
      document.getElementById("on").click(); log.push(shown());
      key("ArrowRight"); log.push(shown());
      document.getElementById("back").click(); log.push(shown());
      key("ArrowLeft"); key("ArrowLeft"); log.push(shown());
      key("ArrowRight"); log.push(shown(), location.hash);
      document.title = log.join(",");]], "#step-2")
    assert.equal("frame-2,frame-0,frame-1,frame-2,frame-1,frame-0,frame-1,#step-1", said)
    assert.matches('aria%-valuetext="step 1 of 3: %+ shard s5 led by us%-east"', dom)
    assert.matches("<output[^>]*>step 1 of 3: %+ shard s5 led by us%-east</output>", dom)
  end)

  looks("texts that would be scripts do nothing", function()
    local text = html.text(pictures.hostile())
    local dom = browser.dom((text:gsub("<head>", "<head><script>window.alert = function () "
      .. "{ document.documentElement.setAttribute('data-ran', 'yes'); };</script>", 1)))
    assert.not_matches('data-ran="yes"', dom, 1, true)
    assert.equal(2, select(2, dom:gsub("<script", "")))
  end)

  looks("nothing reaches out", function()
    local said = after(page("even", "split"), [[
      var image = new Image(), asked = "no";
      document.addEventListener("securitypolicyviolation", function () { asked = "refused"; });
      image.onerror = function () { document.title = asked; };
      image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";]])
    assert.equal("refused", said)
  end)
end)
