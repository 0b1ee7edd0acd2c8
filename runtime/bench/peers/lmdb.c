/* LMDB: one value a transaction, appended at the end of its tree. */
#include "bench/peers/peers.h"

#ifdef BENCH_LMDB

#include <lmdb.h>
#include <stdlib.h>
#include <string.h>

#define MAP_BYTES ((size_t)8 << 30)  /* of address space, not of disk */
#define FILE_MODE 0666

typedef struct store {
  MDB_env *env;
  MDB_dbi db;
  size_t key;
  char value[DISK_BATCH_BYTES];
} store;

static void check(int result) {
  if (result != 0) disk_fail("LMDB", mdb_strerror(result));
}

static void *open_store(const char *path, bool synced) {
  MDB_txn *txn;
  store *s = bench_alloc(sizeof *s);
  memset(s, 0, sizeof *s);
  memset(s->value, 7, sizeof s->value);
  check(mdb_env_create(&s->env));
  check(mdb_env_set_mapsize(s->env, MAP_BYTES));
  check(mdb_env_open(s->env, path, synced ? 0 : MDB_NOSYNC, FILE_MODE));
  check(mdb_txn_begin(s->env, NULL, 0, &txn));
  check(mdb_dbi_open(txn, NULL, MDB_INTEGERKEY, &s->db));
  check(mdb_txn_commit(txn));
  return s;
}

static void append(void *ctx, uint64_t times) {
  store *s = ctx;
  for (uint64_t i = 0; i < times; i++) {
    MDB_txn *txn;
    s->key++;
    MDB_val key = {sizeof s->key, &s->key};
    MDB_val value = {sizeof s->value, s->value};
    check(mdb_txn_begin(s->env, NULL, 0, &txn));
    check(mdb_put(txn, s->db, &key, &value, MDB_APPEND));
    check(mdb_txn_commit(txn));
  }
}

static void close_store(void *ctx) {
  store *s = ctx;
  mdb_env_close(s->env);
  free(s);
}

const peer peer_lmdb = {"LMDB", "liblmdb-dev", open_store, append,
                        close_store};

#else

const peer peer_lmdb = {"LMDB", "liblmdb-dev", NULL, NULL, NULL};

#endif
