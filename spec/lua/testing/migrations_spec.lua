-- Migrations as scenarios: all interleavings of steps, writers and crashes.
local explorer = require "tidal.testing.explorer"
local migrations = require "tidal.testing.migrations"
local raised = dofile "spec/support/raised.lua"
local tidal = require "tidal"
require "tidal.testing"

local routing = tidal.routing

local function layout(epoch, shards, how)
  return tidal.cluster { name = "spec", epoch = epoch, regions = { "us" }, shards = shards,
                         routing = how or routing.even(), leaders = "all" }
end

local function split()
  return layout(1, 1, routing.single()):diff(layout(2, 2))
end

local ALL <const> = { faults = { "crash", "lose", "dup" } }

describe("a migration beside writers", function()
  it("is sound in every state, given up or not, with a crash at every call", function()
    local result = assert.explored(migrations.scenario(split(), {
      events = 3, writes = 0, stale = 0, aborts = true,
    }), ALL)
    assert.is_true(result.states > 50)
  end)

  -- Thousands of states: once in a run of all tests is enough.
  local whole = dofile "spec/support/build.lua".kind == "release"
  for _, who in ipairs { "writes", "stale" } do
    it("is sound beside a writer: " .. who, function()
      if not whole then pending "explored by the release build of tidal-lua" end
      local counts = { events = 2, writes = 0, stale = 0, [who] = 1 }
      local result = assert.explored(migrations.scenario(split(), counts), ALL)
      assert.is_true(result.states > 300)
    end)
  end

  -- The same with more of everything, where there is time for it.
  if os.getenv "TIDAL_SOAK" and whole then
    it("is sound with more shards, events and writers", function()
      local plan = layout(1, 2):diff(layout(2, 3, routing.hash()))
      assert.explored(migrations.scenario(plan, { events = 6, writes = 1, stale = 1,
                                                  aborts = true }), ALL)
    end)
  end

  it("refuses, once published, who routes under the old layout", function()
    local scenario = migrations.scenario(split(), { writes = 0, stale = 1 })
    local disk, notes = scenario.start(), {}
    while scenario.actions[1].run(disk) ~= false do end
    assert.is_true(scenario.invariant(disk, notes))
    local refused = false
    for n = 7, 12 do  -- ids of both halves
      local one = migrations.scenario(split(), { events = n - 1, writes = 0, stale = 1 })
      refused = refused or one.actions[2].run(disk, {}) == false
    end
    assert.is_true(refused)
  end)
end)

describe("the explorer finds", function()
  local function found(plant, faults)
    return explorer.explore(migrations.scenario(split(), { events = 4, writes = 1, stale = 0,
                                                           plant = plant }),
                            { faults = faults }).found
  end

  it("two owners, where a layout is published without cuts", function()
    local bug = found(function(m)
      local one = m.places[1]
      one.cut_over = function(self)
        if self:open() then return end
        assert(self.move:hold())
        assert(self.move:publish(self.to.text))
        self.move:let_go()
        self:note "published"
        self:close()
      end
    end)
    assert.matches("^us: event %d is live", bug.why)
    for _, by in ipairs(bug.way) do assert.equal("step", by) end
  end)

  it("events that are copied twice, where a lap begins anew", function()
    local bug = found(function(m)
      local check = getmetatable(m.places[1]).__index
      m.places[1].open = function(self)
        local published = check.open(self)
        if published then return published end
        local move = self.move
        self.move = setmetatable({}, { __index = function(_, name)
          if name == "set" then  -- what is there already is forgotten
            return function(_, list)
              for _, log in ipairs(list) do log.skip = 0 end
              return move:set(list)
            end
          end
          return function(_, ...) return move[name](move, ...) end
        end })
        return false
      end
    end, { "crash" })
    assert.matches("2 events with sum %x+ left other logs for it, 4 events", bug.why)
  end)
end)

it("a scenario is of a plan", function()
  assert.matches("migrations.scenario%(plan%): what from:diff%(to%) gives expected",
                 raised(migrations.scenario, { from = 1 }))
end)
