/* Lists that are no table: every fault with its exact numbers. And the hash
 * strategy's golden routes. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "test/router_cases.h"

#define FAULTS_MAX 32u

typedef struct heard {
  td_error list[FAULTS_MAX];
  uint32_t count;
} heard;

static void hear(void *ctx, const td_error *fault) {
  heard *to = ctx;
  if (to->count < FAULTS_MAX) to->list[to->count] = *fault;
  to->count++;
}

typedef struct fault {
  td_status status;
  uint64_t got, bound;
  uint32_t index, other;
} fault;

/* Checks the list, and that a router refuses it for the first reason. */
static void expect(td_range *ranges, uint32_t count, const fault *want,
                   uint32_t want_count) {
  heard got = {.count = 0};
  td_error err;
  td_router *router = malloc(td_router_size(count));
  td_router_init_single(router, (td_shard_id){9});
  for (uint32_t i = 0; i < count; i++) ranges[i].index = 100 + i;
  CHECK(td_router_init_ranges(router, TD_STRATEGY_RANGES, ranges, count, &err)
        == want[0].status);
  CHECK_U64(err.got, want[0].got);
  CHECK_U64(td_router_route(router, (td_entity_id){1}).value, 9);
  CHECK_U64(td_ranges_check(ranges, count, hear, &got), want_count);
  CHECK_U64(got.count, want_count);
  for (uint32_t i = 0; i < want_count && i < got.count; i++) {
    CHECK_TEXT(td_status_code(got.list[i].status),
               td_status_code(want[i].status));
    CHECK_U64(got.list[i].got, want[i].got);
    CHECK_U64(got.list[i].bound, want[i].bound);
    CHECK_U64(got.list[i].index, want[i].index);
    CHECK_U64(got.list[i].other, want[i].other);
  }
  CHECK_U64(td_ranges_check(ranges, count, NULL, NULL), want_count);
  free(router);
}

#define EXPECT(ranges, ...) \
  do { \
    static const fault want[] = {__VA_ARGS__}; \
    expect(ranges, sizeof(ranges) / sizeof *(ranges), want, \
           sizeof want / sizeof *want); \
  } while (0)

#define HALF (UINT64_C(1) << 63)
#define END UINT64_MAX
#define NONE TD_NO_INDEX

static void empty_and_too_many(void) {
  static td_range many[TD_RANGES_MAX + 1];
  td_range none[1];
  expect(none, 0, &(fault){TD_NO_RANGES, 0, 1, NONE, NONE}, 1);
  expect(many, TD_RANGES_MAX + 1,
         &(fault){TD_TOO_MANY, 65537, 65536, NONE, NONE}, 1);
  CHECK_U64(td_router_size(TD_RANGES_MAX + 1), td_router_size(TD_RANGES_MAX));
}

static void ends(void) {
  td_range late[] = {{.first = HALF, .last = END},
                     {.first = 7, .last = HALF - 1}};
  td_range early[] = {{.first = HALF, .last = END - 1},
                      {.first = 0, .last = HALF - 1}};
  td_range alone[] = {{.first = END, .last = END}};
  EXPECT(late, {TD_NOT_FROM_ZERO, 7, 0, 101, NONE});
  EXPECT(early, {TD_NOT_TO_LAST, END - 1, END, 100, NONE});
  EXPECT(alone, {TD_NOT_FROM_ZERO, END, 0, 100, NONE});
}

static void gaps(void) {
  td_range wide[] = {{.first = 0x1000, .last = END},
                     {.first = 0, .last = 0xff}};
  td_range narrow[] = {{.first = 0, .last = HALF - 1},
                       {.first = HALF + 1, .last = END - 1},
                       {.first = END, .last = END}};
  td_range two[] = {{.first = 0, .last = 9}, {.first = 20, .last = 29},
                    {.first = 40, .last = END}};
  EXPECT(wide, {TD_GAP, 0xfff, 0x100, 101, 100});
  EXPECT(narrow, {TD_GAP, HALF, HALF, 100, 101});
  EXPECT(two, {TD_GAP, 19, 10, 100, 101}, {TD_GAP, 39, 30, 101, 102});
}

