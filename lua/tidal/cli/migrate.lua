-- tidal-lua migrate --from OLD --to NEW --wal REGION=DIR... [--apply]
--   [--rate 30MB/s] [--node-rate R] [--link-rate R] [--concurrency N]
--   [--retire]
-- tidal-lua migrate --resume|--abort|--status [--json] --wal REGION=DIR...
-- Moves the events of all regions from one layout to the next. Without
-- --apply nothing is changed: what would be done is printed. Ctrl-C, kill -9
-- and power failures leave what --resume goes on with; --abort gives it up,
-- until the first directory is published. --resume and --apply of a migration
-- that is finished say so; with --retire they move the segments in which no
-- event counts any more to retired/. Rates are bytes read a second: of all of
-- it, of each region's directory, of each pair of regions.
local json = require "tidal.json"
local migrate = require "tidal.migrate"
local options = require "tidal.cli.options"
local render = require "tidal.render.migrate"
local text = require "tidal.text"

local M = {}

local SYNOPSIS <const> =
  "migrate --from OLD --to NEW --wal REGION=DIR... [--apply] [--rate 30MB/s] "
  .. "[--node-rate R] [--link-rate R] [--concurrency N] [--retire]\n"
  .. "       tidal-lua migrate --resume|--abort|--status [--json] --wal "
  .. "REGION=DIR..."
local MODES <const> = { "apply", "resume", "abort", "status" }

-- --- what was asked for ----------------------------------------------------

local function usage(form, ...)
  options.usage("%s\nusage: tidal-lua %s", form:format(...), SYNOPSIS)
end

local function mode_of(opts)
  local found
  for _, mode in ipairs(MODES) do
    if opts[mode] then
      if found then usage("--%s and --%s: one of them", found, mode) end
      found = mode
    end
  end
  local from_journal = found == "resume" or found == "abort"
                       or found == "status"
  for _, name in ipairs { "from", "to" } do
    if from_journal and opts[name] then
      usage("--%s and --%s: the journal knows the layouts", found, name)
    elseif not from_journal and not opts[name] then
      usage("--%s is missing", name)
    end
  end
  return found
end

local function dirs_of(given)
  local dirs, seen = {}, {}
  for _, word in ipairs(given or {}) do
    local name, dir = word:match "^([^=]+)=(.+)$"
    if not name then usage("--wal takes REGION=DIR, got %q", word) end
    if dirs[name] then usage("--wal %s: once per region", word) end
    local plain = dir:gsub("(.)/+$", "%1")
    if seen[plain] then
      usage("--wal %s: is the directory of %s: each region has its own", word,
            seen[plain])
    end
    dirs[name], seen[plain] = dir, name
  end
  if not next(dirs) then usage "--wal REGION=DIR is missing" end
  return dirs
end

local function integer_of(opts, name)
  local given = opts[name]
  local value = given and math.tointeger(tonumber(given))
  if given and (not value or value < 1) then
    usage("--%s takes a number, 1 or more, got %q", name, given)
  end
  return value
end

local function check_rates(opts)
  for _, name in ipairs { "rate", "node-rate", "link-rate" } do
    local fine, why = true, nil
    if opts[name] then fine, why = text.rate(opts[name]) end
    if not fine then usage("--%s: %s", name, why) end
  end
end

local function settings(opts, dirs)
  check_rates(opts)
  local host = options.host()
  return { wal = dirs, rate = opts.rate, node_rate = opts["node-rate"],
           link_rate = opts["link-rate"],
           concurrency = integer_of(opts, "concurrency"),
           retire = opts.retire,
           clock = host and host.clock }
end

-- --- doing it --------------------------------------------------------------

-- How to go on, for who has to.
local function resume_hint(dirs)
  local words = { "tidal-lua migrate --resume" }
  for _, name in ipairs(require "tidal.cluster.keys".sorted(dirs)) do
    words[#words + 1] = ("--wal %s=%s"):format(name, dirs[name])
  end
  return table.concat(words, " ")
end

local function run(migration, dirs)
  local host = options.host()
  local bars, told = {}, {}
  local function progress(m)
    local step = m.step_now
    bars[step] = bars[step] or options.progress(tostring(step))
    bars[step].update(step.read, function()
      local left = step:left()
      return left and step.read + left
    end)
    if not step.done or told[step] then return end
    told[step] = true
    bars[step].finish()
    print(render.step(m, step))
  end
  local done, why = pcall(migration.run, migration, {
    clock = host and host.clock, sleep = host and host.sleep,
    progress = progress,
  })
  if done then return end
  local begun = migration.journal ~= nil
  migration:close()
  if not begun then error(why, 0) end
  options.fail("%s\nwhat was done is kept; to go on: %s", tostring(why),
               resume_hint(dirs))
end

local RUN <const> = {}

---Runs the migration of a plan, or says that it was finished before.
---@param plan table
---@param opts { rate: string?, concurrency: string? }
---@param dirs { [string]: string } by region
---@return integer status
function M.apply(plan, opts, dirs)
  -- What is wrong with the directories is said all at once, below.
  local found, finished = pcall(migrate.finished, plan, dirs)
  if found and finished then return RUN.resume(opts, dirs) end
  local migration = migrate(plan)(settings(opts, dirs))
  run(migration, dirs)
  print(render.finished(migration))
  return 0
end

-- From the journal, to the end.
function RUN.resume(opts, dirs)
  local migration = migrate.resume(settings(opts, dirs))
  local finished = migration.journal.state.finished
  if finished and not opts.retire then
    migration:close()
    print(render.already(migration))
    return 0
  end
  run(migration, dirs)
  print((finished and render.already or render.finished)(migration))
  return 0
end

-- Back to the old layout.
function RUN.abort(_, dirs)
  local epoch = migrate.abort { wal = dirs }
  print(("aborted: the old layout stays; epoch %d is used up"):format(epoch))
  return 0
end

-- Where it is, by the journal and the directories.
function RUN.status(opts, dirs)
  local status = migrate.status { wal = dirs }
  print(opts.json and json.encode(status) or render.status(status))
  return 0
end

---Prints what would be done; the same arguments.
function M.show(plan, opts, dirs)
  local migration = migrate(plan)(settings(opts, dirs))
  migration:check()
  local weighed = options.weigh(plan, dirs)
  print(render.plan(migration, weighed))
  return 0
end

---Runs, or says what would be done.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, options.with_layout {
    from = "value", to = "value", wal = "list", rate = "value",
    ["node-rate"] = "value", ["link-rate"] = "value",
    concurrency = "value", retire = "flag", apply = "flag", resume = "flag",
    abort = "flag", status = "flag", json = "flag",
  }, SYNOPSIS)
  options.expect(rest, 0, 0, SYNOPSIS)
  local mode = mode_of(opts)
  local dirs = dirs_of(opts.wal)
  check_rates(opts)
  if mode and mode ~= "apply" then return RUN[mode](opts, dirs) end
  local from = options.layout(opts.from, opts)
  local plan = from:diff(options.layout(opts.to, opts))
  return (mode and M.apply or M.show)(plan, opts, dirs)
end

return M
