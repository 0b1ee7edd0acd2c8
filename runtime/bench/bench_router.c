/* G6, G6b, G7: the router against libc's bsearch over the same ranges.
 *
 * G6 asks for independent ids, G6b for each id after the answer to the one
 * before, or for tables and ids chosen against us; G7 for arrays. The peer
 * is what a C program would write: sorted {first, last} records and an array
 * of shards beside them. */
#include "bench/bench.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/prng.h"
#include "model/router.h"

#define IDS 32768u   /* a power of two */
#define BATCH 1024u  /* ids per route_many, at most */

typedef enum table_shape {
  UNIFORM,  /* random boundaries, every range asked for alike */
  SPREAD,   /* boundaries spread over all orders of magnitude */
  ZIPF,     /* random boundaries, few ranges asked for most of the time */
} table_shape;

typedef struct record { uint64_t first, last; } record;

typedef struct table {
  td_router *router;
  record *records;
  uint16_t *owners;
  uint64_t *ids;
  uint32_t count;
  uint64_t zero;  /* nought, but only at run time: ties id to answer */
} table;

/* Takes what was measured, so that it is not left out as unused. */
static volatile uint64_t taken;

static int by_record(const void *key, const void *entry) {
  uint64_t id = *(const uint64_t *)key;
  const record *r = entry;
  return (id > r->last) - (id < r->first);
}

static uint32_t peer_route(const table *t, uint64_t id) {
  const record *r = bsearch(&id, t->records, t->count, sizeof *r, by_record);
  return t->owners[r - t->records];
}

static uint32_t our_route(const table *t, uint64_t id) {
  return td_router_route(t->router, (td_entity_id){id}).value;
}

static void our_single(void *ctx, uint64_t times) {
  const table *t = ctx;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < times; i++) {
    sum += our_route(t, t->ids[i & (IDS - 1)]);
  }
  taken = sum;
}

static void peer_single(void *ctx, uint64_t times) {
  const table *t = ctx;
  uint64_t sum = 0;
  for (uint64_t i = 0; i < times; i++) {
    sum += peer_route(t, t->ids[i & (IDS - 1)]);
  }
  taken = sum;
}

static void our_chain(void *ctx, uint64_t times) {
  const table *t = ctx;
  uint64_t last = 0;
  for (uint64_t i = 0; i < times; i++) {
    last = our_route(t, t->ids[i & (IDS - 1)] + (last & t->zero));
  }
  taken = last;
}

static void peer_chain(void *ctx, uint64_t times) {
  const table *t = ctx;
  uint64_t last = 0;
  for (uint64_t i = 0; i < times; i++) {
    last = peer_route(t, t->ids[i & (IDS - 1)] + (last & t->zero));
  }
  taken = last;
}

static void our_many(void *ctx, uint64_t times) {
  const table *t = ctx;
  uint16_t out[BATCH];
  for (uint64_t i = 0, now; i < times; i += now) {
    now = times - i < BATCH ? times - i : BATCH;
    td_router_route_many(t->router, t->ids + (i & (IDS - 1)), out,
                         (size_t)now);
    taken = out[0];
  }
}

static void peer_many(void *ctx, uint64_t times) {
  const table *t = ctx;
  uint16_t out[BATCH];
  for (uint64_t i = 0, now; i < times; i += now) {
    const uint64_t *ids = t->ids + (i & (IDS - 1));
    now = times - i < BATCH ? times - i : BATCH;
    for (uint64_t j = 0; j < now; j++) {
      out[j] = (uint16_t)peer_route(t, ids[j]);
    }
    taken = out[0];
  }
}

/* --- tables --------------------------------------------------------------- */

static uint64_t any_bound(td_prng *prng, table_shape shape) {
  uint64_t bound = td_prng_next(prng);
  return shape == SPREAD ? bound >> td_prng_below(prng, 64) : bound;
}

static int by_number(const void *a, const void *b) {
  return td_u64_cmp(*(const uint64_t *)a, *(const uint64_t *)b);
}

/* count different starts, ascending, the first 0. */
static uint64_t *make_starts(td_prng *prng, table_shape shape, uint32_t count) {
  uint64_t *starts = bench_alloc((count + 1) * sizeof *starts);
  uint32_t have = 1;
  starts[0] = 0;
  while (have < count) {
    while (have < count) starts[have++] = any_bound(prng, shape);
    qsort(starts, have, sizeof *starts, by_number);
    uint32_t kept = 1;
    for (uint32_t i = 1; i < have; i++) {
      if (starts[i] != starts[kept - 1]) starts[kept++] = starts[i];
    }
    have = kept;
  }
  return starts;
}

static uint32_t any_range(td_prng *prng, table_shape shape, uint32_t count) {
  if (shape != ZIPF) return (uint32_t)td_prng_below(prng, count);
  double sum = 0, at;
  for (uint32_t i = 1; i <= count; i++) sum += 1.0 / i;
  at = (double)(td_prng_next(prng) >> 11) / 9007199254740992.0 * sum;
  uint32_t rank = 1;
  while (rank < count && (at -= 1.0 / rank) > 0) rank++;
  return (uint32_t)(rank * UINT64_C(7919) % count);
}

