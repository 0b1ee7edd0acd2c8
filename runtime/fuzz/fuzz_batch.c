/* Headers and payloads, raw and with a right hash. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "format/batch.h"

static bool same_batch(const td_batch *a, const td_batch *b) {
  return td_seqno_cmp(a->first_seq, b->first_seq) == 0
      && a->timestamp_ns == b->timestamp_ns
      && td_hash128_eq(a->payload_hash, b->payload_hash)
      && a->event_count == b->event_count && a->payload_len == b->payload_len
      && a->layout_epoch == b->layout_epoch
      && td_shard_id_eq(a->shard, b->shard)
      && td_region_id_eq(a->region, b->region) && a->version == b->version
      && a->kind == b->kind && a->lazy == b->lazy;
}

/* The payload verifies exactly when it is there and has the hash. */
static void check_payload(const td_batch *batch, td_span payload) {
  td_error err;
  td_status status = td_batch_verify(batch, payload, &err);
  td_status want = TD_SHORT;
  if (payload.size >= batch->payload_len) {
    payload.size = batch->payload_len;
    td_hash128 hash = td_hash128_of(payload);
    want = td_hash128_eq(hash, batch->payload_hash) ? TD_OK : TD_PAYLOAD_HASH;
  }
  td_assert(status == want);
  if (status != TD_OK) fuzz_check_error(status, &err);
}

/* What decodes, encodes to the same bytes. */
static void check_decode(td_span bytes) {
  td_batch batch;
  td_error err;
  uint8_t raw[TD_BATCH_HEADER_BYTES];
  fuzz_fill(&batch, sizeof batch);
  td_status status = td_batch_decode(bytes, &batch, &err);
  if (status != TD_OK) {
    td_assert(fuzz_untouched(&batch, sizeof batch));
    td_assert(td_batch_decode(bytes, &batch, NULL) == status);
    fuzz_check_error(status, &err);
    return;
  }
  td_assert(td_batch_check(&batch, NULL) == TD_OK);
  td_assert(td_seqno_cmp(td_batch_last_seq(&batch), batch.first_seq) >= 0);
  td_batch_encode(&batch, raw);
  td_assert(memcmp(raw, bytes.data, sizeof raw) == 0);
  check_payload(&batch, (td_span){bytes.data + sizeof raw,
                                  bytes.size - sizeof raw});
}

/* What seals, decodes to the same fields and verifies. */
static void check_seal(fuzz_input in) {
  td_batch batch = {
    .version = fuzz_u8(&in) & 3, .kind = fuzz_u8(&in) & 3,
    .lazy = fuzz_u8(&in) & 1, .shard = {fuzz_u16(&in)},
    .region = {fuzz_u16(&in)}, .layout_epoch = fuzz_u32(&in),
    .event_count = fuzz_u32(&in), .first_seq = {fuzz_u64(&in)},
    .timestamp_ns = fuzz_u64(&in),
  };
  td_batch before = batch, again;
  td_span payload = {in.data, in.size};
  uint8_t raw[TD_BATCH_HEADER_BYTES];
  td_error err;
  fuzz_fill(raw, sizeof raw);
  td_status status = td_batch_seal(&batch, payload, raw, &err);
  if (status != TD_OK) {
    td_assert(fuzz_untouched(raw, sizeof raw));
    td_assert(same_batch(&batch, &before));
    fuzz_check_error(status, &err);
    return;
  }
  td_assert(batch.payload_len == payload.size);
  status = td_batch_decode((td_span){raw, sizeof raw}, &again, NULL);
  td_assert(status == TD_OK);
  td_assert(same_batch(&batch, &again));
  td_assert(td_batch_verify(&again, payload, NULL) == TD_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  check_decode((td_span){data, size});
  check_seal((fuzz_input){data, size});
  if (size >= TD_BATCH_HEADER_BYTES) {
    uint8_t *fixed = fuzz_copy(data, size);
    fuzz_fix_header(fixed);
    check_decode((td_span){fixed, size});
    fuzz_fix_segment(fixed, size, 0);
    check_decode((td_span){fixed, size});
    free(fixed);
  }
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  if (index > 1) return 0;
  td_batch batch = {.version = (uint16_t)(1 + index), .event_count = 2,
                    .first_seq = {UINT64_MAX - 1}};
  td_span payload = {out + TD_BATCH_HEADER_BYTES, 42};
  td_assert(room >= TD_BATCH_HEADER_BYTES + payload.size);
  memset(out, 7, TD_BATCH_HEADER_BYTES + payload.size);
  td_status status = td_batch_seal(&batch, payload, out, NULL);
  td_assert(status == TD_OK);
  return TD_BATCH_HEADER_BYTES + payload.size;
}
