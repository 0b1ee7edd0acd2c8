/* Covers format/batch format/record.
 * Headers, payloads, events: every flip, every cut, every rule. */
#include "test/test.h"

#include <math.h>
#include <string.h>

#include "tidal.h"

#define RECORDS 3u

/* A batch of three events; the first id is above 2^63. */
static size_t make_batch(td_batch *batch, uint8_t *out) {
  uint8_t *payload = out + TD_BATCH_HEADER_BYTES;
  for (uint32_t i = 0; i < RECORDS; i++) {
    td_record record = {{UINT64_MAX - i * 7}, UINT64_MAX - i, -1.5f,
                        (uint8_t)(250 + i)};
    td_record_encode(&record, payload + i * TD_RECORD_BYTES);
  }
  td_span span = {payload, RECORDS * TD_RECORD_BYTES};
  CHECK(td_batch_seal(batch, span, out, NULL) == TD_OK);
  return td_batch_size(batch);
}

static td_batch sample(void) {
  return (td_batch){
    .first_seq = {UINT64_MAX - RECORDS + 1}, .timestamp_ns = UINT64_MAX,
    .event_count = RECORDS, .layout_epoch = 9, .shard = {3}, .region = {2},
    .version = 2, .lazy = true,
  };
}

static bool same(const td_batch *a, const td_batch *b) {
  return a->first_seq.value == b->first_seq.value
      && a->timestamp_ns == b->timestamp_ns
      && td_hash128_eq(a->payload_hash, b->payload_hash)
      && a->event_count == b->event_count
      && a->payload_len == b->payload_len
      && a->layout_epoch == b->layout_epoch
      && a->shard.value == b->shard.value
      && a->region.value == b->region.value && a->version == b->version
      && a->kind == b->kind && a->lazy == b->lazy;
}

/* Header and payload as a reader judges them. */
static td_status judge(const uint8_t *bytes, size_t size, td_error *err) {
  td_batch batch;
  td_status status = td_batch_decode((td_span){bytes, size}, &batch, err);
  if (status != TD_OK) return status;
  return td_batch_verify(&batch, (td_span){bytes + TD_BATCH_HEADER_BYTES,
                                           size - TD_BATCH_HEADER_BYTES},
                         err);
}

static void round_trip(void) {
  uint8_t bytes[256], again[TD_BATCH_HEADER_BYTES];
  td_batch batch = sample(), back;
  size_t size = make_batch(&batch, bytes);
  CHECK_U64(size, 64 + 63);
  CHECK(td_batch_decode((td_span){bytes, size}, &back, NULL) == TD_OK);
  CHECK(same(&batch, &back));
  CHECK_U64(td_batch_last_seq(&back).value, UINT64_MAX);
  td_batch_encode(&back, again);
  CHECK(memcmp(bytes, again, sizeof again) == 0);
  CHECK(judge(bytes, size, NULL) == TD_OK);
  td_record record = td_record_decode(bytes + 64);
  CHECK_U64(record.entity.value, UINT64_MAX);
  CHECK_U64(record.timestamp_ns, UINT64_MAX);
  CHECK(record.weight < -1.4f && record.signal_type == 250);
  CHECK_U64(td_record_entity(bytes + 64).value, UINT64_MAX);
}

/* The seed's place for the tags: bytes 58-59 and 60-61. */
static void tag_offsets(void) {
  uint8_t bytes[256];
  td_batch batch = sample();
  batch.shard.value = 0x1234;
  batch.region.value = 0xabcd;
  make_batch(&batch, bytes);
  CHECK(bytes[58] == 0x34 && bytes[59] == 0x12);
  CHECK(bytes[60] == 0xcd && bytes[61] == 0xab);
  CHECK(bytes[4] == 2 && bytes[5] == 0 && memcmp(bytes, "TIDL", 4) == 0);
  batch.version = 1;
  batch.shard.value = batch.region.value = 0;
  batch.layout_epoch = 0;
  batch.lazy = false;
  make_batch(&batch, bytes);
  for (int i = 52; i < 64; i++) CHECK(bytes[i] == 0);
  td_batch back;
  CHECK(td_batch_decode((td_span){bytes, 64}, &back, NULL) == TD_OK);
  CHECK(back.shard.value == 0 && back.region.value == 0);
}

