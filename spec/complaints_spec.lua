-- What the author of a layout is told, word for word: where, what was given,
-- how to mend it. spec/golden/complaints holds layouts and what a verb prints
-- of them, NAME.txt; TIDAL_UPDATE_GOLDEN=1 writes those anew, to be read.
local cli = require "spec.support.cli"
local golden = require "spec.support.golden"

local DIR <const> = "spec/golden/complaints/"

-- What is told, NAME, status, words; the name of a layout stands for its path.
local ROWS <const> = {
  { "ranges that overlap, both lines, each mending", "overlap", 1, "plan overlap.lua" },
  { "ids that no shard owns", "gap", 1, "prove gap.lua" },
  { "numbers that Lua makes others of, all at once", "numbers", 1, "plan numbers.lua" },
  { "keys and words that are not known", "keys", 1, "plan keys.lua" },
  { "the same to a program", "keys-json", 1, "plan keys.lua --json" },
  { "keys that have no order", "order", 1, "plan order.lua" },
  { "what changes from run to run", "clock", 1, "plan clock.lua" },
  { "the step that breaks a rule, shrunk, and the repair", "traded", 1, "diff old.lua traded.lua" },
  { "the rule that forbids a lead, its line, the next best", "lead", 1,
    "explain lead.lua s3 us-east->eu-west" },
  { "rules that are broken once a region is lost", "lost", 0,
    "whatif lead.lua --lose region=us-east" },
  { "an option that is not known", "option", 2, "plan lead.lua --jsno" },
  { "a file that is not there", "absent", 1, "plan absent.lua" },
}

describe("the author of a layout is told", function()
  for _, row in ipairs(ROWS) do
    it(row[1], function()
      local args = {}
      for word in row[4]:gmatch "%S+" do
        args[#args + 1] = word:find "%.lua$" and DIR .. word or word
      end
      local status, out, err = cli.run(args)
      local file = "complaints/" .. row[2] .. ".txt"
      if os.getenv "TIDAL_UPDATE_GOLDEN" then
        local kept = assert(io.open("spec/golden/" .. file, "wb"))
        kept:write(out, err)
        kept:close()
      end
      assert.equal(golden.read(file), out .. err)
      assert.equal(row[3], status)
    end)
  end
end)
