/* Threads append, another one follows: only the durable number crosses. On
 * the real disk, over several openings of the log. Covers io/wal_follow. */
#define _POSIX_C_SOURCE 200809L

#include "test/test.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "format/record.h"
#include "io/env_posix.h"
#include "io/wal_follow.h"
#include "io/wal_log.h"

#define WRITERS 3u
#define APPENDS 150u
#define ROUNDS 3u
#define DIR_PATH "build/follow-thread-test"

static td_wal_log writing;
static td_wal_follow follow;
static _Atomic uint32_t writers_done;

/* Written by the follower's thread. */
static uint64_t followed, batches, wrong;

static td_entity_id entity_of(uint64_t writer, uint64_t i) {
  return (td_entity_id){UINT64_MAX - (writer << 32 | i)};
}

/* Entities tell who wrote an event, and that nobody's order is changed. */
static void *write_some(void *ctx) {
  uint32_t number = *(uint32_t *)ctx;
  for (uint32_t i = 0; i < APPENDS; i++) {
    td_record record = {entity_of(number, i), i, 1.0f, 1};
    if (td_wal_log_append(&writing, &record, 1, NULL, NULL) != TD_OK) break;
    if (number == 0 && i % 50 == 49) {
      td_wal_progress progress = {.seqno = td_wal_log_durable(&writing)};
      if (td_wal_log_checkpoint(&writing, &progress, NULL) != TD_OK) break;
    }
  }
  writers_done++;
  return NULL;
}

static void take(const td_wal_batch *batch, uint64_t *next) {
  batches++;
  if (batch->head.first_seq.value != followed + 1) wrong++;
  followed = td_batch_last_seq(&batch->head).value;
  for (uint32_t i = 0; i < batch->head.event_count; i++) {
    td_entity_id id = td_record_entity(batch->payload.data
                                       + (size_t)i * TD_RECORD_BYTES);
    uint64_t writer = (UINT64_MAX - id.value) >> 32;
    uint64_t at = (UINT64_MAX - id.value) & UINT32_MAX;
    if (writer >= WRITERS || at != next[writer]) wrong++;
    else next[writer]++;
  }
}

static void *follow_them(void *ctx) {
  uint64_t next[WRITERS] = {0};
  td_error *err = ctx;
  for (;;) {
    bool last = writers_done == WRITERS;  /* read before the number */
    td_seqno durable = td_wal_log_durable(&writing);
    td_wal_batch batch;
    td_status status;
    while ((status = td_wal_follow_next(&follow, durable, &batch, err))
           == TD_OK) take(&batch, next);
    if (status != TD_END || followed != durable.value) {
      wrong++;
      return NULL;
    }
    if (last) break;
    sched_yield();
  }
  for (uint32_t i = 0; i < WRITERS; i++) wrong += next[i] != APPENDS;
  return NULL;
}

static void run_round(td_wal_home *home, uint32_t round) {
  pthread_t threads[WRITERS + 1];
  uint32_t numbers[WRITERS];
  td_error err;
  td_wal_options options = td_wal_options_init((td_log_id){{1}, {2}});
  options.segment_bytes = 3000;
  options.ahead_bytes = 512;
  options.group_delay_ns = 0;
  CHECK(td_wal_log_open(&writing, home, &options, &err) == TD_OK);
  writers_done = 0;
  CHECK(pthread_create(&threads[WRITERS], NULL, follow_them, &err) == 0);
  for (uint32_t w = 0; w < WRITERS; w++) {
    numbers[w] = w;
    CHECK(pthread_create(&threads[w], NULL, write_some, &numbers[w]) == 0);
  }
  for (uint32_t w = 0; w <= WRITERS; w++) pthread_join(threads[w], NULL);
  CHECK_U64(followed, (round + 1ull) * WRITERS * APPENDS);
  CHECK(td_wal_log_close(&writing, round == 1, NULL) == TD_OK);
}

static int remove_one(void *ctx, const char *name) {
  char path[160];
  snprintf(path, sizeof path, DIR_PATH "/%s", name);
  (void)unlink(path);
  (void)ctx;
  return 1;
}

static void case_threads(void) {
  td_env env = td_env_posix();
  td_wal_home home;
  (void)mkdir("build", 0777);
  (void)mkdir(DIR_PATH, 0777);
  CHECK(td_wal_home_open(&home, &env, DIR_PATH, NULL) == TD_OK);
  CHECK(td_wal_follow_open(&follow, &env, DIR_PATH, (td_log_id){{1}, {2}},
                           (td_seqno){1}, NULL) == TD_OK);
  followed = batches = wrong = 0;
  for (uint32_t round = 0; round < ROUNDS; round++) run_round(&home, round);
  CHECK_U64(wrong, 0);
  printf("# %u threads, %llu events, %llu batches\n", WRITERS,
         (unsigned long long)followed, (unsigned long long)batches);
  td_wal_follow_close(&follow);
  env.store->dir_list(env.store_ctx, home.dir, remove_one, NULL);
  td_wal_home_close(&home);
  (void)rmdir(DIR_PATH);
}

void test_follow_threads(void) {
  test_case("follow_threads", "three threads append, one follows",
            case_threads);
}
