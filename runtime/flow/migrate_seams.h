/* What the files of a migration share.
 *
 * Thread: owner. */
#ifndef TD_FLOW_MIGRATE_SEAMS_H
#define TD_FLOW_MIGRATE_SEAMS_H

#include "flow/migrate.h"

/* migrate.c: finds the open logs, and opens those that have events or get
 * some; held, if the others are. */
td_status td_migrate_attach(td_migrate *m, td_error *err);

/* Lists the directory and its layouts as they are now. */
td_status td_migrate_list(td_migrate *m, td_error *err);
/* Ends what is in work over them. Idempotent. */
void td_migrate_unlist(td_migrate *m);

/* migrate_lap.c and migrate_check.c: ends what is in work. Idempotent. */
void td_migrate_end_lap(td_migrate *m);
void td_migrate_end_check(td_migrate *m);

#define TD_MIGRATE_CHUNK 256u

/* The shards of the records that follow, at most TD_MIGRATE_CHUNK. */
static inline void td_migrate_route(const td_migrate *m,
                                    const uint8_t *records, uint32_t count,
                                    uint16_t *shards) {
  uint64_t ids[TD_MIGRATE_CHUNK] = {0};
  for (uint32_t i = 0; i < count; i++) {
    ids[i] = td_get_u64(records + (size_t)i * TD_RECORD_BYTES);
  }
  td_router_route_many(m->router, ids, shards, count);
}

static inline void td_migrate_add(td_migrate_sum *sum, const uint8_t *records,
                                  uint32_t count) {
  sum->count += count;
  td_hash128_add(&sum->hash, records, TD_RECORD_BYTES, count);
}

#endif
