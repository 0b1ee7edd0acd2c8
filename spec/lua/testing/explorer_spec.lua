-- assert.explored: every order, every crash, the shortest way.
local core = require "tidal.core"
local explorer = require "tidal.testing.explorer"
local raised = dofile "spec/support/raised.lua"
require "tidal.testing"

local function start()
  local disk = core.sim.disk { seed = 1 }
  core.wal.open(disk:dir "r0", { create = true }):close()
  return disk:crash { way = 0 }
end

local function lines(disk)
  local journal, list = core.wal.journal(disk:dir "r0", "notes", "create")
  journal:close()
  return list
end

local function note(text)
  return { name = "note " .. text, run = function(disk, notes)
    if notes[text] then return false end
    notes[text] = "tried"
    local journal <close> = core.wal.journal(disk:dir "r0", "notes", "create")
    assert(journal:append(text))
  end, answered = function(notes) notes[text] = "sure" end }
end

local function key(disk, notes)
  return table.concat(lines(disk), ",") .. " " .. tostring(notes.a) .. tostring(notes.b)
end

-- What was acknowledged is there, and nothing twice.
local function sound(disk, notes)
  local seen = {}
  for _, line in ipairs(lines(disk)) do
    if seen[line] then return false, line .. " is there twice" end
    seen[line] = true
  end
  for text, how in pairs(notes) do
    if how == "sure" and not seen[text] then return false, text .. " is lost" end
  end
  return true
end

local function scenario(actions)
  return { start = start, actions = actions or { note "a", note "b" }, key = key,
           invariant = sound }
end

describe("assert.explored", function()
  it("takes every order of the actions, each state once", function()
    local result = assert.explored(scenario())
    assert.same({ states = 5, transitions = 5, whole = true }, result)
  end)

  it("crashes at every call, with and without what was not synced", function()
    local result = explorer.explore(scenario(), { faults = { "crash", "lose" } })
    assert.is_nil(result.found)
    assert.is_true(result.states > 20 and result.transitions > 80)
  end)

  it("finds what was answered for before it was safe", function()
    local hasty = { name = "hasty", run = function(disk, notes)
      notes.a = "sure"
      local journal <close> = core.wal.journal(disk:dir "r0", "notes", "create")
      assert(journal:append "a")
    end }
    local result = explorer.explore(scenario { note "b", hasty }, { faults = { "crash" } })
    assert.equal("a is lost", result.found.why)
    assert.same({ "hasty, power fails behind call 1" }, result.found.way)
    assert.matches("in state %d+: a is lost\n  1%. hasty, power fails", explorer.text(result))
    assert.has_error(function()
      assert.explored(scenario { hasty }, { faults = { "crash" } })
    end)
    assert.is_not.explored(scenario { hasty }, { faults = { "crash" } })
  end)

  it("finds what may not be repeated", function()
    local again = { name = "again", run = function(disk)
      if #lines(disk) > 2 then return false end
      local journal <close> = core.wal.journal(disk:dir "r0", "notes", "create")
      assert(journal:append "a")
    end }
    local one = scenario { { name = "once", run = function(disk)
      if #lines(disk) > 0 then return false end
      return again.run(disk)
    end } }
    assert.is_nil(explorer.explore(one).found)
    local result = explorer.explore(scenario { again }, { faults = { "dup" } })
    assert.same({ "again, twice" }, result.found.way)
  end)

  it("says what an action raised, and what the invariant did", function()
    local bad = { name = "bad", run = function() error("no", 0) end }
    local result = explorer.explore(scenario { note "a", bad })
    assert.equal("it raised: no", result.found.why)
    assert.same({ "bad" }, result.found.way)
    result = explorer.explore(scenario(), { invariant = function() error("oh", 0) end })
    assert.equal("the invariant raised: oh", result.found.why)
  end)

  it("says when it stopped before the end", function()
    local result = explorer.explore(scenario(), { states = 2 })
    assert.is_false(result.whole)
    assert.matches("nothing was found; there are more$", explorer.text(result))
    assert.is_not.explored(scenario(), { states = 2 })
  end)

  it("refuses what is no scenario and no fault", function()
    assert.matches("a scenario { start =, actions =, key =, invariant = } expected",
                   raised(function() assert.explored(7) end))
    assert.matches('no fault "crush"; there are: crash lose dup',
                   raised(explorer.explore, scenario(), { faults = { "crush" } }))
  end)
end)
