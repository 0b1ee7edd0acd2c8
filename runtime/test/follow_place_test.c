/* A follower over files that stand still: where it starts and stops, and what
 * it refuses. Covers io/wal_follow. */
#include "test/test.h"

#include <errno.h>
#include <string.h>

#include "test/follow_stage.h"

/* --- where it starts and stops ------------------------------------------ */

/* Every number to start from, every number to stop at. */
static void run_numbers(uint64_t first) {
  stage_make(first, false);
  uint64_t events = stage.firsts[STAGE_BATCHES] - first;
  for (uint64_t from = 0; from <= events; from++) {
    uint32_t at = 0;
    if (first + from == 0) continue;  /* behind 2^64-1 */
    while (at < STAGE_BATCHES && stage.firsts[at + 1] - first <= from) at++;
    for (uint64_t stop = 0; stop < events; stop++) {
      td_wal_follow *follow = stage_open(first + from);
      uint32_t end = at;
      while (end < STAGE_BATCHES
             && stage.firsts[end + 1] - 1 - first <= stop) end++;
      stage_check_end(follow, 0, at, at);
      stage_check_end(follow, first + stop, at, end);
      stage_check_end(follow, first, end, end);
      stage_check_end(follow, stage_last(), end, STAGE_BATCHES);
      stage_close(follow);
    }
  }
  memory_store_deinit(&stage.store);
}

static void case_numbers(void) {
  run_numbers(1);
  run_numbers(UINT64_C(0x7ffffffffffffff8));
  stage_make(1, false);
  uint64_t events = stage_last();
  memory_store_deinit(&stage.store);
  run_numbers(UINT64_MAX - events + 1);  /* the last number is 2^64-1 */
}

/* 0 is where the log begins, 1 is the number 1. */
static void case_beginnings(void) {
  td_error err;
  uint32_t at = 0;
  stage_make(5, false);
  td_wal_follow *follow = stage_open(0);
  stage_check_end(follow, stage_last(), 0, STAGE_BATCHES);
  stage_close(follow);
  for (uint64_t from = 1; from < 5; from++) {
    follow = stage_open(from);
    CHECK(stage_read(follow, stage_last(), &at, &err) == TD_MISSING);
    CHECK_TEXT(err.file, "wal-s00007-00000000000000000005.seg");
    CHECK_U64(err.got, 5);
    CHECK_U64(err.bound, from - 1);
    CHECK_U64(err.offset, 0);
    stage_close(follow);
  }
  memory_store_deinit(&stage.store);
}

static void case_empty(void) {
  td_error err;
  uint32_t at = 0;
  stage.log = (td_log_id){{9}, {7}};
  memory_store_init(&stage.store, 1);
  td_wal_follow *follow = stage_open(0);
  stage_check_end(follow, 0, 0, 0);
  stage_check_end(follow, 374, 0, 0);  /* v1 removes what it has used */
  stage_close(follow);
  follow = stage_open(1);
  stage_check_end(follow, 0, 0, 0);
  CHECK(stage_read(follow, 374, &at, &err) == TD_MISSING);
  CHECK_U64(err.got, 375);
  CHECK_U64(err.bound, 0);
  CHECK(stage_read(follow, UINT64_MAX, &at, &err) == TD_MISSING);
  CHECK_U64(err.got, UINT64_MAX);
  stage_close(follow);
  memory_store_deinit(&stage.store);
}

/* A number that the log never reached, and one in the middle of nothing. */
static void case_beyond(void) {
  td_error err;
  uint32_t at = 0;
  char name[TD_SEGNAME_TEXT_MAX];
  stage_make(1, false);
  td_wal_follow *follow = stage_open(1);
  td_segname_format(stage.names[2], name);
  for (uint32_t round = 0; round < 2; round++) {
    CHECK(stage_read(follow, UINT64_MAX, &at, &err) == TD_CORRUPT);
    CHECK_U64(at, STAGE_BATCHES);
    CHECK_TEXT(err.file, name);
    size_t size;
    stage_bytes(2, &size);
    CHECK_U64(err.offset, size - 100);
    CHECK_U64(err.got, stage_last());
    CHECK_U64(err.bound, UINT64_MAX);
  }
  stage_check_end(follow, stage_last(), at, STAGE_BATCHES);
  stage_close(follow);
  memory_store_deinit(&stage.store);
}

/* A segment without a batch does not follow itself. */
static void case_no_batch(void) {
  td_error err;
  uint32_t at = 0;
  log_maker maker = make_segment(7, 5);
  memory_store_init(&stage.store, 1);
  stage.log = (td_log_id){{0}, {7}};
  make_zeros(&maker, 256);
  make_stored(&maker, &stage.store);
  td_wal_follow *follow = stage_open(0);
  stage_check_end(follow, 4, 0, 0);
  for (uint32_t round = 0; round < 2; round++) {
    CHECK(stage_read(follow, 5, &at, &err) == TD_CORRUPT);
    CHECK_TEXT(err.file, "wal-s00007-00000000000000000005.seg");
    CHECK_U64(err.offset, 0);
    CHECK_U64(err.got, 4);
  }
  stage_close(follow);
  memory_store_deinit(&stage.store);
}

