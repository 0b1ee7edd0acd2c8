-- Whether the colours can be told apart and read is calculated: contrast as
-- WCAG 2 does, distances in CIE Lab, colour blindness by matrices on linear
-- RGB (Machado, Oliveira, Fernandes 2009, severity 1).
local colours = require "tidal.render.colours"

local VIEWS <const> = {
  everybody = { { 1, 0, 0 }, { 0, 1, 0 }, { 0, 0, 1 } },
  protanopia = { { 0.152286, 1.052583, -0.204868 }, { 0.114503, 0.786281, 0.099216 },
                 { -0.003882, -0.048116, 1.051998 } },
  deuteranopia = { { 0.367322, 0.860646, -0.227968 }, { 0.280085, 0.672501, 0.047413 },
                   { -0.011820, 0.042940, 0.968881 } },
  tritanopia = { { 1.255528, -0.076749, -0.178779 }, { -0.078411, 0.930809, 0.147602 },
                 { 0.004733, 0.691367, 0.303900 } },
}
local NAMES <const> = { "everybody", "protanopia", "deuteranopia", "tritanopia" }

local function linear(hex)
  local out = {}
  for i = 1, 3 do
    local c = tonumber(hex:sub(2 * i, 2 * i + 1), 16) / 255
    out[i] = c <= 0.04045 and c / 12.92 or ((c + 0.055) / 1.055) ^ 2.4
  end
  return out
end

local function luminance(hex)
  local c = linear(hex)
  return 0.2126 * c[1] + 0.7152 * c[2] + 0.0722 * c[3]
end

local function contrast(a, b)
  local x, y = luminance(a), luminance(b)
  return (math.max(x, y) + 0.05) / (math.min(x, y) + 0.05)
end

local function lab(hex, view)
  local c, seen = linear(hex), {}
  for i, row in ipairs(view) do
    seen[i] = math.max(0, math.min(1, row[1] * c[1] + row[2] * c[2] + row[3] * c[3]))
  end
  local function f(t) return t > 0.008856 and t ^ (1 / 3) or 7.787 * t + 16 / 116 end
  local x = f((0.4124 * seen[1] + 0.3576 * seen[2] + 0.1805 * seen[3]) / 0.9505)
  local y = f(0.2126 * seen[1] + 0.7152 * seen[2] + 0.0722 * seen[3])
  local z = f((0.0193 * seen[1] + 0.1192 * seen[2] + 0.9505 * seen[3]) / 1.089)
  return { 116 * y - 16, 500 * (x - y), 200 * (y - z) }
end

local function distance(a, b, view)
  local x, y = lab(a, view), lab(b, view)
  return math.sqrt((x[1] - y[1]) ^ 2 + (x[2] - y[2]) ^ 2 + (x[3] - y[3]) ^ 2)
end

for _, mode in ipairs { "light", "dark" } do
  local palette = colours[mode]
  describe("the " .. mode .. " colours", function()
    for _, name in ipairs(NAMES) do
      it("differ from each other for " .. name, function()
        for i = 1, colours.count do
          for j = i + 1, colours.count do
            local d = distance(palette.shards[i][1], palette.shards[j][1], VIEWS[name])
            assert.is_true(d >= 25, ("%d and %d: %.1f"):format(i, j, d))
          end
        end
      end)
    end

    it("stand out from the paper", function()
      for i, pair in ipairs(palette.shards) do
        assert.is_true(contrast(pair[1], palette.paper) >= 3, "colour " .. i)
      end
    end)

    it("can be written on, and so can the paper", function()
      for i, pair in ipairs(palette.shards) do
        assert.is_true(contrast(pair[1], pair[2]) >= 4.5, "colour " .. i)
      end
      for _, ink in ipairs { "ink", "dim", "warn" } do
        assert.is_true(contrast(palette[ink], palette.paper) >= 4.5, ink)
      end
      assert.is_true(contrast(palette.dim, palette.track) >= 3, "bars on their track")
      assert.is_true(contrast(palette.line, palette.paper) >= 3, "lines")
    end)
  end)
end

describe("of()", function()
  it("gives neighbours different colours", function()
    for s = 0, 100 do assert.are_not.equal(colours.of(s), colours.of(s + 1)) end
  end)
end)

describe("sheet()", function()
  it("names each colour once for light and once for dark", function()
    local text = colours.sheet()
    for i = 0, colours.count - 1 do
      assert.equal(2, select(2, text:gsub("%.c" .. i .. "{", "")))
    end
    assert.matches("@media screen and (prefers-color-scheme:dark)", text, 1, true)
  end)
end)
