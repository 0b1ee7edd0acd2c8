-- Plans that were written are read back; what does not fit is refused.
local cluster = require "tidal.cluster"
local core = require "tidal.core"
local gen = require "spec.support.gen"
local json = require "tidal.json"
local pairs_of = require "spec.support.pairs"
local rules = require "tidal.rules"
local script = require "spec.support.script"
local tidal = require "tidal"

-- Calls f(path) with a file of this text.
local function with(text, f)
  return script.within({ ["p.plan"] = text }, function(dir) return f(dir .. "/p.plan") end)
end

-- What reading it raises, without the directory.
local function refused(text, ...)
  local given = table.pack(...)
  return with(text, function(path)
    local ok, err = pcall(tidal.read_plan, path, table.unpack(given, 1, given.n))
    assert.is_false(ok)
    return (tostring(err):gsub("^.-/p%.plan: ", ""):gsub("^/%S*/p%.plan", "p.plan"))
  end)
end

describe("a plan file", function()
  it("is read back as the plan that was written", function()
    gen.property("plan files", 300, function(g)
      local from, to = pairs_of.pair(g)
      local plan = from:diff(to)
      local text = g:once_in(2) and plan:json() or to:plan():json(plan)
      local read = with(text, function(path) return tidal.read_plan(path, from, to) end)
      if read.from ~= from or read.to ~= to or read:apply(from) ~= to then return "layouts" end
      if read:json() ~= plan:json() then return "it is another plan\n" .. read:json() .. text end
    end)
  end)

  it("keeps the order of steps", function()
    local leaders = { [0] = "us-east" }
    local from = script.layout()
    local to = script.layout { epoch = 2, leaders = leaders, shards = 6, rules = {
      rules.new("epoch first", function(layout)
        return layout.epoch == 2 or layout.shards == 5, "shards before the epoch"
      end) } }
    local plan = from:diff(to)
    local repaired = assert(plan:repaired())
    assert.equal("epoch", repaired.steps[1].kind)
    local read = with(repaired:json(), function(path) return tidal.read_plan(path, from, to) end)
    assert.equal("epoch", read.steps[1].kind)
    assert.is_nil(read:check())
    assert.equal(to, read:apply(from))
  end)

  it("needs no layouts beside it", function()
    local plan = script.layout():diff(script.layout { epoch = 2, shards = 6 })
    local read = with(plan:json(), function(path) return tidal.read_plan(path) end)
    assert.same({ plan.from, plan.to }, { read.from, read.to })
  end)
end)

