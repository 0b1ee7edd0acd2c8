local core = require "tidal.core"
local faults = require "tidal.faults"
local keys = require "tidal.cluster.keys"

describe("sorted()", function()
  it("goes by type, then rising", function()
    local t = { [2] = 1, [-1] = 1, [1.5] = 1, b = 1, a = 1, [true] = 1, [false] = 1,
                [core.shard(3)] = 1, [core.shard(1)] = 1 }
    local out = {}
    for i, key in ipairs(keys.sorted(t)) do out[i] = tostring(key) end
    assert.equal("false true -1 1.5 2 a b s1 s3", table.concat(out, " "))
  end)

  it("leaves out what belongs", function()
    local t = { a = 1, b = 2, c = 3 }
    assert.same({ "a", "c" }, keys.sorted(t, function(key) return key == "b" end))
    assert.same({}, keys.sorted {})
  end)
end)

describe("path()", function()
  local rows = {
    { "", "name", "name" }, { "regions", 2, "regions[2]" }, { "leaders", "s3", "leaders.s3" },
    { "leaders", "us-east", 'leaders["us-east"]' }, { "", 1, "[1]" }, { "", "1x", '["1x"]' },
    { "a", 1.5, "a[the float 1.5]" }, { "a", true, "a[true]" }, { "a", print, "a[a function]" },
    { "a", "", 'a[""]' }, { "a", "x\ny", 'a["x?y"]' },
  }
  for _, row in ipairs(rows) do
    it("writes " .. row[3], function() assert.equal(row[3], keys.path(row[1], row[2])) end)
  end
end)

local function texts(found)
  local out = {}
  for i, fault in ipairs(found.list) do out[i] = fault.path .. ": " .. fault.message end
  return out
end

describe("check()", function()
  it("is content with known keys", function()
    local found = faults.new()
    assert.is_true(keys.check({ name = 1 }, { "name", "epoch" }, "", found))
    assert.same({}, texts(found))
  end)

  it("names every other one, sorted, with a guess or the list", function()
    local found = faults.new()
    local t = { name = 1, naem = 2, zzz = 3, [7] = 4 }
    assert.is_false(keys.check(t, { "name", "epoch" }, "x", found))
    assert.same({ "x[7]: unknown key; the keys are: name epoch",
                  "x.naem: unknown key (did you mean 'name'?)",
                  "x.zzz: unknown key; the keys are: name epoch" }, texts(found))
  end)
end)

describe("check_list()", function()
  it("is content with 1..n", function()
    local found = faults.new()
    assert.is_true(keys.check_list({ "a", "b" }, "l", "names", found))
    assert.is_true(keys.check_list({}, "l", "names", found))
    assert.same({}, texts(found))
  end)

  it("names every other key", function()
    local found = faults.new()
    local t = { "a", [0] = "b", [-1] = "c", x = "d", [1.5] = "e" }
    assert.is_false(keys.check_list(t, "l", "names", found))
    assert.same({ "l[-1]: only a list of names", "l[0]: only a list of names",
                  "l[the float 1.5]: only a list of names", "l.x: only a list of names" },
                texts(found))
  end)

  it("names what lies behind a hole", function()
    local found = faults.new()
    keys.check_list({ "a", [9] = "b" }, "l", "names", found)
    assert.same({ "l[9]: only a list of names" }, texts(found))
  end)
end)
