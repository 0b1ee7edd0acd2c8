/* Appending to the durable log: what zeros written ahead (G11) and groups of
 * batches (G14) are worth, against our own log without them. */
#include "bench/disk.h"

#include <stdlib.h>

#define SYNCS 200u
#define GROUP 16u
#define GROUPS 25u  /* in a slice */

/* `times` batches, GROUP of them at a time, as group commit does. */
static void append_groups(void *ctx, uint64_t times) {
  disk_log_append(ctx, times / GROUP);
}

static void bench_ahead(bench *b) {
  disk_log *ours = bench_alloc(sizeof *ours);
  disk_log *peer = bench_alloc(sizeof *peer);
  td_wal_options options = disk_options(0, TD_SYNC_ALWAYS);
  disk_log_open(ours, "ahead", &options);
  options.ahead_bytes = 0;
  disk_log_open(peer, "extending", &options);
  bench_pair pair = {
    .result = {.id = "G11", .gate = disk_gate(b, 1.35), .rule = BENCH_AT_LEAST,
               .name = "durable append, zeros ahead vs extending file"},
    .ours = disk_log_append, .peer = disk_log_append,
    .ours_ctx = ours, .peer_ctx = peer, .times = SYNCS};
  bench_measure_disk(b, "G11", &pair, 1);
  disk_log_drop(ours);
  disk_log_drop(peer);
  free(ours);
  free(peer);
}

static void bench_group_of_16(bench *b) {
  disk_log *ours = bench_alloc(sizeof *ours);
  disk_log *peer = bench_alloc(sizeof *peer);
  td_wal_options options = disk_options(0, TD_SYNC_ALWAYS);
  disk_log_open(ours, "group", &options);
  ours->events = GROUP * DISK_EVENTS;
  disk_log_open(peer, "single", &options);
  bench_pair pair = {
    .result = {.id = "G14", .gate = disk_gate(b, 8), .rule = BENCH_AT_LEAST,
               .name = "16 batches in one sync vs one sync each, a batch"},
    .ours = append_groups, .peer = disk_log_append,
    .ours_ctx = ours, .peer_ctx = peer, .times = GROUP * GROUPS};
  bench_measure_disk(b, "G14", &pair, 1);
  disk_log_drop(ours);
  disk_log_drop(peer);
  free(ours);
  free(peer);
}

void bench_log(bench *b) {
  bool ahead = bench_wanted(b, "log", "G11");
  bool group = bench_wanted(b, "log", "G14");
  if (!ahead && !group) return;
  disk_enter(b);
  if (ahead) bench_ahead(b);
  if (group) bench_group_of_16(b);
  disk_leave(b);
}
