/* A directory goes from one layout to the next, and on after it was
 * interrupted anywhere.
 * Covers flow/migrate flow/migrate_lap flow/migrate_check
 * model/router_layout. */
#include <string.h>

#include "flow/migrate.h"
#include "io/wal_parts.h"
#include "test/home_world.h"
#include "test/layout_text.h"

#define EVENTS 30u   /* before the migration, in all logs */
#define LATER 6u     /* written between its laps */
#define ALL (EVENTS + LATER)
#define OLD 7u
#define NEW 9u

static const char HALVES[] =
  "[{\"shard\":2,\"first\":\"0x0000000000000000\","
  "\"last\":\"0x7fffffffffffffff\"},"
  "{\"shard\":1,\"first\":\"0x8000000000000000\","
  "\"last\":\"0xffffffffffffffff\"}]";

static td_span next_layout(void) {
  static char out[1024];
  size_t size = layout_text(out, sizeof out, NEW, "ranges", LOGS, HALVES);
  return (td_span){(const uint8_t *)out, size};
}

static uint32_t next_owner(uint64_t entity) {
  return entity >> 63 ? 1 : 2;
}

/* All different, from both halves; event i belongs to log i % LOGS. */
static uint64_t ids[ALL];
/* What a journal would hold. */
static struct plan {
  uint64_t start[LOGS], after[LOGS], left[LOGS];
  uint64_t done[LOGS];     /* events of the next epoch, of whole laps */
  uint64_t lap[LOGS];      /* the borders of the lap in work */
  bool begun, in_lap;
} plan;

static void make_ids(void) {
  for (uint32_t i = 0; i < ALL; i++) {
    uint64_t top = i / LOGS % 2 ? UINT64_MAX : UINT64_MAX / 2;
    ids[i] = world_id(i % LOGS, top - 1000u * i);
  }
}

static td_status open_world(void) {
  td_status status = world_open(world_layout(OLD, "hash", NULL));
  for (uint32_t s = 0; s < LOGS && status == TD_OK; s++) {
    status = world_open_log(s);
  }
  return status;
}

static void fill(void) {
  world_begin();
  make_ids();
  memset(&plan, 0, sizeof plan);
  CHECK(open_world() == TD_OK);
  for (uint32_t i = 0; i < EVENTS; i++) {
    CHECK(world_append(i % LOGS, ids[i]) == TD_OK);
  }
  world_close();
}

/* --- the story ------------------------------------------------------------ */

static td_migrate m;

static td_migrate_log *entry(uint32_t s) {
  return td_migrate_find(&m, (td_shard_id){(uint16_t)s});
}

static td_status open_migration(void) {
  td_migrate_options options = {
    .region = {2}, .flush_bytes = 100, .resume = plan.begun,
  };
  td_status status = td_migrate_open(&m, &at.home, next_layout(), &options,
                                     &at.err);
  for (uint32_t s = 0; s < LOGS && status == TD_OK; s++) {
    if (!plan.begun) plan.start[s] = entry(s)->start.value;
    entry(s)->start.value = plan.start[s];
    entry(s)->left = plan.left[s];
  }
  plan.begun |= status == TD_OK;
  return status;
}

static td_status count_arrived(uint32_t s, td_migrate_sum *out) {
  td_status status = td_migrate_check(&m, (td_shard_id){(uint16_t)s},
                                      (td_seqno){plan.start[s]}, &at.err);
  while (status == TD_OK) status = td_migrate_check_step(&m, 50, &at.err);
  *out = m.found;
  return status == TD_END ? TD_OK : status;
}

/* What a lap that was cut short has written already. */
static td_status set_skips(void) {
  td_status status = TD_OK;
  for (uint32_t s = 0; s < LOGS && status == TD_OK; s++) {
    td_migrate_sum sum;
    status = count_arrived(s, &sum);
    CHECK(status != TD_OK || sum.count >= plan.done[s]);
    entry(s)->skip = sum.count - plan.done[s];
  }
  return status;
}

static td_status walk(void) {
  td_status status = td_migrate_lap(&m, &at.err);
  while (status == TD_OK) status = td_migrate_step(&m, 40, &at.err);
  return status == TD_END ? TD_OK : status;
}

