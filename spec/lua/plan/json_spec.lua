-- The JSON of plans: keys, forms, and that nothing is lost.
local diff_json = require "tidal.plan.json"
local gen = require "spec.support.gen"
local json = require "tidal.json"
local pairs_of = require "spec.support.pairs"
local routing = require "tidal.routing"
local rules = require "tidal.rules"
local script = require "spec.support.script"

local function keys_of(text)
  local out = {}
  -- The outermost keys, in their order.
  local depth, at = 0, 1
  while at <= #text do
    local c = text:sub(at, at)
    if c == '"' then
      local stop = text:find('"', at + 1, true)
      if depth == 1 and text:sub(stop + 1, stop + 1) == ":" then
        out[#out + 1] = text:sub(at + 1, stop - 1)
      end
      at = stop
    elseif c:find "[{%[]" then depth = depth + 1
    elseif c:find "[}%]]" then depth = depth - 1 end
    at = at + 1
  end
  return table.concat(out, " ")
end

describe("diff --json", function()
  local plan = script.layout():diff(script.layout { epoch = 2, shards = 6 })

  it("has its keys in order", function()
    assert.equal("format name from to changes moves lower_bound keys share exact minimal steps",
                 keys_of(plan:json()))
    assert.equal("tidal-diff/1", json.decode(plan:json()).format)
  end)

  it("stands behind a plan's own keys", function()
    assert.equal("format name epoch layout_hash routing regions peer_shards shards nodes from to "
                 .. "changes moves lower_bound keys share exact minimal steps",
                 keys_of(plan.to:plan():json(plan)))
  end)

  it("writes ids as text, shards as numbers, counts as decimal text", function()
    local value = json.decode(plan:json())
    assert.same({ first = "0x2aaaaaaaaaaaaaab", last = "0x3333333333333333", source = 0,
                  target = 1, share = plan.moves[1].share }, value.moves[1])
    assert.same({ keys = "3074457345618258602", share = plan.lower_bound.share },
                value.lower_bound)
    assert.same({ "9223372036854775808", 0.5, true, false },
                { value.keys, value.share, value.exact, value.minimal })
    assert.same({ plan.from:hash(), plan.to:hash() },
                { value.from.layout_hash, value.to.layout_hash })
    assert.same({ { first = 0, last = 4, leader = "us-east" } }, value.from.leaders)
    assert.same(json.decode(plan.to:line()), value.to.layout)
  end)

  it("names pairs, or sources alone", function()
    local function moves(n, m)
      local made = script.layout { shards = n, routing = routing.hash() }
        :diff(script.layout { shards = m, routing = routing.hash(), epoch = 2 })
      return json.decode(made:json()).moves
    end
    assert.same({ source = 0, target = 1, keys = "3074457345618258602", share = 1 / 6 },
                moves(2, 3)[1])
    local many = moves(1000, 1001)
    assert.same({ 0, json.null }, { many[1].source, many[1].target })
    assert.equal("string", type(many[1].keys))
  end)

  it("says that shares are expected only", function()
    local value = json.decode(script.layout():diff(script.layout {
      epoch = 2, routing = routing.hash() }):json())
    assert.same({ false, false }, { value.exact, value.minimal })
    assert.is_nil(value.keys)
    assert.is_nil(value.moves[1].keys)
  end)

  it("tells what refuses it", function()
    local refused = json.decode(script.layout():diff(script.layout {
      epoch = 2, leaders = "spread", rules = { rules.max_leaders(1) } }):json()).refused
    assert.same({ 0, "max_leaders(1)", "us-east leads 2 shards, at most 1: no region may "
                  .. "lead one more: 3 regions need a limit of 2" },
                { refused.step, refused.rule, refused.why })
  end)

  it("is one line of JSON for any pair", function()
    gen.property("json", 500, function(g)
      local from, to = pairs_of.pair(g)
      local made = from:diff(to)
      local text = made:json()
      if text:find "\n" then return "several lines" end
      local value = json.decode(text)
      if #value.steps ~= #made.steps or #value.moves ~= #made.moves
         or #value.changes ~= #made.changes then
        return "another number of entries"
      end
      for i, step in ipairs(made.steps) do
        if value.steps[i].kind ~= step.kind then return "step " .. i end
      end
    end)
  end)
end)

describe("step()", function()
  it("is the same alone as in a list", function()
    for _, step in ipairs {
      { kind = "move", first = -1, last = -1, source = 65535, target = 0 },
      { kind = "leader", first = 0, last = 3, source = "a", target = "b" },
      { kind = "add_shard", first = 1, last = 1, leader = "a" },
      { kind = "add_shard", first = 1, last = 1 },
      { kind = "epoch", source = 1, target = 2 },
      { kind = "leaders", source = "all", target = { { first = 0, last = 0, leader = "a" } } },
      { kind = "order_regions", source = { "a", "b" }, target = { "b", "a" } },
    } do
      local alone = json.decode(json.encode(diff_json.step(step)))
      assert.same({ alone }, json.decode(json.encode(diff_json.steps { step })))
      for key, value in pairs(step) do
        local want = step.kind == "move" and value == -1 and "0xffffffffffffffff" or value
        assert.same(want, alone[key])
      end
    end
  end)
end)
