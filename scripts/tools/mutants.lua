-- Applies mutants to copies of single files and runs the suite that must
-- notice: a suite of tidal-unit, or a spec that the mutated tidal-lua runs,
-- both linked with the objects of the last build. TAP on standard output.
--   bin/tidal-lua scripts/tools/mutants.lua [--share N] [--seed N] [WORD...]
-- WORD: only mutants whose name, file or suite holds one. --share: so many of
-- them, other ones each day or with each seed.
local LISTS <const> = { "spec/mutants/storage.lua",
                        "spec/mutants/migration.lua",
                        "spec/mutants/layouts.lua" }
local DIR <const> = "build/mutants"
local COMPILE <const> = "cc -std=c11 -O1 -w -fPIC -Iruntime "
  .. "$(pkg-config --cflags lua5.4) -c %s -o %s"
-- The object of the file itself is left out; some premakes put the path into
-- its name.
local LINK <const> = "cc -o %s $(ls build/release/obj/%s/*.o | grep -v "
  .. "-e '/%s[.]o$' -e '/%s[.]o$') %s lib/libtidal.a -lxxhash -pthread %s"
local HOST <const> = "-Wl,-E $(pkg-config --libs lua5.4)"
local RUN <const> = "TIDAL_STOP=1 timeout %d %s %s >%s 2>&1"
local RUN_HOST <const> = "TIDAL_LUA=%s timeout %d %s test --no-keep-going "
  .. "--output=TAP %s >%s 2>&1"
local SECONDS_MOST <const> = 300   -- a suite that hangs is red too

