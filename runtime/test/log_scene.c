#include "test/log_scene.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "io/wal_parts.h"
#include "test/test.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#define HIDE(block, size) ASAN_POISON_MEMORY_REGION(block, size)
#define SHOW(block, size) ASAN_UNPOISON_MEMORY_REGION(block, size)
#else
#define HIDE(block, size) (void)(block)
#define SHOW(block, size) (void)(block)
#endif

#define EVENTS_MAX 40u
#define SPARES_MAX 4u
#define MANY_T UINT64_C(0x5454545454000000)
#define INTERVAL_NS 9000u  /* a call of the disk takes 1000 */

/* Blocks of the size that every reader takes are kept for the next one: a
 * sanitizer's own allocator gives them back to the system each time. */
static void *spares[SPARES_MAX];
static uint32_t spare_count;

static void *take(size_t size) {
  if (size != TD_WAL_BUFFER_BYTES || spare_count == 0) return malloc(size);
  void *block = spares[--spare_count];
  SHOW(block, size);
  return block;
}

static void give(void *block, size_t size) {
  if (size != TD_WAL_BUFFER_BYTES || spare_count == SPARES_MAX) {
    free(block);
    return;
  }
  HIDE(block, size);
  spares[spare_count++] = block;
}

static void *raw_resize(void *ctx, void *ptr, size_t old_size, size_t size) {
  (void)ctx;
  if (size == 0) {
    if (ptr) give(ptr, old_size);
    return NULL;
  }
  return ptr ? realloc(ptr, size) : take(size);
}

static void *resize(void *ctx, void *ptr, size_t old_size, size_t size) {
  scene_memory *memory = ctx;
  if (size == 0) {
    memory->held -= ptr != NULL;
    return raw_resize(NULL, ptr, old_size, 0);
  }
  uint64_t request = ++memory->requests;
  bool none = memory->fail_request
           && (request == memory->fail_request
               || (memory->fail_on && request > memory->fail_request));
  if (none) return NULL;
  td_assert(ptr ? old_size > 0 : old_size == 0);
  void *fresh = raw_resize(NULL, ptr, old_size, size);
  td_assert(fresh);
  memory->held += ptr == NULL;
  return fresh;
}

static void attach(scene *at) {
  at->env = td_disk_env(&at->disk, (td_alloc){resize, &at->memory});
}

void scene_init(scene *at, uint64_t seed) {
  memset(at, 0, sizeof *at);
  at->prng.state = seed;
  uint16_t shard = td_prng_below(&at->prng, 3) ? 0 : 3;
  td_log_id id = {{(uint16_t)td_prng_below(&at->prng, 2)}, {shard}};
  static const uint32_t aheads[] = {0, 256, 512, 1024};
  at->options = td_wal_options_init(id);
  at->options.segment_bytes = 500 + td_prng_below(&at->prng, 1200);
  at->options.ahead_bytes = aheads[td_prng_below(&at->prng, 4)];
  at->options.group_delay_ns = 0;
  td_disk_init(&at->disk, (td_alloc){raw_resize, NULL}, seed);
  attach(at);
}

void scene_choose_policy(scene *at, uint64_t seed) {
  if (seed % 5 > 1) return;
  at->options.sync = seed % 5 ? TD_SYNC_UNSAFE_NEVER
                              : TD_SYNC_UNSAFE_INTERVAL;
  at->options.sync_interval_ns = INTERVAL_NS;
  at->model.lazy = true;
}

void scene_init_over(scene *at, const scene *from) {
  at->memory = (scene_memory){.requests = 0};
  at->layout = from->layout;
  at->options = from->options;
  at->open = at->torn = at->suspect = at->rewritten = false;
  at->model = from->model;
  at->prng = from->prng;
  attach(at);
}

void scene_deinit(scene *at) {
  if (at->open) scene_close(at, false);
  td_disk_deinit(&at->disk);
}

