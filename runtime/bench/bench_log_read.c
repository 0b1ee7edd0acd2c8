/* Reading the log back: replay with every hash verified (G15) and opening
 * after a crash ("open"), against plain read() of the same warm files with a
 * buffer as large. Speeds in GB/s: 10^9 bytes a second.
 *
 * "open" is a log of 1 GiB that was not closed cleanly, or a smaller one
 * where the disk has no room: time, speed, and the most memory that opening
 * it held, counted by the allocator it is given. */
#define _POSIX_C_SOURCE 200809L
#include "bench/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "io/env_posix.h"
#include "io/wal.h"

#define MIB 1048576u
#define REPLAY_BYTES (256u * MIB)
#define OPEN_BYTES (1024u * MIB)
#define OPEN_BYTES_MIN (32u * MIB)
#define OPENINGS 5u

/* A log on disk, and its directory as the readers see it. */
typedef struct reading {
  disk_log *disk;
  td_wal_dir dir;
  uint64_t bytes;
  uint8_t *buffer;
} reading;

static void start_reading(reading *r, const char *name, uint64_t bytes) {
  td_error err;
  td_env env = td_env_posix();
  td_wal_options options = disk_options(0, TD_SYNC_UNSAFE_NEVER);
  r->disk = bench_alloc(sizeof *r->disk);
  r->buffer = bench_alloc(TD_WAL_BUFFER_BYTES);
  disk_log_open(r->disk, name, &options);
  disk_log_append(r->disk, bytes / DISK_BATCH_BYTES + 1);
  disk_log_close(r->disk, false);
  disk_check(td_wal_dir_open(&r->dir, &env, r->disk->path, &err), &err);
  r->bytes = 0;
  for (uint32_t i = 0; i < r->dir.segment_count; i++) {
    r->bytes += r->dir.segments[i].size;
  }
}

static void stop_reading(reading *r) {
  td_wal_dir_close(&r->dir);
  disk_remove(r->disk->path);
  free(r->disk);
  free(r->buffer);
}

static void replay(void *ctx, uint64_t times) {
  reading *r = ctx;
  td_wal_cursor cursor;
  td_wal_batch batch;
  td_error err;
  for (uint64_t i = 0; i < times; i++) {
    td_shard_id shard = r->disk->log.options.log.shard;
    disk_check(td_wal_cursor_open(&cursor, &r->dir, shard, (td_seqno){0},
                                  &err), &err);
    td_status status = TD_OK;
    while (status == TD_OK) status = td_wal_cursor_next(&cursor, &batch, &err);
    disk_check(status == TD_END ? TD_OK : status, &err);
    td_wal_cursor_close(&cursor);
  }
}

static uint64_t read_segment(const reading *r, td_segname segment) {
  char name[TD_SEGNAME_TEXT_MAX], path[DISK_PATH_MAX + TD_SEGNAME_TEXT_MAX];
  uint64_t sum = 0;
  ssize_t count;
  td_segname_format(segment, name);
  snprintf(path, sizeof path, "%s/%s", r->disk->path, name);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) disk_fail(path, "cannot be read");
  while ((count = read(fd, r->buffer, TD_WAL_BUFFER_BYTES)) > 0) {
    sum += (uint64_t)count;
  }
  close(fd);
  return sum;
}

static void read_plainly(void *ctx, uint64_t times) {
  const reading *r = ctx;
  for (uint64_t i = 0; i < times; i++) {
    uint64_t sum = 0;
    for (uint32_t s = 0; s < r->dir.segment_count; s++) {
      sum += read_segment(r, r->dir.segments[s].name);
    }
    if (sum != r->bytes) disk_fail(r->disk->path, "changed meanwhile");
  }
}

static void bench_replay(bench *b) {
  reading r;
  start_reading(&r, "replay", REPLAY_BYTES);
  bench_pair pair = {
    .result = {.id = "G15", .gate = disk_gate(b, 0.55), .rule = BENCH_AT_LEAST,
               .name = "replay and verify vs read()"},
    .ours = replay, .peer = read_plainly, .ours_ctx = &r, .peer_ctx = &r,
    .times = 1, .bytes = r.bytes};
  bench_measure_disk(b, "G15", &pair, 1);
  stop_reading(&r);
}

