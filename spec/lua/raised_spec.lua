-- What a script raised: its own frames, none of ours.
local raised = require "tidal.raised"

describe("trimmed()", function()
  local HEAD <const> = "x.lua:1: boom\nstack traceback:"
  local rows = {
    { "keeps frames of the script", HEAD .. "\n\tx.lua:1: in local 'f'\n\tx.lua:3: in g",
      HEAD .. "\n\tx.lua:1: in local 'f'\n\tx.lua:3: in g" },
    { "leaves out who called it",
      HEAD .. "\n\tx.lua:2: in local 'chunk'\n\tlua/tidal/cluster/origin.lua:2: in function <x>"
      .. "\n\t[C]: in ?", HEAD .. "\n\tx.lua:2: in local 'chunk'" },
    { "leaves out a traceback that is the line of the message",
      HEAD .. "\n\t[C]: in function 'error'\n\tx.lua:1: in local 'chunk'\n"
      .. "\tlua/tidal/cluster/origin.lua:2: in f\n\t[C]: in ?", "x.lua:1: boom" },
    { "keeps it where the message has no line", "boom\nstack traceback:\n\tx.lua:1: in f",
      "boom\nstack traceback:\n\tx.lua:1: in f" },
    { "keeps a message of several lines", "x.lua:1: a\nb\nstack traceback:\n\tx.lua:1: in f",
      "x.lua:1: a\nb" },
    { "keeps who required it, without what lies between",
      HEAD .. "\n\tm.lua:1: in local 'chunk'\n\tlua/tidal/cluster/origin.lua:2: in f\n\tx.lua:9: "
      .. "in local 'chunk'\n\tlua/tidal/cluster/origin.lua:2: in f\n\t[C]: in ?",
      HEAD .. "\n\tm.lua:1: in local 'chunk'\n\tx.lua:9: in local 'chunk'" },
    { "knows ours by any path", HEAD .. "\n\tx.lua:2: in f\n\t./lua/tidal/rules.lua:5: in g"
      .. "\n\t/usr/share/lua/5.4/tidal/cluster/origin.lua:2: in f\n\t[C]: in ?",
      HEAD .. "\n\tx.lua:2: in f" },
    { "leaves out the place where we raised", "lua/tidal/hermetic/tables.lua:7: pairs: no",
      "pairs: no" },
    { "keeps one of the script's that is named like it", "a/tidal.lua:7: no", "a/tidal.lua:7: no" },
  }
  for _, row in ipairs(rows) do
    it(row[1], function() assert.equal(row[3], raised.trimmed(row[2])) end)
  end
end)

describe("traced()", function()
  it("gives text its traceback, and leaves objects as they are", function()
    local object = {}
    assert.equal(object, raised.traced(object))
    assert.matches("^why\nstack traceback:\n", raised.traced "why")
  end)
end)

describe("untold()", function()
  it("says what kind of object was raised", function()
    assert.equal("(error object is a table value)", raised.untold {})
    assert.equal("(error object is a nil value)", raised.untold(nil))
  end)
end)
