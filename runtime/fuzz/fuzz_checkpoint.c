/* Checkpoints: v1 and v2, raw and with a right hash. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "format/checkpoint.h"

#define MARKS_MAX 64u
#define BYTES_MAX (TD_CHECKPOINT_HEADER_BYTES + TD_CHECKPOINT_HASH_BYTES \
                   + TD_MARK_BYTES * MARKS_MAX)

/* What decodes, encodes to the same bytes. */
static void check_decode(td_span bytes) {
  td_checkpoint checkpoint;
  td_error err;
  td_mark marks[MARKS_MAX];
  uint8_t raw[BYTES_MAX];
  fuzz_fill(&checkpoint, sizeof checkpoint);
  td_status status = td_checkpoint_decode(bytes, &checkpoint, &err);
  if (status != TD_OK) {
    td_assert(fuzz_untouched(&checkpoint, sizeof checkpoint));
    td_assert(td_checkpoint_decode(bytes, &checkpoint, NULL) == status);
    fuzz_check_error(status, &err);
    return;
  }
  uint32_t count = checkpoint.mark_count;
  td_assert(bytes.size == td_checkpoint_size(count));
  td_assert(checkpoint.generation > 0);
  if (count > MARKS_MAX) return;
  for (uint32_t i = 0; i < count; i++) {
    marks[i] = td_checkpoint_mark(bytes, i);
    if (i == 0) continue;
    td_assert(td_log_id_cmp(marks[i - 1].log, marks[i].log) < 0);
  }
  fuzz_fill(raw, sizeof raw);
  status = td_checkpoint_encode(&checkpoint, marks, raw, bytes.size, NULL);
  td_assert(status == TD_OK);
  td_assert(memcmp(raw, bytes.data, bytes.size) == 0);
  td_assert(fuzz_untouched(raw + bytes.size, sizeof raw - bytes.size));
  status = td_checkpoint_encode(&checkpoint, marks, raw, bytes.size - 1,
                                NULL);
  td_assert(status == TD_SHORT);
}

static void check_v1(td_span bytes) {
  td_checkpoint checkpoint;
  td_error err;
  uint8_t raw[TD_CHECKPOINT_V1_BYTES];
  fuzz_fill(&checkpoint, sizeof checkpoint);
  td_status status = td_checkpoint_decode_v1(bytes, &checkpoint, &err);
  td_assert((status == TD_OK) == (bytes.size == sizeof raw));
  if (status != TD_OK) {
    td_assert(fuzz_untouched(&checkpoint, sizeof checkpoint));
    fuzz_check_error(status, &err);
    return;
  }
  td_assert(checkpoint.generation == 0 && checkpoint.mark_count == 0);
  td_checkpoint_encode_v1(&checkpoint, raw);
  td_assert(memcmp(raw, bytes.data, sizeof raw) == 0);
}

/* Any fields and marks: what encodes, decodes to the same. */
static void check_encode(fuzz_input in) {
  td_checkpoint checkpoint = {
    .generation = fuzz_u64(&in), .mark_count = fuzz_u8(&in) & 7,
    .clean = fuzz_u8(&in) & 1, .seqno = {fuzz_u64(&in)},
    .shard = {fuzz_u16(&in)}, .region = {fuzz_u16(&in)},
  };
  td_mark marks[8];
  uint8_t raw[BYTES_MAX];
  td_error err;
  bool rising = true;
  for (uint32_t i = 0; i < checkpoint.mark_count; i++) {
    marks[i].log = (td_log_id){{fuzz_u8(&in)}, {fuzz_u16(&in)}};
    marks[i].epoch = fuzz_u32(&in);
    marks[i].seqno = (td_seqno){fuzz_u64(&in)};
    rising &= i == 0 || td_log_id_cmp(marks[i - 1].log, marks[i].log) < 0;
  }
  fuzz_fill(raw, sizeof raw);
  td_status status = td_checkpoint_encode(&checkpoint, marks, raw, sizeof raw,
                                          &err);
  td_assert((status == TD_OK) == (rising && checkpoint.generation > 0));
  if (status == TD_OK) {
    check_decode((td_span){raw, td_checkpoint_size(checkpoint.mark_count)});
  } else {
    td_assert(fuzz_untouched(raw, sizeof raw));
    fuzz_check_error(status, &err);
  }
}

/* Right frame; byte 63 says what to leave wrong behind it. */
static void fix(uint8_t *bytes, size_t size) {
  uint8_t keep = bytes[63];
  size_t hashed = size - TD_CHECKPOINT_HASH_BYTES;
  uint64_t count = (hashed - TD_CHECKPOINT_HEADER_BYTES) / TD_MARK_BYTES;
  memcpy(bytes, "TIDC", 4);
  if (!(keep & 1)) td_put_u16(bytes + 4, TD_CHECKPOINT_VERSION);
  if (!(keep & 2)) td_put_u16(bytes + 6, bytes[6] & 1);
  if (!(keep & 4)) td_put_u32(bytes + 44, (uint32_t)count);
  if (!(keep & 8)) {
    memset(bytes + 48, 0, 10);
    td_put_u16(bytes + 62, 0);
  }
  uint16_t region = 0;
  for (uint64_t i = 0; i < count && !(keep & 16); i++) {
    uint8_t *mark = bytes + TD_CHECKPOINT_HEADER_BYTES + i * TD_MARK_BYTES;
    region = (uint16_t)(region + 1 + mark[1]);
    td_put_u16(mark, region);
  }
  td_put_u64(bytes + hashed, td_hash64((td_span){bytes, hashed}));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check_decode((td_span){data, size});
  check_v1((td_span){data, size});
  check_encode((fuzz_input){data, size});
  if (size < td_checkpoint_size(0)) return 0;
  size -= (size - td_checkpoint_size(0)) % TD_MARK_BYTES;
  uint8_t *fixed = fuzz_copy(data, size);
  fix(fixed, size);
  check_decode((td_span){fixed, size});
  free(fixed);
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  td_checkpoint checkpoint = {.generation = 1, .mark_count = index - 1};
  td_mark marks[2] = {{.epoch = 1}, {.log = {{1}, {2}}}};
  if (index > 3) return 0;
  if (index == 0) {
    td_checkpoint_encode_v1(&checkpoint, out);
    return TD_CHECKPOINT_V1_BYTES;
  }
  td_status status = td_checkpoint_encode(&checkpoint, marks, out, room,
                                          NULL);
  td_assert(status == TD_OK);
  return td_checkpoint_size(checkpoint.mark_count);
}
