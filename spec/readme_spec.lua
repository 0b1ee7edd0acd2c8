-- Every fenced block of README.md runs, and prints what the README says.
--
--   ```console   "$ command" lines, each followed by its output; a line
--                "..." stands for any lines; run in this folder with the
--                host's directory first in PATH; build is a directory of
--                its own, as several builds may run this at once
--   ```lua       a script; what it prints is the texts behind "-->"
--   ```c         a program, built with pkg-config against lib/libtidal.so;
--                prints the ```text block that follows
--   ```sh        listed in NOT_RUN below, with the reason
--
-- TIDAL_UPDATE_README=1 writes the real output of console blocks into it.
local cli = require "spec.support.cli"
local lfs = require "lfs"

local README = "README.md"
local NOT_RUN = {
  ["sh scripts/test.sh"] = "is what runs this spec",
  ["PATH=$PWD/bin:$PATH"] = "sets up the reader's shell",
  ["tidal-lua bench"] = "takes long and asserts times; spec/lua/bench runs its parts",
  ["tidal-lua bench --peers"] = "the same; spec/bench_spec.lua runs its parts",
}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "a"
  file:close()
  return text
end

-- { kind =, line =, text =, first =, last = } of each fenced block; first and
-- last are positions of its inside.
local function blocks_of(text)
  local out, at = {}, 1
  while true do
    local open = text:find("```%l+\n", at)
    if not open then return out end
    local kind, inside = text:match("```(%l+)\n()", open)
    local close = text:find("```", inside, true)
    local _, lines = text:sub(1, open):gsub("\n", "")
    out[#out + 1] = { kind = kind, line = lines + 1, text = text:sub(inside, close - 1),
                      first = inside, last = close - 1 }
    at = close + 3
  end
end

-- { { command =, want = {lines} }, ... } of a console block.
local function commands_of(block)
  local out = {}
  for line in block.text:gmatch "([^\n]*)\n" do
    local command = line:match "^%$ (.+)$"
    if command then
      out[#out + 1] = { command = command, want = {} }
    elseif #out > 0 then
      table.insert(out[#out].want, line)
    end
  end
  return out
end

local function lines_of(text)
  local out = {}
  for line in (text:gsub("\n*$", "\n")):gmatch "([^\n]*)\n" do out[#out + 1] = line end
  if text:gsub("%s", "") == "" then return {} end
  return out
end

-- What the README calls build, beside the scripts.
local PLACE <const> = os.tmpname()
local BUILD <const> = PLACE .. "/build"
local HERE <const> = lfs.currentdir()
assert(os.execute(("rm %s && mkdir -p %s && ln -s '%s/scripts' %s"):format(
  PLACE, BUILD, HERE, PLACE)))

local function placed(text)
  return (text:gsub("%f[%w]build%f[/%s]", BUILD))
end

local function run(command)
  local dir = cli.tidal:match "^(.*)/[^/]+$" or "."
  local status, out, err = cli.run({ "-c", ("PATH='%s':$PATH; %s 2>&1"):format(
    dir, placed(command)) }, { program = "sh" })
  return ((out .. err):gsub(BUILD:gsub("%W", "%%%0"), "build")), status
end

-- True if the lines are the wanted ones, "..." standing for any.
local function matches(want, got)
  local function from(w, g)
    while w <= #want do
      if want[w] == "..." then
        for skip = g, #got + 1 do
          if from(w + 1, skip) then return true end
        end
        return false
      end
      if want[w] ~= got[g] then return false end
      w, g = w + 1, g + 1
    end
    return g == #got + 1
  end
  return from(1, 1)
end

local function update(text, blocks)
  local new, at = {}, 1
  for _, block in ipairs(blocks) do
    if block.kind == "console" then
      local out = {}
      for _, step in ipairs(commands_of(block)) do
        out[#out + 1] = "$ " .. step.command
        local got = lines_of((run(step.command)))
        if matches(step.want, got) and #step.want > 0 then got = step.want end
        table.move(got, 1, #got, #out + 1, out)
      end
      new[#new + 1] = text:sub(at, block.first - 1) .. table.concat(out, "\n") .. "\n"
      at = block.last + 1
    end
  end
  local file = assert(io.open(README, "wb"))
  file:write(table.concat(new), text:sub(at))
  file:close()
end

local function check_console(block)
  for _, step in ipairs(commands_of(block)) do
    local got = lines_of((run(step.command)))
    if not matches(step.want, got) then
      assert.equal(table.concat(step.want, "\n"), table.concat(got, "\n"))
    end
  end
end

local function check_lua(block)
  local want = {}
  for text in block.text:gmatch "%-%->%s*([^\n]+)" do want[#want + 1] = text end
  local status, out, err = cli.run({ "-" }, { stdin = placed(block.text) })
  assert.equal("", err)
  assert.equal(0, status)
  assert.equal(table.concat(want, "\n"), (out:gsub("\n$", "")))
end

local function check_c(block, after)
  local file = assert(io.open(BUILD .. "/example.c", "wb"))
  file:write(block.text)
  file:close()
  local text, status = run(("cd build && cc -std=c11 -Wall -Werror example.c -o example "
    .. "$(PKG_CONFIG_PATH='%s/lib/pkgconfig' pkg-config --cflags --libs tidal) "
    .. "-Wl,-rpath,'%s/lib' && ./example"):format(HERE, HERE))
  assert.equal(0, status, text)
  assert.equal(after.text, text)
end

local text = read(README)
local blocks = blocks_of(text)
if os.getenv "TIDAL_UPDATE_README" then
  update(text, blocks)
  text = read(README)
  blocks = blocks_of(text)
end

describe("README.md", function()
  teardown(function() os.execute("rm -r " .. PLACE) end)

  it("is a shop window, not a warehouse", function()
    assert.is_true(#lines_of(text) <= 450, #lines_of(text) .. " lines")
    assert.is_true(#blocks >= 10)
  end)

  for i, block in ipairs(blocks) do
    local name = ("line %d, %s"):format(block.line, block.text:match "[^\n]*")
    if block.kind == "console" then
      it(name, function() check_console(block) end)
    elseif block.kind == "lua" then
      it(name, function() check_lua(block) end)
    elseif block.kind == "c" then
      it(name, function() check_c(block, blocks[i + 1]) end)
    elseif block.kind == "sh" then
      it(name .. " is known", function()
        for line in block.text:gmatch "[^\n]+" do assert.is_string(NOT_RUN[line], line) end
      end)
    else
      it(name .. " follows a program", function()
        assert.equal("text", block.kind)
        assert.equal("c", blocks[i - 1].kind)
      end)
    end
  end
end)
