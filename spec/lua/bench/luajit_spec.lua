-- LuaJIT's FFI as a peer: reported where it is installed, skipped elsewhere.
local luajit = require "tidal.bench.luajit"

local function installed()
  local pipe = assert(io.popen "luajit -v 2>/dev/null")
  local text = pipe:read "a"
  pipe:close()
  return text:find "LuaJIT" ~= nil
end

describe("bench.luajit", function()
  it("is skipped where the library is not beside the host", function()
    for _, host in ipairs { "/nonexistent/bin/tidal-lua", "tidal-lua" } do
      local results = luajit.measure(host)
      assert.equal(1, #results)
      assert.equal("SKIP no luajit or libtidal.so", results[1].skip)
      assert.is_nil(results[1].ok)
    end
    assert.equal("G5", luajit.measure(nil)[1].id)
  end)

  it("reports both forms, without a gate", function()
    local library = io.open "lib/libtidal.so"
    if library then library:close() end
    if not library or not installed() then return pending "no luajit or no lib/libtidal.so" end
    local results = luajit.measure "./bin/tidal-lua"
    assert.equal(2, #results)
    for _, result in ipairs(results) do
      assert.is_nil(result.gate)
      assert.is_true(result.ours > 0 and result.peer > 0)
    end
  end)
end)
