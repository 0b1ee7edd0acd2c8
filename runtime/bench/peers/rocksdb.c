/* RocksDB with its default options: a Put of one value, and a write that goes
 * to the write-ahead log only. */
#include "bench/peers/peers.h"

#ifdef BENCH_ROCKSDB

#include <rocksdb/c.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"

typedef struct store {
  rocksdb_options_t *options;
  rocksdb_writeoptions_t *how;
  rocksdb_writebatch_t *batch;
  rocksdb_t *db;
  uint64_t key;
  char value[DISK_BATCH_BYTES];
} store;

static void check(const char *error) {
  if (error) disk_fail("RocksDB", error);
}

static void *open_store(const char *path, bool synced) {
  store *s = bench_alloc(sizeof *s);
  char *error = NULL;
  memset(s, 0, sizeof *s);
  memset(s->value, 7, sizeof s->value);
  s->options = rocksdb_options_create();
  rocksdb_options_set_create_if_missing(s->options, 1);
  s->how = rocksdb_writeoptions_create();
  rocksdb_writeoptions_set_sync(s->how, synced);
  s->batch = rocksdb_writebatch_create();
  s->db = rocksdb_open(s->options, path, &error);
  check(error);
  return s;
}

static void put(void *ctx, uint64_t times) {
  store *s = ctx;
  char *error = NULL;
  for (uint64_t i = 0; i < times; i++) {
    uint8_t key[8];
    td_put_u64_be(key, ++s->key);
    rocksdb_put(s->db, s->how, (const char *)key, sizeof key, s->value,
                sizeof s->value, &error);
    check(error);
  }
}

static void put_log(void *ctx, uint64_t times) {
  store *s = ctx;
  char *error = NULL;
  for (uint64_t i = 0; i < times; i++) {
    rocksdb_writebatch_clear(s->batch);
    rocksdb_writebatch_put_log_data(s->batch, s->value, sizeof s->value);
    rocksdb_write(s->db, s->how, s->batch, &error);
    check(error);
  }
}

static void close_store(void *ctx) {
  store *s = ctx;
  rocksdb_close(s->db);
  rocksdb_writebatch_destroy(s->batch);
  rocksdb_writeoptions_destroy(s->how);
  rocksdb_options_destroy(s->options);
  free(s);
}

#define OPEN open_store
#define PUT put
#define PUT_LOG put_log
#define CLOSE close_store

#else

#define OPEN NULL
#define PUT NULL
#define PUT_LOG NULL
#define CLOSE NULL

#endif

const peer peer_rocksdb = {"RocksDB", "librocksdb-dev", OPEN, PUT, CLOSE};
const peer peer_rocksdb_log = {"RocksDB, log only", "librocksdb-dev", OPEN,
                               PUT_LOG, CLOSE};
