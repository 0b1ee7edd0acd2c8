-- Extents against counting with two halves of 32 bits and more.
local extent = require "tidal.plan.extent"
local gen = require "spec.support.gen"
local raised = require "spec.support.raised"

local TOP <const> = math.mininteger  -- 2^63

describe("an extent", function()
  it("counts keys up to 2^64", function()
    for _, row in ipairs {
      { 0, 0, "1" }, { 5, 9, "5" }, { 0, math.maxinteger, "9223372036854775808" },
      { 0, -2, "18446744073709551615" }, { 0, -1, "18446744073709551616" },
      { 1, -1, "18446744073709551615" }, { -1, -1, "1" }, { TOP, -1, "9223372036854775808" },
    } do
      assert.equal(row[3], tostring(extent.of(row[1], row[2])))
    end
    assert.equal("0", tostring(extent.none))
    assert.equal("18446744073709551616", tostring(extent.all))
  end)

  it("adds and subtracts up to 2^64, not past it", function()
    local half = extent.count(TOP)
    assert.equal(extent.all, half + half)
    assert.equal(half, extent.all - half)
    assert.equal(extent.all, extent.all + extent.none)
    assert.equal(extent.all, extent.none + extent.all)
    assert.equal(extent.all, extent.all - extent.none)
    assert.equal(extent.none, extent.all - extent.all)
    assert.equal("more than all keys", raised(function() return extent.all + half end))
    assert.equal("more than all keys",
                 raised(function() return extent.count(-1) + extent.count(2) end))
    assert.equal("fewer than no keys", raised(function() return half - extent.all end))
  end)

  it("compares", function()
    local rising = { extent.none, extent.count(1), extent.count(math.maxinteger),
                     extent.count(TOP), extent.count(-1), extent.all }
    for i, a in ipairs(rising) do
      for j, b in ipairs(rising) do
        assert.same({ i < j, i <= j, i == j }, { a < b, a <= b, a == b })
      end
    end
  end)

  it("has a share", function()
    assert.same({ 0.0, 0.5, 1.0 }, { extent.none:share(), extent.count(TOP):share(),
                                     extent.all:share() })
    for _, row in ipairs { { 0, -1 }, { 0, 0 }, { 0, math.maxinteger }, { 7, 0x7fff },
                           { TOP, -1 }, { 0x2aaaaaaaaaaaaaab, 0x3333333333333333 } } do
      local want = extent.of(row[1], row[2]):share()
      assert.is_true(math.abs(extent.share(row[1], row[2]) - want) <= want * 1e-15)
    end
  end)

  it("is told from others", function()
    assert.is_true(extent.is(extent.none))
    for _, value in ipairs { 1, "1", {}, { low = 1 } } do assert.is_false(extent.is(value)) end
  end)
end)

describe("residues()", function()
  it("counts keys by their remainder, as a walk does", function()
    gen.property("residues", 500, function(g)
      local period, first = g:int(1, 40), g:u64()
      local last = first + g:int(0, 300)
      if math.ult(last, first) then last = -1 end
      for residue = 0, period - 1 do
        local want, key = 0, first
        while true do
          if require "tidal.core".u64.mod(key, period) == residue then want = want + 1 end
          if key == last then break end
          key = key + 1
        end
        local got = extent.residues(residue, period, first, last)
        if got ~= extent.count(want) then
          return ("%d of %x..%x by %d: %s, not %d"):format(residue, first, last, period,
                                                           tostring(got), want)
        end
      end
    end)
  end)

  it("adds up to all keys", function()
    for _, period in ipairs { 1, 2, 3, 30, 65536, 65535 * 65536 // 3, 1 << 40 } do
      local some, sum = math.min(period, 1000), extent.none
      for residue = 0, some - 1 do sum = sum + extent.residues(residue, period) end
      if some == period then assert.equal(extent.all, sum) end
    end
    assert.equal("3689348814741910324", tostring(extent.residues(0, 5)))
    assert.equal("3689348814741910323", tostring(extent.residues(1, 5)))
  end)
end)
