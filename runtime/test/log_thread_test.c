/* Many threads, one log: each gets its own numbers, groups form, and what a
 * reader finds is what each of them wrote. Covers io/lock_posix. */
#define _POSIX_C_SOURCE 200809L

#include "test/test.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "io/env_posix.h"
#include "io/wal_parts.h"
#include "test/log_scene.h"

#define THREADS 4u
#define APPENDS 300u
#define EVENTS_MOST 3u
#define TOTAL_MAX (THREADS * APPENDS * EVENTS_MOST)
#define DIR_PATH "build/log-thread-test"

typedef struct writer {
  td_wal_log *log;
  td_wal_log *beside;         /* gets one event of every fourth append */
  uint32_t number;
  uint32_t failures;
  uint64_t seqs[APPENDS];     /* of the first event of each append */
  uint32_t counts[APPENDS];
} writer;

static writer writers[THREADS];
static uint64_t owners[TOTAL_MAX + 1];  /* entity by sequence number */

static uint64_t entity_of(uint32_t number, uint32_t i, uint32_t event) {
  return UINT64_MAX - (((uint64_t)number * APPENDS + i) * 8 + event);
}

/* Every fourth time by itself, together with another log. */
static td_status append(writer *self, uint32_t i, const td_record *records,
                        uint32_t count, td_seqno *first) {
  if (i % 4 != self->number % 4) {
    return td_wal_log_append(self->log, records, count, first, NULL);
  }
  td_wal_part parts[2] = {
    {.log = self->log, .records = records, .count = count},
    {.log = self->beside, .records = records, .count = 1},
  };
  td_status status = td_wal_append_all(parts, 2, NULL);
  *first = parts[0].first;
  return status;
}

static void *write_some(void *ctx) {
  writer *self = ctx;
  for (uint32_t i = 0; i < APPENDS; i++) {
    td_record records[EVENTS_MOST];
    td_seqno first = {0};
    uint32_t count = 1 + (i + self->number) % EVENTS_MOST;
    for (uint32_t e = 0; e < count; e++) {
      records[e] = (td_record){{entity_of(self->number, i, e)}, i, 1.0f, 1};
    }
    td_status status = append(self, i, records, count, &first);
    if (status != TD_OK) self->failures++;
    if (td_wal_log_durable(self->log).value < first.value + count - 1) {
      self->failures++;  /* acknowledged and not durable */
    }
    self->seqs[i] = first.value;
    self->counts[i] = count;
  }
  return NULL;
}

/* Checkpoints and syncs in between: they share the file with appends. */
static void *disturb(void *ctx) {
  td_wal_log *log = ctx;
  for (uint32_t i = 0; i < 30; i++) {
    td_wal_progress progress = {.seqno = td_wal_log_durable(log)};
    if (td_wal_log_checkpoint(log, &progress, NULL) != TD_OK) return ctx;
    if (td_wal_log_truncate(log, (td_seqno){0}, NULL, NULL) != TD_OK) {
      return ctx;
    }
    if (td_wal_log_sync(log, NULL) != TD_OK) return ctx;
  }
  return NULL;
}

static uint32_t read_owners(const td_wal_home *home, uint32_t *batches) {
  td_wal_dir dir;
  td_wal_cursor cursor;
  td_wal_batch batch;
  uint32_t events = 0;
  *batches = 0;
  CHECK(td_wal_dir_list(&dir, &home->env, home->dir, NULL) == TD_OK);
  CHECK(td_wal_cursor_open(&cursor, &dir, (td_shard_id){2}, (td_seqno){0},
                           NULL) == TD_OK);
  while (td_wal_cursor_next(&cursor, &batch, NULL) == TD_OK) {
    (*batches)++;
    for (uint32_t i = 0; i < batch.head.event_count; i++) {
      uint64_t seq = batch.head.first_seq.value + i;
      CHECK(seq <= TOTAL_MAX);
      if (seq > TOTAL_MAX) break;
      owners[seq] = td_record_entity(batch.payload.data
                                     + i * TD_RECORD_BYTES).value;
      events++;
    }
  }
  td_wal_cursor_close(&cursor);
  td_wal_dir_close(&dir);
  return events;
}

