-- Text for people: colour where a terminal shows it, columns, bars, and
-- progress for work that takes longer than a second.
--
-- Colour is on only for a terminal (TERM set and not "dumb") without
-- NO_COLOR; what goes into a pipe or a file holds no escape byte.
local text = require "tidal.text"

local M = {}

local CODES <const> = { bold = "1", dim = "2", red = "31", green = "32",
                        yellow = "33", blue = "34", magenta = "35",
                        cyan = "36" }

local Style = {}
Style.__index = Style

---@param colour boolean
function M.style(colour)
  return setmetatable({ colour = colour }, Style)
end

M.plain = M.style(false)

---@param tty boolean whether the stream is a terminal
---@param flag? "always"|"never"|"auto"
function M.style_for(tty, flag)
  if flag == "always" then return M.style(true) end
  local term = os.getenv "TERM"
  local fit = tty and term and term ~= "dumb" and flag ~= "never"
  return M.style(fit and (os.getenv "NO_COLOR" or "") == "" or false)
end

---The text in that colour, or as it is.
function Style:paint(name, s)
  if not self.colour then return s end
  return ("\27[%sm%s\27[0m"):format(CODES[name], s)
end

---"1 node", "15 nodes".
function M.count(n, noun)
  return ("%d %s%s"):format(n, noun, n == 1 and "" or "s")
end

---The rows of a long list: the first and the last, with one for the rest.
---@param list any[]
---@param most integer
---@param row fun(item, i): any
---@param rest fun(n: integer): any
function M.shorten(list, most, row, rest)
  local out, n = {}, #list
  local half = n > most and most // 2 or n
  for i = 1, half do out[i] = row(list[i], i) end
  if half == n then return out end
  out[half + 1] = rest(n - 2 * half)
  for i = n - half + 1, n do out[#out + 1] = row(list[i], i) end
  return out
end

-- Columns a text takes on the screen: escapes take none.
local function width(s)
  local bare = s:gsub("\27%[[%d;]*m", "")
  return utf8.len(bare) or #bare
end
M.width = width

local function pad(s, to, right)
  local fill = (" "):rep(to - width(s))
  return right and fill .. s or s .. fill
end

---Rows of cells as aligned lines.
---@param rows string[][]
---@param options? { right: table, indent: string, gap: string } right: set
---  of column numbers to align right
function M.columns(rows, options)
  options = options or {}
  local widths, right = {}, options.right or {}
  for _, row in ipairs(rows) do
    for i, cell in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, width(cell))
    end
  end
  local lines = {}
  for n, row in ipairs(rows) do
    local cells = {}
    for i, cell in ipairs(row) do cells[i] = pad(cell, widths[i], right[i]) end
    lines[n] = ((options.indent or "")
                .. table.concat(cells, options.gap or "  "))
               :gsub("%s+$", "")
  end
  return table.concat(lines, "\n")
end

---A share of 1 as a bar of `cells` columns.
function M.bar(share, cells)
  local eighths = math.floor(math.min(share, 1) * cells * 8 + 0.5)
  local full, part = eighths // 8, eighths % 8
  local bar = ("█"):rep(full)
  if part > 0 then bar = bar .. utf8.char(0x2590 - part) end
  return bar
end

---"20.00 %"
function M.percent(share)
  return ("%.2f %%"):format(share * 100)
end

---Shows done/total with rate and time left on a terminal, at most ten times
---a second and only after the first half second; silent elsewhere. Without a
---total, how far it is; a function for a total is asked when it is shown.
---@param stream file*
---@param tty boolean
---@param label string
---@param clock? fun(): number seconds; default os.clock
function M.progress(stream, tty, label, clock)
  clock = clock or os.clock
  if not tty then
    return { update = function() end, finish = function() end }
  end
  local start, shown, drawn = clock(), 0, false
  local function update(done, total)
    local now = clock()
    if now - start < 0.5 or now - shown < 0.1 then return end
    shown, drawn = now, true
    if type(total) == "function" then total = total() end
    local rate = done / (now - start)
    local per_second = text.bytes(math.floor(rate)) .. "/s"
    if total then
      local left = rate > 0 and (total - done) / rate or 0
      stream:write(("\r%s %s of %s, %s, %.0f s left\27[K"):format(
        label, text.bytes(done), text.bytes(total), per_second, left))
    else
      stream:write(("\r%s %s, %s\27[K"):format(label, text.bytes(done),
                                               per_second))
    end
    stream:flush()
  end
  local function finish()
    if drawn then stream:write "\r\27[K" end
  end
  return { update = update, finish = finish }
end

return M
