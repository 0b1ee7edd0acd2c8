#include "io/wal_routes.h"

static size_t ranges_bytes(const td_wal_routes *routes) {
  return routes->layout.range_count * sizeof *routes->ranges;
}

static size_t regions_bytes(const td_wal_routes *routes) {
  return routes->layout.region_count * sizeof *routes->regions;
}

td_status td_wal_routes_read(td_wal_routes *routes, const td_alloc *alloc,
                             td_span text, td_error *err) {
  td_wal_routes read = {.ranges = NULL};
  td_status status = td_layout_decode(text, &read.layout, err);
  if (status != TD_OK) return status;
  size_t ranges = ranges_bytes(&read), regions = regions_bytes(&read);
  if (ranges > 0) read.ranges = td_alloc_resize(alloc, NULL, 0, ranges);
  if (regions > 0) read.regions = td_alloc_resize(alloc, NULL, 0, regions);
  if ((ranges > 0 && !read.ranges) || (regions > 0 && !read.regions)) {
    td_wal_routes_free(&read, alloc);
    return td_fail(err, TD_NO_MEMORY, "ranges and regions of a layout",
                   ranges + regions, 0);
  }
  td_layout_ranges(text, &read.layout, read.ranges);
  td_layout_regions(text, &read.layout, read.regions);
  *routes = read;
  return TD_OK;
}

void td_wal_routes_free(td_wal_routes *routes, const td_alloc *alloc) {
  td_alloc_free(alloc, routes->ranges, ranges_bytes(routes));
  td_alloc_free(alloc, routes->regions, regions_bytes(routes));
  *routes = (td_wal_routes){.ranges = NULL};
}

bool td_wal_routes_region(const td_wal_routes *routes, td_region_id region) {
  uint32_t count = routes->layout.region_count;
  for (uint32_t i = 0; i < count; i++) {
    if (td_region_id_eq(routes->regions[i], region)) return true;
  }
  return count == 0;
}
