/* Range tables: those accepted cover every id once and route as a linear
 * scan does; those refused are refused for a reason that is there. */
#include "fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "model/router.h"

#define RANGES_MAX 96u
#define IDS_MAX (4 * RANGES_MAX + 4)

/* First byte of an input: tables are mostly made whole, then bent. */
enum {
  MODE_RAW = 1,      /* bounds as they come */
  MODE_BEND = 2,     /* one bound one too high or too low */
  MODE_DROP = 4,     /* one range left out */
  MODE_REVERSE = 8,  /* falling order */
  MODE_HASHED = 16,  /* over hashes of ids */
  MODE_NARROW = 32,  /* starts close together */
};

typedef struct table {
  td_range ranges[RANGES_MAX];
  uint32_t count;
} table;

static void take_raw(table *out, fuzz_input *in) {
  while (in->size > 0 && out->count < RANGES_MAX) {
    td_range *range = &out->ranges[out->count++];
    range->first = fuzz_u64(in);
    range->last = fuzz_u64(in);
    range->shard.value = fuzz_u16(in);
  }
}

/* Keeps starts in rising order, each once. */
static void insert_start(table *out, uint64_t start, td_shard_id shard) {
  uint32_t at = out->count;
  while (at > 0 && out->ranges[at - 1].first > start) at--;
  if (at > 0 && out->ranges[at - 1].first == start) return;
  memmove(out->ranges + at + 1, out->ranges + at,
          (out->count - at) * sizeof *out->ranges);
  out->ranges[at] = (td_range){.first = start, .shard = shard};
  out->count++;
}

static void take_whole(table *out, fuzz_input *in, unsigned mode) {
  uint64_t base = mode & MODE_NARROW ? fuzz_u64(in) : 0;
  insert_start(out, 0, (td_shard_id){fuzz_u16(in)});
  while (in->size > 0 && out->count < RANGES_MAX) {
    uint64_t start = mode & MODE_NARROW ? base + fuzz_u8(in) : fuzz_u64(in);
    insert_start(out, start, (td_shard_id){fuzz_u16(in)});
  }
  for (uint32_t i = 0; i + 1 < out->count; i++) {
    out->ranges[i].last = out->ranges[i + 1].first - 1;
  }
  out->ranges[out->count - 1].last = UINT64_MAX;
}

static void bend(table *out, unsigned mode, uint8_t at) {
  if (out->count == 0) return;
  td_range *range = &out->ranges[at % out->count];
  if (mode & MODE_BEND) {
    if (at & 128) range->first += at & 64 ? 1u : UINT64_MAX;
    else range->last += at & 64 ? 1u : UINT64_MAX;
  }
  if (mode & MODE_DROP) *range = out->ranges[--out->count];
  for (uint32_t i = 0; i < out->count / 2 && (mode & MODE_REVERSE); i++) {
    td_range moved = out->ranges[i];
    out->ranges[i] = out->ranges[out->count - 1 - i];
    out->ranges[out->count - 1 - i] = moved;
  }
  for (uint32_t i = 0; i < out->count; i++) out->ranges[i].index = i;
}

/* The range that holds a key, if exactly one does. */
static const td_range *holder(const table *all, uint64_t key) {
  const td_range *found = NULL;
  for (uint32_t i = 0; i < all->count; i++) {
    const td_range *range = &all->ranges[i];
    if (key < range->first || key > range->last) continue;
    if (found) return NULL;
    found = range;
  }
  return found;
}

/* Exactly once everywhere: so at 0 and on both sides of every bound. */
static bool is_cover(const table *all) {
  if (!holder(all, 0)) return false;
  for (uint32_t i = 0; i < all->count; i++) {
    const td_range *range = &all->ranges[i];
    if (range->first > range->last) return false;
    if (!holder(all, range->first) || !holder(all, range->last)) return false;
    if (range->last < UINT64_MAX && !holder(all, range->last + 1)) {
      return false;
    }
  }
  return true;
}

typedef struct fault_list {
  const table *all;
  uint32_t count;
  td_status first;
} fault_list;

static const td_range *entry(const table *all, uint32_t index) {
  td_assert(index < all->count);
  td_assert(all->ranges[index].index == index);
  return &all->ranges[index];
}

