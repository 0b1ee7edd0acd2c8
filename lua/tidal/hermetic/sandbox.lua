-- What a script that is not trusted sees: enough of Lua to declare a layout
-- and its rules, nothing that differs from run to run.
--
-- No io, os, debug, package or load; tables are walked in the order of their
-- keys, chance has a fixed seed, addresses are not shown. Work inside C
-- functions is charged. What is missing says so when it is read, and how to
-- go on.
local core = require "tidal.core"
local prng = require "tidal.prng"
local strings = require "tidal.hermetic.strings"
local tables = require "tidal.hermetic.tables"

local M = {}

local NOTES_BYTES_MAX <const> = 65536
local REQUIRES_DEEP_MAX <const> = 16
local SEED <const> = 0x7469646c
local COROUTINE_COST <const> = 200

local WHAT <const> = {
  io = "may not read or write files",
  os = "may not ask for the time, the environment or programs",
  debug = "may not look into Lua", package = "may not load libraries",
  load = "may not compile text", loadstring = "may not compile text",
  loadfile = "may not read files; require reads modules below its folder",
  dofile = "may not read files; require reads modules below its folder",
  collectgarbage = "may not steer the collector", warn = "has print",
  arg = "has no arguments",
}

-- The line of a script that called, "cluster.lua:3: ", or "".
local function where(level)
  local info = debug.getinfo(level + 1, "Sl")
  local file = info and info.source:match "^@(.+)$"
  return file and ("%s:%d: "):format(file, info.currentline) or ""
end

local function refuse(level, form, ...)
  error(core.error {
    code = "refused",
    message = where(level + 1) .. form:format(...)
      .. "; --trust runs it in full Lua",
  }, 0)
end

-- --- base -----------------------------------------------------------------

