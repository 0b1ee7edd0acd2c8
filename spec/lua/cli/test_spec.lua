local cli = require "spec.support.cli"

local function test(args, files, env)
  local status, out, err = cli.run({ "test", table.unpack(args) }, { files = files, env = env })
  return status, out, err
end

local GREEN <const> = "it('is right', function() assert.equal(4, 2 + 2) end)"
local RED <const> = "it('is wrong', function() assert.equal(5, 2 + 2) end)"

describe("test", function()
  it("runs specs inside the host", function()
    local status, out = test({ "a_spec.lua" }, { ["a_spec.lua"] =
      "it('sees tidal', function() assert.equal('s3', tostring(tidal.shard(3))) end)" })
    assert.equal(0, status)
    assert.matches("1 success / 0 failures / 0 errors", out, 1, true)
  end)

  it("fails when one is red, or cannot be read", function()
    assert.equal(1, (test({ "a_spec.lua" }, { ["a_spec.lua"] = GREEN .. "\n" .. RED })))
    assert.equal(1, (test({ "a_spec.lua" }, { ["a_spec.lua"] = "it(" })))
    assert.equal(1, (test({ "no_spec.lua" }, {})))
  end)

  it("passes busted's arguments on", function()
    local files = { ["a_spec.lua"] = GREEN .. "\n" .. RED }
    local status, out = test({ "--output=TAP", "--filter", "is right", "a_spec.lua" }, files)
    assert.equal(0, status)
    assert.matches("ok 1 - is right", out, 1, true)
    assert.is_nil(out:find "is wrong")
  end)

  it("is not led away by a .busted that names an interpreter", function()
    local status, out = test({ "a_spec.lua" }, { ["a_spec.lua"] = GREEN,
      [".busted"] = "return { _all = { lua = '/no/such/lua' } }" })
    assert.equal(0, status)
    assert.matches("1 success", out, 1, true)
  end)

  it("is what a directory means", function()
    local files = { ["a_spec.lua"] = GREEN }
    local status, out = cli.run({ ".", "--pattern=_spec" }, { files = files })
    assert.equal(0, status)
    assert.matches("1 success", out, 1, true)
  end)

  it("says what to install where busted is missing", function()
    local status, out, err = test({ "a_spec.lua" }, { ["a_spec.lua"] = GREEN },
                                  { LUA_PATH = "nowhere/?.lua", LUA_PATH_5_4 = false })
    assert.same({ 1, "" }, { status, out })
    assert.matches("^tidal%-lua: busted is missing: apt%-get install lua%-busted\n", err)
  end)
end)
