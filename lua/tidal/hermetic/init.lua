-- Layouts of scripts that are not trusted.
--
-- load(path) has the script run in a process of its own (host/cell.h), which
-- has no files, no network and no clock, only so many instructions and so
-- much memory, and answers with data. The layout that comes back is built
-- here, from that data, after C has checked it; its rules are functions of
-- the script, so they are asked where they live: the process stays until the
-- layout's rules are collected.
local core = require "tidal.core"
local brief = require "tidal.hermetic.brief"
local letter = require "tidal.hermetic.letter"
local modules = require "tidal.hermetic.modules"
local start = require "tidal.hermetic.start"

local M = {}

local INSTRUCTIONS <const> = 100000000
local TRUST <const> = "; --trust runs a layout in full Lua, without limits"

local function fail(code, form, ...)
  error(core.error { code = code, message = form:format(...) }, 0)
end

local function take_cell(host, path, opts)
  local made, child = pcall(start.take, host, opts)
  if made then return child end
  fail("isolation", "%s: no process to evaluate it in: %s%s", path,
       tostring(child), TRUST)
end

local function read(path)
  local file, why = io.open(path, "rb")
  if not file then fail("layout", "cannot open %s", why) end
  local text, bad = file:read(modules.SCRIPT_BYTES_MAX + 1)
  file:close()
  if bad then fail("layout", "cannot read %s: %s", path, bad) end
  if text and #text > modules.SCRIPT_BYTES_MAX then
    fail("layout", "%s: has more than %d bytes%s", path,
         modules.SCRIPT_BYTES_MAX, TRUST)
  end
  return text or ""
end

-- child:ask, :tell or :hear, which say what became of the process.
local function call(child, path, verb, question)
  local ran, list, why = pcall(child[verb], child, question)
  if not ran then list, why = nil, tostring(list) end
  if list then return list end
  fail("isolation", "%s: its process ended: %s%s", path, why,
       why:find("seccomp", 1, true) and "; --no-isolate does without"
       or TRUST)
end

-- The reader of an answer behind its first word.
local function opened(path, list)
  local reader = letter.reader(list)
  local word = reader:text()
  if word == "broken" then
    fail("isolation", "%s: its process broke: %s", path,
         letter.shown(reader:text()))
  end
  return word, reader
end

-- One question and its answer.
local function ask(child, path, question)
  return opened(path, call(child, path, "ask", question))
end

-- Raises what an answer reports, unless it is a layout or verdicts.
local function raise(word, reader)
  if word == "fault" then error(letter.take_error(reader), 0) end
  local text = letter.shown(reader:text())
  if word == "raised" then fail("script", "%s", text) end
  if word == "spent" then fail("budget", "%s%s", text, TRUST) end
  fail("isolation", "a layout's process said %s", letter.shown(word))
end

-- Runs the script; answers for modules until it has an end.
local function evaluate(child, path, question, read_below)
  local files = modules.new(path, read_below)
  local word, reader = ask(child, path, question)
  while word == "need" do
    local found, what = files:find(reader:text())
    reader:finish()
    word, reader = ask(child, path, found and { "have", found, what }
                                    or { "none", what })
  end
  return word, reader
end

-- The part of one of these layouts that the process asks for, each once.
local function part_of(reader, layouts, told, sent)
  local n, name = reader:number(#layouts), reader:text()
  reader:finish()
  local key = n .. name
  local part = not told[key] and layouts[n]
           and brief.part(layouts[n], name, sent)
  told[key] = true
  return part, name
end

-- Asks what the rules say about layouts; the answer may be about the first of
-- them only.
local function tell(child, path, layouts, known)
  local question = { "check" }
  for i, made in ipairs(layouts) do
    brief.put(question, made, layouts[i - 1])
  end
  call(child, path, "tell", question)
  known.told = layouts
end

-- What they say; before it comes the process may ask for parts.
local function hear(child, path, known)
  local layouts, parts, verdicts = known.told, {}, nil
  known.told = nil
  local word, reader = opened(path, call(child, path, "hear"))
  while word == "part" do
    local part, name = part_of(reader, layouts, parts, known.sent)
    if not part then
      child:close()
      fail("isolation", "%s: its process asked for the part %s", path,
           letter.shown(name))
    end
    word, reader = ask(child, path, part)
  end
  if word ~= "verdicts" then
    reader:text()  -- notes, of which rules make none
    raise(word, reader)
  end
  for i, made in ipairs(layouts) do
    verdicts = letter.take_verdicts(reader, verdicts)
    if #verdicts ~= known.count then
      fail("isolation", "%s: %d verdicts for %d rules", path, #verdicts,
           known.count)
    end
    known.by_layout[made] = verdicts
    if i < #layouts and reader.at == #reader.list then break end
  end
  reader:finish()
end

-- The rules as functions that ask the process. Layouts are values: one that
-- was judged is known, so that a layout with ten rules is judged once. While
-- the process judges those that it was told of ahead, this one goes on.
local function proxies(child, path, verdicts)
  local rules, out = require "tidal.rules", {}
  local by_layout = setmetatable({}, { __mode = "k" })
  local known = { by_layout = by_layout, count = #verdicts, sent = {} }
  -- What goes wrong with layouts told ahead is told when one is asked for.
  local function settle()
    if not known.told then return end
    local fine, err = pcall(hear, child, path, known)
    if not fine and core.is_error(err) and err.code == "isolation" then
      known.broken = err
    end
  end
  local function ahead(layouts)
    settle()
    if not known.broken then tell(child, path, layouts, known) end
  end
  local function judge(made)
    settle()
    if known.broken then error(known.broken, 0) end
    if by_layout[made] then return end
    tell(child, path, { made }, known)
    hear(child, path, known)
  end
  for i, verdict in ipairs(verdicts) do
    out[i] = rules.new(verdict.name, function(made)
      if not by_layout[made] then judge(made) end
      local found = by_layout[made][i]
      return found.ok, found.why
    end, i == 1 and ahead or nil)
  end
  return out, by_layout
end

local function take_layout(child, path, reader)
  local file = reader:text()
  local verdicts = letter.take_verdicts(reader)
  local rules, known = proxies(child, path, verdicts)
  local made = letter.take_state(reader, rules,
                                 file ~= "" and letter.shown(file) or nil)
  reader:finish()
  known[made] = verdicts
  if #verdicts == 0 then child:close() end
  return made
end

---Evaluates a script and returns its layout. Raises error objects: what
---tidal says about the script; "script" what it raised; "budget";
---"isolation" when its process failed.
---@param host table the module tidal.host
---@param path string
---@param opts? table filter = false does without the system-call filter;
---  instructions, memory and seconds change the budgets
---@return table layout
function M.load(host, path, opts)
  local text = read(path)
  local child = take_cell(host, path, opts or {})
  local question = { "run", path, text,
                     tostring(opts and opts.instructions or INSTRUCTIONS) }
  local word, reader = evaluate(child, path, question, host.read_below)
  local notes = letter.shown(reader:text())
  if notes ~= "" then io.stderr:write(notes) end
  if word == "layout" then return take_layout(child, path, reader) end
  child:close()
  raise(word, reader)
end

return M
