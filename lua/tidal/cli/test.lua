-- tidal-lua test [busted arguments]: busted inside the host, so that specs
-- run against what they test. Exit 0 if all are green.
local options = require "tidal.cli.options"

local M = {}

---Runs busted; a red spec ends the process with status 1.
---@param args string[]
---@return integer status
function M.run(args)
  local found, runner = pcall(require, "busted.runner")
  if not found then
    options.fail("busted is missing: apt-get install lua-busted\n%s", runner)
  end
  -- A .busted that names an interpreter would start that one instead.
  _G.arg = { [-1] = arg and arg[-1], [0] = "tidal-lua test", "--ignore-lua",
             table.unpack(args) }
  runner { standalone = false }  -- ends the process when a spec is red
  return 0
end

return M
