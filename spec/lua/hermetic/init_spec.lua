-- What the host makes of the answers of a cell; the cell here is a script of
-- answers, some of which no honest cell gives.
local core = require "tidal.core"
local foreign = require "spec.support.foreign"
local hermetic = require "tidal.hermetic"
local letter = require "tidal.hermetic.letter"
local script = require "spec.support.script"

-- A host whose cells give these answers in turn and note what they are asked.
local function host(answers)
  local cell = { asked = {}, closed = false }
  function cell:ask(question)
    self.asked[#self.asked + 1] = question
    local answer = table.remove(answers, 1)
    if type(answer) == "string" then return nil, answer end
    return answer
  end
  function cell:tell(question)
    self.told = question
    return true
  end
  function cell:hear() return self:ask(self.told) end
  function cell:close() self.closed = true end
  return { child = function() return cell end,
           read_below = function(_, name) return name == "m.lua" and "text" or nil, "absent" end },
             cell
end

local function load(answers)
  local fake, cell = host(answers)
  return script.within({ ["c.lua"] = "script" }, function(dir)
    local fine, value = pcall(hermetic.load, fake, dir .. "/c.lua")
    return fine, value, cell, dir
  end)
end

local function answer(verdicts)
  local out = { "layout", "", "" }
  letter.put_verdicts(out, verdicts or {})
  letter.put_state(out, script.layout { regions = { "a", "b" }, shards = 2 })
  return out
end

describe("load()", function()
  it("hands the script over and builds the layout", function()
    local fine, made, cell, dir = load { answer() }
    assert.is_true(fine)
    assert.equal("tidal.Layout(prod, epoch 1, 2 regions x 2 shards)", tostring(made))
    assert.same({ { "run", dir .. "/c.lua", "script", "100000000" } }, cell.asked)
    assert.is_true(cell.closed)
  end)

  it("keeps a cell that has rules, and asks it for other states only", function()
    local rules = { { name = "r", ok = true }, { name = "s", ok = false, why = "w" } }
    local fine, made, cell = load { answer(rules), { "verdicts", "2", "r", "0", "x", "s", "1",
      "" } }
    assert.is_true(fine)
    assert.is_false(cell.closed)
    assert.same({ { name = "r", ok = true }, { name = "s", ok = false, why = "w" } },
                made:plan().rules)
    assert.equal(1, #cell.asked)
    local other = script.layout { regions = { "a", "b" }, shards = 3 }
    assert.same({ false, "x" }, { made.rules[1].check(other) })
    assert.same({ true, nil }, { made.rules[2].check(other) })
    assert.same({ 2, "check" }, { #cell.asked, cell.asked[2][1] })
  end)

  it("serves modules", function()
    local fine, _, cell, dir = load { { "need", "m" }, { "need", "n" }, answer() }
    assert.is_true(fine)
    assert.same({ "have", dir .. "/m.lua", "text" }, cell.asked[2])
    assert.equal("none", cell.asked[3][1])
  end)

  local wrong = {
    { "it died", "its process ended: it died; --trust" },
    { "no seccomp", "its process ended: no seccomp; --no-isolate does without" },
    { {}, "it has 0 texts" }, { { "layout" }, "it has 1 texts" }, { { "nonsense", "" },
      "it has 2 texts" },
    { { "nonsense", "", "x" }, "a layout's process said nonsense" },
    { { "layout", "", "", "0", "{}", "", "" }, "an answer that is none" },
    { { "need", "m", "x" }, "1 texts are left over" }, { { "broken", "why\27" }, "broke: why?" },
    { { "raised", "", "te\27xt" }, "te?xt" }, { { "spent", "", "budget used up" },
      "budget used up; --trust" },
  }
  for i, row in ipairs(wrong) do
    it("is not taken in " .. i, function()
      local fine, err = load { row[1] }
      assert.is_false(fine)
      assert.is_true(core.is_error(err), tostring(err))
      assert.matches(row[2], tostring(err), 1, true)
    end)
  end

  it("refuses an answer with something behind it", function()
    local long = answer()
    long[#long + 1] = "more"
    local fine, err = load { long }
    assert.is_false(fine)
    assert.matches("1 texts are left over", tostring(err), 1, true)
  end)

  it("says that there is no process, and what to do", function()
    local fake = { child = function() error("no more processes", 0) end }
    script.within({ ["c.lua"] = "script" }, function(dir)
      local fine, err = pcall(hermetic.load, fake, dir .. "/c.lua")
      assert.same({ false, "isolation" }, { fine, err.code })
      assert.equal(dir .. "/c.lua: no process to evaluate it in: no more processes; --trust runs "
                   .. "a layout in full Lua, without limits", err.message)
    end)
  end)

  it("raises when rules cannot be asked any more", function()
    local _, made = load { answer { { name = "r", ok = true } }, "it died" }
    local plan = require "tidal.plan.meaning"
    local other = require "tidal.cluster.layout".new {
      name = "n", epoch = 1, regions = { { id = 0, name = "a" } }, shards = 1, leaders = "all",
      router = core.router.single(0), rules = { made.rules[1] } }
    local fine, err = pcall(plan.new, other)
    assert.is_false(fine)
    assert.equal("isolation", err.code)
  end)

  it("says so again when it is asked again", function()
    local _, made, cell = load { answer { { name = "r", ok = true } } }
    function cell.tell() error("the child is closed", 0) end
    local fine, err = pcall(made.rules[1].check, script.layout())
    assert.same({ false, "isolation" }, { fine, err.code })
    assert.matches("its process ended: the child is closed", tostring(err), 1, true)
  end)

  it("says what it died of ahead when it is asked", function()
    local _, made = load { answer { { name = "r", ok = true } }, "it died" }
    local list = { script.layout { shards = 3 }, script.layout { shards = 4 } }
    made.rules[1].ahead(list)
    made.rules[1].ahead(list)
    for _, other in ipairs(list) do
      local fine, err = pcall(made.rules[1].check, other)
      assert.same({ false, "isolation" }, { fine, err.code })
      assert.matches("its process ended: it died;", tostring(err), 1, true)
    end
  end)

  it("refuses other numbers of verdicts", function()
    local _, made = load { answer { { name = "r", ok = true } }, { "verdicts", "0" } }
    local fine, err = pcall(made.rules[1].check, script.layout())
    assert.is_false(fine)
    assert.matches("0 verdicts for 1 rules", tostring(err), 1, true)
  end)

  it("says what it cannot read", function()
    local _, err = pcall(hermetic.load, (host {}), "no/such.lua")
    assert.equal("cannot open no/such.lua: No such file or directory", tostring(err))
    _, err = pcall(hermetic.load, (host {}), "spec")
    assert.equal("cannot read spec: Is a directory", tostring(err))
    script.within({ ["big.lua"] = ("-"):rep(262145) }, function(dir)
      _, err = pcall(hermetic.load, (host {}), dir .. "/big.lua")
      assert.matches("big.lua: has more than 262144 bytes", tostring(err), 1, true)
    end)
  end)
end)

describe("--trust", function()
  it("runs full Lua, and says so", function()
    local text = "os.getenv 'HOME' x = 1 " .. foreign.FINE
    assert.equal(1, foreign.run(text)[1])
    local result = foreign.run(text, { args = { "--trust" } })
    assert.same({ 0, foreign.run(foreign.FINE)[2],
                  "tidal-lua: cluster.lua runs in full Lua, without limits (--trust)\n" }, result)
  end)

  for _, verb in ipairs { "plan", "prove", "route" } do
    it("is an option of " .. verb, function()
      local args = { "--trust", verb == "route" and "1" or nil }
      assert.equal(0, foreign.run(foreign.FINE, { verb = verb, args = args })[1])
    end)
  end
end)
