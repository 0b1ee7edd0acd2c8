local tidal = require "tidal"

describe("require 'tidal'", function()
  it("is the core and what is written in Lua", function()
    local core = require "tidal.core"
    for name, value in pairs(core) do assert.equal(value, tidal[name]) end
    for _, name in ipairs { "cluster", "routing", "rules", "text", "json" } do
      assert.equal(require("tidal." .. name), tidal[name])
      assert.equal(tidal[name], rawget(tidal, name))
    end
  end)

  it("has what scripts use", function()
    local names = "shard region segment parse u64 router wal state node nodes profile cluster "
      .. "routing rules text json version"
    for name in names:gmatch "%S+" do assert.is_not_nil(tidal[name], name) end
  end)

  it("loads Lua modules when they are first used", function()
    package.loaded["tidal"] = nil
    local fresh = require "tidal"
    package.loaded["tidal"] = tidal
    assert.is_nil(rawget(fresh, "rules"))
    assert.equal(tidal.rules, fresh.rules)
    assert.equal(tidal.rules, rawget(fresh, "rules"))
  end)

  it("is nil for what does not exist", function()
    assert.is_nil(tidal.no_such_thing)
    assert.is_nil(tidal[1])
  end)
end)
