#include "format/cuts.h"

#include "base/hash.h"
#include "base/text.h"

enum {
  AT_MAGIC = 0, AT_VERSION = 4, AT_FLAGS = 6, AT_ZERO = 8,
  AT_GENERATION = 24, AT_ZERO_MORE = 32, AT_COUNT = 44, AT_RESERVED = 48,
  AT_SHARD = 58, AT_REGION = 60, AT_RESERVED_END = 62,
};

#define MAGIC UINT32_C(0x58444954)       /* "TIDX" as a little-endian u32 */
#define MAGIC_TEXT UINT32_C(0x54494458)  /* the same as one reads it */

/* Epochs rise, the first of them from 0. */
static td_status check_epoch(uint32_t before, uint32_t epoch, uint32_t index,
                             td_error *err) {
  if (epoch > before) return TD_OK;
  bool same = epoch == before && index > 0;
  td_status status = same ? TD_DUPLICATE : TD_BACKWARD;
  td_fail(err, status, "epoch of a cut", epoch, before);
  if (err) {
    err->index = index > 0 ? index - 1 : 0;
    err->other = index;
  }
  return status;
}

static void put_cut(uint8_t *out, td_cut cut) {
  td_put_u64(out, cut.upto.value);
  td_put_u32(out + 8, cut.epoch);
  td_put_u32(out + 12, 0);
}

td_status td_cuts_encode(const td_cuts *cuts, const td_cut *list,
                         uint8_t *out, size_t room, td_error *err) {
  uint32_t count = cuts->count;
  if (count > TD_CUTS_MAX) {
    return td_fail(err, TD_TOO_MANY, "cuts", count, TD_CUTS_MAX);
  }
  size_t size = td_cuts_size(count);
  if (room < size) return td_fail(err, TD_SHORT, "room", room, size);
  if (cuts->generation == 0) {
    return td_fail(err, TD_SEQUENCE, "generation", 0, 0);
  }
  for (uint32_t i = 0; i < count; i++) {
    uint32_t before = i > 0 ? list[i - 1].epoch : 0;
    td_status status = check_epoch(before, list[i].epoch, i, err);
    if (status != TD_OK) return status;
  }
  memset(out, 0, TD_CUTS_HEADER_BYTES);
  td_put_u32(out + AT_MAGIC, MAGIC);
  td_put_u16(out + AT_VERSION, TD_CUTS_VERSION);
  td_put_u64(out + AT_GENERATION, cuts->generation);
  td_put_u32(out + AT_COUNT, count);
  td_put_u16(out + AT_SHARD, cuts->shard.value);
  td_put_u16(out + AT_REGION, cuts->region.value);
  for (uint32_t i = 0; i < count; i++) {
    put_cut(out + TD_CUTS_HEADER_BYTES + (size_t)i * TD_CUT_BYTES, list[i]);
  }
  size_t hashed = size - TD_CUTS_HASH_BYTES;
  td_put_u64(out + hashed, td_hash64((td_span){out, hashed}));
  return TD_OK;
}

/* Size, magic and hash; the rest is only looked at behind a right hash. */
static td_status check_frame(td_span bytes, td_error *err) {
  const uint8_t *in = bytes.data;
  if (bytes.size < td_cuts_size(0)) {
    return td_fail(err, TD_SHORT, "cuts", bytes.size, td_cuts_size(0));
  }
  if (td_get_u32(in + AT_MAGIC) != MAGIC) {
    return td_fail(err, TD_MAGIC, "cuts", td_get_u32_be(in), MAGIC_TEXT);
  }
  size_t hashed = bytes.size - TD_CUTS_HASH_BYTES;
  uint64_t stored = td_get_u64(in + hashed);
  uint64_t hash = td_hash64((td_span){in, hashed});
  if (stored == hash) return TD_OK;
  return td_fail(err, TD_HEADER_HASH, "cuts", stored, hash);
}

