-- Migrations of real directories by real processes that end in the middle:
-- kill -9 at random moments, Ctrl-C. Whatever was left, every event is live
-- once, the logs are clean, and the next run goes on.
local cli = dofile "spec/support/cli.lua"
local dirs = dofile "spec/support/migration_dirs.lua"
local gen = dofile "spec/support/gen.lua"
local json = require "tidal.json"
local migrate = require "tidal.migrate"
local processes = dofile "spec/support/process.lua"
local scene = dofile "spec/support/migration.lua"

local SOAK <const> = os.getenv "TIDAL_SOAK"
local WHOLE <const> = dofile "spec/support/build.lua".kind == "release"
local KILLS <const> = SOAK and 5000 or WHOLE and 152 or 26  -- in all builds more than 200
local SCENES <const> = SOAK and 100 or WHOLE and 8 or 2
local COUNT <const> = 500   -- events of each region
local SECONDS_MOST <const> = 30  -- to wait for what must come

-- Small laps and slices, so that a process can be hit between them.
local SLOW <const> = [[
local migrate, cluster = require "tidal.migrate", require "tidal.cluster"
local options = { wal = { us = arg[1], eu = arg[2] }, lap_events = 50, slice_bytes = 700,
                  rest_events = 30 }
local m
if arg[3] then
  m = migrate(cluster.load(arg[3]):diff(cluster.load(arg[4])))(options)
else
  m = migrate.resume(options)
end
m:run()
m:close()
]]

local NONE <const> = { state = "none", epoch = 0, regions = {} }

local function status(here)
  local exit, out, err = here:run("--status", "--json")
  if exit == 0 then return json.decode(out) end
  assert.equal("tidal-lua: no migration was begun here\n", err)
  return NONE
end

-- The same without a process, which is quicker.
local function quick_status(here)
  local done, at = pcall(migrate.status, { wal = here:dirs() })
  if done then return at end
  assert.equal("no migration was begun here", tostring(at))
  return NONE
end

-- The layout that each region must be under, by what is published.
local function check(here, layouts, what)
  for _, region in ipairs(here.regions) do
    local path = here:path(region)
    local layout = layouts[scene.epoch(path)]
    assert.same({}, scene.faults(path, here.before[region], layout), what)
    local sound, says = dirs.sound(path)
    assert.is_true(sound, what .. ": " .. says)
  end
end

-- Rounds over one pair of directories, until so many were killed. Gives how many that were, how
-- often a migration was found half way, and how many were finished.
local function rounds(here, count, rng)
  local layouts = { [1] = here.from }
  local seen = { killed = 0, running = 0, finished = 0, aborted = 0 }
  local epoch, patience = 1, 80  -- ms, about what it takes on this machine
  dirs.write(here:path "slow.lua", SLOW)
  local dir = { here:path "us", here:path "eu" }
  local at = status(here)
  local round = 0
  while seen.killed < count do
    round = round + 1
    assert.is_true(round < 20 * count, "nothing lives long enough to be killed")
    local running = at.state == "running"
    seen.running = seen.running + (running and 1 or 0)
    local plan = {}
    if not running then
      local now = scene.epoch(dir[1])
      epoch = math.max(at.epoch, epoch) + 1
      layouts[epoch] = here:layout(epoch)
      plan = { here:path(("e%d.lua"):format(now)), here:path(("e%d.lua"):format(epoch)) }
    end
    local words
    if rng:once_in(2) then
      words = { here:path "slow.lua", dir[1], dir[2], plan[1], plan[2] }
    elseif running then
      words = here:words(rng:once_in(4) and "--abort" or "--resume")
    else
      words = here:words("--from", plan[1], "--to", plan[2], "--apply", "--trust")
    end
    local process = processes.start(words, here:path "err")
    process:signal("KILL", rng:int(4, patience) / 1000)
    local exit = process:finish()
    patience = exit == 137 and math.min(patience + 5, 3000) or math.max(patience - 15, 20)
    local what = ("round %d, %s: %d %s"):format(round, table.concat(words, " "), exit,
                                                dirs.read(here:path "err"))
    assert.is_true(exit == 137 or exit == 0 or what:find "cannot be aborted" ~= nil, what)
    seen.killed = seen.killed + (exit == 137 and 1 or 0)
    check(here, layouts, what)
    at = quick_status(here)
    if round % 8 == 0 then
      local other = status(here)
      assert.same({ at.state, at.epoch }, { other.state, other.epoch })
    end
    if at.state == "finished" then seen.finished = seen.finished + 1 end
    if at.state == "aborted" then seen.aborted = seen.aborted + 1 end
  end
  if status(here).state == "running" then
    local exit, _, err = here:run "--resume"
    assert.equal(0, exit, err)
  end
  check(here, layouts, "the end")
  local last = status(here)
  assert.is_true(last.state == "finished" or last.state == "aborted" or last.state == "none")
  for _, path in ipairs(dir) do assert.equal(scene.epoch(dir[1]), scene.epoch(path)) end
  return seen
end

describe("a migration that is killed", function()
  it("is right and goes on, whenever it was", function()
    local rng = gen.stream "kill -9 of migrations"
    local all = { killed = 0, running = 0, finished = 0, aborted = 0 }
    for _ = 1, SCENES do
      dirs.with({ count = COUNT, batch = 100 }, function(here)
        for key, count in pairs(rounds(here, KILLS // SCENES, rng)) do
          all[key] = all[key] + count
        end
      end)
    end
    assert.is_true(all.killed >= KILLS // SCENES * SCENES)
    assert.is_true(all.running > KILLS // 10)
    assert.is_true(all.finished + all.aborted > 0)
  end)
end)

-- Polls until it is true.
local function wait_for(f)
  local most = os.time() + SECONDS_MOST
  while not f() do
    assert(os.time() < most, "it never came")
    os.execute "sleep 0.02"
  end
end

describe("Ctrl-C", function()
  it("leaves what --resume finishes, and says so", function()
    dirs.with({ count = 300 }, function(here)
      local words = here:words("--from", here:path "e1.lua", "--to", here:path "e2.lua", "--apply",
                               "--rate", "1kB/s")
      local process = processes.start(words, here:path "err")
      wait_for(function()
        local at = status(here)
        return at.regions[1] and at.regions[1].laps > 0
      end)
      for _, mode in ipairs { "--resume", "--abort" } do  -- one at a time
        local exit, _, why = here:run(mode)
        assert.equal(1, exit)
        assert.matches("us: migration%-0000000002%.journal: locked", why)
      end
      process:signal "INT"
      local exit, out = process:finish()
      local err = dirs.read(here:path "err")
      assert.equal(1, exit)
      assert.matches("^done  copy us: %d+ events in 1 lap\n", out)
      assert.matches("interrupted!.*\nwhat was done is kept; to go on: tidal%-lua migrate "
                     .. "%-%-resume %-%-wal eu=.*eu %-%-wal us=.*us\n$", err)
      assert.same({}, here:faults(here.from))
      assert.equal("running", status(here).state)
      local line = err:match "to go on: tidal%-lua ([^\n]*)"
      assert.is_true(os.execute(("'%s' %s >'%s'"):format(cli.tidal, line, here:path "out")))
      assert.same({}, here:faults(here.to))
      assert.equal("finished", status(here).state)
    end)
  end)
end)
