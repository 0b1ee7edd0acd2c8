-- tidal.wal.encode_checkpoint, decode_checkpoint, checkpoint_name,
-- checkpoint.
local core = require "tidal.core"
local gen = dofile "spec/support/gen.lua"
local golden = dofile "spec/support/golden.lua"
local hex = dofile "spec/support/hex.lua"
local oracle = dofile "spec/support/oracle.lua"
local raised = dofile "spec/support/raised.lua"
local wal_dir = dofile "spec/support/wal_dir.lua"
local wal = core.wal

local VECTORS <const> = golden.json("vectors.json").checkpoints
local FIELDS <const> = { "seqno", "timestamp_ns", "generation", "hlc_wall_ns", "epoch", "shard",
                         "region", "clean" }

local function marks_of(g, count)
  local seen, out = {}, {}
  while #out < count do
    local log = core.log(g:u16(), g:u16())
    if not seen[log] then
      seen[log] = true
      out[#out + 1] = { log = log, epoch = g:u32(), seqno = g:u64() }
    end
  end
  table.sort(out, function(a, b) return a.log < b.log end)
  return out
end

local function fields_of(g, count)
  return { seqno = g:u64(), timestamp_ns = g:u64(), generation = g:seqno(1),
           hlc_wall_ns = g:u64(), epoch = g:u32(), shard = g:u16(), region = g:u16(),
           clean = g:once_in(2), marks = marks_of(g, count) }
end

-- The bytes with their hash made right again, or nil when it is unknown.
local function rehashed(bytes)
  local body = bytes:sub(1, -9)
  local _, err = wal.decode_checkpoint(body .. ("\0"):rep(8))
  assert(err.code == "header_hash")
  return body .. ("<i8"):pack(err.bound)
end

describe("wal.decode_checkpoint", function()
  it("reads a v1 checkpoint.meta", function()
    local c = assert(wal.decode_checkpoint(hex.decode(VECTORS[1].v1_hex)))
    assert.same({ version = 1, seqno = 41, timestamp_ns = 1700000000000000000, generation = 0,
                  hlc_wall_ns = 0, epoch = 0, shard = core.shard(0), region = core.region(0),
                  clean = false, marks = {} }, c)
    assert.equal(12000, wal.decode_checkpoint(golden.read "v1-single/checkpoint.meta").seqno)
  end)

  it("reads the golden v2 one", function()
    local c = assert(wal.decode_checkpoint(hex.decode(VECTORS[2].v2_hex)))
    assert.same({ version = 2, seqno = 41, timestamp_ns = 1700000000000000000, generation = 3,
                  hlc_wall_ns = 1700000000000000009, epoch = 2, shard = core.shard(3),
                  region = core.region(1), clean = true,
                  marks = { { log = core.log(0, 3), epoch = 2, seqno = 40 },
                            { log = core.log(2, 3), epoch = 2, seqno = 17 } } }, c)
  end)

  it("reads both slots of five shards and writes them again", function()
    for shard = 0, 4 do
      for slot = 0, 1 do
        local generation = slot == 1 and 7 or 6
        local name = wal.checkpoint_name(shard, generation)
        local bytes = golden.read("v2-five-shards/" .. name)
        local c = assert(wal.decode_checkpoint(bytes))
        assert.same({ generation, core.shard(shard), generation == 7 },
                    { c.generation, c.shard, c.clean })
        assert.same({ "r0:s" .. shard, 77, "r2:s" .. shard, 5 },
                    { tostring(c.marks[1].log), c.marks[1].seqno, tostring(c.marks[2].log),
                      c.marks[2].seqno })
        assert.equal("", hex.difference(bytes, wal.encode_checkpoint(c)))
      end
    end
  end)

  it("refuses every flipped bit and every cut", function()
    local bytes = hex.decode(VECTORS[2].v2_hex)
    local silent = 0
    for bit = 0, 8 * #bytes - 1 do
      local c, err = wal.decode_checkpoint(hex.flip(bytes, bit))
      if c or not (err.code == "magic" or err.code == "header_hash") then silent = silent + 1 end
    end
    for size = 0, #bytes - 1 do
      local c = wal.decode_checkpoint(bytes:sub(1, size))
      -- Sixteen bytes are a v1 file, which has no hash.
      if c and size ~= 16 then silent = silent + 1 end
    end
    assert.equal(0, silent)
  end)

  local forged = {
    { "version 3", 4, "\3\0", "unsupported" }, { "version 1", 4, "\1\0", "unsupported" },
    { "flag 2", 6, "\2\0", "unsupported" }, { "byte 48", 48, "\1", "reserved" },
    { "byte 57", 57, "\1", "reserved" }, { "byte 63", 63, "\1", "reserved" },
    { "generation 0", 24, ("\0"):rep(8), "sequence" },
    { "one mark too many", 44, "\3", "length" }, { "one too few", 44, "\1", "length" },
    { "more marks than can be", 44, "\1\0\x40\0", "too_many" },
    { "marks that fall", 64, "\3\0", "backward" }, { "a mark twice", 64, "\2\0", "duplicate" },
  }
  for _, case in ipairs(forged) do
    it("refuses " .. case[1] .. " under a right hash", function()
      local bytes = rehashed(hex.put(hex.decode(VECTORS[2].v2_hex), case[2], case[3]))
      local c, err = wal.decode_checkpoint(bytes)
      assert.is_nil(c)
      assert.equal(case[4], err.code)
    end)
  end

  it("never crashes on anything", function()
    gen.property("random checkpoints", 2000, function(g)
      local bytes = g:bytes(g:int(0, 200))
      if g:once_in(2) then bytes = "TIDC" .. bytes end
      local c, err = wal.decode_checkpoint(bytes)
      if #bytes ~= 16 and (c or not core.is_error(err)) then return hex.encode(bytes) end
    end)
    assert.equal("bad argument #1 (bytes: a string expected, got 16)",
                 raised(wal.decode_checkpoint, 16))
  end)
end)

describe("wal.encode_checkpoint", function()
  it("gives the golden bytes", function()
    local bytes = wal.encode_checkpoint {
      seqno = 41, timestamp_ns = 1700000000000000000, generation = 3,
      hlc_wall_ns = 1700000000000000009, epoch = 2, shard = 3, region = 1, clean = true,
      marks = { { log = "r0:s3", epoch = 2, seqno = 40 },
                { log = "r2:s3", epoch = 2, seqno = 17 } },
    }
    assert.equal(VECTORS[2].v2_hex, hex.encode(bytes))
  end)

  it("makes what an independent writer makes, and is read back", function()
    gen.property("checkpoints", 200, function(g)
      local fields = fields_of(g, g:once_in(3) and 0 or g:int(1, 40))
      local bytes, body = wal.encode_checkpoint(fields), oracle.checkpoint(fields)
      local fault = hex.difference(body, bytes:sub(1, -9))
      if fault ~= "" then return fault end
      if #body > 240 and bytes:sub(-8) ~= oracle.hash64(body) then return "another hash" end
      local back = wal.decode_checkpoint(bytes)
      for _, name in ipairs(FIELDS) do
        local value = back[name]
        if name == "shard" or name == "region" then value = value.value end
        if value ~= fields[name] then return name end
      end
      for i, mark in ipairs(fields.marks) do
        for name, value in pairs(mark) do
          if back.marks[i][name] ~= value then return ("mark %d: %s"):format(i, name) end
        end
      end
      if wal.encode_checkpoint(back) ~= bytes then return "encodes to other bytes" end
    end)
  end)

  it("has defaults", function()
    assert.same({ version = 2, seqno = 0, timestamp_ns = 0, generation = 1, hlc_wall_ns = 0,
                  epoch = 0, shard = core.shard(0), region = core.region(0), clean = false,
                  marks = {} }, wal.decode_checkpoint(wal.encode_checkpoint {}))
  end)

  it("takes the marks of a state", function()
    local state = core.state { "r1:s0", "r0:s5" }
    assert(state:advance("r1:s0", 1, 9))
    local c = wal.decode_checkpoint(wal.encode_checkpoint { seqno = 9, marks = state:marks() })
    assert.same(state:marks(), c.marks)
  end)

  local function mark(fields)
    return { marks = { { log = "r0:s0", epoch = 0, seqno = 1 }, fields } }
  end
  local cases = {
    { "no table", "x",
      'bad argument #1 (a table { seqno =, timestamp_ns =, ... } expected, got "x")' },
    { "generation 0", { generation = 0 }, "generation: numbers start at 1, got 0" },
    { "v1", { version = 1 }, "version: 1 is outside 2..2" },
    { "a float", { seqno = 1.0 }, 'seqno: an integer, "0x" and 1-16 hex digits, or decimal text up '
      .. 'to "18446744073709551615" expected, got the float 1' },
    { "an epoch above 2^32-1", { epoch = -1 }, "epoch: -1 is outside 0..4294967295" },
    { "clean in text", { clean = "yes" }, 'clean: a boolean expected, got "yes"' },
    { "marks that are no list", { marks = 5 }, "marks: a list expected, got 5" },
    { "a mark that is none", mark(5), "marks[2]: a table { log =, epoch =, seqno = } expected, "
      .. "got 5" },
    { "a mark of no log", mark { epoch = 1, seqno = 1 },
      'marks[2].log: a log (tidal.log(0, 3) or "r0:s3") expected, got nil' },
    { "a mark without epoch", mark { log = "r0:s1", seqno = 1 },
      "marks[2].epoch: an integer in 0..4294967295 expected, got nil" },
    { "a mark without number", mark { log = "r0:s1", epoch = 1 },
      'marks[2].seqno: an integer, "0x" and 1-16 hex digits, or decimal text up to '
      .. '"18446744073709551615" expected, got nil' },
    { "a misspelt mark", mark { log = "r0:s1", epoch = 1, seqno = 1, seqo = 1 },
      'marks[2]: unknown key "seqo"; known are log, epoch, seqno' },
    { "a log twice", mark { log = "r0:s0", epoch = 0, seqno = 1 },
      "duplicate: mark is listed twice: entries 1 and 2" },
  }
  for _, case in ipairs(cases) do
    it("refuses " .. case[1], function()
      assert.equal(case[3], raised(wal.encode_checkpoint, case[2]))
    end)
  end

  it("refuses marks that fall and unknown keys", function()
    local fine, err = pcall(wal.encode_checkpoint, { marks = {
      { log = "r1:s0", epoch = 0, seqno = 1 }, { log = "r0:s9", epoch = 0, seqno = 1 } } })
    assert.is_false(fine)
    assert.same({ "backward", 1, 2 }, { err.code, err.index, err.other })
    assert.matches('^bad argument #1 %(unknown key "layout_epoch"; known are version, seqno, ',
                   raised(wal.encode_checkpoint, { layout_epoch = 1 }))
  end)
end)

describe("wal.checkpoint_name", function()
  it("is the shard's slot: the generation mod 2", function()
    assert.equal("checkpoint-s00003.1", wal.checkpoint_name(3, 1))
    assert.equal("checkpoint-s00003.0", wal.checkpoint_name("s3", 2))
    assert.equal("checkpoint-s65535.1", wal.checkpoint_name(core.shard(65535), -1))
    assert.equal("checkpoint-s00000.0", wal.checkpoint_name(0, math.mininteger))
  end)

  it("needs a shard and a generation", function()
    assert.matches("^bad argument #1 %(shard: ", raised(wal.checkpoint_name, core.region(1), 1))
    assert.matches("^bad argument #2 %(generation: ", raised(wal.checkpoint_name, 1, 1.0))
  end)
end)

describe("wal.checkpoint", function()
  local function slot(generation, seqno)
    return wal.encode_checkpoint { generation = generation, seqno = seqno, shard = 3,
                                   marks = { { log = "r1:s0", epoch = 1, seqno = generation } } }
  end
  local function newest(files, shard)
    return wal_dir.with(files, function(dir)
      return wal.checkpoint { dir = dir, shard = shard }
    end)
  end

  it("is the newer of the two slots", function()
    local cases = { { 4, 5, 50 }, { 6, 5, 60 }, { -2, -1, -10 }, { -2, 1, -20 } }
    for _, case in ipairs(cases) do
      local found = newest({ ["checkpoint-s00003.0"] = slot(case[1], case[1] * 10),
                             ["checkpoint-s00003.1"] = slot(case[2], case[2] * 10) }, 3)
      assert.same({ case[3], case[3] // 10, core.shard(3) },
                  { found.seqno, found.marks[1].seqno, found.shard })
    end
  end)

  it("is the one that is there, or sound", function()
    for which = 0, 1 do
      local good, bad = ("checkpoint-s00003.%d"):format(which),
                        ("checkpoint-s00003.%d"):format(1 - which)
      local bytes = slot(4 + which, 7)
      assert.equal(7, newest({ [good] = bytes }, "s3").seqno)
      for _, damaged in ipairs { "", "x", slot(6, 9), (slot(9 - which, 9):gsub("C", "D")) } do
        assert.equal(7, newest({ [good] = bytes, [bad] = damaged:sub(1, -2) .. "?" }, 3).seqno)
      end
      local none, err = newest({ [bad] = "x" }, 3)
      assert.is_nil(none)
      assert.same({ "short", bad }, { err.code, err.file })
    end
  end)

  it("is that of v1 where there is no slot, of the first shard only", function()
    local found = assert(wal.checkpoint { dir = golden.dir .. "/v1-single" })
    assert.equal(1, found.version)
    assert.same(wal.decode_checkpoint(golden.read "v1-single/checkpoint.meta"), found)
    assert.is_nil(wal.checkpoint { dir = golden.dir .. "/v1-single", shard = 1 })
    local meta = golden.read "v1-single/checkpoint.meta"
    found = newest({ ["checkpoint.meta"] = meta,
                     ["checkpoint-s00000.1"] = wal.encode_checkpoint { seqno = 1 } })
    assert.equal(2, found.version)
  end)

  it("is nil where there is none, and nil, err where there is no directory", function()
    assert.same({ n = 1 }, table.pack(newest({}, 3)))
    assert.equal("io", select(2, wal.checkpoint { dir = "build/nothing/there" }).code)
    assert.matches("dir: a string expected, got nil", raised(wal.checkpoint, {}))
    assert.matches("unknown key \"path\"; known are dir, shard", raised(wal.checkpoint,
                                                                        { path = "x" }))
  end)
end)
