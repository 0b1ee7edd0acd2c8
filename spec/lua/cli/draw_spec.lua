local cli = require "spec.support.cli"
local pictures = require "spec.support.pictures"
local render = require "tidal.draw"
local script = require "spec.support.script"

local CLUSTER <const> = "scripts/cluster.lua"
local SYNOPSIS <const> = "usage: tidal-lua draw LAYOUT|FILE.plan [--from OLD] [--to NEW] "
  .. "[--wal REGION=DIR]... [-o FILE.svg|FILE.html]\n"
local CHANGED <const> = "return tidal.cluster { name = 'prod', epoch = 2, "
  .. "regions = { 'us-east', 'eu-west', 'ap-south' }, shards = 5, leaders = 'eu-west' }"

local function draw(...)
  return cli.run { "draw", ... }
end

-- Runs draw with OUT, NEW and DIR in the arguments replaced; gives status,
-- messages and what is in the file OUT afterwards.
local function written(ending, ...)
  local args = { ... }
  return script.within({ ["new.lua"] = CHANGED }, function(dir)
    local path = dir .. "/out" .. ending
    for i, word in ipairs(args) do
      args[i] = word:gsub("OUT", path):gsub("NEW", dir .. "/new.lua"):gsub("DIR", dir)
    end
    local status, out, err = draw(table.unpack(args))
    local file = io.open(path, "rb")
    local text = file and file:read "a"
    if file then file:close() end
    return status, out, err, text
  end)
end

local function layout()
  return require "tidal.cluster".load(CLUSTER)
end

describe("draw LAYOUT", function()
  it("prints the ring and the grid", function()
    assert.same({ 0, render.terminal(layout()) .. "\n", "" }, { draw(CLUSTER) })
  end)

  for ending, make in pairs { [".svg"] = render.svg, [".html"] = render.html,
                              [".txt"] = render.terminal, [".SVG"] = render.svg } do
    it("writes a file that ends in " .. ending, function()
      assert.same({ 0, "", "", make(layout()) .. "\n" },
                  { written(ending, CLUSTER, "-o", "OUT") })
    end)
  end

  it("writes a file that is there anew", function()
    script.within({ ["old.svg"] = ("x"):rep(100000) }, function(dir)
      assert.equal(0, (draw(CLUSTER, "-o", dir .. "/old.svg")))
      local text = io.open(dir .. "/old.svg", "rb"):read "a"
      assert.equal(render.svg(layout()) .. "\n", text)
    end)
  end)

  it("draws the load of a log", function()
    local status, out = draw(CLUSTER, "--wal", "us-east=spec/golden/v1-single")
    assert.equal(0, status)
    assert.matches("events      █  ·  ·  ·  ·", out, 1, true)
  end)

  it("draws a layout that breaks a rule, says so, and fails", function()
    local files = { ["f.lua"] = "return tidal.cluster { name = 'n', regions = { 'a' }, shards = 2, "
                    .. "rules = { tidal.rules.max_leaders(1) } }" }
    local status, out = cli.run({ "draw", "f.lua" }, { files = files })
    assert.equal(1, status)
    assert.matches("\nrule max_leaders(1) is broken: a leads 2 shards, at most 1: ", out, 1, true)
  end)
end)

describe("draw of a plan", function()
  it("draws a change of an older layout", function()
    local status, out, err = written(".svg", "NEW", "--from", CLUSTER)
    assert.same({ 0, "" }, { status, err })
    assert.matches("^prod, epoch 1 to 2\n", out)
    assert.matches("r1 eu-west  ◆  ◆  ◆  ◆  ◆", out, 1, true)
  end)

  it("draws a .plan file as the plan it was made from", function()
    script.within({ ["new.lua"] = CHANGED }, function(dir)
      local file = dir .. "/next.plan"
      assert.equal(0, (cli.run { "plan", dir .. "/new.lua", "--from", CLUSTER, "-o", file }))
      local status, out = draw(file)
      assert.equal(0, status)
      assert.equal(select(2, draw(dir .. "/new.lua", "--from", CLUSTER)), out)
      assert.equal(0, (draw(file, "--from", CLUSTER)))
      status = draw(file, "--from", dir .. "/new.lua")
      assert.equal(1, status)
    end)
  end)

  it("draws a .plan file under the rules of the layout it leads to", function()
    local strict = CHANGED:gsub("leaders", "rules = { tidal.rules.max_leaders(1) }, leaders")
    script.within({ ["new.lua"] = CHANGED, ["strict.lua"] = strict }, function(dir)
      local file = dir .. "/next.plan"
      assert.equal(0, (cli.run { "plan", dir .. "/new.lua", "--from", CLUSTER, "-o", file }))
      local status, out = draw(file, "--to", dir .. "/strict.lua")
      assert.equal(1, status)
      assert.matches("breaks rule 'max_leaders(1)'", out, 1, true)
      assert.equal(2, (draw(dir .. "/new.lua", "--to", dir .. "/new.lua")))
    end)
  end)

  it("tells the bytes where it was weighed", function()
    local _, out = written("", "NEW", "--from", CLUSTER, "--wal",
                           "us-east=spec/golden/v2-five-shards")
    assert.matches("\nPlan: [^\n]* 0 B", out)
  end)

  it("fails where the plan is refused, and draws it", function()
    local even = pictures.layouts.even
    assert.is_table(even:diff(pictures.layouts.crowded):check())
    local files = { ["old.lua"] = CHANGED:gsub("epoch = 2", "epoch = 1"),
                    ["new.lua"] = CHANGED:gsub("leaders", "rules = { tidal.rules.max_leaders(4) }, "
                                               .. "leaders") }
    local status, out = cli.run({ "draw", "new.lua", "--from", "old.lua" }, { files = files })
    assert.equal(1, status)
    assert.matches("plan rejected: ", out, 1, true)
  end)
end)

describe("draw used wrongly", function()
  local rows = {
    { "no layout", {}, "too few arguments\n" },
    { "two", { "a", "b" }, "unexpected argument b\n" },
    { "an unknown option", { "a", "--form" },
      "unknown option --form (did you mean '--from'?)\n" },
    { "an unknown ending", { CLUSTER, "-o", "a.png" },
      "-o a.png: a picture cannot be a .png; pictures end in .svg, .html and .txt\n" },
    { "no ending", { CLUSTER, "-o", "a.d/b" },
      "-o a.d/b: it has no ending; pictures end in .svg, .html and .txt\n" },
  }
  for _, row in ipairs(rows) do
    it("refuses " .. row[1], function()
      assert.same({ 2, "", "tidal-lua: " .. row[3] .. SYNOPSIS }, { draw(table.unpack(row[2])) })
    end)
  end

  it("fails where the file cannot be written, the layout read, the region found", function()
    assert.equal(1, (draw(CLUSTER, "-o", "/nowhere/a.svg")))
    assert.equal(1, (draw "nowhere.lua"))
    local status, _, err = draw(CLUSTER, "--wal", "us-eats=x")
    assert.equal(1, status)
    assert.matches("did you mean 'us-east'?", err, 1, true)
  end)
end)
