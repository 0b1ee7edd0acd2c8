-- Every layout that comes with the project runs in the host and prints what
-- spec/golden/plan holds: <name>.txt is the plan, <name>.json its JSON form.
-- TIDAL_UPDATE_GOLDEN=1 writes both from what is printed now.
local cli = require "spec.support.cli"
local json = require "tidal.json"
local script = dofile "spec/support/script.lua"

local GOLDEN <const> = "spec/golden/plan/"

local function files(...)
  local out = {}
  for _, dir in ipairs { ... } do
    local pipe = assert(io.popen("ls " .. dir .. "/*.lua | LC_ALL=C sort"))
    for path in pipe:lines() do out[#out + 1] = path end
    pipe:close()
  end
  return out
end

-- The scripts that return a layout, and the specs beside them.
local function layouts_and_specs()
  local layouts, specs = {}, {}
  for _, path in ipairs(files("scripts", "scripts/layouts")) do
    if path:find "_spec%.lua$" then
      specs[#specs + 1] = path
    elseif path ~= "scripts/premake4.lua" then
      layouts[#layouts + 1] = path
    end
  end
  return layouts, specs
end

local LAYOUTS, SPECS = layouts_and_specs()

local function name_of(path)
  return path:match "([^/]+)%.lua$"
end

local function golden(name, text)
  if os.getenv "TIDAL_UPDATE_GOLDEN" then
    assert(os.execute("mkdir -p " .. GOLDEN))
    local file = assert(io.open(GOLDEN .. name, "wb"))
    file:write(text)
    file:close()
  end
  local file = assert(io.open(GOLDEN .. name, "rb"))
  local want = file:read "a"
  file:close()
  return want
end

local function run(...)
  local status, out, err = cli.run { ... }
  assert.same({ 0, "" }, { status, err })
  return out
end

describe("scripts/", function()
  it("has the layouts that the documents name", function()
    local names = {}
    for _, path in ipairs(LAYOUTS) do names[#names + 1] = name_of(path) end
    assert.same({ "cluster", "hash", "hash_ranges", "ranges", "single" }, names)
  end)

  for _, path in ipairs(LAYOUTS) do
    local name = name_of(path)

    it(path .. " prints its plan", function()
      local out = run(path)
      assert.equal(golden(name .. ".txt", out), out)
      assert.equal(out, run("plan", path))
    end)

    it(path .. " has its plan as JSON", function()
      local out = run("plan", path, "--json")
      assert.equal(golden(name .. ".json", out), out)
      local value = json.decode(out)
      assert.equal("tidal-plan/1", value.format)
      assert.matches("\nlayout " .. value.layout_hash .. "\n", run(path), 1, true)
    end)

    it(path .. " is proved", function()
      assert.matches("^total: yes  unique: yes .* equal on all ", run("prove", path))
    end)
  end

  for _, path in ipairs(SPECS) do
    it(path .. " is green", function() run("test", path) end)
  end

  it("has a spec that notices every mutant of its layout", function()
    local out = run("mutate", "scripts/cluster.lua", "scripts/cluster_spec.lua")
    assert.matches("\n36 mutants, 36 killed, 0 survived\n$", out)
  end)

  it("has no plan that is not printed any more", function()
    local known = {}
    for _, path in ipairs(LAYOUTS) do
      known[name_of(path) .. ".txt"], known[name_of(path) .. ".json"] = true, true
    end
    local stray = {}
    for name in assert(io.popen("ls " .. GOLDEN)):lines() do
      if not known[name] then stray[#stray + 1] = name end
    end
    assert.same({}, stray)
  end)
end)

describe("scripts/embed/node.c", function()
  local NODE <const> = os.tmpname()

  setup(function()
    local status, _, err = cli.run({ "-c", "cc -std=c11 -Wall -Wextra -Werror scripts/embed/node.c "
      .. "-Iruntime lib/libtidal.a -lxxhash -pthread -o " .. NODE }, { program = "sh" })
    assert.same({ 0, "" }, { status, err })
  end)

  teardown(function() os.remove(NODE) end)

  local function node(command)
    return cli.run({ "-c", command }, { program = "sh" })
  end

  local function recovered(out)
    return tonumber(out:match "^recovered (%d+) events")
  end

  it("keeps what it acknowledged when it is killed", function()
    script.within({}, function(dir)
      local most = 0
      for round = 1, 5 do
        local status, out = node(("timeout -s KILL 0.%d %s %s"):format(2 + round, NODE, dir))
        assert.equal(137, status)
        assert.is_true(recovered(out) >= most)
        for number in out:gmatch "acked (%d+)\n" do most = math.max(most, tonumber(number)) end
      end
      assert.is_true(most > 0)
      local status, out, err = node(("%s %s 5"):format(NODE, dir))
      assert.same({ 0, "" }, { status, err })
      local had = recovered(out)
      assert.is_true(had >= most)
      local numbers = {}
      for number in out:gmatch "acked (%d+)\n" do numbers[#numbers + 1] = tonumber(number) end
      table.sort(numbers)
      assert.equal(20, #numbers)
      for i, number in ipairs(numbers) do assert.equal(had + i, number) end
      local _, last = node(("%s %s 0"):format(NODE, dir))
      assert.equal(("recovered %d events, last closed cleanly, 0 bytes cut\n"):format(had + 20),
                   last)
      assert.equal("clean\n", select(2, cli.run { "wal", "verify", dir }):match "[^\n]*\n$")
    end)
  end)

  it("says what is wrong", function()
    local status, _, err = node(NODE)
    assert.same({ 2, "usage: node DIR [EVENTS]\n" }, { status, err })
    status, _, err = node(NODE .. " spec/nowhere")
    assert.equal(1, status)
    assert.matches("No such file or directory", err)
  end)
end)
