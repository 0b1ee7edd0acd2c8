-- tidal-lua route LAYOUT ID... | -
-- Prints "0x000000000000002a s0" a line; `-` reads ids from standard input,
-- one a line. Ids given as arguments are all checked before any is printed.
local core = require "tidal.core"
local options = require "tidal.cli.options"
local ranges = require "tidal.cluster.ranges"

local M = {}

local SYNOPSIS <const> = "route LAYOUT ID... | -"

local function line_of(route, id)
  return ("%s s%d\n"):format(core.u64.hex(id), route(id))
end

-- A line of standard input without its line feed; nil at the end.
local function next_line(input)
  local line, why = input:read "l"
  if not line and why then options.fail("standard input: %s", why) end
  return line
end

local function route_stream(route, input)
  local n = 0
  for line in next_line, input do
    n = n + 1
    local word = line:match "^%s*(.*%S)" or ""
    local fine, id = pcall(core.u64.parse, word)
    if fine then
      io.stdout:write(line_of(route, id))
    elseif word ~= "" then
      options.fail("standard input:%d: %s", n, ranges.id_fault(word))
    end
  end
end

---Prints one line an id.
---@param args string[]
---@return integer status
function M.run(args)
  local opts, rest = options.parse(args, options.with_layout {}, SYNOPSIS)
  options.expect(rest, 2, nil, SYNOPSIS)
  local route = options.layout(rest[1], opts).router:bind()
  if rest[2] == "-" and #rest == 2 then
    route_stream(route, io.stdin)
    return 0
  end
  local ids = {}
  for i = 2, #rest do
    local fine, id = pcall(core.u64.parse, rest[i])
    if not fine then
      options.fail("argument %d: %s", i, ranges.id_fault(rest[i]))
    end
    ids[i - 1] = id
  end
  for _, id in ipairs(ids) do io.stdout:write(line_of(route, id)) end
  return 0
end

return M