static void overlaps(void) {
  td_range one[] = {{.first = 0, .last = HALF}, {.first = HALF, .last = END}};
  td_range same[] = {{.first = 0, .last = END}, {.first = 0, .last = END},
                     {.first = 0, .last = END}};
  td_range wide[] = {{.first = 201, .last = END}, {.first = 0, .last = 100},
                     {.first = 10, .last = 20}, {.first = 30, .last = 40},
                     {.first = 50, .last = 200}};
  td_range across[] = {{.first = 0, .last = END}, {.first = 5, .last = 6},
                       {.first = END, .last = END}};
  EXPECT(one, {TD_OVERLAP, HALF, HALF, 100, 101});
  EXPECT(same, {TD_OVERLAP, END, 0, 100, 101},
         {TD_OVERLAP, END, 0, 100, 102});
  EXPECT(wide, {TD_OVERLAP, 20, 10, 101, 102},
         {TD_OVERLAP, 40, 30, 101, 103}, {TD_OVERLAP, 100, 50, 101, 104});
  EXPECT(across, {TD_OVERLAP, 6, 5, 100, 101},
         {TD_OVERLAP, END, END, 100, 102});
}

static void inverted(void) {
  td_range one[] = {{.first = 0, .last = 9}, {.first = 20, .last = 10},
                    {.first = 21, .last = END}};
  td_range all[] = {{.first = END, .last = 0}, {.first = 1, .last = 0}};
  EXPECT(one, {TD_INVERTED, 10, 20, 101, NONE}, {TD_GAP, 20, 10, 100, 102});
  EXPECT(all, {TD_INVERTED, 0, 1, 101, NONE},
         {TD_INVERTED, 0, END, 100, NONE});
}

/* A mistake of each kind at once: nothing hides behind the first. */
static void everything(void) {
  td_range list[] = {{.first = 60, .last = 80}, {.first = 5, .last = 30},
                     {.first = 3, .last = 1}, {.first = 25, .last = 40}};
  EXPECT(list, {TD_INVERTED, 1, 3, 102, NONE},
         {TD_NOT_FROM_ZERO, 5, 0, 101, NONE},
         {TD_OVERLAP, 30, 25, 101, 103}, {TD_GAP, 59, 41, 103, 100},
         {TD_NOT_TO_LAST, 80, END, 100, NONE});
}

/* Moves one bound of a good table; false if that cannot be wrong. */
static bool damage(td_range *range, uint64_t how, uint64_t by) {
  uint64_t width = range->last - range->first;
  switch (how) {
  case 0: return range->last + by > range->last && (range->last += by) > 0;
  case 1: return width >= by && (range->last -= by) < END;
  case 2: return range->first >= by && (range->first -= by) < END;
  default: return width >= by && (range->first += by) > 0;
  }
}

static void damaged_tables(void) {
  enum { COUNT = 40 };
  td_prng prng = {test_seed() + 4};
  td_range table[COUNT];
  td_router *router = malloc(td_router_size(COUNT));
  unsigned tried = 0;
  for (unsigned i = 0; i < 2000; i++) {
    uint32_t count = 2 + (uint32_t)td_prng_below(&prng, COUNT - 1);
    router_make(table, count, (table_shape)(i % SHAPE_COUNT), &prng);
    CHECK_U64(td_ranges_check(table, count, NULL, NULL), 0);
    td_range *victim = &table[td_prng_below(&prng, count)];
    uint64_t by = 1 + (td_prng_next(&prng) >> td_prng_below(&prng, 64));
    if (i % 5 == 4) {
      *victim = table[--count];
    } else if (!damage(victim, i % 5, by)) {
      continue;
    }
    router_shuffle(table, count, &prng);
    CHECK(td_router_init_ranges(router, TD_STRATEGY_RANGES, table, count,
                                NULL) != TD_OK);
    CHECK(td_ranges_check(table, count, NULL, NULL) > 0);
    tried++;
  }
  CHECK(tried > 1000);
  free(router);
}

