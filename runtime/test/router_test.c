/* Covers model/router model/router_build.
 * The router against a walk over the list of ranges. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "model/router.h"
#include "test/router_cases.h"

#define SMALL 300u
#define PROBES (3u * TD_RANGES_MAX + 8u)

static td_range table[TD_RANGES_MAX], mixed[TD_RANGES_MAX];
static uint64_t probes[PROBES];
static uint16_t answers[PROBES];
static uint64_t counts[TD_SHARDS_MAX], wanted[TD_SHARDS_MAX];

static int by_number(const void *a, const void *b) {
  return td_u64_cmp(*(const uint64_t *)a, *(const uint64_t *)b);
}

static uint64_t any_start(td_prng *prng, table_shape shape, uint32_t count) {
  uint64_t any = td_prng_next(prng);
  if (td_prng_below(prng, 4 * count) == 0) return UINT64_MAX;
  switch (shape) {
  case SHAPE_SPREAD_LOW: return any >> td_prng_below(prng, 64);
  case SHAPE_SPREAD_HIGH: return ~(any >> td_prng_below(prng, 64));
  case SHAPE_NEAR_ZERO: return any % (4 * count);
  case SHAPE_NEAR_LAST: return ~(any % (4 * count));
  case SHAPE_ONE_ID: return (UINT64_C(1) << 63) - count + any % (3 * count);
  case SHAPE_UNIFORM:
  case SHAPE_EVEN:
  case SHAPE_COUNT: break;
  }
  return any;
}

void router_make(td_range *ranges, uint32_t count, table_shape shape,
                 td_prng *prng) {
  uint64_t *starts = malloc(count * sizeof *starts);
  uint64_t owners = 1 + td_prng_below(prng, 2 * count);
  bool numbered = td_prng_below(prng, 3) == 0;
  uint32_t have = 1;
  starts[0] = 0;
  while (have < count) {
    while (have < count) starts[have++] = any_start(prng, shape, count);
    qsort(starts, have, sizeof *starts, by_number);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < have; i++) {
      if (starts[i] != starts[kept - 1]) starts[kept++] = starts[i];
    }
    have = kept;
  }
  for (uint32_t i = 0; i < count; i++) {
    if (shape == SHAPE_EVEN) starts[i] = td_even_first(i, count);
  }
  for (uint32_t i = 0; i < count; i++) {
    uint64_t last = i + 1 < count ? starts[i + 1] - 1 : UINT64_MAX;
    uint64_t shard = numbered ? i : td_prng_below(prng, owners) & 65535;
    ranges[i] = (td_range){starts[i], last, {(uint16_t)shard}, i};
  }
  free(starts);
}

void router_shuffle(td_range *ranges, uint32_t count, td_prng *prng) {
  for (uint32_t i = count; i > 1; i--) {
    uint32_t j = (uint32_t)td_prng_below(prng, i);
    td_range range = ranges[i - 1];
    ranges[i - 1] = ranges[j];
    ranges[j] = range;
  }
}

td_shard_id router_oracle(const td_range *ranges, uint32_t count,
                          uint64_t key) {
  for (uint32_t i = 0; i < count; i++) {
    if (ranges[i].first <= key && key <= ranges[i].last) {
      return ranges[i].shard;
    }
  }
  test_failed(__FILE__, __LINE__, "no range holds the key");
  return (td_shard_id){0};
}

/* --- one table in every way ----------------------------------------------- */

static td_router *build(td_strategy strategy, uint32_t count,
                        td_prng *prng) {
  td_error err = {.status = TD_OK};
  td_router *router = malloc(td_router_size(count));
  memcpy(mixed, table, count * sizeof *mixed);
  router_shuffle(mixed, count, prng);
  memset(router, 0xa5, td_router_size(count));
  CHECK(td_router_init_ranges(router, strategy, mixed, count, &err) == TD_OK);
  CHECK(td_router_bytes(router) <= td_router_size(count));
  return router;
}

/* Each boundary and its neighbours, and the ends and the middle of all. */
static uint32_t make_probes(uint32_t count) {
  uint64_t middle = UINT64_C(1) << 63;
  uint64_t fixed[] = {0, 1, middle - 1, middle, middle + 1, UINT64_MAX - 1,
                      UINT64_MAX};
  uint32_t have = sizeof fixed / sizeof *fixed;
  memcpy(probes, fixed, sizeof fixed);
  for (uint32_t i = 0; i < count; i++) {
    probes[have++] = table[i].first - 1;
    probes[have++] = table[i].first;
    probes[have++] = table[i].first + 1;
  }
  return have;
}

