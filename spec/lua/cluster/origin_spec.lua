-- A layout's faults name the lines of its own source, or none.
local cli = require "spec.support.cli"
local cluster = require "tidal.cluster"
local origin = require "tidal.cluster.origin"
local script = require "spec.support.script"

-- Faulty on its second line.
local BODY <const> = 'tidal.cluster { name = "n", regions = { "a" },\n  shards = 0 }\n'
local SHARDS <const> = "shards: an integer 1..65536 expected, got 0"

-- The message of what f raises, without the directory.
local function message(f, dir)
  local ok, err = pcall(f)
  assert.is_false(ok)
  return (tostring(err):gsub((dir or "\0"):gsub("%W", "%%%0") .. "/", ""))
end

local function of_script(text)
  local layout, why = script.load(text)
  assert.is_nil(layout)
  return why
end

describe("a layout script", function()
  local rows = {
    { "that ends in return", "return " .. BODY, 2 },
    { "that holds it in a local first", "local l = " .. BODY .. "return l", 2 },
    { "that sets a global", "l = " .. BODY, 2 },
    { "that makes it in a function", "local function f()\n return " .. BODY .. "end\n"
      .. "return f()", 3 },
    { "that calls with parentheses", "return tidal.cluster({ name = 'n',\n regions = { 'a' },"
      .. "\nshards = 0 })", 3 },
    { "that renames the constructor", "local cluster = tidal.cluster\nlocal l = cluster {\n"
      .. " name = 'n', regions = { 'a' },\nshards = 0 }", 4 },
    { "with two, the first of them wrong",
      "local a = " .. BODY .. "local b = tidal.cluster { name = 'n', shards = 1 }", 2 },
    { "with two, the second of them wrong",
      "local a = tidal.cluster { name = 'n', regions = { 'a' },\n\n shards = 1 }\nlocal b = "
      .. BODY, 5 },
    { "that builds the table first, so that only the call has a line",
      "\nlocal t = { name = 'n', regions = { 'a' }, shards = 0 }\n\n"
      .. "local l = tidal.cluster(t)", 4 },
    { "that renames it beyond recognition",
      "local make = tidal.cluster\n\nlocal l = make { name = 'n', regions = { 'a' },\n"
      .. "shards = 0 }", 3 },
    { "with a name and the brace on the next line",
      "\nlocal l = tidal.cluster\n{ name = 'n', regions = { 'a' },\nshards = 0 }", 4 },
    { "with a name, the parenthesis and the brace on lines of their own",
      "\nlocal l = tidal.cluster\n(\n{ name = 'n', regions = { 'a' },\nshards = 0 })", 5 },
  }
  for _, row in ipairs(rows) do
    it(row[1], function()
      assert.equal(("cluster.lua:%d: %s"):format(row[3], SHARDS), of_script(row[2]))
    end)
  end

  it("has no line for a constructor in a string, but its file", function()
    local RUN <const> = "]]\nreturn assert(load(text, 'text', 't', { tidal = tidal }))()"
    assert.equal("cluster.lua: " .. SHARDS, of_script("local text = [[return " .. BODY .. RUN))
    assert.equal(SHARDS, of_script("local text = [[local l = " .. BODY .. " return l" .. RUN))
  end)

  it("keeps numerals of others to itself", function()
    local layout, why = script.load("local other = 99999999999999999999\nlocal l = tidal.cluster "
      .. "{ name = 'n', regions = { 'a' }, shards = 1 }\nother = 0x11112222333344445\nreturn l")
    assert.is_nil(why)
    assert.is_true(cluster.is_layout(layout))
  end)
end)

