-- Where parts of a layout stand in its file, found again in the text of that
-- file. Bounds are compared: a line is named only if the range that stands
-- there is the one in question.
local origin = require "tidal.cluster.origin"
local source = require "tidal.source"
local text = require "tidal.text"

local M = {}

local Places = {}
Places.__index = Places

local function lines_of(whole)
  local out = {}
  for line in (whole .. "\n"):gmatch "(.-)\r?\n" do out[#out + 1] = line end
  return out
end

-- What of the line on which a text begins belongs to it, and whether it ends
-- there.
local function first_part(line)
  local opened = line:match "%[=*%[(.*)$"
  if opened then return opened end
  local quoted = line:match "[\"'](.*)[\"']"
  return quoted or line, quoted ~= nil
end

-- Ranges of a text: { [first] = { line =, last = } }.
local function from_text(lines, start)
  local out = {}
  for n = start, #lines do
    local part, ends = lines[n], false
    if n == start then part, ends = first_part(part) end
    local line, last = part:gsub("%]=*%].*$", "")
    for _, range in ipairs(text.ranges(line) or {}) do
      out[range.first] = { line = n, last = range.last }
    end
    if ends or last > 0 then break end
  end
  return out
end

-- The number that a line gives a key of a record, written out.
local function number_on(line, key)
  local word = line and line:match("%f[%w]" .. key .. "%s*=%s*[\"']?(%w+)")
  return word and text.id(word)
end

-- The same for a list of records.
local function from_records(lines, index)
  local out, i = {}, 1
  while index.lines[("routing[%d]"):format(i)] do
    local function at(key)
      local n = index:line(("routing[%d].%s"):format(i, key))
      return number_on(lines[n], key)
    end
    local first, last = at "first", at "last"
    if first and last then
      out[first] = { line = index:line(("routing[%d]"):format(i)),
                     last = last }
    end
    i = i + 1
  end
  return out
end

---The places of a layout; they are unknown where its file cannot be read.
---@param layout table
---@return table
function M.of(layout)
  local self = setmetatable({ file = layout.file, ranges = {}, rules = {} },
                            Places)
  local whole = origin.read(layout.file)
  if not whole then return self end
  local index, lines = source.scan(whole), lines_of(whole)
  local start = index.strings.routing
  self.ranges = start and from_text(lines, start)
             or from_records(lines, index)
  for i = 1, #layout.rules do
    self.rules[i] = index.lines[("rules[%d]"):format(i)]
  end
  return self
end

---The line of a range { first =, last = }, or nil.
function Places:range(range)
  local found = self.ranges[range.first]
  return found and found.last == range.last and found.line or nil
end

---The line of the i-th rule, or nil.
function Places:rule(i)
  return self.rules[i]
end

return M
