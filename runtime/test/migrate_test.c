/* A directory goes from one layout to the next, and on after it was
 * interrupted anywhere.
 * Covers flow/migrate flow/migrate_lap flow/migrate_check io/wal_truncate
 * model/router_layout. */
#include <string.h>

#include "io/journal.h"
#include "io/wal_parts.h"
#include "test/layout_text.h"
#include "test/migrate_story.h"

/* --- cases ---------------------------------------------------------------- */

static void case_whole(void) {
  world_census count;
  story_fill();
  CHECK(story_open() == TD_OK);
  CHECK(story_run(true) == TD_OK);
  CHECK_U64(at.home.epoch, NEW);
  CHECK(world_append(2, 12345) == TD_OK);
  world_close();
  world_count(&at.disk, story_ids, ALL, story_owner, &count);
  CHECK(count.new && !count.old);
  CHECK(count.lost == 0 && count.doubled == 0);
  CHECK(!td_disk_find(&at.disk, "cuts-s00003"));
  CHECK_U64(story_plan.left[0], story_plan.start[0] + LATER / LOGS);
  CHECK(td_migrate_close(&story, NULL) == TD_OK);
  world_end();
}

/* Logs that nobody has open are opened, and new ones made. */
static void case_alone(void) {
  world_census count;
  story_fill();
  CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
  CHECK(story_run(false) == TD_OK);
  CHECK(!at.home.logs);
  td_wal_home_close(&at.home);
  world_count(&at.disk, story_ids, EVENTS, story_owner, &count);
  CHECK(count.new && count.lost == 0 && count.doubled == 0);
  world_end();
}

static void case_refused(void) {
  td_migrate_options options = {.region = {2}};
  story_fill();
  CHECK(story_open() == TD_OK);
  CHECK(td_migrate_open(&story, &at.home, world_layout(OLD, "hash", NULL),
                        &options, NULL) == TD_EPOCH);
  CHECK(story_begin() == TD_OK);
  story_log(0)->upto.value = story_plan.start[0] + 1;
  CHECK(td_migrate_lap(&story, &at.err) == TD_AHEAD);
  CHECK_U64(at.err.bound, story_plan.start[0]);
  CHECK(td_migrate_check(&story, (td_shard_id){9}, (td_seqno){0}, NULL)
        == TD_OUT_OF_RANGE);
  CHECK(!td_migrate_find(&story, (td_shard_id){9}));
  td_wal_options again = td_wal_options_init((td_log_id){{2}, {0}});
  td_wal_log twice;
  CHECK(td_wal_log_open(&twice, &at.home, &again, NULL) == TD_LOCKED);
  CHECK(story_lap() == TD_OK);
  /* A log is closed by whoever had it: it is opened here. */
  CHECK(td_wal_log_close(&at.logs[1], false, NULL) == TD_OK);
  CHECK(story_lap() == TD_OK);
  CHECK(story_log(1)->last.value > 0);
  CHECK(td_migrate_close(&story, NULL) == TD_OK);
  world_close();
  /* A second one must not believe what the first one left. */
  memset(&story_plan, 0, sizeof story_plan);
  CHECK(story_open() == TD_OK);
  CHECK(story_begin() == TD_OK);
  CHECK(story_lap() == TD_DEAD);
  CHECK(at.err.file[0] != 0 && at.err.offset != TD_NO_OFFSET);
  CHECK(td_migrate_close(&story, NULL) == TD_OK);
  td_wal_dir dir = {.env = at.env, .dir = at.home.dir, .borrowed = true};
  CHECK(td_wal_cut_log(&dir, (td_log_id){{2}, {1}}, (td_cut){{3}, NEW}, NULL)
        == TD_OK);
  memset(&story_plan, 0, sizeof story_plan);
  CHECK(story_begin() == TD_DEAD);
  CHECK_TEXT(at.err.file, "cuts-s00001");
  world_close();
  world_end();
}

