/* A follower over files that stand still: where it starts, what it refuses,
 * every fault of the world. Covers io/wal_follow. */
#include "test/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "io/wal_follow.h"
#include "test/follow_test.h"
#include "test/log_maker.h"

#define BATCHES 8u

/* A log of three segments and what is in it. */
typedef struct fixture {
  memory_store store;
  td_log_id log;
  uint64_t firsts[BATCHES + 1];  /* the last one is behind the end */
  uint32_t segments[BATCHES];    /* where each batch lies */
  size_t offsets[BATCHES];
  td_segname names[3];
} fixture;

static fixture stage;

/* `large`: one batch is larger than a buffer. */
static void make_stage(uint64_t first, bool large) {
  log_maker maker = make_segment(7, first);
  uint32_t n = 0;
  memory_store_init(&stage.store, test_seed());
  stage.log = (td_log_id){{9}, {7}};
  maker.region.value = 9;
  for (uint32_t s = 0; s < 3; s++) {
    stage.names[s] = maker.name;
    for (uint32_t b = 0; b < (s < 2 ? 3u : 2u); b++) {
      stage.firsts[n] = maker.next_seq;
      stage.segments[n] = s;
      stage.offsets[n] = maker.size;
      n++;
      if (large && s == 1 && b == 1) make_session(&maker, 300000);
      else make_batch(&maker, 1 + (s + b) % 3);
    }
    if (s != 1) make_zeros(&maker, 100);
    make_stored(&maker, &stage.store);
  }
  stage.firsts[n] = maker.next_seq;
  CHECK(n == BATCHES);
}

static uint64_t end_of_log(void) { return stage.firsts[BATCHES] - 1; }

static td_wal_follow *open_stage(uint64_t from) {
  static td_wal_follow follow;
  td_env env = memory_store_env(&stage.store);
  CHECK(td_wal_follow_open(&follow, &env, "memory", stage.log,
                           (td_seqno){from}, NULL) == TD_OK);
  return &follow;
}

static void close_stage(td_wal_follow *follow) {
  td_wal_follow_close(follow);
  td_wal_follow_close(follow);
  CHECK(stage.store.dirs_open == 0 && stage.store.files_open == 0);
  CHECK(stage.store.blocks_held == 0);
}

/* Reads batches number *at and up through `durable`. */
static td_status read_on(td_wal_follow *follow, uint64_t durable,
                         uint32_t *at, td_error *err) {
  td_wal_batch batch, before;
  td_status status;
  memset(&batch, 0x5a, sizeof batch);
  memcpy(&before, &batch, sizeof batch);
  while ((status = td_wal_follow_next(follow, (td_seqno){durable}, &batch,
                                      err)) == TD_OK) {
    CHECK(*at < BATCHES);
    if (*at == BATCHES) return TD_OK;
    td_segname name = td_wal_follow_segment(follow);
    CHECK_U64(batch.head.first_seq.value, stage.firsts[*at]);
    CHECK_U64(batch.offset, stage.offsets[*at]);
    CHECK(td_segname_cmp(name, stage.names[stage.segments[*at]]) == 0);
    CHECK(td_batch_last_seq(&batch.head).value <= durable);
    memcpy(&before, &batch, sizeof batch);
    ++*at;
  }
  CHECK(memcmp(&batch, &before, sizeof batch) == 0);
  return status;
}

static uint8_t *bytes_of(uint32_t segment, size_t *size) {
  char name[TD_SEGNAME_TEXT_MAX];
  td_segname_format(stage.names[segment], name);
  memory_file *file = memory_store_find(&stage.store, name);
  td_assert(file);
  *size = file->size;
  return file->bytes;
}

static void check_end(td_wal_follow *follow, uint64_t durable, uint32_t at,
                      uint32_t want) {
  td_error err;
  CHECK(read_on(follow, durable, &at, &err) == TD_END);
  CHECK(err.status == TD_END);
  CHECK_U64(at, want);
}

/* --- where it starts and stops ---------------------------------------------- */

/* Every number to start from, every number to stop at. */
static void run_numbers(uint64_t first) {
  make_stage(first, false);
  uint64_t events = stage.firsts[BATCHES] - first;
  for (uint64_t from = 0; from <= events; from++) {
    uint32_t at = 0;
    if (first + from == 0) continue;  /* behind 2^64-1 */
    while (at < BATCHES && stage.firsts[at + 1] - first <= from) at++;
    for (uint64_t stop = 0; stop < events; stop++) {
      td_wal_follow *follow = open_stage(first + from);
      uint32_t end = at;
      while (end < BATCHES && stage.firsts[end + 1] - 1 - first <= stop) end++;
      check_end(follow, 0, at, at);
      check_end(follow, first + stop, at, end);
      check_end(follow, first, end, end);
      check_end(follow, end_of_log(), end, BATCHES);
      close_stage(follow);
    }
  }
  memory_store_deinit(&stage.store);
}

