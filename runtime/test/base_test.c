/* Covers base/text base/id base/hash base/status.
 * Text, ids, hashes, error messages. */
#include "test/test.h"

#include <string.h>

#include "tidal.h"

static const uint64_t edges[] = {
  0, 1, 9, 10, 42, UINT16_MAX, UINT32_MAX, INT64_MAX - UINT64_C(1),
  INT64_MAX, (uint64_t)INT64_MAX + 1, (uint64_t)INT64_MAX + 2,
  UINT64_MAX - 1, UINT64_MAX,
};
#define EDGES (sizeof edges / sizeof *edges)

static void hex_text(void) {
  char out[32], want[32];
  for (size_t i = 0; i < EDGES; i++) {
    for (unsigned digits = 1; digits <= TD_U64_HEX_MAX; digits++) {
      td_text text = td_text_init(out, sizeof out);
      td_text_hex(&text, edges[i], digits);
      snprintf(want, sizeof want, "%016llx", (unsigned long long)edges[i]);
      CHECK_TEXT(out, want + TD_U64_HEX_MAX - digits);
    }
  }
}

static void decimal_text(void) {
  char out[32], want[32];
  for (size_t i = 0; i < EDGES; i++) {
    uint64_t back = 0;
    td_text text = td_text_init(out, sizeof out);
    td_text_decimal(&text, edges[i]);
    snprintf(want, sizeof want, "%llu", (unsigned long long)edges[i]);
    CHECK_TEXT(out, want);
    CHECK(td_text_read_decimal(out, text.size, UINT64_MAX, true, &back));
    CHECK_U64(back, edges[i]);
  }
  static const char *const bad[] = {
    "", "-1", "+1", " 1", "1 ", "1.0", "1e3", "0x1", "18446744073709551616",
    "99999999999999999999", "184467440737095516150", "a",
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    uint64_t kept = 7;
    CHECK(!td_text_read_decimal(bad[i], strlen(bad[i]), UINT64_MAX, false,
                                &kept));
    CHECK_U64(kept, 7);
  }
  char zeros[TD_U64_DIGITS_MAX + 2];
  uint64_t value = 7;
  memset(zeros, '0', sizeof zeros);
  CHECK(td_text_read_decimal(zeros, TD_U64_DIGITS_MAX, 0, false, &value));
  CHECK(!td_text_read_decimal(zeros, TD_U64_DIGITS_MAX + 1, 0, false,
                              &value));
  CHECK(td_text_read_decimal("007", 3, 7, false, &value) && value == 7);
  CHECK(!td_text_read_decimal("007", 3, 7, true, &value));
  CHECK(!td_text_read_decimal("8", 1, 7, true, &value));
}

static void text_never_overflows(void) {
  for (size_t room = 0; room < 12; room++) {
    char out[16];
    memset(out, '#', sizeof out);
    td_text text = td_text_init(out, room);
    td_text_string(&text, "wal-");
    td_text_padded(&text, 42, 6);
    CHECK_U64(text.size, 10);
    CHECK(out[room] == '#');
    if (room > 0) CHECK(strlen(out) == (room - 1 < 10 ? room - 1 : 10));
  }
}

static void segment_ids(void) {
  char text[TD_SEGMENT_ID_TEXT_MAX];
  for (size_t i = 0; i < EDGES; i++) {
    td_segment_id id = {{(uint16_t)edges[i]}, {(uint16_t)(edges[i] >> 1)},
                        {edges[i]}};
    td_segment_id back = {{0}, {0}, {0}};
    uint8_t raw[TD_SEGMENT_ID_BYTES];
    size_t size = td_segment_id_format(id, text);
    CHECK(td_segment_id_parse(text, size, &back, NULL) == TD_OK);
    CHECK(td_segment_id_eq(id, back));
    CHECK_U64(td_segment_id_hash(id), td_segment_id_hash(back));
    td_segment_id_encode(id, raw);
    CHECK(td_segment_id_decode((td_span){raw, sizeof raw}, &back, NULL)
          == TD_OK);
    CHECK(td_segment_id_eq(id, back));
    CHECK(td_segment_id_decode((td_span){raw, 11}, &back, NULL)
          == TD_LENGTH);
  }
  td_segment_id_format((td_segment_id){{0}, {0}, {42}}, text);
  CHECK_TEXT(text, "r0:s0:42");
  td_segment_id_format((td_segment_id){{65535}, {65535}, {UINT64_MAX}}, text);
  CHECK_TEXT(text, "r65535:s65535:18446744073709551615");
}

static void id_text_is_canonical(void) {
  static const char *const bad[] = {
    "", "r", "r0", "r0:s0", "r0:s0:", "r00:s0:1", "r0:s01:1", "r0:s0:01",
    "r0:s0:1 ", " r0:s0:1", "r0:s0:+1", "r0:s0:-1", "r-1:s0:1", "R0:s0:1",
    "r0:S0:1", "r0s0:1", "r0:s0:1:2", "r65536:s0:1", "r0:s65536:1",
    "r0:s0:18446744073709551616", "s0:r0:1", "r0::1", "r0:s0:0x1",
  };
  td_segment_id kept = {{1}, {2}, {3}}, id = kept;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    td_error err;
    td_status status = td_segment_id_parse(bad[i], strlen(bad[i]), &id, &err);
    if (status != TD_TEXT && status != TD_OUT_OF_RANGE) {
      test_failed(__FILE__, __LINE__, "\"%s\" was read", bad[i]);
    }
    CHECK(err.status == status);
    CHECK(td_segment_id_eq(id, kept));
  }
  td_shard_id shard;
  td_region_id region;
  td_log_id log;
  CHECK(td_shard_id_parse("s65535", 6, &shard, NULL) == TD_OK);
  CHECK_U64(shard.value, 65535);
  CHECK(td_shard_id_parse("s65536", 6, &shard, NULL) == TD_OUT_OF_RANGE);
  CHECK(td_shard_id_parse("s3:", 3, &shard, NULL) == TD_TEXT);
  CHECK(td_region_id_parse("r7", 2, &region, NULL) == TD_OK);
  CHECK_U64(region.value, 7);
  CHECK(td_region_id_parse("s7", 2, &region, NULL) == TD_TEXT);
  CHECK(td_log_id_parse("r1:s2", 5, &log, NULL) == TD_OK);
  CHECK(log.region.value == 1 && log.shard.value == 2);
  CHECK(td_log_id_parse("r1:s2:3", 7, &log, NULL) == TD_TEXT);
}

