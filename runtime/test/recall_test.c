/* Events that come again behind a cut: the new owner knows them.
 * Covers io/wal_recall io/wal_sent io/wal_window io/wal_home. */
#include <string.h>

#include "test/layout_text.h"
#include "test/migrate_story.h"

#define WINDOW 4u
#define EACH (EVENTS / LOGS)  /* events of a log; event i of it is i*LOGS+s */

static td_status open_log(uint32_t shard, uint32_t window) {
  td_wal_options options = td_wal_options_init((td_log_id){
    {2}, {(uint16_t)shard}});
  options.group_delay_ns = 0;
  options.ahead_bytes = 512;
  options.segment_bytes = 700;
  options.window_events = window;
  return td_wal_log_open(&at.logs[shard], &at.home, &options, &at.err);
}

/* The logs that get events, s1 and s2, with windows; s0 is the migration's. */
static td_status open_owners(td_span layout, uint32_t window) {
  td_status status = world_open(layout);
  for (uint32_t s = 1; s < LOGS && status == TD_OK; s++) {
    status = open_log(s, window);
  }
  return status;
}

/* Whether a log knows an event of the story; whether its owner does. */
static bool known_by(uint32_t s, uint32_t event) {
  td_record record = {{story_ids[event]}, 1, 1.0f, 7};
  td_seqno number = {UINT64_MAX};
  td_status status = td_wal_log_append_each(&at.logs[s], &record, 1, &number,
                                            &at.err);
  CHECK_TEXT(td_status_code(status), "ok");
  return number.value == 0;
}

static bool known(uint32_t event) {
  return known_by(story_owner(story_ids[event]), event);
}

/* Event number `i` of the log from its end, 0 = the last one. */
static uint32_t from_end(uint32_t s, uint32_t i) {
  return (EACH - 1 - i) * LOGS + s;
}

/* The last events of all logs are known, those before are not. */
static void check_known(void) {
  for (uint32_t s = 0; s < LOGS; s++) {
    for (uint32_t i = 0; i < WINDOW; i++) CHECK(known(from_end(s, i)));
  }
  CHECK(!known(from_end(0, WINDOW)));
  CHECK(!known(from_end(0, EACH - 1)));
}

/* How many of those that are known were sent to other logs. */
static uint32_t inherited(uint32_t owner) {
  uint32_t count = 0;
  for (uint32_t s = 0; s < LOGS; s++) {
    for (uint32_t i = 0; i < WINDOW && s != owner; i++) {
      count += story_owner(story_ids[from_end(s, i)]) == owner;
    }
  }
  return count;
}

/* In the process that goes on. */
static void case_goes_on(void) {
  story_fill();
  CHECK(open_owners(world_layout(OLD, "hash", NULL), WINDOW) == TD_OK);
  CHECK(story_run(false) == TD_OK);
  check_known();
  world_close();
  world_end();
}

/* In one that comes later; and once more, when events came since. */
static void case_comes_later(void) {
  story_fill();
  CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
  CHECK(story_run(false) == TD_OK);
  td_wal_home_close(&at.home);
  CHECK(open_owners(story_layout(), WINDOW) == TD_OK);
  CHECK_U64(at.logs[1].window.size, WINDOW + inherited(1));
  CHECK_U64(at.logs[2].window.size, WINDOW + inherited(2));
  check_known();
  world_close();
  CHECK(open_owners(story_layout(), WINDOW) == TD_OK);
  CHECK(known(from_end(0, 0)) && known(from_end(0, WINDOW)));
  for (uint32_t i = 0; i < WINDOW; i++) {
    CHECK(world_append(1, UINT64_MAX - i) == TD_OK);
  }
  world_close();
  CHECK(open_owners(story_layout(), WINDOW) == TD_OK);
  CHECK_U64(at.logs[1].window.size, WINDOW);
  world_close();
  CHECK(open_owners(story_layout(), 1000) == TD_OK);
  for (uint32_t i = 0; i < EVENTS; i++) CHECK(known(i));
  world_close();
  world_end();
}

/* Everything goes to s2. */
static td_span layout_of_one(uint32_t epoch) {
  static char out[1024];
  size_t size = layout_text(out, sizeof out, epoch, "ranges", LOGS,
                            "[{\"shard\":2,\"first\":\"0x0\","
                            "\"last\":\"0xffffffffffffffff\"}]");
  return (td_span){(const uint8_t *)out, size};
}

