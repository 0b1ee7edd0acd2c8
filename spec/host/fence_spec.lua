-- What a cell has left, as the kernel tells it.
local cli = require "spec.support.cli"
local foreign = require "spec.support.foreign"

local FENCED <const> = foreign.fenced()

-- The lines of a file of /proc about a cell that waits for its first order.
local function of_cell(file, fields)
  return foreign.host(foreign.OPEN .. ([[
    local c = new(%s)
    local path = "/proc/" .. c:pid() .. "/%s"
    for try = 1, 1000 do
      local wchan = io.open("/proc/" .. c:pid() .. "/limits"):read "a"
      if wchan:find "Max open files +3 " then break end
      os.execute "sleep 0.01"
    end
    os.execute "sleep 0.3"
    local pipe = io.popen("%s " .. path)
    io.write(pipe:read "a")]]):format(fields or "", file, file == "fd" and "ls" or "cat"))
end

describe("a cell", function()
  it("has one socket and two descriptors that lead nowhere", function()
    assert.equal("0\n1\n2\n", of_cell "fd")
  end)

  it("cannot get new rights, nor call the system", function()
    local text = of_cell "status"
    assert.matches("\nNoNewPrivs:\t1\n", text, 1, true)
    assert.matches(FENCED and "\nSeccomp:\t2\n" or "\nSeccomp:\t0\n", text, 1, true)
    assert.matches("\nSigCgt:\t0000000000000000\n",
      FENCED and text or "\nSigCgt:\t0000000000000000\n",
                   1, true)
  end)

  it("has limits", function()
    local text = of_cell "limits"
    for _, name in ipairs { "Max file size", "Max core file size", "Max processes" } do
      assert.matches(name .. " +0 +0 ", text)
    end
    assert.matches("Max open files +3 +3 ", text)
    local space = text:match "Max address space +(%d+) "
    assert.equal(FENCED, space ~= nil)
    -- what the host maps, the budget of 32 MiB and 64 MiB beside it
    if space then assert.is_true(math.tointeger(space) < 300 << 20, space) end
  end)

  it("dies with its parent", function()
    local _, out = cli.run { "-e", foreign.OPEN .. [[
      local c = new()
      os.execute "sleep 0.3"  -- until it is fenced in
      print(c:pid())
      io.stdout:flush()
      os.execute "kill -9 $PPID"]] }
    local pid = out:match "^(%d+)\n$"
    local state
    for _ = 1, 100 do
      local file = io.open("/proc/" .. pid .. "/status")
      state = file and file:read "a":match "State:%s+(%S)" or "gone"
      if file then file:close() end
      if state == "gone" or state == "Z" then return end  -- nobody may reap it
      os.execute "sleep 0.05"
    end
    assert.equal("gone", state)
  end)

  it("does without the filter where it is told to", function()
    assert.matches("\nSeccomp:\t0\n", of_cell("status", "{ filter = false }"), 1, true)
  end)

end)
