/* The walk over a segment in memory, raw and with right hashes. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "format/segment.h"

/* At the end of a walk: the same answer again, and nothing written. */
static void check_end(td_segment *segment, td_status status,
                      const td_error *err) {
  td_batch batch;
  td_span payload;
  td_error again;
  size_t at = segment->at;
  fuzz_fill(&batch, sizeof batch);
  fuzz_fill(&payload, sizeof payload);
  td_assert(td_segment_next(segment, &batch, &payload, &again) == status);
  td_assert(segment->at == at && again.offset == err->offset);
  td_assert(fuzz_untouched(&batch, sizeof batch));
  td_assert(fuzz_untouched(&payload, sizeof payload));
  if (status != TD_END) {
    td_assert(err->offset == at);
    fuzz_check_error(status, err);
  }
}

/* Each step must say what decode and verify say of the bytes there. */
static void check_walk(td_span bytes) {
  td_segment segment = td_segment_init(bytes);
  for (;;) {
    td_batch batch, alone;
    td_span payload;
    td_error err;
    td_span left = {bytes.data + segment.at, bytes.size - segment.at};
    td_status status = td_segment_next(&segment, &batch, &payload, &err);
    bool zeros = true;
    for (size_t i = 0; i < left.size && zeros; i++) zeros = left.data[i] == 0;
    td_assert((status == TD_END) == zeros);
    td_status want = td_batch_decode(left, &alone, NULL);
    if (want == TD_OK) {
      td_span behind = {left.data + TD_BATCH_HEADER_BYTES,
                        left.size - TD_BATCH_HEADER_BYTES};
      want = td_batch_verify(&alone, behind, NULL);
    }
    if (status != TD_OK) {
      td_assert(zeros || status == want);
      check_end(&segment, status, &err);
      return;
    }
    td_assert(want == TD_OK);
    td_assert(payload.data == left.data + TD_BATCH_HEADER_BYTES);
    td_assert(payload.size == batch.payload_len);
    td_assert(segment.at == bytes.size - left.size + td_batch_size(&batch));
    td_assert(segment.at <= bytes.size);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check_walk((td_span){data, size});
  uint8_t *fixed = fuzz_copy(data, size);
  fuzz_fix_segment(fixed, size, 0);
  check_walk((td_span){fixed, size});
  free(fixed);
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  size_t size = 300;
  if (index > 1) return 0;
  td_assert(room >= size);
  memset(out, 0, size);
  out[0] = 1;
  fuzz_fix_segment(out, size, 1);
  if (index == 1) out[size - 1] = 1;
  return size;
}
