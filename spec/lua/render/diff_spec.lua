-- Plans as text, against spec/golden/diff: <from>-<to>.txt and, where it is
-- short, .json. TIDAL_UPDATE_GOLDEN=1 writes both from what is printed now.
local gen = require "spec.support.gen"
local golden = require "spec.support.golden"
local pairs_of = require "spec.support.pairs"
local script = require "spec.support.script"
local terminal = require "tidal.render.terminal"

local LAYOUTS = dofile "spec/golden/diff/layouts.lua"

local PAIRS = {
  { "even", "split" }, { "even", "wider" }, { "hash5", "hash6" }, { "hash5", "hash_ranges6" },
  { "even", "hash_ranges6" }, { "single", "wider" }, { "many", "more" }, { "even", "crowded" },
  { "even", "even" },
}

local function kept(name, text)
  if os.getenv "TIDAL_UPDATE_GOLDEN" then
    local file = assert(io.open("spec/golden/diff/" .. name, "wb"))
    file:write(text)
    file:close()
  end
  return golden.read("diff/" .. name)
end

describe("a plan's text", function()
  for _, pair in ipairs(PAIRS) do
    it(("is the golden one: %s to %s"):format(pair[1], pair[2]), function()
      local plan = LAYOUTS[pair[1]]:diff(LAYOUTS[pair[2]])
      local name = pair[1] .. "-" .. pair[2]
      assert.equal(kept(name .. ".txt", plan:text() .. "\n"), plan:text() .. "\n")
      if #plan.steps < 100 then
        assert.equal(kept(name .. ".json", plan:json() .. "\n"), plan:json() .. "\n")
      end
    end)
  end

  local numbers = {
    { "one in the middle", { "us-east", "new", "eu-west", "ap-south" },
      'With\n      regions = { "us-east", "eu-west", "ap-south", "new" }\n      none gets' },
    { "others in order", { "ap-south", "us-east", "eu-west" },
      '{ "us-east", "eu-west", "ap-south" }\n' },
    { "one for another, elsewhere", { "new", "us-east", "ap-south" },
      '{ "us-east", "new", "ap-south" }\n' },
    { "none of the first", { "eu-west", "ap-south" }, "those behind one that leaves\n" },
    { "one at the end", { "us-east", "eu-west", "ap-south", "new" } },
    { "the last no more", { "us-east", "eu-west" } },
    { "another name", { "us-east", "eu", "ap-south" } },
  }
  for _, row in ipairs(numbers) do
    it("says how regions keep their numbers: " .. row[1], function()
      local from, leader = script.layout(), row[2][1] == "us-east" and "us-east" or row[2][2]
      local made = from:diff(script.layout { epoch = 2, regions = row[2], leaders = leader })
      local text = made:text()
      assert.equal(row[3] ~= nil, text:find("note: a region's number is its place", 1, true) ~= nil)
      assert.equal(row[3] ~= nil, text:find "%d regions? renumbered" ~= nil)
      if row[3] then assert.matches(row[3], text, 1, true) end
      local order = text:match 'regions = { "(.-)" }'
      if not order then return end
      local list = {}
      for name in order:gmatch '[^", ]+' do list[#list + 1] = name end
      local better = from:diff(script.layout { epoch = 2, regions = list, leaders = leader })
      assert.not_matches("renumbered", better:text())
    end)
  end

  it("fits on one screen", function()
    gen.property("screens", 300, function(g)
      local from, to = pairs_of.pair(g)
      local text, lines = from:diff(to):text(), 1
      for _ in text:gmatch "\n" do lines = lines + 1 end
      if lines > 45 then return lines .. " lines" end
      if text:find "%s\n" then return "blanks at the end" end
    end)
    local _, lines = LAYOUTS.many:diff(LAYOUTS.more):text():gsub("\n", "")
    assert.is_true(lines < 45)
  end)

  it("has bytes once it is weighed", function()
    local weighed = assert(LAYOUTS.even:diff(LAYOUTS.wider):weigh {
      ["us-east"] = golden.dir .. "/v1-single" })
    assert.matches("\nPlan: 1 split, 4 moves, 1 new region, 1 region renamed, 3 changes of "
      .. "leaders. Moves 50.00 %% of all keys, 8%d%d%.%d kB. Lower bound 16.67 %%, 8%d%d%.%d kB%.",
      weighed:text())
  end)

  it("is in colour where that is wanted, and the same without", function()
    local plan = LAYOUTS.even:diff(LAYOUTS.crowded)
    local coloured = plan:text(terminal.style(true))
    assert.matches("\27[31mplan rejected:\27[0m", coloured, 1, true)
    assert.equal(plan:text(), (coloured:gsub("\27%[%d+m", "")))
  end)
end)
