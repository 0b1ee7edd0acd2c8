-- Markup, the writing side of SVG and HTML: whatever text comes in, what goes
-- out is well-formed and holds nothing but that text.
local M = {}

local ENTITIES <const> = {
  ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;",
  ["'"] = "&#39;",
}
local UNKNOWN <const> = "\u{fffd}"
local PLAIN <const> = "^[\32-\126]*$"

-- Code points that XML cannot hold, and those that turn the reading order.
local function is_unfit(code)
  return code < 0x20 and code ~= 9 and code ~= 10 and code ~= 13
      or code >= 0x7f and code < 0xa0
      or code >= 0xd800 and code < 0xe000
      or code >= 0x202a and code <= 0x202e
      or code >= 0x2066 and code <= 0x2069
      or code & 0xfffe == 0xfffe or code > 0x10ffff
end

---The text as UTF-8 that can be shown; what cannot is U+FFFD.
---@param text string
---@return string
function M.clean(text)
  if text:find(PLAIN) then return text end
  local out, at = {}, 1
  while at <= #text do
    local _, bad = utf8.len(text, at)
    local part = text:sub(at, bad and bad - 1)
    out[#out + 1] = part
    if not bad then break end
    out[#out + 1] = UNKNOWN
    at = bad + 1
  end
  return (table.concat(out):gsub(utf8.charpattern, function(char)
    if is_unfit(utf8.codepoint(char)) then return UNKNOWN end
  end))
end

---A text as it may stand in an element or between the quotes of an attribute.
---@param text string
---@return string
function M.escape(text)
  return (M.clean(text):gsub("[&<>\"']", ENTITIES))
end

---The first characters of a text, with an ellipsis if some are left out.
---@param text string
---@param most integer characters, at least 2
function M.shorten(text, most)
  text = M.clean(text)
  if utf8.len(text) <= most then return text end
  return text:sub(1, utf8.offset(text, most) - 1) .. "…"
end

---A coordinate: at most two digits behind the point, no -0.
function M.number(value)
  local text = ("%.2f"):format(value):gsub("%.?0+$", "")
  return text == "-0" and "0" or text
end

---Fills {name} in a form: numbers as coordinates, texts escaped; what is
---markup already is given as a field of `raw`.
---@param form string
---@param values { [string]: string|number }
---@param raw? { [string]: string }
function M.fill(form, values, raw)
  return (form:gsub("{([%l_]+)}", function(name)
    local markup = raw and raw[name]
    if markup then return markup end
    local value = values[name]
    if type(value) == "number" then return M.number(value) end
    return M.escape(value or error("nothing for {" .. name .. "}"))
  end))
end

return M
