/* Verdicts: what checkpoints, marks, cuts and layouts say, and a world that
 * fails. Covers io/wal_notes
 * io/wal_file. */
#include "test/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test/layout_text.h"
#include "test/verify_world.h"

#define SLOT_0 "checkpoint-s00004.0"
#define SLOT_1 "checkpoint-s00004.1"

typedef struct slot {
  uint64_t generation, seqno;
  bool clean;
  uint16_t shard, region;
  uint32_t mark_count;
  td_mark marks[2];
} slot;

static void put_slot(memory_store *store, const char *name, slot fields) {
  uint8_t bytes[TD_CHECKPOINT_HEADER_BYTES + TD_CHECKPOINT_HASH_BYTES
                + 2 * TD_MARK_BYTES];
  td_checkpoint checkpoint = {
    .seqno = {fields.seqno}, .generation = fields.generation,
    .clean = fields.clean, .mark_count = fields.mark_count,
    .shard = {fields.shard}, .region = {fields.region},
  };
  CHECK(td_checkpoint_encode(&checkpoint, fields.marks, bytes, sizeof bytes,
                             NULL) == TD_OK);
  size_t size = td_checkpoint_size(fields.mark_count);
  memory_store_put(store, name, (td_span){bytes, size});
}

static slot own(uint64_t generation, uint64_t seqno) {
  return (slot){.generation = generation, .seqno = seqno, .shard = SHARD,
                .region = REGION};
}

static void cut(memory_store *store, const char *name, size_t by) {
  memory_store_find(store, name)->size -= by;
}

/* --- checkpoints ---------------------------------------------------------- */

/* The last batch of two events is torn; what do two slots make of it? */
static void check_torn(slot zero, slot one, td_verdict verdict,
                       td_evidence evidence) {
  memory_store store;
  verify_run run;
  make_two(&store);
  uint64_t last = memory_store_find(&store, NAME_7)->size - (64 + 42);
  cut(&store, NAME_7, 5);
  if (zero.generation > 0) put_slot(&store, SLOT_0, zero);
  if (one.generation > 0) put_slot(&store, SLOT_1, one);
  verify_store(&run, &store);
  check_only(&run, verdict, evidence, NAME_7, last);
  memory_store_deinit(&store);
}

static void case_named(void) {
  slot none = {.generation = 0}, with = own(2, 3);
  check_torn(none, none, TD_VERDICT_TORN, TD_EVIDENCE_CUT);
  check_torn(own(2, 10), none, TD_VERDICT_TORN, TD_EVIDENCE_CUT);
  check_torn(own(2, 11), none, TD_VERDICT_CORRUPT, TD_EVIDENCE_CHECKPOINT);
  check_torn(none, own(1, 12), TD_VERDICT_CORRUPT, TD_EVIDENCE_CHECKPOINT);
  check_torn(own(2, 10), own(3, 12), TD_VERDICT_CORRUPT,
             TD_EVIDENCE_CHECKPOINT);
  check_torn(own(4, 9), own(3, 12), TD_VERDICT_CORRUPT,
             TD_EVIDENCE_CHECKPOINT);
  with.mark_count = 2;
  with.marks[0] = (td_mark){{{REGION - 1}, {SHARD}}, 0, {99}};
  with.marks[1] = (td_mark){{{REGION}, {SHARD + 1}}, 0, {99}};
  check_torn(with, none, TD_VERDICT_TORN, TD_EVIDENCE_CUT);
  with.marks[1].log.shard.value = SHARD;
  check_torn(with, none, TD_VERDICT_CORRUPT, TD_EVIDENCE_CHECKPOINT);
  with.marks[1].seqno.value = 10;
  check_torn(with, none, TD_VERDICT_TORN, TD_EVIDENCE_CUT);
}

static void case_clean_flag(void) {
  slot none = {.generation = 0};
  slot early = own(2, 3), late = own(3, 3);
  early.clean = true;
  check_torn(early, none, TD_VERDICT_CORRUPT, TD_EVIDENCE_CLEAN);
  check_torn(early, late, TD_VERDICT_TORN, TD_EVIDENCE_CUT);
  early.generation = 4;
  check_torn(early, late, TD_VERDICT_CORRUPT, TD_EVIDENCE_CLEAN);
}

