-- tidal-lua spec/support/hostile/mutate.lua FOLDER COUNT SEED: evaluates
-- COUNT scripts made by chance out of those of the corpus, and prints a line
-- for each: "ok", or the code of the error, and its text.
package.path = "./?.lua;" .. package.path
local core = require "tidal.core"
local corpus = require "spec.support.hostile.escapes"
local hermetic = require "tidal.hermetic"
local host = require "tidal.host"
local prng = require "tidal.prng"

local folder, count, seed = arg[1], tonumber(arg[2]), math.tointeger(arg[3])
local OPTS <const> = { instructions = 300000, memory = 12 << 20, seconds = 1 }

local next_bits = prng.new(seed)
local function int(low, high)
  return low + (next_bits() >> 1) % (high - low + 1)
end

-- Words that make something happen where they land.
local WORDS <const> = {
  " ", "(", ")", "{", "}", "..", ",", " end ", " return ", " = ", "nil", "true", "0", "-1",
  "0x7fffffffffffffff", "pcall", "error", "string.rep", "setmetatable", "coroutine.wrap", "tidal",
  "tidal.rules.new", "select", "'x'", "#", " local x = ", "goto a ", "::a::", "for i = 1, 3 do ",
  "function() ", "tostring", "next", "table.unpack", "\0", "\27", "\xff",
}

local function draw()
  local text = corpus.list[int(1, #corpus.list)].text
  return #text < 4000 and text or text:sub(1, 4000)
end

local EDITS <const> = {
  function(text, at) return text:sub(1, at - 1) .. text:sub(at + int(1, 8)) end,
  function(text, at)
    return text:sub(1, at - 1) .. string.char(int(0, 255)) .. text:sub(at + 1)
  end,
  function(text, at) return text:sub(1, at) .. WORDS[int(1, #WORDS)] .. text:sub(at + 1) end,
  function(text, at)
    local other = draw()
    local from = int(1, math.max(#other, 1))
    return text:sub(1, at) .. other:sub(from, from + int(1, 60)) .. text:sub(at + 1)
  end,
  function(text) return text .. "\n" .. draw() end,
}

local function mutant()
  local text = draw()
  for _ = 1, int(1, 4) do
    text = EDITS[int(1, #EDITS)](text, int(1, math.max(#text, 1)))
  end
  return text
end

local function outcome(text)
  local path = folder .. "/box/cluster.lua"
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
  local fine, made = pcall(hermetic.load, host, path, OPTS)
  if fine then
    made:plan():json()
    return "ok -"
  end
  if not core.is_error(made) then return "odd " .. tostring(made) end
  return made.code .. " " .. made.message
end

assert(require "lfs".mkdir(folder .. "/box"))
local canary = assert(io.open(folder .. "/canary", "wb"))
canary:close()
for _ = 1, count do
  print((outcome(mutant()):gsub("[\n\r]", " ")))
  io.stdout:flush()
end
