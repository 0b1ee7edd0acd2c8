-- A layout that never ends, and catches every error.
local function spin()
  while true do end
end
while true do pcall(spin) end
