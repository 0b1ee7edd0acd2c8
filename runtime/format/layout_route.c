/* Which shard an id belongs to by a layout that was read (layout.c). */
#include "format/layout.h"

td_shard_id td_layout_route(const td_layout *layout,
                            const td_layout_range *ranges,
                            td_entity_id entity) {
  uint64_t key = entity.value;
  if (layout->strategy == TD_LAYOUT_SINGLE) return (td_shard_id){0};
  if (layout->strategy != TD_LAYOUT_RANGES) key = td_hash_entity(entity);
  if (layout->strategy == TD_LAYOUT_HASH) {
    return (td_shard_id){(uint16_t)(key % layout->num_shards)};
  }
  uint32_t low = 0, high = layout->range_count;
  while (high - low > 1) {
    uint32_t middle = low + (high - low) / 2;
    if (ranges[middle].first <= key) low = middle;
    else high = middle;
  }
  return ranges[low].shard;
}
