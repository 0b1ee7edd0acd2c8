/* What can happen to a follower: damage, every fault of the world, removed
 * segments. Covers io/wal_follow. */
#include "test/test.h"

#include <errno.h>
#include <string.h>

#include "test/follow_stage.h"

/* --- damage ------------------------------------------------------------- */

/* One byte is wrong: what the cursor says, again and again; nothing of it is
 * seen below the damaged batch; repaired, the log goes on. */
static void damage(uint32_t segment, size_t byte) {
  log_walk walk;
  td_error err;
  uint32_t at = 0;
  size_t size;
  uint8_t *bytes = stage_bytes(segment, &size);
  bytes[byte] ^= 0x40;
  walk_store(&walk, &stage.store, 7, 0);
  CHECK(walk.err.status != TD_END);
  td_wal_follow *follow = stage_open(stage.firsts[0]);
  bool tail = walk.batches == STAGE_BATCHES;  /* zeros behind the last batch */
  uint64_t below = stage.firsts[walk.batches] - 1;
  CHECK(stage_read(follow, below, &at, &err) == TD_END);
  CHECK_U64(at, walk.batches);
  for (uint32_t round = 0; round < 3 && !tail; round++) {
    uint64_t durable = round == 0 ? below + 1 : stage_last();
    td_status status = stage_read(follow, durable, &at, &err);
    if (round == 0 && status == TD_END) continue;
    CHECK(stage_read(follow, stage_last(), &at, &err) == walk.err.status);
    CHECK_U64(at, walk.batches);
    CHECK_TEXT(err.file, walk.err.file);
    CHECK_U64(err.offset, walk.err.offset);
    CHECK_U64(err.got, walk.err.got);
  }
  bytes[byte] ^= 0x40;
  CHECK(stage_read(follow, stage_last(), &at, &err) == TD_END);
  CHECK_U64(at, STAGE_BATCHES);
  stage_close(follow);
}

static void case_damage(void) {
  stage_make(UINT64_MAX - 100, false);
  for (uint32_t s = 0; s < 3; s++) {
    size_t size;
    stage_bytes(s, &size);
    for (size_t byte = 0; byte < size; byte++) damage(s, byte);
  }
  memory_store_deinit(&stage.store);
}

/* --- the world fails ---------------------------------------------------- */

/* A follower asked in steps of one number; a failure, and it asks again. */
static uint32_t run_steps(td_status expected, int sys) {
  uint32_t failures = 0, at = 0;
  td_error err;
  td_wal_follow *follow = stage_open(stage.firsts[0]);
  for (uint64_t n = stage.firsts[0]; n <= stage_last(); n++) {
    td_status status = stage_read(follow, n, &at, &err);
    if (status != TD_END) {
      failures++;
      CHECK(status == expected && err.sys == sys);
      CHECK(err.file[0] || strcmp(err.subject, "listing the directory") == 0);
      if (stage.store.fail_on) {
        uint32_t before = at;
        CHECK(stage_read(follow, n, &at, &err) == expected);
        CHECK(at == before);
        break;
      }
      CHECK(stage_read(follow, n, &at, &err) == TD_END);
    }
  }
  CHECK(stage.store.fail_on || at == STAGE_BATCHES);
  stage_close(follow);
  return failures;
}

/* Every call once: it is said, and asked again all goes on. */
static void case_calls_fail(void) {
  static const int codes[] = {EIO, EACCES, ENOENT, EMFILE, EINTR};
  stage_make(UINT64_MAX / 2 - 3, true);
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

/* Removed while the follower, after a failure, had no file open. */
static void case_removed(void) {
  for (uint32_t behind = 0; behind < 2; behind++) {
    td_error err;
    char name[TD_SEGNAME_TEXT_MAX];
    uint32_t at = 0;
    stage_make(1, false);
    td_wal_follow *follow = stage_open(1);
    uint64_t durable = stage.firsts[3 - behind] - 1;
    CHECK(stage_read(follow, durable, &at, &err) == TD_END);
    stage.store.fail_call = stage.store.calls + 1;
    CHECK(stage_read(follow, stage_last(), &at, &err) == TD_IO);
    td_segname_format(stage.names[0], name);
    stage.store.fail_call = stage.store.calls + 1;
    stage.store.fail_errno = ENOENT;  /* a lie: it is listed */
    if (behind) {
      CHECK(stage_read(follow, stage_last(), &at, &err) == TD_IO);
      CHECK(err.sys == ENOENT);
      CHECK_TEXT(err.file, name);
    }
    memory_store_find(&stage.store, name)->name[0] = '\0';
    td_status status = stage_read(follow, stage_last(), &at, &err);
    td_segname_format(stage.names[1], name);
    CHECK(status == (behind ? TD_MISSING : TD_END));
    if (behind) CHECK_TEXT(err.file, name);
    CHECK_U64(at, behind ? 2 : STAGE_BATCHES);
    stage_close(follow);
    memory_store_deinit(&stage.store);
  }
}

static void case_memory_fails(void) {
  stage_make(1, true);
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
      stage_close(&follow);
    }
    CHECK_U64(said, 1);  /* a refused shrink costs nothing but memory */
  }
  memory_store_deinit(&stage.store);
}

void test_follow_faults(void) {
  test_case("follow", "every byte wrong, and right again", case_damage);
  test_case("follow", "every call fails once", case_calls_fail);
  test_case("follow", "a segment is removed", case_removed);
  test_case("follow", "every request for memory fails", case_memory_fails);
}
