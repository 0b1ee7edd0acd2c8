/* Real files to measure on, and our log among them.
 *
 * All files lie in one new directory below the one asked for (--dir), which
 * is removed when the process ends, also by SIGINT and SIGTERM. On tmpfs and
 * overlay a sync costs nothing or something else: there results are only
 * reported.
 *
 * Thread: owner. */
#ifndef TD_BENCH_DISK_H
#define TD_BENCH_DISK_H

#include "bench/bench.h"
#include "io/wal_log.h"

#define DISK_EVENTS 100u         /* of a batch: 2,164 bytes with its header */
#define DISK_EVENTS_MAX 1600u
#define DISK_BATCH_BYTES (TD_BATCH_HEADER_BYTES + DISK_EVENTS * TD_RECORD_BYTES)
#define DISK_PATH_MAX (BENCH_PATH_MAX + 64u)

/* Makes the directory, once; ends the process where it cannot. */
void disk_start(const bench *b);
/* Before and behind what waits for a disk: on any processor and, where that
 * is allowed, ahead of other processes, or on a busy machine a sync is mostly
 * waiting for a turn. Processes and threads made meanwhile do the same. */
void disk_enter(const bench *b);
void disk_leave(const bench *b);
/* A new directory in it. */
void disk_make(const char *name, char path[DISK_PATH_MAX]);
/* Removes a directory and all that is in it. */
void disk_remove(const char *path);
/* Bytes that may be written. */
uint64_t disk_room(void);

/* A gate, or 0 where the file system is not one to judge by; says so once. */
double disk_gate(const bench *b, double gate);

/* Ends the process with what went wrong. */
void disk_fail(const char *what, const char *why);
void disk_check(td_status status, const td_error *err);

/* One open log in a directory of its own. */
typedef struct disk_log {
  char path[DISK_PATH_MAX];
  td_wal_home home;
  td_wal_log log;
  uint32_t events;  /* of a batch */
  td_record records[DISK_EVENTS_MAX];
} disk_log;

/* Options of one writer that waits for no other. */
td_wal_options disk_options(uint16_t shard, td_sync_policy sync);

/* Fills in events. */
void disk_records(td_record *records, uint32_t count);

/* Opens a new log in a new directory. */
void disk_log_open(disk_log *disk, const char *name,
                   const td_wal_options *options);
void disk_log_close(disk_log *disk, bool clean);
/* Closes the log and removes its files. */
void disk_log_drop(disk_log *disk);
/* A bench_fn: one batch each time. */
void disk_log_append(void *disk, uint64_t times);

#endif
