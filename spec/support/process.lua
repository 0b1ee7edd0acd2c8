-- Processes of the host that run while a spec goes on.
local cli = dofile "spec/support/cli.lua"

local M = {}

local Process = {}
Process.__index = Process

---Starts tidal-lua; its standard error goes to a file.
---@param words string[]
---@param err string path
function M.start(words, err)
  local quoted = {}
  for i, word in ipairs(words) do quoted[i] = "'" .. word .. "'" end
  local pipe = io.popen(("echo $$; exec '%s' %s 2>'%s'"):format(
    cli.tidal, table.concat(quoted, " "), err))
  return setmetatable({ pid = pipe:read "l", pipe = pipe }, Process)
end

---Sends it a signal, "KILL" or "INT", after so many seconds; it may be gone.
function Process:signal(name, seconds)
  os.execute(("sleep %.3f; kill -%s %s 2>/dev/null"):format(seconds or 0, name, self.pid))
end

---Waits for its end: exit status (128 + n for signal n), output.
function Process:finish()
  local out = self.pipe:read "a"
  local _, how, code = self.pipe:close()
  return how == "signal" and 128 + code or code, out
end

return M
