-- tidal-lua prove LAYOUT
local options = require "tidal.cli.options"
local prove = require "tidal.inspect.prove"

local M = {}

local SYNOPSIS <const> = "prove LAYOUT"

---Prints the proof. Status 1 if the routing is not total and unique.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, options.with_layout {}, SYNOPSIS)
  options.expect(rest, 1, 1, SYNOPSIS)
  local proof = prove.prove(options.layout(rest[1], opts))
  print(prove.text(proof))
  return proof.ok and 0 or 1
end

return M
