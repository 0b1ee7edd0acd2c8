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

static inline td_shard_id td_migrate_route(const td_migrate *m,
                                           const uint8_t *record) {
  return td_router_route(m->router, td_record_entity(record));
}

/* Adds one record. */
static inline void td_migrate_add(td_migrate_sum *sum,
                                  const uint8_t *record) {
  td_hash128 hash = td_hash128_of((td_span){record, TD_RECORD_BYTES});
  sum->count++;
  sum->low += hash.low;
  sum->high += hash.high + (sum->low < hash.low);
}

#endif
