#include "format/checkpoint.h"

#include "base/hash.h"
#include "base/text.h"

enum {
  AT_MAGIC = 0, AT_VERSION = 4, AT_FLAGS = 6, AT_SEQNO = 8,
  AT_TIMESTAMP = 16, AT_GENERATION = 24, AT_HLC_WALL = 32,
  AT_LAYOUT_EPOCH = 40, AT_MARK_COUNT = 44, AT_RESERVED = 48,
  AT_SHARD = 58, AT_REGION = 60, AT_RESERVED_END = 62,
};

#define MAGIC UINT32_C(0x43444954)  /* "TIDC" read as a little-endian u32 */
#define MAGIC_TEXT UINT32_C(0x54494443)  /* the same as one reads it */
#define FLAGS_CLEAN 1u

static td_mark get_mark(const uint8_t *in) {
  return (td_mark){
    .log = {{td_get_u16(in)}, {td_get_u16(in + 2)}},
    .epoch = td_get_u32(in + 4),
    .seqno = {td_get_u64(in + 8)},
  };
}

static void put_mark(uint8_t *out, td_mark mark) {
  td_put_u16(out, mark.log.region.value);
  td_put_u16(out + 2, mark.log.shard.value);
  td_put_u32(out + 4, mark.epoch);
  td_put_u64(out + 8, mark.seqno.value);
}

/* Marks rise by log, none twice. */
static td_status check_order(td_log_id before, td_log_id mark,
                             uint32_t index, td_error *err) {
  int order = td_log_id_cmp(before, mark);
  if (order < 0) return TD_OK;
  td_status status = order == 0 ? TD_DUPLICATE : TD_BACKWARD;
  td_fail(err, status, "mark", index, index - 1);
  if (err) {
    err->index = index - 1;
    err->other = index;
  }
  return status;
}

td_status td_checkpoint_encode(const td_checkpoint *checkpoint,
                               const td_mark *marks, uint8_t *out,
                               size_t room, td_error *err) {
  uint32_t count = checkpoint->mark_count;
  if (count > TD_CHECKPOINT_MARKS_MAX) {
    return td_fail(err, TD_TOO_MANY, "marks", count, TD_CHECKPOINT_MARKS_MAX);
  }
  size_t size = td_checkpoint_size(count);
  if (room < size) return td_fail(err, TD_SHORT, "room", room, size);
  if (checkpoint->generation == 0) {
    return td_fail(err, TD_SEQUENCE, "generation", 0, 1);
  }
  for (uint32_t i = 1; i < count; i++) {
    td_status status = check_order(marks[i - 1].log, marks[i].log, i, err);
    if (status != TD_OK) return status;
  }
  memset(out, 0, TD_CHECKPOINT_HEADER_BYTES);
  td_put_u32(out + AT_MAGIC, MAGIC);
  td_put_u16(out + AT_VERSION, TD_CHECKPOINT_VERSION);
  td_put_u16(out + AT_FLAGS, checkpoint->clean ? FLAGS_CLEAN : 0);
  td_put_u64(out + AT_SEQNO, checkpoint->seqno.value);
  td_put_u64(out + AT_TIMESTAMP, checkpoint->timestamp_ns);
  td_put_u64(out + AT_GENERATION, checkpoint->generation);
  td_put_u64(out + AT_HLC_WALL, checkpoint->hlc_wall_ns);
  td_put_u32(out + AT_LAYOUT_EPOCH, checkpoint->layout_epoch);
  td_put_u32(out + AT_MARK_COUNT, count);
  td_put_u16(out + AT_SHARD, checkpoint->shard.value);
  td_put_u16(out + AT_REGION, checkpoint->region.value);
  for (uint32_t i = 0; i < count; i++) {
    put_mark(out + TD_CHECKPOINT_HEADER_BYTES + (size_t)i * TD_MARK_BYTES,
             marks[i]);
  }
  size_t hashed = size - TD_CHECKPOINT_HASH_BYTES;
  td_put_u64(out + hashed, td_hash64((td_span){out, hashed}));
  return TD_OK;
}

/* Size, magic and hash; the rest is only looked at behind a right hash. */
static td_status check_frame(td_span bytes, td_error *err) {
  const uint8_t *in = bytes.data;
  if (bytes.size < td_checkpoint_size(0)) {
    return td_fail(err, TD_SHORT, "checkpoint", bytes.size,
                   td_checkpoint_size(0));
  }
  if (td_get_u32(in + AT_MAGIC) != MAGIC) {
    return td_fail(err, TD_MAGIC, "checkpoint", td_get_u32_be(in),
                   MAGIC_TEXT);
  }
  size_t hashed = bytes.size - TD_CHECKPOINT_HASH_BYTES;
  uint64_t stored = td_get_u64(in + hashed);
  uint64_t hash = td_hash64((td_span){in, hashed});
  if (stored != hash) {
    return td_fail(err, TD_HEADER_HASH, "checkpoint", stored, hash);
  }
  return TD_OK;
}

