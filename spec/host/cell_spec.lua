-- The state in a cell: what is in it, and what a broken one says.
local foreign = require "spec.support.foreign"

describe("a cell", function()
  it("tells what it broke of", function()
    assert.matches("^broken\tlua/tidal/hermetic/cell.lua:%d+: ", foreign.host(foreign.OPEN
      .. "print(table.unpack(new():ask { 'run', 'x.lua', 'return 1', 'many' }, 1, 2))"))
  end)

  it("starts fresh: nothing of the host's state is in it", function()
    assert.equal("ok\n", foreign.host(foreign.OPEN .. [[
      secret = "s" string.format = nil package.loaded["tidal.rules"] = { secret = 1 }
      local c = new()
      local a = c:ask { "run", "x.lua", "assert(not secret and ('%d'):format(1) == '1' "
        .. "and tidal.rules.survives) return tidal.cluster { name='n', regions={'a'}, shards=1 }",
        "1000000" }
      print(a[1] == "layout" and "ok" or a[3])]]))
  end)

  it("has no more memory than it was given", function()
    assert.equal("spent\tmemory budget used up at x.lua:1\n", foreign.host(foreign.OPEN .. [[
      local a = new { memory = 8 << 20 }:ask { "run", "x.lua",
        "local s = ('x'):rep(8 << 20)", "100000000" }
      print(a[1], a[3])]]))
  end)

  it("has no more of it in small pieces", function()
    assert.equal("spent\tmemory budget used up at x.lua:1\n", foreign.host(foreign.OPEN .. [[
      local a = new { memory = 8 << 20 }:ask { "run", "x.lua",
        "local t = {} for i = 1, 1 << 18 do t[i] = { i } end return t", "100000000" }
      print(a[1], a[3])]]))
  end)

  it("answers for other states under its rules until it is closed", function()
    assert.equal("1 0 1 0 \n", foreign.host [[
      local hermetic = require "tidal.hermetic"
      local path = os.tmpname()
      local file = io.open(path, "w")
      file:write "return tidal.cluster { name='n', regions={'a','b'}, shards=4, rules={ "
      file:write "function(l) return l.shards < 10, 'too many' end, "
      file:write "tidal.rules.max_leaders(3) } }"
      file:close()
      local made = hermetic.load(require "tidal.host", path)
      os.remove(path)
      local other = require "tidal.cluster" { name='n', regions={'a','b'}, shards=12,
                                              leaders = "spread" }
      local check = function(i, l) return made.rules[i].check(l) and 1 or 0 end
      io.write(check(1, made), " ", check(1, other), " ", check(1, made), " ",
               check(2, other), " \n")]])
  end)
end)
