-- The logs of a directory in order, and errors with the next step.
local core = require "tidal.core"
local golden = dofile "spec/support/golden.lua"
local logs = require "tidal.cli.wal.logs"

describe("logs", function()
  it("come by region, then shard", function()
    local reader <close> = logs.open(golden.dir .. "/live/unpublished")
    assert.same({ { region = 0, shard = 65535 }, { region = 1, shard = 1 },
                  { region = 2, shard = 0 } }, logs.list(reader))
  end)

  it("whose first batch is damaged have no region", function()
    local reader <close> = logs.open(golden.dir .. "/damaged/wrong-name")
    assert.same({ { shard = 4 }, { region = 1, shard = 2 } }, logs.list(reader))
  end)
end)

describe("a failed walk", function()
  local function message(code)
    local _, err = pcall(logs.fail, { code = code, message = "m" }, "DIR")
    assert.is_true(core.is_error(err))
    return err.message
  end

  it("names the next step where bytes are damaged", function()
    assert.equal("m\n`tidal-lua wal verify DIR` says what is damaged", message "short")
  end)

  it("does not where the world failed", function()
    assert.equal("m", message "io")
    assert.equal("m", message "no_memory")
  end)
end)
