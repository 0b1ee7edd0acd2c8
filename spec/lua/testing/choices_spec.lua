local choices = require "tidal.testing.choices"
local gen = require "spec.support.gen"

-- Shrinks from the first of many seeds for which value(source) fails.
local function shrunk(seed, value, fails)
  for i = 1, 1000 do
    local source = choices.source(seed + i)
    if fails(value(source)) then
      local best, tries, spent = choices.shrink(source, function(replayed)
        return fails(value(replayed))
      end)
      return value(choices.replay(best)), tries, spent, best
    end
  end
  error "no counterexample"
end

local function list(source)
  local out = {}
  while source:choose(7) ~= 0 do
    out[#out + 1] = source:span(function() return source:choose(1000) end)
  end
  return out
end

describe("source:choose", function()
  it("stays within its limit, unsigned, above 2^63 too", function()
    local faults = {}
    for _, max in ipairs { 0, 1, 2, 9, 65535, math.maxinteger, math.mininteger,
                           math.mininteger + 5, -2, -1 } do
      local source, seen = choices.source(gen.seed), {}
      for _ = 1, 200 do
        local n = source:choose(max)
        if math.ult(max, n) then faults[#faults + 1] = max end
        seen[n] = true
      end
      local count = 0
      for _ in pairs(seen) do count = count + 1 end
      if max < 0 then assert.is_true(count > 190) end
      if max == 2 then assert.same({ [0] = true, true, true }, seen) end
    end
    assert.same({}, faults)
  end)

  it("asks whoever prefers some, and cuts what is too large", function()
    local source = choices.source(1)
    assert.equal(3, source:choose(5, function(next) next() return 3 end))
    assert.equal(5, source:choose(5, function() return 9 end))
    assert.equal(5, source:choose(5, function() return -1 end))
  end)

  it("repeats what it gave, and goes on with 0", function()
    local source = choices.source(gen.seed)
    local made = list(source)
    local taken = table.move(source, 1, source.n, 1, {})
    assert.same(made, list(choices.replay(taken)))
    assert.same({}, list(choices.replay {}))
    assert.equal(4, choices.replay { 9 }:choose(4))
  end)
end)

describe("shrink", function()
  it("finds the least number that fails, over all 64 bits", function()
    for _, least in ipairs { 1, 1000, math.maxinteger, math.mininteger, -2, -1 } do
      local function number(source)
        return source:choose(-1, function(next) return next() % 4 == 0 and -1 or next() end)
      end
      local value, tries = shrunk(gen.seed, number, function(n)
        return not math.ult(n, least)
      end)
      assert.equal(least, value)
      assert.is_true(tries < 400)
    end
  end)

  local cases = {
    { "one entry of a list", { 42 }, function(l)
      for _, n in ipairs(l) do if n >= 42 then return true end end
      return false
    end },
    { "two that are equal", { 0, 0 }, function(l)
      local seen = {}
      for _, n in ipairs(l) do
        if seen[n] then return true end
        seen[n] = true
      end
      return false
    end },
    { "two in the wrong order", { 1, 0 }, function(l)
      for i = 2, #l do if l[i] < l[i - 1] then return true end end
      return false
    end },
    { "a sum", { 1, 1000, 1000 }, function(l)
      local sum = 0
      for _, n in ipairs(l) do sum = sum + n end
      return sum > 2000
    end },
    { "a length", { 0, 0, 0, 0 }, function(l) return #l >= 4 end },
    { "everything", {}, function() return true end },
  }
  for _, case in ipairs(cases) do
    it("finds " .. case[1], function()
      for seed = 1, 20 do
        assert.same(case[2], (shrunk(seed * 1000, list, case[3])))
      end
    end)
  end

  it("gives the same for the same seed", function()
    local function fails(l) return #l > 2 and l[1] > 7 end
    local a, tries_a, _, best_a = shrunk(gen.seed, list, fails)
    local b, tries_b, _, best_b = shrunk(gen.seed, list, fails)
    assert.same({ a, tries_a, best_a }, { b, tries_b, best_b })
  end)

  it("ends, whatever fails", function()
    local calls = 0
    local source = choices.source(1)
    for _ = 1, 3000 do source:choose(-1) end
    local _, tries, spent = choices.shrink(source, function(replayed)
      calls = calls + 1
      for _ = 1, 3000 do replayed:choose(-1) end
      return calls % 2 == 0
    end)
    assert.is_true(spent)
    assert.is_true(tries <= 4000)
    assert.equal(tries, calls)
  end)
end)