/* An event of the next epoch that lies in the wrong log. */
static void case_misplaced(void) {
  td_record record = {{UINT64_MAX}, 1, 1.0f, 7};
  uint8_t bytes[TD_RECORD_BYTES];
  td_migrate_sum sum;
  story_fill();
  CHECK(story_open() == TD_OK);
  CHECK(story_begin() == TD_OK);
  td_record_encode(&record, bytes);
  td_wal_moved part = {&at.logs[2], {bytes, sizeof bytes}, {0}};
  CHECK(td_wal_append_moved(&part, 1, false, NULL) == TD_OK);
  CHECK(td_wal_sync_all(&at.home, false, NULL) == TD_OK);
  CHECK(story_arrived(1, &sum) == TD_OK);
  CHECK_U64(sum.count, 0);
  CHECK(story_arrived(2, &sum) == TD_MOVED);
  CHECK_U64(at.err.got, UINT64_MAX);
  CHECK_U64(at.err.bound, 1);
  CHECK(td_migrate_close(&story, NULL) == TD_OK);
  world_close();
  world_end();
}

/* What goes and what arrives has the same sum; another event, another sum. */
static void case_sums(void) {
  td_migrate_sum sums[2][LOGS] = {{{0, {0, 0}}}};
  story_fill();
  CHECK(story_open() == TD_OK);
  CHECK(story_begin() == TD_OK);
  CHECK(story_lap() == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) {
    td_migrate_sum found, moved = story_log(s)->moved;
    CHECK(story_arrived(s, &found) == TD_OK);
    CHECK_U64(found.count, moved.count);
    CHECK_U64(found.hash.low, moved.hash.low);
    CHECK_U64(found.hash.high, moved.hash.high);
    sums[0][s] = moved;
    uint64_t low = 0, high = 0;
    for (uint32_t i = 0; i < EVENTS; i++) {
      if (i % LOGS == s || story_owner(story_ids[i]) != s) continue;
      uint8_t bytes[TD_RECORD_BYTES];
      td_record record = {{story_ids[i]}, 1, 1.0f, 7};
      td_record_encode(&record, bytes);
      td_hash128 hash = td_hash128_of((td_span){bytes, sizeof bytes});
      low += hash.low;
      high += hash.high + (low < hash.low);
    }
    CHECK_U64(moved.hash.low, low);
    CHECK_U64(moved.hash.high, high);
  }
  /* What the lap wrote itself is not for the next one. */
  CHECK(td_migrate_look(&story, NULL) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) {
    CHECK_U64(story_log(s)->next.value, story_log(s)->last.value);
  }
  CHECK(sums[0][1].count > 0 && sums[0][2].count > 0);
  CHECK(sums[0][1].hash.low != sums[0][2].hash.low);
  CHECK(td_migrate_close(&story, NULL) == TD_OK);
  world_close();
  world_end();
}

/* A border in the middle of a batch: each event is in one lap. */
static void case_border(void) {
  td_record records[6];
  story_fill();
  CHECK(story_open() == TD_OK);
  for (uint32_t i = 0; i < 6; i++) {
    records[i] = (td_record){{world_id(0, UINT64_MAX - 9999u * i)}, 1, 1, 7};
  }
  CHECK(td_wal_log_append(&at.logs[0], records, 6, NULL, NULL) == TD_OK);
  CHECK(story_begin() == TD_OK);
  uint64_t last = story_plan.start[0], all[2] = {0, 0};
  for (uint32_t i = 0; i < 2; i++) {
    story_log(0)->after.value = i ? last - 4 : 0;
    story_log(0)->upto.value = i ? last : last - 4;
    CHECK(story_walk() == TD_OK);
    all[i] = story_log(1)->moved.count + story_log(2)->moved.count;
  }
  CHECK_U64(all[1], 4);
  CHECK_U64(all[0] + all[1], last);
  CHECK_U64(story_log(0)->left, last);
  CHECK(td_migrate_close(&story, NULL) == TD_OK);
  world_close();
  world_end();
}

/* A log whose first segment may go, but the last; returns through where. */
static td_seqno fill_to_truncate(void) {
  story_fill();
  CHECK(story_open() == TD_OK);
  td_wal_progress progress = {.seqno = td_wal_log_durable(&at.logs[0])};
  for (uint32_t i = 0; i < 2; i++) {
    CHECK(td_wal_log_checkpoint(&at.logs[0], &progress, NULL) == TD_OK);
  }
  return progress.seqno;
}

/* While a layout is prepared no segment goes: a lap may still want it. */
static void case_truncate(void) {
  uint32_t removed;
  td_seqno upto = fill_to_truncate();
  CHECK(story_begin() == TD_OK);
  CHECK(td_wal_log_truncate(&at.logs[0], upto, &removed, NULL) == TD_OK);
  CHECK(removed == 0);
  CHECK(story_lap() == TD_OK);
  CHECK(td_migrate_close(&story, NULL) == TD_OK);
  CHECK(td_wal_log_truncate(&at.logs[0], upto, &removed, NULL) == TD_OK);
  CHECK(removed > 0);
  world_close();
  world_end();
}