static void case_numbers(void) {
  run_numbers(1);
  run_numbers(UINT64_C(0x7ffffffffffffff8));
  make_stage(1, false);
  uint64_t events = end_of_log();
  memory_store_deinit(&stage.store);
  run_numbers(UINT64_MAX - events + 1);  /* the last number is 2^64-1 */
}

/* 0 is where the log begins, 1 is the number 1. */
static void case_beginnings(void) {
  td_error err;
  uint32_t at = 0;
  make_stage(5, false);
  td_wal_follow *follow = open_stage(0);
  check_end(follow, end_of_log(), 0, BATCHES);
  close_stage(follow);
  for (uint64_t from = 1; from < 5; from++) {
    follow = open_stage(from);
    CHECK(read_on(follow, end_of_log(), &at, &err) == TD_MISSING);
    CHECK_TEXT(err.file, "wal-s00007-00000000000000000005.seg");
    CHECK_U64(err.got, 5);
    CHECK_U64(err.bound, from - 1);
    CHECK_U64(err.offset, 0);
    close_stage(follow);
  }
  memory_store_deinit(&stage.store);
}

static void case_empty(void) {
  td_error err;
  uint32_t at = 0;
  stage.log = (td_log_id){{9}, {7}};
  memory_store_init(&stage.store, 1);
  td_wal_follow *follow = open_stage(0);
  check_end(follow, 0, 0, 0);
  check_end(follow, 374, 0, 0);  /* v1 removes what it has used */
  close_stage(follow);
  follow = open_stage(1);
  check_end(follow, 0, 0, 0);
  CHECK(read_on(follow, 374, &at, &err) == TD_MISSING);
  CHECK_U64(err.got, 375);
  CHECK_U64(err.bound, 0);
  CHECK(read_on(follow, UINT64_MAX, &at, &err) == TD_MISSING);
  CHECK_U64(err.got, UINT64_MAX);
  close_stage(follow);
  memory_store_deinit(&stage.store);
}

/* A number that the log never reached, and one in the middle of nothing. */
static void case_beyond(void) {
  td_error err;
  uint32_t at = 0;
  char name[TD_SEGNAME_TEXT_MAX];
  make_stage(1, false);
  td_wal_follow *follow = open_stage(1);
  td_segname_format(stage.names[2], name);
  for (uint32_t round = 0; round < 2; round++) {
    CHECK(read_on(follow, UINT64_MAX, &at, &err) == TD_CORRUPT);
    CHECK_U64(at, BATCHES);
    CHECK_TEXT(err.file, name);
    size_t size;
    bytes_of(2, &size);
    CHECK_U64(err.offset, size - 100);
    CHECK_U64(err.got, end_of_log());
    CHECK_U64(err.bound, UINT64_MAX);
  }
  check_end(follow, end_of_log(), at, BATCHES);
  close_stage(follow);
  memory_store_deinit(&stage.store);
}

static void case_no_directory(void) {
  td_env env;
  td_error err;
  td_wal_follow follow;
  make_stage(1, false);
  env = memory_store_env(&stage.store);
  stage.store.fail_call = 1;
  CHECK(td_wal_follow_open(&follow, &env, "there/logs/", stage.log,
                           (td_seqno){1}, &err) == TD_IO);
  CHECK_TEXT(err.file, "logs");
  CHECK(err.sys == EIO);
  close_stage(&follow);
  memory_store_reset(&stage.store);
  td_dir *dir;
  CHECK(env.store->dir_open(env.store_ctx, "memory", &dir) == 0);
  CHECK(td_wal_follow_open_in(&follow, &env, dir, stage.log, (td_seqno){1},
                              NULL) == TD_OK);
  check_end(&follow, end_of_log(), 0, BATCHES);
  td_wal_follow_close(&follow);
  CHECK(stage.store.dirs_open == 1);
  env.store->dir_close(env.store_ctx, dir);
  close_stage(&follow);
  memory_store_deinit(&stage.store);
}

/* --- what does not belong there ----------------------------------------------- */

static void case_another_log(void) {
  td_error err;
  uint32_t at = 0;
  make_stage(1, false);
  stage.log.region.value = 8;
  td_wal_follow *follow = open_stage(1);
  CHECK(read_on(follow, end_of_log(), &at, &err) == TD_MISMATCH);
  CHECK_TEXT(err.subject, "region id");
  close_stage(follow);
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
  td_wal_follow *follow = open_stage(1);
  CHECK(read_on(follow, 1, &at, &err) == TD_END);
  CHECK(read_on(follow, 2, &at, &err) == TD_SEQUENCE);
  CHECK_U64(err.got, 5000);
  close_stage(follow);
  memory_store_deinit(&stage.store);
}

/* --- damage ------------------------------------------------------------------- */

/* One byte is wrong: what the cursor says, again and again; nothing of it is
 * seen below the damaged batch; repaired, the log goes on. */
