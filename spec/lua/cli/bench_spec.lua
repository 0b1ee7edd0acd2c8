-- The verb, with fakes in the place of what measures.
local bench = require "tidal.bench"
local cases = require "tidal.bench.cases"
local instructions = require "tidal.bench.instructions"
local isolation = require "tidal.bench.isolation"
local json = require "tidal.json"
local large = require "tidal.bench.large"
local luajit = require "tidal.bench.luajit"
local options = require "tidal.cli.options"
local script = require "spec.support.script"
local verb = require "tidal.cli.bench"

local GOOD <const> = { id = "G1", name = "good", unit = "ns", ours = 10.0, peer = 40.0, ratio = 4.0,
                       median_ratio = 3.9, gate = 3, rule = ">=", ok = true }
local MISSED <const> = { id = "G2", name = "missed", unit = "ns", ours = 10.0, peer = 5.0,
                         ratio = 2.0, median_ratio = 2.1, gate = 1.5, rule = "<=", ok = false }
local FREE <const> = { id = "G18", name = "no gate", unit = "ns", ours = 1.0, peer = 2.0,
                       ratio = 0.5, median_ratio = 0.5, rule = "<=" }
local SKIPPED <const> = { id = "G3", name = "instructions", unit = "instr", rule = "<=",
                          skip = "SKIP no valgrind" }

local APART <const> = { id = "L6", name = "apart", unit = "ms", ours = 3.0, peer = 2.0, ratio = 1.5,
                        rule = "<=" }
local LARGE <const> = { id = "large", name = "plan", unit = "ms", ours = 3.0, peer = 2.0,
                        ratio = 1.5, rule = "<=" }
local FOREIGN <const> = { id = "G5", name = "foreign", unit = "ns", ours = 3.0, peer = 2.0,
                          ratio = 1.5, rule = "<=" }