td_status scene_read(scene *at, scene_model *out, td_error *err) {
  td_env env = td_disk_env(&at->disk, (td_alloc){raw_resize, NULL});
  td_wal_dir dir;
  td_wal_cursor cursor;
  td_wal_batch batch;
  out->count = 0;
  out->line = 0;
  out->lazy = false;
  td_status status = td_wal_dir_open(&dir, &env, "", err);
  if (status != TD_OK) return status;
  status = td_wal_cursor_open(&cursor, &dir, at->options.log.shard,
                              (td_seqno){0}, err);
  while (status == TD_OK) {
    status = td_wal_cursor_next(&cursor, &batch, err);
    if (status != TD_OK) break;
    td_assert(out->count < SCENE_BATCHES_MAX);
    out->list[out->count++] = (scene_batch){
      batch.head.first_seq.value, batch.head.event_count,
      td_hash64(batch.payload), true,
    };
  }
  td_wal_cursor_close(&cursor);
  td_wal_dir_close(&dir);
  return status;
}

const char *scene_compare(const scene_model *want, const scene_model *found) {
  uint32_t at = 0, i = 0;
  if (found->count > 0) {
    while (at < want->count && want->list[at].first != found->list[0].first) {
      at++;
    }
    if (at == want->count) return "a log that starts with a phantom";
  } else {
    at = want->count;
  }
  for (uint32_t gone = 0; gone < at; gone++) {
    const scene_batch *batch = &want->list[gone];
    bool below = batch->first + batch->events - 1 <= want->line;
    if (batch->acked && !below) return "an acknowledged batch is gone";
  }
  for (; i < found->count && at < want->count; i++, at++) {
    const scene_batch *a = &want->list[at], *b = &found->list[i];
    if (a->first != b->first || a->events != b->events
        || a->digest != b->digest) {
      return "another batch under this number";
    }
  }
  if (i < found->count) return "a phantom at the end";
  for (; at < want->count; at++) {
    if (want->list[at].acked) return "an acknowledged batch at the end is gone";
  }
  return NULL;
}

td_status scene_enter(scene *at, td_error *err) {
  td_status status = td_wal_home_open(&at->home, &at->env, "", err);
  if (status != TD_OK) return status;
  if (at->layout.size > 0) {
    status = td_wal_home_adopt(&at->home, at->layout, err);
  }
  if (status == TD_OK) {
    status = td_wal_log_open(&at->log, &at->home, &at->options, err);
  }
  if (status != TD_OK) td_wal_home_close(&at->home);
  return status;
}

td_status scene_open(scene *at) {
  scene_model found;
  td_assert(!at->open);
  at->status = scene_enter(at, &at->err);
  if (at->status != TD_OK) return at->status;
  at->open = true;
  at->torn |= at->log.recovery.torn;
  at->suspect |= at->log.recovery.suspect;
  at->rewritten |= at->log.recovery.rewritten;
  td_disk_faults faults = at->disk.faults;
  td_disk_counts counts = at->disk.counts;
  at->disk.faults = (td_disk_faults){.personality = faults.personality};
  bool off = at->disk.shut_down;
  at->disk.shut_down = false;
  td_status status = scene_read(at, &found, NULL);
  at->disk.faults = faults;
  at->disk.counts = counts;
  at->disk.shut_down = off;
  const char *wrong = status == TD_END ? scene_compare(&at->model, &found)
                                       : "the log opens and cannot be read";
  if (wrong) test_failed(__FILE__, __LINE__, "after opening: %s", wrong);
  found.line = at->model.line;
  found.lazy = at->model.lazy;
  at->model = found;
  uint64_t last = found.count == 0 ? td_wal_log_durable(&at->log).value
                  : found.list[found.count - 1].first
                      + found.list[found.count - 1].events - 1;
  if (td_wal_log_durable(&at->log).value != last) {
    test_failed(__FILE__, __LINE__, "the log opens at another number");
  }
  return TD_OK;
}

void scene_close(scene *at, bool clean) {
  if (!at->open) return;
  at->status = td_wal_log_close(&at->log, clean, &at->err);
  td_wal_home_close(&at->home);
  at->open = false;
}

/* What the log calls durable, it must keep: a reader may have been shown it.
 * Under lazy policies it is all that it must keep. */
static void note_durable(scene *at) {
  uint64_t durable = td_wal_log_durable(&at->log).value;
  for (uint32_t i = at->model.count; i > 0; i--) {
    scene_batch *batch = &at->model.list[i - 1];
    if (batch->acked) break;
    batch->acked = batch->first + batch->events - 1 <= durable;
  }
}

