-- Reads XML strictly, and the subset of HTML that our pages are written in:
-- every element closed, every attribute quoted, known entities only.
--
-- node = { name =, attrs = { [name] = text }, kids = nodes, text = text in it }
local M = {}

local VOID <const> = { meta = true, input = true, br = true }
local ENTITIES <const> = { amp = "&", lt = "<", gt = ">", quot = '"', ["#39"] = "'",
                           ["#9664"] = "<", ["#9654"] = ">" }

local function plain(text, at)
  assert(not text:find "<", "a bare < at " .. at)
  return (text:gsub("&([^;&]*);?", function(name)
    return assert(ENTITIES[name], "&" .. name .. " at " .. at)
  end))
end

local function attributes(text, at)
  local out, behind = {}, 1
  while true do
    local name, value, next_at = text:match("^%s+([%w:-]+)=\"([^\"]*)\"()", behind)
    if not name then break end
    assert(out[name] == nil, name .. " twice at " .. at)
    out[name] = plain(value, at)
    behind = next_at
  end
  local rest = text:sub(behind)
  assert(rest == "" or rest:find "^%s*$", "attributes at " .. at .. ": " .. text)
  return out
end

-- The end of a tag: quotes may hold a >, ours never do.
local function one_tag(text, at, stack)
  local close, name, attrs, empty, behind = text:match("^<(/?)([%a][%w]*)([^<>]-)(/?)>()", at)
  assert(name, "no tag at " .. at .. ": " .. text:sub(at, at + 40))
  if close == "/" then
    local node = table.remove(stack)
    assert(node.name == name, ("</%s> closes <%s> at %d"):format(name, node.name, at))
    return behind
  end
  local node = { name = name, attrs = attributes(attrs, at), kids = {}, text = "" }
  table.insert(stack[#stack].kids, node)
  if empty == "" and not VOID[name] then stack[#stack + 1] = node end
  return behind, node
end

---The root of a document; raises what is wrong with it.
function M.read(text)
  assert(utf8.len(text), "not UTF-8")
  assert(not text:find "[%z\1-\8\11\12\14-\31\127]", "a control character")
  local root = { name = "", kids = {}, text = "", attrs = {} }
  local stack, at = { root }, 1
  text = text:gsub("^<!DOCTYPE html>\n", "")
  while at <= #text do
    local open = text:find("<", at, true) or #text + 1
    local top = stack[#stack]
    top.text = top.text .. plain(text:sub(at, open - 1), at)
    at = open
    if at <= #text then
      local node
      at, node = one_tag(text, at, stack)
      if node and (node.name == "style" or node.name == "script") then
        local stop = assert(text:find("</" .. node.name, at, true))
        node.text, at = text:sub(at, stop - 1), stop
      end
    end
  end
  assert(#stack == 1, stack[#stack].name .. " is not closed")
  return root
end

---Every node below one that fits, in order of the document.
---@param node table
---@param name string? element name
---@param class string? one of its classes
function M.find(node, name, class)
  local out = {}
  local function visit(one)
    for _, kid in ipairs(one.kids) do
      local classes = " " .. (kid.attrs.class or "") .. " "
      if (not name or kid.name == name)
         and (not class or classes:find(" " .. class .. " ", 1, true)) then
        out[#out + 1] = kid
      end
      visit(kid)
    end
  end
  visit(node)
  return out
end

---The text in a node and all below it.
function M.text(node)
  local out = { node.text }
  for _, kid in ipairs(node.kids) do out[#out + 1] = M.text(kid) end
  return table.concat(out, " ")
end

return M
