-- A locale whose numbers have a comma, for glibc and wherever there is none.
local cli = require "spec.support.cli"
local lfs = require "lfs"

local M = {}

-- What localedef makes of decimal_point "," and thousands_sep ".": the offsets
-- of six fields, and they.
local NUMERIC <const> = "\x14\x11\x03\x20" .. string.pack("<I4I4I4I4I4I4I4", 6, 32, 34, 36, 40, 44,
                                                          48)
                     .. ",\0.\0\3\3\0\0,\0\0\0.\0\0\0ANSI_X3.4-1968\0"

---Runs a script of Lua in it. Returns what it prints; raises where it fails.
---@param text string
---@return string
function M.printed(text)
  local dir = os.tmpname()
  os.remove(dir)
  assert(lfs.mkdir(dir) and lfs.mkdir(dir .. "/comma"))
  local file = assert(io.open(dir .. "/comma/LC_NUMERIC", "wb"))
  file:write(NUMERIC)
  file:close()
  local code, out, err = cli.run({ "-" }, {
    stdin = 'assert(os.setlocale("comma", "numeric") and ("%.1f"):format(0.5) == "0,5")\n'
            .. text, env = { LOCPATH = dir },
  })
  os.remove(dir .. "/comma/LC_NUMERIC")
  assert(lfs.rmdir(dir .. "/comma") and lfs.rmdir(dir))
  assert(code == 0, err)
  return out
end

return M
