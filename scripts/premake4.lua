-- Reads a premake5 script under Debian's premake4 4.3 (Lua 5.1): the few
-- calls premake5.lua uses, no more. Anything else fails as a nil global,
-- which is wanted. Also repairs the makefiles that 4.3 generates.
workspace = solution

-- filter "configurations:debug" is configuration "debug" in 4.3.
function filter(terms)
  local out = {}
  for _, term in ipairs(table.flatten { terms }) do
    local field, value = term:match "^(%a+):(.*)$"
    if field and field ~= "configurations" then
      error("scripts/premake4.lua: no filter on '" .. field .. "'", 2)
    end
    table.insert(out, value or term)
  end
  return configuration(out)
end

local function choice(name, map)
  _G[name] = function(value)
    if not map[value] then
      error(name .. " '" .. tostring(value)
            .. "' is not known to scripts/premake4.lua", 2)
    end
    map[value]()
  end
end
choice("symbols", { On = function() flags { "Symbols" } end })
choice("pic", { On = function() buildoptions { "-fPIC" } end })

local make_cpp = premake.make_cpp
function premake.make_cpp(prj)
  -- a/segment.c and b/segment.c both become segment.o in 4.3: keep the path
  -- in the name.
  local basename = path.getbasename
  path.getbasename = function(file)
    if not path.iscfile(file) then return basename(file) end
    return (file:gsub("^[%./]+", ""):gsub("%.c$", ""):gsub("/", "_"))
  end
  make_cpp(prj)
  path.getbasename = basename
  _p("")
  _p("# Directories before what is written into them (make -j); everything")
  _p("# again when the flags changed.")
  _p("$(OBJECTS): $(firstword $(MAKEFILE_LIST)) | $(OBJDIR)")
  _p("$(TARGET): | $(TARGETDIR)")
end

-- Leaves a makefile that did not change alone, so that running premake again
-- rebuilds nothing.
function premake.generate(obj, filename, callback)
  filename = premake.project.getfilename(obj, filename)
  io.capture()
  callback(obj)
  local text = io.endcapture()
  -- `ar r` keeps the members of deleted sources.
  text = text:gsub("%$%(AR%) %-rcs %$%(TARGET%)", "rm -f $(TARGET) && %0")
  local old = io.open(filename, "rb")
  local same = old and old:read "*a" == text
  if old then old:close() end
  if same then return end
  printf("Generating %s...", filename)
  local out = assert(io.open(filename, "wb"))
  out:write(text)
  out:close()
end