static void check_facts(const td_router *router, uint32_t count) {
  uint32_t shards = 0, max = 0;
  memset(counts, 0, sizeof counts);
  for (uint32_t i = 0; i < count; i++) {
    td_range range = td_router_range(router, i);
    CHECK_U64(range.first, table[i].first);
    CHECK_U64(range.last, table[i].last);
    CHECK(td_shard_id_eq(range.shard, table[i].shard));
    CHECK(range.index == i);
    shards += counts[table[i].shard.value]++ == 0;
    if (table[i].shard.value > max) max = table[i].shard.value;
  }
  CHECK_U64(td_router_range_count(router), count);
  CHECK_U64(td_router_shard_count(router), shards);
  CHECK_U64(td_router_shard_max(router).value, max);
}

/* `answers` holds route() of the probes; the bulk forms must agree. */
static void check_bulk(const td_router *router, uint32_t have) {
  static uint16_t bulk[PROBES];
  uint32_t cut = have > 3 ? have / 3 : have;
  memset(bulk, 0xee, sizeof *bulk * have);
  td_router_route_many(router, probes, bulk, cut);
  td_router_route_many(router, probes + cut, bulk + cut, have - cut);
  CHECK(memcmp(bulk, answers, have * sizeof *bulk) == 0);
  memset(counts, 0, sizeof counts);
  memset(wanted, 0, sizeof wanted);
  for (uint32_t i = 0; i < have; i++) wanted[answers[i]]++;
  td_router_histogram(router, probes, have, counts);
  CHECK(memcmp(counts, wanted, sizeof counts) == 0);
}

/* A copy of just the bytes in use, at another place, routes the same. */
static void check_copy(td_router *router, uint32_t have) {
  size_t bytes = td_router_bytes(router);
  td_router *copy = malloc(bytes);
  memcpy(copy, router, bytes);
  memset(router, 0x5a, bytes);
  for (uint32_t i = 0; i < have; i++) {
    CHECK_U64(td_router_route(copy, (td_entity_id){probes[i]}).value,
              answers[i]);
  }
  check_bulk(copy, have);
  free(copy);
}

static const char *check_table(uint32_t count, td_prng *prng) {
  td_router *router = build(TD_STRATEGY_RANGES, count, prng);
  const char *kernel = td_router_kernel(router);
  uint32_t have = make_probes(count);
  check_facts(router, count);
  for (uint32_t i = 0; i < have; i++) {
    answers[i] = td_router_route(router, (td_entity_id){probes[i]}).value;
    if (count > SMALL && i % 997 > 0) continue;
    CHECK_U64(answers[i], router_oracle(table, count, probes[i]).value);
  }
  for (uint32_t i = 0; i < count; i++) {
    CHECK_U64(answers[have - 3 * count + 3 * i + 1], table[i].shard.value);
    CHECK_U64(answers[have - 3 * count + 3 * i],
              table[i > 0 ? i - 1 : count - 1].shard.value);
  }
  check_bulk(router, have);
  check_copy(router, have);
  free(router);
  return kernel;
}

static void check_hashed(uint32_t count, td_prng *prng) {
  td_router *router = build(TD_STRATEGY_HASH_RANGES, count, prng);
  uint32_t have = make_probes(count);
  for (uint32_t i = 0; i < have; i++) {
    td_entity_id id = {probes[i]};
    CHECK_U64(td_router_key(router, id), td_hash_entity(id));
    answers[i] = td_router_route(router, id).value;
    CHECK_U64(answers[i],
              router_oracle(table, count, td_hash_entity(id)).value);
  }
  check_bulk(router, have);
  free(router);
}

/* --- cases ---------------------------------------------------------------- */

/* Every way of searching must have been met. */
static unsigned met(const char *kernel) {
  return strcmp(kernel, "constant") == 0 ? 1
       : strcmp(kernel, "even") == 0 ? 2
       : strcmp(kernel, "buckets") == 0 ? 4
       : strcmp(kernel, "search") == 0 ? 8 : 0;
}

static void many_tables(void) {
  td_prng prng = {test_seed()};
  unsigned kernels = 0, tables = test_soak() ? 20000 : 1000;
  for (unsigned i = 0; i < tables; i++) {
    uint32_t count = 1 + (uint32_t)td_prng_below(&prng, SMALL);
    if (i % 2) count = 1 + count % 40;
    router_make(table, count, (table_shape)(i % SHAPE_COUNT), &prng);
    kernels |= met(check_table(count, &prng));
    if (i % 10 == 0) check_hashed(count, &prng);
  }
  CHECK_U64(kernels, 15);
}

static void large_tables(void) {
  td_prng prng = {test_seed() + 1};
  unsigned kernels = 0;
  for (unsigned i = 0; i < SHAPE_COUNT; i++) {
    router_make(table, 1024, (table_shape)i, &prng);
    kernels |= met(check_table(1024, &prng));
  }
  for (unsigned i = 0; i < SHAPE_COUNT; i++) {
    router_make(table, TD_RANGES_MAX, (table_shape)i, &prng);
    for (uint32_t j = 0; i % 2 && j < TD_RANGES_MAX; j++) {
      table[j].shard = (td_shard_id){(uint16_t)(j * 40503u)};
    }
    kernels |= met(check_table(TD_RANGES_MAX, &prng));
  }
  CHECK_U64(kernels, 14);
}