static void every_bit_flip_is_refused(void) {
  uint8_t bytes[256];
  td_batch batch = sample();
  size_t size = make_batch(&batch, bytes);
  for (size_t bit = 0; bit < size * 8; bit++) {
    td_error err;
    td_batch kept = batch, out = kept;
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    td_status status = judge(bytes, size, &err);
    td_status want = bit < 32 ? TD_MAGIC
                   : bit < 64 * 8 ? TD_HEADER_HASH : TD_PAYLOAD_HASH;
    if (status != want || err.status != want) {
      test_failed(__FILE__, __LINE__, "bit %zu gives %s", bit,
                  td_status_code(status));
    }
    if (bit < 64 * 8) {
      CHECK(td_batch_decode((td_span){bytes, size}, &out, NULL) == want);
      CHECK(same(&out, &kept));
    }
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
  CHECK(judge(bytes, size, NULL) == TD_OK);
}

static void every_cut_is_refused(void) {
  uint8_t bytes[256];
  td_batch batch = sample();
  size_t size = make_batch(&batch, bytes);
  for (size_t cut = 0; cut < size; cut++) {
    td_error err;
    CHECK(judge(bytes, cut, &err) == TD_SHORT);
    CHECK_U64(err.got, cut < 64 ? cut : cut - 64);
    CHECK_U64(err.bound, cut < 64 ? 64 : size - 64);
  }
}

/* Changes one byte and makes the header hash right again: what lies behind
 * the hash is judged too. */
static td_status forge(td_batch batch, size_t at, uint8_t value) {
  uint8_t bytes[256];
  td_batch out;
  size_t size = make_batch(&batch, bytes);
  bytes[at] = value;
  td_put_u32(bytes + 48, 0);
  td_put_u32(bytes + 48, (uint32_t)td_hash64((td_span){bytes, 64}));
  return td_batch_decode((td_span){bytes, size}, &out, NULL);
}

static td_status judge_forged(size_t at, uint8_t value) {
  return forge(sample(), at, value);
}

/* A v1 batch with one of its padding bytes or flags set. */
static td_status judge_forged_v1(size_t at) {
  td_batch batch = {.version = 1, .first_seq = {1},
                    .event_count = RECORDS};
  return forge(batch, at, 1);
}

static void rules_behind_the_hash(void) {
  for (size_t at = 52; at < 64; at++) {
    CHECK(judge_forged_v1(at) == TD_RESERVED);
  }
  CHECK(judge_forged_v1(6) == TD_RESERVED && judge_forged_v1(16) == TD_OK);
  CHECK(judge_forged(4, 3) == TD_UNSUPPORTED);   /* version 3 */
  CHECK(judge_forged(4, 0) == TD_UNSUPPORTED);   /* version 0 */
  CHECK(judge_forged(5, 1) == TD_UNSUPPORTED);   /* version 258 */
  CHECK(judge_forged(4, 1) == TD_RESERVED);      /* v1 with tags */
  CHECK(judge_forged(6, 2) == TD_UNSUPPORTED);   /* kind 2 */
  CHECK(judge_forged(6, 32) == TD_UNSUPPORTED);  /* flag bit 5 */
  CHECK(judge_forged(7, 128) == TD_UNSUPPORTED); /* flag bit 15 */
  CHECK(judge_forged(56, 1) == TD_RESERVED);
  CHECK(judge_forged(57, 1) == TD_RESERVED);
  CHECK(judge_forged(62, 1) == TD_RESERVED);
  CHECK(judge_forged(63, 1) == TD_RESERVED);
  CHECK(judge_forged(24, 0) == TD_LENGTH);       /* no events */
  CHECK(judge_forged(28, 64) == TD_LENGTH);      /* not 21 * count */
  CHECK(judge_forged(8, 0xff) == TD_SEQUENCE);   /* last_seq wraps */
  CHECK(judge_forged(58, 77) == TD_OK);          /* another shard */
}

static void fields_are_checked(void) {
  td_error err;
  td_batch batch = sample();
  uint8_t bytes[256], kept[256];
  memset(bytes, 7, sizeof bytes);
  memcpy(kept, bytes, sizeof kept);
  batch.payload_len = RECORDS * TD_RECORD_BYTES;
  CHECK(td_batch_check(&batch, &err) == TD_OK);
  batch.first_seq.value = 0;
  CHECK(td_batch_check(&batch, &err) == TD_SEQUENCE);
  batch.first_seq.value = UINT64_MAX - RECORDS + 2;
  CHECK(td_batch_check(&batch, &err) == TD_SEQUENCE);
  td_span payload = {kept, RECORDS * TD_RECORD_BYTES};
  CHECK(td_batch_seal(&batch, payload, bytes, &err) == TD_SEQUENCE);
  CHECK(memcmp(bytes, kept, sizeof kept) == 0);
  batch = sample();
  payload.size--;
  CHECK(td_batch_seal(&batch, payload, bytes, &err) == TD_LENGTH);
  CHECK_U64(err.got, 62);
  CHECK_U64(err.bound, 63);
  batch.kind = TD_BATCH_SESSIONS;  /* opaque: any length */
  CHECK(td_batch_seal(&batch, payload, bytes, &err) == TD_OK);
  batch.kind = 2;
  CHECK(td_batch_check(&batch, &err) == TD_UNSUPPORTED);
  batch = sample();
  batch.kind = TD_BATCH_SESSIONS;
  batch.payload_len = TD_BATCH_PAYLOAD_MAX;
  CHECK(td_batch_check(&batch, &err) == TD_OK);
  batch.payload_len++;
  CHECK(td_batch_check(&batch, &err) == TD_LENGTH);
}

static void nan_keeps_its_bits(void) {
  static const uint32_t bits[] = {0x7fc00001, 0xffc12345, 0x7f800001,
                                  0x80000000, 0x7f7fffff};
  for (size_t i = 0; i < sizeof bits / sizeof *bits; i++) {
    uint8_t raw[TD_RECORD_BYTES] = {0}, again[TD_RECORD_BYTES];
    td_put_u32(raw + 9, bits[i]);
    td_record record = td_record_decode(raw);
    td_record_encode(&record, again);
    CHECK(memcmp(raw, again, sizeof raw) == 0);
  }
}

static void random_bytes(void) {
  td_prng prng = {test_seed()};
  int rounds = test_soak() ? 10000000 : 200000;
  for (int i = 0; i < rounds; i++) {
    uint8_t bytes[80];
    td_batch out;
    for (size_t at = 0; at < sizeof bytes; at += 8) {
      td_put_u64(bytes + at, td_prng_next(&prng));
    }
    if (i % 2) memcpy(bytes, "TIDL\2", 5);
    if (i % 4 == 3) {
      td_put_u32(bytes + 48, 0);
      td_put_u32(bytes + 48, (uint32_t)td_hash64((td_span){bytes, 64}));
    }
    CHECK(td_batch_decode((td_span){bytes, sizeof bytes}, &out, NULL)
          != TD_OK);
  }
}

void test_batch(void) {
  test_case("batch", "encode and decode", round_trip);
  test_case("batch", "tags at bytes 58-61, zero in v1", tag_offsets);
  test_case("batch", "every bit flip is refused", every_bit_flip_is_refused);
  test_case("batch", "every cut is refused", every_cut_is_refused);
  test_case("batch", "rules behind a right hash", rules_behind_the_hash);
  test_case("batch", "fields are checked before writing",
            fields_are_checked);
  test_case("batch", "a NaN keeps its bits", nan_keeps_its_bits);
  test_case("batch", "random bytes are refused", random_bytes);
}
