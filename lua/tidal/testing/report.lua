-- An output handler of busted that prints one line of JSON at the end, to the
-- file that -Xoutput names: what `tidal-lua mutate` reads of each run.
--
--   {"number":3,"served":1,"tests":3,"red":1,"first":"the cluster ..."}
local json = require "tidal.json"
local stand_in = require "tidal.testing.stand_in"

local NAME_BYTES_MAX <const> = 512

local function shortened(text)
  if #text <= NAME_BYTES_MAX then return text end
  return (text:sub(1, NAME_BYTES_MAX):gsub("[\xC0-\xFF]?[\x80-\xBF]*$", ""))
         .. "..."
end

-- One write, so that lines of processes that share a pipe stay whole.
local function write(path, line)
  local file = assert(io.open(path, "w"))
  file:setvbuf("full", #line + 1)
  file:write(line, "\n")
  file:close()
end

---@param options { arguments: string[] }
return function(options)
  local busted = require "busted"
  local handler = require "busted.outputHandlers.base"()
  local path = options.arguments[1]
  local tests, red, first = 0, 0, nil

  local function note(element)
    red = red + 1
    first = first or handler.getFullName(element)
    return nil, true
  end
  busted.subscribe({ "test", "end" }, function(_, _, status)
    if status ~= "pending" then tests = tests + 1 end
    return nil, true
  end)
  busted.subscribe({ "failure" }, note)
  busted.subscribe({ "error" }, note)
  busted.subscribe({ "exit" }, function()
    write(path, json.encode(json.object {
      { "number", stand_in.number() }, { "served", stand_in.served() },
      { "tests", tests }, { "red", red },
      { "first", first and shortened(first) },
    }))
    return nil, true
  end)
  return handler
end