/* A range that is the last id alone, under shards numbered like the ranges:
 * nothing lies behind it. */
static void last_id(void) {
  td_prng prng = {test_seed() + 2};
  for (uint32_t count = 2; count < 80; count++) {
    for (uint32_t i = 0; i < count; i++) {
      uint64_t first = i == 0 ? 0 : UINT64_MAX - 3 * (count - 1 - i);
      uint64_t last = i + 1 < count ? UINT64_MAX - 3 * (count - 2 - i) - 1
                                    : UINT64_MAX;
      table[i] = (td_range){first, last, {(uint16_t)i}, i};
    }
    check_table(count, &prng);
  }
}

static void one_shard_many_ranges(void) {
  td_prng prng = {test_seed() + 3};
  router_make(table, 5000, SHAPE_UNIFORM, &prng);
  for (uint32_t i = 0; i < 5000; i++) table[i].shard = (td_shard_id){65535};
  check_table(5000, &prng);
}

/* The high and the low word of a * b. */
static uint64_t product(uint64_t a, uint32_t b, uint64_t *low) {
  uint64_t under = (a & UINT32_MAX) * b, over = (a >> 32) * b;
  uint64_t middle = (under >> 32) + (over & UINT32_MAX);
  *low = middle << 32 | (under & UINT32_MAX);
  return (over >> 32) + (middle >> 32);
}

static void even_split(void) {
  static const uint32_t sizes[] = {1, 2, 3, 5, 7, 15, 64, 1000, 1024, 65535,
                                   65536};
  for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
    uint32_t parts = sizes[s];
    td_router *router = malloc(td_router_size(parts));
    uint64_t low;
    CHECK(td_router_init_even(router, TD_STRATEGY_RANGES, parts, NULL)
          == TD_OK);
    CHECK_TEXT(td_router_kernel(router), parts == 1 ? "constant" : "even");
    CHECK_U64(td_router_shard_count(router), parts);
    for (uint32_t i = 0; i < parts; i++) {
      uint64_t first = td_even_first(i, parts);
      CHECK_U64(td_router_route(router, (td_entity_id){first}).value, i);
      CHECK_U64(product(first, parts, &low), i);
      CHECK_U64(td_router_range(router, i).first, first);
      if (i == 0) continue;
      CHECK_U64(td_router_route(router, (td_entity_id){first - 1}).value,
                i - 1);
      CHECK_U64(product(first - 1, parts, &low), i - 1);
    }
    free(router);
  }
  CHECK_U64(td_even_first(1, 5), UINT64_C(0x3333333333333334));
  CHECK_U64(td_even_first(1, 2), UINT64_C(1) << 63);
}

static void single_and_hash(void) {
  td_router *router = malloc(td_router_size(0));
  td_error err;
  td_router_init_single(router, (td_shard_id){77});
  CHECK_TEXT(td_router_kernel(router), "constant");
  CHECK_TEXT(td_strategy_name(td_router_strategy(router)), "single");
  CHECK_U64(td_router_route(router, (td_entity_id){UINT64_MAX}).value, 77);
  CHECK_U64(td_router_shard_count(router), 1);
  CHECK_U64(td_router_bytes(router), td_router_size(0));
  CHECK(td_router_init_hash(router, 0, &err) == TD_NO_SHARDS);
  CHECK(td_router_init_hash(router, 65537, &err) == TD_TOO_MANY);
  CHECK_U64(err.got, 65537);
  CHECK_U64(err.bound, TD_SHARDS_MAX);
  CHECK_U64(td_router_route(router, (td_entity_id){0}).value, 77);
  CHECK(td_router_init_hash(router, 65536, NULL) == TD_OK);
  CHECK_TEXT(td_router_kernel(router), "hash");
  CHECK_U64(td_router_shard_max(router).value, 65535);
  CHECK_U64(td_router_range_count(router), 0);
  CHECK_U64(td_router_key(router, (td_entity_id){UINT64_MAX}), UINT64_MAX);
  CHECK(td_router_init_even(router, TD_STRATEGY_RANGES, 0, NULL)
        == TD_NO_SHARDS);
  CHECK(td_router_init_even(router, TD_STRATEGY_RANGES, 65537, NULL)
        == TD_TOO_MANY);
  free(router);
}

void test_router(void) {
  test_case("router", "random tables against a walk", many_tables);
  test_case("router", "tables of 1,024 and 65,536 ranges", large_tables);
  test_case("router", "a range of the last id alone", last_id);
  test_case("router", "one shard, many ranges", one_shard_many_ranges);
  test_case("router", "the even split, exactly", even_split);
  test_case("router", "single and hash", single_and_hash);
  test_router_faults();
}
