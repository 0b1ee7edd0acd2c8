-- Seeded 64-bit numbers: chance is a parameter, so a seed repeats a run.
-- splitmix64 (Steele, Lea and Flood 2014), the same as base/prng.h.
local M = {}

---@param seed integer any
---@return fun(): integer next 64 random bits
function M.new(seed)
  local state = seed
  return function()
    state = state + 0x9e3779b97f4a7c15
    local z = state
    z = (z ~ (z >> 30)) * 0xbf58476d1ce4e5b9
    z = (z ~ (z >> 27)) * 0x94d049bb133111eb
    return z ~ (z >> 31)
  end
end

return M