/* A synced batch, then lazy ones; the header of the first lazy one is gone.
 * Whether it was lazy, only the mark of an opening can tell. */
static void check_run(slot zero, slot one, bool spoil, td_evidence evidence,
                      uint64_t lost) {
  memory_store store;
  verify_run run;
  log_maker maker = start(&store);
  for (uint32_t i = 0; i < 4; i++) {
    maker.lazy = i > 0;
    make_batch(&maker, 2);
  }
  make_stored(&maker, &store);
  flip(&store, NAME_1, 106 + 20);
  if (zero.generation > 0) put_slot(&store, SLOT_0, zero);
  if (one.generation > 0) put_slot(&store, SLOT_1, one);
  if (spoil) flip(&store, SLOT_0, 9);
  verify_store(&run, &store);
  bool torn = evidence == TD_EVIDENCE_HEADER;
  uint32_t last = run.count - 1;
  CHECK_U64(run.count, 1u + spoil);
  check_finding(&run, last, torn ? TD_VERDICT_TORN : TD_VERDICT_CORRUPT,
                evidence, NAME_1, 106);
  CHECK_U64(run.findings[last].lost_events, lost);
  memory_store_deinit(&store);
}

static void case_lazy_run(void) {
  slot none = {.generation = 0}, marked = own(3, 0);
  marked.mark_count = 1;
  marked.marks[0] = (td_mark){{{REGION}, {SHARD}}, 0, {2}};
  check_run(none, none, false, TD_EVIDENCE_BATCH, 0);
  check_run(none, marked, false, TD_EVIDENCE_HEADER, 4);
  check_run(own(2, 0), marked, false, TD_EVIDENCE_HEADER, 4);
  check_run(own(4, 0), marked, false, TD_EVIDENCE_BATCH, 0);
  check_run(own(2, 0), marked, true, TD_EVIDENCE_BATCH, 0);
  marked.marks[0].log.region.value++;
  check_run(none, marked, false, TD_EVIDENCE_BATCH, 0);
}

/* Each bit of a slot is reported, the log beside it judged by the other. A
 * bad slot may have been the newer: the clean flag of the other is void. */
static void case_slot_flips(void) {
  memory_store store;
  verify_run run;
  make_two(&store);
  cut(&store, NAME_7, 5);
  slot clean = own(4, 3), marked = own(5, 6);
  clean.clean = true;
  marked.mark_count = 1;
  marked.marks[0] = (td_mark){{{1}, {2}}, 3, {4}};
  put_slot(&store, SLOT_0, clean);
  put_slot(&store, SLOT_1, marked);
  memory_file *file = memory_store_find(&store, SLOT_1);
  for (size_t bit = 0; bit < file->size * 8; bit++) {
    file->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    verify_store(&run, &store);
    file->bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    CHECK_U64(run.count, 2);
    check_finding(&run, 0, TD_VERDICT_CORRUPT, TD_EVIDENCE_NONE, SLOT_1, 0);
    check_finding(&run, 1, TD_VERDICT_TORN, TD_EVIDENCE_CUT, NAME_7, 212);
  }
  flip(&store, SLOT_0, 9);
  for (size_t size = 0; size < 88; size++) {
    file->size = size;
    verify_store(&run, &store);
    CHECK_U64(run.count, 3);
    check_finding(&run, 0, TD_VERDICT_CORRUPT, TD_EVIDENCE_NONE, SLOT_0, 0);
    check_finding(&run, 1, TD_VERDICT_CORRUPT, TD_EVIDENCE_NONE, SLOT_1, 0);
  }
  memory_store_deinit(&store);
}

static void check_slot(const char *name, slot fields, td_verdict verdict) {
  memory_store store;
  verify_run run;
  make_two(&store);
  put_slot(&store, name, fields);
  verify_store(&run, &store);
  if (verdict == TD_VERDICT_CLEAN) check_clean(&run);
  else {
    check_only(&run, verdict, TD_EVIDENCE_NONE, name, 0);
    CHECK_U64(run.findings[0].log.shard.value, SHARD);
  }
  memory_store_deinit(&store);
}