static td_status lap(void) {
  td_status status = td_migrate_look(&m, &at.err);
  if (status != TD_OK) return status;
  for (uint32_t s = 0; s < LOGS; s++) {
    entry(s)->skip = 0;
    if (!plan.in_lap) plan.lap[s] = entry(s)->last.value;
    entry(s)->after.value = plan.after[s];
    entry(s)->upto.value = plan.lap[s];
  }
  if (plan.in_lap) status = set_skips();
  plan.in_lap = true;
  if (status == TD_OK) status = walk();
  if (status != TD_OK) return status;
  plan.in_lap = false;
  for (uint32_t s = 0; s < LOGS; s++) {
    plan.after[s] = entry(s)->next.value;
    plan.done[s] += entry(s)->moved.count;
    plan.left[s] = entry(s)->left;
  }
  return TD_OK;
}

static td_status finish(void) {
  td_status status = td_migrate_hold(&m, &at.err);
  if (status == TD_OK) status = lap();
  for (uint32_t s = 0; s < LOGS && status == TD_OK; s++) {
    td_migrate_sum sum;
    status = count_arrived(s, &sum);
    if (status == TD_OK) CHECK_U64(sum.count, plan.done[s]);
  }
  if (status == TD_OK) {
    status = td_migrate_publish(&m, next_layout(), &at.err);
  }
  return status;
}

/* With a writer in between, unless it is done again. */
static td_status migrate(bool write) {
  td_status status = open_migration();
  if (status != TD_OK) return status;
  status = lap();
  for (uint32_t i = EVENTS; i < ALL && write && status == TD_OK; i++) {
    CHECK(world_append(i % LOGS, ids[i]) == TD_OK);
  }
  if (status == TD_OK) status = finish();
  td_migrate_let_go(&m);
  td_status end = td_migrate_close(&m, &at.err);
  return status == TD_OK ? end : status;
}

/* --- cases ---------------------------------------------------------------- */

static void case_whole(void) {
  world_census count;
  fill();
  CHECK(open_world() == TD_OK);
  CHECK(migrate(true) == TD_OK);
  CHECK_U64(at.home.epoch, NEW);
  CHECK(world_append(2, 12345) == TD_OK);
  world_close();
  world_count(&at.disk, ids, ALL, next_owner, &count);
  CHECK(count.new && !count.old);
  CHECK(count.lost == 0 && count.doubled == 0);
  CHECK(!td_disk_find(&at.disk, "cuts-s00003"));
  CHECK(plan.left[0] > 0 && plan.left[0] == plan.start[0] + LATER / LOGS);
  CHECK(td_migrate_close(&m, NULL) == TD_OK);
  world_end();
}

/* Logs that nobody has open are opened, and new ones made. */
static void case_alone(void) {
  world_census count;
  fill();
  CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
  CHECK(migrate(false) == TD_OK);
  CHECK(!at.home.logs);
  td_wal_home_close(&at.home);
  world_count(&at.disk, ids, EVENTS, next_owner, &count);
  CHECK(count.new && count.lost == 0 && count.doubled == 0);
  world_end();
}

