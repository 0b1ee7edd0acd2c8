-- The build, for premake5 and for Debian's premake4 alike:
--   premake4 --file=premake5.lua gmake && make        (or: premake5 gmake)
-- `sh scripts/run.sh` does that and installs what is missing first.
--
-- Configurations: release (the default), debug, asan (ASan + UBSan), tsan,
-- coverage. Release builds land in bin/ and lib/, the others below
-- build/<configuration>/. Objects, makefiles and logs stay in build/.
if not premake.api then dofile "scripts/premake4.lua" end

local CONFIGS = { "release", "debug", "asan", "tsan", "coverage" }

-- The first line that a command prints, or nil.
local function sh(command)
  local pipe = assert(io.popen("( " .. command .. " ) 2>/dev/null"))
  local line = pipe:read "*l"
  pipe:close()
  return line
end

-- Compile flags of a library; without it, what to type.
local function needs(name, package)
  if not sh("pkg-config --cflags " .. name .. " && echo ok") then
    error("pkg-config cannot find " .. name .. ": apt-get install "
          .. package, 0)
  end
  for flag in (sh("pkg-config --cflags " .. name) or ""):gmatch "%S+" do
    if flag:match "^%-I" then flag = "-isystem" .. flag:sub(3) end
    buildoptions { flag }
  end
end

-- ... and what to link with.
local function uses(name, package)
  needs(name, package)
  for flag in (sh("pkg-config --libs " .. name) or ""):gmatch "%S+" do
    if flag:match "^%-l" then links { flag:sub(3) }
    elseif flag:match "^%-L" then libdirs { flag:sub(3) }
    else linkoptions { flag } end
  end
end

local function sorted(pattern)
  local found = os.matchfiles(pattern)
  table.sort(found)                    -- readdir order differs by machine
  return found
end

local function sources(...)
  for _, pattern in ipairs { ... } do files(sorted(pattern)) end
end

-- A file that only changes when its text does, so that nothing is rebuilt
-- for running premake again.
local function write_file(path, text)
  local old = io.open(path, "rb")
  local same = old and old:read "*a" == text
  if old then old:close() end
  if same then return end
  local out = assert(io.open(path, "wb"))
  out:write(text)
  out:close()
end

