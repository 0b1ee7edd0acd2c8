#include "format/batch.h"

#include "format/record.h"

enum {
  AT_MAGIC = 0, AT_VERSION = 4, AT_FLAGS = 6, AT_FIRST_SEQ = 8,
  AT_TIMESTAMP = 16, AT_EVENT_COUNT = 24, AT_PAYLOAD_LEN = 28,
  AT_PAYLOAD_HASH = 32, AT_HEADER_HASH = 48, AT_LAYOUT_EPOCH = 52,
  AT_RESERVED = 56, AT_SHARD = 58, AT_REGION = 60, AT_RESERVED_END = 62,
};

#define MAGIC UINT32_C(0x4c444954)  /* "TIDL" read as a little-endian u32 */
#define MAGIC_TEXT UINT32_C(0x5449444c)  /* the same as one reads it */
#define FLAGS_KIND 15u
#define FLAGS_LAZY 16u
#define FLAGS_KNOWN (FLAGS_KIND | FLAGS_LAZY)

/* The hash is taken over all 64 bytes with its own four as zero. */
static uint32_t header_hash(const uint8_t in[TD_BATCH_HEADER_BYTES]) {
  uint8_t raw[TD_BATCH_HEADER_BYTES];
  memcpy(raw, in, sizeof raw);
  td_put_u32(raw + AT_HEADER_HASH, 0);
  return (uint32_t)td_hash64((td_span){raw, sizeof raw});
}

static td_status check_length(const td_batch *batch, td_error *err) {
  if (batch->event_count == 0) {
    return td_fail(err, TD_LENGTH, "event count", 0, 1);
  }
  if (batch->payload_len > TD_BATCH_PAYLOAD_MAX) {
    return td_fail(err, TD_LENGTH, "payload length", batch->payload_len,
                   TD_BATCH_PAYLOAD_MAX);
  }
  uint64_t records = (uint64_t)batch->event_count * TD_RECORD_BYTES;
  if (batch->kind == TD_BATCH_SIGNALS && batch->payload_len != records) {
    return td_fail(err, TD_LENGTH, "payload length", batch->payload_len,
                   records);
  }
  return TD_OK;
}

static td_status check_sequence(const td_batch *batch, td_error *err) {
  uint64_t first = batch->first_seq.value;
  if (first == 0) return td_fail(err, TD_SEQUENCE, "first_seq", 0, 1);
  if (batch->event_count - 1 > UINT64_MAX - first) {
    return td_fail(err, TD_SEQUENCE, "last_seq past 2^64-1: first_seq",
                   first, UINT64_MAX - batch->event_count + 1);
  }
  return TD_OK;
}

td_status td_batch_check(const td_batch *batch, td_error *err) {
  if (batch->version == 0 || batch->version > TD_BATCH_VERSION) {
    return td_fail(err, TD_UNSUPPORTED, "version", batch->version,
                   TD_BATCH_VERSION);
  }
  if (batch->kind > TD_BATCH_SESSIONS) {
    return td_fail(err, TD_UNSUPPORTED, "payload kind", batch->kind,
                   TD_BATCH_SESSIONS);
  }
  if (batch->version == 1) {
    if (batch->kind != 0 || batch->lazy) {
      return td_fail(err, TD_RESERVED, "flags of a v1 batch",
                     batch->kind | (batch->lazy ? FLAGS_LAZY : 0), 0);
    }
    uint64_t tags = (uint64_t)batch->layout_epoch << 32
                  | (uint64_t)batch->shard.value << 16 | batch->region.value;
    if (tags) {
      return td_fail(err, TD_RESERVED, "epoch, shard or region of a v1 batch",
                     tags, 0);
    }
  }
  td_status status = check_length(batch, err);
  return status == TD_OK ? check_sequence(batch, err) : status;
}

void td_batch_encode(const td_batch *batch,
                     uint8_t out[TD_BATCH_HEADER_BYTES]) {
  td_assert(batch->version >= 1 && batch->version <= TD_BATCH_VERSION);
  uint16_t flags = (uint16_t)(batch->kind | (batch->lazy ? FLAGS_LAZY : 0));
  /* Whole words: the hash reads them back, and a load that spans several
   * smaller stores would wait for them. */
  td_put_u64(out + AT_MAGIC, MAGIC | (uint64_t)batch->version << 32
                               | (uint64_t)flags << 48);
  td_put_u64(out + AT_FIRST_SEQ, batch->first_seq.value);
  td_put_u64(out + AT_TIMESTAMP, batch->timestamp_ns);
  td_put_u64(out + AT_EVENT_COUNT,
             batch->event_count | (uint64_t)batch->payload_len << 32);
  td_put_u64(out + AT_PAYLOAD_HASH, batch->payload_hash.low);
  td_put_u64(out + AT_PAYLOAD_HASH + 8, batch->payload_hash.high);
  td_put_u64(out + AT_HEADER_HASH, (uint64_t)batch->layout_epoch << 32);
  td_put_u64(out + AT_RESERVED, (uint64_t)batch->shard.value << 16
                                  | (uint64_t)batch->region.value << 32);
  uint64_t hash = td_hash64((td_span){out, TD_BATCH_HEADER_BYTES});
  td_put_u32(out + AT_HEADER_HASH, (uint32_t)hash);
}

