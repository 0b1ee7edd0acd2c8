-- A real browser, where there is one: what a page has become in it.
local script = require "spec.support.script"

local M = {}

local function find()
  for _, name in ipairs { "chromium", "chromium-browser", "google-chrome" } do
    local pipe = io.popen("command -v " .. name .. " 2>/dev/null")
    local path = pipe:read "l"
    pipe:close()
    if path then return path end
  end
end

M.program = find()

local FLAGS <const> = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run "
  .. "--disable-background-networking --hide-scrollbars"

---The document after it was loaded, as text.
---@param page string HTML
---@param hash? string "#step-2"
function M.dom(page, hash)
  return script.within({ ["page.html"] = page }, function(dir)
    os.execute("mkdir " .. dir .. "/profile")
    local pipe = io.popen(("timeout 120 %s %s --user-data-dir=%s/profile --dump-dom "
      .. "'file://%s/page.html%s' 2>%s/errors"):format(M.program, FLAGS, dir, dir, hash or "", dir))
    local dom = pipe:read "a"
    local done = pipe:close()
    os.execute("rm -rf " .. dir .. "/profile")
    if not done or not dom:find("</html>", 1, true) then
      local errors = io.open(dir .. "/errors"):read "a"
      error("the browser gave no document: " .. errors:sub(1, 2000), 0)
    end
    return dom
  end)
end

return M
