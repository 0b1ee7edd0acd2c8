-- Makes layout scripts out of chance, and says where what is in them stands.
--
-- layout_text(stream) -> text, { path = line } of every entry

-- A script under construction: its text, the line it has come to, and the
-- entries so far.
local function writer(stream)
  local self = { out = {}, line = 1, lines = {} }
  function self.put(text)
    self.out[#self.out + 1] = text
    self.line = self.line + select(2, text:gsub("\n", ""))
  end
  function self.gap()
    self.put(stream:pick { " ", "\n", " -- a = { 1,\n", "--[[ {\n ]]", "\t", "--[=[ ]] ]=] " })
  end
  return self
end

-- Puts the i-th key of a table; returns its path, and true if there is no key
-- to see. `count` fields before it had none.
local function put_key(stream, script, path, i, count)
  local form, name = stream:int(1, 4), "k" .. i
  local key = path == "" and name or path .. "." .. name
  if form < 3 then key = ("%s[%d]"):format(path, form == 1 and count + 1 or 10 + i) end
  script.lines[key] = script.line
  if form == 1 then return key, true end
  script.put(({ [2] = "[" .. 10 + i .. "]", [3] = name, [4] = "['" .. name .. "']" })[form])
  script.gap()
  script.put "="
  script.gap()
  return key, false
end

local VALUES <const> = {
  "1", "'a\\\n,'", "[[\n{ b = 1 ]]", "x + f({ b = 1 }, 2) .. ',}'",
  "function(a) if a then return { b = 1 }, 2 end end",
}

local function put_table(stream, script, path, depth)
  local count = 0
  script.put "{"
  for i = 1, stream:int(0, 4) do
    script.gap()
    local key, positional = put_key(stream, script, path, i, count)
    count = positional and count + 1 or count
    if depth > 0 and stream:once_in(2) then
      script.put(stream:pick { "", "f", "tidal.f", "t:f" })
      put_table(stream, script, key, depth - 1)
    else
      script.put(stream:pick(VALUES))
    end
    script.gap()
    script.put(stream:pick { ",", ";" })
  end
  script.gap()
  script.put "}"
end

return function(stream)
  local script = writer(stream)
  script.put(stream:pick { "", "#!/usr/bin/env tidal-lua\n", "local x = 'cluster {'\n" })
  script.put "return tidal."
  script.lines[""] = script.line
  script.put "cluster"
  script.gap()
  put_table(stream, script, "", 3)
  return table.concat(script.out), script.lines
end
