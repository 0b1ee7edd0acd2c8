/* kill -9 on a writer, on the real disk: a child appends and reports what is
 * acknowledged through a pipe; the parent kills it at a random moment,
 * recovers, and finds everything that was reported, with its content. One
 * log and one thread in most rounds; in the others several logs in one
 * directory, two threads in each of them, and one that appends to all. */
#define _POSIX_C_SOURCE 200809L

#include "test/test.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/prng.h"
#include "io/env_posix.h"
#include "io/wal_parts.h"
#include "test/log_scene.h"

#define DIR_PATH "build/log-kill-test"
#define ROUNDS_LEAST 1000u
#define MANY_EVERY 8u           /* one round of so many has many threads */
#define LOGS 3u
#define THREADS 3u              /* in each log, the last one in all */
#define NUMBER_BITS 62u         /* of an entity; the others are the thread */
#define EVENTS_MOST 20u
#define WAIT_NS_MOST 4000000u
#define KEEP_EVENTS 2000u       /* truncation leaves these */

/* What one thread has written into its log: events that carry the thread and
 * a number of its own, which rises by one. */
typedef struct track {
  uint64_t next;          /* number of its next event */
  uint64_t acked;         /* through this one they must be there */
  uint64_t acked_seq;     /* ... and this is its place in the log */
} track;

typedef struct ack {
  uint32_t log, thread;
  uint64_t number, seq;
} ack;

static td_wal_home home;
static td_wal_log logs[LOGS];
static track tracks[LOGS][THREADS];
static int report;              /* the child's end of the pipe */

static td_log_id log_id(uint32_t log) {
  return (td_log_id){{3}, {(uint16_t)(log * 7)}};
}

static td_status open_logs(uint32_t count, td_error *err) {
  td_env env = td_env_posix();
  td_status status = td_wal_home_open(&home, &env, DIR_PATH, err);
  if (status != TD_OK) return status;
  for (uint32_t i = 0; i < count && status == TD_OK; i++) {
    td_wal_options options = td_wal_options_init(log_id(i));
    options.segment_bytes = 16384;
    options.ahead_bytes = 4096;
    options.group_delay_ns = 0;
    status = td_wal_log_open(&logs[i], &home, &options, err);
  }
  return status;
}

static void close_logs(uint32_t count, bool clean) {
  for (uint32_t i = 0; i < count; i++) {
    CHECK(td_wal_log_close(&logs[i], clean, NULL) == TD_OK);
  }
  td_wal_home_close(&home);
}

/* --- the child ----------------------------------------------------------- */

typedef struct writer {
  uint32_t log, thread;
  td_prng prng;
} writer;

static td_entity_id entity_of(uint32_t thread, uint64_t number) {
  return (td_entity_id){(uint64_t)thread << NUMBER_BITS | number};
}

static void report_ack(uint32_t log, uint32_t thread, uint64_t last_seq) {
  ack said = {log, thread, tracks[log][thread].next - 1, last_seq};
  if (write(report, &said, sizeof said) != sizeof said) _exit(4);
}

static uint32_t make_events(const track *at, uint32_t thread, td_prng *prng,
                            td_record records[EVENTS_MOST]) {
  uint32_t count = 1 + (uint32_t)td_prng_below(prng, EVENTS_MOST);
  for (uint32_t i = 0; i < count; i++) {
    records[i] = (td_record){entity_of(thread, at->next + i), ~at->next, 1.0f,
                             1};
  }
  return count;
}

static void append_some(writer *self) {
  track *at = &tracks[self->log][self->thread];
  td_record records[EVENTS_MOST];
  td_seqno first;
  uint32_t count = make_events(at, self->thread, &self->prng, records);
  if (td_wal_log_append(&logs[self->log], records, count, &first, NULL)
      != TD_OK) {
    _exit(3);
  }
  at->next += count;
  report_ack(self->log, self->thread, first.value + count - 1);
}

