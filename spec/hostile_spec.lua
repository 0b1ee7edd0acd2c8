-- Foreign scripts at their worst. One process evaluates them all: if it dies,
-- the names that are missing say where; what they must not touch is looked at
-- afterwards.
local cli = require "spec.support.cli"
local corpus = require "spec.support.hostile.escapes"
local foreign = require "spec.support.foreign"
local gen = require "spec.support.gen"
local script = require "spec.support.script"

local SOAK <const> = os.getenv "TIDAL_SOAK" ~= nil
-- Sanitizers make a cell ten times as slow.
local EVERY <const> = (SOAK or foreign.fenced()) and 1 or 9

local function lines_of(text)
  local out = {}
  for line in text:gmatch "[^\n]+" do out[#out + 1] = line end
  return out
end

-- What is below a folder: names, kinds, and the canary's text.
local function inventory(dir)
  local pipe = assert(io.popen("cd '" .. dir .. "' && find . -printf '%p %y\\n' "
                               .. "| LC_ALL=C sort; cat canary"))
  local text = pipe:read "a"
  pipe:close()
  return text
end

local INVENTORY <const> = [[
. d
./box d
./box/big.lua f
./box/broken.lua f
./box/cluster.lua f
./box/compiled.lua f
./box/deep l
./box/fifo.lua p
./box/folder d
./box/folder/init.lua f
./box/folder/link.lua l
./box/link.lua l
./box/ping.lua f
./box/pong.lua f
./box/selfish.lua f
./box/stealing.lua f
./box/useful.lua f
./canary f
./outside.lua f
alive]]

local function ended_well(outcome, ending)
  if ending == "ok" then return outcome == "ok" end
  return outcome ~= "ok" and outcome:find(ending, 1, true) ~= nil
end

-- Runs one of the programs beside the corpus in a new folder.
local function run(program, ...)
  local args = table.pack(...)
  return script.within({}, function(dir)
    local status, out, err = cli.run { "spec/support/hostile/" .. program, dir,
                                       table.unpack(args, 1, args.n) }
    assert.equal("0 ", status .. " " .. err:gsub("[^\n]*\n", ""), err)
    return lines_of(out), inventory(dir)
  end)
end

describe("a hostile script", function()
  it("ends as it must, touches nothing, and takes nobody along", function()
    local lines, left = run("run.lua", tostring(EVERY))
    local bad, n = {}, 0
    for i, one in ipairs(corpus.list) do
      if i % EVERY == 0 then
        n = n + 1
        local name, outcome = (lines[n] or ""):match "^(.-)\t(.*)$"
        if name ~= one.name or not ended_well(outcome, one.ending) then
          bad[#bad + 1] = ("%s: %s\n  must end: %s\n  ended: %s"):format(one.name,
            one.text:sub(1, 200), one.ending, tostring(outcome):sub(1, 300))
        end
      end
    end
    assert.equal("", table.concat(bad, "\n"))
    assert.equal(n, #lines)
    assert.equal(INVENTORY, left)
    assert.is_true(#corpus.list >= 300)
  end)
end)

describe("the folder of a spec", function()
  it("is removed without what its links lead to", function()
    script.within({ kept = "x" }, function(outside)
      script.within({}, function(dir)
        assert(require "lfs".link(outside, dir .. "/link", true))
      end)
      assert.is_truthy(io.open(outside .. "/kept"))
    end)
  end)
end)

describe("a script made by chance", function()
  it("is a layout or an error of a known kind", function()
    local count = SOAK and 2000 or EVERY > 1 and 20 or 200
    local lines = run("mutate.lua", tostring(count), tostring(gen.seed))
    for _, line in ipairs(lines) do
      local kind, text = line:match "^(%S+) (.*)$"
      -- A script may give its error any word for a code, but has to give one.
      assert.is_true(kind ~= nil and kind ~= "odd" and kind ~= "nil"
                     and kind:find "^[%l_]+$" ~= nil, line)
      -- the wall of time, and error objects with odd fields; never a crash
      if kind == "isolation" then
        assert.is_truthy(text:find("processor time", 1, true) or text:find("that is none", 1, true)
                         or text:find("its process broke", 1, true),
                         line .. " TIDAL_SEED=" .. gen.seed)
      end
    end
    assert.equal(count, #lines)
  end)
end)
