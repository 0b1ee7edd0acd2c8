-- Counting instructions, with a stand-in for valgrind: a script that prints
-- what callgrind would.
local cli = require "spec.support.cli"

local MEASURE = [[
local result = require "tidal.bench.instructions".measure(%q)
print(result.id, result.ours, result.ok, result.skip)
]]

describe("bench.instructions", function()
  it("says so where the host is not known", function()
    local instructions = require "tidal.bench.instructions"
    local result = instructions.measure(nil)
    assert.equal("G3", result.id)
    assert.equal("SKIP no valgrind", result.skip)
    assert.is_nil(result.ok)
  end)

  it("skips where valgrind cannot run the host", function()
    local instructions = require "tidal.bench.instructions"
    local result = instructions.measure "/nonexistent/host"
    assert.equal("SKIP no valgrind", result.skip)
  end)

  it("subtracts the short run from the long one", function()
    local lfs = require "lfs"
    local dir = os.tmpname()
    os.remove(dir)
    assert(lfs.mkdir(dir))
    local path = dir .. "/valgrind"
    local file = assert(io.open(path, "w"))
    -- 1,000,000 for the start, 100 for each call.
    file:write [[
#!/bin/sh
n=$(printf '%s' "$*" | sed -n 's/.*for i = 1, \([0-9]*\) do.*/\1/p')
echo "==1== Collected : $((1000000 + 100 * n))"
]]
    file:close()
    assert(os.execute("chmod +x " .. path))
    local status, out, err = cli.run({ "-e", MEASURE:format "host" },
                                     { env = { PATH = dir .. ":/usr/bin:/bin" } })
    assert(os.execute("rm -r " .. dir))
    assert.equal(0, status, err)
    assert.equal("G3\t100.0\ttrue\tnil\n", out)
  end)
end)
