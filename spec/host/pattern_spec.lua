-- Patterns as cells match them, against the string library: the same script
-- prints the same in a cell and in full Lua. Ours refuses a malformed
-- pattern also where the library does not get that far.
local cli = require "spec.support.cli"
local foreign = require "spec.support.foreign"
local gen = require "spec.support.gen"

local PIECES <const> = { "a", "b", ".", "%a", "%d", "%w", "%s", "%S", "[ab]", "[^a]", "[a-c%d]",
  "(", ")", "()", "%b()", "%f[%w]", "%1", "$", "^", "%%", "%.", "[]]", "[^]]", "[a-]", "[%a-z]",
  "x", "-", "%W", "[%W_]", "[^%s]", "%x", "%u", "%p", "%c", "%g", "%l", "[a%]b]", "%-" }
local REPEATS <const> = { "", "", "", "", "*", "+", "-", "?" }
local LETTERS <const> = { "a", "a", "b", "c", "1", " ", "(", ")", ".", "%", "x", "-", "]", "B",
  "_" }

local SHOW <const> = [[
local function show(ok, ...)
  if not ok then return "error" end
  local words = table.pack(...)
  for i = 1, words.n do words[i] = tostring(words[i]) end
  return table.concat(words, ",")
end
local function all(text, pattern, init)
  local out = {}
  for a, b in text:gmatch(pattern, init) do
    out[#out + 1] = tostring(a) .. ":" .. tostring(b)
    if #out > 40 then break end
  end
  return table.concat(out, ";")
end
local out = {}
for _, case in ipairs(cases) do
  local text, pattern, init = case[1], case[2], case[3]
  out[#out + 1] = show(pcall(string.find, text, pattern, init))
    .. "|" .. show(pcall(string.match, text, pattern, init))
    .. "|" .. show(pcall(all, text, pattern, init))
    .. "|" .. show(pcall(string.gsub, text, pattern, "<%0%%>"))
    .. "|" .. show(pcall(string.gsub, text, pattern, { a = "Z", ab = false, [1] = "one" }))
    .. "|" .. show(pcall(string.gsub, text, pattern, function(x) return x == "a" and 7 end, 2))
    .. "|" .. show(pcall(string.find, text, pattern, init, true))
end
print(table.concat(out, "\n"))
]]

local function draw(stream, list, most)
  local out = {}
  for i = 1, stream:int(0, most) do out[i] = stream:pick(list) end
  return table.concat(out)
end

local function script(stream, count)
  local rows = {}
  for i = 1, count do
    local pattern = {}
    for j = 1, stream:int(1, 6) do pattern[j] = stream:pick(PIECES) .. stream:pick(REPEATS) end
    rows[i] = ("{%q,%q,%d}"):format(draw(stream, LETTERS, 14), table.concat(pattern),
                                    stream:int(-6, 16))
  end
  return "local cases = {" .. table.concat(rows, ",") .. "}\n" .. SHOW, rows
end

-- How many results agree; fails for one that differs and is no refusal.
local function compare(ours, theirs, case)
  local count, next_result = 0, theirs:gmatch "[^|]*"
  for result in ours:gmatch "[^|]*" do
    local want = next_result()
    if result ~= "error" then
      assert.equal(want, result, case .. " TIDAL_SEED=" .. gen.seed)
      count = count + 1
    end
  end
  return count
end

describe("a pattern", function()
  it("is matched as the library matches it", function()
    local stream, same = gen.stream "patterns", 0
    for _ = 1, os.getenv "TIDAL_SOAK" and 100 or 6 do
      local text, rows = script(stream, 300)
      local ours = foreign.printed(text)
      local _, theirs = cli.run({ "-" }, { stdin = text, program = cli.lua })
      theirs = theirs:gmatch "[^\n]*"
      local i = 0
      for line in ours:gmatch "[^\n]+" do
        i = i + 1
        same = same + compare(line, theirs(), rows[i])
      end
      assert.equal(#rows, i)
    end
    assert.is_true(same > 5000, same)
  end)

  it("takes as many captures as the library, and no more", function()
    assert.equal("true\t32\nfalse\n", foreign.printed [[
      print(pcall(function() return select("#", ("x"):find(("()"):rep(32))) - 2 end))
      print((pcall(string.find, "x", ("()"):rep(33))))]])
  end)

  it("is not too deep at 200 repetitions", function()
    assert.equal("true\nfalse\n", foreign.printed [[
      print((pcall(string.find, ("a"):rep(300), ("a-"):rep(200))))
      print((pcall(string.find, ("a"):rep(300), ("a-"):rep(201))))]])
  end)
end)
