-- tidal-lua spec/support/hostile/run.lua FOLDER [N]: evaluates every script
-- (or every Nth) of the corpus in FOLDER, one process for all of them, and prints a line for
-- each: name, a tab, how it ended ("ok" or the error on one line).
package.path = "./?.lua;" .. package.path
local corpus = require "spec.support.hostile.escapes"
local lfs = require "lfs"
local hermetic = require "tidal.hermetic"
local host = require "tidal.host"

local folder, every = arg[1], tonumber(arg[2] or 1)

local function write(name, text)
  local file = assert(io.open(folder .. "/" .. name, "wb"))
  file:write(text)
  file:close()
end

-- What scripts may and may not reach.
local FINE <const> = "local tidal = require 'tidal' " .. corpus.FINE
local FILES <const> = {
  canary = "alive", ["outside.lua"] = FINE, ["box/selfish.lua"] = "return require 'selfish'",
  ["box/ping.lua"] = "return require 'pong'", ["box/pong.lua"] = "return require 'ping'",
  ["box/compiled.lua"] = string.dump(function() end), ["box/broken.lua"] = "return return",
  ["box/stealing.lua"] = "return io.open '../canary'", ["box/useful.lua"] = "return { n = 1 }",
  ["box/folder/init.lua"] = "return {}", ["box/big.lua"] = ("-"):rep(300000),
}
local LINKS <const> = {
  { "../outside.lua", "box/link.lua" }, { "../../outside.lua", "box/folder/link.lua" },
  { "..", "box/deep" },
}

local function furnish()
  lfs.mkdir(folder .. "/box")
  lfs.mkdir(folder .. "/box/folder")
  for name, text in pairs(FILES) do write(name, text) end
  for _, link in ipairs(LINKS) do assert(lfs.link(link[1], folder .. "/" .. link[2], true)) end
  assert(os.execute(("mkfifo '%s/box/fifo.lua'"):format(folder)))
end

-- Small, so that loops end at once; the defaults are for layouts.
local OPTS <const> = { instructions = 1000000, memory = 12 << 20, seconds = 1 }

local function outcome(script)
  write("box/cluster.lua", script.text)
  local path = folder .. "/box/cluster.lua"
  local fine, made = pcall(hermetic.load, host, path, OPTS)
  if not fine then return tostring(made) end
  assert(made:prove().ok)
  made:plan():json()
  return "ok"
end

furnish()
for i, script in ipairs(corpus.list) do
  if i % every ~= 0 then goto continue end
  print(script.name .. "\t" .. outcome(script):gsub("[\n\t]", " "):sub(1, 4000))
  io.stdout:flush()
  ::continue::
end
