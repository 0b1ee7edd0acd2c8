-- How fast a migration may be: bytes a second of all of it, of each region's
-- directory (its node), and of each pair of regions that one hands logs to the
-- other (the link). Who was idle saves nothing up; nobody waits here: the
-- caller's clock decides.
local M = {}

local Pace = {}
Pace.__index = Pace

---@param rates { rate: integer?, node_rate: integer?, link_rate: integer? }
---  bytes a second; nil = no limit
function M.new(rates)
  return setmetatable({ rates = rates, free = {} }, Pace)
end

-- What a step uses, with its rate, where that is limited.
local function used(self, step)
  local rates, out = self.rates, {}
  local function use(key, rate)
    if rate then out[#out + 1] = { key = key, rate = rate } end
  end
  use("all", rates.rate)
  if step.region then use("node " .. step.region, rates.node_rate) end
  if step.target then
    use("node " .. step.target, rates.node_rate)
    use(("link %s %s"):format(step.region, step.target), rates.link_rate)
  end
  return out
end

---Seconds until a step may go on, 0 = now; nil where nothing limits it.
---@param step { region: string?, target: string? }
---@param now number seconds
---@return number?
function Pace:wait(step, now)
  local wait
  for _, one in ipairs(used(self, step)) do
    wait = math.max(wait or 0, (self.free[one.key] or now) - now)
  end
  return wait
end

---A step that began now has read so many bytes.
function Pace:spend(step, bytes, now)
  for _, one in ipairs(used(self, step)) do
    self.free[one.key] = math.max(self.free[one.key] or now, now)
                         + bytes / one.rate
  end
end

return M
