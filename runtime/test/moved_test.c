/* From one layout to the next: events move beside those who write, and count
 * in one place at a time.
 * Covers io/wal_routes io/wal_cut io/wal_home io/wal_parts io/wal_group. */
#include <string.h>

#include "io/wal_layouts.h"
#include "io/wal_parts.h"
#include "io/wal_seams.h"
#include "test/home_world.h"
#include "test/layout_text.h"

#define EVENTS 4u   /* in each log */
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

/* The ids of a log, from both halves; ids[s][i] is its event i + 1. */
static uint64_t ids[LOGS][EVENTS];

static void make_ids(void) {
  for (uint32_t s = 0; s < LOGS; s++) {
    for (uint32_t i = 0; i < EVENTS; i++) {
      uint64_t top = i % 2 ? UINT64_MAX : UINT64_MAX / 2;
      ids[s][i] = world_id(s, top - 100u * i);
    }
  }
}

static bool open_world(void) {
  if (world_open(world_layout(OLD, "hash", NULL)) != TD_OK) return false;
  for (uint32_t s = 0; s < LOGS; s++) {
    if (world_open_log(s) != TD_OK) return false;
  }
  return true;
}

static void fill(void) {
  world_begin();
  make_ids();
  CHECK(open_world());
  for (uint32_t s = 0; s < LOGS; s++) {
    for (uint32_t i = 0; i < EVENTS; i++) {
      CHECK(world_append(s, ids[s][i]) == TD_OK);
    }
  }
  world_close();
}

/* What goes to each log, from the others, in order of the logs. */
static td_status copy(bool held) {
  static uint8_t bytes[LOGS][LOGS * EVENTS * TD_RECORD_BYTES];
  td_wal_moved parts[LOGS];
  uint32_t count = 0;
  for (uint32_t t = 0; t < LOGS; t++) {
    size_t size = 0;
    for (uint32_t s = 0; s < LOGS; s++) {
      for (uint32_t i = 0; i < EVENTS; i++) {
        if (s == t || next_owner(ids[s][i]) != t) continue;
        td_record record = {{ids[s][i]}, 1, 1.0f, 7};
        td_record_encode(&record, bytes[t] + size);
        size += TD_RECORD_BYTES;
      }
    }
    if (size == 0) continue;
    parts[count++] = (td_wal_moved){&at.logs[t], {bytes[t], size}, {0}};
  }
  td_status status = td_wal_append_moved(parts, count, held, &at.err);
  return status == TD_OK ? td_wal_sync_all(&at.home, held, &at.err) : status;
}

static td_status cut(void) {
  td_wal_dir dir = {.env = at.env, .dir = at.home.dir, .borrowed = true};
  for (uint32_t s = 0; s < LOGS; s++) {
    td_cut last = {at.logs[s].last_seq, NEW};
    td_status status = td_wal_cut_log(&dir, at.logs[s].options.log, last,
                                      &at.err);
    if (status != TD_OK) return status;
  }
  return TD_OK;
}

static td_status migrate(bool held) {
  td_status status = td_wal_home_prepare(&at.home, next_layout(), &at.err);
  if (status != TD_OK) return status;
  if (held) td_wal_hold(&at.home);
  status = copy(held);
  if (status == TD_OK) status = cut();
  if (status == TD_OK) {
    status = td_wal_home_publish(&at.home, next_layout(), &at.err);
  }
  if (held) td_wal_let_go(&at.home);
  return status;
}

static void take_census(td_disk *disk, world_census *out) {
  world_count(disk, ids[0], LOGS * EVENTS, next_owner, out);
}

/* --- cases ---------------------------------------------------------------- */

static void case_owner(void) {
  td_record records[2];
  fill();
  CHECK(open_world());
  records[0] = (td_record){{ids[1][0]}, 1, 1.0f, 7};
  records[1] = (td_record){{ids[2][1]}, 1, 1.0f, 7};
  CHECK(td_wal_log_append(&at.logs[1], records, 2, NULL, &at.err)
        == TD_MOVED);
  CHECK_U64(at.err.got, ids[2][1]);
  CHECK_U64(at.err.bound, 2);
  CHECK(at.err.index == 1);
  CHECK_TEXT(at.err.file, "layout-0000000007.json");
  CHECK_U64(td_wal_log_durable(&at.logs[1]).value, EVENTS);
  td_wal_part part = {.log = &at.logs[1], .records = records, .count = 2};
  CHECK(td_wal_append_all(&part, 1, &at.err) == TD_MOVED);
  CHECK(td_wal_log_append(&at.logs[1], records, 1, NULL, NULL) == TD_OK);
  world_close();
  world_end();
}

