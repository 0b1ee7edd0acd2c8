#include "model/traffic.h"

#include <string.h>

#include "format/record.h"

#define CHUNK 256u  /* events decoded and routed at a time */

static uint32_t shards_of(const td_router *router) {
  return td_router_shard_max(router).value + UINT32_C(1);
}

static bool is_paired(uint32_t sources, uint32_t targets) {
  return (uint64_t)sources * targets <= TD_TRAFFIC_PAIRS_MAX;
}

static uint32_t columns(const td_traffic *traffic) {
  return traffic->paired ? traffic->targets : 2;
}

static size_t cells(uint32_t sources, uint32_t targets) {
  size_t wide = is_paired(sources, targets) ? targets : 2;
  return sources * wide + targets;
}

size_t td_traffic_size(const td_router *from, const td_router *to) {
  return sizeof(td_traffic)
       + cells(shards_of(from), shards_of(to)) * sizeof(uint64_t);
}

void td_traffic_init(td_traffic *traffic, const td_router *from,
                     const td_router *to) {
  uint32_t sources = shards_of(from), targets = shards_of(to);
  memset(traffic, 0, td_traffic_size(from, to));
  *traffic = (td_traffic){
    .from = from, .to = to, .sources = sources, .targets = targets,
    .paired = is_paired(sources, targets),
  };
}

static uint64_t *arrivals(td_traffic *traffic) {
  return traffic->counts + (size_t)traffic->sources * columns(traffic);
}

void td_traffic_add(td_traffic *traffic, td_span payload) {
  uint64_t ids[CHUNK];
  uint16_t sources[CHUNK], targets[CHUNK];
  const uint8_t *record = payload.data;
  size_t left = payload.size / TD_RECORD_BYTES, wide = columns(traffic);
  uint64_t *arrived = arrivals(traffic);
  for (size_t now; left > 0; left -= now) {
    now = left < CHUNK ? left : CHUNK;
    for (size_t i = 0; i < now; i++, record += TD_RECORD_BYTES) {
      ids[i] = td_record_entity(record).value;
    }
    td_router_route_many(traffic->from, ids, sources, now);
    td_router_route_many(traffic->to, ids, targets, now);
    for (size_t i = 0; i < now; i++) {
      size_t column = traffic->paired ? targets[i] : sources[i] != targets[i];
      traffic->counts[sources[i] * wide + column]++;
      arrived[targets[i]]++;
    }
  }
}

uint64_t td_traffic_count(const td_traffic *traffic, uint32_t source,
                          uint32_t target) {
  td_assert(source < traffic->sources && target < columns(traffic));
  return traffic->counts[(size_t)source * columns(traffic) + target];
}

uint64_t td_traffic_arrived(const td_traffic *traffic, uint32_t target) {
  td_assert(target < traffic->targets);
  return traffic->counts[(size_t)traffic->sources * columns(traffic)
                         + target];
}
