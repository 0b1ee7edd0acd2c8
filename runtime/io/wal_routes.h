/* A layout with its ranges in memory: which shard an id belongs to, for those
 * who write a log and for those who read cuts; and which regions there are.
 *
 * Memory: 16 bytes for each range, at most 1 MiB; 2 for each region.
 *
 * Thread: any, once made. */
#ifndef TD_IO_WAL_ROUTES_H
#define TD_IO_WAL_ROUTES_H

#include "base/alloc.h"
#include "format/layout.h"

typedef struct td_wal_routes {
  td_layout layout;
  td_layout_range *ranges;  /* NULL for single and hash */
  td_region_id *regions;    /* NULL where the layout names none */
} td_wal_routes;

/* From the text of a layout file. Statuses: TD_OK, those of
 * td_layout_decode, TD_NO_MEMORY. After anything but TD_OK there is nothing to
 * free. */
TD_API td_status td_wal_routes_read(td_wal_routes *routes,
                                    const td_alloc *alloc, td_span text,
                                    td_error *err);
/* Idempotent. */
TD_API void td_wal_routes_free(td_wal_routes *routes, const td_alloc *alloc);

/* The shard of an id. */
static inline td_shard_id td_wal_route(const td_wal_routes *routes,
                                       td_entity_id entity) {
  return td_layout_route(&routes->layout, routes->ranges, entity);
}

/* False where the layout names regions and this one is not among them. */
TD_API bool td_wal_routes_region(const td_wal_routes *routes,
                                 td_region_id region);

#endif
