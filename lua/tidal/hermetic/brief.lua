-- A layout in brief: what most rules read, in a few bytes. Its routing, the
-- leader of each shard and what logs showed are parts, which a cell asks for
-- when a rule reads them: with 65,535 shards they are megabytes.
--
--   host                       cell
--   check BRIEF ...            part N NAME | verdicts VERDICTS ... | an end
--   part TEXT ...              the same
--   same                       the same: the routing is the one sent last
--   none WHY                   the same: it cannot be made
--
-- Part N NAME is asked for the N-th of the layouts. Verdicts are as many as
-- one question's budget lasted for, at least the first layout's.
--
-- BRIEF is: name, epoch, shards, the regions' names with a line feed behind
-- each, "1" where a load is known, leads (four bytes a region, or "all"). All
-- but the leads are "=" instead where the layout before has the same, as most
-- on the way of a plan do.
-- What is written here is the host's and is believed; a cell's word for a
-- part is looked up, never run.
local core = require "tidal.core"
local layout = require "tidal.cluster.layout"
local letter = require "tidal.hermetic.letter"

local M = {}

local EPOCH_MAX <const> = 0xffffffff
local SHARDS_MAX <const> = 65536

-- Names of regions as one text, by list: layouts on the way share theirs.
local texts = setmetatable({}, { __mode = "k" })

local function names_text(regions)
  local text = texts[regions]
  if not text then
    local names = {}
    for i, region in ipairs(regions) do names[i] = region.name .. "\n" end
    text = table.concat(names)
    texts[regions] = text
  end
  return text
end

local function leads_text(made, regions)
  if made:all_lead() then return "all" end
  local out = {}
  for r = 0, regions - 1 do
    out[r + 1] = string.pack("<I4", made:leads(r))
  end
  return table.concat(out)
end

-- Whether two layouts, given by their fields, differ in leaders and routing
-- at most.
local function are_alike(a, b)
  return a.regions == b.regions and a.epoch == b.epoch
     and a.shards == b.shards and (a.load == nil) == (b.load == nil)
     and a.name == b.name
end

---Adds a layout in brief.
---@param out string[]
---@param made table
---@param before? table the layout that was added to `out` before it
function M.put(out, made, before)
  local fields = layout.fields(made)
  if before and are_alike(fields, layout.fields(before)) then
    out[#out + 1] = "="
  else
    table.move({
      fields.name, tostring(fields.epoch), tostring(fields.shards),
      names_text(fields.regions), fields.load and "1" or "0",
    }, 1, 5, #out + 1, out)
  end
  out[#out + 1] = leads_text(made, #fields.regions)
end

local PARTS <const> = {
  routing = function(made, sent)
    if rawequal(made.router, sent[1]) then return { "same" } end
    local text = made:text()
    sent[1] = made.router
    return { "part", text }
  end,
  leaders = function(made)
    return { "part", letter.put_leaders(layout.leaders(made), made.shards) }
  end,
  load = function(made)
    local out = { "part" }
    letter.put_load(out, made)
    return out
  end,
}

---The part of a layout that a cell asks for; nil for what is none.
---@param made table
---@param name string
---@param sent table the cell's routing, { router } or empty
---@return string[]? answer
function M.part(made, name, sent)
  local make = PARTS[name]
  if not make then return nil end
  local fine, answer = pcall(make, made, sent)
  return fine and answer or { "none", tostring(answer) }
end

-- --- in the cell ----------------------------------------------------------

local last = {}  -- what the layout before had: regions, router, head

local function regions_of(text)
  if last.names ~= text then
    local regions = {}
    for name in text:gmatch "[^\n]+" do
      regions[#regions + 1] = { id = #regions, name = name }
    end
    last.names, last.regions = text, regions
  end
  return last.regions
end

-- What is not its leaders, the same table where the layout before has it.
local function head_of(reader)
  local name = reader:text()
  if name == "=" then return last.head end
  last.head = {
    name = name, epoch = reader:number(EPOCH_MAX),
    shards = reader:number(SHARDS_MAX), regions = regions_of(reader:text()),
    loaded = reader:flag(),
  }
  return last.head
end

local function take_leads(text, regions)
  if text == "all" then return nil end
  local leads = {}
  for r = 0, regions - 1 do leads[r] = string.unpack("<I4", text, 4 * r + 1) end
  return leads
end

-- What makes the parts when they are read.
local function makers_of(fields, fetch)
  return {
    router = function()
      local word, reader = fetch "routing"
      if word ~= "same" then
        last.router = assert(core.layout(reader:text())).router
      end
      return last.router
    end,
    leaders = function()
      local _, reader = fetch "leaders"
      return letter.take_leaders(reader:text(), fields.shards,
                                 #fields.regions)
    end,
    load = function()
      local _, reader = fetch "load"
      return letter.take_load(reader, layout.new(fields)).load
    end,
  }
end

---The layout that put wrote, under the rules of another.
---@param reader table of tidal.hermetic.letter
---@param like table its rules and file
---@param fetch fun(name: string): string, table word and reader of a part;
---  may raise
---@param aside fun(f): any calls what a script does not pay for
---@return table layout
function M.take(reader, like, fetch, aside)
  local head = head_of(reader)
  local fields = {
    name = head.name, epoch = head.epoch, shards = head.shards,
    regions = head.regions, rules = like.rules, file = like.file,
  }
  local leads = take_leads(reader:text(), #fields.regions)
  local makers = makers_of(fields, fetch)
  for name, make in next, makers do
    makers[name] = function() return aside(make) end
  end
  if not leads then fields.leaders = "all" end
  if not head.loaded then makers.load = nil end
  return layout.new(fields, makers, leads)
end

return M
