local core = require "tidal.core"
local gen = require "spec.support.gen"
local golden = require "spec.support.golden"
local unhash = require "tidal.inspect.unhash"

describe("id()", function()
  it("turns golden hashes back", function()
    local rows = golden.json "vectors.json".hash_route
    assert.is_true(#rows >= 10)
    for _, row in ipairs(rows) do
      local id, hash = core.u64.parse(row.id), core.u64.parse(row.xxh3_64)
      assert.equal(row.id, core.u64.hex(unhash.id(hash)))
      assert.equal(hash, core.hash(id))
    end
  end)

  it("is the inverse of the routing hash, both ways", function()
    gen.property("unhash", 20000, function(g)
      local x = g:u64()
      if core.hash(unhash.id(x)) ~= x then return ("hash(id(0x%x)) differs"):format(x) end
      if unhash.id(core.hash(x)) ~= x then return ("id(hash(0x%x)) differs"):format(x) end
    end)
  end)
end)