-- Runs the verb over these results; gives its status and what it prints.
local function run(args, results, path)
  local printed = {}
  local kept = { bench.measure, bench.control, cases.list, instructions.measure, options.host,
                 print, luajit.measure, isolation.measure, large.measure }
  large.measure = function(host)
    assert(host.path == path)
    return { LARGE }
  end
  isolation.measure = function(host)
    assert(host.path == path)
    return APART
  end
  luajit.measure = function(host)
    assert(host == path)
    return { FOREIGN }
  end
  bench.measure = function(case) return case end
  bench.control = function() return 1.25 end
  cases.list = function() return results end
  instructions.measure = function(host)
    assert(host == path)
    return SKIPPED
  end
  options.host = function() return { path = path, isatty = function() return false end } end
  _G.print = function(text) printed[#printed + 1] = text end
  local done = table.pack(pcall(verb.run, args))
  bench.measure, bench.control, cases.list = kept[1], kept[2], kept[3]
  instructions.measure, options.host, _G.print = kept[4], kept[5], kept[6]
  luajit.measure, isolation.measure, large.measure = kept[7], kept[8], kept[9]
  if not done[1] then error(done[2], 0) end
  return done[2], table.concat(printed, "\n")
end

describe("bench", function()
  it("prints a table", function()
    local status, out = run({}, { GOOD, FREE })
    assert.equal(0, status)
    assert.equal([[
                     ours  peer         ratio   gate
G1     good          10.0  40.0  ns     4.00x  >= 3x  ok
G18    no gate        1.0   2.0  ns     0.50x
G3     instructions              instr      -         SKIP no valgrind
L6     apart          3.0   2.0  ms     1.50x
large  plan           3.0   2.0  ms     1.50x
G5     foreign        3.0   2.0  ns     1.50x
control (a function against itself): 1.25]], out)
  end)

  it("fails when a gate is missed", function()
    local status, out = run({}, { GOOD, MISSED })
    assert.equal(1, status)
    assert.matches("G2     missed        10.0   5.0  ns     2.00x  <= 1.5x  BELOW", out, 1, true)
  end)

  it("prints JSON", function()
    local status, out = run({ "--json" }, { GOOD, MISSED })
    assert.equal(1, status)
    local value = json.decode(out)
    assert.same({ "tidal-bench/1", 1.25, 6 }, { value.format, value.control, #value.results })
    assert.same(GOOD, value.results[1])
    assert.same(MISSED, value.results[2])
    assert.same(SKIPPED, value.results[3])
    assert.same({ APART, LARGE, FOREIGN }, table.move(value.results, 4, 6, 1, {}))
  end)

  -- A program in the place of bin/tidal-bench.
  local function with_program(text, f)
    return script.within({ ["tidal-bench"] = "#!/bin/sh\n" .. text }, function(dir)
      assert(os.execute(("chmod +x '%s/tidal-bench'"):format(dir)))
      return f(dir .. "/tidal-lua")
    end)
  end

  it("adds what the C program beside it measures", function()
    local status, out = with_program([[
[ "$1" = --json ] && cat <<'END'
{"format":"tidal-bench/1","cpu":"some \"cpu\"","loadavg":"0.1","results":[
{"id":"G5","name":"C","unit":"ns","ours":1.0,"peer":null,"ratio":null,"gate":null,"ok":null},
{"id":"G6","name":"C2","unit":"ns","ours":1.0,"peer":3.0,"ratio":3.0,"gate":4.0,"rule":">=",
 "ok":false}]}
END]], function(path) return run({ "--json" }, { GOOD }, path) end)
    assert.equal(1, status)
    local value = json.decode(out)
    assert.same({ 'some "cpu"', "0.1", 7 }, { value.cpu, value.loadavg, #value.results })
    assert.same({ id = "G5", name = "C", unit = "ns", ours = 1.0 }, value.results[6])
    assert.is_false(value.results[7].ok)
  end)

  it("says so when that program prints something else", function()
    with_program("echo hello", function(path)
      local ok, err = pcall(run, {}, {}, path)
      assert.is_false(ok)
      assert.matches("/tidal-bench' --json: json: a value expected at ", tostring(err), 1, true)
    end)
  end)

  -- What that program is called with comes back as the name of its one result.
  local ECHO <const> = [[
printf '{"format":"tidal-bench/1","results":[{"id":"G12","name":"%s","ok":%s}]}' "$*" "$OK"]]

  it("measures only beside other stores with --peers", function()
    local status, out = with_program("OK=true\n" .. ECHO, function(path)
      return run({ "--peers", "--json" }, { MISSED }, path)
    end)
    assert.equal(0, status)
    assert.same({ { id = "G12", name = "--json --peers", ok = true } }, json.decode(out).results)
    status = with_program("OK=false\n" .. ECHO, function(path)
      return run({ "--peers" }, { GOOD }, path)
    end)
    assert.equal(1, status)
  end)

  it("hands the directory on", function()
    local _, out = with_program("OK=true\n" .. ECHO, function(path)
      return run({ "--dir", "it's here", "--json" }, {}, path)
    end)
    local results = json.decode(out).results
    assert.equal("--json --dir it's here", results[#results].name)
  end)

  it("shows what is skipped", function()
    local _, out = with_program([[echo '{"results":[{"id":"G13","name":"Redis","ok":null,"skip":
"SKIP"}]}']], function(path) return run({ "--peers" }, {}, path) end)
    assert.matches("G13  Redis +%- +SKIP\n", out)
  end)

  it("has no peers without that program", function()
    local ok, err = pcall(run, { "--peers" }, {}, "/nonexistent/tidal-lua")
    assert.is_false(ok)
    assert.matches("needs tidal-bench beside this program", tostring(err), 1, true)
  end)

  it("takes no words", function()
    for _, args in ipairs { { "x" }, { "--peer" }, { "--json=1" }, { "--dir" } } do
      local ok, err = pcall(run, args, {})
      assert.is_false(ok)
      assert.is_true(options.is_usage(err))
    end
  end)
end)