/* --- opening after a crash ------------------------------------------------ */

typedef struct memory {
  size_t held, peak;
} memory;

static void *count_memory(void *ctx, void *ptr, size_t old_size,
                          size_t new_size) {
  memory *m = ctx;
  if (new_size == 0) {
    free(ptr);
    m->held -= old_size;
    return NULL;
  }
  void *block = realloc(ptr, new_size);
  if (!block) return NULL;
  m->held += new_size - (ptr ? old_size : 0);
  if (m->held > m->peak) m->peak = m->held;
  return block;
}

/* Seconds that opening takes; it is not closed cleanly again. */
static double time_opening(const reading *r, memory *m) {
  td_error err;
  td_env env = td_env_posix_with((td_alloc){count_memory, m});
  td_wal_options options = disk_options(0, TD_SYNC_UNSAFE_NEVER);
  disk_log *disk = r->disk;
  disk_check(td_wal_home_open(&disk->home, &env, disk->path, &err), &err);
  uint64_t start = bench_now();
  disk_check(td_wal_log_open(&disk->log, &disk->home, &options, &err), &err);
  double spent = (double)(bench_now() - start);
  if (disk->log.recovery.clean) disk_fail(disk->path, "was closed cleanly");
  disk_log_close(disk, false);
  return spent;
}

static double time_reading(reading *r) {
  uint64_t start = bench_now();
  read_plainly(r, 1);
  return (double)(bench_now() - start);
}

/* The three lines: milliseconds, GB/s, and kilobytes of memory beside the two
 * buffers that opening is allowed, whatever the length of the log. */
static void tell_opening(bench *b, const reading *r, const memory *m,
                         double *ours, double *peer) {
  double ratios[OPENINGS];
  bench_result line = {.id = "open", .unit = "ms", .rule = BENCH_AT_LEAST,
                       .verdict = BENCH_REPORT};
  for (uint32_t i = 0; i < OPENINGS; i++) ratios[i] = peer[i] / ours[i];
  double opened = bench_median(ours, OPENINGS);
  double as_read = bench_median(peer, OPENINGS);
  snprintf(line.name, sizeof line.name,
           "opening %u MiB after a crash vs read()",
           (unsigned)(r->bytes / MIB));
  line.ratio = line.median_ratio = bench_median(ratios, OPENINGS);
  line.ours = opened / 1e6;
  line.peer = as_read / 1e6;
  bench_add(b, &line);
  line.unit = "GB/s";
  line.ours = (double)r->bytes / opened;
  line.peer = (double)r->bytes / as_read;
  bench_add(b, &line);
  snprintf(line.name, sizeof line.name, "its memory at most, vs two buffers");
  line.unit = "KB";
  line.rule = BENCH_AT_MOST;
  line.ours = (double)m->peak / 1024;
  line.peer = 2.0 * TD_WAL_BUFFER_BYTES / 1024;
  line.ratio = line.median_ratio = line.ours / line.peer;
  bench_add(b, &line);
}

static void bench_opening(bench *b) {
  reading r;
  memory m = {0, 0};
  double ours[OPENINGS], peer[OPENINGS];
  uint64_t bytes = OPEN_BYTES;
  while (bytes > OPEN_BYTES_MIN && disk_room() / 2 < bytes) bytes /= 2;
  if (disk_room() / 2 < bytes) {
    bench_skip(b, "open", "opening after a crash: no room on the disk");
    return;
  }
  start_reading(&r, "opening", bytes);
  read_plainly(&r, 1);
  for (uint32_t i = 0; i < OPENINGS; i++) {
    ours[i] = time_opening(&r, &m);
    peer[i] = time_reading(&r);
  }
  tell_opening(b, &r, &m, ours, peer);
  stop_reading(&r);
}

void bench_log_read(bench *b) {
  bool replaying = bench_wanted(b, "read", "G15");
  bool opening = bench_wanted(b, "read", "open");
  if (replaying || opening) disk_start(b);
  if (replaying) bench_replay(b);
  if (opening) bench_opening(b);
}
