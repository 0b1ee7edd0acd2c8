-- What a cell makes of scripts: layouts, faults with their lines, what was
-- raised. (What it refuses is in hermetic/escapes.)
local cli = require "spec.support.cli"
local foreign = require "spec.support.foreign"
local script = require "spec.support.script"

local BODY <const> = 'tidal.cluster { name = "n", regions = { "a" },\n  shards = 0 }\n'
local SHARDS <const> = "shards: an integer 1..65536 expected, got 0\n"

describe("a fault", function()
  local rows = {
    { "return " .. BODY, "cluster.lua:2: " }, { "local l = " .. BODY .. "return l",
      "cluster.lua:2: " },
    { "local function f()\n return " .. BODY .. "end\nreturn f()", "cluster.lua:3: " },
    { "#!/bin/x\nreturn " .. BODY, "cluster.lua:3: " },
    { "return require 'lib'", "lib.lua:2: ", { ["lib.lua"] = "return " .. BODY } },
    { "local l = require 'lib'", "lib.lua:3: ",
      { ["lib.lua"] = "\nlocal l = " .. BODY .. "return l" } },
    { "return require 'lib'()", "lib.lua:2: ",
      { ["lib.lua"] = "return function() local l = " .. BODY .. "return l end" } },
  }
  for i, row in ipairs(rows) do
    it("has its line " .. i, function()
      assert.equal(row[2] .. SHARDS, foreign.refused(row[1], { files = row[3] }))
    end)
  end

  it("is told as in full Lua, all of them", function()
    for _, path in ipairs { "spec/golden/layouts/faulty.lua" } do
      local file = assert(io.open(path))
      local text = file:read "a"
      file:close()
      local told = foreign.refused(text)
      assert.equal(told, (foreign.refused(text, { args = { "--trust" } })
                          :gsub("^cluster.lua runs in full Lua[^\n]*\ntidal%-lua: ", "")))
      assert.matches("faults; nothing planned", told, 1, true)
    end
  end)
end)

describe("what a script raises", function()
  it("comes with its own frames only", function()
    assert.equal("cluster.lua:1: attempt to index a nil value (local 'x')\nstack traceback:\n"
      .. "\tcluster.lua:1: in local 'f'\n\tcluster.lua:2: in local 'chunk'\n",
      foreign.refused "local function f(x) return x.y + 1 end\nlocal a = f() + 1")
  end)
end)

describe("the same layout", function()
  it("is the same in every process", function()
    local text = [[
      local names, seen = {}, {}
      for key in pairs { d = 1, b = 2, c = 3, a = 4, [7] = 5,
        [-1] = 6 } do seen[#seen + 1] = key end
      for i = 1, 40 do names[i] = "r" .. math.random(1 << 40) .. "-" .. i end
      table.sort(names, function(x, y) return #x < #y end)
      for key in next, { x = 1, y = 2, z = 3 } do seen[#seen + 1] = key end
      names[41] = table.concat(seen, "_") .. tostring({}) .. tostring(print)
      local rules = { function() return false, tostring({}) .. table.concat(seen, " ") end }
      return tidal.cluster { name = "n", regions = names, shards = 3, rules = rules }]]
    local result = foreign.run(text, { args = { "--json" } })
    assert.equal("", result[3])
    assert.matches("-1_7_a_b_c_d_x_y_ztablefunction", result[2], 1, true)
    -- One shell for all of them.
    script.within({ ["cluster.lua"] = text, first = result[2] }, function(dir)
      assert.is_true(os.execute(("cd %s && i=0 && while [ $i -lt %d ]; do '%s' plan cluster.lua "
        .. "--json | cmp -s - first || exit 1; i=$((i + 1)); done")
        :format(dir, foreign.fenced() and 200 or 20, cli.tidal)))
    end)
  end)
end)
