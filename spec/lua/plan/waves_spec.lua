-- What is copied at the same time, and how long it takes.
local gen = require "spec.support.gen"
local golden = require "spec.support.golden"
local raised = require "spec.support.raised"
local routing = require "tidal.routing"
local script = require "spec.support.script"

local DIRS <const> = { ["us-east"] = golden.dir .. "/v1-single",
                       ["eu-west"] = golden.dir .. "/v2-five-shards" }

local from = script.layout { routing = routing.hash_ranges(), regions = { "us-east", "eu-west" } }

local function plan(changes)
  changes.routing = routing.hash_ranges()
  changes.epoch = 2
  changes.regions = changes.regions or { "us-east", "eu-west" }
  return assert(from:diff(script.layout(changes)):weigh(DIRS))
end

describe("waves()", function()
  it("hold every copy once, and no node twice in a wave", function()
    gen.property("waves", 30, function(g)
      local made, most = plan { shards = g:int(1, 40) }, g:int(1, 3)
      local waves, bytes = made:waves { per_node = most }, 0
      local seen = {}
      for i, wave in ipairs(waves) do
        local busy = {}
        for _, item in ipairs(wave.items) do
          bytes = bytes + item.bytes
          local key = ("%s %d"):format(item.region, item.first)
          if seen[key] then return key .. " is copied twice" end
          seen[key] = true
          for _, shard in ipairs { item.source, item.target } do
            local node = item.region .. shard
            busy[node] = (busy[node] or 0) + 1
            if busy[node] > most then return ("%s is too busy in wave %d"):format(node, i) end
          end
        end
      end
      if bytes ~= made.price.bytes or bytes ~= waves.bytes then return "not every byte" end
    end)
  end)

  it("take as long as the slowest link", function()
    local made = plan { shards = 6 }
    local waves = made:waves { per_node = 99, per_link = "1kB/s" }
    assert.equal(1, #waves)
    local slowest = math.max(made.price.regions[1].bytes, made.price.regions[2].bytes)
    assert.equal(slowest / 1000, waves.seconds)
    assert.same({ waves.seconds, 1 }, { waves[1].seconds, waves.days })
    local one = made:waves { per_link = "1kB/s" }
    local sum = 0
    for _, wave in ipairs(one) do sum = sum + wave.seconds end
    assert.equal(sum, one.seconds)
    assert.is_true(#one > 1 and one.seconds >= waves.seconds)
  end)

  it("keep regions apart, by name or number", function()
    for _, pair in ipairs { "us-east+eu-west", "r0+r1", "r1+us-east" } do
      for _, wave in ipairs(plan({ shards = 6 }):waves { never = { pair }, per_node = 9 }) do
        for _, item in ipairs(wave.items) do
          assert.equal(wave.items[1].region, item.region)
        end
      end
    end
  end)

  it("send whole logs over links of their own", function()
    local made = plan { regions = { "us-east", "eu-west", "sa", "af" }, shards = 5 }
    local waves = made:waves { per_link = "1MB/s" }
    local links = {}
    for _, item in ipairs(waves[1].items) do
      links[#links + 1] = item.from .. ">" .. item.region
    end
    table.sort(links)
    assert.same({ "eu-west>af", "eu-west>sa", "us-east>af", "us-east>sa" }, links)
    assert.equal(made.price.copies[1].bytes / 1000000, waves[1].seconds)
    assert.matches("us%-east > sa", tostring(waves))
    assert.is_true(#made:waves { never = { "sa+af" } } > 1)
  end)

  it("wait for their window, and take several days where one is too short", function()
    local made = plan { shards = 6 }
    local day = made:waves { per_node = 99, per_link = "1kB/s", window = "02:00..05:00" }
    assert.equal(1, day.days)
    local seconds = day.seconds
    assert.is_true(seconds > 120 and seconds < 3600)
    local short = made:waves { per_node = 99, per_link = "1kB/s", window = "23:59..00:00" }
    assert.equal(math.ceil(seconds / 60), short.days)
    local over = made:waves { per_node = 99, per_link = "1kB/s", window = "23:30..00:30" }
    assert.equal(1, over.days)
    local several = made:waves { per_link = "1kB/s", window = "02:00..02:04" }
    assert.is_true(several.days > 1)
    for i = 2, #several do assert.is_true(several[i].day >= several[i - 1].day) end
    assert.equal(several.days, several[#several].day)
  end)

  it("give no day more than its window", function()
    local made = plan { shards = 6 }
    local most = 0
    for _, wave in ipairs(made:waves { per_link = "1kB/s" }) do
      most = math.max(most, wave.seconds)
    end
    local minutes = math.tointeger(most // 60 + 1)
    local waves = made:waves { per_link = "1kB/s", window = ("02:00..%02d:%02d"):format(
      2 + minutes // 60, minutes % 60) }
    local busy = {}
    for _, wave in ipairs(waves) do
      busy[wave.day] = (busy[wave.day] or 0) + wave.seconds
      assert.is_true(busy[wave.day] <= minutes * 60)
    end
    assert.is_true(#busy > 1)
  end)

  it("are none where nothing moves", function()
    local waves = plan({ shards = 5 }):waves {}
    assert.same({ 0, 0, 0 }, { #waves, waves.bytes, waves.days })
    assert.equal("all  0 B  0 ns  in 0 days", tostring(waves))
  end)

  it("print one a line, and a sum", function()
    local text = tostring(plan({ shards = 6 }):waves { per_link = "10kB/s" })
    assert.matches("^wave 1  +%d+%.%d kB +%d+%.%d s  %S+ s%d>s%d", text)
    assert.matches("\nall     +%d+%.%d kB +%d+%.%d s  in 1 day$", text)
    local long = tostring(plan({ shards = 60 }):waves { never = { "r0+r1" } })
    assert.matches("\n%.%.%. %d+ more\nall ", long)
  end)
end)

describe("in_waves()", function()
  it("gives the plan that shows its waves", function()
    local made = plan { shards = 6 }
    local timed = made:in_waves { per_link = "1kB/s" }
    assert.equal(made:text():gsub("\nnote.*", "") .. "\n" .. tostring(made:waves {
      per_link = "1kB/s" }), (timed:text():gsub("\nnote.*", "")))
    assert.no_match("wave", made:text())
    assert.no_match("wave", timed:only("us-east"):text())
  end)
end)

describe("waves() refuses", function()
  local made = plan { shards = 6 }
  local rows = {
    { { rate = 1 }, "unknown key rate; the keys are: per_node per_link window never" },
    { { per_node = 0 }, "per_node: an integer >= 1 expected, got 0" },
    { { per_node = 1.5 }, "per_node: an integer >= 1 expected, got 1.5" },
    { { per_link = "30MB" }, 'per_link: "30MB/s" expected, got 30MB' },
    { { per_link = "30/s/s" }, 'per_link: "30MB/s" expected, got 30/s/s (is not a size' },
    { { per_link = "0/s" }, 'per_link: "30MB/s" expected, got 0/s' },
    { { window = "2..5" }, 'window: "02:00..05:00" expected, got 2..5' },
    { { window = "25:00..26:00" }, "window: 25:00..26:00 is no time of day" },
    { { window = "02:61..03:00" }, "window: 02:61..03:00 is no time of day" },
    { { never = { "r0" } }, 'never: "r0+r1" expected, got r0' },
    { { never = { "r0+mars" } }, "never: there is no region mars" },
  }
  for _, row in ipairs(rows) do
    it(row[2], function()
      assert.matches("plan:waves: " .. row[2], raised(made.waves, made, row[1]), 1, true)
    end)
  end

  it("more copies than it can spread", function()
    local many = setmetatable({}, { __len = function() return 1048577 end })
    assert.equal("plan:waves: 1048577 copies are too many for waves", raised(made.waves, {
      price = { regions = { { region = "us-east", moves = many } } } }, {}))
  end)

  it("a plan that was not weighed", function()
    local plain = from:diff(script.layout { epoch = 2, shards = 6 })
    assert.equal("plan:waves: the plan has not been weighed: plan:weigh(dirs) first",
                 raised(plain.waves, plain, {}))
  end)
end)
