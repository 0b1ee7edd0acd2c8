-- How single runs end; what the verb makes of them is in cli/mutate_spec.lua.
local cli = require "spec.support.cli"

local LAYOUT <const> = [[
return tidal.cluster { name = "n", regions = { "a" }, shards = 2 }]]

-- What all runs of a spec give, as lines "number status first".
local function run(spec, settings)
  local code = ([[
local runs = require "tidal.testing.runs"
local list = require "tidal.testing.mutants".list(require "tidal".cluster.load "a.lua")
local settings, args = { %s }, { "a_spec.lua", "-o", "TAP", "--output=json", "-Xoutput", "x" }
local base = runs.base("a.lua", args, settings)
print(0, base.status, base.report and base.report.served, base.seconds > 0)
local count, survived = 0, 0
local all = runs.all(list, "a.lua", args, settings, base, function(done, alive)
  count, survived = done, alive
end)
print(#list == count, #list == #all, survived)
for i, result in ipairs(all) do print(i, result.status, result.report and result.report.first) end
]]):format(settings or "")
  local status, out, err = cli.run({ "run.lua" }, {
    files = { ["a.lua"] = LAYOUT, ["a_spec.lua"] = spec, ["run.lua"] = code } })
  assert.same({ 0, "" }, { status, err })
  return out
end

describe("runs", function()
  it("tell what each run saw", function()
    local out = run [[
      local layout = require "tidal".cluster.load "a.lua"
      it("has 2 shards", function() assert.equal(2, layout.shards) end)
      it("is noisy", function() print "1 0" io.stderr:write "1 0\n" end)]]
    assert.matches("^0\t0\t1\ttrue\ntrue\ttrue\t9\n", out)
    assert.matches("\n7\t1\thas 2 shards\n8\t1\thas 2 shards\n9\t0\tnil\n", out)
  end)

  it("end what does not end", function()
    local out = run([[
      local layout = require "tidal".cluster.load "a.lua"
      it("hangs", function() while layout.shards == 3 do end end)]], "timeout = 5, jobs = 3")
    assert.matches("\n7\ttimeout\tnil\n8\t0\tnil\n", out)
  end)

  it("outlive what ends without a word", function()
    local out = run [[
      local layout = require "tidal".cluster.load "a.lua"
      it("leaves", function() if layout.shards == 3 then os.exit(7) end end)]]
    assert.matches("\n7\t7\tnil\n8\t0\tnil\n", out)
  end)
end)
