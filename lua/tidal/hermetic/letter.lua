-- What the host and a cell say to each other: lists of texts, written and
-- read here for both sides.
--
--   host                       cell
--   run PATH TEXT BUDGET       need NAME | one of the ends below
--   have PATH TEXT | none WHY  the same
--   check BRIEF ...            verdicts VERDICTS ... | raised | spent | broken,
--                              after parts (hermetic/brief.lua)
--
--   ends: layout NOTES FILE VERDICTS STATE     what the script returned
--         fault NOTES CODE MESSAGE FAULTS      an error object of tidal
--         raised NOTES TEXT                    anything else it raised
--         spent NOTES WHY                      a budget was used up
--
-- A cell runs foreign code: what comes from it is data that may lie. Reader
-- methods raise an error object (code "isolation") for what is not in the
-- one accepted form. A layout is built anew: what routes comes from its
-- published text (FORMAT.md 5), which C decodes and checks, and the names
-- stand beside it.
local core = require "tidal.core"
local layout = require "tidal.cluster.layout"

local M = {}

local NODES_MAX <const> = 4194304
local NAME_BYTES_MAX <const> = 64
local FAULTS_MAX <const> = 10000
local SHARDS_MAX <const> = 65536

local function refuse(form, ...)
  error(core.error {
    code = "isolation",
    message = "a layout's process gave an answer that is none: "
              .. form:format(...),
  }, 0)
end

---Foreign text for a terminal: no control characters but tabs and line
---feeds.
function M.shown(text)
  return (text:gsub("[^\t\n\x20-\x7e\x80-\xff]", "?"))
end

-- --- reading --------------------------------------------------------------

local Reader = {}
Reader.__index = Reader

---Reads the texts of a parcel in turn.
---@param list string[]
function M.reader(list)
  return setmetatable({ list = list, at = 0 }, Reader)
end