static void case_refused(void) {
  td_migrate_options options = {.region = {2}};
  fill();
  CHECK(open_world() == TD_OK);
  CHECK(td_migrate_open(&m, &at.home, world_layout(OLD, "hash", NULL),
                        &options, NULL) == TD_EPOCH);
  CHECK(open_migration() == TD_OK);
  entry(0)->upto.value = plan.start[0] + 1;
  CHECK(td_migrate_lap(&m, &at.err) == TD_AHEAD);
  CHECK_U64(at.err.bound, plan.start[0]);
  CHECK(td_migrate_check(&m, (td_shard_id){9}, (td_seqno){0}, NULL)
        == TD_OUT_OF_RANGE);
  CHECK(!td_migrate_find(&m, (td_shard_id){9}));
  td_wal_options again = td_wal_options_init((td_log_id){{2}, {0}});
  td_wal_log twice;
  CHECK(td_wal_log_open(&twice, &at.home, &again, NULL) == TD_LOCKED);
  CHECK(lap() == TD_OK);
  /* A log is closed by whoever had it: it is opened here. */
  CHECK(td_wal_log_close(&at.logs[1], false, NULL) == TD_OK);
  CHECK(lap() == TD_OK);
  CHECK(entry(1)->last.value > 0);
  CHECK(td_migrate_close(&m, NULL) == TD_OK);
  world_close();
  /* A second one must not believe what the first one left. */
  memset(&plan, 0, sizeof plan);
  CHECK(open_world() == TD_OK);
  CHECK(open_migration() == TD_OK);
  CHECK(lap() == TD_DEAD);
  CHECK(at.err.file[0] != 0 && at.err.offset != TD_NO_OFFSET);
  CHECK(td_migrate_close(&m, NULL) == TD_OK);
  td_wal_dir dir = {.env = at.env, .dir = at.home.dir, .borrowed = true};
  CHECK(td_wal_cut_log(&dir, (td_log_id){{2}, {1}}, (td_cut){{3}, NEW}, NULL)
        == TD_OK);
  memset(&plan, 0, sizeof plan);
  CHECK(open_migration() == TD_DEAD);
  CHECK_TEXT(at.err.file, "cuts-s00001");
  world_close();
  world_end();
}

/* An event of the next epoch that lies in the wrong log. */
static void case_misplaced(void) {
  td_record record = {{UINT64_MAX}, 1, 1.0f, 7};
  uint8_t bytes[TD_RECORD_BYTES];
  td_migrate_sum sum;
  fill();
  CHECK(open_world() == TD_OK);
  CHECK(open_migration() == TD_OK);
  td_record_encode(&record, bytes);
  td_wal_moved part = {&at.logs[2], {bytes, sizeof bytes}, {0}};
  CHECK(td_wal_append_moved(&part, 1, false, NULL) == TD_OK);
  CHECK(td_wal_sync_all(&at.home, false, NULL) == TD_OK);
  CHECK(count_arrived(1, &sum) == TD_OK);
  CHECK_U64(sum.count, 0);
  CHECK(count_arrived(2, &sum) == TD_MOVED);
  CHECK_U64(at.err.got, UINT64_MAX);
  CHECK_U64(at.err.bound, 1);
  CHECK(td_migrate_close(&m, NULL) == TD_OK);
  world_close();
  world_end();
}

/* What goes and what arrives has the same sum; another event, another sum. */
static void case_sums(void) {
  td_migrate_sum sums[2][LOGS] = {{{0, {0, 0}}}};
  fill();
  CHECK(open_world() == TD_OK);
  CHECK(open_migration() == TD_OK);
  CHECK(lap() == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) {
    td_migrate_sum found, moved = entry(s)->moved;
    CHECK(count_arrived(s, &found) == TD_OK);
    CHECK_U64(found.count, moved.count);
    CHECK_U64(found.hash.low, moved.hash.low);
    CHECK_U64(found.hash.high, moved.hash.high);
    sums[0][s] = moved;
    uint64_t low = 0, high = 0;
    for (uint32_t i = 0; i < EVENTS; i++) {
      if (i % LOGS == s || next_owner(ids[i]) != s) continue;
      uint8_t bytes[TD_RECORD_BYTES];
      td_record record = {{ids[i]}, 1, 1.0f, 7};
      td_record_encode(&record, bytes);
      td_hash128 hash = td_hash128_of((td_span){bytes, sizeof bytes});
      low += hash.low;
      high += hash.high + (low < hash.low);
    }
    CHECK_U64(moved.hash.low, low);
    CHECK_U64(moved.hash.high, high);
  }
  /* What the lap wrote itself is not for the next one. */
  CHECK(td_migrate_look(&m, NULL) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) {
    CHECK_U64(entry(s)->next.value, entry(s)->last.value);
  }
  CHECK(sums[0][1].count > 0 && sums[0][2].count > 0);
  CHECK(sums[0][1].hash.low != sums[0][2].hash.low);
  CHECK(td_migrate_close(&m, NULL) == TD_OK);
  world_close();
  world_end();
}