static void case_prepare(void) {
  fill();
  CHECK(open_world());
  CHECK(td_wal_home_prepare(&at.home, world_layout(OLD, "hash", NULL),
                            &at.err) == TD_EPOCH);
  CHECK_TEXT(at.err.file, "layout-0000000007.json");
  CHECK(td_wal_home_prepare(&at.home, next_layout(), NULL) == TD_OK);
  CHECK(td_wal_home_prepare(&at.home, next_layout(), NULL) == TD_DUPLICATE);
  CHECK(td_wal_home_publish(&at.home, world_layout(NEW, "hash", NULL), NULL)
        == TD_LAYOUT);
  td_wal_home_forget(&at.home);
  CHECK(td_wal_home_publish(&at.home, next_layout(), NULL) == TD_EPOCH);
  CHECK(!td_disk_find(&at.disk, "layout-0000000009.json"));
  CHECK(td_wal_home_prepare(&at.home, next_layout(), NULL) == TD_OK);
  world_close();
  CHECK(world_open((td_span){NULL, 0}) == TD_OK);
  CHECK(td_wal_home_prepare(&at.home, next_layout(), NULL) == TD_EPOCH);
  td_wal_home_close(&at.home);
  world_end();
}

static void case_whole(void) {
  world_census count;
  fill();
  take_census(&at.disk, &count);
  CHECK(count.old && count.lost + count.doubled == 0);
  CHECK(open_world());
  CHECK(migrate(true) == TD_OK);
  CHECK_U64(at.home.epoch, NEW);
  uint64_t low = world_id(0, UINT64_MAX / 2);
  CHECK(world_append(0, low) == TD_MOVED);
  CHECK_U64(at.err.bound, 2);
  CHECK_TEXT(at.err.file, "layout-0000000009.json");
  CHECK(world_append(2, low) == TD_OK);
  CHECK(world_append(1, low) == TD_MOVED);
  world_close();
  take_census(&at.disk, &count);
  CHECK(count.new && count.lost == 0);
  CHECK(count.doubled == 1);  /* the one that was written again */
  CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_EPOCH);
  CHECK(world_open(next_layout()) == TD_OK);
  td_wal_home_close(&at.home);
  world_end();
}

/* Moved events pass a window that knows them. */
static void case_window(void) {
  td_wal_options options = td_wal_options_init((td_log_id){{2}, {1}});
  td_record record = {{UINT64_MAX}, 1, 1.0f, 7};
  uint8_t bytes[TD_RECORD_BYTES];
  world_begin();
  CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
  record.entity.value = world_id(1, UINT64_MAX);
  td_record_encode(&record, bytes);
  options.window_events = 10;
  options.group_delay_ns = 0;
  CHECK(td_wal_log_open(&at.logs[1], &at.home, &options, NULL) == TD_OK);
  CHECK(td_wal_home_prepare(&at.home, next_layout(), NULL) == TD_OK);
  td_wal_moved part = {&at.logs[1], {bytes, sizeof bytes}, {0}};
  for (uint32_t i = 0; i < 2; i++) {
    CHECK(td_wal_log_append(&at.logs[1], &record, 1, NULL, NULL) == TD_OK);
    CHECK(td_wal_append_moved(&part, 1, false, NULL) == TD_OK);
    CHECK(td_wal_sync_all(&at.home, false, NULL) == TD_OK);
  }
  CHECK_U64(td_wal_log_durable(&at.logs[1]).value, 3);
  world_close();
  world_end();
}

/* Events that were put in under one layout and are written under the next. */
static void case_waited(void) {
  fill();
  CHECK(open_world());
  uint64_t stays = world_id(1, UINT64_MAX), goes = world_id(1, 1000);
  CHECK(td_wal_home_prepare(&at.home, next_layout(), NULL) == TD_OK);
  for (uint32_t i = 0; i < 2; i++) {
    td_record records[2] = {{{stays}, 1, 1.0f, 7}, {{goes}, 1, 1.0f, 7}};
    td_wal_log *log = &at.logs[1];
    td_wal_hold(&at.home);
    CHECK(td_wal_put_direct(log, records, i == 0 ? 2 : 1, NULL) == TD_OK);
    if (i == 0) {
      CHECK(td_wal_home_publish(&at.home, next_layout(), NULL) == TD_OK);
    } else {
      log->direct.epoch = OLD;
    }
    td_status status = td_wal_write_group(log, &log->direct, &at.err);
    td_wal_let_go(&at.home);
    CHECK(status == (i == 0 ? TD_MOVED : TD_OK));
  }
  CHECK_U64(at.err.got, goes);
  CHECK_U64(at.err.bound, 2);
  CHECK(at.err.index == TD_NO_INDEX);
  CHECK_U64(at.logs[1].last_seq.value, EVENTS + 1);
  world_close();
  world_end();
}

