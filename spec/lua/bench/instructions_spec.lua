-- The arithmetic and the command, with a fake in the place of valgrind.
local cli = require "spec.support.cli"
local instructions = require "tidal.bench.instructions"

-- measure() where a command that makes n calls is answered answer(n).
local function measure(answer, host)
  local commands, popen = {}, io.popen
  rawset(io, "popen", function(command)
    commands[#commands + 1] = command
    local text = answer(tonumber(command:match "for i = 1, (%d+)"))
    return { read = function() return text end, close = function() return true end }
  end)
  local ok, result = pcall(instructions.measure, host or "/usr/bin/tidal-lua")
  rawset(io, "popen", popen)
  assert(ok, result)
  return result, commands
end

local function collected(n)
  return ("==1== Events    : Ir\n==1== Collected : %d\n"):format(n)
end

describe("measure()", function()
  local rows = {
    { 123.0, true }, { 450.0, true }, { 451.0, false }, { 1000.0, false },
  }
  for _, row in ipairs(rows) do
    it(("of %g instructions a call is %s"):format(row[1], tostring(row[2])), function()
      local result = measure(function(n) return collected(5000000 + math.floor(n * row[1])) end)
      assert.same({ "G3", "instr", "<=", row[1], 450, 1, row[1] / 450, row[2] },
                  { result.id, result.unit, result.rule, result.ours, result.peer, result.gate,
                    result.ratio, result.ok })
      assert.is_nil(result.skip)
    end)
  end

  it("is skipped without valgrind, or without a host", function()
    for _, answer in ipairs { "sh: 1: valgrind: not found\n", "" } do
      local result = measure(function() return answer end)
      assert.equal("SKIP no valgrind", result.skip)
      assert.is_nil(result.ok)
      assert.is_nil(result.ours)
    end
    assert.equal("SKIP no valgrind", instructions.measure(nil).skip)
  end)

  it("quotes the path of the host", function()
    local _, commands = measure(function(n) return collected(n) end, "/it's/here")
    assert.equal(2, #commands)
    assert.matches([['/it'\''s/here' -e ']], commands[1], 1, true)
  end)

  it("counts calls of a script that runs", function()
    local _, commands = measure(function(n) return collected(n) end)
    for _, command in ipairs(commands) do
      local source = command:match "%-e '(.*)' 2>&1$"
      local status, _, err = cli.run { "-e", source }
      assert.same({ 0, "" }, { status, err })
    end
  end)
end)
