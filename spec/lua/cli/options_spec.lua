local core = require "tidal.core"
local options = require "tidal.cli.options"
local script = require "spec.support.script"

local SPEC <const> = { json = "flag", wal = "list", output = "value", ["long-name"] = "value" }

local function parse(...)
  return options.parse({ ... }, SPEC, "verb [options]")
end

describe("parse()", function()
  local rows = {
    { "nothing", {}, {}, {} },
    { "words", { "a", "b" }, {}, { "a", "b" } },
    { "a flag anywhere", { "a", "--json", "b" }, { json = true }, { "a", "b" } },
    { "a flag twice", { "--json", "--json" }, { json = true }, {} },
    { "a value", { "--output", "f" }, { output = "f" }, {} },
    { "a value behind =", { "--output=f=g" }, { output = "f=g" }, {} },
    { "an empty value", { "--output=" }, { output = "" }, {} },
    { "a value that looks like an option", { "--output", "--json" }, { output = "--json" }, {} },
    { "-o", { "-o", "f", "x" }, { output = "f" }, { "x" } },
    { "a list", { "--wal", "a=b", "--wal=c=d" }, { wal = { "a=b", "c=d" } }, {} },
    { "a name with a hyphen", { "--long-name", "x" }, { ["long-name"] = "x" }, {} },
    { "a lone hyphen", { "-", "x" }, {}, { "-", "x" } },
    { "everything behind --", { "a", "--", "--json", "-x", "--" }, {},
      { "a", "--json", "-x", "--" } },
    { "an empty word", { "" }, {}, { "" } },
  }
  for _, row in ipairs(rows) do
    it("takes " .. row[1], function()
      local out, rest = parse(table.unpack(row[2]))
      assert.same(row[3], out)
      assert.same(row[4], rest)
    end)
  end

  local wrong = {
    { { "--jsno" }, "unknown option --jsno (did you mean '--json'?)" },
    { { "--zzz=1" }, "unknown option --zzz=1" }, { { "-x" }, "unknown option -x" },
    { { "-json" }, "unknown option -json" }, { { "--=x" }, "unknown option --=x" },
    { { "--json=1" }, "--json takes no value" }, { { "--json=" }, "--json takes no value" },
    { { "--output" }, "--output needs a value" }, { { "-o" }, "-o needs a value" },
    { { "--wal" }, "--wal needs a value" },
    { { "-o", "a", "--output=b" }, "--output is given twice" },
    { { "--100%" }, "unknown option --100%" },
  }
  for _, row in ipairs(wrong) do
    it("refuses " .. table.concat(row[1], " "), function()
      local ok, err = pcall(parse, table.unpack(row[1]))
      assert.is_false(ok)
      assert.is_true(options.is_usage(err))
      assert.equal(row[2] .. "\nusage: tidal-lua verb [options]", tostring(err))
    end)
  end

  it("knows -o only where there is an output", function()
    local _, err = pcall(options.parse, { "-o", "x" }, { json = "flag" }, "verb")
    assert.equal("unknown option -o\nusage: tidal-lua verb", tostring(err))
  end)

  for _, word in ipairs { "--help", "-h" } do
    it("shows help for " .. word, function()
      local _, err = pcall(parse, "a", word, "--no-such")
      assert.is_true(options.is_usage(err))
      assert.equal("usage: tidal-lua verb [options]", err.help)
      assert.same({ {}, { word } }, { parse("--", word) })
    end)
  end
end)

describe("a synopsis of several lines", function()
  local LONG <const> = "verb [options]\n  --json  as JSON"

  it("is all of the help", function()
    local _, err = pcall(options.parse, { "--help" }, {}, LONG)
    assert.equal("usage: tidal-lua " .. LONG, err.help)
  end)

  it("is its first line beside an error", function()
    local _, err = pcall(options.parse, { "--no" }, {}, LONG)
    assert.equal("unknown option --no\nusage: tidal-lua verb [options]", tostring(err))
    _, err = pcall(options.expect, {}, 1, 1, LONG)
    assert.equal("too few arguments\nusage: tidal-lua verb [options]", tostring(err))
    _, err = pcall(options.expect, { "a" }, 0, 0, LONG)
    assert.equal("unexpected argument a\nusage: tidal-lua verb [options]", tostring(err))
  end)
end)

