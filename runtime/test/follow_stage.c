#include "test/follow_stage.h"

#include <string.h>

#include "test/test.h"

follow_stage stage;

void stage_make(uint64_t first, bool large) {
  log_maker maker = make_segment(7, first);
  uint32_t n = 0;
  memory_store_init(&stage.store, test_seed());
  stage.log = (td_log_id){{9}, {7}};
  maker.region.value = 9;
  for (uint32_t s = 0; s < 3; s++) {
    stage.names[s] = maker.name;
    for (uint32_t b = 0; b < (s < 2 ? 3u : 2u); b++) {
      stage.firsts[n] = maker.next_seq;
      stage.segments[n] = s;
      stage.offsets[n] = maker.size;
      n++;
      if (large && s == 1 && b == 1) make_session(&maker, 300000);
      else make_batch(&maker, 1 + (s + b) % 3);
    }
    if (s != 1) make_zeros(&maker, 100);
    make_stored(&maker, &stage.store);
  }
  stage.firsts[n] = maker.next_seq;
  CHECK(n == STAGE_BATCHES);
  for (uint16_t shard = 6; shard <= 8; shard += 2) {  /* of other logs */
    char name[TD_SEGNAME_TEXT_MAX];
    td_segname_format((td_segname){{shard}, {stage.firsts[1]}}, name);
    memory_store_put(&stage.store, name, (td_span){NULL, 0});
  }
}

uint64_t stage_last(void) { return stage.firsts[STAGE_BATCHES] - 1; }

td_wal_follow *stage_open(uint64_t from) {
  static td_wal_follow follow;
  td_env env = memory_store_env(&stage.store);
  CHECK(td_wal_follow_open(&follow, &env, "memory", stage.log,
                           (td_seqno){from}, NULL) == TD_OK);
  return &follow;
}

void stage_close(td_wal_follow *follow) {
  td_wal_follow_close(follow);
  td_wal_follow_close(follow);
  CHECK(stage.store.dirs_open == 0 && stage.store.files_open == 0);
  CHECK(stage.store.blocks_held == 0);
}

td_status stage_read(td_wal_follow *follow, uint64_t durable,
                         uint32_t *at, td_error *err) {
  td_wal_batch batch, before;
  td_status status;
  memset(&batch, 0x5a, sizeof batch);
  memcpy(&before, &batch, sizeof batch);
  while ((status = td_wal_follow_next(follow, (td_seqno){durable}, &batch,
                                      err)) == TD_OK) {
    CHECK(*at < STAGE_BATCHES);
    if (*at == STAGE_BATCHES) return TD_OK;
    td_segname name = td_wal_follow_segment(follow);
    CHECK_U64(batch.head.first_seq.value, stage.firsts[*at]);
    CHECK_U64(batch.offset, stage.offsets[*at]);
    CHECK(td_segname_cmp(name, stage.names[stage.segments[*at]]) == 0);
    CHECK(td_batch_last_seq(&batch.head).value <= durable);
    memcpy(&before, &batch, sizeof batch);
    ++*at;
  }
  CHECK(memcmp(&batch, &before, sizeof batch) == 0);
  return status;
}

uint8_t *stage_bytes(uint32_t segment, size_t *size) {
  char name[TD_SEGNAME_TEXT_MAX];
  td_segname_format(stage.names[segment], name);
  memory_file *file = memory_store_find(&stage.store, name);
  td_assert(file);
  *size = file->size;
  return file->bytes;
}

void stage_check_end(td_wal_follow *follow, uint64_t durable, uint32_t at,
                      uint32_t want) {
  td_error err;
  CHECK(stage_read(follow, durable, &at, &err) == TD_END);
  CHECK(err.status == TD_END);
  CHECK_U64(at, want);
}
