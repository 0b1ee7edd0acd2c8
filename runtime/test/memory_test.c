/* No request for memory is vital. Every one of them fails, once or with all
 * behind it, in all that a log does: it says TD_NO_MEMORY, holds nothing,
 * is what it was before, and with memory does it after all. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "format/cuts.h"
#include "io/wal_live.h"
#include "io/wal_verify.h"
#include "test/layout_text.h"
#include "test/log_scene.h"

#define WORLDS 64u
#define REFUSED_LEAST 2000u
#define RUNS_LEAST 5000u
#define SESSION_BYTES 300000u  /* above the reader's buffer; in one world */
#define SESSION_WORLDS 8u      /* of so many; in the others 600 */
#define SEGMENT_BYTES 400000u

static scene made, torn, work;  /* large: not on the stack */
static uint64_t runs, refused;
static size_t session_bytes;

/* --- what is done -------------------------------------------------------- */

static td_status do_open(scene *at) {
  return scene_open(at);
}

static td_status do_append(scene *at) {
  return scene_append(at, 40);
}

static td_status do_sessions(scene *at) {
  static uint8_t payload[SESSION_BYTES];
  td_seqno first;
  return td_wal_log_append_sessions(&at->log,
                                    (td_span){payload, session_bytes}, 3,
                                    &first, &at->err);
}

static td_status do_checkpoint(scene *at) {
  td_mark marks[] = {{{{0}, {0}}, 1, {7}}, {{{9}, {9}}, 1, {UINT64_MAX}}};
  td_wal_progress progress = {
    .seqno = td_wal_log_durable(&at->log), .marks = marks, .mark_count = 2,
  };
  return td_wal_log_checkpoint(&at->log, &progress, &at->err);
}

static td_status do_truncate(scene *at) {
  return td_wal_log_truncate(&at->log, (td_seqno){0}, NULL, &at->err);
}

static td_status do_sync(scene *at) {
  return td_wal_log_sync(&at->log, &at->err);
}

static td_status read_batches(const td_wal_dir *dir, td_error *err) {
  td_wal_cursor cursor;
  td_wal_batch batch;
  td_status status = td_wal_cursor_open(&cursor, dir, (td_shard_id){3},
                                        (td_seqno){0}, err);
  if (status != TD_OK) return status;
  do status = td_wal_cursor_next(&cursor, &batch, err);
  while (status == TD_OK);
  td_wal_cursor_close(&cursor);
  return status;
}

static td_status judge(const td_wal_dir *dir, td_error *err) {
  static td_wal_verifier verifier;
  td_wal_report report;
  td_status status = td_wal_verify_open(&verifier, dir, err);
  if (status != TD_OK) return status;
  do status = td_wal_verify_next(&verifier, &report, err);
  while (status == TD_OK);
  td_wal_verify_close(&verifier);
  return status;
}

static td_status read_live(const td_wal_dir *dir, td_error *err) {
  static td_wal_layouts layouts;
  td_wal_live live;
  td_wal_event event;
  td_status status = td_wal_layouts_open(&layouts, dir, err);
  if (status != TD_OK) return status;
  status = td_wal_live_open(&live, &layouts, (td_shard_id){3}, (td_seqno){0},
                            err);
  if (status == TD_OK) {
    do status = td_wal_live_next(&live, &event, err);
    while (status == TD_OK);
    td_wal_live_close(&live);
  }
  td_wal_layouts_close(&layouts);
  return status;
}

typedef td_status dir_fn(const td_wal_dir *dir, td_error *err);

/* TD_OK when it came to its end. */
static td_status with_dir(scene *at, dir_fn *what) {
  td_wal_dir dir;
  td_status status = td_wal_dir_open(&dir, &at->env, "", &at->err);
  if (status != TD_OK) return status;
  status = what(&dir, &at->err);
  td_wal_dir_close(&dir);
  return status == TD_END ? TD_OK : status;
}

static td_status do_read(scene *at) { return with_dir(at, read_batches); }
static td_status do_verify(scene *at) { return with_dir(at, judge); }
static td_status do_live(scene *at) { return with_dir(at, read_live); }

static const struct action {
  const char *name;
  td_status (*run)(scene *at);
  bool log;     /* needs an open one */
  bool torn;    /* starts with a torn tail */
  bool appends; /* three events without the model's knowledge */
} actions[] = {
  {"opening", do_open, false, false, false},
  {"recovering", do_open, false, true, false},
  {"appending", do_append, true, false, false},
  {"appending sessions", do_sessions, true, false, true},
  {"a checkpoint", do_checkpoint, true, false, false},
  {"truncating", do_truncate, true, false, false},
  {"syncing", do_sync, true, false, false},
  {"reading", do_read, false, false, false},
  {"verifying", do_verify, false, true, false},
  {"live events", do_live, false, false, false},
};

/* --- with less and less memory ------------------------------------------- */

static void failed(const struct action *what, uint64_t request, bool on,
                   const char *wrong) {
  test_failed(__FILE__, __LINE__, "%s, request %llu%s: %s, %s", what->name,
              (unsigned long long)request, on ? " and on" : "", wrong,
              td_status_code(work.status));
}

static bool same_log(const td_wal_log *a, const td_wal_log *b) {
  return a->state == b->state && a->end == b->end && a->ahead == b->ahead
      && td_seqno_cmp(a->last_seq, b->last_seq) == 0
      && a->durable_seq == b->durable_seq && a->file == b->file
      && a->checkpoint.generation == b->checkpoint.generation
      && a->mark_count == b->mark_count;
}