static td_status check_zeros(const uint8_t *in, td_error *err) {
  uint64_t zeros = td_get_u64(in + AT_ZERO) | td_get_u64(in + AT_ZERO + 8)
                 | td_get_u64(in + AT_ZERO_MORE)
                 | td_get_u32(in + AT_ZERO_MORE + 8)
                 | td_get_u64(in + AT_RESERVED) | td_get_u16(in + 56)
                 | td_get_u16(in + AT_RESERVED_END);
  if (!zeros) return TD_OK;
  return td_fail(err, TD_RESERVED, "bytes 8-23, 32-43, 48-57, 62-63 of cuts",
                 zeros, 0);
}

static td_status check_list(td_span bytes, uint32_t count, td_error *err) {
  uint32_t before = 0;
  for (uint32_t i = 0; i < count; i++) {
    const uint8_t *in = bytes.data + TD_CUTS_HEADER_BYTES
                      + (size_t)i * TD_CUT_BYTES;
    uint32_t epoch = td_get_u32(in + 8), zero = td_get_u32(in + 12);
    if (zero) return td_fail(err, TD_RESERVED, "end of a cut", zero, 0);
    td_status status = check_epoch(before, epoch, i, err);
    if (status != TD_OK) return status;
    before = epoch;
  }
  return TD_OK;
}

static td_status check_fields(td_span bytes, td_error *err) {
  const uint8_t *in = bytes.data;
  uint16_t version = td_get_u16(in + AT_VERSION);
  uint16_t flags = td_get_u16(in + AT_FLAGS);
  uint32_t count = td_get_u32(in + AT_COUNT);
  if (version != TD_CUTS_VERSION) {
    return td_fail(err, TD_UNSUPPORTED, "version of cuts", version,
                   TD_CUTS_VERSION);
  }
  if (flags) return td_fail(err, TD_UNSUPPORTED, "flags of cuts", flags, 0);
  td_status status = check_zeros(in, err);
  if (status != TD_OK) return status;
  if (count > TD_CUTS_MAX) {
    return td_fail(err, TD_TOO_MANY, "cuts", count, TD_CUTS_MAX);
  }
  if (bytes.size != td_cuts_size(count)) {
    return td_fail(err, TD_LENGTH, "size of cuts", bytes.size,
                   td_cuts_size(count));
  }
  if (td_get_u64(in + AT_GENERATION) == 0) {
    return td_fail(err, TD_SEQUENCE, "generation", 0, 0);
  }
  return check_list(bytes, count, err);
}

td_status td_cuts_decode(td_span bytes, td_cuts *out, td_error *err) {
  td_status status = check_frame(bytes, err);
  if (status == TD_OK) status = check_fields(bytes, err);
  if (status != TD_OK) return status;
  const uint8_t *in = bytes.data;
  *out = (td_cuts){
    .generation = td_get_u64(in + AT_GENERATION),
    .count = td_get_u32(in + AT_COUNT),
    .shard = {td_get_u16(in + AT_SHARD)},
    .region = {td_get_u16(in + AT_REGION)},
  };
  return TD_OK;
}

td_cut td_cuts_get(td_span bytes, uint32_t index) {
  const uint8_t *in = bytes.data + TD_CUTS_HEADER_BYTES
                    + (size_t)index * TD_CUT_BYTES;
  return (td_cut){{td_get_u64(in)}, td_get_u32(in + 8)};
}

size_t td_cuts_name(td_shard_id shard, char out[TD_CUTS_NAME_MAX]) {
  td_text text = td_text_init(out, TD_CUTS_NAME_MAX);
  td_text_string(&text, "cuts-s");
  td_text_padded(&text, shard.value, 5);
  td_assert(text.size < TD_CUTS_NAME_MAX);
  return text.size;
}

bool td_cuts_name_parse(const char *name, td_shard_id *out) {
  char canonical[TD_CUTS_NAME_MAX];
  uint64_t shard;
  if (strlen(name) != TD_CUTS_NAME_MAX - 1) return false;
  if (!td_text_read_decimal(name + strlen("cuts-s"), 5, UINT16_MAX, false,
                            &shard)) return false;
  td_cuts_name((td_shard_id){(uint16_t)shard}, canonical);
  if (memcmp(name, canonical, sizeof canonical) != 0) return false;
  *out = (td_shard_id){(uint16_t)shard};
  return true;
}
