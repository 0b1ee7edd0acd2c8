local cli = require "spec.support.cli"

local PROVED <const> = "total: yes  unique: yes  (%s)   C router = Lua reference: "
  .. "equal on all %s and 10000 ids\n"
local IDS <const> = "%d boundaries decide 18446744073709551616 ids"

describe("prove LAYOUT", function()
  local rows = {
    { "scripts/cluster.lua", IDS:format(10), "5 pieces" },
    { "scripts/layouts/ranges.lua", IDS:format(8), "4 pieces" },
    { "scripts/layouts/hash_ranges.lua", "10 boundaries decide 18446744073709551616 hashes",
      "5 pieces" },
    { "scripts/layouts/hash.lua", "a hash has one remainder by 4", "4 pieces" },
    { "scripts/layouts/single.lua", "every id goes to s0", "1 piece" },
  }
  for _, row in ipairs(rows) do
    it("proves " .. row[1], function()
      local status, out, err = cli.run { "prove", row[1] }
      assert.same({ 0, PROVED:format(row[2], row[3]), "" }, { status, out, err })
    end)
  end

  it("does not prove what is refused", function()
    local status, out, err = cli.run({ "prove", "f.lua" }, { files = { ["f.lua"] = [[
return tidal.cluster { name = "n", regions = { "a" }, shards = 1,
  routing = tidal.routing.ranges "s0 1..0xffffffffffffffff" }]] } })
    assert.same({ 1, "", "tidal-lua: f.lua:2: routing: gap: no shard owns the 1 id below "
                  .. "s0 [0x0000000000000001..0xffffffffffffffff]. "
                  .. "fix: first = 0x0000000000000000 on line 2\n" }, { status, out, err })
  end)

  it("fails when the routing is not total and unique", function()
    local options, prove = require "tidal.cli.options", require "tidal.cli.prove"
    local core = require "tidal.core"
    local layout, printed, kept, kept_print = options.layout, nil, options.layout, print
    options.layout = function(path)
      layout = kept(path)
      return { shards = 5, router = layout.router, ranges = function()
        local list = layout:ranges()
        list[2].first = core.u64.add(list[2].first, 1)
        return list
      end }
    end
    _G.print = function(text) printed = text end
    local ok, status = pcall(prove.run, { "scripts/cluster.lua" })
    options.layout, _G.print = kept, kept_print
    assert.same({ true, 1 }, { ok, status })
    assert.matches("^total: NO  unique: yes .*\n  range 2 starts at 0x3333333333333335, not at "
                   .. "0x3333333333333334$", printed)
  end)

  it("takes one layout", function()
    for _, args in ipairs { { "prove" }, { "prove", "a.lua", "b.lua" },
                            { "prove", "--json", "a.lua" } } do
      local status, out, err = cli.run(args)
      assert.same({ 2, "" }, { status, out })
      assert.matches("\nusage: tidal%-lua prove LAYOUT\n$", err)
    end
  end)
end)