describe("a file that a script runs", function()
  local USE <const> = 'local tidal = require "tidal" '
  local files = { ["l.lua"] = USE .. "return " .. BODY, ["deep.lua"] = USE .. "local l = " .. BODY,
                  ["topology.lua"] = USE .. "return " .. BODY }
  -- Runs `text` in the directory of the files, DIR standing for it.
  local function run(text)
    return script.within(files, function(dir)
      local path = package.path
      package.path = dir .. "/?.lua;" .. path
      local chunk = assert(load(text:gsub("DIR", dir), "=text", "t",
                                setmetatable({ tidal = require "tidal" }, { __index = _G })))
      local out = message(chunk, dir)
      package.path = path
      return out
    end)
  end

  local rows = {
    { "dofile", "local l = dofile 'DIR/l.lua'", "l.lua:2: " },
    { "dofile, as a tail call", "return dofile 'DIR/l.lua'", "l.lua:2: " },
    { "dofile, of a layout in a local", "local l = dofile 'DIR/deep.lua'", "deep.lua:2: " },
    { "require", "local l = require 'topology'", "topology.lua:2: " },
    { "loadfile, called at once", "local l = assert(loadfile 'DIR/l.lua')()", "" },
    { "loadfile, through pcall", "local _, e = pcall(loadfile 'DIR/l.lua') error(e, 0)", "" },
    { "loadfile, of a layout in a local", "local l = loadfile 'DIR/deep.lua'()",
      "deep.lua:2: " },
    { "a coroutine", "local f = coroutine.wrap(loadfile 'DIR/l.lua') f()", "" },
  }
  for _, row in ipairs(rows) do
    it("with " .. row[1], function() assert.equal(row[3] .. SHARDS, run(row[2])) end)
  end
end)

describe("the main script", function()
  local function run(args, options)
    local exit, out, err = cli.run(args, options)
    return { exit, out, err }
  end

  it("has lines in the host", function()
    local want = { 1, "", "tidal-lua: f.lua:2: " .. SHARDS .. "\n" }
    for _, text in ipairs { "return " .. BODY, "local l = " .. BODY .. "return l" } do
      assert.same(want, run({ "f.lua" }, { files = { ["f.lua"] = text } }))
    end
  end)

  it("has none from standard input or -e", function()
    local want = { 1, "", "tidal-lua: " .. SHARDS .. "\n" }
    assert.same(want, run({ "-" }, { stdin = "return " .. BODY }))
    assert.same(want, run { "-e", "return " .. BODY })
    assert.same(want, run { "-e", "local l = " .. BODY })
  end)

  it("is not taken for what it runs", function()
    local files = {
      ["f.lua"] = "local l = tidal.cluster { name = 'n', regions = { 'a' }, shards = 1 }\n"
        .. "dofile 'g.lua'",
      ["g.lua"] = "\nreturn " .. BODY,
    }
    assert.same({ 1, "", "tidal-lua: g.lua:3: " .. SHARDS .. "\n" },
                run({ "f.lua" }, { files = files }))
    files["f.lua"] = "local l = tidal.cluster { name = 'n', regions = { 'a' }, shards = 1 }\n"
      .. "local _, e = pcall(load [[return " .. BODY .. "]])\nerror(e, 0)"
    assert.same({ 1, "", "tidal-lua: " .. SHARDS .. "\n" }, run({ "f.lua" }, { files = files }))
  end)
end)

describe("a layout in a spec", function()
  it("has the line of its constructor", function()
    local line = debug.getinfo(1, "l").currentline + 2
    local why = message(function()
      local layout = cluster { name = "n", regions = { "a" },
        shards = 0 }
      return layout
    end)
    assert.matches(("origin_spec.lua:%d: shards"):format(line + 1), why, 1, true)
  end)
end)

describe("within()", function()
  it("gives the first result and forgets the file", function()
    assert.equal(1, origin.within("x", function() return 1, 2 end))
    assert.is_nil(origin.within("x", function() end))
    assert.has_error(function() origin.within("x", function() error "boom" end) end)
  end)

  it("can be nested", function()
    local files = { ["a.lua"] = "return " .. BODY, ["b.lua"] = "\n\nreturn " .. BODY }
    script.within(files, function(dir)
      local outer = assert(loadfile(dir .. "/a.lua", "t", { tidal = require "tidal" }))
      local inner = assert(loadfile(dir .. "/b.lua", "t", { tidal = require "tidal" }))
      local inside
      local why = message(function()
        origin.within(dir .. "/a.lua", function()
          inside = message(function() origin.within(dir .. "/b.lua", inner) end, dir)
          return outer()
        end)
      end, dir)
      assert.equal("b.lua:4: " .. SHARDS, inside)
      assert.equal("a.lua:2: " .. SHARDS, why)
    end)
  end)
end)

describe("find()", function()
  it("knows nothing without debug", function()
    local kept = debug
    _G.debug = nil
    local file, index = origin.find(1)
    _G.debug = kept
    assert.is_nil(file)
    assert.is_nil(index)
  end)
end)
