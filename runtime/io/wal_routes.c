#include "io/wal_routes.h"

static size_t ranges_bytes(const td_wal_routes *routes) {
  return routes->layout.range_count * sizeof *routes->ranges;
}

td_status td_wal_routes_read(td_wal_routes *routes, const td_alloc *alloc,
                             td_span text, td_error *err) {
  td_wal_routes read = {.ranges = NULL};
  td_status status = td_layout_decode(text, &read.layout, err);
  if (status != TD_OK) return status;
  size_t size = ranges_bytes(&read);
  if (size > 0) {
    read.ranges = td_alloc_resize(alloc, NULL, 0, size);
    if (!read.ranges) {
      return td_fail(err, TD_NO_MEMORY, "ranges of a layout", size, 0);
    }
    td_layout_ranges(text, &read.layout, read.ranges);
  }
  *routes = read;
  return TD_OK;
}

void td_wal_routes_free(td_wal_routes *routes, const td_alloc *alloc) {
  td_alloc_free(alloc, routes->ranges, ranges_bytes(routes));
  *routes = (td_wal_routes){.ranges = NULL};
}
