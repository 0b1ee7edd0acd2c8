-- Sums of events: { count =, low =, high = }, mod 2^128 of XXH3-128 over their
-- records. The same for the same events in any order.
local M = {}

M.none = { count = 0, low = 0, high = 0 }

---@param a table
---@param b table
function M.add(a, b)
  local low = a.low + b.low
  local carry = math.ult(low, a.low) and 1 or 0
  return { count = a.count + b.count, low = low,
           high = a.high + b.high + carry }
end

---a without b.
function M.sub(a, b)
  local borrow = math.ult(a.low, b.low) and 1 or 0
  return { count = a.count - b.count, low = a.low - b.low,
           high = a.high - b.high - borrow }
end

---Whether both are of the same events.
function M.eq(a, b)
  return a.count == b.count and a.low == b.low and a.high == b.high
end

---"3 events, sum 0123..."
function M.text(sum)
  return ("%d event%s with sum %016x%016x"):format(
    sum.count, sum.count == 1 and "" or "s", sum.high, sum.low)
end

return M
