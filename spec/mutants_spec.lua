-- The mutants of spec/mutants fit the code as it is: each old text stands in
-- its file exactly once, each suite exists. scripts/mutants.sh runs them.
local LISTS <const> = { "spec/mutants/storage.lua", "spec/mutants/migration.lua",
                        "spec/mutants/layouts.lua" }

local function read_file(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

local function occurrences(text, part)
  local count, from = 0, 1
  while true do
    local first, last = text:find(part, from, true)
    if not first then return count end
    count, from = count + 1, last + 1
  end
end

describe("spec/mutants", function()
  local suites = read_file "runtime/test/main.c"

  for _, list in ipairs(LISTS) do
    it(list .. " fits the code", function()
      local faults, names = {}, {}
      local function fault(name, form, ...)
        faults[#faults + 1] = name .. ": " .. form:format(...)
      end
      for _, mutant in ipairs(dofile(list)) do
        local name, file, suite = mutant[1], mutant[2], mutant[3]
        local lua = file:find "%.lua$" ~= nil
        local text = read_file((lua and "lua/" or "runtime/") .. file)
        if names[name] then fault(name, "is there twice") end
        names[name] = true
        local there = suite:find "%.lua$" and exists(suite)
                      or not lua and suites:find('{"' .. suite .. '", test_', 1, true)
        if not there then
          fault(name, "no suite %s", suite)
        end
        for i = 4, #mutant, 2 do
          local count = occurrences(text, mutant[i])
          if count ~= 1 then fault(name, "its text is %d times in %s", count, file) end
          if mutant[i] == mutant[i + 1] or not mutant[i + 1] then fault(name, "changes nothing") end
        end
      end
      assert.equal("", table.concat(faults, "\n"))
    end)
  end
end)