static void *append_to_all(void *ctx) {
  static td_record records[LOGS][EVENTS_MOST];
  writer *self = ctx;
  for (;;) {
    td_wal_part parts[LOGS];
    for (uint32_t i = 0; i < LOGS; i++) {
      const track *at = &tracks[i][self->thread];
      uint32_t count = make_events(at, self->thread, &self->prng, records[i]);
      parts[i] = (td_wal_part){.log = &logs[i], .records = records[i],
                               .count = count};
    }
    if (td_wal_append_all(parts, LOGS, NULL) != TD_OK) _exit(9);
    for (uint32_t i = 0; i < LOGS; i++) {
      tracks[i][self->thread].next += parts[i].count;
      report_ack(i, self->thread, parts[i].first.value + parts[i].count - 1);
    }
  }
}

/* Ends by the parent's signal, or after a failure. */
static void *write_until_killed(void *ctx) {
  writer *self = ctx;
  td_wal_log *log = &logs[self->log];
  for (;;) {
    append_some(self);
    if (td_prng_below(&self->prng, 8) || self->thread > 0) continue;
    td_wal_progress progress = {.seqno = td_wal_log_durable(log)};
    if (td_wal_log_checkpoint(log, &progress, NULL) != TD_OK) _exit(5);
    uint64_t keep = progress.seqno.value;
    keep = keep > KEEP_EVENTS ? keep - KEEP_EVENTS : 0;
    if (td_wal_log_truncate(log, (td_seqno){keep}, NULL, NULL) != TD_OK) {
      _exit(6);
    }
  }
}

static _Noreturn void be_killed(uint32_t count, uint64_t seed) {
  static writer writers[LOGS * THREADS];
  pthread_t thread;
  if (open_logs(count, NULL) != TD_OK) _exit(2);
  uint32_t many = count == 1 ? 1 : LOGS * (THREADS - 1) + 1;
  for (uint32_t i = 0; i < many; i++) {
    bool all = i == LOGS * (THREADS - 1);
    writers[i] = (writer){i % LOGS, i / LOGS, {seed + i}};
    if (i > 0 && pthread_create(&thread, NULL,
                                all ? append_to_all : write_until_killed,
                                &writers[i])) {
      _exit(7);
    }
  }
  write_until_killed(&writers[0]);
  _exit(8);
}

/* --- the parent ---------------------------------------------------------- */

static bool read_ack(int from) {
  ack said;
  if (read(from, &said, sizeof said) != (ssize_t)sizeof said) return false;
  CHECK(said.log < LOGS && said.thread < THREADS);
  track *at = &tracks[said.log % LOGS][said.thread % THREADS];
  at->acked = said.number;
  at->acked_seq = said.seq;
  return true;
}

static void run_child(uint32_t count, td_prng *prng) {
  int ends[2], status = 0;
  uint64_t seed = td_prng_next(prng);
  CHECK(pipe(ends) == 0);
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    (void)close(ends[0]);
    report = ends[1];
    be_killed(count, seed);
  }
  (void)close(ends[1]);
  CHECK(child > 0);
  /* Mostly after a first report, however slow the machine is; else from the
   * opening on, also in the middle of it. */
  if (td_prng_below(prng, 4)) CHECK(read_ack(ends[0]));
  struct timespec delay = {0, (long)td_prng_below(prng, WAIT_NS_MOST)};
  (void)nanosleep(&delay, NULL);
  if (child > 0) {
    (void)kill(child, SIGKILL);
    CHECK(waitpid(child, &status, 0) == child);
    if (!(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)) {
      test_failed(__FILE__, __LINE__, "the writer ended by itself: 0x%x",
                  (unsigned)status);
    }
  }
  while (read_ack(ends[0])) continue;
  (void)close(ends[0]);
}

