-- The steps of a migration: their order, what comes first, pieces of them.
local raised = dofile "spec/support/raised.lua"
local steps = require "tidal.migrate.steps"

-- Places that note what is called; each call is two pieces.
local function scene(...)
  local called, places = {}, {}
  local function method(name)
    return function(self, other)
      called[#called + 1] = name .. " " .. self.region .. (other and " " .. other.region or "")
      coroutine.yield(7)
    end
  end
  for i, word in ipairs { ... } do
    local region, kind = word:match "(%a+)=(%a+)"
    places[i] = { region = region, kind = kind, copy = method "copy", verify = method "verify",
                  cut_over = method "cut", come = method "come", hand_over = method "hand",
                  left_to_copy = function() return 5 end, left_to_verify = function() end,
                  left_to_hand = 9 }
  end
  local self = { places = places, finish = function() called[#called + 1] = "finish" end }
  return steps.of(self), called
end

local function names(list)
  local out = {}
  for i, step in ipairs(list) do out[i] = tostring(step) end
  return out
end

describe("the steps of a migration", function()
  it("are those of each region, name by name, and an end", function()
    local list = scene("us=stays", "eu=stays")
    assert.same({ "copy us", "copy eu", "verify us", "verify eu", "cut over us", "cut over eu",
                  "finish" }, names(list))
    for _, step in ipairs(list) do assert.is_true(#step.says > 10 and #step.back > 10) end
  end)

  it("open a region that comes, and hand it the logs of all that were there", function()
    assert.same({ "copy us", "copy eu", "verify us", "verify eu", "cut over us", "cut over eu",
                  "open ap", "hand over us to ap", "hand over eu to ap", "finish" },
                names((scene("us=stays", "eu=stays", "ap=comes"))))
  end)

  it("hand the logs of a region that goes to the first that stays", function()
    assert.same({ "copy us", "copy eu", "copy ap", "verify us", "verify eu", "verify ap",
                  "cut over us", "cut over eu", "cut over ap", "hand over ap to us", "finish" },
                names((scene("us=stays", "eu=stays", "ap=goes"))))
  end)

  it("are taken in their order only", function()
    local list, called = scene("us=stays", "ap=comes")
    local first = { ["verify us"] = "copy us", ["cut over us"] = "copy us",
                    ["open ap"] = "cut over us", ["hand over us to ap"] = "cut over us",
                    finish = "cut over us" }
    for _, step in ipairs(list) do
      local before = first[tostring(step)]
      if before then
        assert.equal(tostring(step) .. ": " .. before .. " comes first", raised(step.run, step))
      end
    end
    assert.same({}, called)
    for _, step in ipairs(list) do step:run() end
    assert.same({ "copy us", "verify us", "cut us", "come ap", "hand us ap", "finish" }, called)
  end)

  it("know while they work what they are still to read", function()
    local list = scene("us=stays", "ap=comes")
    local left = {}
    for i, step in ipairs(list) do
      assert.is_nil(step:left())
      step:slice()
      left[i] = step:left() or "?"
      step:run()
      assert.is_nil(step:left())
    end
    assert.same({ 5, "?", "?", "?", 9, "?" }, left)
  end)

  it("are done in pieces, once", function()
    local list, called = scene "us=stays"
    assert.same({ 7, nil, nil }, { list[1]:slice(), list[1]:slice(), list[1]:slice() })
    assert.is_true(list[1].done)
    list[1]:run()
    assert.same({ "copy us" }, called)
    assert.is_nil(list[2].done)
  end)
end)
