/* Errors of the real kernel: strace makes one system call of a writer fail,
 * every call of every kind in turn. Whatever the writer acknowledged must be
 * there afterwards, and the directory must open.
 *
 * The writer is this program again, as `tidal-unit --append DIR`. */
#define _POSIX_C_SOURCE 200809L

#include "test/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "io/env_posix.h"
#include "test/log_scene.h"

#define DIR_PATH "build/log-strace-test"
#define TRACE_PATH "build/log-strace-test.txt"
#define RUNS_LEAST 300u
#define CALLS_MOST 4000u        /* lines of one trace */
#define STOPPED 3               /* the writer gave up, and said why */

static td_wal_home home;
static td_wal_log log_;

static td_status open_log(td_error *err) {
  td_env env = td_env_posix();
  td_wal_options options = td_wal_options_init((td_log_id){{2}, {1}});
  options.segment_bytes = 400;
  options.ahead_bytes = 256;
  options.group_delay_ns = 0;
  td_status status = td_wal_home_open(&home, &env, DIR_PATH, err);
  if (status != TD_OK) return status;
  status = td_wal_log_open(&log_, &home, &options, err);
  if (status != TD_OK) td_wal_home_close(&home);
  return status;
}

static td_status close_log(bool clean) {
  td_status status = td_wal_log_close(&log_, clean, NULL);
  td_wal_home_close(&home);
  return status;
}

/* --- the writer ---------------------------------------------------------- */

/* Entities are their own numbers. A full disk is tried again. */
static td_status append_some(uint32_t batches) {
  for (uint32_t i = 0; i < batches; i++) {
    td_record records[5];
    uint64_t next = td_wal_log_durable(&log_).value + 1;
    for (uint32_t e = 0; e < 5; e++) {
      records[e] = (td_record){{next + e}, ~next, 1.0f, 1};
    }
    td_status status = td_wal_log_append(&log_, records, 5, NULL, NULL);
    uint64_t durable = td_wal_log_durable(&log_).value;
    if (status == TD_FULL) continue;
    if (status != TD_OK) return status;
    if (write(STDOUT_FILENO, &durable, sizeof durable) != sizeof durable) {
      return TD_END;
    }
  }
  return TD_OK;
}

static td_status retire(void) {
  td_wal_progress progress = {.seqno = td_wal_log_durable(&log_)};
  td_status status = td_wal_log_checkpoint(&log_, &progress, NULL);
  if (status == TD_OK) {
    status = td_wal_log_truncate(&log_, progress.seqno, NULL, NULL);
  }
  return status == TD_FULL || status == TD_IO ? TD_OK : status;
}

/* Two lives of a log, the second one with a recovery; two batches fill a
 * segment. */
static td_status live(void) {
  td_status status = TD_OK;
  for (uint32_t i = 0; i < 2 && status == TD_OK; i++) {
    status = open_log(NULL);
    if (status != TD_OK) return status;
    status = append_some(3);
    if (status == TD_OK) status = retire();
    if (status == TD_OK) status = append_some(1);
    td_status closed = close_log(i > 0);
    if (status == TD_OK && closed != TD_FULL) status = closed;
  }
  return status;
}

int test_append(const char *path) {
  if (strcmp(path, DIR_PATH) != 0) return 2;
  td_status status = live();
  if (status == TD_OK) return 0;
  return status == TD_POISONED || status == TD_IO ? STOPPED : 1;
}

/* --- strace -------------------------------------------------------------- */

/* Runs strace over `command` and reads the last number it prints. Returns the
 * exit status, 127 = there is no strace. */
