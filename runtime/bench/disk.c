#define _GNU_SOURCE  /* nftw, mkdtemp */
#include "bench/disk.h"

#include <errno.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "io/env_posix.h"

#define TMPFS 0x01021994
#define RAMFS 0x858458f6
#define OVERLAY 0x794c7630
#define OPEN_FILES 32

#define REMOVALS_MAX 1000

static char root[BENCH_PATH_MAX + 32];
static atomic_bool ending;  /* a signal came: what is measured is over */

/* Who measures stops where it is, the rest is the other thread's. */
static void stop_if_ending(void) {
  while (atomic_load(&ending)) pause();
}

void disk_fail(const char *what, const char *why) {
  stop_if_ending();
  fprintf(stderr, "benchmark: %s: %s\n", what, why);
  exit(1);
}

void disk_check(td_status status, const td_error *err) {
  char text[TD_ERROR_TEXT_MAX];
  if (status == TD_OK) return;
  td_error_format(err, text, sizeof text);
  disk_fail("the log", text);
}

/* --- directories ---------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *about, int kind,
                      struct FTW *place) {
  (void)about;
  (void)kind;
  (void)place;
  return remove(path);
}

void disk_remove(const char *path) {
  (void)nftw(path, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS);
}

static void remove_root(void) {
  stop_if_ending();
  if (root[0]) disk_remove(root);
}

/* Waits for the signals that end the process, to leave nothing behind: what
 * is being measured makes files until it finds its directory gone. */
static void *clean_up(void *ctx) {
  sigset_t *ends = ctx;
  int number;
  if (sigwait(ends, &number) != 0) return NULL;
  atomic_store(&ending, true);
  for (int i = 0; i < REMOVALS_MAX && root[0] && access(root, F_OK) == 0;
       i++) {
    disk_remove(root);
  }
  _exit(128 + number);
}

static void watch_signals(void) {
  static sigset_t ends;
  pthread_t thread;
  sigemptyset(&ends);
  sigaddset(&ends, SIGINT);
  sigaddset(&ends, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &ends, NULL);
  if (pthread_create(&thread, NULL, clean_up, &ends) == 0) {
    pthread_detach(thread);
  } else {
    pthread_sigmask(SIG_UNBLOCK, &ends, NULL);
  }
}

void disk_start(const bench *b) {
  char path[sizeof root];
  if (root[0]) return;
  watch_signals();
  snprintf(path, sizeof path, "%s/tidal-bench-XXXXXX", b->disk);
  if (!mkdtemp(path)) disk_fail(b->disk, strerror(errno));
  memcpy(root, path, sizeof root);
  atexit(remove_root);
}

void disk_enter(const bench *b) {
  const struct sched_param first = {.sched_priority = 1};
  disk_start(b);
  bench_unpin();
  (void)sched_setscheduler(0, SCHED_FIFO, &first);
}

void disk_leave(const bench *b) {
  const struct sched_param usual = {.sched_priority = 0};
  (void)sched_setscheduler(0, SCHED_OTHER, &usual);
  bench_pin(b->cpu);
}

void disk_make(const char *name, char path[DISK_PATH_MAX]) {
  snprintf(path, DISK_PATH_MAX, "%s/%s", root, name);
  if (mkdir(path, 0777) != 0) disk_fail(path, strerror(errno));
}

uint64_t disk_room(void) {
  struct statvfs about;
  if (statvfs(root, &about) != 0) return 0;
  return (uint64_t)about.f_bavail * about.f_frsize;
}

/* The name of a file system that is not to be judged by, or NULL. */
static const char *unjudged(void) {
  struct statfs about;
  if (statfs(root, &about) != 0) return "unknown";
  switch ((unsigned long)about.f_type) {
    case TMPFS: return "tmpfs";
    case RAMFS: return "ramfs";
    case OVERLAY: return "overlay";
    default: return NULL;
  }
}

double disk_gate(const bench *b, double gate) {
  static bool told;
  const char *kind = unjudged();
  if (!kind) return gate;
  if (!told) {
    fprintf(stderr, "benchmark: %s is on %s: what waits for a disk is only"
                    " reported; --dir names another place\n", b->disk, kind);
  }
  told = true;
  return 0;
}

/* --- our log -------------------------------------------------------------- */

td_wal_options disk_options(uint16_t shard, td_sync_policy sync) {
  td_wal_options options = td_wal_options_init((td_log_id){{0}, {shard}});
  options.sync = sync;
  options.group_events_max = 1;
  options.group_delay_ns = 0;
  return options;
}

void disk_records(td_record *records, uint32_t count) {
  for (uint64_t i = 0; i < count; i++) {
    records[i] = (td_record){
      .entity = {i * 0x9e3779b97f4a7c15u}, .timestamp_ns = i,
      .weight = 1.5f, .signal_type = (uint8_t)i,
    };
  }
}

void disk_log_open(disk_log *disk, const char *name,
                   const td_wal_options *options) {
  td_error err;
  td_env env = td_env_posix();
  disk_records(disk->records, DISK_EVENTS_MAX);
  disk->events = DISK_EVENTS;
  disk_make(name, disk->path);
  disk_check(td_wal_home_open(&disk->home, &env, disk->path, &err), &err);
  disk_check(td_wal_log_open(&disk->log, &disk->home, options, &err), &err);
}

void disk_log_close(disk_log *disk, bool clean) {
  td_error err;
  disk_check(td_wal_log_close(&disk->log, clean, &err), &err);
  td_wal_home_close(&disk->home);
}

void disk_log_drop(disk_log *disk) {
  disk_log_close(disk, false);
  disk_remove(disk->path);
}

void disk_log_append(void *ctx, uint64_t times) {
  disk_log *disk = ctx;
  td_error err;
  for (uint64_t i = 0; i < times; i++) {
    disk_check(td_wal_log_append(&disk->log, disk->records, disk->events,
                                 NULL, &err), &err);
  }
}