/* Copies what is there, and holds the logs. */
static void copy_all(td_migrate *m, td_span layout) {
  td_migrate_options options = {.region = {2}};
  CHECK(td_migrate_open(m, &at.home, layout, &options, NULL) == TD_OK);
  for (uint32_t i = 0; i < m->count; i++) m->logs[i].upto = m->logs[i].last;
  td_status status = td_migrate_lap(m, &at.err);
  while (status == TD_OK) status = td_migrate_step(m, 100, &at.err);
  CHECK(status == TD_END && td_migrate_hold(m, NULL) == TD_OK);
}

/* How many calls it took to publish. */
static uint64_t go_to(td_span layout) {
  td_migrate m;
  copy_all(&m, layout);
  uint64_t before = at.disk.counts.calls;
  CHECK(td_migrate_publish(&m, layout, &at.err) == TD_OK);
  uint64_t calls = at.disk.counts.calls - before;
  td_migrate_let_go(&m);
  td_migrate_close(&m, NULL);
  return calls;
}

/* What a log had that got more than its window holds. */
static void case_target(void) {
  story_fill();
  CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
  go_to(layout_of_one(NEW));
  td_wal_home_close(&at.home);
  CHECK(world_open(layout_of_one(NEW)) == TD_OK);
  CHECK(open_log(2, WINDOW) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) CHECK(known_by(2, from_end(s, 0)));
  world_close();
  world_end();
}

/* One layout after the other: what was known stays known, whether the next
 * one adds much or little. */
static void case_twice(void) {
  story_fill();
  CHECK(open_owners(world_layout(OLD, "hash", NULL), WINDOW) == TD_OK);
  go_to(story_layout());
  CHECK(world_append(1, UINT64_MAX) == TD_OK);
  for (uint32_t epoch = NEW + 1; epoch < NEW + 4; epoch++) {
    go_to(layout_of_one(epoch));
    for (uint32_t s = 0; s < LOGS; s++) {
      for (uint32_t i = 0; i < WINDOW - 1; i++) {
        CHECK(known_by(2, from_end(s, i)));
      }
    }
  }
  CHECK(td_wal_window_count(&at.logs[2].window) <= LOGS * WINDOW + 1);
  world_close();
  world_end();
}

/* What a migration brought that is not published yet, or never, is not what
 * was sent: a process that dies while it copies forgets nothing. */
static void case_brought(void) {
  td_migrate m;
  story_fill();
  CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
  copy_all(&m, layout_of_one(NEW));
  CHECK(td_migrate_find(&m, (td_shard_id){2})->last.value == EACH);
  td_migrate_close(&m, NULL);
  td_wal_home_close(&at.home);
  CHECK(open_owners(world_layout(OLD, "hash", NULL), WINDOW) == TD_OK);
  CHECK(at.logs[2].last_seq.value > EACH + WINDOW);
  for (uint32_t i = 0; i < WINDOW; i++) CHECK(known_by(2, from_end(2, i)));
  world_close();
  world_end();
}

/* Whatever windows there are, a publication reads each log once: others wait
 * for it. */
static void case_once(void) {
  uint64_t calls[2];
  for (uint32_t more = 0; more < 2; more++) {
    story_fill();
    CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
    CHECK(open_log(1, WINDOW) == TD_OK);
    CHECK(open_log(2, more ? WINDOW : 0) == TD_OK);
    calls[more] = go_to(story_layout());
    world_close();
    world_end();
  }
  CHECK_U64(calls[1], calls[0]);
}

/* Another thread truncates a log between its listing and its reading: what is
 * gone is not known, and no more. */
static void case_gone_meanwhile(void) {
  uint32_t passed = 0;
  story_fill();
  CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
  CHECK(story_run(false) == TD_OK);
  td_wal_home_close(&at.home);
  bool reached = true;
  for (uint64_t i = 1; reached; i++) {
    CHECK(world_open(story_layout()) == TD_OK);
    at.disk.faults.fail_call = at.disk.counts.calls + i;
    at.disk.faults.fail_sys = TD_SYS_NOENT;
    td_status status = open_log(1, WINDOW);
    reached = at.disk.counts.calls >= at.disk.faults.fail_call;
    at.disk.faults = (td_disk_faults){.fail_call = 0};
    bool opening = status == TD_IO && strcmp(at.err.subject, "opening") == 0;
    bool segment = opening && strncmp(at.err.file, "cuts-", 5) != 0;
    CHECK(!segment || strstr(at.err.file, "s00001"));
    passed += status == TD_OK;
    world_close();
  }
  CHECK(passed > 2);
  world_end();
}