static void make_ids(table *t, td_prng *prng, table_shape shape) {
  t->ids = bench_alloc((IDS + BATCH) * sizeof *t->ids);
  for (uint32_t i = 0; i < IDS + BATCH; i++) {
    record r = t->records[any_range(prng, shape, t->count)];
    uint64_t width = r.last - r.first;
    t->ids[i] = r.first
              + (width == UINT64_MAX ? td_prng_next(prng)
                                     : td_prng_below(prng, width + 1));
  }
}

static void make_table(table *t, table_shape shape, uint32_t count) {
  td_prng prng = {count * UINT64_C(3) + shape};
  td_range *ranges = bench_alloc(count * sizeof *ranges);
  uint64_t *starts = make_starts(&prng, shape, count);
  *t = (table){
    .router = bench_alloc(td_router_size(count)), .count = count,
    .records = bench_alloc(count * sizeof *t->records),
    .owners = bench_alloc(count * sizeof *t->owners),
  };
  for (uint32_t i = 0; i < count; i++) {
    uint64_t last = i + 1 < count ? starts[i + 1] - 1 : UINT64_MAX;
    t->owners[i] = (uint16_t)(i * UINT64_C(7919) % count);
    t->records[i] = (record){starts[i], last};
    ranges[i] = (td_range){starts[i], last, {t->owners[i]}, i};
  }
  td_assert(td_router_init_ranges(t->router, TD_STRATEGY_RANGES, ranges,
                                  count, NULL) == TD_OK);
  make_ids(t, &prng, shape);
  free(starts);
  free(ranges);
}

static void free_table(table *t) {
  free(t->router);
  free(t->records);
  free(t->owners);
  free(t->ids);
}

/* --- gates ---------------------------------------------------------------- */

typedef struct item {
  table_shape shape;
  uint32_t count;
  bool chained;
  double gate;
} item;

static void name_pair(bench_pair *p, const char *what, const item *it) {
  static const char *const shapes[] = {"", ", spread bounds", ", zipf ids"};
  snprintf(p->result.name, sizeof p->result.name, "%s vs bsearch, n=%u%s%s",
           what, it->count, shapes[it->shape], it->chained ? ", chained" : "");
}

/* One run. Neighbours that differ only in how they ask share a table. */
static void measure(bench *b, const char *id, const item *items,
                    uint32_t count) {
  table tables[BENCH_PAIRS_MAX];
  bench_pair pairs[BENCH_PAIRS_MAX] = {0};
  uint32_t made = 0;
  bool many = strcmp(id, "G7") == 0;
  if (!bench_wanted(b, "router", id)) return;
  for (uint32_t i = 0; i < count; i++) {
    const item *it = &items[i];
    bench_pair *p = &pairs[i];
    if (i == 0 || it[-1].shape != it->shape || it[-1].count != it->count) {
      make_table(&tables[made++], it->shape, it->count);
    }
    p->ours = many ? our_many : it->chained ? our_chain : our_single;
    p->peer = many ? peer_many : it->chained ? peer_chain : peer_single;
    p->ours_ctx = p->peer_ctx = &tables[made - 1];
    p->result = (bench_result){
      .id = id, .gate = it->gate, .rule = BENCH_AT_LEAST};
    name_pair(p, many ? "route_many" : "route", it);
  }
  bench_measure(b, id, pairs, count);
  for (uint32_t i = 0; i < made; i++) free_table(&tables[i]);
}

#define MEASURE(b, id, ...) \
  do { \
    static const item items[] = {__VA_ARGS__}; \
    measure(b, id, items, sizeof items / sizeof *items); \
  } while (0)

/* The largest tables in runs of their own: beside one another they would
 * only measure who was evicted from the cache. */
void bench_router(bench *b) {
  MEASURE(b, "G6", {UNIFORM, 5, false, 1.8}, {UNIFORM, 15, false, 2.2},
          {UNIFORM, 1024, false, 4});
  MEASURE(b, "G6", {UNIFORM, 65535, false, 4});
  MEASURE(b, "G6b", {UNIFORM, 15, true, 1.1}, {UNIFORM, 1024, true, 2.3});
  MEASURE(b, "G6b", {UNIFORM, 65535, true, 2});
  MEASURE(b, "G6b", {SPREAD, 15, true, 0.9}, {SPREAD, 15, false, 0.9},
          {SPREAD, 64, true, 0.9}, {SPREAD, 64, false, 0.9},
          {SPREAD, 1024, true, 0.9}, {SPREAD, 1024, false, 0.9});
  MEASURE(b, "G6b", {SPREAD, 65535, true, 0.9}, {SPREAD, 65535, false, 0.9});
  MEASURE(b, "G6b", {ZIPF, 5, true, 0.65}, {ZIPF, 5, false, 0.65},
          {ZIPF, 15, true, 0.9}, {ZIPF, 15, false, 0.9},
          {ZIPF, 1024, true, 0.9}, {ZIPF, 1024, false, 0.9});
  MEASURE(b, "G7", {UNIFORM, 5, false, 4}, {UNIFORM, 15, false, 4},
          {UNIFORM, 1024, false, 6});
  MEASURE(b, "G7", {UNIFORM, 65535, false, 8});
}