describe("a plan file is refused", function()
  local from, to = script.layout(), script.layout { epoch = 2, shards = 6 }
  local text = from:diff(to):json()

  it("for another layout than its own, saying what changed", function()
    local changed = script.layout { epoch = 2, leaders = "spread" }
    assert.matches("^p%.plan was made for layout %x+, epoch 1, this is %x+, epoch 2\n"
                   .. "  changed since: leader of s1", refused(text, changed))
    local third = script.layout { epoch = 3, shards = 6 }
    assert.matches("^leads to epoch 2 %(%x+%), not to epoch 3 %(%x+%) of ",
                   refused(text, from, third))
  end)

  it("where it is none", function()
    local none = "^not a plan %(a line of JSON that `tidal%-lua plan LAYOUT %-%-from OLD %-o "
    for _, other in ipairs { "", "x", "[]", "{}", '{"format":"tidal-layout/1"}', "3" } do
      assert.matches(none, refused(other))
    end
    assert.equal("a plan of one layout has no steps; make it with --from OLD",
                 refused(from:plan():json()))
    local ok, err = pcall(tidal.read_plan, "no/such.plan")
    assert.same({ false, "io", "no/such.plan: No such file or directory" },
                { ok, err.code, err.message })
  end)

  it("where it was changed", function()
    local function changed(change)
      local value = json.decode(text)
      change(value)
      local told = refused(json.encode(value))
      assert.matches("^was changed since it was written: ", told)
      return told:match ": (.*)$"
    end
    assert.equal("its hash is another one", changed(function(v) v.to.layout.epoch = 3 end))
    assert.equal("its moves are not those between its layouts",
                 changed(function(v) table.remove(v.moves) end))
    assert.matches("step 6 of 6 cannot be taken", changed(function(v)
      v.steps[7] = nil
      v.steps[6] = { kind = "epoch", source = 7, target = 8 }
    end), 1, true)
    assert.equal("its steps do not lead to its second layout",
                 changed(function(v) table.remove(v.steps) end))
    changed(function(v) v.steps[2].first = "0x0" end)
    changed(function(v) v.steps[2].first = 1.5 end)
    changed(function(v) v.from = nil end)
    changed(function(v) v.steps = { {} } end)
    changed(function(v) v.to.layout.regions[1].name = "no name" end)
    changed(function(v) v.to.leaders = { { first = 0, last = 9, leader = "us-east" } } end)
    assert.equal("shards 0 to 9223372036854775807: they are numbers from 0 to 65535",
                 changed(function(v) v.to.leaders[1].last = math.maxinteger end))
    assert.equal("shards -1 to 4: they are numbers from 0 to 65535",
                 changed(function(v) v.from.leaders[1].first = -1 end))
    assert.equal("shards 5 to 65536: they are numbers from 0 to 65535",
                 changed(function(v) v.steps[1].last = 65536 end))
    assert.equal("shards 5 to the float 5: they are numbers from 0 to 65535",
                 changed(function(v) v.steps[1].last = 5.0 end))
    assert.equal("rule 1 has no name", changed(function(v) v.rules = { 7 } end))
    assert.equal("rule 2 has no name",
                 changed(function(v) v.rules = { { name = "a" }, { name = 7 } } end))
  end)

  local HOSTILE <const> = {
    json.null, true, false, -1, 0, 65536, math.maxinteger, math.mininteger, 1.5, 1e300, "", "0x0",
    ("x"):rep(1000), json.list {}, {}, json.list { json.list {} }, { name = 1 },
    { first = 0, last = math.maxinteger, leader = "us-east" },
  }

  -- A place in a value, at any depth: the table that holds it and the key.
  local function any_place(g, value)
    while true do
      local keys = {}
      for key in pairs(value) do keys[#keys + 1] = key end
      table.sort(keys)
      local key = g:pick(keys)
      local inner = value[key]
      if type(inner) ~= "table" or not next(inner) or g:once_in(4) then return value, key end
      value = inner
    end
  end

  it("with any value in the place of another", function()
    local with_rules = from:diff(script.layout { epoch = 2, shards = 6,
                                                 rules = { rules.max_leaders(6) } }):json()
    gen.property("values", 400, function(g)
      local value = json.decode(with_rules)
      local holder, key = any_place(g, value)
      local put = g:pick(HOSTILE)
      holder[key] = put
      return with(json.encode(value), function(path)
        local ok, plan = pcall(tidal.read_plan, path)
        if ok then ok, plan = pcall(function() return plan:json(), tostring(plan) end) end
        return not ok and not core.is_error(plan) and ("%s = %s: %s"):format(key, put, plan)
      end)
    end)
  end)

  it("with every byte of it turned, or else it is the same plan", function()
    gen.property("turned", 200, function(g)
      local at = g:int(1, #text)
      local bytes = text:sub(1, at - 1) .. string.char(text:byte(at) ~ (1 << g:int(0, 6)))
                 .. text:sub(at + 1)
      with(bytes, function(path)
        local ok, read = pcall(tidal.read_plan, path, from, to)
        if ok then assert(read:apply(from) == to) end
      end)
    end)
  end)
end)

describe("a plan file of layouts with rules", function()
  it("is judged by those that are given with it", function()
    local from = script.layout { shards = 2, leaders = { [0] = "us-east", s1 = "eu-west" } }
    local to = cluster { name = "prod", regions = { "us-east", "eu-west", "ap-south" }, epoch = 2,
                         shards = 2, leaders = { [0] = "eu-west", s1 = "us-east" },
                         rules = { rules.max_leaders(1) } }
    with(from:diff(to):json(), function(path)
      assert.equal(1, tidal.read_plan(path, from, to):check().step)
    end)
  end)

  local function written(max)
    return script.layout():diff(script.layout { epoch = 2, shards = 6,
                                                rules = { rules.max_leaders(max) } })
  end

  it("names those that nobody can ask without them", function()
    local plan = written(6)
    for _, text in ipairs { plan:json(), plan.to:plan():json(plan) } do
      with(text, function(path)
        assert.same("max_leaders(6)", tidal.read_plan(path).unasked[1])
        assert.is_nil(tidal.read_plan(path, plan.from, plan.to).unasked)
      end)
    end
  end)

  it("is refused without them where one refused it", function()
    local plan = written(5)
    assert.equal("was refused when it was written, after step 0 by rule 'max_leaders(5)': us-east "
                 .. "leads 6 shards, at most 5: let eu-west lead s0", refused(plan:json()))
  end)
end)