static void entity_text(void) {
  static const struct { const char *text; uint64_t value; } good[] = {
    {"0", 0}, {"0x0", 0}, {"42", 42}, {"0x2a", 42}, {"0X2A", 42},
    {"9223372036854775808", UINT64_C(1) << 63},
    {"0x8000000000000000", UINT64_C(1) << 63},
    {"18446744073709551615", UINT64_MAX}, {"0xffffffffffffffff", UINT64_MAX},
    {"0xFFFFffffFFFFffff", UINT64_MAX},
  };
  static const char *const bad[] = {
    "", "0x", "0x10000000000000000", "18446744073709551616", "-1", "1.0",
    "1e3", " 1", "0xg", "ff", "0b1", "1_000",
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    td_entity_id id = {99};
    CHECK(td_entity_id_parse(good[i].text, strlen(good[i].text), &id, NULL)
          == TD_OK);
    CHECK_U64(id.value, good[i].value);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    td_entity_id id = {99};
    CHECK(td_entity_id_parse(bad[i], strlen(bad[i]), &id, NULL) == TD_TEXT);
    CHECK_U64(id.value, 99);
  }
  char text[TD_ENTITY_ID_TEXT_MAX];
  td_entity_id_format((td_entity_id){42}, text);
  CHECK_TEXT(text, "0x000000000000002a");
}

/* The order of ids, of their 12 bytes, and of a field-by-field comparison. */
static void segment_order(void) {
  td_prng prng = {test_seed()};
  for (int i = 0; i < 20000; i++) {
    td_segment_id pair[2];
    uint8_t raw[2][TD_SEGMENT_ID_BYTES];
    for (int k = 0; k < 2; k++) {
      pair[k].region.value = (uint16_t)td_prng_below(&prng, 3);
      pair[k].shard.value = (uint16_t)td_prng_below(&prng, 3);
      pair[k].seqno.value = edges[td_prng_below(&prng, EDGES)];
      td_segment_id_encode(pair[k], raw[k]);
    }
    int order = td_segment_id_cmp(pair[0], pair[1]);
    int bytes = memcmp(raw[0], raw[1], sizeof raw[0]);
    CHECK((order < 0) == (bytes < 0) && (order > 0) == (bytes > 0));
    CHECK(td_segment_id_cmp(pair[1], pair[0]) == -order);
  }
}

/* Values of libxxhash, from the golden vectors. */
static void hashes(void) {
  CHECK_U64(td_hash_entity((td_entity_id){0}), 0xc77b3abb6f87acd9);
  CHECK_U64(td_hash_entity((td_entity_id){42}), 0xd5a6f8c838df27c8);
  uint64_t ids[3] = {0, 1, 42};
  td_hash_entities(ids, ids, 3);
  CHECK_U64(ids[1], 0x2fbc593564db792e);
  for (size_t i = 0; i < EDGES; i++) {
    uint8_t raw[8];
    td_put_u64(raw, edges[i]);
    CHECK_U64(td_get_u64(raw), edges[i]);
    CHECK_U64(td_hash64((td_span){raw, 8}),
              td_hash_entity((td_entity_id){edges[i]}));
  }
}

static void error_messages(void) {
  td_error err;
  char text[TD_ERROR_TEXT_MAX];
  td_fail(&err, TD_SHORT, "batch header", 10, 64);
  td_error_at(&err, "wal-00000000000000000001.seg", 4096);
  size_t size = td_error_format(&err, text, sizeof text);
  CHECK_TEXT(text, "wal-00000000000000000001.seg: short: batch header has 10 "
                   "bytes where 64 are needed (at byte 4096)");
  CHECK_U64(size, strlen(text));
  char cut[8];
  CHECK_U64(td_error_format(&err, cut, sizeof cut), size);
  CHECK_TEXT(cut, "wal-000");
  for (int status = 0; status < TD_STATUS_COUNT; status++) {
    td_fail(&err, (td_status)status, "subject", UINT64_MAX, UINT64_MAX);
    CHECK(td_error_format(&err, text, sizeof text) < sizeof text);
    CHECK(!strchr(text, '{') && strlen(td_status_code((td_status)status)) > 1);
    for (int other = 0; other < status; other++) {
      CHECK(strcmp(td_status_code((td_status)status),
                   td_status_code((td_status)other)) != 0);
    }
  }
  CHECK(td_fail(NULL, TD_GAP, "x", 0, 0) == TD_GAP);
}

void test_base(void) {
  test_case("base", "decimal text both ways", decimal_text);
  test_case("base", "hex text of every length", hex_text);
  test_case("base", "text never passes its end", text_never_overflows);
  test_case("base", "segment ids: text and bytes both ways", segment_ids);
  test_case("base", "id text is canonical only", id_text_is_canonical);
  test_case("base", "entity ids from text, up to 2^64-1", entity_text);
  test_case("base", "order is (region, shard, seqno)", segment_order);
  test_case("base", "hashes are libxxhash's", hashes);
  test_case("base", "every status reads as a sentence", error_messages);
}
