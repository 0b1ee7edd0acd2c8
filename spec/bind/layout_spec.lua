-- tidal.layout: published layouts as routers.
local core = require "tidal.core"
local gen = require "spec.support.gen"
local script = require "spec.support.script"

describe("layout()", function()
  local routing = require "tidal.routing"
  local rows = {
    { "even", 5, routing.even() }, { "single", 1, routing.single() }, { "hash", 7, routing.hash() },
    { "hash_ranges", 3, routing.hash_ranges() },
    { "ranges", 2, routing.ranges(
      "s1 0..0x7fffffffffffffff s0 0x8000000000000000..0xffffffffffffffff") },
  }
  for _, row in ipairs(rows) do
    it("reads " .. row[1], function()
      local made = script.layout { shards = row[2], routing = row[3], epoch = 4294967295 }
      local read = assert(core.layout(made:text()))
      assert.same({ 4294967295, row[2], 3 }, { read.epoch, read.shards, read.regions })
      assert.equal(made.router:strategy(), read.router:strategy())
      local stream = gen.stream "layout()"
      for _ = 1, 1000 do
        local id = stream:u64()
        assert.equal(made.router:route(id), read.router:route(id))
      end
    end)
  end

  it("gives nil, err for damage", function()
    local text = script.layout():text()
    for at = 1, #text, 7 do
      local flipped = text:sub(1, at - 1) .. string.char(text:byte(at) ~ 1) .. text:sub(at + 1)
      local read, err = core.layout(flipped)
      assert.is_nil(read)
      assert.is_true(core.is_error(err))
    end
    assert.is_nil((core.layout ""))
    assert.has_error(function() core.layout(5) end)
  end)
end)

describe("ranges_json()", function()
  -- As Lua writes them.
  local function plain(router, key)
    local out = {}
    for i, range in ipairs(router:ranges()) do
      out[i] = ('{"%s":%d,"first":"0x%016x","last":"0x%016x"}'):format(
        key, range.shard.value, range.first, range.last)
    end
    return "[" .. table.concat(out, ",") .. "]"
  end

  it("writes every range", function()
    local routers = {
      core.router.even(1), core.router.even(5), core.router.even(65535),
      core.router.hash_ranges(65536), core.router.single(0), core.router.hash(9),
      core.router.starts({ 0, 7, -9, -1 }, { 65535, 0, 65535, 3 }),
    }
    for i, router in ipairs(routers) do
      local key = ("k"):rep(2 * i)
      assert.is_true(plain(router, key) == core.ranges_json(router, key), "router " .. i)
    end
    assert.equal("[]", core.ranges_json(core.router.hash(9), "id"))
  end)

  it("refuses what is no router, no key", function()
    local even = core.router.even(2)
    assert.has_error(function() core.ranges_json(even) end)
    assert.has_error(function() core.ranges_json(even, ("k"):rep(16)) end,
                     "bad argument #2 to 'ranges_json' (at most 15 bytes expected)")
    assert.has_error(function() core.ranges_json({}, "id") end)
    assert.equal('[{"kkkkkkkkkkkkkkk":0,"first":"0x0000000000000000","last":"0xffffffffffffffff"}]',
                 core.ranges_json(core.router.even(1), ("k"):rep(15)))
  end)
end)
