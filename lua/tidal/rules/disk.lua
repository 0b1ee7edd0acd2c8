-- The ready rule disk: what each region's logs may hold, in bytes.
--
-- It reads layout.load, which is there once logs have been weighed: what is
-- not known breaks no rule.
local amount = require "tidal.amount"
local arguments = require "tidal.rules.arguments"
local faults = require "tidal.faults"

local M = {}

local function read_size(text)
  local bytes, why = amount.read(text, "size")
  if not bytes then return nil, faults.shown(text) .. " " .. why end
  if bytes == 0 then return nil, faults.shown(text) .. " is not above 0" end
  return { bytes = bytes, text = text }
end

---{ region = "2TB", ... }
function M.disk(given)
  local list, bad = arguments.by_region(
    given, "sizes by region, { [\"us-east\"] = \"2TB\" }", read_size)
  if not list then return nil, bad end
  local words = {}
  for i, pair in ipairs(list) do words[i] = pair[1] .. " " .. pair[2].text end
  return ("disk(%s)"):format(table.concat(words, ", ")), function(layout)
    local held = layout.load and layout.load.regions or {}
    for _, pair in ipairs(list) do
      local name, size = pair[1], pair[2]
      local region, why = arguments.region(layout, name)
      if not region then return false, why end
      local bytes = held[name]
      if bytes and bytes > size.bytes then
        return false, ("%s holds %s in %d shard%s, %s more than its disk of "
          .. "%s: give it a larger disk, or remove logs that every region has")
          :format(name, amount.bytes(bytes), layout.shards,
                  layout.shards == 1 and "" or "s",
                  amount.bytes(bytes - size.bytes), size.text)
      end
    end
    return true
  end
end

return M
