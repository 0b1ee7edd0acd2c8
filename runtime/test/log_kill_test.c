/* kill -9 on a writer, on the real disk: a child appends and reports each
 * acknowledged number through a pipe; the parent kills it at a random moment,
 * recovers, and finds everything that was reported, with its content. */
#define _POSIX_C_SOURCE 200809L

#include "test/test.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/prng.h"
#include "io/env_posix.h"
#include "test/log_scene.h"

#define DIR_PATH "build/log-kill-test"
#define EVENTS_MOST 20u
#define WAIT_NS_MOST 20000000u

static td_wal_log log_;
static td_wal_home home;

static td_wal_options kill_options(void) {
  td_wal_options options = td_wal_options_init((td_log_id){{3}, {0}});
  options.segment_bytes = 16384;
  options.ahead_bytes = 4096;
  options.group_delay_ns = 0;
  return options;
}

static td_status open_log(td_error *err) {
  td_env env = td_env_posix();
  td_wal_options options = kill_options();
  td_status status = td_wal_home_open(&home, &env, DIR_PATH, err);
  if (status != TD_OK) return status;
  status = td_wal_log_open(&log_, &home, &options, err);
  if (status != TD_OK) td_wal_home_close(&home);
  return status;
}

/* An event's content comes from its number. */
static td_status append_some(td_prng *prng) {
  td_record records[EVENTS_MOST];
  uint64_t next = td_wal_log_durable(&log_).value + 1;
  uint32_t count = 1 + (uint32_t)td_prng_below(prng, EVENTS_MOST);
  for (uint32_t i = 0; i < count; i++) {
    records[i] = (td_record){{~(next + i)}, next + i, 1.0f, 1};
  }
  return td_wal_log_append(&log_, records, count, NULL, NULL);
}

/* Ends by the parent's signal, or after a failure. */
static _Noreturn void write_until_killed(int report, uint64_t seed) {
  td_prng prng = {seed};
  if (open_log(NULL) != TD_OK) _exit(2);
  for (;;) {
    td_status status = append_some(&prng);
    uint64_t durable = td_wal_log_durable(&log_).value;
    if (status != TD_OK) _exit(3);
    if (write(report, &durable, sizeof durable) != sizeof durable) _exit(4);
    if (td_prng_below(&prng, 8)) continue;
    td_wal_progress progress = {.seqno = {durable}};
    if (td_wal_log_checkpoint(&log_, &progress, NULL) != TD_OK) _exit(5);
    td_seqno keep = {durable > 2000 ? durable - 2000 : 0};
    if (td_wal_log_truncate(&log_, keep, NULL, NULL) != TD_OK) _exit(6);
  }
}

/* The last number that was reported before the child was killed. */
static uint64_t run_child(uint64_t seed, td_prng *prng) {
  int ends[2];
  uint64_t acked = 0, one;
  int status = 0;
  if (pipe(ends) != 0) return 0;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    (void)close(ends[0]);
    write_until_killed(ends[1], seed);
  }
  (void)close(ends[1]);
  CHECK(child > 0);
  /* Mostly after a first report, however slow the machine is; else from the
   * opening on, also in the middle of it. */
  if (td_prng_below(prng, 4)) {
    CHECK(read(ends[0], &acked, sizeof acked) == (ssize_t)sizeof acked);
  }
  struct timespec delay = {0, (long)td_prng_below(prng, WAIT_NS_MOST)};
  (void)nanosleep(&delay, NULL);
  if (child > 0) {
    (void)kill(child, SIGKILL);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }
  while (read(ends[0], &one, sizeof one) == (ssize_t)sizeof one) acked = one;
  (void)close(ends[0]);
  return acked;
}

/* Every event there is carries what its number says; returns the last. */
static uint64_t read_back(void) {
  td_wal_dir dir;
  td_wal_cursor cursor;
  td_wal_batch batch;
  td_error err;
  uint64_t last = 0;
  uint32_t wrong = 0;
  CHECK(td_wal_dir_list(&dir, &home.env, home.dir, NULL) == TD_OK);
  CHECK(td_wal_cursor_open(&cursor, &dir, (td_shard_id){0}, (td_seqno){0},
                           NULL) == TD_OK);
  while (td_wal_cursor_next(&cursor, &batch, &err) == TD_OK) {
    for (uint32_t i = 0; i < batch.head.event_count; i++) {
      last = batch.head.first_seq.value + i;
      const uint8_t *at = batch.payload.data + (size_t)i * TD_RECORD_BYTES;
      wrong += td_record_entity(at).value != ~last;
    }
  }
  CHECK(err.status == TD_END);
  CHECK_U64(wrong, 0);
  td_wal_cursor_close(&cursor);
  td_wal_dir_close(&dir);
  return last;
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

static void case_kill(void) {
  uint32_t rounds = test_soak() ? 5000 : 50, rewritten = 0, moved = 0;
  td_prng prng = {test_seed()};
  uint64_t acked = 0;
  remove_all();
  (void)mkdir("build", 0777);
  CHECK(mkdir(DIR_PATH, 0777) == 0);
  for (uint32_t round = 0; round < rounds; round++) {
    td_error err;
    uint64_t before = acked;
    uint64_t reported = run_child(td_prng_next(&prng), &prng);
    if (reported > acked) acked = reported;
    moved += acked > before;
    td_status status = open_log(&err);
    if (status != TD_OK) {
      char text[TD_ERROR_TEXT_MAX];
      td_error_format(&err, text, sizeof text);
      test_failed(__FILE__, __LINE__, "round %u: %s", round, text);
      break;
    }
    rewritten += log_.recovery.rewritten;
    uint64_t durable = td_wal_log_durable(&log_).value;
    CHECK(durable >= acked);
    CHECK_U64(read_back(), durable);
    acked = durable;
    CHECK(td_wal_log_close(&log_, round % 2, NULL) == TD_OK);
    td_wal_home_close(&home);
  }
  printf("# %u kills, %llu events, last segment written anew %u times\n",
         rounds, (unsigned long long)acked, rewritten);
  CHECK(rewritten > 0 && moved > rounds / 10);
  remove_all();
}

void test_kill(void) {
  test_case("kill", "kill -9 at any time, on the real disk", case_kill);
}
