/* What keeps the same durable record elsewhere: RocksDB, SQLite, LMDB, Redis.
 *
 * Each peer appends one value as long as our batch of 100 events, in its
 * usual way, to a store of its own that is new. The libraries are built in
 * where their headers were found when the makefiles were generated; without
 * them `open` is NULL. Redis is a server, started when it is measured.
 *
 * Thread: owner. */
#ifndef TD_BENCH_PEERS_H
#define TD_BENCH_PEERS_H

#include "bench/disk.h"

typedef struct peer {
  const char *name;
  const char *package;  /* of Debian */
  /* A new store in an empty directory; `synced`: each append is on disk when
   * it returns. NULL: this peer is not installed. Else ends the process. */
  void *(*open)(const char *path, bool synced);
  bench_fn *append;     /* the context is what open returned */
  void (*close)(void *ctx);
} peer;

extern const peer peer_rocksdb;      /* Put: log and memtable */
extern const peer peer_rocksdb_log;  /* the write-ahead log only */
extern const peer peer_sqlite;
extern const peer peer_lmdb;
extern const peer peer_redis;

#endif