/* The layout of the epoch NEW that has no region r2. */
static td_span layout_without(void) {
  static char out[1024];
  td_span whole = world_layout(NEW, "hash", NULL);
  memcpy(out, whole.data, whole.size);
  char *region = strstr(out, "\"id\":2"), *end = strchr(out, '\n');
  td_assert(region && end);
  region[strlen("\"id\":")] = '9';
  return (td_span){(const uint8_t *)out,
                   layout_seal(out, (size_t)(end - out))};
}

/* A region that is gone by the next layout: neither what comes nor what waits
 * is written, of sessions neither; opened anew, its logs can be read and
 * closed, and take nothing. */
static void case_region(void) {
  td_record record = {{UINT64_MAX}, 1, 1.0f, 7};
  td_span sessions = {(const uint8_t *)"sessions", 8}, next = layout_without();
  fill();
  CHECK(open_world());
  record.entity.value = world_id(1, UINT64_MAX);
  td_wal_log *log = &at.logs[1];
  CHECK(td_wal_home_prepare(&at.home, next, NULL) == TD_OK);
  td_wal_hold(&at.home);
  CHECK(td_wal_put_direct(log, &record, 1, NULL) == TD_OK);
  CHECK(td_wal_home_publish(&at.home, next, NULL) == TD_OK);
  CHECK(td_wal_write_group(log, &log->direct, &at.err) == TD_REGION);
  td_wal_let_go(&at.home);
  for (uint32_t i = 0; i < 2; i++) {
    CHECK(td_wal_log_append(log, &record, 1, NULL, &at.err) == TD_REGION);
    CHECK_U64(at.err.got, 2);
    CHECK_U64(at.err.bound, 3);
    CHECK_TEXT(at.err.file, "layout-0000000009.json");
    CHECK(td_wal_log_append_sessions(log, sessions, 1, NULL, NULL)
          == TD_REGION);
    CHECK_U64(td_wal_log_durable(log).value, EVENTS);
    world_close();
    CHECK(world_open(next) == TD_OK && world_open_log(1) == TD_OK);
  }
  world_close();
  world_end();
}

/* A power failure behind every call, in several ways: all events are live
 * once, and all of them where one of the two layouts wants them. */
static void case_crash(void) {
  td_prng prng = {test_seed()};
  uint64_t call = 0, states = 0, published = 0;
  bool done = false;
  while (!done) {
    fill();
    td_disk_faults faults = {.last_call = at.disk.counts.calls + ++call};
    at.disk.faults = faults;
    done = open_world() && migrate(call % 2) == TD_OK;
    world_close();
    at.disk.faults = (td_disk_faults){.last_call = 0};
    for (uint32_t way = 0; way < 8; way++, states++) {
      td_disk after;
      world_census count;
      td_disk_crash(&at.disk, 0, &prng, &after);
      take_census(&after, &count);
      CHECK(count.lost == 0 && count.doubled == 0);
      CHECK(count.old || count.new);
      bool there = td_disk_find(&after, "layout-0000000009.json") != NULL;
      CHECK(there == count.new);
      published += there;
      td_disk_deinit(&after);
    }
    world_end();
  }
  CHECK(published >= 8 && call > 20);
  printf("# %llu calls, %llu crash states\n", (unsigned long long)call,
         (unsigned long long)states);
}

/* Moved batches that are not synced yet, and a writer's behind them: whatever
 * of them gets to the disk before a power failure, the log opens, and what was
 * acknowledged is there. */