/* Alone, or as the one part of an append to several logs. */
static td_status append(scene *at, const td_record *records, uint32_t events,
                        td_seqno *first) {
  if (td_prng_below(&at->prng, 3)) {
    return td_wal_log_append(&at->log, records, events, first, &at->err);
  }
  td_wal_part part = {.log = &at->log, .records = records, .count = events};
  td_status status = td_wal_append_all(&part, 1, &at->err);
  CHECK(part.status == status);
  *first = part.first;
  return status;
}

td_status scene_append(scene *at, uint32_t events) {
  td_record records[EVENTS_MAX];
  uint8_t payload[EVENTS_MAX * TD_RECORD_BYTES];
  td_seqno first = {0};
  td_assert(events > 0 && events <= EVENTS_MAX);
  for (uint32_t i = 0; i < events; i++) {
    records[i] = (td_record){
      {td_prng_next(&at->prng)}, td_prng_next(&at->prng), 1.5f, 7,
    };
    /* What ends like the beginning of a header hides the next one from who
     * goes on too far. */
    if (i + 1 == events) records[i].timestamp_ns = MANY_T;
    td_record_encode(&records[i], payload + i * TD_RECORD_BYTES);
  }
  td_assert(at->model.count < SCENE_BATCHES_MAX);
  scene_batch *batch = &at->model.list[at->model.count++];
  *batch = (scene_batch){
    at->log.last_seq.value + 1, events,
    td_hash64((td_span){payload, (size_t)events * TD_RECORD_BYTES}), false,
  };
  td_status status = append(at, records, events, &first);
  at->status = status;
  if (status == TD_OK) {
    batch->acked = !at->model.lazy;
    CHECK_U64(first.value, batch->first);
  } else if (status != TD_POISONED) {
    at->model.count--;  /* certainly not there */
  }
  note_durable(at);
  return status;
}

static td_status step_checkpoint(scene *at) {
  uint64_t low = at->log.checkpoint.seqno.value;
  uint64_t high = td_wal_log_durable(&at->log).value;
  td_mark other = {{{9}, {9}}, 1, {td_prng_next(&at->prng)}};
  td_wal_progress progress = {
    .seqno = {low + td_prng_below(&at->prng, high - low + 1)},
    .marks = &other, .mark_count = (uint32_t)td_prng_below(&at->prng, 2),
  };
  return td_wal_log_checkpoint(&at->log, &progress, &at->err);
}

static td_status step_truncate(scene *at) {
  uint64_t line = at->log.older_seqno.value;
  if (td_prng_below(&at->prng, 2)) {
    line = td_prng_below(&at->prng, line + 1);
  }
  if (at->model.line < line) at->model.line = line;
  return td_wal_log_truncate(&at->log, (td_seqno){line}, NULL, &at->err);
}

bool scene_step(scene *at) {
  uint64_t kind = td_prng_below(&at->prng, 17);
  if (kind < 11) {
    uint64_t most = td_prng_below(&at->prng, 4) ? 9 : EVENTS_MAX;
    uint32_t events = 1 + (uint32_t)td_prng_below(&at->prng, most);
    at->status = scene_append(at, events);
  } else if (kind < 13) {
    at->status = step_checkpoint(at);
  } else if (kind == 13) {
    at->status = step_truncate(at);
  } else if (kind == 14) {
    at->status = td_wal_log_sync(&at->log, &at->err);
    note_durable(at);
  } else {
    scene_close(at, kind == 15);
    if (at->status == TD_OK) scene_open(at);
  }
  return at->status == TD_OK;
}

void scene_run(scene *at, uint32_t steps) {
  if (!at->open && scene_open(at) != TD_OK) return;
  for (uint32_t i = 0; i < steps; i++) {
    if (!scene_step(at)) return;
  }
}

const char *scene_survive(scene *at) {
  scene_model found, again;
  const char *wrong = NULL;
  if (scene_open(at) != TD_OK) return "false alarm: the log does not open";
  if (scene_append(at, 3) != TD_OK) wrong = "no append after recovery";
  scene_close(at, false);
  if (!wrong && scene_read(at, &found, NULL) != TD_END) wrong = "no reading";
  if (!wrong) wrong = scene_compare(&at->model, &found);
  if (!wrong && scene_open(at) != TD_OK) wrong = "no second recovery";
  scene_close(at, true);
  if (!wrong && scene_read(at, &again, NULL) != TD_END) wrong = "no reading";
  if (!wrong && (again.count != found.count
                 || scene_compare(&found, &again) != NULL)) {
    wrong = "recovering twice gives another log";
  }
  return wrong;
}