/* The ids that a fault names are really shared, missing or inverted. */
static void check_fault(void *ctx, const td_error *fault) {
  fault_list *list = ctx;
  const table *all = list->all;
  if (list->count++ == 0) list->first = fault->status;
  fuzz_check_error(fault->status, fault);
  if (fault->status == TD_NO_RANGES) {
    td_assert(all->count == 0);
    return;
  }
  const td_range *one = entry(all, fault->index);
  const td_range *two = one;
  if (fault->other != TD_NO_INDEX) two = entry(all, fault->other);
  if (fault->status == TD_INVERTED) {
    td_assert(one->first > one->last);
  } else if (fault->status == TD_OVERLAP) {
    td_assert(one != two && fault->bound <= fault->got);
    td_assert(one->first <= fault->bound && two->first <= fault->bound);
    td_assert(one->last >= fault->got && two->last >= fault->got);
  } else if (fault->status == TD_GAP) {
    td_assert(one->last == fault->bound - 1 && two->first == fault->got + 1);
    td_assert(fault->bound <= fault->got && !holder(all, fault->bound));
  } else if (fault->status == TD_NOT_FROM_ZERO) {
    td_assert(one->first == fault->got && !holder(all, 0));
  } else {
    td_assert(fault->status == TD_NOT_TO_LAST);
    td_assert(one->last == fault->got && !holder(all, UINT64_MAX));
  }
}

static size_t pick_ids(const td_router *router, const table *all,
                       uint64_t *ids) {
  size_t count = 0;
  ids[count++] = UINT64_C(1) << 63;
  ids[count++] = (UINT64_C(1) << 63) - 1;
  for (uint32_t i = 0; i < all->count; i++) {
    td_range range = td_router_range(router, i);
    td_assert(i == 0 ? range.first == 0 : range.first == ids[count - 1]);
    ids[count++] = range.first;
    ids[count++] = range.first + (range.last - range.first) / 2;
    ids[count++] = range.last;
    ids[count++] = range.last + 1;
  }
  td_assert(ids[count - 1] == 0);
  return count;
}

static void check_routes(const td_router *router, const table *all,
                         bool hashed) {
  uint64_t ids[IDS_MAX];
  uint16_t many[IDS_MAX];
  size_t count = pick_ids(router, all, ids);
  td_router_route_many(router, ids, many, count);
  for (size_t i = 0; i < count; i++) {
    td_entity_id id = {ids[i]};
    uint64_t key = td_router_key(router, id);
    td_assert(key == (hashed ? td_hash_entity(id) : ids[i]));
    td_shard_id shard = td_router_route(router, id);
    td_assert(td_shard_id_eq(shard, holder(all, key)->shard));
    td_assert(shard.value == many[i]);
    td_assert(td_shard_id_cmp(shard, td_router_shard_max(router)) <= 0);
  }
}

static void check_router(const table *all, table *sorted, bool hashed,
                         const fault_list *faults) {
  size_t size = td_router_size(all->count);
  td_router *router = malloc(size), *copy = malloc(size);
  td_strategy strategy = hashed ? TD_STRATEGY_HASH_RANGES
                                : TD_STRATEGY_RANGES;
  td_error err;
  td_assert(router && copy);
  td_status status = td_router_init_ranges(router, strategy, sorted->ranges,
                                           sorted->count, &err);
  td_assert(status == (faults->count > 0 ? faults->first : TD_OK));
  if (status == TD_OK) {
    td_assert(td_router_range_count(router) == all->count);
    td_assert(td_router_bytes(router) <= size);
    td_assert(td_router_shard_count(router) <= all->count);
    check_routes(router, all, hashed);
    memcpy(copy, router, td_router_bytes(router));
    memset(router, 0, size);
    check_routes(copy, all, hashed);
  } else {
    fuzz_check_error(status, &err);
  }
  free(router);
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  fuzz_input in = {data, size};
  table all = {.count = 0};
  unsigned mode = fuzz_u8(&in);
  uint8_t at = fuzz_u8(&in);
  if (mode & MODE_RAW) take_raw(&all, &in);
  else take_whole(&all, &in, mode);
  bend(&all, mode, at);
  table sorted = all;
  fault_list faults = {.all = &all};
  uint32_t count = td_ranges_check(sorted.ranges, sorted.count, check_fault,
                                   &faults);
  td_assert(count == faults.count);
  td_assert((count == 0) == is_cover(&all));
  sorted = all;
  check_router(&all, &sorted, mode & MODE_HASHED, &faults);
  return 0;
}

size_t fuzz_seed(unsigned index, uint8_t *out, size_t room) {
  static const uint8_t modes[] = {
    0, MODE_RAW, MODE_BEND, MODE_DROP, MODE_REVERSE, MODE_HASHED,
    MODE_NARROW, MODE_NARROW | MODE_REVERSE | MODE_HASHED,
  };
  size_t size = 400;
  if (index >= sizeof modes) return 0;
  td_assert(room >= size);
  for (size_t i = 0; i < size; i++) out[i] = (uint8_t)(i * i * 13 + i / 3);
  out[0] = modes[index];
  return size;
}
