-- Lists of strings as parcels: what cannot be sent is refused here.
local foreign = require "spec.support.foreign"

local function ask(list)
  return foreign.host(foreign.OPEN .. ("local c = new() print(pcall(c.ask, c, %s))"):format(list))
end

describe("a parcel", function()
  it("holds strings only", function()
    assert.matches("parcel: text 2 is a number", ask "{ 'a', 5 }", 1, true)
    assert.matches("parcel: text 1 is a table", ask "{ {} }", 1, true)
    assert.matches("table expected", ask "5", 1, true)
  end)

  it("has a limit", function()
    assert.matches("parcel: more than 16777216 bytes", ask "{ ('x'):rep(1 << 24) }", 1, true)
    assert.matches("parcel: more than 1048576 texts",
                   ask("(function() local t = {} for i = 1, 1048577 do t[i] = '' end "
                       .. "return t end)()"), 1, true)
  end)

  it("keeps every byte", function()
    local text = foreign.printed "for i = 128, 255 do print(string.char(i)) end"
    for i = 128, 255 do assert.matches("\n" .. string.char(i) .. "\n", "\n" .. text, 1, true) end
  end)
end)
