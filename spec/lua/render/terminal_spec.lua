local gen = require "spec.support.gen"
local terminal = require "tidal.render.terminal"

-- Runs f with these environment variables, as far as os.getenv tells.
local function with_env(env, f)
  local real = os.getenv
  rawset(os, "getenv", function(name) return env[name] end)
  local ok, result = pcall(f)
  rawset(os, "getenv", real)
  assert(ok, result)
  return result
end

describe("style_for()", function()
  local XTERM <const> = { TERM = "xterm" }
  local rows = {
    { "a terminal", true, nil, XTERM, true },
    { "a terminal, asked for auto", true, "auto", XTERM, true },
    { "a pipe", false, nil, XTERM, false },
    { "a dumb terminal", true, nil, { TERM = "dumb" }, false },
    { "a terminal that has no name", true, nil, {}, false },
    { "NO_COLOR", true, nil, { TERM = "xterm", NO_COLOR = "1" }, false },
    { "an empty NO_COLOR", true, nil, { TERM = "xterm", NO_COLOR = "" }, true },
    { "never", true, "never", XTERM, false },
    { "always, in a pipe", false, "always", {}, true },
    { "always, with NO_COLOR", false, "always", { NO_COLOR = "1" }, true },
  }
  for _, row in ipairs(rows) do
    it(("is %s for %s"):format(row[5] and "coloured" or "plain", row[1]), function()
      local style = with_env(row[4], function() return terminal.style_for(row[2], row[3]) end)
      assert.equal(row[5], style.colour)
    end)
  end
end)

describe("paint()", function()
  it("leaves text alone without colour", function()
    for _, name in ipairs { "bold", "dim", "red", "green", "yellow", "cyan" } do
      assert.equal("x", terminal.plain:paint(name, "x"))
    end
  end)

  it("switches back to normal with colour", function()
    local style = terminal.style(true)
    assert.equal("\27[31mx\27[0m", style:paint("red", "x"))
    assert.equal("\27[1mx\27[0m", style:paint("bold", "x"))
  end)
end)

describe("width()", function()
  local rows = {
    { "", 0 }, { "abc", 3 }, { "\u{20ac}\u{e4}", 2 }, { "█▊", 2 }, { "\27[31mabc\27[0m", 3 },
    { "\27[1;31ma\27[0m\27[2mb\27[0m", 2 }, { "\255\254", 2 },
  }
  for _, row in ipairs(rows) do
    it(("of %q is %d"):format(row[1], row[2]), function()
      assert.equal(row[2], terminal.width(row[1]))
    end)
  end
end)

