-- The files that a layout may be made of: its script and what that requires,
-- read by the host, below the script's folder.
--
-- A name is one or more words of [a-z0-9_] between dots; "a.b" is a/b.lua or
-- a/b/init.lua. Links are followed as long as they end below the folder.
local M = {}

local SCRIPT_BYTES_MAX <const> = 262144
local MODULES_MAX <const> = 64
local TOTAL_BYTES_MAX <const> = 2097152

M.SCRIPT_BYTES_MAX = SCRIPT_BYTES_MAX

local Modules = {}
Modules.__index = Modules

---@param script string path of the layout's script
---@param read_below fun(folder, name, most): string?, string? of the host
function M.new(script, read_below)
  return setmetatable({
    folder = script:match "^(.*/)[^/]*$" or "", read_below = read_below,
    count = 0, bytes = 0,
  }, Modules)
end

local function is_name(name)
  return name:find "^[a-z0-9_.]+$" ~= nil and not ("." .. name .. ".")
         :find("..", 1, true)
end

local WHY <const> = {
  outside = "is a link that leads out of the script's folder",
  ["too large"] = ("has more than %d bytes"):format(SCRIPT_BYTES_MAX),
}

-- The text of folder/name; nil, and why unless there is no such file.
local function read(self, name)
  local folder = self.folder == "" and "." or self.folder
  local text, why = self.read_below(folder, name, SCRIPT_BYTES_MAX)
  if text or why == "absent" then return text end
  return nil, ("%s%s %s"):format(self.folder, name, WHY[why] or "cannot be "
                                 .. "read: " .. why)
end

local function admit(self, text)
  self.count, self.bytes = self.count + 1, self.bytes + #text
  if self.count > MODULES_MAX then
    return ("more than %d modules"):format(MODULES_MAX)
  elseif self.bytes > TOTAL_BYTES_MAX then
    return ("the modules have more than %d bytes"):format(TOTAL_BYTES_MAX)
  end
end

---The file of a module.
---@param name string what require was given
---@return string? path, string text or why there is none
function Modules:find(name)
  if not is_name(name) then
    return nil, "a name is made of a-z, 0-9 and _, with dots between"
  end
  local slashed = name:gsub("%.", "/")
  local tried = {}
  for i, ending in ipairs { ".lua", "/init.lua" } do
    local text, why = read(self, slashed .. ending)
    if not text and why then return nil, why end
    if text then
      why = admit(self, text)
      if why then return nil, why end
      return self.folder .. slashed .. ending, text
    end
    tried[i] = self.folder .. slashed .. ending
  end
  return nil, ("there is no %s and no %s"):format(tried[1], tried[2])
end

return M
