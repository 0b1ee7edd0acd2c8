/* Verdicts: what stands where. Lazy batches, batches and segments that do not
 * belong, headers nobody can read, sectors never written. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "format/segment.h"
#include "test/verify_world.h"

/* Lazy flags of four batches, L or -; the damaged one, and by what. */
static void check_lazy(const char *flags, uint32_t damaged, size_t byte,
                       td_evidence evidence, uint64_t lost) {
  memory_store store;
  verify_run run;
  log_maker maker = start(&store);
  for (uint32_t i = 0; flags[i]; i++) {
    maker.lazy = flags[i] == 'L';
    make_batch(&maker, 2);
  }
  make_stored(&maker, &store);
  flip(&store, NAME_1, damaged * 106 + byte);
  verify_store(&run, &store);
  bool torn = evidence != TD_EVIDENCE_BATCH;
  check_only(&run, torn ? TD_VERDICT_TORN : TD_VERDICT_CORRUPT, evidence,
             NAME_1, damaged * 106);
  CHECK_U64(run.findings[0].lost_events, lost);
  memory_store_deinit(&store);
}

static void case_lazy(void) {
  check_lazy("LLLL", 1, 80, TD_EVIDENCE_SUSPECT, 6);
  check_lazy("LLLL", 1, 20, TD_EVIDENCE_HEADER, 4);
  check_lazy("LLLL", 3, 20, TD_EVIDENCE_HEADER, 0);
  check_lazy("-LLL", 1, 80, TD_EVIDENCE_SUSPECT, 6);
  check_lazy("-LLL", 1, 20, TD_EVIDENCE_BATCH, 0);
  check_lazy("-LLL", 0, 80, TD_EVIDENCE_BATCH, 0);
  check_lazy("LLL-", 1, 80, TD_EVIDENCE_BATCH, 0);
  check_lazy("LLLL", 0, 20, TD_EVIDENCE_BATCH, 0);
  check_lazy("LL--", 1, 20, TD_EVIDENCE_BATCH, 0);
}

/* The pieces of a segment: batches 0..3 of a log, in any order and number,
 * one of another shard ('s') or region ('r'), batch 1 with a flip ('x'). */
static void check_order(const char *pieces, td_verdict verdict,
                        td_evidence evidence, uint32_t at) {
  memory_store store;
  verify_run run;
  uint8_t bytes[8 * 106];
  log_maker maker = start(&store), other = maker;
  for (uint32_t i = 0; i < 4; i++) make_batch(&maker, 2);
  other.next_seq = 3;
  other.region.value++;
  make_batch(&other, 2);
  other.next_seq = 3;
  other.region.value--;
  other.name.shard.value++;
  make_batch(&other, 2);
  size_t count = strlen(pieces);
  for (size_t i = 0; i < count; i++) {
    const uint8_t *from = pieces[i] == 'r' ? other.bytes
                        : pieces[i] == 's' ? other.bytes + 106
                        : maker.bytes + (size_t)(pieces[i] - '0') * 106;
    if (pieces[i] == 'x') from = maker.bytes + 106;
    memcpy(bytes + i * 106, from, 106);
    if (pieces[i] == 'x') bytes[i * 106 + 80] ^= 1;
  }
  memory_store_put(&store, NAME_1, (td_span){bytes, count * 106});
  verify_store(&run, &store);
  if (verdict == TD_VERDICT_CLEAN) check_clean(&run);
  else check_only(&run, verdict, evidence, NAME_1, at * 106);
  free(maker.bytes);
  free(other.bytes);
  memory_store_deinit(&store);
}

static void case_order(void) {
  check_order("0123", TD_VERDICT_CLEAN, TD_EVIDENCE_NONE, 0);
  check_order("02", TD_VERDICT_CORRUPT, TD_EVIDENCE_FOREIGN, 1);
  check_order("011", TD_VERDICT_CORRUPT, TD_EVIDENCE_FOREIGN, 2);
  check_order("00", TD_VERDICT_CORRUPT, TD_EVIDENCE_FOREIGN, 1);
  check_order("0r", TD_VERDICT_CORRUPT, TD_EVIDENCE_FOREIGN, 1);
  check_order("0s23", TD_VERDICT_CORRUPT, TD_EVIDENCE_FOREIGN, 1);
  check_order("0x", TD_VERDICT_TORN, TD_EVIDENCE_SUSPECT, 1);
  check_order("0x0", TD_VERDICT_TORN, TD_EVIDENCE_SUSPECT, 1);
  check_order("0xs", TD_VERDICT_TORN, TD_EVIDENCE_SUSPECT, 1);
  check_order("0xr", TD_VERDICT_TORN, TD_EVIDENCE_SUSPECT, 1);
  check_order("0x02", TD_VERDICT_CORRUPT, TD_EVIDENCE_BATCH, 1);
  check_order("10", TD_VERDICT_MISMATCH, TD_EVIDENCE_NONE, 0);
  check_order("s", TD_VERDICT_MISMATCH, TD_EVIDENCE_NONE, 0);
}

/* A payload that holds a whole later batch of the same log: no evidence while
 * the header in front of it says that it is a payload. */
