/* Ids as text and bytes: what is accepted is what would be written. */
#include "fuzz/fuzz.h"

#include <string.h>

#include "base/id.h"

static void check_refused(td_status status, const td_error *err,
                          const void *out, size_t size) {
  td_assert(status == TD_TEXT || status == TD_OUT_OF_RANGE);
  td_assert(fuzz_untouched(out, size));
  fuzz_check_error(status, err);
}

/* Any text of one of the canonical kinds. */
#define CHECK_PARSE(kind, text_max, text, size) \
  do { \
    td_##kind id; \
    td_error err; \
    char again[text_max]; \
    fuzz_fill(&id, sizeof id); \
    td_status status = td_##kind##_parse(text, size, &id, &err); \
    if (status != TD_OK) { \
      check_refused(status, &err, &id, sizeof id); \
    } else { \
      td_assert(td_##kind##_format(id, again) == (size)); \
      td_assert(memcmp(again, text, size) == 0); \
    } \
  } while (0)

static void check_texts(const char *text, size_t size) {
  CHECK_PARSE(region_id, TD_REGION_ID_TEXT_MAX, text, size);
  CHECK_PARSE(shard_id, TD_SHARD_ID_TEXT_MAX, text, size);
  CHECK_PARSE(log_id, TD_LOG_ID_TEXT_MAX, text, size);
  CHECK_PARSE(segment_id, TD_SEGMENT_ID_TEXT_MAX, text, size);
}

/* Entity ids have many texts; all mean the number that is written back. */
static void check_entity_text(const char *text, size_t size) {
  td_entity_id id, again;
  td_error err;
  char canonical[TD_ENTITY_ID_TEXT_MAX];
  fuzz_fill(&id, sizeof id);
  td_status status = td_entity_id_parse(text, size, &id, &err);
  if (status != TD_OK) {
    check_refused(status, &err, &id, sizeof id);
    return;
  }
  size_t written = td_entity_id_format(id, canonical);
  td_assert(written == TD_ENTITY_ID_TEXT_MAX - 1);
  td_assert(td_entity_id_parse(canonical, written, &again, NULL) == TD_OK);
  td_assert(td_entity_id_cmp(id, again) == 0);
}

static void check_bytes(td_span bytes) {
  td_segment_id id;
  td_error err;
  uint8_t raw[TD_SEGMENT_ID_BYTES];
  fuzz_fill(&id, sizeof id);
  td_status status = td_segment_id_decode(bytes, &id, &err);
  td_assert((status == TD_OK) == (bytes.size == sizeof raw));
  if (status != TD_OK) {
    td_assert(status == TD_LENGTH && fuzz_untouched(&id, sizeof id));
    fuzz_check_error(status, &err);
    return;
  }
  td_segment_id_encode(id, raw);
  td_assert(memcmp(raw, bytes.data, sizeof raw) == 0);
}

static td_segment_id take_id(fuzz_input *in) {
  td_segment_id id;
  id.region.value = fuzz_u16(in);
  id.shard.value = fuzz_u16(in);
  id.seqno.value = fuzz_u64(in);
  return id;
}

static int sign(int order) { return (order > 0) - (order < 0); }

/* Any id: text and bytes give it back; bytes sort as ids do. */
static void check_id(td_segment_id a, td_segment_id b) {
  char text[TD_SEGMENT_ID_TEXT_MAX];
  uint8_t x[TD_SEGMENT_ID_BYTES], y[TD_SEGMENT_ID_BYTES];
  td_segment_id again;
  size_t size = td_segment_id_format(a, text);
  td_assert(size < sizeof text && strlen(text) == size);
  td_assert(td_segment_id_parse(text, size, &again, NULL) == TD_OK);
  td_assert(td_segment_id_eq(a, again));
  td_assert(td_segment_id_hash(a) == td_segment_id_hash(again));
  td_segment_id_encode(a, x);
  td_segment_id_encode(b, y);
  td_assert(sign(memcmp(x, y, sizeof x)) == sign(td_segment_id_cmp(a, b)));
  check_bytes((td_span){x, sizeof x});
  check_texts(text, size);
  td_log_id log = {a.region, a.shard};
  check_texts(text, td_log_id_format(log, text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  check_texts((const char *)data, size);
  check_entity_text((const char *)data, size);
  check_bytes((td_span){data, size});
  td_segment_id a = take_id(&in);
  td_segment_id b = take_id(&in);
  check_id(a, b);
  b.region = a.region;
  b.shard = a.shard;
  check_id(a, b);
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  static const char *const texts[] = {
    "r0", "s65535", "r65535:s0", "r0:s0:42",
    "r65535:s65535:18446744073709551615", "0xffffffffffffffff",
    "18446744073709551615", "0x2A", "r3:s4:9223372036854775808",
  };
  if (index >= sizeof texts / sizeof *texts) return 0;
  size_t size = strlen(texts[index]);
  td_assert(size <= room);
  memcpy(out, texts[index], size);
  return size;
}