static void case_slot_place(void) {
  slot other = own(2, 3);
  check_slot(SLOT_0, own(2, 3), TD_VERDICT_CLEAN);
  check_slot(SLOT_1, own(2, 3), TD_VERDICT_MISMATCH);
  check_slot(SLOT_0, own(3, 3), TD_VERDICT_MISMATCH);
  other.shard = SHARD + 1;
  check_slot(SLOT_0, other, TD_VERDICT_MISMATCH);
  other = own(2, 3);
  other.region = REGION + 1;
  check_slot(SLOT_0, other, TD_VERDICT_MISMATCH);
}

/* Not slots: they are passed over. */
static void case_slot_names(void) {
  static const char *const names[] = {
    "checkpoint-s00004.2", "checkpoint-s0004.1", "checkpoint-s00004.1x",
    "checkpoint-s00004.1.tmp", "checkpoint-s65536.0", "Checkpoint-s00004.0",
    "checkpoint-s-0004.0", "checkpoint.meta.tmp", "checkpoint-s00004,0",
  };
  memory_store store;
  verify_run run;
  make_two(&store);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    memory_store_put(&store, names[i], (td_span){(const uint8_t *)"x", 1});
  }
  verify_store(&run, &store);
  check_clean(&run);
  memory_store_deinit(&store);
}

/* v1: 16 bytes, shard 0, of no account beside a slot. */
static void case_meta(void) {
  uint8_t bytes[TD_CHECKPOINT_V1_BYTES];
  memory_store store;
  verify_run run;
  log_maker maker = start(&store);
  maker.name.shard.value = 0;
  maker.region.value = 0;
  maker.version = 1;
  make_batch(&maker, 5);
  make_stored(&maker, &store);
  for (uint64_t seqno = 4; seqno < 8; seqno++) {
    td_checkpoint_encode_v1(&(td_checkpoint){.seqno = {seqno}}, bytes);
    memory_store_put(&store, "checkpoint.meta", (td_span){bytes, 16});
    verify_store(&run, &store);
    if (seqno <= 5) check_clean(&run);
    else check_only(&run, TD_VERDICT_CORRUPT, TD_EVIDENCE_CHECKPOINT,
                    "wal-00000000000000000001.seg", 64 + 105);
  }
  put_slot(&store, "checkpoint-s00000.0", (slot){.generation = 2});
  verify_store(&run, &store);
  check_clean(&run);
  memory_store_find(&store, "checkpoint-s00000.0")->size = 0;
  verify_store(&run, &store);
  check_only(&run, TD_VERDICT_CORRUPT, TD_EVIDENCE_NONE,
             "checkpoint-s00000.0", 0);
  memory_store_deinit(&store);
  memory_store_init(&store, 1);
  memory_store_put(&store, "checkpoint.meta", (td_span){bytes, 15});
  verify_store(&run, &store);
  check_only(&run, TD_VERDICT_CORRUPT, TD_EVIDENCE_NONE, "checkpoint.meta",
             0);
  memory_store_put(&store, "checkpoint.meta", (td_span){bytes, 16});
  verify_store(&run, &store);
  check_only(&run, TD_VERDICT_CORRUPT, TD_EVIDENCE_CHECKPOINT,
             "checkpoint.meta", 0);
  memory_store_deinit(&store);
}

