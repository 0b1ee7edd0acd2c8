-- Bytes as text and back.
local M = {}

---"54 49 44 4c" -> bytes; blanks and "; comments" are passed over.
function M.decode(text)
  local digits = text:gsub(";[^\n]*", ""):gsub("%s+", "")
  assert(#digits % 2 == 0 and not digits:find "%X", "not hex: " .. text)
  return (digits:gsub("%x%x", function(pair) return string.char(tonumber(pair, 16)) end))
end

---Bytes -> hex digits.
function M.encode(bytes)
  return (bytes:gsub(".", function(c) return ("%02x"):format(c:byte()) end))
end

---The bytes with `put` in the place of those from offset `at` (from 0) on.
function M.put(bytes, at, put)
  return bytes:sub(1, at) .. put .. bytes:sub(at + #put + 1)
end

---The bytes with one bit turned over; bit 0 is the lowest of byte 0.
function M.flip(bytes, bit)
  local at = bit // 8
  return M.put(bytes, at, string.char(bytes:byte(at + 1) ~ 1 << bit % 8))
end

---Where two strings differ: "", or a line for a message.
function M.difference(expected, got)
  if expected == got then return "" end
  local at = 1
  while expected:byte(at) == got:byte(at) do at = at + 1 end
  return ("%d and %d bytes, they differ at offset %d: %s is %s"):format(
    #expected, #got, at - 1, M.encode(expected:sub(at, at + 7)), M.encode(got:sub(at, at + 7)))
end

return M
