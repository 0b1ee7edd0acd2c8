/* Segments without a live event leave their log.
 * Covers flow/retire io/wal_log. */
#include "flow/retire.h"
#include "test/migrate_story.h"

/* What no event counts in any more goes to retired/, from the front of a log;
 * the log stays one. */
static void case_retire(void) {
  world_census count;
  td_retire retire;
  story_fill();
  CHECK(story_open() == TD_OK);
  CHECK(story_run(false) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) {
    CHECK(td_retire_open(&retire, &at.logs[s], &at.err) == TD_OK);
    td_status status = TD_OK;
    while (status == TD_OK) status = td_retire_step(&retire, 100, &at.err);
    CHECK(status == TD_END);
    CHECK(td_retire_apply(&retire, &at.err) == TD_OK);
    /* Log 0 lost all, the others have live events in their first segment. */
    CHECK(s == 0 ? retire.segments > 0 : retire.segments <= 1);
    td_retire_close(&retire);
    td_retire_close(&retire);
  }
  world_close();
  CHECK(td_disk_find(&at.disk, "retired/wal-00000000000000000001.seg"));
  CHECK(!td_disk_find(&at.disk, "wal-00000000000000000001.seg"));
  world_count(&at.disk, story_ids, EVENTS, story_owner, &count);
  CHECK(count.new && count.lost == 0 && count.doubled == 0);
  CHECK(world_open(story_layout()) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) CHECK(world_open_log(s) == TD_OK);
  CHECK(world_append(2, 12345) == TD_OK);
  world_close();
  world_end();
}

/* Before anything moved nothing is dead. */
static void case_retire_nothing(void) {
  td_retire retire;
  story_fill();
  CHECK(story_open() == TD_OK);
  CHECK(td_retire_open(&retire, &at.logs[0], &at.err) == TD_OK);
  CHECK(td_retire_step(&retire, 1, &at.err) == TD_END);
  CHECK(retire.segments == 0);
  CHECK(td_retire_apply(&retire, &at.err) == TD_OK);
  td_retire_close(&retire);
  CHECK(!td_disk_find(&at.disk, "retired/wal-00000000000000000001.seg"));
  world_close();
  world_end();
}

/* A power failure behind every call of retiring: nothing that counts is lost,
 * and the log opens. */
static void case_retire_crash(void) {
  td_prng prng = {test_seed()};
  bool done = false;
  for (uint64_t call = 1; !done; call++) {
    td_retire retire;
    story_fill();
    CHECK(story_open() == TD_OK);
    CHECK(story_run(false) == TD_OK);
    at.disk.faults.last_call = at.disk.counts.calls + call;
    td_status status = td_retire_open(&retire, &at.logs[0], &at.err);
    if (status == TD_OK) {
      while (status == TD_OK) status = td_retire_step(&retire, 100, NULL);
      done = status == TD_END && td_retire_apply(&retire, NULL) == TD_OK;
      td_retire_close(&retire);
    }
    world_close();
    at.disk.faults = (td_disk_faults){.last_call = 0};
    for (uint32_t way = 0; way < 4; way++) {
      world_census count;
      td_disk after, whole = at.disk;
      td_disk_crash(&whole, 0, &prng, &after);
      at.disk = after;
      world_attach();
      world_count(&at.disk, story_ids, EVENTS, story_owner, &count);
      CHECK(count.new && count.lost == 0 && count.doubled == 0);
      CHECK(world_open(story_layout()) == TD_OK);
      CHECK(world_open_log(0) == TD_OK);
      CHECK(td_wal_log_close(&at.logs[0], true, NULL) == TD_OK);
      td_wal_home_close(&at.home);
      td_disk_deinit(&at.disk);
      at.disk = whole;
    }
    world_attach();
    world_end();
  }
}

void test_retire(void) {
  test_case("retire", "dead segments are retired", case_retire);
  test_case("retire", "live ones are not", case_retire_nothing);
  test_case("retire", "a power failure while retiring", case_retire_crash);
}
