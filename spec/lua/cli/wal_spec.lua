-- tidal-lua wal VERB: which verbs there are, and words that are none.
local cli = dofile "spec/support/cli.lua"

local function wal(...)
  return cli.run { "wal", ... }
end

describe("wal", function()
  it("without a verb is a usage error that names the verbs", function()
    for _, args in ipairs { {}, { "--json" }, { "-x" } } do
      local exit, out, err = wal(table.unpack(args))
      assert.same({ 2, "" }, { exit, out })
      assert.matches("usage: tidal-lua wal dump|verify|stat|export PATH", err, 1, true)
    end
  end)

  it("suggests the verb that was meant", function()
    local exit, out, err = wal("verfy", "x")
    assert.same({ 2, "" }, { exit, out })
    assert.matches("no verb 'wal verfy'", err, 1, true)
    assert.matches("verify", err, 1, true)
    assert.matches("wal dump, wal verify, wal stat, wal export", err, 1, true)
  end)

  it("takes options before the verb and behind it", function()
    local golden = "spec/golden/damaged/zero-tail"
    local _, behind = wal("verify", golden, "--json")
    local exit, before = wal("--json", "verify", golden)
    assert.same({ 0, behind }, { exit, before })
  end)

  for _, verb in ipairs { "dump", "verify", "stat", "export" } do
    it(verb .. " wants exactly one path and knows its options", function()
      for _, args in ipairs { {}, { "a", "b" }, { "a", "--nothing" }, { "a", "--json=1" } } do
        local exit, out, err = wal(verb, table.unpack(args))
        assert.same({ 2, "" }, { exit, out })
        assert.matches("usage: tidal-lua wal " .. verb, err, 1, true)
      end
    end)

    it(verb .. " fails on a path that is not there, naming it", function()
      local exit, out, err = wal(verb, "build/no-such-directory")
      assert.same({ 1, "" }, { exit, out })
      assert.matches("no-such-directory", err, 1, true)
      assert.matches("No such file", err, 1, true)
    end)
  end
end)