local function base_of(cell, notes)
  local out = {
    assert = assert, error = error, ipairs = ipairs, pcall = pcall,
    rawequal = rawequal, rawget = rawget, rawlen = rawlen, rawset = rawset,
    select = select, type = type, tostring = strings.tostring,
    pairs = tables.pairs, next = tables.next, _VERSION = _VERSION,
  }
  local given = setmetatable({}, { __mode = "k" })  -- metatables of scripts

  function out.tonumber(value, ...)
    if type(value) == "string" then cell.charge(#value // 32) end
    return tonumber(value, ...)
  end

  function out.getmetatable(value)
    local meta = getmetatable(value)
    if meta == nil or given[meta] then return meta end
    return false
  end

  function out.setmetatable(value, meta)
    if type(value) == "table" and type(meta) == "table" then
      for _, key in ipairs { "__gc", "__close" } do
        if rawget(meta, key) ~= nil then
          refuse(2, "no %s here: a layout leaves nothing to be done later",
                 key)
        end
      end
      local old = getmetatable(value)
      if old ~= nil and not given[old] then
        error("cannot change a protected metatable", 2)
      end
      given[meta] = true
    end
    return setmetatable(value, meta)
  end

  -- The handler runs when the stack is unwound: inside it nothing would be
  -- counted.
  function out.xpcall(f, handler, ...)
    local result = table.pack(pcall(f, ...))
    if result[1] then return table.unpack(result, 1, result.n) end
    return false, select(2, pcall(handler, result[2]))
  end

  function out.print(...)
    local words = table.pack(...)
    for i = 1, words.n do words[i] = strings.tostring(words[i]) end
    local line = table.concat(words, "\t", 1, words.n) .. "\n"
    notes.bytes = notes.bytes + #line
    if notes.bytes <= NOTES_BYTES_MAX then notes[#notes + 1] = line end
  end

  return out
end

-- --- libraries ------------------------------------------------------------

local function copy(library, without)
  local out = {}
  for name, value in next, library do
    if not (without and without[name]) then out[name] = value end
  end
  return out
end

-- As math.random, but the same in every run.
local function math_library()
  local out = copy(math, { randomseed = true })
  local next_bits = prng.new(SEED)
  function out.random(low, high)
    if low == nil then return (next_bits() >> 11) * (0.5 ^ 53) end
    if low == 0 and high == nil then return next_bits() end
    if high == nil then low, high = 1, low end
    if math.type(low) ~= "integer" or math.type(high) ~= "integer"
       or low > high then
      error("math.random: an interval of integers expected", 2)
    end
    local width = high - low + 1
    if width == 0 then return next_bits() end
    return low + core.u64.mod(next_bits(), width)
  end
  return out
end

-- Every coroutine counts for itself, so beginning and going on costs.
local function coroutine_library(cell)
  local out = {
    yield = coroutine.yield, status = coroutine.status,
    isyieldable = coroutine.isyieldable, running = coroutine.running,
  }
  function out.create(f)
    cell.charge(COROUTINE_COST)
    return coroutine.create(f)
  end
  local function back(from, ...)
    cell.enter(from)
    return ...
  end
  function out.resume(co, ...)
    cell.charge(COROUTINE_COST)
    if type(co) ~= "thread" then error("a coroutine expected", 2) end
    local from = coroutine.running()
    cell.enter(co)
    return back(from, coroutine.resume(co, ...))
  end
  local function unwrap(fine, ...)
    if fine then return ... end
    error((...), 0)
  end
  function out.wrap(f)
    local co = out.create(f)
    return function(...) return unwrap(out.resume(co, ...)) end
  end
  return out
end

local function utf8_library(cell)
  local out = copy(utf8)
  for _, name in ipairs { "len", "codepoint", "offset", "codes" } do
    local original = utf8[name]
    out[name] = function(text, ...)
      if type(text) == "string" then cell.charge(#text // 8) end
      return original(text, ...)
    end
  end
  return out
end

local TIDAL <const> = {
  "cluster", "routing", "rules", "json", "shard", "region", "log", "segment",
  "parse", "u64", "router", "hash", "checksum", "error", "is_error",
  "version",
}

-- Reading is C: a text costs as much as it is long.
local function json_library(json, cell)
  local out = copy(json)
  function out.decode(text)
    if type(text) == "string" then cell.charge(#text // 8) end
    return json.decode(text)
  end
  return out
end

local function tidal_library(cell)
  local tidal, out = require "tidal", {}
  for _, name in ipairs(TIDAL) do out[name] = tidal[name] end
  out.json = json_library(tidal.json, cell)
  return setmetatable(out, {
    __index = function(_, name)
      refuse(2, "no tidal.%s here: a layout may not touch logs or files",
             strings.tostring(name))
    end,
  })
end

-- --- require --------------------------------------------------------------

local LOADING <const> = {}

local function require_of(env, tidal, fetch, compile)
  local origin = require "tidal.cluster.origin"
  local loaded, depth = { tidal = tidal }, 0
  for _, name in ipairs { "cluster", "routing", "rules", "json" } do
    loaded["tidal." .. name] = tidal[name]
  end
  local function run(name, path, chunk)
    loaded[name], depth = LOADING, depth + 1
    local value = origin.within(path, function() return chunk(name, path)
    end)
    depth = depth - 1
    if value == nil then value = true end
    loaded[name] = value
    return value
  end
  return function(name)
    if type(name) ~= "string" then
      error("require: a name expected, got a " .. type(name), 2)
    end
    local value = loaded[name]
    if value == LOADING then
      error(("require: %q is still being loaded"):format(name), 2)
    end
    if value ~= nil then return value end
    if depth == REQUIRES_DEEP_MAX then
      error(("require: more than %d deep"):format(depth), 2)
    end
    local path, text = fetch(name)
    if not path then refuse(2, "no module %q here: %s", name, text) end
    local chunk, why = compile(path, text, env)
    if not chunk then error(why, 0) end
    return run(name, path, chunk)
  end
end

-- --- the environment ------------------------------------------------------

local function guard(env)
  return setmetatable(env, {
    __metatable = false,
    __index = function(_, name)
      if WHAT[name] then
        refuse(2, "no %s here: a layout %s", name, WHAT[name])
      end
    end,
    __newindex = function(_, name)
      error(("%s is not declared: write `local %s = ...`"):format(
        strings.tostring(name), strings.tostring(name)), 2)
    end,
  })
end

---An environment for scripts.
---@param cell table charge(work), enter(coroutine)
---@param fetch fun(name): string?, string of the host: path, text
---@param compile fun(path, text, env): function?, string?
---@return table env, fun(): string notes what was printed
function M.new(cell, fetch, compile)
  local notes = { bytes = 0 }
  local env = base_of(cell, notes)
  env.string = strings.library(cell)
  env.table = tables.library(cell)
  env.math = math_library()
  env.coroutine = coroutine_library(cell)
  env.utf8 = utf8_library(cell)
  env.tidal = tidal_library(cell)
  env.require = require_of(env, env.tidal, fetch, compile)
  return guard(env), function() return table.concat(notes) end
end

return M