---The next text.
function Reader:text()
  self.at = self.at + 1
  return self.list[self.at] or refuse("it has %d texts", #self.list)
end

---The next text as a decimal number of at most `most`.
function Reader:number(most)
  local text = self:text()
  local number = text:find "^%d%d?%d?%d?%d?%d?%d?%d?%d?%d?$"
                 and math.tointeger(tonumber(text))
  if number and number <= most then return number end
  refuse("text %d is no number up to %d", self.at, most)
end

---True for "1", false for "0".
function Reader:flag()
  return self:number(1) == 1
end

---Raises unless everything was read.
function Reader:finish()
  if self.at ~= #self.list then refuse("%d texts are left over",
                                       #self.list - self.at) end
end

-- --- layouts --------------------------------------------------------------

local function is_name(text)
  return #text <= NAME_BYTES_MAX and text:find "^[%w._-]+$" ~= nil
end

local function take_name(reader)
  local name = reader:text()
  return is_name(name) and name or refuse("text %d is no name", reader.at)
end

---Leaders as text: two bytes a shard, or "all".
function M.put_leaders(leaders, shards)
  if leaders == "all" then return "all" end
  local out = {}
  for s = 0, shards - 1 do out[s + 1] = string.pack("<I2", leaders[s]) end
  return table.concat(out)
end

---The leaders that put_leaders wrote, checked.
function M.take_leaders(text, shards, regions)
  if text == "all" then return text end
  if #text ~= 2 * shards then refuse "its leaders are not one a shard" end
  local out = {}
  for s = 0, shards - 1 do
    local region = string.unpack("<I2", text, 2 * s + 1)
    if region >= regions then refuse("s%d is led by r%d", s, region) end
    out[s] = region
  end
  return out
end

-- Numbers up to 2^63-1, eight bytes each; -1 for one that is not known.
local function put_numbers(first, last, number)
  local out = {}
  for i = first, last do
    out[#out + 1] = string.pack("<i8", number(i) or -1)
  end
  return table.concat(out)
end

-- Calls visit(i, number) for each that is known, i from 0.
local function take_numbers(text, count, visit)
  if #text ~= 8 * count then refuse("%d numbers expected", count) end
  for i = 0, count - 1 do
    local number = string.unpack("<i8", text, 8 * i + 1)
    if number < -1 then refuse("a number is %d", number) end
    if number >= 0 then visit(i, number) end
  end
end

---Adds what a layout is, without its rules.
---@param out string[]
function M.put_state(out, made)
  table.move({ made:text(), M.put_leaders(layout.leaders(made), made.shards),
               made.name, tostring(made.shards) }, 1, 4, #out + 1, out)
  for _, region in ipairs(made.regions) do out[#out + 1] = region.name end
end

local function check_state(fields)
  if fields.router:strategy() == "single" and fields.shards ~= 1 then
    refuse("single() over %d shards", fields.shards)
  end
  if #fields.regions * fields.shards > NODES_MAX then
    refuse("%d regions x %d shards", #fields.regions, fields.shards)
  end
end

-- While shards are added or removed, hashes have fewer of them.
local function take_shards(reader, found)
  local shards = reader:number(SHARDS_MAX)
  local hashed = found.router:strategy() == "hash"
  if shards == found.shards or hashed and shards > found.shards then
    return shards
  end
  refuse("%d shards, its routing has %d", shards, found.shards)
end

---The layout that put_state wrote, checked.
---@param rules table[] of tidal.rules, which become the layout's
---@param file? string
function M.take_state(reader, rules, file)
  local text, leaders = reader:text(), reader:text()
  local found, err = core.layout(text)
  if not found then refuse("%s", err.message) end
  local regions, name = {}, take_name(reader)
  local shards = take_shards(reader, found)
  for i = 1, found.regions do
    regions[i] = { id = i - 1, name = take_name(reader) }
  end
  local fields = {
    name = name, epoch = found.epoch, regions = regions, rules = rules,
    shards = shards, router = found.router, file = file,
    leaders = M.take_leaders(leaders, shards, #regions),
  }
  check_state(fields)
  return layout.new(fields)
end

---Adds what was seen, if that is known: bytes by region, events by shard or an
---empty text, copies that are lost by shard or an empty text.
function M.put_load(out, made)
  local load, regions = made.load, made.regions
  if not load then return end
  out[#out + 1] = put_numbers(1, #regions, function(i)
    return load.regions[regions[i].name]
  end)
  for _, counts in ipairs { load.shards or false, load.absent or false } do
    out[#out + 1] = counts and put_numbers(0, made.shards - 1, function(s)
      return counts[s]
    end) or ""
  end
end

---The layout with the load that put_load wrote behind it; as it is where
---nothing is left.
function M.take_load(reader, made)
  if reader.at == #reader.list then return made end
  local load = { regions = {} }
  take_numbers(reader:text(), #made.regions, function(i, bytes)
    load.regions[made.regions[i + 1].name] = bytes
  end)
  for _, key in ipairs { "shards", "absent" } do
    local text, counts = reader:text(), {}
    if text ~= "" then
      take_numbers(text, made.shards, function(s, n) counts[s] = n end)
      load[key] = counts
    end
  end
  return made:with_load(load)
end

-- --- verdicts and faults --------------------------------------------------

local function same_verdicts(a, b)
  if #a ~= #b then return false end
  for i, verdict in ipairs(a) do
    local other = b[i]
    if verdict.ok ~= other.ok or verdict.why ~= other.why
       or verdict.name ~= other.name then return false end
  end
  return true
end

---Adds verdicts of rules.
---@param out string[]
---@param verdicts table[] of tidal.rules.judge
---@param before? table[] those that were added before: the same are "="
function M.put_verdicts(out, verdicts, before)
  if before and same_verdicts(verdicts, before) then
    out[#out + 1] = "="
    return
  end
  out[#out + 1] = tostring(#verdicts)
  for _, verdict in ipairs(verdicts) do
    table.move({ verdict.name, verdict.ok and "1" or "0",
                 verdict.why or "" }, 1, 3, #out + 1, out)
  end
end

---The verdicts that put_verdicts wrote.
---@param reader table
---@param before? table[] those that were read before
---@return table[] verdicts
function M.take_verdicts(reader, before)
  if before and reader.list[reader.at + 1] == "=" then
    reader.at = reader.at + 1
    return before
  end
  local out = {}
  for i = 1, reader:number(#reader.list) do
    local name, ok = M.shown(reader:text()), reader:flag()
    local why = M.shown(reader:text())
    out[i] = { name = name, ok = ok, why = not ok and why or nil }
  end
  return out
end

---Adds an error object with its faults.
function M.put_error(out, err)
  local faults = err.faults or {}
  local count = math.min(#faults, FAULTS_MAX)
  local code = err.code == nil and "script" or tostring(err.code)
  table.move({ code, tostring(err), tostring(count) }, 1, 3, #out + 1, out)
  for i = 1, count do
    local fault = faults[i]
    table.move({ tostring(fault.path or ""), tostring(fault.message),
                 tostring(fault.file or ""), tostring(fault.line or 0) },
               1, 4, #out + 1, out)
  end
end

local function take_fault(reader)
  local path, message = M.shown(reader:text()), M.shown(reader:text())
  local file = M.shown(reader:text())
  local line = reader:number(0x7fffffff)
  return { path = path, message = message, file = file ~= "" and file or nil,
           line = line > 0 and line or nil }
end

---The error object that put_error wrote.
function M.take_error(reader)
  local code, message = reader:text(), M.shown(reader:text())
  if not code:find "^[%l_]+$" then refuse "its code is no word" end
  local faults = {}
  for i = 1, reader:number(FAULTS_MAX) do faults[i] = take_fault(reader) end
  return core.error {
    code = code, message = message, faults = #faults > 0 and faults or nil,
  }
end

return M