-- The bytes of files as numbers for C: what Lua 5.4 made of each, or, where
-- that is not installed, the text.
local function bytes_of(paths)
  local out = {}
  local pipe = assert(io.popen("lua5.4 scripts/tools/compile.lua "
                               .. table.concat(paths, " ") .. " 2>/dev/null"))
  for line in pipe:lines() do out[#out + 1] = line end
  pipe:close()
  if #out == #paths then return out end
  for i, path in ipairs(paths) do
    local file = assert(io.open(path, "rb"))
    out[i] = file:read "*a":gsub(".", function(c)
      local byte = c:byte()
      return (byte < 128 and byte or byte - 256) .. ","
    end):gsub(",$", "")
    file:close()
  end
  return out
end

-- lua/tidal/**.lua inside the program: the host runs from anywhere.
local function embed()
  local paths = sorted "lua/**.lua"
  local out, names = { '#include "host/embedded.h"\n\n' }, {}
  for i, bytes in ipairs(bytes_of(paths)) do
    local module = paths[i]:gsub("^lua/", ""):gsub("%.lua$", "")
                           :gsub("/init$", ""):gsub("/", ".")
    out[#out + 1] = ("static const char bytes_%d[] = {\n"):format(i)
    out[#out + 1] = bytes:gsub("([^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,[^,]*,"
                               .. "[^,]*,)", "%1\n")
    out[#out + 1] = "};\n\n"
    names[#names + 1] = ('  {"%s", bytes_%d, sizeof bytes_%d},\n')
                        :format(module, i, i)
  end
  out[#out + 1] = "const td_embedded td_embedded_modules[] = {\n"
  out[#out + 1] = table.concat(names) .. "};\n"
  out[#out + 1] = "const size_t td_embedded_count = " .. #names .. ";\n"
  write_file("build/embedded.c", table.concat(out))
end

-- Relocatable: prefix is found from the place of the file itself.
local PKG_CONFIG = [[
prefix=${pcfiledir}/../..
Name: tidal
Description: Distribution layer of tidalDB
Version: 0.1.0
Requires.private: libxxhash
Cflags: -I${prefix}/runtime
Libs: -L${prefix}/lib -ltidal
Libs.private: -lxxhash
]]

if _ACTION and _ACTION:match "^gmake" then
  os.mkdir "build"
  os.mkdir "lib/pkgconfig"
  embed()
  write_file("lib/pkgconfig/tidal.pc", PKG_CONFIG)
end

workspace "tidal"
  configurations(CONFIGS)
  if defaultconfiguration then defaultconfiguration "release" end
  language "C"
  includedirs { "runtime" }
  symbols "On"                         -- also keeps -s from the linker
  pic "On"                             -- libtidal.a goes into core.so too
  buildoptions {
    "-std=c11", "-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow",
    "-Wstrict-prototypes", "-Wmissing-prototypes", "-Wcast-qual",
    "-Wwrite-strings", "-Wundef", "-Wvla", "-Wswitch-enum",
    "-fvisibility=hidden",
    "$(WERROR)",                       -- make WERROR=-Werror, as CI does
  }
  filter "configurations:release"
    buildoptions { "-O2", "-fno-plt", "-fstack-protector-strong",
                   "-D_FORTIFY_SOURCE=2" }
    linkoptions { "-Wl,-z,relro", "-Wl,-z,now" }
  filter "configurations:debug"
    buildoptions { "-O0" }
  filter "configurations:asan"
    buildoptions { "-O1", "-fno-omit-frame-pointer",
                   "-fsanitize=address,undefined",
                   "-fno-sanitize-recover=all" }
    linkoptions { "-fsanitize=address,undefined" }
  filter "configurations:tsan"
    buildoptions { "-O1", "-fsanitize=thread" }
    linkoptions { "-fsanitize=thread" }
  filter "configurations:coverage"
    buildoptions { "-O0", "--coverage" }
    linkoptions { "--coverage" }
  filter {}

-- One target: makefile in build/, objects in build/<config>/obj/<name>.
local function target(name, what, dir)
  project(name)
    kind(what)
    location "build"
    for _, config in ipairs(CONFIGS) do
      filter("configurations:" .. config)
        targetdir((config == "release" and "" or "build/" .. config .. "/")
                  .. dir)
        objdir("build/" .. config .. "/obj/" .. name)
    end
    filter {}
end

-- Every executable is position independent, for address randomisation.
local function program(name, file)
  target(name, "ConsoleApp", "bin")
    targetname(file)
    filter "configurations:release"
      linkoptions { "-pie" }
    filter {}
end

local LIBRARY = { "runtime/base/*.c", "runtime/format/*.c",
                  "runtime/model/*.c", "runtime/io/*.c", "runtime/flow/*.c",
                  "runtime/sim/*.c" }

target("libtidal", "StaticLib", "lib")
  targetname "tidal"                   -- lib/libtidal.a
  sources((unpack or table.unpack)(LIBRARY))
  needs("libxxhash", "libxxhash-dev")

-- lib/libtidal.so is built aside and moved into place whole: the linker of
-- the programs below looks into lib/ at the same time.
target("shared", "SharedLib", "build/shared")
  targetname "tidal"
  sources((unpack or table.unpack)(LIBRARY))
  uses("libxxhash", "libxxhash-dev")
  linkoptions { "-Wl,-soname,libtidal.so" }
  for _, config in ipairs(CONFIGS) do
    filter("configurations:" .. config)
      local lib = config == "release" and "../lib" or config .. "/lib"
      postbuildcommands {
        "mkdir -p " .. lib,
        "cp $(TARGET) " .. lib .. "/.libtidal.so",
        "mv -f " .. lib .. "/.libtidal.so " .. lib .. "/libtidal.so",
      }
  end
  filter {}

-- The static library, also where the shared one lies beside it.
local function with_tidal()
  for _, config in ipairs(CONFIGS) do
    filter("configurations:" .. config)
      libdirs { (config == "release" and "" or "build/" .. config .. "/")
                .. "lib" }
  end
  filter {}
  links { "libtidal" }
  linkoptions { "-l:libtidal.a", "-Wl,--as-needed" }
  uses("libxxhash", "libxxhash-dev")
  linkoptions { "-pthread" }
end

program("host", "tidal-lua")
  sources("runtime/host/*.c", "runtime/bind/*.c")
  files { "build/embedded.c" }
  with_tidal()
  uses("lua5.4", "liblua5.4-dev")
  linkoptions { "-Wl,-E" }             -- C modules find the Lua API here

target("module", "SharedLib", "lib/lua/5.4/tidal")
  targetname "core"                    -- require "tidal.core"
  targetprefix ""
  sources("runtime/bind/*.c")
  with_tidal()
  needs("lua5.4", "liblua5.4-dev")
  linkoptions { "-Wl,--exclude-libs,ALL" }  -- exports luaopen_* only

program("unit", "tidal-unit")
  sources("runtime/test/*.c")
  files { "runtime/host/filter.c" }    -- the one part of the host in C alone
  with_tidal()

program("bench", "tidal-bench")
  sources("runtime/bench/*.c")
  with_tidal()

-- A library to compare with, where it is installed: nothing needs it.
local function may_use(name, define)
  if not sh("pkg-config --exists " .. name .. " && echo ok") then return end
  uses(name)
  defines { define }
end

program("peers", "tidal-bench-peers")
  sources("runtime/bench/peers/*.c")
  files { "runtime/bench/bench.c", "runtime/bench/disk.c",
          "runtime/bench/report.c", "runtime/bench/run.c" }
  with_tidal()
  may_use("rocksdb", "BENCH_ROCKSDB")
  may_use("sqlite3", "BENCH_SQLITE")
  may_use("lmdb", "BENCH_LMDB")
