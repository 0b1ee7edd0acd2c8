-- tidal.json_read, against what lua/tidal/json.lua writes and Lua reads. Its
-- messages are in spec/lua/json_reader_spec.lua.
local core = require "tidal.core"
local gen = require "spec.support.gen"
local json = require "tidal.json"
local reader = require "tidal.json_reader"

local List <const>, null <const> = { "list" }, { "null" }

local function read(text)
  return core.json_read(text, List, null)
end

-- A value of JSON, at most so deep.
local function value_of(g, depth)
  local kind = g:int(0, depth > 0 and 8 or 5)
  if kind == 0 then return null end
  if kind == 1 then return g:int(0, 1) == 1 end
  if kind == 2 then return g:u64() >> g:int(0, 63) end
  if kind == 3 then return (g:u64() >> 11) * 2.0 ^ g:int(-80, 80) end
  if kind < 6 then
    local out = {}
    for i = 1, g:int(0, 8) do out[i] = utf8.char(g:int(0, 1) == 1 and g:int(0, 127)
                                                 or g:int(0xe000, 0x10ffff)) end
    return table.concat(out)
  end
  local out = kind == 6 and {} or setmetatable({}, List)
  for i = 1, g:int(0, 5) do
    out[kind == 6 and "k" .. g:int(0, 99) or i] = value_of(g, depth - 1)
  end
  return out
end

-- The same for the writer, which has marks of its own.
local function written(value)
  if value == null then return json.null end
  if type(value) ~= "table" then return value end
  local out = {}
  for key, inner in pairs(value) do out[key] = written(inner) end
  return getmetatable(value) == List and json.list(out) or out
end

local function same(a, b)
  if type(a) ~= "table" or a == null then
    return a == b and math.type(a) == math.type(b)
  end
  if type(b) ~= "table" or getmetatable(a) ~= getmetatable(b) then return false end
  for key, value in pairs(a) do
    if not same(value, b[key]) then return false end
  end
  for key in pairs(b) do
    if a[key] == nil then return false end
  end
  return true
end

describe("json_read()", function()
  it("reads what was written", function()
    gen.property("json", 2000, function(g)
      local value = value_of(g, 4)
      local text = json.encode(written(value), g:int(0, 1) == 1 and { indent = 1 } or nil)
      if not same(value, read(text)) then return text end
    end)
  end)

  it("reads damaged text as a value or refuses it with an offset in it", function()
    gen.property("damage", 5000, function(g)
      local text = json.encode(written(value_of(g, 3)))
      local at = g:int(1, #text)
      text = text:sub(1, at - 1) .. string.char(g:int(0, 255)):rep(g:int(0, 2))
          .. text:sub(at + g:int(0, 2))
      local fine, why = pcall(read, text)
      local offset = not fine and tonumber(why:match "^json: .* at offset (%d+)$")
      if not fine and not (offset and offset <= #text) then return text .. "\n" .. why end
    end)
  end)

  it("reads numbers as Lua does, of any length", function()
    for _, text in ipairs { "0", "-0", "123456789012345678", "-999999999999999999",
      "1000000000000000000", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
      "-9223372036854775809", "1e5", "1.5", "0." .. ("3"):rep(200), ("7"):rep(300), "-0.0" } do
      local got = read("[" .. text .. "]")[1]
      assert.is_true(got == tonumber(text) and math.type(got) == math.type(tonumber(text)), text)
    end
  end)

  it("does not read on behind the end", function()
    for _, text in ipairs { "-", "1.", "1e", '"\\', '"\\u', '"\\u12', "tru", "[", '{"a',
                            '{"a":' } do
      assert.is_false((pcall(read, text)))
      assert.is_false((pcall(read, (text .. "\0"))))
    end
  end)

  it("keeps no room in objects that are empty", function()
    local function bytes(text)
      collectgarbage()
      local before = collectgarbage "count"
      local value = read(text)
      local after = collectgarbage "count"
      assert.is_table(value)
      return (after - before) * 1024
    end
    local members = {}
    for i = 1, 16 do members[i] = ('"%d":0'):format(i) end
    local none = ("{},"):rep(1000)
    collectgarbage "stop"
    local plain = bytes("[" .. none .. "0]")
    local behind = bytes("[{" .. table.concat(members, ",") .. "}," .. none .. "0]")
    collectgarbage "restart"
    assert.is_true(behind < plain + 4096, behind .. " " .. plain)
  end)

  it("marks lists with what it is given, and takes that for null", function()
    local value = read '{"a":[null],"b":{}}'
    assert.is_true(getmetatable(value.a) == List and value.a[1] == null)
    assert.is_nil(getmetatable(value.b))
    assert.is_false(core.json_read("null", List, false))
  end)

  it("reads what a layout may read, which pays for it", function()
    local foreign = require "spec.support.foreign"
    assert.equal("1 json: a value expected at offset 1\n", foreign.printed [[
      print(tidal.json.decode '{"a":[1]}'.a[1], select(2, pcall(tidal.json.decode, "[")))]]
      :gsub("\t", " "))
    assert.matches("^instruction budget used up at [^\n]*:2;", foreign.refused [[
      local text = (" "):rep(1 << 24) .. "1"
      for _ = 1, 1000 do tidal.json.decode(text) end]])
    assert.is_function(reader.decode)
  end)
end)
