-- Verbs, directories of specs and returned layouts: what tidal-lua hands to
-- the module tidal.cli, which these specs replace by one that reports.
-- lua5.4 takes all of these for scripts and ignores what a script returns.
local cli = dofile "spec/support/cli.lua"

local STUB = [[
package.preload["tidal.cli"] = function()
  return {
    verbs = { plan = "plans", test = "tests" },
    main = function(verb, args)
      io.write(verb)
      for _, word in ipairs(args) do io.write(" [", word, "]") end
      io.write("\n")
      return status or 0
    end,
    show = function(value, script)
      if type(value) == "table" and value.layout then
        print("layout " .. value.layout .. " of " .. script)
        return true, value.status
      end
      return false
    end,
  }
end
]]

local FILES = { ["s.lua"] = "print 'script'", s = "print 'no suffix'",
                plan = "print 'a script called plan'" }

local function with_stub(args, options)
  options = options or {}
  options.files = options.files or FILES
  return cli.run({ "-e", (options.before or "") .. STUB,
                   table.unpack(args) }, options)
end

local answered = {
  { "a verb", { "plan" }, "plan\n" },
  { "a verb with arguments", { "plan", "a b", "", "--json", "-e" },
    "plan [a b] [] [--json] [-e]\n" },
  { "a verb behind --", { "--", "plan", "x" }, "plan [x]\n" },
  { "an unknown word", { "plant", "x" }, "plant [x]\n" },
  { "a file without a suffix", { "s" }, "no suffix\n" },
  { "a file with one", { "s.lua" }, "script\n" },
  { "a file called like a verb, with its path", { "./plan" },
    "a script called plan\n" },
  { "a directory", { ".", "--tags=x" }, "test [.] [--tags=x]\n" },
  { "a directory with a slash", { "./", "x" }, "test [./] [x]\n" },
}

describe("differs: the first word is", function()
  for _, row in ipairs(answered) do
    it(row[1], function()
      local exit, out, err = with_stub(row[2])
      assert.same({ 0, row[3], "" }, { exit, out, err })
    end)
  end

  it("a word, but the verbs cannot be had", function()
    local before = "package.preload['tidal.cli'] = error "
    local exit, out = cli.run({ "-e", before, "s" }, { files = FILES })
    assert.same({ 0, "no suffix\n" }, { exit, out })
    local status, _, err = cli.run({ "-e", before, "none" }, { files = FILES })
    assert.same(1, status)
    assert.matches("^tidal%-lua: ", err)
  end)

  it("a missing file with a suffix or a slash, as in lua5.4", function()
    for _, name in ipairs { "none.lua", "no/where", ".lua" } do
      local exit, out, err = with_stub { name }
      assert.same({ 1, "" }, { exit, out })
      assert.matches("cannot open " .. name, err, 1, true)
    end
  end)
end)

describe("differs: the status of a verb", function()
  for _, status in ipairs { 0, 1, 2, 3, 255 } do
    it("is the exit status: " .. status, function()
      local before = "status = " .. status .. " "
      assert.same(status, (with_stub({ "plan" }, { before = before })))
    end)
  end

  for _, status in ipairs { "-1", "256", "'x'", "1.5", "{}", "true" } do
    it("must be one: " .. status, function()
      local exit, _, err = with_stub({ "plan" },
                                     { before = "status = " .. status .. " " })
      assert.same(1, exit)
      assert.matches("tidal.cli.main answered ", err, 1, true)
    end)
  end

  it("is 1 when the verb fails, with a traceback", function()
    local exit, _, err = with_stub({ "plan" }, {
      before = "setmetatable(_G, {__index = function(_, k) "
        .. "if k == 'status' then error 'broken verb' end end}) " })
    assert.same(1, exit)
    assert.matches("^tidal%-lua: .*broken verb\nstack traceback:\n", err)
  end)

  it("decides whether -i goes on", function()
    local _, out = with_stub({ "-i", "plan" }, { stdin = "1 + 1\n" })
    assert.matches("plan\n> 2\n", out, 1, true)
    local exit
    exit, out = with_stub({ "-i", "plan" },
                          { stdin = "1 + 1\n", before = "status = 3 " })
    assert.same(3, exit)
    assert.is_nil(out:find("> ", 1, true))
  end)

  it("leaves arg as it is for scripts", function()
    local _, out = with_stub({ "plan", "a" }, {
      before = "setmetatable(_G, {__index = function(_, k) "
        .. "if k == 'status' then print(arg[0], arg[1], #arg) end end}) " })
    assert.same("plan [a]\nplan\ta\t1\n", out)
  end)
end)