local function read_file(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function write_file(path, text)
  local file <close> = assert(io.open(path, "wb"))
  file:write(text)
end

local function run(form, ...)
  local ok, _, status = os.execute(form:format(...))
  return ok == true, status
end

-- The text with one place replaced, or nil and why not.
local function replace(text, old, new)
  local first, last = text:find(old, 1, true)
  if not first then return nil, "its old text is not there" end
  if text:find(old, first + 1, true) then
    return nil, "its old text is there twice"
  end
  return text:sub(1, first - 1) .. new .. text:sub(last + 1)
end

-- The mutated file's text.
local function mutate(mutant)
  local text = read_file(mutant.root .. mutant.file)
  for i = 1, #mutant.edits, 2 do
    local changed, why = replace(text, mutant.edits[i], mutant.edits[i + 1])
    if not changed then return nil, why end
    text = changed
  end
  return text
end

-- The modules of tidal-lua as C, with the text of one of them as it is now.
local function embedded(mutant, text)
  local module = mutant.file:gsub("%.lua$", ""):gsub("/init$", "")
                            :gsub("/", ".")
  local bytes = text:gsub(".", function(c) return c:byte() .. "," end)
  local place = module:gsub("%p", "%%%0")
  local out, count = read_file "build/embedded.c":gsub(
    ('{"%s", bytes_%%d+, sizeof bytes_%%d+}'):format(place),
    ('{"%s", mutant, sizeof mutant}'):format(module))
  assert(count == 1, module .. " is not embedded once")
  local array = "static const char mutant[] = {" .. bytes .. "};\n"
  return (out:gsub("const td_embedded", array .. "%0", 1))
end

-- Links a program of the last build with one object in the place of its own.
local function link(mutant, object)
  local source = mutant.lua and "embedded" or mutant.root .. mutant.file
  local name = source:match "([^/]+)%.c$" or source
  local path = source:gsub("%.c$", ""):gsub("/", "_")
  return run(LINK .. " 2>%s/cc.txt", mutant.program,
             mutant.host and "host" or "unit", name, path, object,
             mutant.host and HOST or "", DIR)
end

local function build(mutant)
  local text, why = mutate(mutant)
  if not text then return false, why end
  if mutant.lua then
    if not load(text) then return false, "it does not parse" end
    text = embedded(mutant, text)
  end
  local source, object = DIR .. "/mutant.c", DIR .. "/mutant.o"
  write_file(source, text)
  if not run(COMPILE .. " 2>%s/cc.txt", source, object, DIR) then
    return false, "it does not compile, see " .. DIR .. "/cc.txt"
  end
  if not link(mutant, object) then
    return false, "it does not link, see " .. DIR .. "/cc.txt"
  end
  return true
end

-- The line that made a suite red.
local function reason(log)
  for line in io.lines(log) do
    local what = line:match "^# %S-([^/]+%.c:%d+:.*)"
              or line:match "^not ok %d+ %- (.*)"
              or line:match "(broken promise:.*)"
    if what then return #what > 60 and what:sub(1, 57) .. "..." or what end
  end
  return "it ended"
end

-- "red", "SURVIVED" or "ERROR", and what shows it.
local function try(mutant)
  local built, why = build(mutant)
  if not built then return "ERROR", why end
  local log = DIR .. "/log.txt"
  local green, status
  if mutant.host then
    green, status = run(RUN_HOST, mutant.program, SECONDS_MOST,
                        mutant.program, mutant.suite, log)
  else
    green, status = run(RUN, SECONDS_MOST, mutant.program, mutant.suite, log)
  end
  if green then return "SURVIVED", "all of it is green" end
  return "red", status == 124 and "it hangs" or reason(log)
end

local function load_one(entry)
  local file, suite = entry[2], entry[3]
  local lua = file:find "%.lua$" ~= nil
  local host = suite:find "%.lua$" ~= nil
  return {
    name = entry[1], file = file, suite = suite, lua = lua, host = host,
    root = lua and "lua/" or "runtime/",
    program = DIR .. (host and "/tidal-lua" or "/unit"),
    edits = table.move(entry, 4, #entry, 1, {}),
  }
end

local function load_all()
  local out = {}
  for _, path in ipairs(LISTS) do
    for _, entry in ipairs(dofile(path)) do out[#out + 1] = load_one(entry) end
  end
  return out
end

local function options(words)
  local out, i = { words = {} }, 1
  while words[i] do
    local key = words[i]:match "^%-%-(%l+)$"
    if key == "share" or key == "seed" then
      out[key] = assert(math.tointeger(words[i + 1]),
                        words[i] .. " needs a number")
      i = i + 1
    elseif key then
      error("mutants: no option " .. words[i], 0)
    else
      out.words[#out.words + 1] = words[i]
    end
    i = i + 1
  end
  return out
end

local function wanted(mutant, words)
  for _, word in ipairs(words) do
    for _, field in ipairs { "name", "file", "suite" } do
      if mutant[field]:find(word, 1, true) then return true end
    end
  end
  return #words == 0
end

local function select(all, choice)
  local out = {}
  for _, mutant in ipairs(all) do
    if wanted(mutant, choice.words) then out[#out + 1] = mutant end
  end
  local share = choice.share
  if not share or share >= #out then return out end
  local start, part = choice.seed * share, {}
  for i = 0, share - 1 do part[i + 1] = out[(start + i) % #out + 1] end
  return part
end

local choice = options(arg)
choice.seed = choice.seed or os.time() // 86400
assert(run("mkdir -p %s", DIR))
local all = load_all()
local chosen = select(all, choice)
local survived = 0
print(("# %d of %d mutants, seed %d"):format(#chosen, #all, choice.seed))
for i, mutant in ipairs(chosen) do
  local start = os.time()
  local what, why = try(mutant)
  local good = what == "red"
  if not good then survived = survived + 1 end
  print(("%sok %d - mutant: %-46s %-11s %3d s  %s  %s")
        :format(good and "" or "not ", i, mutant.name, mutant.suite,
                os.time() - start, what, why))
  io.stdout:flush()
end
print(("1..%d\n# %d red, %d not"):format(#chosen, #chosen - survived, survived))
os.exit(survived == 0 and #chosen > 0)
