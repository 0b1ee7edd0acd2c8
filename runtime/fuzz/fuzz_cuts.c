/* Cuts: raw and with a right frame; what decodes, encodes to the same bytes;
 * their file names. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "format/cuts.h"

#define LIST_MAX 512u
#define BYTES_MAX (TD_CUTS_HEADER_BYTES + TD_CUTS_HASH_BYTES \
                   + TD_CUT_BYTES * LIST_MAX)

static void check_decode(td_span bytes) {
  static td_cut list[LIST_MAX];
  static uint8_t raw[BYTES_MAX];
  td_cuts cuts;
  td_error err;
  uint32_t before = 0;
  fuzz_fill(&cuts, sizeof cuts);
  td_status status = td_cuts_decode(bytes, &cuts, &err);
  if (status != TD_OK) {
    td_assert(fuzz_untouched(&cuts, sizeof cuts));
    td_assert(td_cuts_decode(bytes, &cuts, NULL) == status);
    fuzz_check_error(status, &err);
    return;
  }
  td_assert(bytes.size == td_cuts_size(cuts.count));
  td_assert(cuts.generation > 0 && cuts.count <= TD_CUTS_MAX);
  if (cuts.count > LIST_MAX) return;
  for (uint32_t i = 0; i < cuts.count; i++) {
    list[i] = td_cuts_get(bytes, i);
    td_assert(list[i].epoch > before);
    before = list[i].epoch;
  }
  fuzz_fill(raw, sizeof raw);
  status = td_cuts_encode(&cuts, list, raw, bytes.size, NULL);
  td_assert(status == TD_OK);
  td_assert(memcmp(raw, bytes.data, bytes.size) == 0);
  td_assert(fuzz_untouched(raw + bytes.size, sizeof raw - bytes.size));
  fuzz_fill(raw, sizeof raw);
  status = td_cuts_encode(&cuts, list, raw, bytes.size - 1, NULL);
  td_assert(status == TD_SHORT && fuzz_untouched(raw, sizeof raw));
}

/* Any fields: what encodes, decodes to the same. */
static void check_encode(fuzz_input in) {
  static uint8_t raw[BYTES_MAX];
  td_cut list[8];
  td_cuts back;
  td_error err;
  td_cuts cuts = {
    .generation = fuzz_u64(&in), .count = fuzz_u8(&in) & 7,
    .shard = {fuzz_u16(&in)}, .region = {fuzz_u16(&in)},
  };
  bool rising = true;
  for (uint32_t i = 0; i < cuts.count; i++) {
    list[i] = (td_cut){{fuzz_u64(&in)}, fuzz_u16(&in)};
    rising &= list[i].epoch > (i > 0 ? list[i - 1].epoch : 0);
  }
  fuzz_fill(raw, sizeof raw);
  td_status status = td_cuts_encode(&cuts, list, raw, sizeof raw, &err);
  td_assert((status == TD_OK) == (rising && cuts.generation > 0));
  if (status != TD_OK) {
    td_assert(fuzz_untouched(raw, sizeof raw));
    fuzz_check_error(status, &err);
    return;
  }
  td_span bytes = {raw, td_cuts_size(cuts.count)};
  td_assert(td_cuts_decode(bytes, &back, NULL) == TD_OK);
  td_assert(back.generation == cuts.generation && back.count == cuts.count);
  td_assert(td_shard_id_eq(back.shard, cuts.shard));
  td_assert(td_region_id_eq(back.region, cuts.region));
}

/* A name that is read is the one that is written. */
static void check_name(td_span bytes) {
  char name[TD_CUTS_NAME_MAX + 4], canonical[TD_CUTS_NAME_MAX];
  td_shard_id shard;
  size_t size = bytes.size < sizeof name ? bytes.size : sizeof name - 1;
  if (size > 0) memcpy(name, bytes.data, size);
  name[size] = '\0';
  fuzz_fill(&shard, sizeof shard);
  if (td_cuts_name_parse(name, &shard)) {
    td_cuts_name(shard, canonical);
    td_assert(strcmp(name, canonical) == 0);
  } else {
    td_assert(fuzz_untouched(&shard, sizeof shard));
  }
}

/* Right frame; byte 63 says what to leave wrong behind it. */
static void fix(uint8_t *bytes, size_t size) {
  uint8_t keep = bytes[63];
  size_t hashed = size - TD_CUTS_HASH_BYTES;
  size_t count = (hashed - TD_CUTS_HEADER_BYTES) / TD_CUT_BYTES;
  uint32_t epoch = 0;
  memcpy(bytes, "TIDX", 4);
  if (!(keep & 1)) td_put_u16(bytes + 4, TD_CUTS_VERSION);
  if (!(keep & 2)) td_put_u16(bytes + 6, 0);
  if (!(keep & 4)) td_put_u32(bytes + 44, (uint32_t)count);
  if (!(keep & 8)) {
    memset(bytes + 8, 0, 16);
    memset(bytes + 32, 0, 12);
    memset(bytes + 48, 0, 10);
    td_put_u16(bytes + 62, 0);
  }
  for (size_t i = 0; i < count; i++) {
    uint8_t *cut = bytes + TD_CUTS_HEADER_BYTES + i * TD_CUT_BYTES;
    epoch += 1u + cut[8];
    if (!(keep & 16)) td_put_u32(cut + 8, epoch);
    if (!(keep & 32)) td_put_u32(cut + 12, 0);
  }
  td_put_u64(bytes + hashed, td_hash64((td_span){bytes, hashed}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check_decode((td_span){data, size});
  check_encode((fuzz_input){data, size});
  check_name((td_span){data, size});
  if (size < td_cuts_size(0)) return 0;
  if (data[63] < 128) size -= (size - td_cuts_size(0)) % TD_CUT_BYTES;
  uint8_t *fixed = fuzz_copy(data, size);
  fix(fixed, size);
  check_decode((td_span){fixed, size});
  free(fixed);
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  static const td_cut list[2] = {{{7}, 1}, {{UINT64_MAX}, UINT32_MAX}};
  td_cuts cuts = {.generation = 1, .count = index, .shard = {3}};
  if (index > 3) return 0;
  if (index == 3) return td_cuts_name((td_shard_id){65535}, (char *)out);
  td_status status = td_cuts_encode(&cuts, list, out, room, NULL);
  td_assert(status == TD_OK);
  return td_cuts_size(index);
}