td_status td_batch_seal(td_batch *batch, td_span payload,
                        uint8_t out[TD_BATCH_HEADER_BYTES], td_error *err) {
  if (payload.size > TD_BATCH_PAYLOAD_MAX) {
    return td_fail(err, TD_LENGTH, "payload length", payload.size,
                   TD_BATCH_PAYLOAD_MAX);
  }
  td_batch sealed = *batch;
  sealed.payload_len = (uint32_t)payload.size;
  td_status status = td_batch_check(&sealed, err);
  if (status != TD_OK) return status;
  sealed.payload_hash = td_hash128_of(payload);
  td_batch_encode(&sealed, out);
  *batch = sealed;
  return TD_OK;
}

/* What v1 and v2 demand of the bytes that no field holds. */
static td_status check_reserved(const uint8_t *in, uint16_t version,
                                uint16_t flags, td_error *err) {
  if (version == 1) {
    if (flags) {
      return td_fail(err, TD_RESERVED, "flags of a v1 batch", flags, 0);
    }
    uint64_t tags = td_get_u64(in + AT_LAYOUT_EPOCH);
    if (tags || td_get_u32(in + AT_REGION)) {
      return td_fail(err, TD_RESERVED, "bytes 52-63 of a v1 batch",
                     tags ? tags : td_get_u32(in + AT_REGION), 0);
    }
    return TD_OK;
  }
  if (flags & ~FLAGS_KNOWN || (flags & FLAGS_KIND) > TD_BATCH_SESSIONS) {
    return td_fail(err, TD_UNSUPPORTED, "flags", flags,
                   FLAGS_LAZY | TD_BATCH_SESSIONS);
  }
  uint32_t zeros = (uint32_t)td_get_u16(in + AT_RESERVED) << 16
                 | td_get_u16(in + AT_RESERVED_END);
  if (zeros) return td_fail(err, TD_RESERVED, "bytes 56-57, 62-63", zeros, 0);
  return TD_OK;
}

td_status td_batch_decode(td_span bytes, td_batch *out, td_error *err) {
  const uint8_t *in = bytes.data;
  if (bytes.size < TD_BATCH_HEADER_BYTES) {
    return td_fail(err, TD_SHORT, "batch header", bytes.size,
                   TD_BATCH_HEADER_BYTES);
  }
  if (td_get_u32(in + AT_MAGIC) != MAGIC) {
    return td_fail(err, TD_MAGIC, "batch header", td_get_u32_be(in),
                   MAGIC_TEXT);
  }
  uint32_t stored = td_get_u32(in + AT_HEADER_HASH);
  uint32_t hash = header_hash(in);
  if (stored != hash) {
    return td_fail(err, TD_HEADER_HASH, "batch header", stored, hash);
  }
  uint16_t version = td_get_u16(in + AT_VERSION);
  uint16_t flags = td_get_u16(in + AT_FLAGS);
  if (version == 0 || version > TD_BATCH_VERSION) {
    return td_fail(err, TD_UNSUPPORTED, "version", version, TD_BATCH_VERSION);
  }
  td_status status = check_reserved(in, version, flags, err);
  if (status != TD_OK) return status;
  td_batch batch = {
    .first_seq = {td_get_u64(in + AT_FIRST_SEQ)},
    .timestamp_ns = td_get_u64(in + AT_TIMESTAMP),
    .payload_hash = {td_get_u64(in + AT_PAYLOAD_HASH),
                     td_get_u64(in + AT_PAYLOAD_HASH + 8)},
    .event_count = td_get_u32(in + AT_EVENT_COUNT),
    .payload_len = td_get_u32(in + AT_PAYLOAD_LEN),
    .layout_epoch = td_get_u32(in + AT_LAYOUT_EPOCH),
    .shard = {td_get_u16(in + AT_SHARD)},
    .region = {td_get_u16(in + AT_REGION)},
    .version = version,
    .kind = (uint8_t)(flags & FLAGS_KIND),
    .lazy = (flags & FLAGS_LAZY) != 0,
  };
  status = check_length(&batch, err);
  if (status == TD_OK) status = check_sequence(&batch, err);
  if (status == TD_OK) *out = batch;
  return status;
}

td_status td_batch_verify(const td_batch *batch, td_span payload,
                          td_error *err) {
  if (payload.size < batch->payload_len) {
    return td_fail(err, TD_SHORT, "payload", payload.size,
                   batch->payload_len);
  }
  td_hash128 hash = td_hash128_of((td_span){payload.data,
                                            batch->payload_len});
  if (td_hash128_eq(hash, batch->payload_hash)) return TD_OK;
  bool low = hash.low != batch->payload_hash.low;
  return td_fail(err, TD_PAYLOAD_HASH, "payload",
                 low ? batch->payload_hash.low : batch->payload_hash.high,
                 low ? hash.low : hash.high);
}
