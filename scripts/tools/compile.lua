-- Compiles Lua files for the executable, which loads them so in a tenth of
-- the time that their text takes: every run begins with it, twice where a
-- layout gets a process of its own. All releases of Lua 5.4 share the code.
--   lua5.4 scripts/tools/compile.lua FILE...
-- Prints the bytes of each as a line of numbers -128..127 for C. Names and
-- lines stay in, for tracebacks; the source is "=FILE", which no script's is.
for _, path in ipairs(arg) do
  local file <close> = assert(io.open(path, "rb"))
  local code = string.dump(assert(load(file:read "a", "=" .. path, "t")))
  local numbers = {}
  for i = 1, #code do numbers[i] = string.unpack("b", code, i) end
  print(table.concat(numbers, ","))
end