static void case_lookalike(void) {
  memory_store store;
  verify_run run;
  log_maker maker = start(&store), later = make_segment(SHARD, 50);
  later.region.value = REGION;
  make_batch(&later, 2);
  make_batch(&maker, 2);
  size_t at = maker.size;
  make_session(&maker, 900);
  memcpy(maker.bytes + at + 64 + 100, later.bytes, later.size);
  make_stored(&maker, &store);
  verify_store(&run, &store);
  check_only(&run, TD_VERDICT_TORN, TD_EVIDENCE_SUSPECT, NAME_1, at);
  flip(&store, NAME_1, at + 20);
  verify_store(&run, &store);
  check_only(&run, TD_VERDICT_CORRUPT, TD_EVIDENCE_BATCH, NAME_1, at);
  CHECK_U64(run.findings[0].proof, at + 64 + 100);
  CHECK_U64(run.findings[0].reached.value, 51);
  free(later.bytes);
  memory_store_deinit(&store);
}

/* Segments of one log: names that overlap, another region, a finding each. */
static void case_segments(void) {
  memory_store store;
  verify_run run;
  make_two(&store);
  log_maker maker = make_segment(SHARD, 5);
  maker.region.value = REGION;
  make_batch(&maker, 2);
  make_stored(&maker, &store);
  verify_store(&run, &store);
  check_only(&run, TD_VERDICT_MISMATCH, TD_EVIDENCE_NONE,
             "wal-s00004-00000000000000000005.seg", 0);
  CHECK_U64(run.segments, 3);
  flip(&store, NAME_1, 70);
  flip(&store, NAME_7, 2 * 106 + 70);
  verify_store(&run, &store);
  CHECK_U64(run.count, 2);
  check_finding(&run, 0, TD_VERDICT_CORRUPT, TD_EVIDENCE_SEGMENT, NAME_1, 0);
  check_finding(&run, 1, TD_VERDICT_TORN, TD_EVIDENCE_SUSPECT, NAME_7, 212);
  maker = make_segment(SHARD, 13);
  make_batch(&maker, 1);
  make_stored(&maker, &store);
  verify_store(&run, &store);
  CHECK_U64(run.count, 3);
  check_finding(&run, 1, TD_VERDICT_CORRUPT, TD_EVIDENCE_SEGMENT, NAME_7,
                212);
  check_finding(&run, 2, TD_VERDICT_MISMATCH, TD_EVIDENCE_NONE,
                "wal-s00004-00000000000000000013.seg", 0);
  memory_store_deinit(&store);
}

/* Right hashes over fields that break the rules are no torn write. */
static void case_hashed(void) {
  static const struct { size_t at; uint8_t value; td_evidence evidence; }
    rows[] = {{4, 9, TD_EVIDENCE_NONE}, {24, 3, TD_EVIDENCE_HASHED},
              {8, 0, TD_EVIDENCE_FOREIGN}, {57, 1, TD_EVIDENCE_NONE}};
  static const td_verdict verdicts[] = {
    TD_VERDICT_UNSUPPORTED, TD_VERDICT_CORRUPT, TD_VERDICT_CORRUPT,
    TD_VERDICT_RESERVED};
  for (size_t i = 0; i < 4; i++) {
    for (uint32_t behind = 0; behind < 2; behind++) {
      memory_store store;
      verify_run run;
      make_two(&store);
      uint8_t *head = memory_store_find(&store, NAME_7)->bytes + 2 * 106;
      head[rows[i].at] = rows[i].value;
      memset(head + 48, 0, 4);
      td_put_u32(head + 48, (uint32_t)td_hash64((td_span){head, 64}));
      if (behind) flip(&store, NAME_7, 106 + 30);
      verify_store(&run, &store);
      if (behind) {
        check_only(&run, TD_VERDICT_CORRUPT, TD_EVIDENCE_NEWER, NAME_7, 106);
        CHECK_U64(run.findings[0].proof, 212);
      } else {
        check_only(&run, verdicts[i], rows[i].evidence, NAME_7, 212);
      }
      memory_store_deinit(&store);
    }
  }
}

/* Zeros over a part of a large last batch: only a whole sector of them shows
 * that it never reached the disk. */
static void case_holes(void) {
  for (uint16_t version = 1; version <= 2; version++) {
    for (size_t at = 0; at <= 5200; at += 61) {
      memory_store store;
      verify_run run;
      log_maker maker = start(&store);
      maker.version = version;
      if (version == 1) maker.name.shard.value = maker.region.value = 0;
      make_batch(&maker, 1);
      make_batch(&maker, 300);
      size_t end = maker.size;
      if (at % 2) make_zeros(&maker, 2000);
      char name[TD_SEGNAME_TEXT_MAX];
      td_segname_format(maker.name, name);
      make_stored(&maker, &store);
      memory_file *file = memory_store_find(&store, name);
      size_t start_at = 64 + 21;
      memset(file->bytes + start_at + 64 + at, 0, at % 3 ? 512 : 1000);
      verify_store(&run, &store);
      bool hole = false;
      for (size_t p = 512; p + 512 <= file->size; p += 512) {
        td_span sector = {file->bytes + p, 512};
        if (p < end && td_segment_only_zeros(sector)) hole = true;
      }
      CHECK_U64(run.count, 1);
      td_evidence want = hole ? TD_EVIDENCE_SECTOR
                       : version == 1 ? TD_EVIDENCE_OLD : TD_EVIDENCE_SUSPECT;
      check_only(&run, want == TD_EVIDENCE_OLD ? TD_VERDICT_CORRUPT
                                               : TD_VERDICT_TORN,
                 want, name, start_at);
      memory_store_deinit(&store);
    }
  }
}

void test_verify_places(void) {
  test_case("verify", "a batch inside a payload", case_lookalike);
  test_case("verify", "lazy batches", case_lazy);
  test_case("verify", "batches out of place", case_order);
  test_case("verify", "segments out of place", case_segments);
  test_case("verify", "right hashes over wrong fields", case_hashed);
  test_case("verify", "sectors never written", case_holes);
}
