/* bin/tidal-bench: the gates on speed, as ratios measured side by side. */
#include "bench/bench.h"

static const bench_group groups[] = {
  {"start", "G17", bench_start},  /* first: it measures small memory */
  {"router", "G6 G6b G7", bench_router},
  {"format", "G9 G10", bench_format},
  {"replication", "G19", bench_replication},
  {"log", "G11 G14", bench_log},
  {"logs", "many", bench_log_many},
  {"read", "G15 open", bench_log_read},
  {"migrate", "migrate", bench_migrate},
};

int main(int argc, char **argv) {
  bench_program program = {
    .name = "tidal-bench", .groups = groups,
    .group_count = sizeof groups / sizeof *groups,
    .pinned = true, .peers = "tidal-bench-peers",
    .notes = "--peers measures the durable log beside RocksDB, SQLite, LMDB"
             " and\nRedis instead: G12 G13.\n",
  };
  return bench_main(&program, argc, argv);
}
