-- "Did you mean ...?": the known word nearest to one that is not known.
local M = {}

local WORD_MAX <const> = 64  -- bytes; who writes more means something else

-- Letters to insert, drop, change or swap with a neighbour (optimal string
-- alignment distance).
local function distance(a, b)
  local rows = { [0] = {} }
  for j = 0, #b do rows[0][j] = j end
  for i = 1, #a do
    local row = { [0] = i }
    rows[i] = row
    for j = 1, #b do
      local same = a:byte(i) == b:byte(j)
      row[j] = math.min(rows[i - 1][j] + 1, row[j - 1] + 1,
                        rows[i - 1][j - 1] + (same and 0 or 1))
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1)
         and a:byte(i - 1) == b:byte(j) then
        row[j] = math.min(row[j], rows[i - 2][j - 2] + 1)
      end
    end
  end
  return rows[#a][#b]
end

---The word of the list nearest to `word`, if it is near: at most a third of
---its letters away. Ties go to the first.
---@param word string
---@param list string[]
---@return string? word
function M.nearest(word, list)
  local best, best_distance = nil, math.max(1, #word // 3) + 1
  if #word > WORD_MAX then return nil end
  for _, known in ipairs(list) do
    local d = distance(word, known)
    if d < best_distance then best, best_distance = known, d end
  end
  return best
end

---" (did you mean 'weight'?)", or nothing.
---@param word string
---@param list string[]
function M.unknown(word, list)
  local near = M.nearest(word, list)
  return near and (" (did you mean '%s'?)"):format(near) or ""
end

---Makes reading an unknown name of a module an error that names the nearest
---one, instead of nil.
---@param module table
---@param name string what scripts call it
---@return table module
function M.guard(module, name)
  local known = {}
  for key in next, module do known[#known + 1] = key end
  table.sort(known)
  return setmetatable(module, {
    __index = function(_, key)
      error(("%s has no '%s'%s; there are: %s"):format(
        name, tostring(key), M.unknown(tostring(key), known),
        table.concat(known, " ")), 2)
    end,
  })
end

return M
