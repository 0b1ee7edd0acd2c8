-- home:clone: the logs of a directory, as they lie there, below another one.
local churn = dofile "spec/support/churn.lua"
local core = require "tidal.core"
local raised = dofile "spec/support/raised.lua"
local scene = dofile "spec/support/migration.lua"
local script = dofile "spec/support/script.lua"
local tidal = require "tidal"
local wal = core.wal

local must = scene.must
local NAME <const> = "from-r00000"

local FROM <const> = tidal.cluster { name = "spec", regions = { "us" }, shards = 2,
                                     routing = tidal.routing.even(), leaders = "all" }

-- f(directory, another one, what is below it) over both kinds.
local function both(f)
  local options = { segment_bytes = 4096 }
  local disk <close> = tidal.sim.disk { seed = 1 }
  scene.write(disk:dir "us", FROM, 0, scene.events(1, 400), options)
  assert(disk:write("eu", "other", ""))
  f(disk:dir "us", disk:dir "eu", disk:dir("eu/" .. NAME))
  script.within({}, function(dir)
    scene.write(dir .. "/us", FROM, 0, scene.events(1, 400), options)
    assert(wal.open(dir .. "/eu", { create = true })):close()
    f(dir .. "/us", dir .. "/eu", dir .. "/eu/" .. NAME)
  end)
end

local function open(dir) return must(wal.open(dir, { layout = FROM })) end

local function run(clone, bytes)
  local steps, last = 0, 0
  repeat
    local more, copied = clone:step(bytes)
    if more == nil then error(copied, 0) end
    assert.is_true(copied >= last)
    steps, last = steps + 1, copied
  until not more
  return steps, last
end

describe("a copy of a directory", function()
  it("has every event, the layout, and says how much was copied", function()
    both(function(dir, target, below)
      local home <close> = open(dir)
      local clone <close> = must(home:clone(target, NAME))
      local steps, bytes = run(clone, 100)
      assert.is_true(steps > 10 and bytes > 400 * 21)
      assert.same({}, scene.faults(below, (scene.live(dir)), FROM))
      assert.equal(1, scene.epoch(below))
      clone:close()
      clone:close()
    end)
  end)

  it("is left anywhere and made again: closed, forgotten, with its home", function()
    both(function(dir, target, below)
      for i = 1, 9 do
        local home = open(dir)
        local clone = must(home:clone(target, NAME))
        for _ = 1, i do clone:step(500) end
        if i % 3 == 0 then
          must(home:close())
          assert.equal("the copy, or its directory, is closed", raised(clone.step, clone, 1))
          clone:close()
        elseif i % 3 == 1 then
          clone:close()
          assert.equal("the copy, or its directory, is closed", raised(clone.step, clone, 1))
          must(home:close())
        end
        home, clone = nil, nil
        churn(500)
        assert.is_nil(home or clone)
      end
      local home <close> = open(dir)
      local clone <close> = must(home:clone(target, NAME))
      run(clone, 1 << 20)
      assert.same({}, scene.faults(below, (scene.live(dir)), FROM))
    end)
  end)

  it("is refused in no directory, on another disk, and under a wrong name", function()
    both(function(dir, target)
      local home <close> = open(dir)
      for _, name in ipairs { "", ".", "..", "a/b", ("x"):rep(64) } do
        assert.matches("name", raised(home.clone, home, target, name))
      end
      local disk <close> = tidal.sim.disk()
      assert.equal("both directories must lie on one disk",
                   raised(home.clone, home, disk:dir "x", NAME))
      local clone <close> = must(home:clone(target, NAME))
      for _, bytes in ipairs { 0, -1, 1.5, "x" } do
        assert.matches("bytes", raised(clone.step, clone, bytes))
      end
    end)
    script.within({}, function(dir)
      local home <close> = must(wal.open(dir .. "/us", { create = true }))
      local clone, err = home:clone(dir .. "/none", NAME)
      assert.same({ nil, "io" }, { clone, err.code })
    end)
  end)
end)