static void case_mixed(void) {
  td_prng prng = {test_seed()};
  uint64_t states = 0;
  bool done = false;
  for (uint64_t call = 1; !done; call++) {
    fill();
    CHECK(open_world());
    CHECK(td_wal_home_prepare(&at.home, next_layout(), NULL) == TD_OK);
    at.disk.faults.last_call = at.disk.counts.calls + call;
    uint64_t id = world_id(1, 5000);
    uint8_t bytes[TD_RECORD_BYTES];
    td_record record = {{UINT64_MAX}, 1, 1.0f, 7};
    td_record_encode(&record, bytes);
    td_wal_moved part = {&at.logs[1], {bytes, sizeof bytes}, {0}};
    td_status status = TD_OK;
    for (uint32_t i = 0; i < 3 && status == TD_OK; i++) {
      status = td_wal_append_moved(&part, 1, false, NULL);
    }
    done = status == TD_OK && world_append(1, id) == TD_OK;
    world_close();
    at.disk.faults = (td_disk_faults){.last_call = 0};
    td_disk whole = at.disk;
    for (uint32_t way = 0; way < 12; way++, states++) {
      td_disk after;
      td_disk_crash(&whole, 0, &prng, &after);
      at.disk = after;
      world_attach();
      CHECK(open_world());
      uint64_t events = td_wal_log_durable(&at.logs[1]).value;
      CHECK(events >= EVENTS + (done ? 4u : 0));
      world_close();
      td_disk_deinit(&at.disk);
    }
    at.disk = whole;
    world_attach();
    world_end();
  }
  printf("# %llu crash states\n", (unsigned long long)states);
}

/* Every call fails once: the answer says so, nothing is lost or doubled. */
static void case_errors(void) {
  static const int32_t errors[] = {TD_SYS_IO, TD_SYS_NOSPC};
  for (uint32_t e = 0; e < 2; e++) {
    uint64_t call = 0;
    for (bool reached = true; reached;) {
      world_census count;
      fill();
      CHECK(open_world());
      uint64_t fail = at.disk.counts.calls + ++call;
      at.disk.faults = (td_disk_faults){.fail_call = fail,
                                        .fail_sys = errors[e]};
      td_status status = migrate(true);
      reached = at.disk.counts.calls >= fail;
      at.disk.faults = (td_disk_faults){.fail_call = 0};
      world_close();
      take_census(&at.disk, &count);
      CHECK(count.lost == 0 && count.doubled == 0);
      CHECK(count.old || count.new);
      if (status == TD_OK) CHECK(count.new);
      world_end();
    }
    CHECK(call > 20);
  }
}

static void case_memory(void) {
  bool reached = true;
  for (uint64_t request = 1; reached; request++) {
    world_census count;
    fill();
    CHECK(open_world());
    at.requests = 0;
    at.fail_request = request;
    td_status status = migrate(request % 2);
    reached = at.requests >= request;
    at.fail_request = 0;
    CHECK(status == TD_OK || status == TD_NO_MEMORY);
    world_close();
    take_census(&at.disk, &count);
    CHECK(count.lost == 0 && count.doubled == 0);
    CHECK(status == TD_OK ? count.new : count.old);
    world_end();
  }
}

/* A second cut of the same epoch replaces the first; an older one is none. */
static void case_cuts(void) {
  td_cuts cuts;
  fill();
  CHECK(world_open(world_layout(OLD, "hash", NULL)) == TD_OK);
  td_wal_dir dir = {.env = at.env, .dir = at.home.dir, .borrowed = true};
  td_log_id log = {{2}, {1}};
  CHECK(td_wal_cut_log(&dir, log, (td_cut){{3}, 8}, NULL) == TD_OK);
  CHECK(td_wal_cut_log(&dir, log, (td_cut){{4}, NEW}, NULL) == TD_OK);
  CHECK(td_wal_cut_log(&dir, log, (td_cut){{5}, NEW}, NULL) == TD_OK);
  CHECK(td_wal_cut_log(&dir, log, (td_cut){{6}, 8}, NULL) == TD_BACKWARD);
  CHECK(td_wal_cut_log(&dir, (td_log_id){{1}, {1}}, (td_cut){{6}, 10},
                       &at.err) == TD_MISMATCH);
  const td_disk_bytes *file = td_disk_find(&at.disk, "cuts-s00001");
  td_span bytes = {file->data, file->size};
  CHECK(td_cuts_decode(bytes, &cuts, NULL) == TD_OK);
  CHECK(cuts.count == 2 && cuts.generation == 3);
  CHECK_U64(td_cuts_get(bytes, 1).upto.value, 5);
  td_wal_home_close(&at.home);
  world_end();
}

void test_moved(void) {
  test_case("moved", "a log takes the ids of its layout only", case_owner);
  test_case("moved", "the next layout is prepared once", case_prepare);
  test_case("moved", "to the next layout", case_whole);
  test_case("moved", "moved events pass the window", case_window);
  test_case("moved", "the layout changes while events wait", case_waited);
  test_case("moved", "the layout has no such region", case_region);
  test_case("moved", "cuts are added", case_cuts);
  test_case("moved", "a power failure behind every call", case_crash);
  test_case("moved", "a writer behind what is not synced", case_mixed);
  test_case("moved", "every call fails", case_errors);
  test_case("moved", "every request for memory fails", case_memory);
}