/* Routes that must never change: entities, their hashes, their shards. */
static void golden_hash_routes(void) {
  static const uint32_t moduli[] = {1, 2, 5, 15, 64, 1024, 65535};
  static const struct { uint64_t id, hash; uint16_t shards[7]; } golden[] = {
    {UINT64_C(0x0000000000000000), UINT64_C(0xc77b3abb6f87acd9),
     {0, 1, 2, 2, 25, 217, 7832}},
    {UINT64_C(0x0000000000000001), UINT64_C(0x2fbc593564db792e),
     {0, 0, 3, 8, 46, 302, 26363}},
    {UINT64_C(0x0000000000000002), UINT64_C(0x2086c65c91eee243),
     {0, 1, 2, 7, 3, 579, 23317}},
    {UINT64_C(0x000000000000002a), UINT64_C(0xd5a6f8c838df27c8),
     {0, 0, 0, 10, 8, 968, 12055}},
    {UINT64_C(0x00000000000003e8), UINT64_C(0x8b128e30f237258d),
     {0, 1, 2, 12, 13, 397, 12552}},
    {UINT64_C(0x000000007fffffff), UINT64_C(0x4f7eaf7f8d7636f2),
     {0, 0, 2, 12, 50, 754, 50022}},
    {UINT64_C(0x0000000100000000), UINT64_C(0xeeab51d59cf4ca5b),
     {0, 1, 1, 1, 27, 603, 42961}},
    {UINT64_C(0x0020000000000001), UINT64_C(0x0ff84143ab99dcd0),
     {0, 0, 2, 7, 16, 208, 55717}},
    {UINT64_C(0x7fffffffffffffff), UINT64_C(0xa233cf376558df46),
     {0, 0, 2, 12, 6, 838, 46602}},
    {UINT64_C(0x8000000000000000), UINT64_C(0x828f2476789a0e5f),
     {0, 1, 0, 0, 31, 607, 11775}},
    {UINT64_C(0x8000000000000001), UINT64_C(0xb8ad7ac4cab25ac8),
     {0, 0, 0, 10, 8, 712, 22765}},
    {UINT64_C(0xfffffffffffffffe), UINT64_C(0x77f9923217301859),
     {0, 1, 3, 13, 25, 89, 14773}},
    {UINT64_C(0xffffffffffffffff), UINT64_C(0x5111c7e47d784413),
     {0, 1, 2, 2, 19, 19, 55937}},
  };
  td_router *router = malloc(td_router_size(0));
  uint64_t ids[sizeof golden / sizeof *golden];
  uint16_t out[sizeof golden / sizeof *golden];
  size_t count = sizeof golden / sizeof *golden;
  for (size_t i = 0; i < count; i++) {
    ids[i] = golden[i].id;
    CHECK_U64(td_hash_entity((td_entity_id){ids[i]}), golden[i].hash);
  }
  for (size_t m = 0; m < sizeof moduli / sizeof *moduli; m++) {
    CHECK(td_router_init_hash(router, moduli[m], NULL) == TD_OK);
    td_router_route_many(router, ids, out, count);
    for (size_t i = 0; i < count; i++) {
      td_entity_id id = {ids[i]};
      CHECK_U64(td_router_route(router, id).value, golden[i].shards[m]);
      CHECK_U64(out[i], golden[i].shards[m]);
    }
  }
  free(router);
}

static void many_hashes(void) {
  enum { COUNT = 1000 };
  td_prng prng = {test_seed() + 5};
  td_router *router = malloc(td_router_size(0));
  static uint64_t ids[COUNT];
  static uint16_t out[COUNT];
  for (unsigned i = 0; i < COUNT; i++) ids[i] = td_prng_next(&prng);
  CHECK(td_router_init_hash(router, 65536, NULL) == TD_OK);
  td_router_route_many(router, ids, out, COUNT);
  for (unsigned i = 0; i < COUNT; i++) {
    CHECK_U64(out[i], td_hash_entity((td_entity_id){ids[i]}) % 65536);
  }
  free(router);
}

void test_router_faults(void) {
  test_case("router", "no ranges, too many ranges", empty_and_too_many);
  test_case("router", "ids missing at the ends", ends);
  test_case("router", "gaps", gaps);
  test_case("router", "overlaps", overlaps);
  test_case("router", "inverted ranges", inverted);
  test_case("router", "every fault is reported", everything);
  test_case("router", "damaged tables are refused", damaged_tables);
  test_case("router", "golden hash routes", golden_hash_routes);
  test_case("router", "many hashes", many_hashes);
}