static int run_strace(const char *trace, const char *inject,
                      const char *program, const char *argument,
                      uint64_t *acked) {
  int ends[2], status = 0;
  uint64_t one;
  *acked = 0;
  if (pipe(ends) != 0) return 126;
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    int nowhere = open("/dev/null", O_WRONLY);
    (void)dup2(ends[1], STDOUT_FILENO);
    (void)dup2(nowhere, STDERR_FILENO);
    (void)close(ends[0]);
    (void)setenv("ASAN_OPTIONS", "detect_leaks=0", 1);
    execlp("strace", "strace", "-qq", "-o", inject ? "/dev/null" : TRACE_PATH,
           "-e", trace, "-e", inject ? inject : trace, program, argument,
           argument ? DIR_PATH : NULL, (char *)NULL);
    _exit(127);
  }
  (void)close(ends[1]);
  while (read(ends[0], &one, sizeof one) == (ssize_t)sizeof one) *acked = one;
  (void)close(ends[0]);
  if (child < 0 || waitpid(child, &status, 0) != child) return 126;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 125;
}

static const char *const calls[] = {
  "pwrite64", "fdatasync", "fsync", "openat", "renameat", "ftruncate",
  "unlinkat", "pread64", "flock", "getdents64",
};
#define CALLS (sizeof calls / sizeof *calls)
#define TRACE "trace=pwrite64,fdatasync,fsync,openat,renameat,ftruncate," \
              "unlinkat,pread64,flock,getdents64"

/* How many calls of each kind the writer makes when nothing fails; those up
 * to `before` load the program. */
typedef struct counts {
  uint32_t before[CALLS], all[CALLS];
} counts;

static void count_calls(counts *out) {
  char line[512];
  bool ours = false;
  *out = (counts){.all = {0}};
  FILE *trace = fopen(TRACE_PATH, "r");
  CHECK(trace);
  for (uint32_t n = 0; trace && n < CALLS_MOST; n++) {
    if (!fgets(line, sizeof line, trace)) break;
    ours |= strstr(line, DIR_PATH) != NULL;
    for (uint32_t i = 0; i < CALLS; i++) {
      size_t size = strlen(calls[i]);
      if (strncmp(line, calls[i], size) != 0 || line[size] != '(') continue;
      out->all[i]++;
      out->before[i] += !ours;
    }
  }
  if (trace) fclose(trace);
  for (uint32_t i = 0; i < CALLS; i++) {
    if (out->all[i] > out->before[i]) continue;
    test_failed(__FILE__, __LINE__, "the writer never calls %s", calls[i]);
  }
}

/* --- the parent ---------------------------------------------------------- */

static int remove_one(void *ctx, const char *name) {
  const td_wal_home *at = ctx;
  (void)at->env.store->dir_unlink(NULL, at->dir, name);
  return 1;
}

/* Leaves an empty directory. */
static void make_empty(void) {
  td_env env = td_env_posix();
  td_wal_home at = {.env = env};
  static const char *const paths[] = {DIR_PATH "/quarantine", DIR_PATH};
  (void)mkdir("build", 0777);
  for (uint32_t i = 0; i < 2; i++) {
    if (env.store->dir_open(NULL, paths[i], &at.dir) != 0) continue;
    (void)env.store->dir_list(NULL, at.dir, remove_one, &at);
    env.store->dir_close(NULL, at.dir);
    (void)rmdir(paths[i]);
  }
  CHECK(mkdir(DIR_PATH, 0777) == 0);
}

static uint64_t read_back(void) {
  td_wal_dir dir;
  td_wal_cursor cursor;
  td_wal_batch batch;
  td_error err;
  uint64_t last = 0;
  uint32_t wrong = 0;
  CHECK(td_wal_dir_list(&dir, &home.env, home.dir, NULL) == TD_OK);
  CHECK(td_wal_cursor_open(&cursor, &dir, (td_shard_id){1}, (td_seqno){0},
                           NULL) == TD_OK);
  while (td_wal_cursor_next(&cursor, &batch, &err) == TD_OK) {
    for (uint32_t i = 0; i < batch.head.event_count; i++) {
      last = batch.head.first_seq.value + i;
      const uint8_t *at = batch.payload.data + (size_t)i * TD_RECORD_BYTES;
      wrong += td_record_entity(at).value != last;
    }
  }
  CHECK(err.status == TD_END);
  CHECK_U64(wrong, 0);
  td_wal_cursor_close(&cursor);
  td_wal_dir_close(&dir);
  return last;
}

