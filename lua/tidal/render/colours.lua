-- Colours of pictures, for light and dark paper. Shard n has colour n % 6.
--
-- The six differ from each other, also as people with protanopia, deuteranopia
-- or tritanopia see them, and from the paper; neighbours alternate between
-- dark and light. What is told by a colour is told by a label or a shape too.
local M = {}

-- fill, and the ink that can be read on it.
M.light = {
  paper = "#ffffff", ink = "#16202b", dim = "#55606e", line = "#8a94a0",
  warn = "#a3160c", track = "#e3e7ec",
  shards = {
    { "#003291", "#ffffff" }, { "#af8719", "#0c0c0c" },
    { "#641e4b", "#ffffff" }, { "#329bc8", "#0c0c0c" },
    { "#820505", "#ffffff" }, { "#d75f6e", "#0c0c0c" },
  },
}

M.dark = {
  paper = "#11161c", ink = "#e8edf2", dim = "#a3aebb", line = "#6f7b88",
  warn = "#ff9a8f", track = "#2a323c",
  shards = {
    { "#8c7de1", "#0c0c0c" }, { "#f5c864", "#0c0c0c" },
    { "#b47341", "#0c0c0c" }, { "#05e6fa", "#0c0c0c" },
    { "#009187", "#0c0c0c" }, { "#b4dcaa", "#0c0c0c" },
  },
}

M.count = #M.light.shards

---The number of a shard's colour, 0..5.
function M.of(shard)
  return shard % M.count
end

-- One rule per line. Classes: paper, ink and dim text, line, c0..c5 filled,
-- t0..t5 text on these, o0..o5 outlines, h0..h5
-- halos behind text, mixed = of several shards.
local function rules(of)
  local out = {
    (".paper{fill:%s}.ink{fill:%s}.dim{fill:%s}.warn{fill:%s}"):format(
      of.paper, of.ink, of.dim, of.warn),
    (".line{stroke:%s;fill:none}.edge{stroke:%s}.mark{stroke:%s;fill:none}")
      :format(of.line, of.paper, of.ink),
    (".mixed{fill:%s}.on-mixed{fill:%s}"):format(of.line, of.ink),
  }
  for i, pair in ipairs(of.shards) do
    out[#out + 1] = (".c%d{fill:%s}.t%d{fill:%s}.o%d{stroke:%s;fill:none}"
      .. ".h%d{stroke:%s}"):format(i - 1, pair[1], i - 1, pair[2], i - 1,
                                  pair[1], i - 1, pair[1])
  end
  return table.concat(out, "\n")
end

---The style sheet of drawings: light on paper, dark where a screen asks for
---it.
function M.sheet()
  return ("%s\n@media screen and (prefers-color-scheme:dark){\n%s\n}")
    :format(rules(M.light), rules(M.dark))
end

return M
