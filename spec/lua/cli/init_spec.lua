local cli = require "spec.support.cli"
local main = require "tidal.cli"
local script = require "spec.support.script"

local ALL <const> = table.concat(main.order, " ")

local function run(args, options)
  local status, out, err = cli.run(args, options)
  return { status, out, err }
end

describe("the verbs", function()
  it("are modules with run()", function()
    for _, verb in ipairs(main.order) do
      assert.is_function(require("tidal.cli." .. verb).run)
      assert.is_string(main.verbs[verb])
    end
    local count = 0
    for _ in pairs(main.verbs) do count = count + 1 end
    assert.equal(count, #main.order)
  end)

  it("stand in --help, one a line", function()
    local out = run { "--help" }[2]
    for verb, text in pairs(main.verbs) do
      assert.matches(("\n  %-10s %s\n"):format(verb, text), out, 1, true)
    end
  end)

  local unknown = {
    { "plant", " (did you mean 'plan'?)" }, { "rout", " (did you mean 'route'?)" },
    { "Plan", " (did you mean 'plan'?)" }, { "frobnicate", "" },
  }
  for _, row in ipairs(unknown) do
    it("are listed for " .. row[1], function()
      assert.same({ 2, "", ("tidal-lua: no verb or script '%s'%s; the verbs are: %s\n"):format(
        row[1], row[2], ALL) }, run { row[1], "x" })
    end)
  end

  for _, verb in ipairs { "plan", "prove", "route", "explain", "whatif", "wal", "bench" } do
    it("show their synopsis with exit 2 for a wrong option: " .. verb, function()
      local status, out, err = table.unpack(run { verb, "--no-such-option" })
      assert.same({ 2, "" }, { status, out })
      assert.matches("^tidal%-lua: unknown option %-%-no%-such%-option\nusage: tidal%-lua "
                     .. verb .. "[^\n]*\n$", err)
    end)

    it("show it with exit 0 for --help: " .. verb, function()
      local status, out, err = table.unpack(run { verb, "--help" })
      assert.same({ 0, "" }, { status, err })
      assert.matches("^usage: tidal%-lua " .. verb .. "[^\n]*\n", out)
    end)
  end

  for _, verb in ipairs { "plan", "prove", "route", "explain", "whatif", "wal" } do
    it("show it with exit 2 for too few words: " .. verb, function()
      local status, out, err = table.unpack(run { verb })
      assert.same({ 2, "" }, { status, out })
      assert.matches("^tidal%-lua: too few arguments\nusage: tidal%-lua " .. verb, err)
    end)
  end
end)

describe("a layout that cannot be had", function()
  local FILES <const> = {
    ["raises.lua"] = "local x = nil\nlocal y = x.y",
    ["deep.lua"] = "local function f(x) return x.y + 1 end\nlocal y = f() + 1",
    ["text.lua"] = "error('plain', 0)",
    ["object.lua"] = "error(setmetatable({}, { __tostring = function() return 'mine' end }))",
    ["table.lua"] = "error({ code = 5 })",
    ["parse.lua"] = "return return", ["number.lua"] = "return 5", ["nothing.lua"] = "",
    ["faulty.lua"] = "return tidal.cluster {\n  name = 5, regions = { 'a' }, shards = 1 }",
  }
  local rows = {
    { "raises.lua", "raises.lua:2: attempt to index a nil value (local 'x')\n" },
    { "deep.lua", "deep.lua:1: attempt to index a nil value (local 'x')\nstack traceback:\n" },
    { "text.lua", "plain\nstack traceback:\n" }, { "object.lua", "mine\n" },
    { "table.lua", "(error object is a table value)\n" },
    { "parse.lua", "parse.lua:1: unexpected symbol near 'return'\n" },
    { "number.lua", "number.lua: returned a number, not a layout: end it with "
      .. "`return tidal.cluster { ... }`\n" },
    { "nothing.lua", "nothing.lua: returned nothing, not a layout: end it with "
      .. "`return tidal.cluster { ... }`\n" },
    { "none.lua", "cannot open none.lua: No such file or directory\n" },
    { "faulty.lua", "faulty.lua:2: name: 5 is not a name (letters, digits, '.', '_' or '-', "
      .. "at most 64 bytes)\n" },
  }
  for _, row in ipairs(rows) do
    for _, verb in ipairs { "plan", "prove", "route" } do
      it(("fails %s: %s"):format(verb, row[1]), function()
        local args = { verb, row[1], verb == "route" and "1" or nil }
        local status, out, err = table.unpack(run(args, { files = FILES }))
        assert.same({ 1, "" }, { status, out })
        assert.equal("tidal-lua: " .. row[2], err:sub(1, 11 + #row[2]))
      end)
    end
  end

  -- What the verb prints, its file being faulty.
  local ONE <const> = '{"format":"tidal-faults/1","faults":[{"file":"faulty.lua","line":2,'
    .. '"path":"name","message":"5 is not a name (letters, digits, \'.\', \'_\' or \'-\', at most '
    .. '64 bytes)"}]}\n'
  for _, args in ipairs { { "plan", "faulty.lua", "--json" }, { "plan", "--json", "faulty.lua" },
                          { "diff", "faulty.lua", "faulty.lua", "--json" },
                          { "explain", "faulty.lua", "1", "--json" },
                          { "whatif", "faulty.lua", "--json" } } do
    it("is one JSON object for " .. table.concat(args, " "), function()
      assert.same({ 1, ONE, "" }, run(args, { files = FILES }))
    end)
  end

  it("is one JSON object where it is no layout at all", function()
    for name, message in pairs {
      ["none.lua"] = "cannot open none.lua: No such file or directory",
      ["nothing.lua"] = "nothing.lua: returned nothing, not a layout: end it with "
        .. "`return tidal.cluster { ... }`",
    } do
      assert.same({ 1, '{"format":"tidal-faults/1","faults":[{"file":null,"line":null,"path":"",'
        .. '"message":"' .. message .. '"}]}\n', "" },
        run({ "plan", name, "--json" }, { files = FILES }))
    end
    assert.same({ 1, '{"format":"tidal-faults/1","faults":[{"file":"parse.lua","line":1,"path":"",'
      .. [["message":"unexpected symbol near 'return'"}]}]] .. "\n", "" },
      run({ "plan", "parse.lua", "--json" }, { files = FILES }))
  end)

  for _, name in ipairs { "raises.lua", "text.lua", "object.lua", "table.lua", "parse.lua",
                          "nothing.lua", "none.lua", "faulty.lua" } do
    it("is the same to a program whether it is trusted or not: " .. name, function()
      local foreign = run({ "plan", name, "--json" }, { files = FILES })
      local trusted = run({ "plan", name, "--json", "--trust" }, { files = FILES })
      assert.matches('^{"format":"tidal%-faults/1","faults":%[{.*}%]}\n$', foreign[2])
      assert.same({ 1, foreign[2], ("tidal-lua: %s runs in full Lua, without limits (--trust)\n")
                    :format(name) }, trusted)
    end)
  end

  it("is one JSON object where it asks for what no layout may have", function()
    assert.same({ 1, '{"format":"tidal-faults/1","faults":[{"file":"os.lua","line":2,"path":"",'
      .. '"message":"no os here: a layout may not ask for the time, the environment or programs; '
      .. '--trust runs it in full Lua"}]}\n', "" },
      run({ "plan", "os.lua", "--json" }, { files = { ["os.lua"] = "\nlocal t = os.time()" } }))
  end)

  it("is text behind --", function()
    assert.same({ 1, "" }, { run({ "route", "--", "faulty.lua", "--json" },
                                 { files = FILES })[1], "" })
    assert.matches("^tidal%-lua: faulty.lua:2: name: ",
                   run({ "route", "--", "faulty.lua", "--json" }, { files = FILES })[3])
  end)

  it("has the traceback of its script", function()
    local err = run({ "plan", "deep.lua" }, { files = FILES })[3]
    assert.matches("\n\tdeep.lua:1: in [^\n]*\n\tdeep.lua:2: in [^\n]*\n$", err)
  end)
end)

