-- Layouts in brief: what a rule does not read is not sent to its process, what
-- it reads is sent once.
local brief = require "tidal.hermetic.brief"
local foreign = require "spec.support.foreign"
local hermetic = require "tidal.hermetic"
local layout = require "tidal.cluster.layout"
local letter = require "tidal.hermetic.letter"
local routing = require "tidal.routing"
local script = require "spec.support.script"

local function bytes_of(list)
  local sum = 0
  for _, text in ipairs(list) do sum = sum + #text end
  return sum
end

local function called(f) return f() end

-- A layout, and how often it was asked for each part, after it went through a
-- cell's eyes.
local function sent(made, last)
  local out, asked = {}, {}
  brief.put(out, made)
  local seen = brief.take(letter.reader(out), { rules = {}, file = "f.lua" }, function(name)
    asked[#asked + 1] = name
    local reader = letter.reader(brief.part(made, name, last or {}))
    return reader:text(), reader
  end, called)
  return seen, asked, out
end

describe("a layout in brief", function()
  it("is short, however many shards it has", function()
    local made = script.layout { shards = 65535, leaders = "spread" }
    local seen, asked, out = sent(made)
    assert.is_true(bytes_of(out) < 100)
    assert.same({ 65535, 21845, 3, "prod", 1, false, "f.lua" },
                { seen.shards, seen:leads(1), #seen.regions, seen.name, seen.epoch,
                  seen:all_lead(), seen.file })
    assert.same({}, asked)
  end)

  local rows = {
    even = script.layout(), hash = script.layout { routing = routing.hash(), shards = 7 },
    all = script.layout { leaders = "all", routing = routing.hash_ranges(), epoch = 4294967295 },
    named = script.layout { leaders = { [0] = "eu-west", s3 = "ap-south" } },
    single = script.layout { shards = 1, routing = routing.single() },
  }
  for name, made in pairs(rows) do
    it("gives its parts when they are read, each once: " .. name, function()
      local seen, asked = sent(made)
      assert.equal(made:text(), seen:text())
      assert.equal(made:plan():json(), seen:plan():json())
      assert.is_nil(seen.load)
      assert.same(made.leaders == "all" and { "routing" } or { "routing", "leaders" }, asked)
    end)
  end

  it("knows its load", function()
    local made = script.layout():with_load { regions = { ["us-east"] = 7 }, shards = { [2] = 5 } }
    local seen, asked = sent(made)
    assert.same({ 7, 5, nil }, { seen.load.regions["us-east"], seen.load.shards[2],
                                 seen.load.shards[1] })
    assert.same({ "load" }, asked)
  end)

  it("sends a routing once while it stays the same", function()
    local from, words = script.layout { shards = 4 }, {}
    local to = script.layout { shards = 4, epoch = 2, leaders = { [1] = "eu-west", [3] = "eu-west",
      [2] = "ap-south" } }
    local known, count = {}, 0
    for _, made in from:diff(to):states() do
      local part = brief.part(made, "routing", known)
      words[#words + 1], count = part[1], count + 1
    end
    assert.is_true(count > 4)          -- at its end it is the one of `to`
    assert.equal("part" .. (" same"):rep(count - 2) .. " part", table.concat(words, " "))
  end)

  it("makes no leaders where the regions' counts are known", function()
    local made, out = layout.new({ name = "n", epoch = 1, shards = 9, regions = {
      { id = 0, name = "a" }, { id = 1, name = "b" } } }, { leaders = function()
      error "made"
    end }, { [0] = 4, [1] = 5 }), {}
    brief.put(out, made)
    assert.equal(string.pack("<I4I4", 4, 5), out[6])
  end)

  it("is its leaders only behind one that differs in nothing else", function()
    local from, words = script.layout { shards = 3 }, {}
    local to = script.layout { shards = 4, leaders = { [0] = "eu-west", [1] = "ap-south" },
                               epoch = 2 }
    local out, before, list = {}, nil, {}
    for i, made in from:diff(to):states() do
      local at = #out + 1
      brief.put(out, made, before)
      words[#words + 1], list[i + 1], before = out[at] == "=" and "=" or "all", made, made
    end
    assert.equal("all all = = = = = all", table.concat(words, " "))
    local reader = letter.reader(out)
    for _, made in ipairs(list) do
      local seen = brief.take(reader, { rules = {} }, error, called)
      assert.same({ made.shards, made.epoch, made:leads(0), made:leads(1), made:leads(2) },
                  { seen.shards, seen.epoch, seen:leads(0), seen:leads(1), seen:leads(2) })
    end
    reader:finish()
  end)

  it("has no other parts", function()
    assert.is_nil(brief.part(script.layout(), "rules", {}))
  end)

  it("says why a part cannot be made, and that the next can", function()
    local bad, known = layout.new({ leaders = "all", regions = {}, shards = 1 },
                                  { router = function() error("s0 owns nothing", 0) end }), {}
    assert.same({ "none", "s0 owns nothing" }, brief.part(bad, "routing", known))
    assert.equal("part", brief.part(script.layout(), "routing", known)[1])
  end)
end)

-- The rules of a foreign script on other layouts, and the words of the host's
-- questions: `code` may call check(rule, layout) and words().
local function talk(rules, code, opts)
  return foreign.host(([[
    local host, said = require "tidal.host", {}
    local wrapped = { child = function(given)
      local child = host.child(given)
      local out = { close = function() end, hear = function() return child:hear() end }
      for _, verb in ipairs { "ask", "tell" } do
        out[verb] = function(_, question)
          said[#said + 1] = question[1]
          return child[verb](child, question)
        end
      end
      return out
    end }
    local path = os.tmpname()
    local file = io.open(path, "w")
    file:write(%q)
    file:close()
    local made = require "tidal.hermetic".load(wrapped, path, %s)
    os.remove(path)
    local function check(n, other) return made.rules[n].check(other) end
    local function words()
      local text = table.concat(said, " ")
      said = {}
      return text
    end
    local function layout(shards, leaders)
      return require "tidal.cluster" { name = "n", regions = { "a", "b" }, shards = shards,
                                       leaders = leaders }
    end
    words()
    ]]):format("return tidal.cluster { name = 'n', regions = { 'a', 'b' }, shards = 1, rules = { "
               .. rules .. "} }", opts or "nil") .. code)
end

describe("a rule of a foreign script", function()
  it("is sent what it reads", function()
    assert.equal("true true false true\tcheck\nfalse true true true\tcheck part part\n",
      talk([[tidal.rules.max_leaders(3), tidal.rules.survives "region",
        function(l) return l.shards ~= 4 and l.router:route(-1).value == 4, 'few' end,
        function(l) return l.shards == 4 or l.leaders[1] == 1 and l:route(0).value == 0 end]], [[
      local one, two = layout(4, { [0] = "b" }), layout(5, { [1] = "b" })
      for _, l in ipairs { one, two } do
        print(table.concat({ tostring((check(1, l))), tostring((check(2, l))),
          tostring((check(3, l))), tostring((check(4, l))) }, " "), words())
      end]]))
  end)

  it("does not pay for parts", function()
    assert.equal("true\tnil\tcheck part part\n", talk(
      "function(l) return l.router:route(0).value == 0 and l.leaders[65534] == 0, 'no' end", [[
      local fine, why = check(1, layout(65535))
      print(fine, why, words())]], "{ memory = 5 << 20 }"))
  end)

  it("pays again behind a part, also one that cannot be made", function()
    assert.equal("instruction budget used up\ninstruction budget used up\n", talk(
      "function(l) pcall(function() return l:route(1) end) while l.shards > 1 do end end", [[
      local layouts = require "tidal.cluster.layout"
      local bad = layouts.new({ name = "n", epoch = 1, regions = { { id = 0, name = "a" } },
        shards = 2, leaders = "all" }, { router = function() error("none", 0) end })
      for _, l in ipairs { layout(2), bad } do
        print((select(2, pcall(check, 1, l)).message:match "^(.-) at "))
      end]], "{ seconds = 5 }"))
  end)

  it("cannot read on in a layout that was judged before", function()
    assert.equal("true\nfalse\tthis layout was judged before: a rule reads the layout that it is "
      .. "given\ntrue\n", talk([[(function()
        local kept
        return function(l)
          local fine = l.shards ~= 3 or kept:route(1)
          kept = l
          return fine
        end
      end)()]], [[
      print((check(1, layout(2))))
      print(check(1, layout(3)))
      print((check(1, layout(4))))]]))
  end)

  it("is told why a part cannot be made", function()
    assert.equal("false\ts0 owns nothing\tcheck none\ntrue\tnil\tcheck part\n", talk(
      "function(l) return l:route(1) end", [[
      local layouts = require "tidal.cluster.layout"
      local bad = layouts.new({ name = "n", epoch = 1, regions = { { id = 0, name = "a" } },
        shards = 1, leaders = "all" }, { router = function() error("s0 owns nothing", 0) end })
      for _, l in ipairs { bad, layout(2) } do
        local fine, why = check(1, l)
        print(fine and true, why, words())
      end]]))
  end)
end)

describe("many layouts at once", function()
  -- Ten layouts are told ahead; then they are asked for.
  local AHEAD <const> = [[
    local list = {}
    for i = 1, 10 do list[i] = layout(i) end
    local told, why = pcall(made.rules[1].ahead, list)
    io.write(tostring(told), why and ": " .. why.message:match "^[^;]*" or "", " (", words(), ") ")
    for i, l in ipairs(list) do
      local fine, text = made.rules[1].check(l)
      io.write(fine and "+" or text, " ")
    end
    io.write("(", words(), ")")]]

  it("are one question", function()
    assert.equal("true (check) + + + + few + + + + + ()", talk(
      "function(l) return l.shards ~= 5, 'few' end", AHEAD))
  end)

  it("have parts of their own", function()
    assert.equal("true (check) + + + + + + + + no no (part part part)", talk(
      "function(l) return l.shards < 8 or "
      .. "l.router:route(-1).value == 7 and l.shards == 8, 'no' end",
      AHEAD))
  end)

  it("share one budget: those that it does not last for are asked for again", function()
    local out = talk("function(l) for i = 1, 4000000 do local _ = i end return true end", AHEAD)
    assert.matches("^true %(check%) [+ ]+%(check[ check]*%)$", out)
    local _, answers = out:gsub("%+", "")
    assert.equal(10, answers)
  end)

  it("stop at the one that uses up its budget", function()
    local out = talk("function(l) while l.shards == 3 do end return true end", [[
      local list = { layout(1), layout(2), layout(3), layout(4) }
      print(pcall(made.rules[1].ahead, list))
      print((check(1, list[1])), (check(1, list[2])), words())
      local fine, err = pcall(check, 1, list[3])
      print(fine, err.message:match "^[^;]*")
      print((check(1, list[4])), words())]])
    assert.matches("^true\ntrue\ttrue\tcheck\nfalse\tinstruction budget used up at [^\n]*:1\n"
      .. "true\tcheck check\n$", out)
  end)
end)

describe("a cell that asks for what is no part", function()
  for _, words in ipairs { { "rules" }, { "routing", "routing" }, { "routing", "x\27" } } do
    it("is ended: " .. #words .. words[#words]:gsub("%c", "?"), function()
      local closed, at = false, 0
      local cell = { close = function() closed = true end }
      function cell.ask(_, question)
        if question and question[1] == "run" then
          local out = { "layout", "", "" }
          letter.put_verdicts(out, { { name = "r", ok = true } })
          letter.put_state(out, script.layout())
          return out
        end
        at = at + 1
        return { "part", "1", words[at] }
      end
      function cell.tell() return true end
      cell.hear = cell.ask
      script.within({ ["c.lua"] = "script" }, function(dir)
        local made = hermetic.load({ child = function() return cell end }, dir .. "/c.lua")
        local fine, err = pcall(made.rules[1].check, script.layout { shards = 2 })
        assert.same({ false, "isolation", true }, { fine, err.code, closed })
        assert.matches("its process asked for the part " .. words[#words]:gsub("%c", "?"),
                       err.message, 1, true)
      end)
    end)
  end
end)
