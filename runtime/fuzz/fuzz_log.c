/* A log of two segments in memory, read by a cursor with short reads: it must
 * give the batches that a walk over each segment gives, as long as they
 * follow one another, and stop where they do not. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "format/segment.h"
#include "io/wal.h"
#include "test/memory_store.h"

#define CONTROL_BYTES 4u  /* behind the segments: where to cut, read size */

/* What the model knows of the log so far. */
typedef struct model {
  td_segname names[2];
  td_span bytes[2];
  td_segment segment;   /* walk over bytes[at] */
  uint32_t at;
  uint64_t next_seq;
  td_region_id region;
  bool started;
} model;

static td_status judge(const model *log, const td_batch *batch, size_t at) {
  if (!td_shard_id_eq(batch->shard, log->names[log->at].shard)) {
    return TD_MISMATCH;
  }
  if (log->started && !td_region_id_eq(batch->region, log->region)) {
    return TD_MISMATCH;
  }
  if (batch->first_seq.value == log->next_seq && log->next_seq > 0) {
    return TD_OK;
  }
  return at == 0 ? TD_MISMATCH : TD_SEQUENCE;
}

/* One step, as io/wal.h states it. */
static td_status model_next(model *log, td_wal_batch *out, uint64_t *offset) {
  for (; log->at < 2; log->at++) {
    *offset = log->segment.at;
    if (*offset == 0 && log->names[log->at].first_seq.value != log->next_seq) {
      bool gap = log->names[log->at].first_seq.value > log->next_seq;
      return gap && log->next_seq > 0 ? TD_MISSING : TD_SEQUENCE;
    }
    td_status status = td_segment_next(&log->segment, &out->head,
                                       &out->payload, NULL);
    if (status == TD_OK) {
      status = judge(log, &out->head, *offset);
      log->started = true;
      log->region = out->head.region;
      log->next_seq = out->head.first_seq.value + out->head.event_count;
    }
    if (status != TD_END) return status;
    if (log->at == 0) log->segment = td_segment_init(log->bytes[1]);
  }
  return TD_END;
}

static void check_same(const td_wal_batch *batch, const td_wal_batch *want,
                       const model *log, uint64_t offset) {
  uint8_t a[TD_BATCH_HEADER_BYTES], b[TD_BATCH_HEADER_BYTES];
  td_batch_encode(&batch->head, a);
  td_batch_encode(&want->head, b);
  td_assert(memcmp(a, b, sizeof a) == 0);
  td_assert(batch->offset == offset && batch->segment == log->at);
  td_assert(batch->payload.size == want->payload.size);
  td_assert(batch->payload.size == 0
            || memcmp(batch->payload.data, want->payload.data,
                      want->payload.size) == 0);
}

static void check_cursor(td_wal_cursor *cursor, model *log) {
  td_wal_batch batch, want;
  td_error err, again;
  uint64_t offset = 0;
  for (;;) {
    td_status expected = model_next(log, &want, &offset);
    fuzz_fill(&batch, sizeof batch);
    td_status status = td_wal_cursor_next(cursor, &batch, &err);
    td_assert(status == expected);
    if (status == TD_OK) {
      check_same(&batch, &want, log, offset);
      continue;
    }
    td_assert(fuzz_untouched(&batch, sizeof batch));
    td_assert(td_wal_cursor_next(cursor, &batch, &again) == status);
    td_assert(again.offset == err.offset);
    if (status == TD_END) return;
    char name[TD_SEGNAME_TEXT_MAX];
    td_segname_format(log->names[log->at], name);
    td_assert(err.offset == offset && strcmp(err.file, name) == 0);
    fuzz_check_error(status, &err);
    return;
  }
}

static void check_log(model *log, memory_store *store) {
  td_env env = memory_store_env(store);
  td_wal_dir dir;
  td_wal_cursor cursor;
  td_status status = td_wal_dir_open(&dir, &env, "memory", NULL);
  td_assert(status == TD_OK && dir.segment_count == 2);
  status = td_wal_cursor_open(&cursor, &dir, log->names[0].shard,
                              (td_seqno){0}, NULL);
  td_assert(status == TD_OK);
  check_cursor(&cursor, log);
  td_wal_cursor_close(&cursor);
  td_wal_dir_close(&dir);
  td_assert(store->dirs_open == 0 && store->files_open == 0);
  td_assert(store->blocks_held == 0);
}

/* Named after their first headers, where those are readable. */
static void name_segments(model *log) {
  for (uint32_t i = 0; i < 2; i++) {
    td_batch head = {.first_seq = {1}};
    (void)td_batch_decode(log->bytes[i], &head, NULL);
    log->names[i].shard = head.shard;
    log->names[i].first_seq = head.first_seq;
  }
  log->names[1].shard = log->names[0].shard;
  if (td_segname_cmp(log->names[0], log->names[1]) >= 0) {
    log->names[0].first_seq.value = 1;
    log->names[1].first_seq.value = 2;
  }
  log->next_seq = log->names[0].first_seq.value;
  log->segment = td_segment_init(log->bytes[0]);
}

/* The batch boundary at or behind `at`. */
static size_t boundary(td_span bytes, size_t at) {
  td_segment segment = td_segment_init(bytes);
  td_batch batch;
  td_span payload;
  while (segment.at < at) {
    if (td_segment_next(&segment, &batch, &payload, NULL) != TD_OK) break;
  }
  return segment.at;
}

static void run(td_span bytes, size_t cut, memory_store *store) {
  model log = {.at = 0};
  log.bytes[0] = (td_span){bytes.data, cut};
  log.bytes[1] = (td_span){bytes.data + cut, bytes.size - cut};
  name_segments(&log);
  for (uint32_t i = 0; i < 2; i++) {
    char name[TD_SEGNAME_TEXT_MAX];
    td_segname_format(log.names[i], name);
    memory_store_put(store, name, log.bytes[i]);
  }
  check_log(&log, store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  memory_store store;
  if (size < CONTROL_BYTES) return 0;
  size -= CONTROL_BYTES;
  uint8_t *fixed = fuzz_copy(data, size);
  const uint8_t *control = data + size;
  size_t cut = size * control[0] / 255;
  uint64_t first = control[1] < 128 ? control[1] : UINT64_MAX - control[1];
  if (control[2] > 0) fuzz_fix_segment(fixed, size, 1 + first);
  td_span bytes = {fixed, size};
  if (control[2] > 1) cut = boundary(bytes, cut);
  memory_store_init(&store, control[3]);
  store.read_max = control[3];
  run(bytes, cut, &store);
  memory_store_deinit(&store);
  free(fixed);
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  size_t size = 700;
  if (index > 7) return 0;
  td_assert(room >= size);
  memset(out, 3, size);
  memset(out + 400, 0, index & 4 ? 100 : 0);
  fuzz_fix_segment(out, size - CONTROL_BYTES, 1);
  out[size - 4] = (uint8_t)(60 * index);
  out[size - 3] = index & 1 ? 255 : 0;
  out[size - 2] = 2;
  out[size - 1] = (uint8_t)(20 * index);
  return size;
}
