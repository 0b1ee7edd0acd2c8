/* 15 logs in one process, a batch for each of them: written one after the
 * other and then synced together, against each written and synced by itself.
 * Told per round of 15 batches. */
#include "bench/disk.h"

#include <stdlib.h>

#include "io/env_posix.h"
#include "io/wal_parts.h"

#define LOGS 15u
#define ROUNDS 15u  /* of 15 syncs in a slice */

typedef struct many {
  char path[DISK_PATH_MAX];
  td_wal_home home;
  td_wal_log logs[LOGS];
  td_wal_part parts[LOGS];
  td_record records[DISK_EVENTS];
} many;

static many *open_many(const char *name) {
  many *m = bench_alloc(sizeof *m);
  td_error err;
  td_env env = td_env_posix();
  disk_records(m->records, DISK_EVENTS);
  disk_make(name, m->path);
  disk_check(td_wal_home_open(&m->home, &env, m->path, &err), &err);
  for (uint16_t i = 0; i < LOGS; i++) {
    td_wal_options options = disk_options(i, TD_SYNC_ALWAYS);
    disk_check(td_wal_log_open(&m->logs[i], &m->home, &options, &err), &err);
    m->parts[i] = (td_wal_part){.log = &m->logs[i], .records = m->records,
                                .count = DISK_EVENTS};
  }
  return m;
}

static void drop_many(many *m) {
  td_error err;
  for (uint32_t i = 0; i < LOGS; i++) {
    disk_check(td_wal_log_close(&m->logs[i], false, &err), &err);
  }
  td_wal_home_close(&m->home);
  disk_remove(m->path);
  free(m);
}

static void append_together(void *ctx, uint64_t times) {
  many *m = ctx;
  td_error err;
  for (uint64_t i = 0; i < times; i++) {
    disk_check(td_wal_append_all(m->parts, LOGS, &err), &err);
  }
}

static void append_in_turn(void *ctx, uint64_t times) {
  many *m = ctx;
  td_error err;
  for (uint64_t i = 0; i < times; i++) {
    for (uint32_t s = 0; s < LOGS; s++) {
      disk_check(td_wal_log_append(&m->logs[s], m->records, DISK_EVENTS, NULL,
                                   &err), &err);
    }
  }
}

void bench_log_many(bench *b) {
  if (!bench_wanted(b, "logs", "many")) return;
  disk_enter(b);
  many *ours = open_many("together"), *peer = open_many("in-turn");
  bench_pair pair = {
    .result = {.id = "many", .rule = BENCH_AT_LEAST,
               .name = "15 logs, synced together vs one by one"},
    .ours = append_together, .peer = append_in_turn,
    .ours_ctx = ours, .peer_ctx = peer, .times = ROUNDS};
  bench_measure_disk(b, "many", &pair, 1);
  disk_leave(b);
  drop_many(ours);
  drop_many(peer);
}
