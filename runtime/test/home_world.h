/* For the tests of homes: one on a simulated disk, under a layout or none, and
 * its logs r2:s0 to r2:s2. */
#ifndef TD_TEST_HOME_WORLD_H
#define TD_TEST_HOME_WORLD_H

#include "io/wal_log.h"
#include "sim/disk.h"
#include "test/test.h"

#define LOGS 3u

typedef struct home_world {
  td_disk disk;
  td_env env;
  td_wal_home home;
  td_wal_log logs[LOGS];
  uint32_t held;          /* blocks of memory */
  uint64_t requests, fail_request;
  td_error err;           /* of the last thing that failed */
} home_world;

extern home_world at;

/* An empty disk; and its end, with nothing held. */
void world_begin(void);
void world_end(void);
/* After the disk was replaced. */
void world_attach(void);
/* Memory that never fails and is not counted. */
td_alloc world_plain(void);

/* A layout of LOGS shards, or of two with ranges. Good until the fourth call
 * from now. */
td_span world_layout(uint32_t epoch, const char *strategy,
                     const char *ranges);
/* Opens the directory and puts it under a layout (empty = none). */
td_status world_open(td_span layout);
td_status world_open_log(uint32_t shard);
/* The highest id up to that one which the hash over LOGS shards gives to the
 * shard. */
uint64_t world_id(uint32_t shard, uint64_t entity);
/* One event with exactly that id. */
td_status world_append(uint32_t shard, uint64_t entity);
/* All logs, and the home. */
void world_close(void);

/* How many of the ids are not live or more than once, and whether each event
 * that is lies where the hash, or the next layout, wants it. */
typedef struct world_census {
  uint32_t lost, doubled;
  bool old, new;
} world_census;
/* Reads all logs as anybody would. */
void world_count(td_disk *disk, const uint64_t *ids, uint32_t count,
                 uint32_t (*next_owner)(uint64_t id), world_census *out);

#endif
