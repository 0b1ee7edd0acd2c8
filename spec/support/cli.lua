-- Runs the executables of this project as a user does, through a shell.
--
-- cli.tidal   the tidal-lua under test: $TIDAL_LUA, else the one that runs
--             this suite, else bin/tidal-lua
-- cli.lua     the stand-alone Lua it is compared with
-- run(args, options) -> exit status (128 + n for signal n), stdout, stderr
--   options.program  another executable than cli.tidal
--   options.stdin    text, nothing by default
--   options.env      { NAME = value, or false to unset it }
--   options.files    { name = text }: a new directory with these files is
--                    the working directory
--   options.stdout   a file to write to instead, "/dev/full"; "-" closes it
local lfs = require "lfs"

local M = {}

local function quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

-- So that a relative path survives another working directory.
local function absolute(path)
  if not path:find "/" or path:sub(1, 1) == "/" then return path end
  return lfs.currentdir() .. "/" .. path
end

-- The program that runs this suite, as it was called or as /proc has it.
local function interpreter()
  local lowest = 0
  while arg and arg[lowest - 1] do lowest = lowest - 1 end
  if lowest < 0 then return arg[lowest] end
  local pipe = assert(io.popen "readlink /proc/$PPID/exe")
  local path = pipe:read "l"
  pipe:close()
  return path or ""
end

local function under_test()
  local named = os.getenv "TIDAL_LUA"
  if named then return named end
  local program = interpreter()
  return program:match "tidal%-lua$" and program or "bin/tidal-lua"
end

M.tidal = absolute(under_test())
M.lua = "lua5.4"

-- What a caller's environment may not change in a comparison.
local UNSET = { LUA_INIT = false, LUA_INIT_5_4 = false }

local function environment(changes)
  local env, words = {}, {}
  for name, value in pairs(UNSET) do env[name] = value end
  for name, value in pairs(changes or {}) do env[name] = value end
  for name, value in pairs(env) do
    table.insert(words, value and ("export %s=%s; "):format(name, quote(value))
                              or ("unset %s; "):format(name))
  end
  return table.concat(words)
end

-- Nothing but one shell stands between: a suite makes hundreds of runs.
local function command_line(args, options, paths)
  local words = { environment(options.env) .. "exec" }
  table.insert(words, quote(options.program or M.tidal))
  for _, word in ipairs(args) do table.insert(words, quote(word)) end
  local out = options.stdout or paths.out
  table.insert(words, out == "-" and ">&-" or ">" .. quote(out))
  table.insert(words, "2>" .. quote(paths.err))
  table.insert(words, "<" .. quote(paths.input))
  local line = table.concat(words, " ")
  return paths.dir and "cd " .. quote(paths.dir) .. " && " .. line or line
end

-- A new directory with these files in it, or nil when there are none.
local function new_directory(files)
  if not files then return nil end
  local dir = os.tmpname()
  os.remove(dir)
  assert(lfs.mkdir(dir))
  for name, text in pairs(files) do write(dir .. "/" .. name, text) end
  return dir
end

local function remove_directory(dir)
  for name in lfs.dir(dir) do
    if name ~= "." and name ~= ".." then os.remove(dir .. "/" .. name) end
  end
  assert(lfs.rmdir(dir))
end

function M.run(args, options)
  options = options or {}
  local paths = {
    dir = new_directory(options.files),
    input = os.tmpname(), out = os.tmpname(), err = os.tmpname(),
  }
  write(paths.input, options.stdin or "")
  local _, how, code = os.execute(command_line(args, options, paths))
  local out, err = read(paths.out), read(paths.err)
  for _, name in ipairs { "input", "out", "err" } do os.remove(paths[name]) end
  if paths.dir then remove_directory(paths.dir) end
  return how == "signal" and 128 + code or code, out, err
end

-- Runs tidal-lua and the stand-alone Lua on the same command line and
-- returns two records { exit, out, err } in which the program is "lua".
function M.both(args, options)
  local function record(program)
    local copy = {}
    for key, value in pairs(options or {}) do copy[key] = value end
    copy.program = program
    local exit, out, err = M.run(args, copy)
    local pattern = program:gsub("%W", "%%%0")
    local function neutral(text)
      return (text:gsub(pattern, "lua"):gsub("tidal%-lua", "lua"))
    end
    return { exit = exit, out = neutral(out), err = neutral(err) }
  end
  return record(M.tidal), record(M.lua)
end

return M