/* Each thread's numbers follow one another, through what was acknowledged. */
static void check_log(const td_wal_dir *dir, uint32_t log) {
  td_wal_cursor cursor;
  td_wal_batch batch;
  td_error err;
  uint64_t last[THREADS] = {0}, first_seq = 0;
  uint32_t wrong = 0;
  CHECK(td_wal_cursor_open(&cursor, dir, log_id(log).shard, (td_seqno){0},
                           NULL) == TD_OK);
  while (td_wal_cursor_next(&cursor, &batch, &err) == TD_OK) {
    if (first_seq == 0) first_seq = batch.head.first_seq.value;
    for (uint32_t i = 0; i < batch.head.event_count; i++) {
      const uint8_t *at = batch.payload.data + (size_t)i * TD_RECORD_BYTES;
      uint64_t entity = td_record_entity(at).value;
      uint64_t number = entity & ((UINT64_C(1) << NUMBER_BITS) - 1);
      uint64_t *before = &last[(entity >> NUMBER_BITS) % THREADS];
      wrong += *before > 0 && number != *before + 1;
      *before = number;
    }
  }
  CHECK(err.status == TD_END);
  CHECK_U64(wrong, 0);
  td_wal_cursor_close(&cursor);
  for (uint32_t t = 0; t < THREADS; t++) {
    track *at = &tracks[log][t];
    /* Or all of it was retired since. */
    CHECK(last[t] >= at->acked || at->acked_seq < first_seq);
    if (last[t] >= at->next) at->next = last[t] + 1;
    if (at->acked >= at->next) at->next = at->acked + 1;
    CHECK(td_wal_log_durable(&logs[log]).value >= at->acked_seq);
  }
}

static void check_logs(uint32_t count) {
  td_wal_dir dir;
  CHECK(td_wal_dir_list(&dir, &home.env, home.dir, NULL) == TD_OK);
  for (uint32_t i = 0; i < count; i++) check_log(&dir, i);
  td_wal_dir_close(&dir);
}

static int remove_one(void *ctx, const char *name) {
  const td_wal_home *at = ctx;
  (void)at->env.store->dir_unlink(NULL, at->dir, name);
  return 1;
}

/* The directory and quarantine/ in it. */
static void remove_all(void) {
  td_env env = td_env_posix();
  td_wal_home at = {.env = env};
  static const char *const paths[] = {DIR_PATH "/quarantine", DIR_PATH};
  for (uint32_t i = 0; i < 2; i++) {
    if (env.store->dir_open(NULL, paths[i], &at.dir) != 0) continue;
    (void)env.store->dir_list(NULL, at.dir, remove_one, &at);
    env.store->dir_close(NULL, at.dir);
    (void)rmdir(paths[i]);
  }
}

static uint64_t acked_events(void) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < LOGS * THREADS; i++) {
    sum += tracks[i / THREADS][i % THREADS].acked;
  }
  return sum;
}

/* One round; false = the directory does not open any more. */
static bool kill_one(uint32_t round, td_prng *prng, uint32_t *rewritten) {
  td_error err;
  uint32_t count = round % MANY_EVERY ? 1 : LOGS;
  run_child(count, prng);
  if (open_logs(count, &err) != TD_OK) {
    char text[TD_ERROR_TEXT_MAX];
    td_error_format(&err, text, sizeof text);
    test_failed(__FILE__, __LINE__, "round %u: %s", round, text);
    return false;
  }
  for (uint32_t i = 0; i < count; i++) {
    *rewritten += logs[i].recovery.rewritten;
  }
  check_logs(count);
  close_logs(count, round % 2);
  return true;
}

static void case_kill(void) {
  uint32_t rounds = 0, rewritten = 0, moved = 0;
  td_prng prng = {test_seed()};
  remove_all();
  (void)mkdir("build", 0777);
  CHECK(mkdir(DIR_PATH, 0777) == 0);
  for (uint32_t i = 0; i < LOGS * THREADS; i++) {
    tracks[i / THREADS][i % THREADS].next = 1;
  }
  while (rounds < ROUNDS_LEAST / SCENE_SHARE || test_again()) {
    uint64_t before = acked_events();
    if (!kill_one(rounds, &prng, &rewritten)) break;
    moved += acked_events() > before;
    rounds++;
  }
  printf("# %u kills, %llu events acknowledged, last segment written anew %u "
         "times\n", rounds, (unsigned long long)acked_events(), rewritten);
  CHECK(rewritten > 0 && moved > rounds / 10);
  remove_all();
}

void test_kill(void) {
  test_case("kill", "kill -9 at any time, on the real disk", case_kill);
}
