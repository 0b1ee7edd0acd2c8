-- Real directories of regions and layouts beside them, for the verb migrate.
--
-- with(options, f): f(here), then all of it is removed
--   options.regions  { "us", "eu" }; options.count: events in each, 120
--   here.dir, .regions; .from, .to: layouts of epoch 1 and 2, in e1.lua, e2.lua
--   here:layout(epoch [, shards [, regions]]) -> layout, its script is
--     e<epoch>.lua; 3 shards where the epoch is even, 2 where it is odd
--   here:run(...)    migrate with these and all of --wal -> exit, out, err
--   here:apply(...)  the same of a migration from e1 to e2
--   here:tree()      { [path] = bytes } of all files, "dir" for directories
--   here:faults(layout)  lost, doubled, misplaced against the beginning
local cli = dofile "spec/support/cli.lua"
local cluster = require "tidal.cluster"
local lfs = require "lfs"
local scene = dofile "spec/support/migration.lua"
local script = dofile "spec/support/script.lua"

local M = {}

local LAYOUT <const> = [[
return tidal.cluster {
  name = "spec", epoch = %d, regions = { %s }, shards = %d,
  routing = tidal.routing.even(), leaders = "all",
}
]]

local function tree_of(dir, prefix, out)
  for name in lfs.dir(dir) do
    local path = dir .. "/" .. name
    if name ~= "." and name ~= ".." then
      local deep = lfs.attributes(path, "mode") == "directory"
      out[prefix .. name] = deep and "dir" or M.read(path)
      if deep then tree_of(path, prefix .. name .. "/", out) end
    end
  end
  return out
end

function M.read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

function M.write(path, bytes)
  local file <close> = assert(io.open(path, "wb"))
  file:write(bytes)
end

---Paths that are not the same in two trees.
function M.changes(before, after)
  local out = {}
  for path, bytes in pairs(before) do
    if after[path] ~= bytes then out[#out + 1] = path end
  end
  for path in pairs(after) do
    if not before[path] then out[#out + 1] = path end
  end
  return out
end

---The name of a journal.
function M.journal(epoch)
  return ("migration-%010d.journal"):format(epoch)
end

---True, or what `wal verify` says of a directory that is not right. What a process was writing
---when it was killed may be torn: nobody was told that it is there.
function M.sound(path)
  local exit, out = cli.run { "wal", "verify", path }
  local last = out:match "[^\n]*\n$"
  return exit == 0 and (last == "clean\n" or last:find "^%d+ torn: " ~= nil), out
end

local Here = {}
Here.__index = Here

function Here:path(name)
  return self.dir .. "/" .. name
end

function Here:layout(epoch, shards, regions)
  local path = self:path(("e%d.lua"):format(epoch))
  local quoted = {}
  for i, region in ipairs(regions or self.regions) do quoted[i] = ("%q"):format(region) end
  M.write(path, LAYOUT:format(epoch, table.concat(quoted, ", "),
                              shards or (epoch % 2 == 0 and 3 or 2)))
  return cluster.load(path)
end

function Here:wal()
  local out = {}
  for _, region in ipairs(self.regions) do
    out[#out + 1] = "--wal"
    out[#out + 1] = region .. "=" .. self:path(region)
  end
  return table.unpack(out)
end

-- { [region] = directory }.
function Here:dirs()
  local out = {}
  for _, region in ipairs(self.regions) do out[region] = self:path(region) end
  return out
end

function Here:words(...)
  local args = { "migrate", ... }
  for _, word in ipairs { self:wal() } do args[#args + 1] = word end
  return args
end

function Here:run(...)
  return cli.run(self:words(...))
end

function Here:apply(...)
  return self:run("--from", self:path "e1.lua", "--to", self:path "e2.lua", "--apply", ...)
end

-- From one epoch to another, or an error.
function Here:migrate(from, to)
  local exit, _, err = self:run("--from", self:path(("e%d.lua"):format(from)),
                                "--to", self:path(("e%d.lua"):format(to)), "--apply")
  if exit ~= 0 then error(err, 2) end
end

-- With the words as they are.
function Here.raw(_, ...)
  return cli.run { "migrate", ... }
end

function Here:tree()
  return tree_of(self.dir, "", {})
end

function Here:faults(layout)
  local out = {}
  for _, region in ipairs(self.regions) do
    for _, fault in ipairs(scene.faults(self:path(region), self.before[region], layout)) do
      out[#out + 1] = region .. ": " .. fault
    end
  end
  return out
end

function M.with(options, f)
  script.within({}, function(dir)
    local here = setmetatable({ dir = dir, regions = options.regions or { "us", "eu" },
                                before = {} }, Here)
    here.from, here.to = here:layout(1), here:layout(2)
    for i, region in ipairs(here.regions) do
      scene.write(here:path(region), here.from, i - 1,
                  scene.events(i * 1000000, options.count or 120),
                  { batch = options.batch or 40, segment_bytes = options.segment_bytes or 4096 })
      here.before[region] = scene.live(here:path(region))
    end
    f(here)
  end)
end

return M
