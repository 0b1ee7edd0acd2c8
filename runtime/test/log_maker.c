#include "test/log_maker.h"

#include <stdlib.h>
#include <string.h>

#include "format/record.h"
#include "test/test.h"

log_maker make_segment(uint16_t shard, uint64_t first_seq) {
  return (log_maker){
    .name = {{shard}, {first_seq}}, .version = 2, .next_seq = first_seq,
  };
}

static uint8_t *claim(log_maker *maker, size_t size) {
  if (maker->size + size > maker->room) {
    maker->room = 2 * (maker->size + size);
    maker->bytes = realloc(maker->bytes, maker->room);
    td_assert(maker->bytes);
  }
  maker->size += size;
  return maker->bytes + maker->size - size;
}

/* Seals a batch around the payload that was claimed behind its header. */
static void seal(log_maker *maker, td_batch batch, uint8_t *at, size_t size) {
  batch.version = maker->version;
  batch.shard = maker->name.shard;
  batch.region = maker->region;
  batch.lazy = maker->lazy;
  batch.layout_epoch = maker->epoch;
  batch.first_seq.value = maker->next_seq;
  batch.timestamp_ns = UINT64_MAX - maker->next_seq;
  td_span payload = {at + TD_BATCH_HEADER_BYTES, size};
  td_status status = td_batch_seal(&batch, payload, at, NULL);
  td_assert(status == TD_OK);
  td_assert(maker->batch_count < MAKER_BATCHES_MAX);
  maker->starts[maker->batch_count++] = (size_t)(at - maker->bytes);
  maker->starts[maker->batch_count] = maker->size;
  maker->next_seq += batch.event_count;
}

void make_batch(log_maker *maker, uint32_t events) {
  size_t size = (size_t)events * TD_RECORD_BYTES;
  uint8_t *at = claim(maker, TD_BATCH_HEADER_BYTES + size);
  for (uint32_t i = 0; i < events; i++) {
    uint64_t seq = maker->next_seq + i;
    td_record record = {{~seq}, seq, 1.5f, (uint8_t)seq};
    td_record_encode(&record,
                     at + TD_BATCH_HEADER_BYTES + i * TD_RECORD_BYTES);
  }
  seal(maker, (td_batch){.event_count = events}, at, size);
}

void make_session(log_maker *maker, size_t size) {
  uint8_t *at = claim(maker, TD_BATCH_HEADER_BYTES + size);
  for (size_t i = 0; i < size; i++) {
    at[TD_BATCH_HEADER_BYTES + i] = (uint8_t)(i * 7 + i / 256);
  }
  td_batch batch = {.event_count = 1, .kind = TD_BATCH_SESSIONS};
  seal(maker, batch, at, size);
}

void make_zeros(log_maker *maker, size_t size) {
  memset(claim(maker, size), 0, size);
}

void make_stored(log_maker *maker, memory_store *store) {
  char name[TD_SEGNAME_TEXT_MAX];
  td_segname_format(maker->name, name);
  memory_store_put(store, name, (td_span){maker->bytes, maker->size});
  free(maker->bytes);
  maker->bytes = NULL;
  maker->size = maker->room = 0;
  maker->batch_count = 0;
  maker->name.first_seq.value = maker->next_seq;
}

static bool same_error(const td_error *a, const td_error *b) {
  return a->status == b->status && a->sys == b->sys && a->got == b->got
      && a->bound == b->bound && a->offset == b->offset
      && a->subject == b->subject && strcmp(a->file, b->file) == 0;
}

static void check_fault_again(td_wal_cursor *cursor, const td_error *first) {
  td_wal_batch batch, before;
  td_error err;
  memset(&batch, 0xa5, sizeof batch);
  memcpy(&before, &batch, sizeof batch);
  CHECK(td_wal_cursor_next(cursor, &batch, &err) == first->status);
  CHECK(same_error(&err, first));
  CHECK(td_wal_cursor_next(cursor, &batch, NULL) == first->status);
  CHECK(memcmp(&batch, &before, sizeof batch) == 0);
}

static void note_batch(log_walk *walk, const td_wal_batch *batch) {
  uint8_t raw[8 + TD_BATCH_HEADER_BYTES];
  uint64_t first = batch->head.first_seq.value;
  if (walk->batches == 0) walk->first = first;
  else CHECK_U64(first, walk->last + 1);
  CHECK(batch->payload.size == batch->head.payload_len);
  CHECK(td_batch_verify(&batch->head, batch->payload, NULL) == TD_OK);
  td_put_u64(raw, walk->digests[walk->batches]);
  td_batch_encode(&batch->head, raw + 8);
  if (walk->batches < MAKER_BATCHES_MAX) walk->batches++;
  walk->digests[walk->batches] = td_hash64((td_span){raw, sizeof raw});
  walk->events += batch->head.event_count;
  walk->last = td_batch_last_seq(&batch->head).value;
}

void walk_log(log_walk *walk, const td_wal_dir *dir, uint16_t shard,
              uint64_t from) {
  td_wal_cursor cursor;
  td_wal_batch batch, before;
  *walk = (log_walk){.err = {.status = TD_OK}};
  if (td_wal_cursor_open(&cursor, dir, (td_shard_id){shard},
                         (td_seqno){from}, &walk->err) == TD_OK) {
    memset(&batch, 0xa5, sizeof batch);
    memcpy(&before, &batch, sizeof batch);
    while (td_wal_cursor_next(&cursor, &batch, &walk->err) == TD_OK) {
      note_batch(walk, &batch);
      memcpy(&before, &batch, sizeof batch);
    }
    CHECK(memcmp(&batch, &before, sizeof batch) == 0);
    check_fault_again(&cursor, &walk->err);
  }
  td_wal_cursor_close(&cursor);
  td_wal_cursor_close(&cursor);
}

void walk_store(log_walk *walk, memory_store *store, uint16_t shard,
                uint64_t from) {
  td_env env = memory_store_env(store);
  td_wal_dir dir;
  CHECK(td_wal_dir_open(&dir, &env, "memory", NULL) == TD_OK);
  walk_log(walk, &dir, shard, from);
  td_wal_dir_close(&dir);
  td_wal_dir_close(&dir);
  CHECK(store->dirs_open == 0 && store->files_open == 0);
  CHECK(store->blocks_held == 0);
}

void check_fault(const log_walk *walk, td_status status, const char *file,
                 uint64_t offset, uint32_t batches) {
  CHECK_TEXT(td_status_code(walk->err.status), td_status_code(status));
  CHECK_TEXT(walk->err.file, file);
  CHECK_U64(walk->err.offset, offset);
  CHECK_U64(walk->batches, batches);
}
