#include "test/home_world.h"

#include <stdlib.h>
#include <string.h>

#include "io/wal_live.h"
#include "test/layout_text.h"

home_world at;

static void *resize(void *ctx, void *ptr, size_t old_size, size_t size) {
  (void)ctx;
  (void)old_size;
  if (size == 0) {
    at.held -= ptr != NULL;
    free(ptr);
    return NULL;
  }
  if (++at.requests == at.fail_request) return NULL;
  at.held += ptr == NULL;
  return realloc(ptr, size);
}

static void *plain(void *ctx, void *ptr, size_t old_size, size_t size) {
  (void)ctx;
  (void)old_size;
  if (size > 0) return realloc(ptr, size);
  free(ptr);
  return NULL;
}

td_alloc world_plain(void) {
  return (td_alloc){plain, NULL};
}

void world_attach(void) {
  at.env = td_disk_env(&at.disk, (td_alloc){resize, NULL});
}

void world_begin(void) {
  memset(&at, 0, sizeof at);
  td_disk_init(&at.disk, world_plain(), test_seed());
  world_attach();
}

void world_end(void) {
  td_disk_deinit(&at.disk);
  CHECK_U64(at.held, 0);
}

td_span world_layout(uint32_t epoch, const char *strategy,
                     const char *ranges) {
  static char out[4][1024];
  static uint32_t next;
  char *room = out[next++ % 4];
  size_t size = layout_text(room, sizeof out[0], epoch, strategy,
                            ranges ? 2 : LOGS, ranges);
  return (td_span){(const uint8_t *)room, size};
}

td_status world_open(td_span layout) {
  td_status status = td_wal_home_open(&at.home, &at.env, "", &at.err);
  if (status == TD_OK && layout.size > 0) {
    status = td_wal_home_adopt(&at.home, layout, &at.err);
    if (status != TD_OK) td_wal_home_close(&at.home);
  }
  return status;
}

td_status world_open_log(uint32_t shard) {
  td_wal_options options = td_wal_options_init((td_log_id){
    {2}, {(uint16_t)shard}});
  options.group_delay_ns = 0;
  options.ahead_bytes = 512;
  options.segment_bytes = 700;
  return td_wal_log_open(&at.logs[shard], &at.home, &options, &at.err);
}

uint64_t world_id(uint32_t shard, uint64_t entity) {
  while (td_hash_entity((td_entity_id){entity}) % LOGS != shard) entity--;
  return entity;
}

td_status world_append(uint32_t shard, uint64_t entity) {
  td_record record = {{entity}, 1, 1.0f, 7};
  return td_wal_log_append(&at.logs[shard], &record, 1, NULL, &at.err);
}

void world_close(void) {
  for (uint32_t s = 0; s < LOGS; s++) {
    td_wal_log_close(&at.logs[s], false, NULL);
  }
  td_wal_home_close(&at.home);
}

static void count_log(const td_wal_layouts *layouts, uint32_t shard,
                          const uint64_t *ids, uint32_t *seen, uint32_t count,
                          uint32_t (*next_owner)(uint64_t id),
                          world_census *out) {
  td_wal_live live;
  td_wal_event event;
  CHECK(td_wal_live_open(&live, layouts, (td_shard_id){(uint16_t)shard},
                         (td_seqno){0}, NULL) == TD_OK);
  while (td_wal_live_next(&live, &event, NULL) == TD_OK) {
    uint64_t id = event.record.entity.value;
    if (next_owner(id) != shard) out->new = false;
    if (td_hash_entity(event.record.entity) % LOGS != shard) out->old = false;
    for (uint32_t i = 0; i < count; i++) seen[i] += ids[i] == id;
  }
  td_wal_live_close(&live);
}

void world_count(td_disk *disk, const uint64_t *ids, uint32_t count,
                 uint32_t (*next_owner)(uint64_t id), world_census *out) {
  td_env env = td_disk_env(disk, world_plain());
  td_wal_dir dir;
  td_wal_layouts layouts;
  uint32_t *seen = calloc(count, sizeof *seen);
  *out = (world_census){.old = true, .new = true};
  CHECK(seen != NULL);
  CHECK(td_wal_dir_open(&dir, &env, "", NULL) == TD_OK);
  CHECK(td_wal_layouts_open(&layouts, &dir, NULL) == TD_OK);
  for (uint32_t t = 0; t < LOGS; t++) {
    count_log(&layouts, t, ids, seen, count, next_owner, out);
  }
  td_wal_layouts_close(&layouts);
  td_wal_dir_close(&dir);
  for (uint32_t i = 0; i < count && seen; i++) {
    out->lost += seen[i] == 0;
    out->doubled += seen[i] > 1;
  }
  free(seen);
}
