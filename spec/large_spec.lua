-- Large layouts, 64 x 1,024 and 3 x 65,535: what verbs say about them, and
-- how much is asked of the process in which rules are. How long it takes is
-- measured by tidal-lua bench, and asserted nowhere.
local cli = require "spec.support.cli"
local foreign = require "spec.support.foreign"
local large = require "tidal.bench.large"

if dofile "spec/support/build.lua".kind ~= "release" then
  it("large layouts", function() pending "run by the release build of tidal-lua" end)
  return
end

local WIDE <const> = { regions = 64, shards = 1024 }
local LONG <const> = { regions = 3, shards = 65535 }

local function run(size, words)
  local files = {}
  for name, text in pairs(large.scripts(size)) do files[name] = text end
  local status, out, err = cli.run(words, { files = files })
  assert.equal("", err)
  assert.equal(0, status)
  return out
end

local function count(text, pattern)
  return select(2, text:gsub(pattern, ""))
end

for _, size in ipairs { WIDE, LONG } do
  local r, s = size.regions, size.shards
  describe(("%d regions x %d shards"):format(r, s), function()
    it("have a plan", function()
      local out = run(size, { "plan", "OLD" })
      assert.matches(("^large  epoch 1  %d regions x %d shards = %d nodes, %d logs\n")
                     :format(r, s, r * s, r * s), out)
      assert.matches("\n  ok  max_leaders(65536)", out, 1, true)
      local json = run(size, { "plan", "OLD", "--json" })
      assert.equal(r * s, count(json, '"log":"r%d+:s%d+"'))
      assert.equal(s, count(json, '"role":"leader"'))
      assert.matches(('{"region":%d,"shard":%d,"role":"follower","log":"r%d:s%d"}]'):format(
        r - 1, s - 1, r - 1, s - 1), json, 1, true)
    end)

    it("are proved, drawn and explained", function()
      assert.matches(("C router = Lua reference: equal on all %d pieces"):format(s),
                     run(size, { "prove", "OLD" }))
      assert.matches("^0xffffffffffffffff is on s" .. s - 1 .. " ",
                     run(size, { "explain", "OLD", "0xffffffffffffffff" }))
      assert.matches("^s7 a0%->a1  yes: every rule holds\n",
                     run(size, { "explain", "OLD", "s7 a0->a1" }))
    end)

    it("say what a loss leaves", function()
      assert.matches(("writable  0 of %d shards at once, %d once %d leaders are elected")
                     :format(s, s, s), run(size, { "whatif", "OLD", "--lose", "region=a0" }))
    end)

    it("have differences", function()
      assert.matches("~ leader of s7  a0 -> a1\nPlan: 1 change of leaders. No keys move.",
                     run(size, { "diff", "OLD", "LEAD" }), 1, true)
      assert.matches(("Plan: 1 split, %d moves."):format(s - 1),
                     run(size, { "diff", "OLD", "MORE" }))
      local json = run(size, { "diff", "OLD", "MORE", "--json" })
      assert.equal(2 * s - 1, count(json, '"kind":"move"'))
      assert.equal(1, count(json, '"kind":"split"'))
      assert.equal(2, count(json, '"kind":"add_shard"'))
    end)
  end)
end

describe("rules of 3 regions x 65,535 shards", function()
  -- Every third leader stays: 43,690 change, one after the other.
  local OLD <const> = [[return tidal.cluster { name = "n", regions = { "a", "b", "c" },
    shards = 65535, leaders = "spread", rules = { %s } }]]
  local NEW <const> = [[return tidal.cluster { name = "n", regions = { "a", "b", "c" },
    shards = 65535, leaders = "a", epoch = 2, rules = { %s } }]]

  -- Checks the plan between two; gives its steps, the questions to the
  -- process of the second, and the bytes of all questions.
  local function asked(rule)
    local out = foreign.host(([[
      local host, questions, bytes = require "tidal.host", 0, 0
      local wrapped = { child = function(given)
        local child = host.child(given)
        local out = { close = function() end, hear = function() return child:hear() end }
        for _, verb in ipairs { "ask", "tell" } do
          out[verb] = function(_, question)
            if question[1] ~= "run" then
              questions = questions + 1
              for _, text in ipairs(question) do bytes = bytes + #text end
            end
            return child[verb](child, question)
          end
        end
        return out
      end }
      local layouts = {}
      for i, text in ipairs { %q, %q } do
        local path = os.tmpname()
        local file = io.open(path, "w")
        file:write(text)
        file:close()
        layouts[i] = require "tidal.hermetic".load(wrapped, path)
        os.remove(path)
      end
      local plan = layouts[1]:diff(layouts[2])
      local refusal = plan:check()
      local said = refusal and "step " .. refusal.step .. ": " .. refusal.why or "kept"
      io.write(said, " ", #plan.steps, " ", questions, " ", bytes)]])
      :format(OLD:format(rule), NEW:format(rule)))
    local said, steps, questions, bytes = out:match "^(.*) (%d+) (%d+) (%d+)$"
    return said, tonumber(steps), tonumber(questions), tonumber(bytes)
  end

  it("are asked in few questions of few bytes", function()
    local said, steps, questions, bytes = asked "tidal.rules.max_leaders(65535)"
    assert.same({ "kept", 43691 }, { said, steps })
    assert.is_true(questions <= 43691 // 32 + 2, questions)
    assert.is_true(bytes < 20 * steps, bytes)
  end)

  it("that break are named, on the way too", function()
    assert.equal("step 0: a leads 65535 shards, at most 30000: let b lead s0",
                 (asked "tidal.rules.max_leaders(30000)"))
    assert.equal("step 18155: forty", (asked [[function(l)
      return l:leads(0) < 40000 or l.epoch == 2, "forty"
    end]]))
  end)
end)
