/* Events that come again: the window by itself, and in a log.
 * Covers io/wal_window. */
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "io/wal_parts.h"
#include "test/home_world.h"

/* --- the window ----------------------------------------------------------- */

static bool add(td_wal_window *window, uint64_t what) {
  return td_wal_window_add(window, (td_span){(const uint8_t *)&what, 8});
}

/* The same as a list, searched from end to end. */
typedef struct oracle {
  uint64_t list[4096];
  uint32_t start, end;
} oracle;

static bool oracle_add(oracle *o, uint64_t what) {
  for (uint32_t i = o->start; i < o->end; i++) {
    if (o->list[i] == what) return false;
  }
  o->list[o->end++] = what;
  return true;
}

static void run_oracle(td_prng *prng) {
  static oracle o;
  td_alloc alloc = world_plain();
  td_wal_window window;
  uint32_t size = 1 + (uint32_t)td_prng_below(prng, 40);
  o.start = o.end = 0;
  CHECK(td_wal_window_init(&window, &alloc, size, NULL) == TD_OK);
  for (uint32_t turn = 0; turn < 60; turn++) {
    uint32_t before = o.end, count = (uint32_t)td_prng_below(prng, size + 1);
    for (uint32_t i = 0; i < count; i++) {
      uint64_t what = td_prng_below(prng, 3 * size);
      CHECK(add(&window, what) == oracle_add(&o, what));
    }
    if (td_prng_below(prng, 3) == 0) {
      td_wal_window_undo(&window, o.end - before);
      o.end = before;
    }
    td_wal_window_settle(&window);
    if (o.end - o.start > size) o.start = o.end - size;
  }
  td_wal_window_deinit(&window);
}

static void case_oracle(void) {
  td_prng prng = {test_seed()};
  for (uint32_t i = 0; i < 400; i++) run_oracle(&prng);
}

static void case_limits(void) {
  td_wal_window window;
  td_error err;
  world_begin();
  td_alloc alloc = at.env.alloc;
  CHECK(td_wal_window_init(&window, &alloc, 0, NULL) == TD_OK);
  CHECK(add(&window, 1) && add(&window, 1));
  td_wal_window_settle(&window);
  td_wal_window_undo(&window, 0);
  td_wal_window_deinit(&window);
  CHECK(td_wal_window_init(&window, &alloc, TD_WAL_WINDOW_MAX + 1, &err)
        == TD_TOO_MANY);
  CHECK_U64(err.bound, TD_WAL_WINDOW_MAX);
  for (at.fail_request = 1; at.fail_request <= 2; at.fail_request++) {
    at.requests = 0;
    CHECK(td_wal_window_init(&window, &alloc, 9, &err) == TD_NO_MEMORY);
    CHECK_U64(at.held, 0);
  }
  at.fail_request = 0;
  CHECK(td_wal_window_init(&window, &alloc, 1, NULL) == TD_OK);
  CHECK(add(&window, 1) && !add(&window, 1));
  td_wal_window_settle(&window);
  CHECK(add(&window, 2));
  td_wal_window_settle(&window);
  CHECK(add(&window, 1));
  td_wal_window_deinit(&window);
  td_wal_window_deinit(&window);
  world_end();
}

/* --- in a log ------------------------------------------------------------- */

static const td_span NO_LAYOUT = {NULL, 0};

static void open_with(uint32_t window) {
  td_wal_options options = td_wal_options_init((td_log_id){{2}, {0}});
  options.group_delay_ns = 0;
  options.ahead_bytes = 512;
  options.segment_bytes = 700;
  options.window_events = window;
  CHECK(world_open(NO_LAYOUT) == TD_OK);
  CHECK(td_wal_log_open(&at.logs[0], &at.home, &options, &at.err) == TD_OK);
}

/* Appends the events first .. first + count - 1; the numbers as text. */
static const char *append(uint64_t first, uint32_t count) {
  static char out[128];
  td_record records[8] = {{.weight = 0}};
  td_seqno numbers[8];
  for (uint32_t i = 0; i < count; i++) {
    records[i] = (td_record){{UINT64_MAX - first - i}, 1, 1.0f, 7};
  }
  td_status status = td_wal_log_append_each(&at.logs[0], records, count,
                                            numbers, &at.err);
  int size = snprintf(out, sizeof out, "%s", td_status_code(status));
  for (uint32_t i = 0; i < count && status == TD_OK; i++) {
    size += snprintf(out + size, sizeof out - (size_t)size, " %llu",
                     (unsigned long long)numbers[i].value);
  }
  return out;
}

