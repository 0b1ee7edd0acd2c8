-- The rules of the house that a machine can check: floors and doors, sizes,
-- order, documentation, a spec for every module. Reads files, runs nothing.
local function lines_of(path)
  local out = {}
  for line in io.lines(path) do out[#out + 1] = line end
  return out
end

-- Files below the given folders by suffix, sorted.
local function find(suffixes, ...)
  local out = {}
  for _, dir in ipairs { ... } do
    local pipe = assert(io.popen("find " .. dir .. " -type f | LC_ALL=C sort"))
    for path in pipe:lines() do
      for _, suffix in ipairs(suffixes) do
        if path:sub(-#suffix) == suffix and not path:find("golden/", 1, true) then
          out[#out + 1] = path
        end
      end
    end
    pipe:close()
  end
  return out
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local faults
local function fault(path, line, form, ...)
  faults[#faults + 1] = ("%s:%d: %s"):format(path, line, form:format(...))
end

-- Runs check(path, lines) over files and shows every fault at once.
local function over(paths, check)
  faults = {}
  assert.is_true(#paths > 0)
  for _, path in ipairs(paths) do check(path, lines_of(path)) end
  assert.equal("", table.concat(faults, "\n"))
end

local C_FILES = find({ ".c", ".h" }, "runtime")
local LUA_FILES = find({ ".lua" }, "lua", "scripts", "spec", "premake5.lua")
local LIBRARY = find({ ".c", ".h" }, "runtime/base", "runtime/format", "runtime/model",
                     "runtime/io", "runtime/sim")

local FLOORS = {
  base = {}, format = { "base" }, model = { "base", "format" }, io = { "base", "format" },
  flow = { "base", "format", "model", "io" },
  sim = { "base", "format" },
  bind = { "base", "format", "model", "io", "flow", "sim" },
  host = { "base", "format", "model", "io", "flow", "bind" },
}

local function allows(floor, target)
  if floor == target or not FLOORS[floor] then return true end
  for _, below in ipairs(FLOORS[floor]) do
    if below == target then return true end
  end
  return false
end

-- Who may include what the outside gives.
local DOORS = {
  { "^xxhash%.h$", { "runtime/base/hash.c" } },
  { "^xxh", { "runtime/base/hash.c" } },
  { "^lua%.h$", { "runtime/bind/", "runtime/host/", "runtime/tidal_lua.h",
                  "runtime/fuzz/json_oracle.h" } },
  { "^lauxlib%.h$", { "runtime/bind/", "runtime/host/", "runtime/fuzz/json_oracle.c" } },
  { "^lualib%.h$", { "runtime/host/", "runtime/fuzz/fuzz_json.c" } },
  { "^stdio%.h$", { "runtime/io/env_posix.c", "runtime/bind/", "runtime/host/",
                    "runtime/test/", "runtime/bench/", "runtime/fuzz/" } },
  { "^stdlib%.h$", { "runtime/io/env_posix.c", "runtime/io/panic_posix.c", "runtime/host/",
                     "runtime/test/", "runtime/bench/", "runtime/fuzz/" } },
}
local POSIX = {}
for name in ([[unistd fcntl dirent errno signal pthread time sys/file sys/stat sys/types sys/wait
               sched spawn]]):gmatch "%S+" do
  POSIX[name .. ".h"] = true
end
local POSIX_DOORS = { "runtime/io/env_posix.c", "runtime/io/lock_posix.c",
                      "runtime/io/panic_posix.c", "runtime/host/",
                      "runtime/test/", "runtime/bench/", "runtime/fuzz/" }

local function behind(path, doors)
  for _, door in ipairs(doors) do
    if path:sub(1, #door) == door then return true end
  end
  return false
end

describe("floors and doors", function()
  it("includes point down the floors only", function()
    over(C_FILES, function(path, lines)
      local floor = path:match "^runtime/(%w+)/"
      for n, line in ipairs(lines) do
        local target = line:match '^#include "(%w+)/'
        if floor and target and not allows(floor, target) then
          fault(path, n, "%s must not include %s", floor, target)
        end
        if FLOORS[floor] and floor ~= "bind" and floor ~= "host"
           and line:match '^#include "tidal%.h"' then
          fault(path, n, "a floor includes what it needs, not tidal.h")
        end
      end
    end)
  end)

  it("each library comes in through its door", function()
    over(C_FILES, function(path, lines)
      for n, line in ipairs(lines) do
        local name = line:match "^#include <(.-)>"
        for _, door in ipairs(name and DOORS or {}) do
          if name:find(door[1]) and not behind(path, door[2]) then
            fault(path, n, "<%s> has its door elsewhere", name)
          end
        end
        if POSIX[name] and not behind(path, POSIX_DOORS) then
          fault(path, n, "<%s> belongs to io/env_posix.c and the host", name)
        end
      end
    end)
  end)

  -- What the floors below io may import: memory and string functions,
  -- libxxhash, and what compilers put in.
  local ALLOWED = { "^mem", "^__mem", "^str[lcn]", "^XXH", "^__stack_chk_fail$", "^td_",
                    "^_GLOBAL_OFFSET_TABLE_$", "^__ubsan", "^__asan", "^__cpu_", "^__tsan",
                    "^__gcov", "^__llvm" }
  it("the floors below io import no symbol of an operating system", function()
    local objects = {}
    local pipe = assert(io.popen "find build/release/obj/libtidal -name '*.o' | LC_ALL=C sort")
    for path in pipe:lines() do
      if not path:find "runtime_io_" then objects[#objects + 1] = path end
    end
    pipe:close()
    if #objects == 0 then return pending "no release build here" end
    local bad = {}
    for _, object in ipairs(objects) do
      for line in assert(io.popen("nm -u " .. object)):lines() do
        local symbol, known = line:match "U (%S+)", false
        for _, form in ipairs(symbol and ALLOWED or {}) do
          known = known or symbol:find(form) ~= nil
        end
        if symbol and not known then bad[#bad + 1] = object .. ": " .. symbol end
      end
    end
    assert.equal("", table.concat(bad, "\n"))
  end)

  local ABOVE <const> = { cluster = true, plan = true, inspect = true, draw = true, cli = true }

  it("modules require downwards: render and checks know no cluster", function()
    local below = {
      ["lua/tidal/text.lua"] = true, ["lua/tidal/json.lua"] = true,
      ["lua/tidal/suggest.lua"] = true, ["lua/tidal/source.lua"] = true,
      ["lua/tidal/faults.lua"] = true, ["lua/tidal/amount.lua"] = true,
    }
    over(find({ ".lua" }, "lua"), function(path, lines)
      for n, line in ipairs(lines) do
        local module = line:match 'require%s*%(?"(tidal[%w.]*)"'
        local room = module and module:match "^tidal%.(%l+)%."
        if below[path] and ABOVE[room] then
          fault(path, n, "a leaf module must not require %s", module)
        end
        if module and module:find "^tidal%.cli" and not path:find "/cli/" then
          fault(path, n, "only the cli knows %s", module)
        end
      end
    end)
  end)
end)

local function is_test(path)
  return path:find "^runtime/test/" or path:find "^runtime/fuzz/" or path:find "^runtime/bench/"
end

describe("sizes", function()
  it("lines fit the eye, no tabs, no blanks at the end", function()
    local all = find({ ".c", ".h", ".lua", ".sh" }, "runtime", "lua", "scripts", "spec")
    over(all, function(path, lines)
      local most = path:find "^spec/" and 100 or 80
      for n, line in ipairs(lines) do
        local width = utf8.len(line) or #line
        if width > most then fault(path, n, "%d columns, at most %d", width, most) end
        if line:find "\t" then fault(path, n, "a tab") end
        if line:find "%s$" then fault(path, n, "blank at the end") end
      end
    end)
  end)

  it("files hold one noun", function()
    local limits = { c = 400, h = 200, lua = 300 }
    over(find({ ".c", ".h", ".lua" }, "runtime", "lua", "scripts", "spec"), function(path, lines)
      local most = limits[path:match "%.(%w+)$"]
      if is_test(path) or path:find "^spec/" then most = 450 end
      if #lines > most then fault(path, #lines, "%d lines, at most %d", #lines, most) end
    end)
  end)

  it("functions have at most 60 lines", function()
    over(C_FILES, function(path, lines)
      local start
      for n, line in ipairs(lines) do
        if line:find "^%a.*{$" and not line:find "=" and not line:find "^%l+ %l* ?[%w_]* {$" then
          start = n
        elseif line:find "^ +.*%) {$" and not start and lines[n - 1]:find "^%a" then
          start = n - 1
        end
        if line == "}" and start then
          if n - start > 60 then fault(path, start, "%d lines", n - start) end
          start = nil
        end
      end
    end)
    over(find({ ".lua" }, "lua", "scripts"), function(path, lines)
      local open = {}
      for n, line in ipairs(lines) do
        local indent = line:match "^(%s*)%l* ?function" or line:match "^(%s*)return function"
        if indent and not line:find "%f[%w]end%f[%W]" then open[indent] = n end
        local close = line:match "^(%s*)end"
        if close and open[close] then
          if n - open[close] > 60 then fault(path, open[close], "%d lines", n - open[close]) end
          open[close] = nil
        end
      end
    end)
  end)
end)

describe("order and words", function()
  it("planners iterate in a defined order: no pairs()", function()
    local planners = find({ ".lua" }, "lua/tidal/cluster", "lua/tidal/plan", "lua/tidal/inspect",
                          "lua/tidal/draw", "lua/tidal/render")
    over(planners, function(path, lines)
      for n, line in ipairs(lines) do
        if line:find "[^i]pairs%(" then fault(path, n, "pairs() has no order") end
      end
    end)
  end)

  local BANNED = { "malloc%(", "strcpy%(", "strcat%(", "sprintf%(", "atoi%(", "[^_%w]assert%(" }
  it("the library calls nothing that is banned", function()
    over(LIBRARY, function(path, lines)
      for n, line in ipairs(lines) do
        for _, word in ipairs(BANNED) do
          if line:find("[^%w_]" .. word) then fault(path, n, "%s", word) end
        end
        if line:find "[^%w_s]n?printf%(" and not line:find "__attribute__" then
          fault(path, n, "printf belongs to the host")
        end
      end
    end)
  end)

  it("numbers of ids are opened in base, format and bind only", function()
    -- Kernels that look ids up need the number.
    local kernels = { ["runtime/model/router.c"] = true, ["runtime/model/router_build.c"] = true,
                      ["runtime/model/profile.c"] = true,
                      ["runtime/model/traffic.c"] = true, ["runtime/model/router_table.h"] = true,
                      ["runtime/model/replication.c"] = true, ["runtime/model/config.c"] = true }
    over(find({ ".c" }, "runtime/model", "runtime/io"), function(path, lines)
      for n, line in ipairs(lines) do
        if line:find "%.value" and not kernels[path] and not path:find "wal_" then
          fault(path, n, "use the td_*_id functions")
        end
      end
    end)
  end)

  it("nothing is left for later, no machine is named", function()
    local all = find({ ".c", ".h", ".lua", ".sh", ".md" }, "runtime", "lua", "scripts", "spec",
                     "README.md", "premake5.lua")
    over(all, function(path, lines)
      for n, line in ipairs(lines) do
        if path ~= "spec/tidy_spec.lua"
           and (line:find("TO" .. "DO") or line:find("FIX" .. "ME")) then
          fault(path, n, "do it, or say so in an issue")
        end
        if line:find("/wo" .. "rk/", 1, true) or line:find("/ho" .. "me/", 1, true) then
          fault(path, n, "a path of one machine")
        end
      end
    end)
  end)
end)

describe("documentation", function()
  it("every public C function stands below a comment", function()
    over(find({ ".h" }, "runtime/base", "runtime/format", "runtime/model", "runtime/io"),
         function(path, lines)
      local told = false
      for n, line in ipairs(lines) do
        if line:find "^/%*" then told = true end
        if line == "" then told = false end
        if line:find "^TD_API" and not told and not line:find "^TD_API const char" then
          fault(path, n, "what does it do, which statuses?")
        end
      end
    end)
  end)

  it("every header says who may call it from where", function()
    over(find({ ".h" }, "runtime/base", "runtime/format", "runtime/model", "runtime/io"),
         function(path, lines)
      local text = table.concat(lines, "\n")
      if not text:find("Thread:", 1, true) then fault(path, 1, "no thread rule") end
    end)
  end)

  it("every public Lua function stands below a comment", function()
    over(find({ ".lua" }, "lua"), function(path, lines)
      if not lines[1]:find "^%-%-" then fault(path, 1, "a file opens with what it is") end
      for n, line in ipairs(lines) do
        if line:find "^function %u%w*[.:]%l" and not lines[n - 1]:find "^%-%-" then
          fault(path, n, "say what it does")
        end
      end
    end)
  end)

  it("every C file opens with its truth or has a header that does", function()
    over(find({ ".c", ".h" }, "runtime"), function(path, lines)
      local own = path:gsub("%.c$", ".h")
      if not lines[1]:find "^/%*" and not (path:find "%.c$" and exists(own)) then
        fault(path, 1, "what is this file?")
      end
    end)
  end)
end)

describe("specs", function()
  -- A C test says in its head which files it covers: "Covers base/text ...".
  local function covered()
    local out = {}
    for _, path in ipairs(find({ ".c" }, "runtime/test")) do
      local text = table.concat(lines_of(path), "\n", 1, math.min(12, #lines_of(path)))
      for name in (text:match "Covers ([%w/_ \n*]+)%." or ""):gmatch "%w+/[%w_]+" do
        out[name] = path
      end
    end
    return out
  end

  it("every C file has its tests", function()
    local tests = covered()
    over(find({ ".c" }, "runtime/base", "runtime/format", "runtime/model", "runtime/io",
              "runtime/bind", "runtime/host"), function(path)
      local name = path:match "^runtime/(.+)%.c$"
      local short = name:gsub("bind_", "")
      if not tests[name] and not exists("spec/" .. short .. "_spec.lua")
         and not exists("spec/" .. name .. "_spec.lua") then
        fault(path, 1, "no test covers it")
      end
    end)
  end)

  it("every Lua module has its spec, every spec its module", function()
    over(find({ ".lua" }, "lua"), function(path)
      local name = path:match "^lua/tidal/(.+)%.lua$"
      if not exists("spec/lua/" .. name .. "_spec.lua") then
        fault(path, 1, "spec/lua/%s_spec.lua is missing", name)
      end
    end)
    over(find({ "_spec.lua" }, "spec/lua"), function(path)
      local name = path:match "^spec/lua/(.+)_spec%.lua$"
      if not exists("lua/tidal/" .. name .. ".lua") then
        fault(path, 1, "tests a module that is not there")
      end
    end)
  end)

  it("every limit is tested at it and past it", function()
    local limits, tests = {}, {}
    for _, path in ipairs(find({ ".h" }, "runtime/base", "runtime/format", "runtime/model",
                               "runtime/io")) do
      for n, line in ipairs(lines_of(path)) do
        local name = line:match "^#define (TD_[%u%d_]+_MAX) "
        if name and not name:find "_TEXT_MAX$" and not name:find "_NAME_MAX$" then
          limits[#limits + 1] = { name = name, path = path, line = n }
        end
      end
    end
    for _, path in ipairs(find({ ".c", ".lua" }, "runtime/test", "spec")) do
      tests[#tests + 1] = table.concat(lines_of(path), "\n")
    end
    local all = table.concat(tests, "\n")
    faults = {}
    for _, limit in ipairs(limits) do
      if not all:find(limit.name, 1, true) then
        fault(limit.path, limit.line, "%s is in no test", limit.name)
      end
    end
    assert.equal("", table.concat(faults, "\n"))
  end)

  it("the collector is steered in cases that give it back", function()
    over(find({ "_spec.lua" }, "spec"), function(path, lines)
      local gives_back = false
      for n, line in ipairs(lines) do
        if line:find '^ *it%(.*, function%(' then gives_back = false end
        if line:find '^ *it%(.*, collector%(' then gives_back = true end
        if line:find 'collectgarbage%("' and not gives_back then
          fault(path, n, "what follows would be slow: spec/support/collector.lua")
        end
      end
    end)
  end)

  it("only the agreed names stand at the top", function()
    local known = {}
    for name in ([[.ci .busted .clang-format .editorconfig .git .gitignore .luacheckrc LICENSE
                   Makefile README.md bin build lib lua premake5.lua runtime scripts spec]])
                :gmatch "%S+" do
      known[name] = true
    end
    local bad = {}
    for name in assert(io.popen "ls -A"):lines() do
      if not known[name] then bad[#bad + 1] = name end
    end
    assert.equal("", table.concat(bad, " "))
  end)

  it("every Lua file parses", function()
    over(LUA_FILES, function(path)
      local chunk, why = loadfile(path)
      if not chunk and not path:find "premake" then fault(path, 1, "%s", why) end
    end)
  end)
end)
