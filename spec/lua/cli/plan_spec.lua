local cli = require "spec.support.cli"
local golden = require "spec.support.golden"
local json = require "tidal.json"
local lfs = require "lfs"
local script = require "spec.support.script"

local SYNOPSIS <const> = "usage: tidal-lua plan LAYOUT [--from OLD] [--wal REGION=DIR]... "
  .. "[--json] [-o FILE.plan] [--detailed-exitcode]\n"
local V1 <const> = golden.dir .. "/v1-single"
local CLUSTER <const> = "scripts/cluster.lua"

local function plan(...)
  local status, out, err = cli.run { "plan", ... }
  return status, out, err
end

local function text_of()
  return require "tidal.cluster".load(CLUSTER):plan():text()
end

describe("plan LAYOUT", function()
  it("prints the plan", function()
    assert.same({ 0, text_of() .. "\n", "" }, { plan(CLUSTER) })
  end)

  it("prints JSON on one line", function()
    local status, out, err = plan(CLUSTER, "--json")
    assert.same({ 0, "" }, { status, err })
    assert.matches("^{[^\n]+}\n$", out)
    local value = json.decode(out)
    assert.same({ "tidal-plan/1", "prod", 15 }, { value.format, value.name, #value.nodes })
  end)

  it("has nothing to do without --from", function()
    assert.equal(0, (plan(CLUSTER, "--detailed-exitcode")))
  end)

  it("fails when a rule is broken, in text and in JSON", function()
    local files = { ["f.lua"] = "return tidal.cluster { name = 'n', regions = { 'a', 'b' }, "
                    .. "shards = 2, rules = { tidal.rules.max_leaders(1) } }" }
    local status, out = cli.run({ "plan", "f.lua" }, { files = files })
    assert.equal(1, status)
    local why = "a leads 2 shards, at most 1: let b lead s0"
    assert.matches("\n  BROKEN  max_leaders(1)  " .. why .. "\n", out, 1, true)
    status, out = cli.run({ "plan", "f.lua", "--json" }, { files = files })
    assert.equal(1, status)
    assert.same({ { name = "max_leaders(1)", ok = false, why = why } },
                json.decode(out).rules)
  end)

  it("fails where its output cannot be written", function()
    if not lfs.attributes "/dev/full" then return pending "no /dev/full here" end
    local status, _, err = cli.run({ "plan", CLUSTER }, { stdout = "/dev/full" })
    assert.equal(1, status)
    assert.matches("^tidal%-lua: cannot write standard output", err)
  end)
end)

describe("plan -o FILE", function()
  -- Status and messages of a run, and what is in the file afterwards.
  local function written(...)
    local args = { ... }
    return script.within({}, function(dir)
      local file = dir .. "/out"
      for i, word in ipairs(args) do args[i] = word:gsub("OUT", file) end
      local status, out, err = plan(table.unpack(args))
      local kept = io.open(file, "rb")
      local text = kept and kept:read "a"
      if kept then kept:close() end
      return { status, out, err, text }
    end)
  end

  it("writes the plan there, never in colour, and prints nothing", function()
    local want = { 0, "", "", text_of() .. "\n" }
    assert.same(want, written(CLUSTER, "-o", "OUT"))
    assert.same(want, written("--output=OUT", CLUSTER))
  end)

  it("writes JSON", function()
    local _, out = plan(CLUSTER, "--json")
    assert.same({ 0, "", "", out }, written(CLUSTER, "--json", "-o", "OUT"))
  end)

  it("says why it cannot", function()
    local status, out, err = plan(CLUSTER, "-o", "no/such/dir/file")
    assert.same({ 1, "", "tidal-lua: no/such/dir/file: No such file or directory\n" },
                { status, out, err })
    status, out, err = plan(CLUSTER, "-o", "spec")
    assert.same({ 1, "", "tidal-lua: spec: Is a directory\n" }, { status, out, err })
  end)

  it("says so when the disk is full", function()
    if not lfs.attributes "/dev/full" then return pending "no /dev/full here" end
    for _, form in ipairs { "--json", "--" } do
      local status, out, err = plan("-o", "/dev/full", form, CLUSTER)
      assert.same({ 1, "", "tidal-lua: /dev/full: No space left on device\n" },
                  { status, out, err })
    end
  end)
end)

describe("plan --wal", function()
  it("adds the load", function()
    local status, out, err = plan(CLUSTER, "--wal", "us-east=" .. V1)
    assert.same({ 0, "" }, { status, err })
    assert.equal(text_of(), out:sub(1, #text_of()))
    assert.matches("\nload     40000 events, 840.0 kB, 3520 ids\n", out, 1, true)
    assert.matches("\nskewed: ", out, 1, true)
  end)

  it("adds it to the JSON", function()
    local _, out = plan(CLUSTER, "--json", "--wal=us-east=" .. V1,
                        "--wal=eu-west=" .. golden.dir .. "/v2-five-shards")
    assert.equal("60000", json.decode(out).load.events)
  end)

  it("asks the layout's rules again, with load and bytes", function()
    local files = { ["f.lua"] = [[
return tidal.cluster {
  name = "n", regions = { "us-east", "eu-west" }, shards = 1,
  rules = { tidal.rules.disk { ["us-east"] = "800kB" },
            tidal.rules.weights { of = "load", regions = { ["eu-west"] = 1 } } },
}]] }
    local dir = V1:find "^/" and V1 or lfs.currentdir() .. "/" .. V1
    assert.equal(0, (cli.run({ "plan", "f.lua" }, { files = files })))
    local status, out = cli.run({ "plan", "f.lua", "--wal", "us-east=" .. dir },
                                { files = files })
    assert.equal(1, status)
    assert.matches("BROKEN  disk(us-east 800kB) ", out, 1, true)
    assert.matches("BROKEN  weights(load: eu-west 1)  us-east has 100.00 % of the load,", out, 1,
                   true)
  end)

  it("takes a directory with = in its name", function()
    script.within({}, function(dir)
      assert(lfs.mkdir(dir .. "/a=b"))
      local status, out = plan(CLUSTER, "--wal", "us-east=" .. dir .. "/a=b")
      assert.equal(0, status)
      assert.matches("load     0 events", out, 1, true)
    end)
  end)

  local refused = {
    { { CLUSTER, "--wal", V1 }, 2, ('--wal takes REGION=DIR, got "%s"\n'):format(V1) .. SYNOPSIS },
    { { CLUSTER, "--wal", "=" .. V1 }, 2,
      ('--wal takes REGION=DIR, got "=%s"\n'):format(V1) .. SYNOPSIS },
    { { CLUSTER, "--wal", "us-east=" }, 2,
      '--wal takes REGION=DIR, got "us-east="\n' .. SYNOPSIS },
    { { CLUSTER, "--wal" }, 2, "--wal needs a value\n" .. SYNOPSIS },
    { { CLUSTER, "--wal", "us-east=a", "--wal", "us-east=b" }, 2,
      "--wal us-east=b: once per region\n" .. SYNOPSIS },
    { { CLUSTER, "--wal", "us-eats=" .. V1 }, 1,
      ("--wal us-eats=%s: prod has no region 'us-eats' (did you mean 'us-east'?); "
       .. "its regions are: us-east eu-west ap-south\n"):format(V1) },
    { { CLUSTER, "--wal", "us-east=no/such" }, 1,
      "us-east: cannot read the directory no/such: No such file or directory; "
      .. "give the one that holds the segments (wal-*.seg) of us-east\n" },
    { { CLUSTER, "--wal", "eu-west=" .. V1 }, 1,
      ("eu-west=%s: mismatch: holds the logs r0:s0, none of eu-west, which is r1\n"):format(V1) },
    { { CLUSTER, "--wal", "us-east=" .. golden.dir .. "/damaged/torn-header" }, 1,
      ("us-east=%s/damaged/torn-header: wal-00000000000000000374.seg: short: batch header has 30 "
       .. "bytes where 64 are needed (at byte 3320)\n"):format(golden.dir) },
  }
  for _, row in ipairs(refused) do
    it("is refused: " .. row[3]:match "[^\n]*", function()
      assert.same({ row[2], "", "tidal-lua: " .. row[3] }, { plan(table.unpack(row[1])) })
    end)
  end
end)

describe("plan --from OLD", function()
  local function text(epoch, shards, more)
    return ("return tidal.cluster { name = 'prod', epoch = %d, regions = { 'us-east', 'eu-west' }, "
            .. "shards = %d, %s }"):format(epoch, shards, more or "")
  end
  local FILES <const> = {
    ["old.lua"] = text(1, 5), ["new.lua"] = text(2, 6), ["later.lua"] = text(3, 7),
    ["strict.lua"] = text(2, 6, "rules = { tidal.rules.max_leaders(5) }"),
    ["loose.lua"] = text(2, 6, "rules = { tidal.rules.max_leaders(6), tidal.rules.copies(2) }"),
  }

  -- Runs commands one after the other in one directory; gives the last one's
  -- status, output and messages.
  local function runs(...)
    local commands = { ... }
    return script.within(FILES, function(dir)
      local result
      for _, words in ipairs(commands) do
        local args = { "plan" }
        for i, word in ipairs(words) do
          args[i + 1] = word:find "%.%a+$" and dir .. "/" .. word or word
        end
        result = table.pack(cli.run(args))
        for i = 2, 3 do result[i] = result[i]:gsub((dir:gsub("%W", "%%%0")) .. "/", "") end
      end
      return table.unpack(result, 1, 3)
    end)
  end

  it("prints what diff prints", function()
    local status, out, err = runs { "new.lua", "--from", "old.lua" }
    assert.same({ 0, "" }, { status, err })
    local _, same = cli.run({ "diff", "old.lua", "new.lua" }, { files = FILES })
    assert.equal(same, out)
  end)

  it("tells by its status whether there is something to do", function()
    local function status(...) return (runs { "--detailed-exitcode", ... }) end
    assert.equal(3, status("new.lua", "--from", "old.lua"))
    assert.equal(0, status("old.lua", "--from", "old.lua"))
    assert.equal(1, status("strict.lua", "--from", "old.lua"))
    assert.equal(1, status("old.lua", "--from", "new.lua"))
    assert.equal(2, status("old.lua", "--from"))
  end)

  it("adds changes, moves and the lower bound to the JSON", function()
    local _, out = runs { "new.lua", "--from", "old.lua", "--json" }
    local value = json.decode(out)
    assert.same({ "tidal-plan/1", 12, 7, 5, "3074457345618258602" },
                { value.format, #value.nodes, #value.changes, #value.moves,
                  value.lower_bound.keys })
  end)

  it("adds bytes and events from logs of the old layout's regions", function()
    local _, out = runs { "new.lua", "--from", "old.lua", "--json", "--wal",
                          "us-east=" .. lfs.currentdir() .. "/" .. V1 }
    local value = json.decode(out)
    assert.same({ "0", "0" }, { value.moves[1].bytes, value.moves[1].events })
    assert.equal("0", value.lower_bound.bytes)
  end)

  it("writes a .plan file that is read back while its layout stays", function()
    local write = { "new.lua", "--from", "old.lua", "-o", "p.plan" }
    assert.same({ 0, "", "" }, { runs(write) })
    local _, want = runs { "new.lua", "--from", "old.lua" }
    assert.same({ 0, want, "" }, { runs(write, { "p.plan", "--from", "old.lua" }) })
    assert.same({ 3, want, "" }, { runs(write, { "p.plan", "--detailed-exitcode" }) })
    local status, out, err = runs(write, { "p.plan", "--from", "later.lua" })
    assert.same({ 1, "" }, { status, out })
    assert.matches("^tidal%-lua: p%.plan was made for layout %x+, epoch 1, this is %x+, epoch 3\n"
                   .. "  changed since: %+ shard s5%.%.s6 led by us%-east; ", err)
  end)

  it("fails where a rule is broken, and says which", function()
    local status, out = runs { "strict.lua", "--from", "old.lua" }
    assert.equal(1, status)
    assert.matches("plan rejected: the layout itself breaks rule 'max_leaders(5)'", out, 1, true)
  end)

  local function write(name)
    return { name, "--from", "old.lua", "-o", "p.plan" }
  end

  it("does not write a plan that a rule refuses, and says which", function()
    local status, out, err = runs(write "strict.lua", { "p.plan" })
    assert.same({ 1, "", "tidal-lua: p.plan: No such file or directory\n" }, { status, out, err })
    assert.same({ 1, "", "tidal-lua: p.plan is not written: plan rejected: the layout itself "
                  .. "breaks rule 'max_leaders(5)': us-east leads 6 shards, at most 5: let "
                  .. "eu-west lead s0\n" }, { runs(write "strict.lua") })
    assert.same({ 1, "", "tidal-lua: x.json is not written: rule 'max_leaders(5)' is broken: "
                  .. "us-east leads 6 shards, at most 5: let eu-west lead s0\n" },
                { runs { "strict.lua", "-o", "x.json" } })
  end)

  it("asks the rules of the layout that a saved plan leads to", function()
    local status, out = runs(write "new.lua", { "p.plan", "--to", "strict.lua" })
    assert.equal(1, status)
    assert.matches("plan rejected: the layout itself breaks rule 'max_leaders(5)'", out, 1, true)
    status, out = runs(write "loose.lua", { "p.plan", "--to", "loose.lua" })
    assert.equal(0, status)
    assert.no_match("rules were asked", out)
  end)

  local NOTE <const> = "rules were asked when the plan was written: max_leaders(6), copies(2); "
                    .. "--to LAYOUT asks them\nagain\n"

  it("says that the rules of a saved plan need their layout", function()
    local again = { "p.plan", "-o", "again.plan" }
    for _, read in ipairs { { "p.plan" }, { "p.plan", "--from", "old.lua" } } do
      local status, out = runs(write "loose.lua", read)
      assert.same({ 0, NOTE }, { status, out:sub(-#NOTE) })
    end
    local _, out = runs(write "loose.lua", again, { "again.plan" })
    assert.equal(NOTE, out:sub(-#NOTE))
    _, out = runs(write "new.lua", { "p.plan" })
    assert.no_match("rules were asked", out)
  end)

  it("takes the layout a plan leads to with a saved plan only", function()
    assert.same({ 2, "", "tidal-lua: --to goes with a FILE.plan\n" .. SYNOPSIS },
                { runs { "new.lua", "--to", "new.lua" } })
    local status, _, err = runs(write "new.lua", { "p.plan", "--to", "later.lua" })
    assert.equal(1, status)
    assert.matches("^tidal%-lua: p%.plan: leads to epoch 2 %(%x+%), not to epoch 3 %(%x+%) of "
                   .. "later%.lua\n$", err)
  end)

  it("tells in its help what a plan file holds", function()
    local status, out = plan "--help"
    assert.same({ 0, SYNOPSIS .. [[
       tidal-lua plan FILE.plan [--from OLD] [--to NEW] ...
  with --wal in waves: [--per-node N] [--per-link 30MB/s] [--window 02:00..05:00] [--never A+B]...
  a plan that a rule refuses is not written, status 1; a FILE.plan holds no rules:
  NEW, the layout it leads to, brings them and has them asked
]] }, { status, out })
  end)

  it("refuses what is no plan", function()
    local status, _, err = runs({ "new.lua", "-o", "p.plan" }, { "p.plan" })
    assert.equal(1, status)
    assert.matches("^tidal%-lua: p%.plan: not a plan", err)
  end)
end)

describe("plan refuses", function()
  local rows = {
    { { CLUSTER, "x" }, "unexpected argument x\n" },
    { { "--jsno", CLUSTER }, "unknown option --jsno (did you mean '--json'?)\n" },
    { { CLUSTER, "--json=yes" }, "--json takes no value\n" },
    { { CLUSTER, "-o" }, "-o needs a value\n" },
    { {}, "too few arguments\n" },
  }
  for _, row in ipairs(rows) do
    it(row[2]:sub(1, -2), function()
      assert.same({ 2, "", "tidal-lua: " .. row[2] .. SYNOPSIS }, { plan(table.unpack(row[1])) })
    end)
  end
end)
