-- runtime/test/filter_test.c makes each call behind the filter; here is what
-- a user sees where there is none.
local foreign = require "spec.support.foreign"

describe("--no-isolate", function()
  it("says that the filter is missing, and plans the same", function()
    local with = foreign.run(foreign.FINE)
    local without = foreign.run(foreign.FINE, { args = { "--no-isolate" } })
    assert.same({ 0, with[2], "tidal-lua: cluster.lua runs without a system-call filter "
                  .. "(--no-isolate)\n" }, without)
  end)

  it("leaves the other walls", function()
    assert.equal("tidal-lua: cluster.lua runs without a system-call filter (--no-isolate)\n"
      .. "tidal-lua: cluster.lua:1: no io here: a layout may not read or write files; "
      .. "--trust runs it in full Lua\n",
      foreign.run("io.open 'x'", { args = { "--no-isolate" } })[3])
  end)
end)