/* A border in the middle of a batch: each event is in one lap. */
static void case_border(void) {
  td_record records[6];
  fill();
  CHECK(open_world() == TD_OK);
  for (uint32_t i = 0; i < 6; i++) {
    records[i] = (td_record){{world_id(0, UINT64_MAX - 9999u * i)}, 1, 1, 7};
  }
  CHECK(td_wal_log_append(&at.logs[0], records, 6, NULL, NULL) == TD_OK);
  CHECK(open_migration() == TD_OK);
  uint64_t last = plan.start[0], all[2] = {0, 0};
  for (uint32_t i = 0; i < 2; i++) {
    entry(0)->after.value = i ? last - 4 : 0;
    entry(0)->upto.value = i ? last : last - 4;
    CHECK(walk() == TD_OK);
    all[i] = entry(1)->moved.count + entry(2)->moved.count;
  }
  CHECK_U64(all[1], 4);
  CHECK_U64(all[0] + all[1], last);
  CHECK_U64(entry(0)->left, last);
  CHECK(td_migrate_close(&m, NULL) == TD_OK);
  world_close();
  world_end();
}

/* While a layout is prepared no segment goes: a lap may still want it. */
static void case_truncate(void) {
  uint32_t removed;
  fill();
  CHECK(open_world() == TD_OK);
  td_wal_progress progress = {.seqno = td_wal_log_durable(&at.logs[0])};
  for (uint32_t i = 0; i < 2; i++) {
    CHECK(td_wal_log_checkpoint(&at.logs[0], &progress, NULL) == TD_OK);
  }
  CHECK(open_migration() == TD_OK);
  CHECK(td_wal_log_truncate(&at.logs[0], progress.seqno, &removed, NULL)
        == TD_OK);
  CHECK(removed == 0);
  CHECK(lap() == TD_OK);
  CHECK(td_migrate_close(&m, NULL) == TD_OK);
  CHECK(td_wal_log_truncate(&at.logs[0], progress.seqno, &removed, NULL)
        == TD_OK);
  CHECK(removed > 0);
  world_close();
  world_end();
}

/* --- interruptions -------------------------------------------------------- */

/* After the first failure: from the disk and the plan to the end. */
static void go_on(void) {
  world_census count;
  world_count(&at.disk, ids, EVENTS, next_owner, &count);
  CHECK(count.lost == 0 && count.doubled == 0);
  CHECK(count.old || count.new);
  if (!count.new) {
    CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
    CHECK(migrate(false) == TD_OK);
    td_wal_home_close(&at.home);
  }
  world_count(&at.disk, ids, EVENTS, next_owner, &count);
  CHECK(count.new && count.lost == 0 && count.doubled == 0);
}

static void case_crash(void) {
  td_prng prng = {test_seed()};
  uint64_t call = 0, states = 0;
  for (bool done = false; !done;) {
    fill();
    at.disk.faults.last_call = at.disk.counts.calls + ++call;
    done = world_open(world_layout(OLD, "hash", NULL)) == TD_OK;
    if (done) done = migrate(false) == TD_OK;
    td_wal_home_close(&at.home);
    at.disk.faults = (td_disk_faults){.last_call = 0};
    struct plan before = plan;
    for (uint32_t way = 0; way < 3; way++, states++) {
      td_disk after, whole = at.disk;
      plan = before;
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

/* Every call fails once; then again, in the same process. */
static void case_errors(void) {
  static const int32_t errors[] = {TD_SYS_IO, TD_SYS_NOSPC};
  for (uint32_t e = 0; e < 2; e++) {
    uint64_t call = 0;
    for (bool reached = true; reached;) {
      fill();
      CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
      uint64_t fail = at.disk.counts.calls + ++call;
      at.disk.faults = (td_disk_faults){.fail_call = fail,
                                        .fail_sys = errors[e]};
      td_status status = migrate(false);
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
    fill();
    CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
    at.requests = 0;
    at.fail_request = request;
    td_status status = migrate(false);
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
  test_case("migrate", "a power failure behind every call", case_crash);
  test_case("migrate", "every call fails", case_errors);
  test_case("migrate", "every request for memory fails", case_memory);
}