/* A log whose front is gone is recalled from where it begins. */
static void case_truncated(void) {
  uint32_t removed;
  story_fill();
  CHECK(open_owners(world_layout(OLD, "hash", NULL), 0) == TD_OK);
  CHECK(world_open_log(0) == TD_OK);
  td_wal_progress progress = {.seqno = td_wal_log_durable(&at.logs[0])};
  for (uint32_t i = 0; i < 2; i++) {
    CHECK(td_wal_log_checkpoint(&at.logs[0], &progress, NULL) == TD_OK);
  }
  CHECK(td_wal_log_truncate(&at.logs[0], (td_seqno){8}, &removed, NULL)
        == TD_OK && removed > 0);
  world_close();
  CHECK(open_owners(world_layout(OLD, "hash", NULL), 1000) == TD_OK);
  CHECK(story_run(false) == TD_OK);
  CHECK(known(from_end(0, 0)) && !known(from_end(0, EACH - 1)));
  world_close();
  CHECK(open_owners(story_layout(), 1000) == TD_OK);
  CHECK(known(from_end(0, 0)));
  world_close();
  world_end();
}

/* Flips a bit of a log's first event. */
static void flip_first(uint16_t shard) {
  char name[TD_SEGNAME_TEXT_MAX];
  uint8_t bytes[1024];
  td_segname_format((td_segname){{shard}, {1}}, name);
  const td_disk_bytes *file = td_disk_find(&at.disk, name);
  td_assert(file && file->size <= sizeof bytes);
  size_t size = file->size;
  memcpy(bytes, file->data, size);
  bytes[TD_BATCH_HEADER_BYTES] ^= 1;
  CHECK(td_disk_put(&at.disk, name, (td_span){bytes, size}));
}

/* A log that cannot be read leaves it unknown what came: no window opens. */
static void case_damaged(void) {
  story_fill();
  CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
  CHECK(story_run(false) == TD_OK);
  td_wal_home_close(&at.home);
  flip_first(0);
  CHECK(open_owners(story_layout(), EACH) == TD_PAYLOAD_HASH);
  char name[TD_SEGNAME_TEXT_MAX];
  td_segname_format((td_segname){{0}, {1}}, name);
  CHECK_TEXT(at.err.file, name);
  CHECK_U64(at.err.offset, 0);
  world_close();
  CHECK(open_owners(story_layout(), 0) == TD_OK);
  world_close();
  world_end();
}

/* Nothing is published where what came cannot be recalled. */
static void case_failures(void) {
  for (uint32_t memory = 0; memory < 2; memory++) {
    bool reached = true;
    uint32_t refused = 0;
    for (uint64_t i = 1; reached; i++) {
      world_census count;
      story_fill();
      CHECK(open_owners(world_layout(OLD, "hash", NULL), WINDOW) == TD_OK);
      uint64_t call = at.disk.counts.calls + i;
      at.requests = 0;
      if (memory) at.fail_request = i;
      else at.disk.faults.fail_call = call;
      at.disk.faults.fail_sys = TD_SYS_IO;
      td_status status = story_run(false);
      reached = memory ? at.requests >= i : at.disk.counts.calls >= call;
      at.fail_request = 0;
      at.disk.faults = (td_disk_faults){.fail_call = 0};
      if (status == TD_OK) check_known();
      else refused++;
      world_close();
      world_count(&at.disk, story_ids, EVENTS, story_owner, &count);
      CHECK(count.lost == 0 && (count.old || count.new));
      CHECK(status == TD_OK || count.doubled == 0);
      world_end();
    }
    CHECK(refused > 20);
  }
}

void test_recall(void) {
  test_case("recall", "in the process that goes on", case_goes_on);
  test_case("recall", "in a process that comes later", case_comes_later);
  test_case("recall", "a log that nothing left", case_target);
  test_case("recall", "one layout after the other", case_twice);
  test_case("recall", "moved events are not what was sent", case_brought);
  test_case("recall", "each log is read once", case_once);
  test_case("recall", "a log whose front goes meanwhile", case_gone_meanwhile);
  test_case("recall", "a log whose front is gone", case_truncated);
  test_case("recall", "a log that is damaged", case_damaged);
  test_case("recall", "failures", case_failures);
}
