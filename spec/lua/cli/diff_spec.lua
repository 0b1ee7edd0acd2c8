local cli = require "spec.support.cli"
local golden = require "spec.support.golden"
local json = require "tidal.json"

local SYNOPSIS <const> = "usage: tidal-lua diff OLD NEW [--wal REGION=DIR]... [--json] [--least]\n"

local function file(epoch, shards, more)
  return ("return tidal.cluster { name = 'prod', epoch = %d, regions = { 'us-east', 'eu-west' }, "
          .. "shards = %d, %s }"):format(epoch, shards, more or "")
end

local FILES <const> = {
  ["old.lua"] = file(1, 5), ["new.lua"] = file(2, 6), ["same.lua"] = file(1, 5),
  ["hash5.lua"] = file(1, 5, "routing = tidal.routing.hash()"),
  ["hash6.lua"] = file(2, 6, "routing = tidal.routing.hash()"),
  ["spread5.lua"] = file(1, 5, "routing = tidal.routing.hash(), leaders = 'spread'"),
  ["spread7.lua"] = file(2, 7, "routing = tidal.routing.hash(), leaders = 'spread', "
                            .. "rules = { tidal.rules.max_leaders(5) }"),
  ["strict.lua"] = file(2, 6, "rules = { tidal.rules.max_leaders(5) }"),
}

local function diff(...)
  return cli.run({ "diff", ... }, { files = FILES })
end

describe("diff OLD NEW", function()
  it("prints what changes, what moves and the lower bound", function()
    local status, out, err = diff("old.lua", "new.lua")
    assert.same({ 0, "" }, { status, err })
    assert.equal([[
prod  epoch 1 -> 2  2 x 5 -> 2 x 6 (regions x shards)
+ shard s5 led by us-east
~ s0 -> s1  [0x2aaaaaaaaaaaaaab..0x3333333333333333]   3.33 %    move   r0,r1
~ s1 -> s2  [0x5555555555555556..0x6666666666666666]   6.67 %    move   r0,r1
~ s2 -> s3  [0x8000000000000000..0x9999999999999999]  10.00 %    move   r0,r1
~ s3 -> s4  [0xaaaaaaaaaaaaaaab..0xcccccccccccccccc]  13.33 %    move   r0,r1
~ s4 -> s5  [0xd555555555555556..0xffffffffffffffff]  16.67 %    split  r0,r1
Plan: 1 split, 4 moves. Moves 50.00 % of all keys. Lower bound 16.67 %.
note: other boundaries give every shard as many keys and move 16.67 %; diff --least
      shows them
]], out)
  end)

  it("prices hash honestly and offers hash_ranges", function()
    local _, out = diff("hash5.lua", "hash6.lua")
    assert.matches("\nPlan: 25 moves. Moves 83.33 % of all keys. Lower bound 16.67 %.\n", out, 1,
                   true)
    assert.matches("routing = tidal.routing.hash_ranges{...} a new shard moves only what it\n"
                   .. "      gets: 16.67 % here\n", out, 1, true)
  end)

  -- On the way there are more shards than the hashes are spread over.
  it("asks rules of states between two hashes, in a process of its own or not", function()
    local status, out, err = diff("spread5.lua", "spread7.lua")
    assert.same({ 0, "" }, { status, err })
    assert.matches("\nPlan: 30 moves. Moves 85.71 % of all keys.", out, 1, true)
    assert.not_matches("rejected", out, 1, true)
    local trusted, same = diff("--trust", "spread5.lua", "spread7.lua")
    assert.same({ 0, out }, { trusted, same })
  end)

  it("says that nothing changes", function()
    assert.same({ 0, "no changes\n", "" }, { diff("old.lua", "same.lua") })
  end)

  it("prints JSON on one line", function()
    local status, out, err = diff("old.lua", "new.lua", "--json")
    assert.same({ 0, "" }, { status, err })
    assert.matches("^{[^\n]+}\n$", out)
    assert.same({ "tidal-diff/1", 5 }, { json.decode(out).format, #json.decode(out).moves })
  end)

  it("adds bytes from logs", function()
    local dir = (golden.dir:find "^/" and "" or require "lfs".currentdir() .. "/") .. golden.dir
    local status, out = diff("hash5.lua", "hash6.lua", "--wal", "us-east=" .. dir .. "/v1-single")
    assert.equal(0, status)
    assert.matches("Moves 83.33 % of all keys, 688.0 kB. Lower bound 16.67 %, 177.8 kB.", out, 1,
                   true)
  end)

  it("fails where a rule is broken", function()
    local status, out = diff("old.lua", "strict.lua")
    assert.equal(1, status)
    assert.matches("\nplan rejected: the layout itself breaks rule 'max_leaders(5)': us-east "
                   .. "leads 6 shards, at most 5: let ", out, 1, true)
    assert.equal(1, (diff("old.lua", "strict.lua", "--json")))
  end)
end)

describe("diff --least", function()
  it("prints the boundaries that move only the lower bound, to be pasted", function()
    local status, out = diff("old.lua", "new.lua", "--least")
    assert.equal(0, status)
    assert.matches("\nPlan: 5 splits. Moves 16.67 % of all keys. Lower bound 16.67 % (plan is "
                   .. "minimal).\n", out, 1, true)
    local routing = assert(out:match "\n  (routing = tidal.routing.ranges %[%[\n.*%]%]),\n$")
    local pasted = { ["old.lua"] = FILES["old.lua"], ["new.lua"] = file(2, 6, routing) }
    local _, again = cli.run({ "diff", "old.lua", "new.lua" }, { files = pasted })
    assert.equal(again, out:sub(1, #again))
  end)

  it("is refused where no boundaries stay", function()
    assert.same({ 1, "", "tidal-lua: --least: from hash to hash no boundaries stay\n" },
                { diff("hash5.lua", "hash6.lua", "--least") })
  end)
end)

describe("diff refuses", function()
  it("layouts that do not meet", function()
    assert.same({ 1, "", "tidal-lua: new.lua and old.lua do not meet: epoch 1 does not follow "
                  .. "epoch 2, but they differ: write epoch = 3\n" },
                { diff("new.lua", "old.lua") })
  end)

  local rows = {
    { { "old.lua" }, "too few arguments\n" },
    { { "old.lua", "new.lua", "x" }, "unexpected argument x\n" },
    { { "--jsno", "old.lua", "new.lua" }, "unknown option --jsno (did you mean '--json'?)\n" },
    { { "old.lua", "new.lua", "--wal", "x" }, '--wal takes REGION=DIR, got "x"\n' },
  }
  for _, row in ipairs(rows) do
    it(row[2]:sub(1, -2), function()
      assert.same({ 2, "", "tidal-lua: " .. row[2] .. SYNOPSIS }, { diff(table.unpack(row[1])) })
    end)
  end

  it("a region that the old layout does not have", function()
    local status, _, err = diff("old.lua", "new.lua", "--wal", "mars=/x")
    assert.equal(1, status)
    assert.matches("--wal mars=/x: prod has no region 'mars'; its regions are: us-east eu-west",
                   err, 1, true)
  end)
end)
