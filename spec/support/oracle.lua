-- A second implementation of the formats and of routing, for comparison:
-- string.pack and plain loops, as short as can be. XXH3 is not repeated:
-- hashes come from tidal.core and are held to golden values elsewhere.
local core = require "tidal.core"

local M = {}

M.HEADER_BYTES = 64
M.RECORD_BYTES = 21
M.MAX = -1  -- 2^64-1

local function flip_hex(digits)
  local out = {}
  for pair in digits:gmatch "%x%x" do
    table.insert(out, 1, string.char(tonumber(pair, 16)))
  end
  return table.concat(out)
end

---XXH3-128 as it is stored: the low half, then the high half.
function M.hash128(bytes)
  local digits = core.checksum(bytes)
  return flip_hex(digits:sub(17)) .. flip_hex(digits:sub(1, 16))
end

---XXH3-64 as it is stored, of more than 240 bytes: there it is the low half
---of XXH3-128.
function M.hash64(bytes)
  assert(#bytes > 240)
  return flip_hex(core.checksum(bytes):sub(17))
end

-- --- batches --------------------------------------------------------------

function M.record(event)
  return ("<i8Bfi8"):pack(event.entity, event.signal_type, event.weight, event.timestamp_ns)
end

function M.payload(events)
  local out = {}
  for i, event in ipairs(events) do out[i] = M.record(event) end
  return table.concat(out)
end

---A header whose header_hash is zero.
function M.header(head, payload, count)
  return ("<c4I2I2i8i8I4I4c16I4I4I2I2I2I2"):pack(
    "TIDL", head.version or 2, (head.kind or 0) | (head.lazy and 16 or 0), head.first_seq,
    head.timestamp_ns, count, #payload, M.hash128(payload), 0, head.epoch or 0, 0,
    head.shard or 0, head.region or 0, 0)
end

---A batch with header_hash zero: compare with M.unhashed of the other.
function M.batch(head, events)
  local payload = M.payload(events)
  return M.header(head, payload, #events) .. payload
end

---The bytes of a batch with header_hash set to zero.
function M.unhashed(bytes)
  return bytes:sub(1, 48) .. "\0\0\0\0" .. bytes:sub(53)
end

local HEAD_FIELDS <const> = {
  "magic", "version", "flags", "first_seq", "timestamp_ns", "event_count", "payload_len",
  "payload_hash", "header_hash", "layout_epoch", "reserved", "shard", "region", "reserved_end",
}

---The fields of the header at offset `at` (from 0), and of its events.
function M.read_batch(bytes, at)
  local values = { ("<c4I2I2i8i8I4I4c16I4I4I2I2I2I2"):unpack(bytes, at + 1) }
  local out = {}
  for i, name in ipairs(HEAD_FIELDS) do out[name] = values[i] end
  out.payload = bytes:sub(at + 65, at + 64 + out.payload_len)
  out.size = 64 + out.payload_len
  out.events = {}
  if out.flags & 15 == 0 and #out.payload == 21 * out.event_count then
    for i = 1, out.event_count do
      local entity, signal, weight, stamp = ("<i8Bfi8"):unpack(out.payload, 21 * i - 20)
      out.events[i] = { entity = entity, signal_type = signal, weight = weight,
                        timestamp_ns = stamp }
    end
  end
  return out
end

---What is to be said of 64 bytes with a right hash: a status, or their fields.
---Written against FORMAT.md 1, in its order.
function M.judge_header(bytes)
  local head = M.read_batch(bytes, 0)
  local kind, count = head.flags & 15, head.event_count
  if head.magic ~= "TIDL" then return "magic" end
  if head.version == 0 or head.version > 2 then return "unsupported" end
  if head.version == 1 then
    if head.flags ~= 0 or bytes:sub(53, 64) ~= ("\0"):rep(12) then return "reserved" end
  elseif kind > 1 or head.flags & ~31 ~= 0 then
    return "unsupported"
  elseif head.reserved ~= 0 or head.reserved_end ~= 0 then
    return "reserved"
  end
  if count == 0 or head.payload_len > 16777152 then return "length" end
  if kind == 0 and head.payload_len ~= 21 * count then return "length" end
  if head.first_seq == 0 or math.ult(head.first_seq + (count - 1), head.first_seq) then
    return "sequence"
  end
  return "ok", head
end

---All batches of a segment's bytes, with their offsets; zeros end it.
function M.read_segment(bytes)
  local out, at = {}, 0
  while at + 64 <= #bytes and bytes:byte(at + 1) ~= 0 do
    local batch = M.read_batch(bytes, at)
    batch.offset = at
    out[#out + 1] = batch
    at = at + batch.size
  end
  return out
end

function M.segment_name(shard, first_seq)
  local digits = M.decimal(first_seq)
  digits = ("0"):rep(20 - #digits) .. digits
  return shard == 0 and "wal-" .. digits .. ".seg" or ("wal-s%05d-%s.seg"):format(shard, digits)
end

-- --- checkpoints ----------------------------------------------------------

local function numbers(text, letter_pattern)
  return math.tointeger(tonumber(text:match(letter_pattern)))
end

---A v2 checkpoint without its hash.
function M.checkpoint(c)
  local out = { ("<c4I2I2i8i8i8i8I4I4c10I2I2I2"):pack(
    "TIDC", 2, c.clean and 1 or 0, c.seqno, c.timestamp_ns, c.generation, c.hlc_wall_ns, c.epoch,
    #c.marks, ("\0"):rep(10), c.shard, c.region, 0) }
  for _, mark in ipairs(c.marks) do
    local log = tostring(mark.log)
    out[#out + 1] = ("<I2I2I4i8"):pack(numbers(log, "^r(%d+)"), numbers(log, ":s(%d+)$"),
                                       mark.epoch, mark.seqno)
  end
  return table.concat(out)
end

-- --- numbers and routing --------------------------------------------------

---Unsigned decimal text.
function M.decimal(n)
  if n >= 0 then return ("%d"):format(n) end
  local tens = (n >> 1) // 5
  return ("%d%d"):format(tens, n - tens * 10)
end

---n mod d, unsigned; d in 1..2^31.
function M.remainder(n, d)
  return ((n >> 32) % d << 32 | n & 0xffffffff) % d
end

---The first id of part i (from 0) of an even split: ceil(i * 2^64 / n), by
---long division in base 2^16.
function M.even_first(i, n)
  local quotient, rest = 0, i
  for _ = 1, 4 do
    rest = rest << 16
    quotient, rest = quotient << 16 | rest // n, rest % n
  end
  return rest > 0 and quotient + 1 or quotient
end

---The one entry of a list { shard =, first =, last = } that holds the key;
---nil unless exactly one does.
function M.owner(list, key)
  local found
  for _, range in ipairs(list) do
    if not math.ult(key, range.first) and not math.ult(range.last, key) then
      if found then return nil end
      found = range.shard
    end
  end
  return found
end

return M
