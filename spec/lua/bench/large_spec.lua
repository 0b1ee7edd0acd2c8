-- Large layouts are measured by runs of verbs that do what they should; how
-- long they take is asserted nowhere.
local cli = require "spec.support.cli"
local foreign = require "spec.support.foreign"
local large = require "tidal.bench.large"
local script = require "spec.support.script"

-- A host whose clock goes on by itself.
local function host(path)
  local now = 0
  return { path = path, clock = function()
    now = now + 0.001
    return now
  end }
end

describe("measure()", function()
  it("is skipped where there is no tidal-lua", function()
    for skip, given in pairs { ["not in tidal-lua"] = {}, ["it failed"] = host "/no/such" } do
      for _, result in ipairs(large.measure(given, 1)) do
        assert.equal("SKIP " .. skip, result.skip)
      end
    end
  end)

  it("measures verbs that do their work", function()
    for _, result in ipairs(large.measure(host(cli.tidal), 1, { { regions = 3, shards = 9 } })) do
      assert.is_nil(result.skip, result.name)
    end
  end)

  it("runs every verb over both sizes, both sides in turns", function()
    local results = large.measure(host "/bin/true", 3)
    local names = {}
    for _, result in ipairs(results) do
      assert.same({ "large", "ms" }, { result.id, result.unit })
      assert.is_true(math.abs(result.ratio - 1) < 0.01)
      assert.is_nil(result.ok)
      names[result.name] = true
    end
    assert.equal(28, #results)
    for _, verb in ipairs { "plan", "diff, one leader", "prove", "draw", "explain", "whatif" } do
      for _, size in ipairs { "64 x 1,024", "3 x 65,535" } do
        assert.is_true(names[verb .. ", " .. size .. ", isolated vs --trust"], verb .. size)
      end
    end
  end)

  it("gives verbs layouts that they take", function()
    local said = script.within({ ["tidal"] = "#!/bin/sh\necho \"$@\" >>\"$0.said\"\n" },
                               function(dir)
      assert(os.execute(("chmod +x '%s/tidal'"):format(dir)))
      large.measure(host(dir .. "/tidal"), 1)
      local file = assert(io.open(dir .. "/tidal.said"))
      local text = file:read "a"
      file:close()
      return text
    end)
    local count, saved = 0, 0
    for line in said:gmatch "[^\n]+" do
      assert.is_nil(line:find " %u%u%u")
      if line:find "%-o /.*%.plan" then
        saved = saved + 1
      else
        count = count + 1
        assert.equal(count % 2 == 0, line:find " %-%-trust$" ~= nil)
      end
    end
    assert.same({ 56, 2 }, { count, saved })
  end)

  it("takes layouts whose rules hold", function()
    for _, size in ipairs { { regions = 3, shards = 9 }, { regions = 64, shards = 1024 } } do
      local texts = large.scripts(size)
      for _, words in ipairs { { "OLD", "LEAD", "leader of s7  a0 %-> a1" },
                              { "LEAD", "TURN", "leader of s1  a0 %-> a1" },
                              { "OLD", "MORE", "%+ shard s" } } do
        local result = foreign.run(texts[words[1]], {
          verb = "diff", args = { "new.lua" }, files = { ["new.lua"] = texts[words[2]] } })
        assert.equal(0, result[1], result[3])
        assert.matches(words[3], result[2])
      end
    end
  end)
end)
