/* SQLite: one blob a transaction, journal_mode=WAL, synchronous FULL or OFF. */
#include "bench/peers/peers.h"

#ifdef BENCH_SQLITE

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct store {
  sqlite3 *db;
  sqlite3_stmt *insert;
  char value[DISK_BATCH_BYTES];
} store;

static void check(const store *s, int result) {
  if (result == SQLITE_OK || result == SQLITE_DONE) return;
  disk_fail("SQLite", s->db ? sqlite3_errmsg(s->db) : "no memory");
}

static void run(store *s, const char *statement) {
  check(s, sqlite3_exec(s->db, statement, NULL, NULL, NULL));
}

static void *open_store(const char *path, bool synced) {
  char file[DISK_PATH_MAX + 16];
  store *s = bench_alloc(sizeof *s);
  memset(s, 0, sizeof *s);
  memset(s->value, 7, sizeof s->value);
  snprintf(file, sizeof file, "%s/log.db", path);
  check(s, sqlite3_open(file, &s->db));
  run(s, "PRAGMA journal_mode=WAL");
  run(s, synced ? "PRAGMA synchronous=FULL" : "PRAGMA synchronous=OFF");
  run(s, "CREATE TABLE log (id INTEGER PRIMARY KEY, bytes BLOB)");
  check(s, sqlite3_prepare_v2(s->db, "INSERT INTO log (bytes) VALUES (?)", -1,
                              &s->insert, NULL));
  check(s, sqlite3_bind_blob(s->insert, 1, s->value, sizeof s->value,
                             SQLITE_STATIC));
  return s;
}

static void append(void *ctx, uint64_t times) {
  store *s = ctx;
  for (uint64_t i = 0; i < times; i++) {
    check(s, sqlite3_step(s->insert));
    check(s, sqlite3_reset(s->insert));
  }
}

static void close_store(void *ctx) {
  store *s = ctx;
  sqlite3_finalize(s->insert);
  sqlite3_close(s->db);
  free(s);
}

const peer peer_sqlite = {"SQLite", "libsqlite3-dev", open_store, append,
                          close_store};

#else

const peer peer_sqlite = {"SQLite", "libsqlite3-dev", NULL, NULL, NULL};

#endif