local LAYOUT = "return { layout = 'prod' }, 'more'"

describe("differs: a returned layout", function()
  it("is shown, named by its script", function()
    local files = { ["l.lua"] = LAYOUT }
    local exit, out = with_stub({ "l.lua" }, { files = files })
    assert.same({ 0, "layout prod of l.lua\n" }, { exit, out })
  end)

  it("is shown from standard input", function()
    local _, out = with_stub({ "-" }, { stdin = LAYOUT })
    assert.same("layout prod of stdin\n", out)
  end)

  it("is not shown for -e, -l or a second value", function()
    local files = { ["l.lua"] = LAYOUT, ["t.lua"] = "return 1, {layout = 2}" }
    local _, out = with_stub({ "-l", "l", "-e", LAYOUT, "t.lua" },
                             { files = files })
    assert.same("", out)
  end)

  it("may be a userdata", function()
    local _, out = with_stub({ "u.lua" }, {
      files = { ["u.lua"] = "require('tidal.cli').show = function(v, s) "
        .. "print(io.type(v), s) return true end return io.stdout" } })
    assert.same("file\tu.lua\n", out)
  end)

  it("may come with an exit status", function()
    for _, row in ipairs {
      { "0", 0 }, { "1", 1 }, { "3", 3 }, { "'x'", 1 }, { "256", 1 },
    } do
      local exit, out = with_stub({ "l.lua" }, { files = {
        ["l.lua"] = "return { layout = 'p', status = " .. row[1] .. "}" } })
      assert.same({ row[2], "layout p of l.lua\n" }, { exit, out })
    end
  end)

  it("is 1 when it cannot be shown", function()
    local exit, _, err = with_stub({ "f.lua" }, {
      files = { ["f.lua"] = "require('tidal.cli').show = function() "
        .. "error 'no picture' end return {}" } })
    assert.same(1, exit)
    assert.matches("no picture", err)
  end)

  it("is 1 when the verbs fail and tidal was used", function()
    local text = "package.preload['tidal.cli'] = function() "
      .. "require 'tidal.core' error 'torn' end "
    local exit, out, err = cli.run({ "f.lua" }, {
      files = { ["f.lua"] = text .. "return {}" } })
    assert.same({ 0, "", "" }, { exit, out, err })
    local status, _, why = cli.run({ "f.lua" }, {
      files = { ["f.lua"] = text .. "require 'tidal.core' return {}" } })
    assert.same(1, status)
    assert.matches("torn", why)
  end)

  it("needs no show", function()
    local exit, out = with_stub({ "n.lua" }, {
      files = { ["n.lua"] = "require('tidal.cli').show = nil return {}" } })
    assert.same({ 0, "" }, { exit, out })
  end)

  it("costs other scripts no module", function()
    local exit, out = with_stub({ "p.lua" }, { files = { ["p.lua"] = [[
      package.preload["tidal.cli"] = function() print "loaded" end
      return 5]] } })
    assert.same({ 0, "" }, { exit, out })
  end)
end)

describe("busted", function()
  it("runs inside, as a script", function()
    local busted = "/usr/bin/busted"
    local file = io.open(busted)
    if not file then return pending "busted is not where Debian has it" end
    file:close()
    local exit, out = cli.run({ busted, "a_spec.lua" }, { files = {
      ["a_spec.lua"] = "it('runs', function() assert.truthy(_G) end)" } })
    assert.same(0, exit)
    assert.matches("1 success", out)
  end)

  it("runs inside, as a module", function()
    local exit, out = cli.run({ "r.lua", "a_spec.lua" }, { files = {
      ["r.lua"] = "table.insert(arg, 1, '--ignore-lua') "
        .. "require 'busted.runner' { standalone = false }",
      ["a_spec.lua"] = "it('fails', function() assert.truthy(false) end)" } })
    assert.same(1, exit)
    assert.matches("1 failure", out)
  end)
end)