static void note(uint32_t epoch, const char *line) {
  char name[TD_JOURNAL_NAME_MAX];
  td_journal journal;
  td_journal_name(epoch, name);
  CHECK(td_journal_open(&journal, &at.env, "", name, TD_JOURNAL_CREATE, NULL,
                        NULL, NULL) == TD_OK);
  td_span text = {(const uint8_t *)line, strlen(line)};
  if (text.size > 0) CHECK(td_journal_append(&journal, text, NULL) == TD_OK);
  td_journal_close(&journal);
}

/* Nor once a migration was left, until it is over: whoever goes on may want
 * them. */
static void case_truncate_left(void) {
  uint32_t removed;
  td_seqno upto = fill_to_truncate();
  td_wal_log *log = &at.logs[0];
  note(OLD, "published is of this epoch");
  note(OLD + 1, "given up once");
  note(OLD + 1, "{\"step\":\"aborted\"}");
  note(NEW, "");
  note(NEW + 1, "begun");
  CHECK(td_wal_log_truncate(log, upto, &removed, NULL) == TD_OK);
  CHECK(removed == 0);
  td_span torn = {(const uint8_t *)"0\n0123456789abcdef x\n", 21};
  CHECK(td_disk_put(&at.disk, "migration-0000000009.journal", torn));
  CHECK(td_wal_log_truncate(log, upto, &removed, NULL) == TD_OK);
  CHECK(removed == 0);
  CHECK(td_wal_log_retire(log, upto, &removed, NULL) == TD_OK);
  CHECK(removed == 0);
  note(NEW + 1, "{\"step\":\"aborted\"}");
  CHECK(td_wal_log_truncate(log, upto, &removed, NULL) == TD_OK);
  CHECK(removed > 0);
  world_close();
  world_end();
}

/* --- interruptions -------------------------------------------------------- */

/* After the first failure: from the disk and the story_plan to the end. */
static void go_on(void) {
  world_census count;
  world_count(&at.disk, story_ids, EVENTS, story_owner, &count);
  CHECK(count.lost == 0 && count.doubled == 0);
  CHECK(count.old || count.new);
  if (!count.new) {
    CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
    CHECK(story_run(false) == TD_OK);
    td_wal_home_close(&at.home);
  }
  world_count(&at.disk, story_ids, EVENTS, story_owner, &count);
  CHECK(count.new && count.lost == 0 && count.doubled == 0);
}

static void case_crash(void) {
  td_prng prng = {test_seed()};
  uint64_t call = 0, states = 0;
  for (bool done = false; !done;) {
    story_fill();
    at.disk.faults.last_call = at.disk.counts.calls + ++call;
    done = world_open(world_layout(OLD, "hash", NULL)) == TD_OK;
    if (done) done = story_run(false) == TD_OK;
    td_wal_home_close(&at.home);
    at.disk.faults = (td_disk_faults){.last_call = 0};
    struct story_plan before = story_plan;
    for (uint32_t way = 0; way < 3; way++, states++) {
      td_disk after, whole = at.disk;
      story_plan = before;
      td_disk_crash(&whole, 0, &prng, &after);
      at.disk = after;
      world_attach();
      go_on();
      td_disk_deinit(&at.disk);
      at.disk = whole;
    }
    world_attach();
    world_end();
  }
  CHECK(call > 100);
  printf("# %llu calls, %llu crash states\n", (unsigned long long)call,
         (unsigned long long)states);
}

/* The first steps of a lap: moved events wait in memory, and some that were
 * written are not on disk. */
static void walk_some(void) {
  for (uint32_t s = 0; s < LOGS; s++) {
    story_plan.lap[s] = story_log(s)->last.value;
    story_log(s)->upto = story_log(s)->last;
  }
  story_plan.in_lap = true;
  CHECK(td_migrate_lap(&story, NULL) == TD_OK);
  for (uint32_t i = 0; i < 9; i++) {
    CHECK(td_migrate_step(&story, 40, NULL) == TD_OK);
  }
}

/* Who opens a log that the migration opened for itself gets it, in the middle
 * of a lap; and every call of that fails once. */
