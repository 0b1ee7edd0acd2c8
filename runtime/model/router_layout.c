#include "model/router_layout.h"

static td_status init_ranges(td_router *router, td_strategy strategy,
                             const td_layout_range *from, uint32_t count,
                             const td_alloc *alloc, td_error *err) {
  size_t size = count * sizeof(td_range);
  td_range *ranges = td_alloc_resize(alloc, NULL, 0, size);
  if (!ranges) return td_fail(err, TD_NO_MEMORY, "ranges", size, 0);
  for (uint32_t i = 0; i < count; i++) {
    uint64_t last = i + 1 < count ? from[i + 1].first - 1 : UINT64_MAX;
    ranges[i] = (td_range){from[i].first, last, from[i].shard, i};
  }
  td_status status = td_router_init_ranges(router, strategy, ranges, count,
                                           err);
  td_alloc_free(alloc, ranges, size);
  return status;
}

td_status td_router_init_layout(td_router *router, const td_layout *layout,
                                const td_layout_range *ranges,
                                const td_alloc *alloc, td_error *err) {
  uint32_t count = layout->range_count;
  switch (layout->strategy) {
    case TD_LAYOUT_SINGLE:
      td_router_init_single(router, (td_shard_id){0});
      return TD_OK;
    case TD_LAYOUT_HASH:
      return td_router_init_hash(router, layout->num_shards, err);
    case TD_LAYOUT_RANGES:
      return init_ranges(router, TD_STRATEGY_RANGES, ranges, count, alloc,
                         err);
    case TD_LAYOUT_HASH_RANGES:
      return init_ranges(router, TD_STRATEGY_HASH_RANGES, ranges, count,
                         alloc, err);
    default: td_panic(__FILE__, __LINE__, "a strategy");
  }
}