describe("a script that returns a layout", function()
  local SOURCE <const> = "return tidal.cluster { name = 'n', regions = { 'a' }, shards = 1%s }"
  local function of(rules)
    return run({ "f.lua" }, { files = { ["f.lua"] = SOURCE:format(rules or "") } })
  end

  it("is shown as its plan", function()
    local result = of()
    local plan = run({ "plan", "f.lua" }, { files = { ["f.lua"] = SOURCE:format "" } })
    assert.same({ 0, "" }, { result[1], result[3] })
    assert.same(plan, result)
    assert.matches("^n  epoch 1  1 region x 1 shard = 1 node, 1 log\n", result[2])
  end)

  it("fails when a rule is broken", function()
    local result = of ", rules = { tidal.rules.survives 'region' }"
    assert.equal(1, result[1])
    assert.matches("BROKEN  survives region", result[2], 1, true)
  end)

  it("has no colour in a pipe", function()
    local result = run({ "scripts/cluster.lua" }, { env = { TERM = "xterm" } })
    assert.is_nil(result[2]:find "\27")
  end)
end)

describe("show()", function()
  it("leaves other values alone", function()
    for _, value in ipairs { {}, 5, "x", io.stdout } do assert.is_false((main.show(value))) end
  end)

  it("prints the plan and gives the status", function()
    local kept, printed = print, nil
    _G.print = function(text) printed = text end
    local shown, status = main.show(script.layout())
    _G.print = kept
    assert.same({ true, 0 }, { shown, status })
    assert.equal(script.layout():plan():text(), printed)
  end)
end)