static void case_log(void) {
  world_begin();
  open_with(4);
  CHECK_TEXT(append(1, 3), "ok 1 2 3");
  CHECK_TEXT(append(2, 3), "ok 0 0 4");
  CHECK_TEXT(append(1, 4), "ok 0 0 0 0");
  CHECK_TEXT(append(5, 1), "ok 5");
  CHECK_TEXT(append(1, 1), "ok 6");  /* four others came after it */
  CHECK_TEXT(append(3, 1), "ok 0");
  CHECK_TEXT(append(1, 5), "length");
  CHECK_U64(at.err.bound, 4);
  world_close();
  open_with(4);  /* 3 4 5 1 are read back */
  CHECK_TEXT(append(1, 1), "ok 0");
  CHECK_TEXT(append(3, 1), "ok 0");
  CHECK_TEXT(append(2, 1), "ok 7");
  world_close();
  open_with(0);
  CHECK_TEXT(append(2, 1), "ok 8");
  world_close();
  open_with(100);
  CHECK_TEXT(append(2, 4), "ok 0 0 0 0");
  CHECK_TEXT(append(6, 1), "ok 9");
  td_record twice[3] = {{{1}, 2, 3, 4}, {{1}, 2, 3, 4}, {{1}, 2, 3, 5}};
  td_seqno first = {0};
  CHECK(td_wal_log_append(&at.logs[0], twice, 3, &first, NULL) == TD_OK);
  CHECK_U64(first.value, 10);
  CHECK_U64(td_wal_log_durable(&at.logs[0]).value, 11);
  CHECK(td_wal_log_append(&at.logs[0], twice, 3, &first, NULL) == TD_OK);
  CHECK_U64(first.value, 0);
  td_wal_part part = {.log = &at.logs[0], .records = twice, .count = 3};
  CHECK(td_wal_append_all(&part, 1, NULL) == TD_OK);
  CHECK_U64(part.first.value, 0);
  CHECK_U64(td_wal_log_durable(&at.logs[0]).value, 11);
  world_close();
  open_with(0);
  CHECK_TEXT(append(11, 8), "ok 12 13 14 15 16 17 18 19");
  world_close();
  open_with(3);  /* one batch is larger than the window */
  CHECK_TEXT(append(16, 3), "ok 0 0 0");
  CHECK_TEXT(append(15, 1), "ok 20");
  world_close();
  world_end();
}

/* A full disk takes the batch back, and what it pushed out of the window. */
static void case_full(void) {
  world_begin();
  open_with(3);
  CHECK_TEXT(append(1, 3), "ok 1 2 3");
  at.disk.faults.fail_call = at.disk.counts.calls + 1;
  at.disk.faults.fail_sys = TD_SYS_NOSPC;
  CHECK_TEXT(append(4, 3), "full");
  CHECK_TEXT(append(1, 3), "ok 0 0 0");
  CHECK_TEXT(append(4, 3), "ok 4 5 6");
  world_close();
  world_end();
}

/* Whatever call the process ends at: who appends the same events again after
 * a recovery has each of them once. */
static void case_retry(void) {
  for (uint64_t call = 1;; call++) {
    world_begin();
    open_with(8);
    CHECK_TEXT(append(1, 2), "ok 1 2");
    at.disk.faults.last_call = at.disk.counts.calls + call;
    append(3, 2);
    append(5, 2);
    bool all = at.disk.counts.calls <= at.disk.faults.last_call;
    world_close();
    td_prng prng = {test_seed() + call};
    td_disk before = at.disk;
    td_disk_crash(&before, 0, &prng, &at.disk);
    world_attach();
    open_with(8);
    append(1, 2);
    append(3, 2);
    append(5, 2);
    CHECK_U64(td_wal_log_durable(&at.logs[0]).value, 6);
    world_close();
    td_disk_deinit(&at.disk);
    at.disk = before;
    world_end();
    if (all) break;
  }
}

/* With a window, every request of memory may fail. */
static void case_memory(void) {
  for (uint64_t request = 1;; request++) {
    world_begin();
    at.fail_request = request;
    td_wal_options options = td_wal_options_init((td_log_id){{2}, {0}});
    options.window_events = 8;
    options.group_delay_ns = 0;
    CHECK(world_open(NO_LAYOUT) == TD_OK);
    td_status status = td_wal_log_open(&at.logs[0], &at.home, &options, NULL);
    CHECK(status == TD_OK || status == TD_NO_MEMORY);
    if (status == TD_OK) {
      const char *said = append(1, 3);
      if (strcmp(said, "no_memory") == 0) said = append(1, 3);
      CHECK_TEXT(said, "ok 1 2 3");
      said = append(1, 3);  /* into the other group */
      if (strcmp(said, "no_memory") == 0) said = append(1, 3);
      CHECK_TEXT(said, "ok 0 0 0");
    }
    bool all = at.requests < request;
    world_close();
    world_end();
    if (all) break;
  }
}

void test_window(void) {
  test_case("window", "knows what a list knows", case_oracle);
  test_case("window", "its limits, and no memory", case_limits);
  test_case("window", "a log does not store an event twice", case_log);
  test_case("window", "a full disk takes it back", case_full);
  test_case("window", "appending again after a crash", case_retry);
  test_case("window", "every request of memory fails", case_memory);
}