static void case_lent(void) {
  bool reached = true;
  uint32_t lost = 0;
  for (uint64_t call = 0; reached; call++) {
    story_fill();
    CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
    CHECK(story_begin() == TD_OK);
    walk_some();
    uint64_t fail = at.disk.counts.calls + call;
    at.disk.faults = (td_disk_faults){.fail_call = call ? fail : 0,
                                      .fail_sys = TD_SYS_IO};
    td_status status = world_open_log(1);
    reached = call == 0 || at.disk.counts.calls >= fail;
    at.disk.faults = (td_disk_faults){.fail_call = 0};
    CHECK(reached == (status != TD_OK) || call == 0);
    if (status == TD_OK) {
      CHECK(world_append(1, story_ids[EVENTS + 1]) == TD_OK);
    }
    td_status lap = story_lap();
    lost += lap == TD_IO;
    CHECK(lap == TD_OK || (lap == TD_IO && status != TD_OK));
    if (lap == TD_OK) {
      CHECK(td_migrate_hold(&story, NULL) == TD_OK);
      CHECK(world_open_log(0) == TD_LOCKED);
    }
    td_migrate_close(&story, NULL);
    world_close();
    go_on();
    world_end();
  }
  CHECK(lost > 0);
}

/* A log of the old layout and of both, that began meanwhile and are closed. */
static void case_new(void) {
  td_migrate m;
  td_migrate_options options = {.region = {2}};
  char text[512];
  size_t size = layout_text(text, sizeof text, NEW, "hash", 2, NULL);
  world_begin();
  CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
  CHECK(td_migrate_open(&m, &at.home, (td_span){(uint8_t *)text, size},
                        &options, NULL) == TD_OK);
  for (uint32_t s = 1; s < LOGS; s++) {
    CHECK(world_open_log(s) == TD_OK);
    CHECK(world_append(s, world_id(s, 1000)) == TD_OK);
    CHECK(td_wal_log_close(&at.logs[s], true, NULL) == TD_OK);
  }
  CHECK(td_migrate_look(&m, NULL) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) {
    const td_migrate_log *log = td_migrate_find(&m, (td_shard_id){(uint16_t)s});
    CHECK(log != NULL && log->there == (s > 0));
    CHECK(log != NULL && log->last.value == (s > 0) && log->start.value == 0);
  }
  td_migrate_close(&m, NULL);
  world_close();
  world_end();
}

/* Every call fails once; then again, in the same process. */
static void case_errors(void) {
  static const int32_t errors[] = {TD_SYS_IO, TD_SYS_NOSPC};
  for (uint32_t e = 0; e < 2; e++) {
    uint64_t call = 0;
    for (bool reached = true; reached;) {
      story_fill();
      CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
      uint64_t fail = at.disk.counts.calls + ++call;
      at.disk.faults = (td_disk_faults){.fail_call = fail,
                                        .fail_sys = errors[e]};
      td_status status = story_run(false);
      reached = at.disk.counts.calls >= fail;
      CHECK(reached || status == TD_OK);
      at.disk.faults = (td_disk_faults){.fail_call = 0};
      td_wal_home_close(&at.home);
      go_on();
      world_end();
    }
    CHECK(call > 100);
  }
}

static void case_memory(void) {
  bool reached = true;
  for (uint64_t request = 1; reached; request++) {
    story_fill();
    CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
    at.requests = 0;
    at.fail_request = request;
    td_status status = story_run(false);
    reached = at.requests >= request;
    at.fail_request = 0;
    CHECK(status == TD_OK || status == TD_NO_MEMORY);
    td_wal_home_close(&at.home);
    go_on();
    world_end();
  }
}

void test_migrate(void) {
  test_case("migrate", "to the next layout, beside a writer", case_whole);
  test_case("migrate", "logs that nobody has open", case_alone);
  test_case("migrate", "what is refused", case_refused);
  test_case("migrate", "an event in the wrong log", case_misplaced);
  test_case("migrate", "sums", case_sums);
  test_case("migrate", "a border within a batch", case_border);
  test_case("migrate", "nothing is truncated meanwhile", case_truncate);
  test_case("migrate", "nor when one was left", case_truncate_left);
  test_case("migrate", "a power failure behind every call", case_crash);
  test_case("migrate", "a log is handed over to a writer", case_lent);
  test_case("migrate", "logs that begin meanwhile", case_new);
  test_case("migrate", "every call fails", case_errors);
  test_case("migrate", "every request for memory fails", case_memory);
}
