/* Making a router: checks of ranges, and the choice of how they are found. */
#include "model/router.h"

#include "base/sort.h"
#include "model/router_table.h"

/* --- checking a list of ranges -------------------------------------------- */

static bool range_less(const void *a, const void *b) {
  const td_range *x = a, *y = b;
  if (x->first != y->first) return x->first < y->first;
  if (x->last != y->last) return x->last < y->last;
  return x->index < y->index;
}

typedef struct faults {
  td_fault_fn *fn;
  void *ctx;
  uint32_t count;
} faults;

static void report(faults *to, td_error *fault, uint32_t index,
                   uint32_t other) {
  fault->index = index;
  fault->other = other;
  to->count++;
  if (to->fn) to->fn(to->ctx, fault);
}

static bool inverted(const td_range *range) {
  return range->last < range->first;
}

static void check_inverted(const td_range *ranges, uint32_t count,
                           faults *to) {
  td_error fault;
  for (uint32_t i = 0; i < count; i++) {
    if (!inverted(&ranges[i])) continue;
    td_fail(&fault, TD_INVERTED, "range", ranges[i].last, ranges[i].first);
    report(to, &fault, ranges[i].index, TD_NO_INDEX);
  }
}

/* `reach` is the range before `next` that ends last: comparing with that one
 * alone finds every id claimed twice, however many ranges lie between. */
static void check_pair(const td_range *reach, const td_range *next,
                       faults *to) {
  td_error fault;
  if (next->first <= reach->last) {
    uint64_t end = next->last < reach->last ? next->last : reach->last;
    td_fail(&fault, TD_OVERLAP, "ranges", end, next->first);
  } else if (next->first - reach->last > 1) {
    td_fail(&fault, TD_GAP, "ranges", next->first - 1, reach->last + 1);
  } else {
    return;
  }
  report(to, &fault, reach->index, next->index);
}

uint32_t td_ranges_check(td_range *ranges, uint32_t count,
                         td_fault_fn *fault, void *ctx) {
  faults to = {fault, ctx, 0};
  td_error error;
  if (count == 0) {
    td_fail(&error, TD_NO_RANGES, "router", 0, 1);
    report(&to, &error, TD_NO_INDEX, TD_NO_INDEX);
    return to.count;
  }
  if (count > TD_RANGES_MAX) {
    td_fail(&error, TD_TOO_MANY, "ranges", count, TD_RANGES_MAX);
    report(&to, &error, TD_NO_INDEX, TD_NO_INDEX);
    return to.count;
  }
  td_sort(ranges, count, sizeof *ranges, range_less);
  check_inverted(ranges, count, &to);
  const td_range *reach = NULL;
  for (uint32_t i = 0; i < count; i++) {
    if (inverted(&ranges[i])) continue;
    if (reach) {
      check_pair(reach, &ranges[i], &to);
    } else if (ranges[i].first > 0) {
      td_fail(&error, TD_NOT_FROM_ZERO, "ranges", ranges[i].first, 0);
      report(&to, &error, ranges[i].index, TD_NO_INDEX);
    }
    if (!reach || ranges[i].last > reach->last) reach = &ranges[i];
  }
  if (reach && reach->last < UINT64_MAX) {
    td_fail(&error, TD_NOT_TO_LAST, "ranges", reach->last, UINT64_MAX);
    report(&to, &error, reach->index, TD_NO_INDEX);
  }
  return to.count;
}

static void keep_first(void *ctx, const td_error *fault) {
  td_error *first = ctx;
  if (first->status == TD_OK) *first = *fault;
}

/* --- the table ------------------------------------------------------------ */

static uint32_t buckets_per_range(uint32_t count) {
  return count <= TD_ROUTER_SMALL ? TD_ROUTER_BUCKETS_PER_RANGE
                                  : TD_ROUTER_BUCKETS_PER_RANGE_LARGE;
}