describe("columns()", function()
  local ROWS <const> = { { "a", "10", "x" }, { "bbb", "7", "" }, { "cc" } }

  it("aligns cells and leaves no blanks at the end", function()
    assert.equal("a    10  x\nbbb  7\ncc", terminal.columns(ROWS))
  end)

  it("aligns to the right, indents and takes another gap", function()
    assert.equal("  a   | 10 | x\n  bbb |  7 |\n  cc",
                 terminal.columns(ROWS, { right = { [2] = true }, indent = "  ", gap = " | " }))
  end)

  it("counts what is seen", function()
    local style = terminal.style(true)
    assert.equal(style:paint("red", "a") .. "     1\n\u{20ac}uro  2",
                 terminal.columns { { style:paint("red", "a"), "1" }, { "\u{20ac}uro", "2" } })
  end)

  it("is nothing for nothing", function()
    assert.equal("", terminal.columns {})
    assert.equal("", terminal.columns { {} })
  end)

  it("starts every cell of a column in the same place", function()
    gen.property("columns", 100, function(g)
      local rows, count = {}, g:int(1, 5)
      for r = 1, g:int(1, 8) do
        rows[r] = {}
        for c = 1, count do rows[r][c] = g:pick { "x", "yy", "\u{e4}", "zzzzzz" } end
      end
      local starts
      for line in (terminal.columns(rows) .. "\n"):gmatch "(.-)\n" do
        local places = {}
        for at in line:gmatch "()%S+" do places[#places + 1] = utf8.len(line, 1, at - 1) or 0 end
        local text = table.concat(places, " ")
        starts = starts or text
        if text ~= starts then return starts .. " and " .. text end
      end
    end)
  end)
end)

describe("bar()", function()
  local rows = {
    { 0, 20, "" }, { 1, 4, "████" }, { 0.5, 4, "██" }, { 2, 4, "████" }, { 1 / 32, 4, "▏" },
    { 7 / 32, 4, "▉" }, { 0.01, 4, "" }, { 0.25 + 4 / 32, 4, "█▌" }, { 1, 0, "" },
  }
  for _, row in ipairs(rows) do
    it(("of %g in %d cells is %q"):format(row[1], row[2], row[3]), function()
      assert.equal(row[3], terminal.bar(row[1], row[2]))
    end)
  end

  it("grows with the share, by eighths", function()
    local seen = {}
    for i = 0, 160 do seen[terminal.bar(i / 160, 20)] = true end
    local count = 0
    for _ in pairs(seen) do count = count + 1 end
    assert.equal(161, count)
  end)
end)

describe("percent()", function()
  it("has two decimals", function()
    assert.equal("20.00 %", terminal.percent(0.2))
    assert.equal("0.00 %", terminal.percent(0))
    assert.equal("100.00 %", terminal.percent(1))
    assert.equal("33.33 %", terminal.percent(1 / 3))
  end)
end)

-- A stream that keeps what it gets.
local function stream()
  local out = { text = "" }
  function out:write(text) self.text = self.text .. text end
  function out.flush() end
  return out
end

describe("progress()", function()
  local now
  local function bar(tty)
    now = 100
    local out = stream()
    return out, terminal.progress(out, tty, "reading", function() return now end)
  end

  it("is silent elsewhere", function()
    local out, shown = bar(false)
    for i = 1, 100 do
      now = now + 1
      shown.update(i, 100)
    end
    shown.finish()
    assert.equal("", out.text)
  end)

  it("is silent for the first half second", function()
    local out, shown = bar(true)
    for _ = 1, 4 do
      now = now + 0.1
      shown.update(10, 100)
    end
    shown.finish()
    assert.equal("", out.text)
  end)

  it("shows bytes, rate and time left on one line, and wipes it", function()
    local out, shown = bar(true)
    now = 102
    shown.update(50000000, 200000000)
    assert.equal("\rreading 50.0 MB of 200.0 MB, 25.0 MB/s, 6 s left\27[K", out.text)
    shown.finish()
    assert.equal("\r\27[K", out.text:sub(-4))
  end)

  it("asks for the total when it is shown", function()
    local out, shown = bar(true)
    local asked = 0
    local function total()
      asked = asked + 1
      return asked == 1 and 200000000 or nil
    end
    shown.update(1, total)
    now = 102
    shown.update(50000000, total)
    shown.update(60000000, total)
    now = 104
    shown.update(80000000, total)
    assert.equal("\rreading 50.0 MB of 200.0 MB, 25.0 MB/s, 6 s left\27[K"
                 .. "\rreading 80.0 MB, 20.0 MB/s\27[K", out.text)
    assert.equal(2, asked)
  end)

  it("shows how far it is where nobody knows how far it goes", function()
    local out, shown = bar(true)
    now = 102
    shown.update(50000000)
    assert.equal("\rreading 50.0 MB, 25.0 MB/s\27[K", out.text)
  end)

  it("is written ten times a second at most", function()
    local out, shown = bar(true)
    for i = 1, 1000 do
      now = now + 0.01
      shown.update(i, 1000)
    end
    local _, times = out.text:gsub("\r", "")
    assert.is_true(times >= 80 and times <= 96, times)
  end)

  it("stands a rate of nothing", function()
    local out, shown = bar(true)
    now = 101
    shown.update(0, 0)
    assert.equal("\rreading 0 B of 0 B, 0 B/s, 0 s left\27[K", out.text)
  end)
end)

describe("count()", function()
  it("has one, and more", function()
    assert.same({ "1 node", "0 nodes", "15 nodes" }, { terminal.count(1, "node"),
                terminal.count(0, "node"), terminal.count(15, "node") })
  end)
end)

describe("shorten()", function()
  local function of(n, most)
    local list = {}
    for i = 1, n do list[i] = i end
    return table.concat(terminal.shorten(list, most, function(item, i) return item * 10 + i end,
                                         function(rest) return "+" .. rest end), " ")
  end

  it("leaves out the middle of what is too long", function()
    assert.same({ "", "11", "11 22 33 44", "11 22 +1 44 55", "11 22 +1 44 55", "11 22 +6 99 110" },
                { of(0, 4), of(1, 4), of(4, 4), of(5, 4), of(5, 4), of(10, 4) })
    assert.equal("11 22 +2 55 66", of(6, 5))
  end)
end)