/* What is missing below the older checkpoint was retired. */
static void case_retired(void) {
  static const struct { uint64_t older, newer; bool gap; } rows[] = {
    {0, 0, true}, {3, 12, true}, {6, 12, false}, {12, 12, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    for (uint32_t middle = 0; middle < 2; middle++) {
      memory_store store;
      verify_run run;
      log_maker maker = start(&store);
      make_batch(&maker, 2);
      if (middle) make_stored(&maker, &store);
      else free(maker.bytes);
      maker = make_segment(SHARD, 7);
      maker.region.value = REGION;
      make_batch(&maker, 6);
      make_stored(&maker, &store);
      put_slot(&store, SLOT_0, own(2, rows[i].older));
      put_slot(&store, SLOT_1, own(3, rows[i].newer));
      verify_store(&run, &store);
      /* Checkpoints that name nothing do not say where a log begins. */
      bool gap = rows[i].gap && (middle || rows[i].newer > 0);
      if (gap) check_only(&run, TD_VERDICT_GAP, TD_EVIDENCE_NONE, NAME_7, 0);
      else check_clean(&run);
      memory_store_deinit(&store);
    }
  }
}

/* A damaged layout or cuts file is found; sound ones are no findings. */
static void case_layouts(void) {
  char text[512];
  uint8_t bytes[72];
  td_cuts cuts = {.generation = 1, .shard = {SHARD}, .region = {REGION}};
  memory_store store;
  verify_run run;
  make_two(&store);
  size_t size = layout_text(text, sizeof text, 2, "hash", 5, NULL);
  td_span layout = {(uint8_t *)text, size}, list = {bytes, sizeof bytes};
  CHECK(td_cuts_encode(&cuts, NULL, bytes, sizeof bytes, NULL) == TD_OK);
  memory_store_put(&store, "layout-0000000002.json", layout);
  memory_store_put(&store, "cuts-s00004", list);
  verify_store(&run, &store);
  check_clean(&run);
  memory_store_put(&store, "layout-0000000003.json", layout);
  memory_store_put(&store, "cuts-s00006", list);
  flip(&store, "layout-0000000002.json", 60);
  flip(&store, "cuts-s00004", 50);
  verify_store(&run, &store);
  CHECK_U64(run.count, 4);
  CHECK_U64(run.segments, 2);
  check_finding(&run, 0, TD_VERDICT_CORRUPT, TD_EVIDENCE_NONE, "cuts-s00004",
                0);
  check_finding(&run, 1, TD_VERDICT_MISMATCH, TD_EVIDENCE_NONE,
                "cuts-s00006", 0);
  check_finding(&run, 2, TD_VERDICT_CORRUPT, TD_EVIDENCE_NONE,
                "layout-0000000002.json", size - 32);
  check_finding(&run, 3, TD_VERDICT_MISMATCH, TD_EVIDENCE_NONE,
                "layout-0000000003.json", 0);
  memory_store_deinit(&store);
}

/* --- the world fails --------------------------------------------------- */

static void make_world(memory_store *store) {
  make_two(store);
  flip(store, NAME_7, 106 + 70);
  log_maker maker = make_segment(0, 1);
  make_session(&maker, 300000);
  make_batch(&maker, 40);
  make_stored(&maker, store);
  flip(store, "wal-00000000000000000001.seg", 300000);
  put_slot(store, SLOT_0, own(2, 3));
  put_slot(store, SLOT_1, own(3, 6));
}

static void case_world(void) {
  static const int codes[] = {EIO, EACCES, EINTR};
  memory_store store;
  verify_run run, whole;
  make_world(&store);
  verify_store(&whole, &store);
  CHECK_U64(whole.count, 2);
  for (uint32_t round = 0; round < 6; round++) {
    bool failed = true;
    for (uint64_t call = 1; failed; call++) {
      memory_store_reset(&store);
      if (round < 3) {
        store.fail_call = call;
        store.fail_errno = codes[round];
      } else {
        store.fail_request = call;
        store.fail_on = round == 5;
      }
      store.read_max = round % 3 ? 30000 : 0;
      verify_store(&run, &store);
      failed = (round < 3 ? store.calls : store.requests) >= call;
      bool named = run.err.status == (round < 3 ? TD_IO : TD_NO_MEMORY);
      /* A buffer that cannot shrink again stays large; nobody is hurt. */
      if (failed && round < 3) CHECK(named);
      if (!named) CHECK(run.err.status == TD_END);
      if (!failed) CHECK(run.err.status == TD_END && run.count == 2);
      for (uint32_t i = 0; i < run.count; i++) {
        CHECK(run.findings[i].verdict == TD_VERDICT_CORRUPT);
      }
    }
  }
  memory_store_deinit(&store);
}

void test_verify_rules(void) {
  test_case("verify", "checkpoints and marks name events", case_named);
  test_case("verify", "the clean flag", case_clean_flag);
  test_case("verify", "a run of lazy batches behind a mark", case_lazy_run);
  test_case("verify", "every bit and cut of a slot", case_slot_flips);
  test_case("verify", "slots of another place", case_slot_place);
  test_case("verify", "names that are no slots", case_slot_names);
  test_case("verify", "checkpoint.meta", case_meta);
  test_case("verify", "segments that were retired", case_retired);
  test_case("verify", "layouts and cuts", case_layouts);
  test_case("verify", "every call and request fails", case_world);
}