describe("expect()", function()
  local function outcome(rest, min, max)
    local ok, err = pcall(options.expect, rest, min, max, "verb X")
    return ok or tostring(err)
  end

  it("counts words", function()
    assert.is_true(outcome({ "a" }, 1, 1))
    assert.is_true(outcome({ "a", "b", "c" }, 1))
    assert.is_true(outcome({}, 0, 0))
    assert.equal("too few arguments\nusage: tidal-lua verb X", outcome({}, 1, 1))
    assert.equal("unexpected argument b\nusage: tidal-lua verb X", outcome({ "a", "b" }, 1, 1))
  end)
end)

describe("errors", function()
  it("of usage are told from failures", function()
    local _, usage = pcall(options.usage, "%d apples", 3)
    local _, failure = pcall(options.fail, "%d pears", 4)
    assert.same({ true, false }, { options.is_usage(usage), options.is_usage(failure) })
    assert.same({ false, true }, { core.is_error(usage), core.is_error(failure) })
    assert.same({ "3 apples", "4 pears" }, { tostring(usage), tostring(failure) })
    assert.is_false(options.is_usage "text")
    assert.is_false(options.is_usage(nil))
  end)
end)

describe("read()", function()
  it("gives a whole file", function()
    script.within({ ["a.bin"] = "a\0b\r\n" }, function(dir)
      assert.equal("a\0b\r\n", options.read(dir .. "/a.bin"))
    end)
  end)

  it("says why it cannot", function()
    local _, err = pcall(options.read, "no/such")
    assert.equal("no/such: No such file or directory", tostring(err))
    _, err = pcall(options.read, "spec")
    assert.equal("spec: Is a directory", tostring(err))
  end)
end)

describe("the system", function()
  it("is known in the host only", function()
    local host = options.host()
    local inside = package.preload["tidal.host"] ~= nil or package.loaded["tidal.host"] ~= nil
    assert.equal(inside, host ~= nil)
    if host then assert.is_function(host.isatty) end
  end)

  it("has no terminal in other interpreters, so no colour and no progress", function()
    local kept = options.host
    options.host = function() return nil end
    local tty, style = options.is_tty(io.stdout), options.style(io.stdout)
    local bar = options.progress "x"
    options.host = kept
    assert.is_false(tty)
    assert.is_false(style.colour)
    bar.update(1, 2)
    bar.finish()
  end)

  it("asks for the right stream", function()
    local kept, asked = options.host, {}
    options.host = function()
      return { isatty = function(fd) asked[#asked + 1] = fd return fd == 2 end }
    end
    local out, err = options.is_tty(io.stdout), options.is_tty(io.stderr)
    options.host = kept
    assert.same({ 1, 2 }, asked)
    assert.same({ false, true }, { out, err })
  end)
end)

describe("layout()", function()
  it("loads a layout", function()
    assert.equal("prod", options.layout "scripts/cluster.lua".name)
  end)

  -- What hermetic.load is given for these options, and what is warned.
  local function asked(opts, host)
    local hermetic, stderr, kept = require "tidal.hermetic", io.stderr, options.host
    local load, calls, said = hermetic.load, {}, {}
    hermetic.load = function(...) calls[#calls + 1] = { ... } return "apart" end
    io.stderr = { write = function(_, ...) said[#said + 1] = table.concat { ... } end }
    options.host = function() return host end
    local made = options.layout("scripts/cluster.lua", opts)
    hermetic.load, io.stderr, options.host = load, stderr, kept
    return { made == "apart", calls[1] and calls[1][3].filter, table.concat(said) }
  end

  it("evaluates it apart where it runs in tidal-lua", function()
    assert.same({ true, true, "" }, asked(nil, {}))
    assert.same({ true, true, "" }, asked({}, {}))
  end)

  it("says so when it does not", function()
    assert.same({ false, nil, "tidal-lua: scripts/cluster.lua runs in full Lua, without limits "
                  .. "(--trust)\n" }, asked({ trust = true }, {}))
    assert.same({ true, false, "tidal-lua: scripts/cluster.lua runs without a system-call filter "
                  .. "(--no-isolate)\n" }, asked({ ["no-isolate"] = true }, {}))
  end)

  it("has chosen full Lua in another interpreter", function()
    assert.same({ false, nil, "" }, asked({}, nil))
  end)
end)

describe("region()", function()
  it("is the one of that name, or an error that names them all", function()
    local layout = options.layout "scripts/cluster.lua"
    assert.equal(1, options.region(layout, layout.regions[2].name, "--region").id)
    local fine, err = pcall(options.region, layout, "eu-wst", "--region eu-wst")
    assert.is_false(fine)
    assert.equal("--region eu-wst: prod has no region 'eu-wst' (did you mean 'eu-west'?); "
                 .. "its regions are: us-east eu-west ap-south", tostring(err))
  end)
end)