static size_t block_bytes(uint32_t count, uint32_t bucket_count) {
  size_t padded = (size_t)count + TD_ROUTER_PAD;
  return sizeof(td_router) + padded * (sizeof(uint64_t) + sizeof(uint16_t))
       + bucket_count * sizeof(uint16_t);
}

size_t td_router_size(uint32_t range_count) {
  uint32_t count = range_count < TD_RANGES_MAX ? range_count : TD_RANGES_MAX;
  if (count == 0) return sizeof(td_router);
  return block_bytes(count, count * buckets_per_range(count));
}

size_t td_router_bytes(const td_router *router) {
  if (router->count == 0) return sizeof *router;
  return block_bytes(router->count, router->bucket_count);
}

/* Most starts behind the first key of any bucket of 2^shift keys. */
static uint32_t crowd(const td_router *router, unsigned shift) {
  uint64_t inside = (UINT64_C(1) << shift) - 1, bucket = 0;
  uint32_t most = 0, here = 0;
  for (uint32_t i = 1; i < router->count; i++) {
    uint64_t at = router->starts[i] - router->base;
    if (at >> shift != bucket) here = 0;
    bucket = at >> shift;
    here += (at & inside) != 0;
    if (here > most) most = here;
  }
  return most;
}

/* The narrowest buckets of which at most `limit` span the inner starts. */
static unsigned narrowest(uint64_t span, uint32_t limit) {
  unsigned shift = 0;
  while (span >> shift >= limit) shift++;
  return shift;
}

static unsigned steps_for(uint32_t most) {
  return most <= 1 ? 1 : most <= 3 ? 2 : most <= 7 ? 3 : 4;
}

/* More buckets are taken only where they save a step. False: too crowded. */
static bool choose_buckets(td_router *router) {
  uint64_t span = router->top - router->base;
  unsigned best = TD_ROUTER_STEPS + 1;
  for (uint32_t per = 4; per <= buckets_per_range(router->count); per *= 2) {
    unsigned shift = narrowest(span, per * router->count);
    unsigned steps = steps_for(crowd(router, shift));
    if (steps >= best) continue;
    best = steps;
    router->shift = (uint8_t)shift;
  }
  if (best > TD_ROUTER_STEPS) return false;
  router->bucket_count = (uint32_t)(span >> router->shift) + 1;
  router->kernel = (uint8_t)(TD_KERNEL_BUCKETS_1 + best - 1);
  return true;
}

static void fill_buckets(td_router *router, uint16_t *buckets) {
  uint32_t at = 0;
  for (uint32_t i = 0; i < router->bucket_count; i++) {
    uint64_t key = router->base + ((uint64_t)i << router->shift);
    while (at + 1 < router->count && router->starts[at + 1] <= key) at++;
    buckets[i] = (uint16_t)at;
  }
}

static bool is_even(const td_router *router) {
  for (uint32_t i = 0; i < router->count; i++) {
    if (router->starts[i] != td_even_first(i, router->count)) return false;
  }
  return true;
}

/* At the very last key steps may go past the end (router_table.h), so a
 * range that starts there must be looked up. */
static bool is_numbered(const td_router *router, const uint16_t *owners) {
  if (router->starts[router->count - 1] == UINT64_MAX) return false;
  for (uint32_t i = 0; i < router->count; i++) {
    if (owners[i] != i) return false;
  }
  return true;
}

static void count_shards(td_router *router, const uint16_t *owners) {
  uint64_t seen[TD_SHARDS_MAX / 64] = {0};
  for (uint32_t i = 0; i < router->count; i++) {
    uint64_t bit = UINT64_C(1) << (owners[i] & 63);
    router->shard_count += (seen[owners[i] >> 6] & bit) == 0;
    seen[owners[i] >> 6] |= bit;
    if (owners[i] > router->shard_max.value) {
      router->shard_max = (td_shard_id){owners[i]};
    }
  }
}

