/* Covers model/traffic.
 * Pairs of shards against routing every id by both. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "format/record.h"
#include "model/traffic.h"

#define EVENTS 3000u

static td_router *even(uint32_t shards, td_strategy strategy) {
  td_router *router = malloc(td_router_size(shards));
  CHECK(td_router_init_even(router, strategy, shards, NULL) == TD_OK);
  return router;
}

static td_router *hash(uint32_t shards) {
  td_router *router = malloc(td_router_size(0));
  CHECK(td_router_init_hash(router, shards, NULL) == TD_OK);
  return router;
}

static td_traffic *begin(const td_router *from, const td_router *to) {
  size_t size = td_traffic_size(from, to);
  td_traffic *traffic = malloc(size);
  memset(traffic, 0xa5, size);
  td_traffic_init(traffic, from, to);
  return traffic;
}

static void add(td_traffic *traffic, const uint64_t *ids, uint32_t count) {
  uint8_t *bytes = malloc((size_t)count * TD_RECORD_BYTES + 1);
  for (uint32_t i = 0; i < count; i++) {
    td_record record = {.entity = {ids[i]}, .weight = 1};
    td_record_encode(&record, bytes + (size_t)i * TD_RECORD_BYTES);
  }
  td_traffic_add(traffic, (td_span){bytes, (size_t)count * TD_RECORD_BYTES});
  free(bytes);
}

/* Half the ids lie above 2^63. */
static void random_ids(uint64_t *ids, uint32_t count) {
  td_prng prng = {test_seed()};
  for (uint32_t i = 0; i < count; i++) ids[i] = td_prng_next(&prng);
  ids[0] = 0;
  ids[1] = UINT64_MAX;
}

static uint32_t shard_of(const td_router *router, uint64_t id) {
  return td_router_route(router, (td_entity_id){id}).value;
}

/* Counts of every pair, or of what stays and goes, by hand. */
static void check(const td_router *from, const td_router *to, bool paired) {
  static uint64_t ids[EVENTS];
  td_traffic *traffic = begin(from, to);
  random_ids(ids, EVENTS);
  add(traffic, ids, 0);
  add(traffic, ids, 1);
  add(traffic, ids + 1, 256);
  add(traffic, ids + 257, EVENTS - 257);
  CHECK(traffic->paired == paired);
  uint64_t sum = 0, arrived = 0;
  uint32_t wide = paired ? traffic->targets : 2;
  for (uint32_t s = 0; s < traffic->sources; s++) {
    for (uint32_t t = 0; t < wide; t++) sum += td_traffic_count(traffic, s, t);
  }
  for (uint32_t t = 0; t < traffic->targets; t++) {
    arrived += td_traffic_arrived(traffic, t);
  }
  CHECK_U64(sum, EVENTS);
  CHECK_U64(arrived, EVENTS);
  for (uint32_t i = 0; i < EVENTS; i += 101) {
    uint32_t source = shard_of(from, ids[i]), target = shard_of(to, ids[i]);
    uint64_t same = 0, there = 0;
    for (uint32_t k = 0; k < EVENTS; k++) {
      uint32_t a = shard_of(from, ids[k]), b = shard_of(to, ids[k]);
      bool moves = a != b;
      if (a == source && (paired ? b == target : moves == (source != target))) {
        same++;
      }
      there += b == target;
    }
    uint32_t column = paired ? target : source != target;
    CHECK_U64(td_traffic_count(traffic, source, column), same);
    CHECK_U64(td_traffic_arrived(traffic, target), there);
  }
  free(traffic);
}

static void pairs(void) {
  td_router *a = even(5, TD_STRATEGY_RANGES), *b = hash(7);
  td_router *c = even(6, TD_STRATEGY_HASH_RANGES);
  check(a, b, true);
  check(b, a, true);
  check(b, c, true);
  check(a, a, true);
  free(a);
  free(b);
  free(c);
}

/* 1,024 x 1,024 pairs have a count each, 1,024 x 1,025 have not. */
static void at_the_limit(void) {
  CHECK_U64(TD_TRAFFIC_PAIRS_MAX, 1024 * 1024);
  td_router *a = hash(1024), *b = hash(1024), *c = hash(1025);
  check(a, b, true);
  check(a, c, false);
  check(c, b, false);
  size_t paired = td_traffic_size(a, b);
  CHECK(paired >= TD_TRAFFIC_PAIRS_MAX * sizeof(uint64_t));
  CHECK(td_traffic_size(a, c) < paired / 100);
  free(a);
  free(b);
  free(c);
}

void test_traffic(void) {
  test_case("traffic", "every pair of shards", pairs);
  test_case("traffic", "pairs up to the limit, sources past it",
            at_the_limit);
}