/* Whole batch number n, above what is durable, was read along; then it was
 * given up and another one written in its place. */
static void give_up(uint32_t n, uint32_t read_max) {
  td_wal_batch batch;
  uint8_t old[TD_BATCH_HEADER_BYTES];
  uint32_t at = 0;
  size_t size;
  stage_make(1, false);
  uint8_t *there = stage_bytes(0, &size) + stage.offsets[n];
  uint8_t *first = there + TD_BATCH_HEADER_BYTES;
  memcpy(old, there, sizeof old);
  CHECK(td_batch_decode((td_span){there, sizeof old}, &batch.head, NULL)
        == TD_OK);
  td_span payload = {first, batch.head.payload_len};
  *first ^= 1;
  CHECK(td_batch_seal(&batch.head, payload, there, NULL) == TD_OK);
  stage.store.read_max = read_max;
  td_wal_follow *follow = stage_open(1);
  for (uint32_t i = 0; i <= n; i++) {
    CHECK(stage_read(follow, stage.firsts[i] - 1, &at, NULL) == TD_END);
  }
  *first ^= 1;
  memcpy(there, old, sizeof old);
  CHECK(td_wal_follow_next(follow, (td_seqno){stage_last()}, &batch, NULL)
        == TD_OK);
  CHECK(memcmp(batch.payload.data, payload.data, payload.size) == 0);
  stage_check_end(follow, stage_last(), n + 1, STAGE_BATCHES);
  stage_close(follow);
  memory_store_deinit(&stage.store);
}

static void case_given_up(void) {
  for (uint32_t read_max = 0; read_max < 400; read_max += 57) {
    for (uint32_t n = 1; n < 3; n++) give_up(n, read_max);
  }
}

static void case_no_directory(void) {
  td_env env;
  td_error err;
  td_wal_follow follow;
  stage_make(1, false);
  env = memory_store_env(&stage.store);
  stage.store.fail_call = 1;
  CHECK(td_wal_follow_open(&follow, &env, "there/logs/", stage.log,
                           (td_seqno){1}, &err) == TD_IO);
  CHECK_TEXT(err.file, "logs");
  CHECK(err.sys == EIO);
  stage_close(&follow);
  memory_store_reset(&stage.store);
  td_dir *dir;
  CHECK(env.store->dir_open(env.store_ctx, "memory", &dir) == 0);
  CHECK(td_wal_follow_open_in(&follow, &env, dir, stage.log, (td_seqno){1},
                              NULL) == TD_OK);
  stage_check_end(&follow, stage_last(), 0, STAGE_BATCHES);
  td_wal_follow_close(&follow);
  CHECK(stage.store.dirs_open == 1);
  env.store->dir_close(env.store_ctx, dir);
  stage_close(&follow);
  memory_store_deinit(&stage.store);
}

/* --- what does not belong there ----------------------------------------- */

static void case_another_log(void) {
  td_error err;
  uint32_t at = 0;
  stage_make(1, false);
  stage.log.region.value = 8;
  td_wal_follow *follow = stage_open(1);
  CHECK(stage_read(follow, stage_last(), &at, &err) == TD_MISMATCH);
  CHECK_TEXT(err.subject ? err.subject : "", "region id");
  stage_close(follow);
  memory_store_deinit(&stage.store);
}

/* A whole batch with a number far above: it is no batch to wait for. */
static void case_misplaced(void) {
  td_error err;
  uint32_t at = 0;
  log_maker maker = make_segment(7, 1);
  stage.log = (td_log_id){{0}, {7}};
  memory_store_init(&stage.store, 1);
  make_batch(&maker, 1);
  maker.next_seq = 5000;
  make_batch(&maker, 1);
  stage.firsts[0] = 1;
  stage.offsets[0] = 0;
  stage.names[0] = maker.name;
  make_stored(&maker, &stage.store);
  td_wal_follow *follow = stage_open(1);
  CHECK(stage_read(follow, 1, &at, &err) == TD_END);
  CHECK(stage_read(follow, 2, &at, &err) == TD_SEQUENCE);
  CHECK_U64(err.got, 5000);
  stage_close(follow);
  memory_store_deinit(&stage.store);
}

void test_follow_places(void) {
  test_case("follow", "from any number to any number", case_numbers);
  test_case("follow", "where a log begins", case_beginnings);
  test_case("follow", "no log yet", case_empty);
  test_case("follow", "a number above the log's end", case_beyond);
  test_case("follow", "a segment without a batch", case_no_batch);
  test_case("follow", "a batch that is given up and replaced", case_given_up);
  test_case("follow", "directories", case_no_directory);
  test_case("follow", "another region's log", case_another_log);
  test_case("follow", "a batch with a number far above", case_misplaced);
}
