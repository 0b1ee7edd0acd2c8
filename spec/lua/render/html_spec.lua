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
    local function lists(text) return select(2, elements(text):gsub("ul", "")) end
    assert.equal(2, lists(bad) - lists(clean))
    assert.not_matches("<script>alert", bad, 1, true)
  end)

  it("is the same bytes each time", function()
    assert.equal(page("even", "wider"), page("even", "wider"))
  end)
end)

-- A page with a script behind its own that notes what it sees, which is read
-- from the document afterwards. One run of a browser for all of it.
local PROBE <const> = [[
<script>
(function () {
  var seen = {}, slider = document.getElementById("step");
  function count(what) { return document.querySelectorAll(what).length; }
  function shown() {
    return Array.prototype.filter.call(document.querySelectorAll(".frame"),
      function (frame) { return !frame.hidden && frame.getClientRects().length > 0; })
      .map(function (frame) { return frame.id; }).join(" ");
  }
  function key(name) {
    document.body.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
  }
  seen.hash = shown();
  slider.value = 0; slider.dispatchEvent(new Event("input")); seen.slider = shown();
  document.getElementById("on").click(); seen.on = shown();
  key("ArrowRight"); seen.right = shown();
  document.getElementById("back").click(); seen.back = shown();
  key("ArrowLeft"); key("ArrowLeft"); seen.left = shown();
  key("ArrowRight"); seen.again = shown(); seen.address = location.hash;
  seen.counts = ["#frame-3 .ring path.edge", "#frame-3 .grid g", "table", "use"].map(count).join();
  seen.wide = document.querySelector("#frame-1 .ring").getBoundingClientRect().width > 200;
  seen.inner = document.querySelector("#frame-1 use").getBoundingClientRect().width > 150;
  var image = new Image();
  document.addEventListener("securitypolicyviolation", function () { seen.refused = true; });
  image.onload = image.onerror = function () {
    document.title = Object.keys(seen).map(function (k) { return k + "=" + seen[k]; }).join(";");
  };
  image.src = "data:image/gif;base64,R0lGODlhAQABAAAAACw=";
})();
</script>
</body>]]

local SKIPPED <const> = "no chromium here: the page was not looked at in a browser"

describe("in a browser", function()
  it("one step is shown: by slider, buttons, keys and address; nothing reaches out", function()
    if not browser.program then return pending(SKIPPED) end
    local text = page("even", "split"):gsub("</body>", (PROBE:gsub("%%", "%%%%")))
    local dom = browser.dom(text, "#step-2")
    local seen = {}
    for name, value in dom:match "<title>(.-)</title>":gmatch "(%w+)=([^;]*)" do
      seen[name] = value
    end
    assert.same({
      hash = "frame-2", slider = "frame-0", on = "frame-1", right = "frame-2", back = "frame-1",
      left = "frame-0", again = "frame-1", address = "#step-1", counts = "6,18,2,4",
      wide = "true", inner = "true", refused = "true",
    }, seen)
    assert.matches('aria%-valuetext="step 1 of 3: %+ shard s5 led by us%-east"', dom)
    assert.matches("<output[^>]*>step 1 of 3: %+ shard s5 led by us%-east</output>", dom)
  end)

  it("texts that would be scripts do nothing", function()
    if not browser.program then return pending(SKIPPED) end
    local text = html.text(pictures.hostile())
    local dom = browser.dom((text:gsub("<head>", "<head><script>window.alert = function () "
      .. "{ document.documentElement.setAttribute('data-ran', 'yes'); };</script>", 1)))
    assert.not_matches('data-ran="yes"', dom, 1, true)
    assert.equal(2, select(2, dom:gsub("<script", "")))
  end)
end)