static void damage(uint32_t segment, size_t byte) {
  log_walk walk;
  td_error err;
  uint32_t at = 0;
  size_t size;
  uint8_t *bytes = bytes_of(segment, &size);
  bytes[byte] ^= 0x40;
  walk_store(&walk, &stage.store, 7, 0);
  CHECK(walk.err.status != TD_END);
  td_wal_follow *follow = open_stage(stage.firsts[0]);
  bool tail = walk.batches == BATCHES;  /* zeros behind the last batch */
  uint64_t below = stage.firsts[walk.batches] - 1;
  CHECK(read_on(follow, below, &at, &err) == TD_END);
  CHECK_U64(at, walk.batches);
  for (uint32_t round = 0; round < 3 && !tail; round++) {
    uint64_t durable = round == 0 ? below + 1 : end_of_log();
    if (round == 0 && read_on(follow, durable, &at, &err) == TD_END) continue;
    CHECK(read_on(follow, end_of_log(), &at, &err) == walk.err.status);
    CHECK_U64(at, walk.batches);
    CHECK_TEXT(err.file, walk.err.file);
    CHECK_U64(err.offset, walk.err.offset);
    CHECK_U64(err.got, walk.err.got);
  }
  bytes[byte] ^= 0x40;
  CHECK(read_on(follow, end_of_log(), &at, &err) == TD_END);
  CHECK_U64(at, BATCHES);
  close_stage(follow);
}

static void case_damage(void) {
  make_stage(UINT64_MAX - 100, false);
  for (uint32_t s = 0; s < 3; s++) {
    size_t size;
    bytes_of(s, &size);
    for (size_t byte = 0; byte < size; byte++) damage(s, byte);
  }
  memory_store_deinit(&stage.store);
}

/* --- the world fails ------------------------------------------------------------ */

/* A follower asked in steps of one number; a failure, and it asks again. */
static uint32_t run_steps(td_status expected, int sys) {
  uint32_t failures = 0, at = 0;
  td_error err;
  td_wal_follow *follow = open_stage(stage.firsts[0]);
  for (uint64_t n = stage.firsts[0]; n <= end_of_log(); n++) {
    td_status status = read_on(follow, n, &at, &err);
    if (status != TD_END) {
      failures++;
      CHECK(status == expected && err.sys == sys);
      CHECK(err.file[0] || strcmp(err.subject, "listing the directory") == 0);
      if (stage.store.fail_on) {
        uint32_t before = at;
        CHECK(read_on(follow, n, &at, &err) == expected);
        CHECK(at == before);
        break;
      }
      CHECK(read_on(follow, n, &at, &err) == TD_END);
    }
  }
  CHECK(stage.store.fail_on || at == BATCHES);
  close_stage(follow);
  return failures;
}

/* Every call once: it is said, and asked again all goes on. */
static void case_calls_fail(void) {
  static const int codes[] = {EIO, EACCES, ENOENT, EMFILE, EINTR};
  make_stage(UINT64_MAX / 2 - 3, true);
  for (uint32_t round = 0; round < 5; round++) {
    stage.store.read_max = round * 20000;
    stage.store.fail_errno = codes[round];
    uint32_t unsaid = 0;
    bool failed = true;
    for (uint64_t call = 2; failed; call++) {
      memory_store_reset(&stage.store);
      stage.store.fail_call = call;
      uint32_t failures = run_steps(TD_IO, codes[round]);
      failed = stage.store.calls >= call;
      CHECK(failures <= 1);
      CHECK(failed || call > 15);
      unsaid += failed && failures == 0;
    }
    /* The store's lie that a segment is not there is seen through by looking
     * once more, at the log's last end. */
    CHECK(codes[round] == ENOENT || unsaid == 0);
  }
  memory_store_deinit(&stage.store);
}

static void case_memory_fails(void) {
  make_stage(1, true);
  for (uint32_t on = 0; on < 2; on++) {
    uint32_t said = 0;
    for (uint64_t request = 1; request <= 4; request++) {
      td_wal_follow follow;
      td_error err;
      td_env env = memory_store_env(&stage.store);
      memory_store_reset(&stage.store);
      stage.store.fail_request = request;
      stage.store.fail_on = on;
      if (request > 1) {
        said += run_steps(TD_NO_MEMORY, 0);
        continue;
      }
      CHECK(td_wal_follow_open(&follow, &env, "memory", stage.log,
                               (td_seqno){1}, &err) == TD_NO_MEMORY);
      close_stage(&follow);
    }
    CHECK_U64(said, 1);  /* a refused shrink costs nothing but memory */
  }
  memory_store_deinit(&stage.store);
}

void test_follow_faults(void) {
  test_case("follow", "from any number to any number", case_numbers);
  test_case("follow", "where a log begins", case_beginnings);
  test_case("follow", "no log yet", case_empty);
  test_case("follow", "a number above the log's end", case_beyond);
  test_case("follow", "directories", case_no_directory);
  test_case("follow", "another region's log", case_another_log);
  test_case("follow", "a batch with a number far above", case_misplaced);
  test_case("follow", "every byte wrong, and right again", case_damage);
  test_case("follow", "every call fails once", case_calls_fail);
  test_case("follow", "every request for memory fails", case_memory_fails);
}