/* Recovers, finds what was acknowledged, and goes on. */
static void check_left(const char *inject, uint64_t acked) {
  td_error err = {.status = TD_OK};
  if (open_log(&err) != TD_OK) {
    char text[TD_ERROR_TEXT_MAX];
    td_error_format(&err, text, sizeof text);
    test_failed(__FILE__, __LINE__, "%s: no restart: %s", inject, text);
    return;
  }
  uint64_t durable = td_wal_log_durable(&log_).value, last = read_back();
  if (durable < acked || (last > 0 && last != durable)) {
    test_failed(__FILE__, __LINE__, "%s: %llu acknowledged, %llu found",
                inject, (unsigned long long)acked,
                (unsigned long long)durable);
  }
  td_record one = {{durable + 1}, 0, 1.0f, 1};
  CHECK(td_wal_log_append(&log_, &one, 1, NULL, NULL) == TD_OK);
  CHECK(close_log(false) == TD_OK);
}

static void fail_one(const char *program, const char *call, uint32_t number,
                     const char *error) {
  char trace[64], inject[96];
  uint64_t acked;
  snprintf(trace, sizeof trace, "trace=%s", call);
  snprintf(inject, sizeof inject, "inject=%s:error=%s:when=%u", call, error,
           number);
  make_empty();
  int status = run_strace(trace, inject, program, "--append", &acked);
  /* Nothing goes on behind a sync that failed. */
  bool sync = strcmp(call, "fsync") == 0 || strcmp(call, "fdatasync") == 0;
  bool must_stop = sync && strcmp(error, "EINTR") != 0;
  if (status != STOPPED && (status != 0 || must_stop)) {
    test_failed(__FILE__, __LINE__, "%s: the writer ends with %d", inject,
                status);
  }
  check_left(inject, acked);
}

/* False, and the case is skipped, where nothing can be traced. */
static bool can_trace(const char *program, counts *out) {
  uint64_t acked;
  make_empty();
  int status = run_strace("trace=openat", NULL, "true", NULL, &acked);
  if (status != 0) {
    test_skip("D8 %s", status == 127 ? "strace is not installed"
                                     : "strace may not trace here");
    return false;
  }
  CHECK(run_strace(TRACE, NULL, program, "--append", &acked) == 0);
  CHECK_U64(acked, 2 * 4 * 5);
  count_calls(out);
  (void)unlink(TRACE_PATH);
  return true;
}

static void case_strace(void) {
  static const char *const errors[] = {"EIO", "ENOSPC", "EINTR", "EDQUOT",
                                       "EROFS", "ENOMEM"};
  uint32_t runs = 0, kinds = test_soak() ? 6 : 3;
  char program[512];
  counts made;
  ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
  CHECK(size > 0);
  program[size > 0 ? size : 0] = '\0';
  if (!can_trace(program, &made)) return;
  do {
    for (uint32_t i = 0; i < CALLS; i++) {
      for (uint32_t n = made.before[i]; n < made.all[i]; n++) {
        for (uint32_t e = 0; e < kinds; e++) {
          if (SCENE_SHARE > 1 && (n + i + e) % SCENE_SHARE) continue;
          fail_one(program, calls[i], n + 1, errors[e]);
          runs++;
        }
      }
    }
  } while (test_again());
  printf("# %u runs\n", runs);
  CHECK(runs >= RUNS_LEAST / SCENE_SHARE);
  make_empty();
  (void)rmdir(DIR_PATH);
}

void test_strace(void) {
  test_case("strace", "errors of the kernel", case_strace);
}
