/* A migration that moves every event of a log, against copying the same files
 * and verifying the copy, as `cp` and `wal verify` do: "migrate". The gate is
 * against a copy that is synced, as ours is; one that is left to the page
 * cache, as cp leaves it, is faster than any disk and stands beside it. Both
 * read what they move twice and write it once; ours also routes, counts and
 * hashes every event.
 *
 * Beside it how long the writers waited at the cut, in milliseconds: time in
 * which nothing can be appended. */
#define _POSIX_C_SOURCE 200809L
#include "bench/disk.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/migrate.h"
#include "io/env_posix.h"
#include "io/wal_verify.h"

#define MIB 1048576u
#define MOVE_BYTES (192u * MIB)
#define ROUNDS 5u
#define LINE_MAX 512u

/* Every id in one shard; in the other one. */
static td_span layout_text(char out[LINE_MAX], uint32_t epoch,
                           uint32_t shard) {
  int size = snprintf(out, LINE_MAX,
    "{\"format\":\"tidal-layout/1\",\"name\":\"bench\",\"epoch\":%u,"
    "\"regions\":[{\"id\":0,\"name\":\"r0\"}],\"routing\":{\"strategy\":"
    "\"ranges\",\"num_shards\":2,\"ranges\":[{\"shard\":%u,"
    "\"first\":\"0x0000000000000000\",\"last\":\"0xffffffffffffffff\"}]}}\n",
    epoch, shard);
  td_hash128 hash = td_hash128_of((td_span){(uint8_t *)out, (size_t)size});
  size += snprintf(out + size, LINE_MAX - (size_t)size, "%016llx%016llx\n",
                   (unsigned long long)hash.high,
                   (unsigned long long)hash.low);
  return (td_span){(const uint8_t *)out, (size_t)size};
}

/* --- copying -------------------------------------------------------------- */

typedef struct copying {
  const char *from, *to;
  uint8_t *buffer;
  uint64_t bytes;
  bool sync;
} copying;

static void copy_file(copying *c, const char *name) {
  char path[DISK_PATH_MAX + TD_FILE_NAME_MAX];
  ssize_t count;
  snprintf(path, sizeof path, "%s/%s", c->from, name);
  int in = open(path, O_RDONLY | O_CLOEXEC);
  snprintf(path, sizeof path, "%s/%s", c->to, name);
  int out = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (in < 0 || out < 0) disk_fail(path, "cannot be copied");
  while ((count = read(in, c->buffer, MIB)) > 0) {
    if (write(out, c->buffer, (size_t)count) != count) {
      disk_fail(path, "cannot be written");
    }
    c->bytes += (uint64_t)count;
  }
  if (c->sync && fdatasync(out) != 0) disk_fail(path, "cannot be synced");
  close(in);
  close(out);
}

static uint64_t copy_log(const char *from, const char *to, bool sync) {
  td_wal_dir dir;
  td_error err;
  td_env env = td_env_posix();
  copying c = {.from = from, .to = to, .sync = sync,
               .buffer = bench_alloc(MIB)};
  disk_check(td_wal_dir_open(&dir, &env, from, &err), &err);
  for (uint32_t i = 0; i < dir.segment_count; i++) {
    char name[TD_SEGNAME_TEXT_MAX];
    td_segname_format(dir.segments[i].name, name);
    copy_file(&c, name);
  }
  td_wal_dir_close(&dir);
  free(c.buffer);
  return c.bytes;
}

static void verify(const char *path) {
  td_wal_dir dir;
  td_wal_verifier verifier;
  td_wal_report report;
  td_error err;
  td_env env = td_env_posix();
  disk_check(td_wal_dir_open(&dir, &env, path, &err), &err);
  disk_check(td_wal_verify_open(&verifier, &dir, &err), &err);
  td_status status = TD_OK;
  while (status == TD_OK) status = td_wal_verify_next(&verifier, &report, &err);
  disk_check(status == TD_END ? TD_OK : status, &err);
  td_wal_verify_close(&verifier);
  td_wal_dir_close(&dir);
}

static double time_copy(const char *from, const char *name, bool sync) {
  char path[DISK_PATH_MAX];
  disk_make(name, path);
  uint64_t start = bench_now();
  copy_log(from, path, sync);
  verify(path);
  double spent = (double)(bench_now() - start);
  disk_remove(path);
  return spent;
}

/* --- migrating ------------------------------------------------------------ */

static void check_sums(td_migrate *m, const td_migrate_log *to) {
  td_error err;
  disk_check(td_migrate_check(m, to->id.shard, (td_seqno){0}, &err), &err);
  td_status status = TD_OK;
  while (status == TD_OK) status = td_migrate_check_step(m, MIB, &err);
  disk_check(status == TD_END ? TD_OK : status, &err);
  bool same = m->found.count == to->moved.count
           && td_hash128_eq(m->found.hash, to->moved.hash);
  if (!same || to->moved.count == 0) disk_fail("migration", "lost something");
}

