/* Threads append while a migration copies, holds them, cuts and publishes:
 * each acknowledged event is live once, where the next layout wants it.
 * Covers flow/migrate io/wal_group io/wal_home. */
#define _POSIX_C_SOURCE 200809L

#include "test/test.h"

#include <dirent.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "flow/migrate.h"
#include "io/env_posix.h"
#include "io/wal_live.h"
#include "test/layout_text.h"

#define THREADS 3u
#define APPENDS 400u      /* of each thread */
#define LOGS 3u
#define TRIES 8u
#define TOTAL (THREADS * APPENDS)
#define DIR_PATH "build/migrate-thread-test"

static const char HALVES[] =
  "[{\"shard\":2,\"first\":\"0x0000000000000000\","
  "\"last\":\"0x7fffffffffffffff\"},"
  "{\"shard\":1,\"first\":\"0x8000000000000000\","
  "\"last\":\"0xffffffffffffffff\"}]";

static char texts[2][1024];
static td_wal_log logs[LOGS];
static uint32_t live[TOTAL];      /* times; by thread and number */

typedef struct writer {
  uint32_t number;
  uint32_t failures, moved;
} writer;

static td_span layout(uint32_t which) {
  size_t size = which == 0
    ? layout_text(texts[0], sizeof texts[0], 7, "hash", LOGS, NULL)
    : layout_text(texts[1], sizeof texts[1], 9, "ranges", LOGS, HALVES);
  return (td_span){(const uint8_t *)texts[which], size};
}

static uint64_t id_of(uint32_t index) {
  return (index + 1) * 0x9e3779b97f4a7c15u;
}

static uint32_t owner_before(uint64_t id) {
  return (uint32_t)(td_hash_entity((td_entity_id){id}) % LOGS);
}

static uint32_t owner_after(uint64_t id) {
  return id >> 63 ? 1 : 2;
}

/* By the old layout, until a log says who owns the id now; again while it is
 * another one's event in the group that was refused. */
static td_status append(writer *self, const td_record *record) {
  uint32_t shard = owner_before(record->entity.value);
  uint32_t next = owner_after(record->entity.value);
  td_status status = TD_MOVED;
  for (uint32_t tries = 0; tries < TRIES && status == TD_MOVED; tries++) {
    td_error err;
    status = td_wal_log_append(&logs[shard], record, 1, NULL, &err);
    if (status != TD_MOVED) break;
    bool mine = err.got == record->entity.value;
    if (mine && (err.bound != next || shard == next)) self->failures++;
    self->moved++;
    shard = next;
  }
  return status;
}

static void *write_some(void *ctx) {
  writer *self = ctx;
  for (uint32_t i = 0; i < APPENDS; i++) {
    uint32_t index = self->number * APPENDS + i;
    td_record record = {{id_of(index)}, index, 1.0f, 1};
    if (append(self, &record) != TD_OK) self->failures++;
  }
  return NULL;
}

/* --- the migration beside them -------------------------------------------- */

static td_status lap(td_migrate *m, td_error *err) {
  td_status status = td_migrate_look(m, err);
  for (uint32_t i = 0; i < m->count; i++) {
    td_migrate_log *log = &m->logs[i];
    log->after = log->next;
    log->upto = log->last;
    if (td_seqno_cmp(log->after, log->upto) > 0) log->after = log->upto;
  }
  if (status == TD_OK) status = td_migrate_lap(m, err);
  while (status == TD_OK) status = td_migrate_step(m, 500, err);
  return status == TD_END ? TD_OK : status;
}