static td_status check_fields(td_span bytes, td_error *err) {
  const uint8_t *in = bytes.data;
  uint16_t version = td_get_u16(in + AT_VERSION);
  uint16_t flags = td_get_u16(in + AT_FLAGS);
  uint32_t count = td_get_u32(in + AT_MARK_COUNT);
  if (version != TD_CHECKPOINT_VERSION) {
    return td_fail(err, TD_UNSUPPORTED, "checkpoint version", version,
                   TD_CHECKPOINT_VERSION);
  }
  if (flags & ~FLAGS_CLEAN) {
    return td_fail(err, TD_UNSUPPORTED, "checkpoint flags", flags,
                   FLAGS_CLEAN);
  }
  uint64_t zeros = td_get_u64(in + AT_RESERVED) | td_get_u16(in + 56)
                 | td_get_u16(in + AT_RESERVED_END);
  if (zeros) {
    return td_fail(err, TD_RESERVED, "bytes 48-57, 62-63 of a checkpoint",
                   zeros, 0);
  }
  if (count > TD_CHECKPOINT_MARKS_MAX) {
    return td_fail(err, TD_TOO_MANY, "marks", count, TD_CHECKPOINT_MARKS_MAX);
  }
  if (bytes.size != td_checkpoint_size(count)) {
    return td_fail(err, TD_LENGTH, "checkpoint size", bytes.size,
                   td_checkpoint_size(count));
  }
  if (td_get_u64(in + AT_GENERATION) == 0) {
    return td_fail(err, TD_SEQUENCE, "generation", 0, 1);
  }
  for (uint32_t i = 1; i < count; i++) {
    td_status status = check_order(td_checkpoint_mark(bytes, i - 1).log,
                                   td_checkpoint_mark(bytes, i).log, i, err);
    if (status != TD_OK) return status;
  }
  return TD_OK;
}

td_status td_checkpoint_decode(td_span bytes, td_checkpoint *out,
                               td_error *err) {
  td_status status = check_frame(bytes, err);
  if (status == TD_OK) status = check_fields(bytes, err);
  if (status != TD_OK) return status;
  const uint8_t *in = bytes.data;
  *out = (td_checkpoint){
    .seqno = {td_get_u64(in + AT_SEQNO)},
    .timestamp_ns = td_get_u64(in + AT_TIMESTAMP),
    .generation = td_get_u64(in + AT_GENERATION),
    .hlc_wall_ns = td_get_u64(in + AT_HLC_WALL),
    .layout_epoch = td_get_u32(in + AT_LAYOUT_EPOCH),
    .mark_count = td_get_u32(in + AT_MARK_COUNT),
    .shard = {td_get_u16(in + AT_SHARD)},
    .region = {td_get_u16(in + AT_REGION)},
    .clean = (td_get_u16(in + AT_FLAGS) & FLAGS_CLEAN) != 0,
  };
  return TD_OK;
}

td_mark td_checkpoint_mark(td_span bytes, uint32_t index) {
  return get_mark(bytes.data + TD_CHECKPOINT_HEADER_BYTES
                  + (size_t)index * TD_MARK_BYTES);
}

void td_checkpoint_encode_v1(const td_checkpoint *checkpoint,
                             uint8_t out[TD_CHECKPOINT_V1_BYTES]) {
  td_put_u64(out, checkpoint->seqno.value);
  td_put_u64(out + 8, checkpoint->timestamp_ns);
}

td_status td_checkpoint_decode_v1(td_span bytes, td_checkpoint *out,
                                  td_error *err) {
  if (bytes.size != TD_CHECKPOINT_V1_BYTES) {
    return td_fail(err, TD_LENGTH, "checkpoint.meta size", bytes.size,
                   TD_CHECKPOINT_V1_BYTES);
  }
  *out = (td_checkpoint){
    .seqno = {td_get_u64(bytes.data)},
    .timestamp_ns = td_get_u64(bytes.data + 8),
  };
  return TD_OK;
}

size_t td_checkpoint_name(td_shard_id shard, uint64_t generation,
                          char out[TD_CHECKPOINT_NAME_MAX]) {
  td_text text = td_text_init(out, TD_CHECKPOINT_NAME_MAX);
  td_text_string(&text, "checkpoint-s");
  td_text_padded(&text, shard.value, 5);
  td_text_char(&text, '.');
  td_text_decimal(&text, generation % 2);
  td_assert(text.size < TD_CHECKPOINT_NAME_MAX);
  return text.size;
}