static void run_migration(td_migrate *m, td_span next, double *pause) {
  td_error err;
  td_migrate_log *from = td_migrate_find(m, (td_shard_id){0});
  from->upto = from->last;
  disk_check(td_migrate_lap(m, &err), &err);
  td_status status = TD_OK;
  while (status == TD_OK) status = td_migrate_step(m, MIB, &err);
  disk_check(status == TD_END ? TD_OK : status, &err);
  check_sums(m, td_migrate_find(m, (td_shard_id){1}));
  disk_check(td_migrate_hold(m, &err), &err);
  uint64_t held = bench_now();
  disk_check(td_migrate_publish(m, next, &err), &err);
  td_migrate_let_go(m);
  *pause = (double)(bench_now() - held);
}

/* Copies have no checkpoints: the log gets one, so that nothing is mended in
 * the time that counts. */
static void close_cleanly(td_wal_home *home) {
  td_wal_options options = disk_options(0, TD_SYNC_UNSAFE_NEVER);
  td_wal_log log;
  td_error err;
  disk_check(td_wal_log_open(&log, home, &options, &err), &err);
  disk_check(td_wal_log_close(&log, true, &err), &err);
}

/* Of a fresh copy of the log, under its layout. */
static double time_migration(const char *log, double *pause) {
  char path[DISK_PATH_MAX], texts[2][LINE_MAX];
  td_span from = layout_text(texts[0], 1, 0), to = layout_text(texts[1], 2, 1);
  td_env env = td_env_posix();
  td_wal_home home;
  td_migrate m;
  td_error err;
  disk_make("moving", path);
  copy_log(log, path, true);
  disk_check(td_wal_home_open(&home, &env, path, &err), &err);
  disk_check(td_wal_home_adopt(&home, from, &err), &err);
  close_cleanly(&home);
  uint64_t start = bench_now();
  td_migrate_options options = {.flush_bytes = 0};
  disk_check(td_migrate_open(&m, &home, to, &options, &err), &err);
  run_migration(&m, to, pause);
  disk_check(td_migrate_close(&m, &err), &err);
  double spent = (double)(bench_now() - start);
  td_wal_home_close(&home);
  disk_remove(path);
  return spent;
}

/* --- lines ---------------------------------------------------------------- */

static void tell(bench *b, const char *name, double gate, const double *ours,
                 const double *peer, uint64_t bytes) {
  double ratios[ROUNDS], ours_ns[ROUNDS], peer_ns[ROUNDS];
  bench_result line = {.id = "migrate", .unit = "GB/s", .gate = gate,
                       .rule = BENCH_AT_LEAST};
  for (uint32_t i = 0; i < ROUNDS; i++) {
    ratios[i] = peer[i] / ours[i];
    ours_ns[i] = ours[i];
    peer_ns[i] = peer[i];
  }
  snprintf(line.name, sizeof line.name, "%s", name);
  line.ratio = line.median_ratio = bench_median(ratios, ROUNDS);
  line.verdict = gate > 0 ? bench_judge(line.ratio, gate, BENCH_AT_LEAST)
                          : BENCH_REPORT;
  line.ours = (double)bytes / bench_median(ours_ns, ROUNDS);
  line.peer = (double)bytes / bench_median(peer_ns, ROUNDS);
  bench_add(b, &line);
}

static void tell_pause(bench *b, double *pauses, const double *ours) {
  bench_result line = {.id = "migrate", .unit = "ms", .rule = BENCH_AT_MOST,
                       .verdict = BENCH_REPORT};
  double all[ROUNDS];
  memcpy(all, ours, sizeof all);
  snprintf(line.name, sizeof line.name, "its pause of writers vs all of it");
  line.ours = bench_median(pauses, ROUNDS) / 1e6;
  line.peer = bench_median(all, ROUNDS) / 1e6;
  line.ratio = line.median_ratio = line.ours / line.peer;
  bench_add(b, &line);
}

void bench_migrate(bench *b) {
  double ours[ROUNDS], plain[ROUNDS], synced[ROUNDS], pauses[ROUNDS];
  if (!bench_wanted(b, "migrate", "migrate")) return;
  disk_start(b);
  if (disk_room() / 8 < MOVE_BYTES) {
    bench_skip(b, "migrate", "moving a log: no room on the disk");
    return;
  }
  disk_log *disk = bench_alloc(sizeof *disk);
  td_wal_options options = disk_options(0, TD_SYNC_UNSAFE_NEVER);
  disk_log_open(disk, "log", &options);
  disk_log_append(disk, MOVE_BYTES / DISK_BATCH_BYTES + 1);
  disk_log_close(disk, true);
  uint64_t bytes = (MOVE_BYTES / DISK_BATCH_BYTES + 1) * DISK_BATCH_BYTES;
  for (uint32_t i = 0; i < ROUNDS; i++) {
    ours[i] = time_migration(disk->path, &pauses[i]);
    plain[i] = time_copy(disk->path, "plain", false);
    synced[i] = time_copy(disk->path, "synced", true);
  }
  disk_remove(disk->path);
  free(disk);
  tell(b, "moving 192 MiB vs cp, sync and verify", disk_gate(b, 0.6), ours,
       synced, bytes);
  tell(b, "the same vs cp that is not synced", 0, ours, plain, bytes);
  tell_pause(b, pauses, ours);
}
