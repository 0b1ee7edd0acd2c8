-- What is printed of a migration: plain values in, text out.
local render = require "tidal.render.migrate"

local TASK <const> = { name = "prod", from = { epoch = 7 }, to = { epoch = 9 } }

local function step(name, region)
  return setmetatable({ name = name, region = region, says = "says " .. name }, {
    __tostring = function(self)
      return self.region and self.name .. " " .. self.region or self.name
    end })
end

local function migration(states)
  local places = {}
  for i, state in ipairs(states or {}) do
    places[i] = { pause = state.pause, state = function() return state end }
  end
  return { task = TASK, places = places, place = function() return places[1] end,
           steps = { step("copy", "us"), step("copy", "eu"), step "finish" } }
end

describe("what is printed of a migration", function()
  it("is every step with what it costs, before it is begun", function()
    local plan = { price = { regions = { { region = "us", events = 1500000, bytes = 31500000 } } } }
    assert.equal([[
prod: epoch 7 to epoch 9

  1  copy us  1500000 events, 31.5 MB: says copy
  2  copy eu  says copy
  3  finish   says finish

nothing was changed; --apply does it]], render.plan(migration(), plan))
  end)

  it("is a line for each step that is done", function()
    local one = migration { { moved = 5, laps = 1, pause = 0.0025 } }
    assert.equal("done  copy us: 5 events in 1 lap", render.step(one, step("copy", "us")))
    assert.equal("done  cut over us: writers waited 2.5 ms",
                 render.step(one, step("cut over", "us")))
    assert.equal("done  verify us", render.step(one, step("verify", "us")))
    assert.equal("done  finish", render.step(one, step "finish"))
    local two = migration { { moved = 0, laps = 2 } }
    assert.equal("done  copy us: 0 events in 2 laps", render.step(two, step("copy", "us")))
    assert.equal("done  cut over us", render.step(two, step("cut over", "us")))
  end)

  it("is how many events moved, over all regions, at the end", function()
    assert.equal("prod: epoch 7 to epoch 9: done, 12 events moved",
                 render.finished(migration { { moved = 5 }, { moved = 7 } }))
    assert.equal("prod: epoch 7 to epoch 9: finished already, nothing to do",
                 render.already(migration()))
  end)

  it("is where each region is", function()
    assert.equal([[
prod: epoch 7 to epoch 9: running
  us-east  published  1200 events moved
  eu       waiting       0 events moved]], render.status {
      name = "prod", from = 7, epoch = 9, state = "running",
      regions = { { region = "us-east", state = "published", moved = 1200 },
                  { region = "eu", state = "waiting", moved = 0 } },
    })
  end)
end)
