-- tidal-lua wal VERB: which verbs there are, and words that are none.
local cli = require "spec.support.cli"
local golden = require "spec.support.golden"

local function wal(...)
  return cli.run { "wal", ... }
end

local VERBS <const> = "usage: tidal-lua wal dump|verify|stat|export|import|repair PATH ...\n"
local USAGE <const> = {
  dump = "usage: tidal-lua wal dump PATH [--json] [--events]\n",
  verify = "usage: tidal-lua wal verify DIR [--json]\n",
  stat = "usage: tidal-lua wal stat DIR [--json]\n",
  export = "usage: tidal-lua wal export DIR [--csv|--json] [--all]\n",
}
local THERE_ARE <const> = "; there are: wal dump, wal verify, wal stat, wal export, wal import, "
  .. "wal repair\n"

describe("wal", function()
  local rows = {
    { {}, "too few arguments\n" }, { { "--json" }, "too few arguments\n" },
    { { "--all", "--" }, "too few arguments\n" }, { { "-x" }, "unknown option -x\n" },
    { { "--evnets" }, "unknown option --evnets (did you mean '--events'?)\n" },
    { { "dmup", "a" }, "no verb 'wal dmup' (did you mean 'dump'?)" .. THERE_ARE },
    { { "--json", "verfy" }, "no verb 'wal verfy' (did you mean 'verify'?)" .. THERE_ARE },
    { { "x%d", "a" }, "no verb 'wal x%d'" .. THERE_ARE },
    { { "dump.x" }, "no verb 'wal dump.x' (did you mean 'dump'?)" .. THERE_ARE },
  }
  for _, row in ipairs(rows) do
    it("refuses: " .. table.concat(row[1], " "), function()
      assert.same({ 2, "", "tidal-lua: " .. row[2] .. VERBS }, { wal(table.unpack(row[1])) })
    end)
  end

  it("shows its verbs when asked for help", function()
    for _, args in ipairs { { "-h" }, { "--help" }, { "--json", "-h" } } do
      assert.same({ 0, VERBS, "" }, { wal(table.unpack(args)) })
    end
  end)

  it("takes options before the verb and behind it", function()
    local dir = golden.dir .. "/damaged/zero-tail"
    local _, behind = wal("verify", dir, "--json")
    local status, before = wal("--json", "verify", dir)
    assert.same({ 0, behind }, { status, before })
    assert.matches('^{"format"', behind)
  end)

  for _, verb in ipairs { "dump", "verify", "stat", "export" } do
    local refused = {
      { {}, "too few arguments\n" }, { { "a", "b" }, "unexpected argument b\n" },
      { { "a", "--nothing" }, "unknown option --nothing\n" },
      { { "a", "--json=1" }, "--json takes no value\n" },
      { { "--josn", "a" }, "unknown option --josn (did you mean '--json'?)\n" },
    }
    for _, row in ipairs(refused) do
      it(("%s refuses: %s"):format(verb, row[2]:sub(1, -2)), function()
        assert.same({ 2, "", "tidal-lua: " .. row[2] .. USAGE[verb] },
                    { wal(verb, table.unpack(row[1])) })
      end)
    end

    it(verb .. " shows its own synopsis, before the verb and behind it", function()
      for _, args in ipairs { { verb, "-h" }, { "-h", verb }, { verb, "a", "--help" } } do
        assert.same({ 0, USAGE[verb], "" }, { wal(table.unpack(args)) })
      end
    end)

    it(verb .. " fails on a path that is not there, naming it", function()
      local status, out, err = wal(verb, "build/no-such-directory")
      assert.same({ 1, "" }, { status, out })
      assert.matches("no-such-directory", err, 1, true)
      assert.matches("No such file", err, 1, true)
    end)
  end
end)
