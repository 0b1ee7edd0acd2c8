-- host.child: a process that answers with parcels, whatever becomes of it.
local foreign = require "spec.support.foreign"

local RUN <const> = "local function run(c, text, budget) return c:ask { 'run', 'x.lua', text, "
  .. "tostring(budget or 1000000) } end "

local function host(code)
  return foreign.host(foreign.OPEN .. RUN .. code)
end

describe("child()", function()
  it("answers, stays, and is gone when it is closed", function()
    assert.equal("layout\tnumber\tnil\n", host [[
      local c = new()
      local answer = run(c, "return tidal.cluster { name='n', regions={'a'}, shards=1 }")
      local pid = math.type(c:pid()) and "number"
      c:close() c:close()
      print(answer[1], pid, c:pid())]])
  end)

  it("leaves no process behind, also when it is only forgotten", function()
    assert.equal("true\tfalse\n", host [[
      local c = new()
      local path = "/proc/" .. c:pid() .. "/stat"
      local before = io.open(path) ~= nil
      c = nil collectgarbage() collectgarbage()
      print(before, io.open(path) ~= nil)]])
  end)

  it("is told, goes to work, and is heard later", function()
    assert.equal("true layout nil\tit died of signal 9 (Killed)\nfalse\tthe child is closed\n",
                 host [[
      local c = new()
      local told = c:tell { "run", "x.lua",
        "return tidal.cluster { name='n', regions={'a'}, shards=1 }", "1000000" }
      local answer = c:hear()
      os.execute("kill -9 " .. c:pid())
      io.write(tostring(told), " ", answer[1], " ")
      print(c:hear())
      print(pcall(c.hear, c))]])
  end)

  it("cannot be asked once it is closed", function()
    assert.equal("false\tthe child is closed\n",
                 host "local c = new() c:close() print(pcall(c.ask, c, { 'x' }))")
  end)

  it("says how a process ended", function()
    assert.equal("nil\tit died of signal 9 (Killed)\n", host [[
      local c = new()
      os.execute("kill -9 " .. c:pid())
      print(c:ask { "run", "x.lua", "", "1" })]])
    assert.equal("nil\tit used up its 1 s of processor time\n", host [[
      print(run(new { seconds = 1 }, "while true do end", 1 << 60))]])
    assert.equal("broken\n", host "print(new():ask({})[1])")
  end)

  it("gives every answer its own seconds", function()
    assert.equal("spent spent spent \n", host [[
      for i = 1, 3 do io.write(run(new { seconds = 2 }, "while true do end")[1], " ") end
      print()]])
  end)

  it("is not ended by a process that is gone while it is asked", function()
    assert.equal("nil\tstring\n", host [[
      local c = new()
      os.execute("kill -9 " .. c:pid())
      local a, b = c:ask { "run", ("x"):rep(1 << 23) }
      print(a, type(b))]])
  end)

  local wrong = {
    { "{ memory = 1 }", "lpeg: a C function expected" },
    { "{ lpeg = lpeg, memory = 5 }", "memory: 1 MiB to 1 TiB expected" },
    { "{ lpeg = lpeg, memory = 1 << 25, seconds = 0 }", "seconds: 1 to 30 expected" },
    { "{ lpeg = lpeg, memory = 1 << 25, seconds = 31 }", "seconds: 1 to 30 expected" },
    { "5", "table expected" },
  }
  for _, row in ipairs(wrong) do
    it("refuses " .. row[1], function()
      assert.matches(row[2], host(("print(pcall(host.child, %s))"):format(row[1])), 1, true)
    end)
  end
end)
