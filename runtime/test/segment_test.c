/* Covers format/segment format/segname.
 * Names of segments, walks over a segment in memory. */
#include "test/test.h"

#include <string.h>

#include "tidal.h"

static size_t put_batch(uint8_t *out, uint64_t first, uint32_t count) {
  uint8_t *payload = out + TD_BATCH_HEADER_BYTES;
  size_t size = (size_t)count * TD_RECORD_BYTES;
  td_batch batch = {.first_seq = {first}, .event_count = count, .version = 2};
  for (size_t i = 0; i < size; i++) payload[i] = (uint8_t)(first + i);
  CHECK(td_batch_seal(&batch, (td_span){payload, size}, out, NULL) == TD_OK);
  return TD_BATCH_HEADER_BYTES + size;
}

#define ZEROS 100u

/* Three batches of 1, 2 and 3 events, then zeros. */
static size_t make_segment(uint8_t *out, size_t ends[3]) {
  size_t at = 0;
  for (uint32_t i = 0; i < 3; i++) {
    at += put_batch(out + at, 1 + i * (i + 1) / 2, i + 1);
    ends[i] = at;
  }
  memset(out + at, 0, ZEROS);
  return at;
}

static void walk(void) {
  uint8_t bytes[1024];
  size_t ends[3];
  size_t size = make_segment(bytes, ends);
  td_segment segment = td_segment_init((td_span){bytes, size + ZEROS});
  td_batch batch;
  td_span payload;
  for (uint32_t i = 0; i < 3; i++) {
    CHECK(td_segment_next(&segment, &batch, &payload, NULL) == TD_OK);
    CHECK_U64(batch.event_count, i + 1);
    CHECK(payload.data >= bytes && payload.data < bytes + size);
    CHECK_U64(segment.at, ends[i]);
  }
  CHECK(td_segment_next(&segment, &batch, &payload, NULL) == TD_END);
  CHECK(td_segment_next(&segment, &batch, &payload, NULL) == TD_END);
  td_segment empty = td_segment_init((td_span){bytes, 0});
  CHECK(td_segment_next(&empty, &batch, &payload, NULL) == TD_END);
}

/* Batches that come out before the walk stops, and how it stops. */
static uint32_t walk_all(td_span bytes, td_status *stop, uint64_t *offset) {
  td_segment segment = td_segment_init(bytes);
  td_batch batch;
  td_span payload;
  td_error err;
  uint32_t count = 0;
  while ((*stop = td_segment_next(&segment, &batch, &payload, &err))
         == TD_OK) {
    count++;
  }
  *offset = *stop == TD_END ? segment.at : err.offset;
  CHECK_U64(*offset, segment.at);
  return count;
}

static void every_cut(void) {
  uint8_t bytes[1024];
  size_t ends[3];
  size_t size = make_segment(bytes, ends);
  for (size_t cut = 0; cut <= size + ZEROS; cut++) {
    td_status stop;
    uint64_t offset;
    uint32_t whole = 0;
    size_t end = 0;
    while (whole < 3 && ends[whole] <= cut) end = ends[whole++];
    CHECK_U64(walk_all((td_span){bytes, cut}, &stop, &offset), whole);
    CHECK_U64(offset, end);
    CHECK(stop == (cut == end || cut > size ? TD_END : TD_SHORT));
  }
}

/* Every flip in front of the zeros stops the walk at its batch; none behind
 * is ever an end. */
static void every_bit_flip(void) {
  uint8_t bytes[1024];
  size_t ends[3];
  size_t size = make_segment(bytes, ends);
  for (size_t bit = 0; bit < (size + ZEROS) * 8; bit++) {
    td_status stop;
    uint64_t offset;
    uint32_t before = 0;
    while (before < 3 && ends[before] <= bit / 8) before++;
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    uint32_t count = walk_all((td_span){bytes, size + ZEROS}, &stop,
                              &offset);
    if (count != before || stop == TD_END) {
      test_failed(__FILE__, __LINE__, "bit %zu: %u batches, %s", bit, count,
                  td_status_code(stop));
    }
    bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

static void zeros(void) {
  uint8_t bytes[64] = {0};
  CHECK(td_segment_only_zeros((td_span){bytes, 0}));
  CHECK(td_segment_only_zeros((td_span){bytes, 1}));
  CHECK(td_segment_only_zeros((td_span){bytes, sizeof bytes}));
  for (size_t i = 0; i < sizeof bytes; i++) {
    bytes[i] = 1;
    CHECK(!td_segment_only_zeros((td_span){bytes, sizeof bytes}));
    bytes[i] = 0;
  }
}

static void names(void) {
  static const struct { uint16_t shard; uint64_t first; const char *text; }
  good[] = {
    {0, 1, "wal-00000000000000000001.seg"},
    {0, UINT64_MAX, "wal-18446744073709551615.seg"},
    {1, 1, "wal-s00001-00000000000000000001.seg"},
    {3, 42, "wal-s00003-00000000000000000042.seg"},
    {65535, UINT64_MAX, "wal-s65535-18446744073709551615.seg"},
    {7, UINT64_C(1) << 63, "wal-s00007-09223372036854775808.seg"},
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    char text[TD_SEGNAME_TEXT_MAX];
    td_segname name = {{good[i].shard}, {good[i].first}}, back;
    size_t size = td_segname_format(name, text);
    CHECK_TEXT(text, good[i].text);
    CHECK(td_segname_parse(text, size, &back, NULL) == TD_OK);
    CHECK(td_segname_cmp(name, back) == 0);
  }
}

static void bad_names(void) {
  static const char *const bad[] = {
    "wal-s00000-00000000000000000001.seg", "wal-00000000000000000000.seg",
    "wal-1.seg", "wal-000000000000000000001.seg",
    "wal-s65536-00000000000000000001.seg", "wal-18446744073709551616.seg",
    "wal-s3-00000000000000000001.seg", "WAL-00000000000000000001.seg",
    "wal-00000000000000000001.seg.tmp", "wal-0000000000000000000a.seg", "",
    "wal-s00001-00000000000000000000.seg", "wal_00000000000000000001.seg",
    "wal-00000000000000000001.SEG", "wal-+0000000000000000001.seg",
    "wal-s0000a-00000000000000000001.seg",
    "wal-s00001_00000000000000000001.seg",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    td_segname kept = {{9}, {9}};
    if (td_segname_parse(bad[i], strlen(bad[i]), &kept, NULL) != TD_NAME) {
      test_failed(__FILE__, __LINE__, "\"%s\" was read", bad[i]);
    }
    CHECK_U64(kept.first_seq.value, 9);
  }
  CHECK(td_segname_cmp((td_segname){{0}, {2}}, (td_segname){{0}, {10}}) < 0);
  CHECK(td_segname_cmp((td_segname){{1}, {1}}, (td_segname){{0}, {10}}) > 0);
  CHECK(td_segname_cmp((td_segname){{0}, {UINT64_MAX}},
                       (td_segname){{0}, {1}}) > 0);
}

void test_segment(void) {
  test_case("segment", "a walk gives every batch", walk);
  test_case("segment", "a cut at every byte", every_cut);
  test_case("segment", "a flip of every bit", every_bit_flip);
  test_case("segment", "only zeros", zeros);
  test_case("segment", "names both ways", names);
  test_case("segment", "only canonical names", bad_names);
}