/* One request gets no memory. True = it was asked for. */
static bool try_without(const struct action *what, uint64_t request,
                        bool on) {
  const scene *from = what->torn ? &torn : &made;
  td_disk_copy(&from->disk, &work.disk);
  scene_init_over(&work, from);
  if (what->log) CHECK(scene_open(&work) == TD_OK);
  td_wal_log before;
  memcpy(&before, &work.log, sizeof before);
  uint64_t asked = work.memory.requests;
  work.memory.fail_request = request ? asked + request : 0;
  work.memory.fail_on = on;
  work.status = what->run(&work);
  bool tried = work.memory.requests >= asked + request;
  work.memory.fail_request = 0;
  if (work.status == TD_NO_MEMORY) {
    refused++;
    if (!tried) failed(what, request, on, "no memory, and yet there was");
    if (what->log && !same_log(&before, &work.log)) {
      failed(what, request, on, "the log is another one");
    }
    if (!what->log && work.memory.held > 0) failed(what, request, on, "a leak");
    work.status = what->run(&work);
  }
  if (work.status != TD_OK) failed(what, request, on, "not done after all");
  if (work.disk.counts.files_open > (work.open ? 2u : 0u)) {
    failed(what, request, on, "a file was left open");
  }
  runs++;
  return tried;
}

/* Closing asks for memory too: without it, it is not clean, and that is all. */
static void close_without(const struct action *what, uint64_t request) {
  bool was_open = work.open;
  work.memory.fail_request = work.memory.requests + 1 + request % 3;
  work.memory.fail_on = request % 2;
  scene_close(&work, true);
  work.memory.fail_request = 0;
  if (was_open && work.status != TD_OK && work.status != TD_NO_MEMORY) {
    failed(what, request, false, "closing");
  }
  if (work.memory.held) failed(what, request, false, "memory was left behind");
  if (what->appends) return;
  const char *wrong = scene_survive(&work);
  if (wrong) failed(what, request, false, wrong);
}

static void try_all(const struct action *what) {
  for (uint32_t on = 0; on < 2; on++) {
    for (uint64_t request = 1;; request++) {
      bool tried = try_without(what, request, on);
      close_without(what, request);
      scene_deinit(&work);
      if (!tried) break;
    }
  }
}

static void put_layout(scene *at) {
  static char text[512];
  size_t size = layout_text(text, sizeof text, 1, "ranges", 5,
    "[{\"shard\":3,\"first\":\"0x0000000000000000\","
    "\"last\":\"0x7fffffffffffffff\"},"
    "{\"shard\":3,\"first\":\"0x8000000000000000\","
    "\"last\":\"0xffffffffffffffff\"}]");
  at->layout = (td_span){(uint8_t *)text, size};
}

static void put_cuts(scene *at) {
  uint8_t bytes[256];
  td_log_id log = at->options.log;
  td_cuts cuts = {.generation = 1, .count = 1, .shard = log.shard,
                  .region = log.region};
  td_cut cut = {{20}, 1};
  CHECK(td_cuts_encode(&cuts, &cut, bytes, sizeof bytes, NULL) == TD_OK);
  td_disk_put(&at->disk, "cuts-s00003", (td_span){bytes, td_cuts_size(1)});
}

/* A log with marks, cuts and one large batch; and as a crash tore it. */
static void make_world(uint64_t seed) {
  scene_init(&made, seed);
  made.options.log = (td_log_id){{1}, {3}};
  made.options.segment_bytes = SEGMENT_BYTES;
  put_layout(&made);
  CHECK(scene_open(&made) == TD_OK);
  CHECK(scene_append(&made, 5) == TD_OK && do_checkpoint(&made) == TD_OK);
  CHECK(do_sessions(&made) == TD_OK);
  uint32_t batches = 1 + (uint32_t)td_prng_below(&made.prng, 5);
  for (uint32_t i = 0; i < batches; i++) do_append(&made);
  scene_close(&made, false);
  CHECK(scene_read(&made, &made.model, NULL) == TD_END);
  put_cuts(&made);
  td_disk_copy(&made.disk, &torn.disk);
  scene_init_over(&torn, &made);
  const td_disk_names *names = &torn.disk.cached;
  const char *last = "";
  for (uint32_t i = 0; i < names->count; i++) {
    const char *name = names->list[i].text;
    if (name[0] == 'w' && strcmp(name, last) > 0) last = name;
  }
  const td_disk_bytes *file = td_disk_find(&torn.disk, last);
  file->data[file->size - 1 - seed % 100] ^= 1;
  torn.model.list[torn.model.count - 1].acked = false;
}

static void case_all(void) {
  uint64_t seed = test_seed();
  uint32_t worlds = 0;
  while (worlds < WORLDS / SCENE_SHARE || test_again()) {
    session_bytes = worlds % SESSION_WORLDS ? 600 : SESSION_BYTES;
    make_world(seed);
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
      try_all(&actions[i]);
    }
    scene_deinit(&torn);
    scene_deinit(&made);
    seed += 15485863u;
    worlds++;
  }
  printf("# %llu runs in %u worlds, %llu refused\n", (unsigned long long)runs,
         worlds, (unsigned long long)refused);
  CHECK(runs >= RUNS_LEAST / SCENE_SHARE);
  CHECK(refused >= REFUSED_LEAST / SCENE_SHARE);
}

void test_memory(void) {
  test_case("memory", "every request fails, in all that a log does",
            case_all);
}