static void check_writers(void) {
  for (uint32_t w = 0; w < THREADS; w++) {
    CHECK_U64(writers[w].failures, 0);
    for (uint32_t i = 0; i < APPENDS; i++) {
      for (uint32_t e = 0; e < writers[w].counts[i]; e++) {
        uint64_t seq = writers[w].seqs[i] + e;
        CHECK(seq >= 1 && seq <= TOTAL_MAX
              && owners[seq] == entity_of(w, i, e));
      }
      if (i > 0) CHECK(writers[w].seqs[i] > writers[w].seqs[i - 1]);
    }
  }
}

static void run_threads(td_wal_log *log, td_wal_log *beside) {
  pthread_t threads[THREADS + 1];
  void *failed = NULL;
  for (uint32_t w = 0; w < THREADS; w++) {
    writers[w] = (writer){.log = log, .beside = beside, .number = w};
    CHECK(pthread_create(&threads[w], NULL, write_some, &writers[w]) == 0);
  }
  CHECK(pthread_create(&threads[THREADS], NULL, disturb, log) == 0);
  for (uint32_t w = 0; w < THREADS; w++) pthread_join(threads[w], NULL);
  pthread_join(threads[THREADS], &failed);
  CHECK(!failed);
}

static void remove_all(const td_wal_home *home) {
  char path[128];
  td_wal_dir dir;
  CHECK(td_wal_dir_list(&dir, &home->env, home->dir, NULL) == TD_OK);
  for (uint32_t i = 0; i < dir.segment_count; i++) {
    char name[TD_SEGNAME_TEXT_MAX];
    td_segname_format(dir.segments[i].name, name);
    snprintf(path, sizeof path, DIR_PATH "/%s", name);
    (void)unlink(path);
  }
  td_wal_dir_close(&dir);
  (void)unlink(DIR_PATH "/checkpoint-s00002.0");
  (void)unlink(DIR_PATH "/checkpoint-s00002.1");
  (void)unlink(DIR_PATH "/checkpoint-s00003.0");
  (void)unlink(DIR_PATH "/checkpoint-s00003.1");
  (void)unlink(DIR_PATH "/LOCK");
  (void)rmdir(DIR_PATH);
}

/* What a run left that was ended is in the way. */
static void open_empty(td_wal_home *home, const td_env *env) {
  (void)mkdir("build", 0777);
  (void)mkdir(DIR_PATH, 0777);
  CHECK(td_wal_home_open(home, env, DIR_PATH, NULL) == TD_OK);
  remove_all(home);
  td_wal_home_close(home);
  CHECK(mkdir(DIR_PATH, 0777) == 0);
  CHECK(td_wal_home_open(home, env, DIR_PATH, NULL) == TD_OK);
}

static void run_group(uint32_t events_max, uint64_t delay_ns) {
  td_env env = td_env_posix();
  td_wal_home home, other;
  static td_wal_log log, beside;
  td_error err;
  td_wal_options options = td_wal_options_init((td_log_id){{1}, {2}});
  uint32_t batches = 0;
  options.group_events_max = events_max;
  options.group_delay_ns = delay_ns;
  options.segment_bytes = 20000;
  open_empty(&home, &env);
  CHECK(td_wal_home_open(&other, &env, DIR_PATH, &err) == TD_LOCKED);
  td_status status = td_wal_log_open(&log, &home, &options, &err);
  CHECK(status == TD_OK);
  options.log.shard.value = 3;
  CHECK(td_wal_log_open(&beside, &home, &options, &err) == TD_OK);
  if (status == TD_OK) {
    run_threads(&log, &beside);
    CHECK_U64(td_wal_log_durable(&beside).value, THREADS * APPENDS / 4);
    CHECK(td_wal_log_close(&log, true, &err) == TD_OK);
    CHECK(td_wal_log_close(&beside, true, &err) == TD_OK);
  }
  uint64_t total = THREADS * APPENDS * (EVENTS_MOST + 1) / 2;
  CHECK_U64(read_owners(&home, &batches), total);
  check_writers();
  printf("# %u threads, %u appends, %u batches\n", THREADS,
         THREADS * APPENDS, batches);
  CHECK(batches < THREADS * APPENDS);  /* groups did form */
  CHECK(batches >= total / events_max);
  remove_all(&home);
  td_wal_home_close(&home);
}

static void case_groups(void) { run_group(100, 0); }
static void case_small_groups(void) { run_group(5, 200000); }

void test_log_threads(void) {
  test_case("log_threads", "four threads, one commits for all", case_groups);
  test_case("log_threads", "groups that are soon full", case_small_groups);
}
