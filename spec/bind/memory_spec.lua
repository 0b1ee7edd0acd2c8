-- Memory that fails at every single request, once and for good, while logs
-- are written from Lua: nothing leaks, nothing acknowledged is lost.
local cli = dofile "spec/support/cli.lua"
local golden = dofile "spec/support/golden.lua"
local lfs = require "lfs"
local script = dofile "spec/support/script.lua"

local CORE <const> = "lib/lua/5.4/tidal/core.so"

-- A new directory, where syncs cost nothing if there is such a place.
local function new_directory()
  local name = os.tmpname()
  os.remove(name)
  if lfs.attributes("/dev/shm", "mode") then name = "/dev/shm/" .. name:match "[^/]+$" end
  assert(lfs.mkdir(name))
  return name
end

local function check(dir, name, least)
  local program = dir .. "/memory"
  assert.is_true(os.execute(("cc -std=c11 -D_GNU_SOURCE -O1 -o '%s' spec/support/memory.c "
    .. "$(pkg-config --cflags --libs lua5.4) -Wl,-E"):format(program)))
  assert(os.execute(("cp -r '%s/live/moved' '%s/source'"):format(golden.dir, dir)))
  for i, file in ipairs { "layout", "next" } do
    local out <close> = assert(io.open(dir .. "/" .. file, "wb"))
    out:write(script.layout { shards = i + 1, epoch = i }:text())
  end
  local exit, out, err = cli.run({ "spec/support/" .. name }, {
    program = program, env = { MEMORY_DIR = dir, LUA_CPATH = "lib/lua/5.4/?.so" } })
  assert.same({ 0, "" }, { exit, err }, out)
  local once, ever = out:match "^(%d+) requests failed\n(%d+) requests failed\n$"
  assert.is_true(tonumber(once) > least and tonumber(ever) > least, out)
end

describe("memory that fails", function()
  local function each_request(name, least)
    if not lfs.attributes(CORE, "mode") then return pending("SKIP: no " .. CORE) end
    local dir = new_directory()
    local fine, why = pcall(check, dir, name, least)
    os.execute("rm -r '" .. dir .. "'")
    if not fine then error(why, 0) end
  end

  it("at any request of a writer leaks and loses nothing", function()
    each_request("memory.lua", 100)
  end)

  it("does so on a simulated disk", function() each_request("memory_sim.lua", 50) end)

  it("does so at any step of a migration", function() each_request("memory_migrate.lua", 100) end)
end)