static td_status migrate(td_wal_home *home) {
  td_migrate m;
  td_error err;
  td_migrate_options options = {.region = {2}, .flush_bytes = 400};
  td_status status = td_migrate_open(&m, home, layout(1), &options, &err);
  if (status != TD_OK) return status;
  for (uint32_t i = 0; i < 3 && status == TD_OK; i++) status = lap(&m, &err);
  if (status == TD_OK) status = td_migrate_hold(&m, &err);
  if (status == TD_OK) status = lap(&m, &err);
  if (status == TD_OK) status = td_migrate_publish(&m, layout(1), &err);
  td_migrate_let_go(&m);
  td_status end = td_migrate_close(&m, &err);
  return status == TD_OK ? end : status;
}

/* --- what is there -------------------------------------------------------- */

static void count_live(const td_wal_home *home) {
  td_wal_dir dir;
  td_wal_layouts layouts;
  CHECK(td_wal_dir_list(&dir, &home->env, home->dir, NULL) == TD_OK);
  CHECK(td_wal_layouts_open(&layouts, &dir, NULL) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) {
    td_wal_live walk;
    td_wal_event event;
    CHECK(td_wal_live_open(&walk, &layouts, (td_shard_id){(uint16_t)s},
                           (td_seqno){0}, NULL) == TD_OK);
    while (td_wal_live_next(&walk, &event, NULL) == TD_OK) {
      uint64_t index = event.record.timestamp_ns;
      CHECK(index < TOTAL && owner_after(event.record.entity.value) == s);
      if (index < TOTAL) live[index]++;
    }
    CHECK(walk.failed.status == TD_END);
    td_wal_live_close(&walk);
  }
  td_wal_layouts_close(&layouts);
  td_wal_dir_close(&dir);
}

static void remove_all(void) {
  DIR *dir = opendir(DIR_PATH);
  if (!dir) return;
  for (struct dirent *entry; (entry = readdir(dir));) {
    char path[512];
    snprintf(path, sizeof path, DIR_PATH "/%s", entry->d_name);
    if (entry->d_name[0] != '.') (void)unlink(path);
  }
  closedir(dir);
  (void)rmdir(DIR_PATH);
}

static void open_all(td_wal_home *home) {
  td_env env = td_env_posix();
  (void)mkdir("build", 0777);
  remove_all();
  CHECK(mkdir(DIR_PATH, 0777) == 0);
  CHECK(td_wal_home_open(home, &env, DIR_PATH, NULL) == TD_OK);
  CHECK(td_wal_home_adopt(home, layout(0), NULL) == TD_OK);
  for (uint32_t s = 0; s < LOGS; s++) {
    td_wal_options options = td_wal_options_init((td_log_id){
      {2}, {(uint16_t)s}});
    options.segment_bytes = 20000;
    options.group_delay_ns = 0;
    CHECK(td_wal_log_open(&logs[s], home, &options, NULL) == TD_OK);
  }
}

static void case_race(void) {
  pthread_t threads[THREADS];
  writer writers[THREADS];
  td_wal_home home;
  uint32_t moved = 0, wrong = 0;
  memset(live, 0, sizeof live);
  open_all(&home);
  for (uint32_t w = 0; w < THREADS; w++) {
    writers[w] = (writer){.number = w};
    CHECK(pthread_create(&threads[w], NULL, write_some, &writers[w]) == 0);
  }
  CHECK(migrate(&home) == TD_OK);
  for (uint32_t w = 0; w < THREADS; w++) {
    pthread_join(threads[w], NULL);
    CHECK_U64(writers[w].failures, 0);
    moved += writers[w].moved;
  }
  for (uint32_t s = 0; s < LOGS; s++) {
    CHECK(td_wal_log_close(&logs[s], true, NULL) == TD_OK);
  }
  count_live(&home);
  td_wal_home_close(&home);
  for (uint32_t i = 0; i < TOTAL; i++) wrong += live[i] != 1;
  CHECK_U64(wrong, 0);
  printf("# %u events, %u were told of a new owner\n", TOTAL, moved);
  remove_all();
}

void test_migrate_threads(void) {
  for (uint32_t i = 0; i < 3; i++) {
    test_case("migrate_threads", "three writers beside a migration",
              case_race);
  }
}
