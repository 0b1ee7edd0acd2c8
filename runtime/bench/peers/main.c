/* bin/tidal-bench-peers: one durable record of 2,164 bytes, our batch of 100
 * events, beside what others do with a value as long: G12 with a sync each,
 * G13 without. All sides in one run; a peer that is not there is skipped.
 *
 * Without syncs nothing waits for a disk, so that is measured as computing
 * is; and our segments are so long that none ends, for its end is synced. */
#include "bench/peers/peers.h"

#include <stdio.h>
#include <stdlib.h>

#define SYNCS 100u
#define LAZY_SEGMENT_BYTES ((uint64_t)1 << 40)

typedef struct row {
  const peer *peer;
  const char *how;
  double gate;  /* 0: only reported */
} row;

static const row durable[] = {
  {&peer_rocksdb, "sync Put", 1.25},
  {&peer_rocksdb_log, "sync", 0},
  {&peer_sqlite, "WAL, synchronous=FULL", 1.0},
  {&peer_lmdb, "synced", 2},
  {&peer_redis, "appendfsync always", 1.3},
};

static const row lazy[] = {
  {&peer_rocksdb, "Put", 0},
  {&peer_rocksdb_log, "", 2},
  {&peer_sqlite, "WAL, synchronous=OFF", 6},
  {&peer_lmdb, "MDB_NOSYNC", 2.5},
  {&peer_redis, "appendfsync no", 6},
};

#define ROWS (sizeof durable / sizeof *durable)

_Static_assert(ROWS == sizeof lazy / sizeof *lazy, "one loop for both");

/* One of the two gates. */
typedef struct contest {
  const char *id;
  bool synced;
  const row *rows;
} contest;

static void skip(bench *b, const contest *c, const peer *p) {
  char why[BENCH_NAME_MAX];
  snprintf(why, sizeof why, "%s: apt-get install %s%s", p->name, p->package,
           p->open ? "" : ", build again");
  bench_skip(b, c->id, why);
}

/* Opens the peers that are there and names what is compared. */
static uint32_t open_peers(bench *b, const contest *c, bench_pair *pairs,
                           const peer **opened) {
  uint32_t count = 0;
  for (uint32_t i = 0; i < ROWS; i++) {
    char name[16], path[DISK_PATH_MAX];
    const row *r = &c->rows[i];
    bench_pair *pair = &pairs[count];
    snprintf(name, sizeof name, "%s-peer%u", c->id, i);
    disk_make(name, path);
    void *store = r->peer->open ? r->peer->open(path, c->synced) : NULL;
    if (!store) {
      skip(b, c, r->peer);
      continue;
    }
    *pair = (bench_pair){
      .result = {.id = c->id, .gate = disk_gate(b, r->gate),
                 .rule = BENCH_AT_LEAST},
      .ours = disk_log_append, .peer = r->peer->append,
      .peer_ctx = store, .times = SYNCS};
    snprintf(pair->result.name, sizeof pair->result.name, "%s vs %s %s",
             c->synced ? "durable" : "no sync", r->peer->name, r->how);
    opened[count++] = r->peer;
  }
  return count;
}

static void run(bench *b, const contest *c) {
  bench_pair pairs[ROWS];
  const peer *opened[ROWS];
  disk_log *ours = bench_alloc(sizeof *ours);
  td_wal_options options = disk_options(0, c->synced ? TD_SYNC_ALWAYS
                                                     : TD_SYNC_UNSAFE_NEVER);
  if (!c->synced) options.segment_bytes = LAZY_SEGMENT_BYTES;
  disk_log_open(ours, c->id, &options);
  uint32_t count = open_peers(b, c, pairs, opened);
  for (uint32_t i = 0; i < count; i++) pairs[i].ours_ctx = ours;
  if (c->synced) bench_measure_disk(b, c->id, pairs, count);
  else bench_measure(b, c->id, pairs, count);
  for (uint32_t i = 0; i < count; i++) opened[i]->close(pairs[i].peer_ctx);
  disk_log_drop(ours);
  free(ours);
}

static void bench_durable(bench *b) {
  static const contest c = {"G12", true, durable};
  if (!bench_wanted(b, "durable", "G12")) return;
  disk_enter(b);
  run(b, &c);
  disk_leave(b);
}

static void bench_lazy(bench *b) {
  static const contest c = {"G13", false, lazy};
  if (!bench_wanted(b, "lazy", "G13")) return;
  disk_start(b);
  run(b, &c);
}

static const bench_group groups[] = {
  {"durable", "G12", bench_durable},
  {"lazy", "G13", bench_lazy},
};

int main(int argc, char **argv) {
  static const bench_program program = {
    .name = "tidal-bench-peers", .groups = groups,
    .group_count = sizeof groups / sizeof *groups,
    .notes = "\nThe peers are Debian packages:\n"
             "  apt-get install librocksdb-dev libsqlite3-dev liblmdb-dev"
             " redis-server\nGenerate the makefiles and build again after"
             " that.\n",
  };
  return bench_main(&program, argc, argv);
}