static void choose_kernel(td_router *router, uint16_t *buckets) {
  if (router->count == 1) {
    router->kernel = TD_KERNEL_CONSTANT;
    return;
  }
  router->base = router->starts[1] - 1;
  router->top = router->starts[router->count - 1];
  if (is_even(router)) {
    router->kernel = TD_KERNEL_EVEN;
  } else if (choose_buckets(router)) {
    fill_buckets(router, buckets);
  } else {
    router->kernel = TD_KERNEL_SEARCH;
  }
}

static void start(td_router *router, td_strategy strategy, uint32_t count) {
  *router = (td_router){.strategy = (uint8_t)strategy, .count = count};
}

/* Starts and owners are in; the rest follows from them. */
static void finish(td_router *router, uint16_t *owners) {
  uint32_t count = router->count;
  for (uint32_t i = count; i < count + TD_ROUTER_PAD; i++) {
    router->starts[i] = UINT64_MAX;
    owners[i] = owners[count - 1];
  }
  count_shards(router, owners);
  router->numbered = is_numbered(router, owners);
  choose_kernel(router, owners + count + TD_ROUTER_PAD);
}

static uint16_t *owners_of(td_router *router) {
  return (uint16_t *)(router->starts + router->count + TD_ROUTER_PAD);
}

/* --- making --------------------------------------------------------------- */

void td_router_init_single(td_router *router, td_shard_id shard) {
  start(router, TD_STRATEGY_SINGLE, 0);
  router->kernel = TD_KERNEL_CONSTANT;
  router->shard_count = 1;
  router->shard_max = shard;
}

static td_status check_shards(uint32_t num_shards, td_error *err) {
  if (num_shards == 0) return td_fail(err, TD_NO_SHARDS, "router", 0, 1);
  if (num_shards > TD_SHARDS_MAX) {
    return td_fail(err, TD_TOO_MANY, "shards", num_shards, TD_SHARDS_MAX);
  }
  return TD_OK;
}

td_status td_router_init_hash(td_router *router, uint32_t num_shards,
                              td_error *err) {
  td_status status = check_shards(num_shards, err);
  if (status != TD_OK) return status;
  start(router, TD_STRATEGY_HASH, 0);
  router->kernel = TD_KERNEL_HASH;
  router->modulus = num_shards;
  router->shard_count = num_shards;
  router->shard_max = (td_shard_id){(uint16_t)(num_shards - 1)};
  return TD_OK;
}

static bool has_ranges(td_strategy strategy) {
  return strategy == TD_STRATEGY_RANGES
      || strategy == TD_STRATEGY_HASH_RANGES;
}

td_status td_router_init_ranges(td_router *router, td_strategy strategy,
                                td_range *ranges, uint32_t count,
                                td_error *err) {
  td_error first = {.status = TD_OK};
  td_assert(has_ranges(strategy));
  if (td_ranges_check(ranges, count, keep_first, &first) > 0) {
    if (err) *err = first;
    return first.status;
  }
  start(router, strategy, count);
  uint16_t *owners = owners_of(router);
  for (uint32_t i = 0; i < count; i++) {
    router->starts[i] = ranges[i].first;
    owners[i] = ranges[i].shard.value;
  }
  finish(router, owners);
  return TD_OK;
}

td_status td_router_init_even(td_router *router, td_strategy strategy,
                              uint32_t num_shards, td_error *err) {
  td_status status = check_shards(num_shards, err);
  td_assert(has_ranges(strategy));
  if (status != TD_OK) return status;
  start(router, strategy, num_shards);
  uint16_t *owners = owners_of(router);
  for (uint32_t i = 0; i < num_shards; i++) {
    router->starts[i] = td_even_first(i, num_shards);
    owners[i] = (uint16_t)i;
  }
  finish(router, owners);
  return TD_OK;
}

/* ceil(index * 2^64 / parts), 32 bits of the quotient at a time. */
uint64_t td_even_first(uint32_t index, uint32_t parts) {
  td_assert(index < parts && parts <= TD_RANGES_MAX);
  uint64_t high = ((uint64_t)index << 32) / parts;
  uint64_t rest = ((uint64_t)index << 32) % parts << 32;
  return (high << 32 | rest / parts) + (rest % parts != 0);
}
