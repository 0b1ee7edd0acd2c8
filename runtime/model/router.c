#include "model/router.h"

#include "base/hash.h"
#include "model/router_table.h"

/* Loops over many ids, which gcc shall unroll and vectorise at any level. Of
 * the wide ones it makes an AVX2 copy too. Which copy runs is chosen at load
 * time, before a sanitizer could watch: not there. */
#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__) \
    && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) \
    && !defined(__SANITIZE_THREAD__)
#define TD_LOOP __attribute__((optimize("O3")))
#define TD_WIDE TD_LOOP __attribute__((target_clones("avx2", "default")))
#else
#define TD_LOOP
#define TD_WIDE
#endif

#define TD_CHUNK 256u        /* ids hashed or counted at a time */
#define TD_LANES 16u         /* ids looked up in lock-step */
#define TD_BLOCK 64u         /* ids compared with every start at once, */
#define TD_COUNT_RANGES 32u  /* which up to so many ranges is faster */

/* --- one id ---------------------------------------------------------------
 * Conditions are added or masked, never branched on: which way they go is
 * chance, and a wrong guess costs more than the whole search. */

/* The nearest key between the first and the last inner start. */
static inline uint64_t inner(const td_router *router, uint64_t key) {
  key = key < router->base ? router->base : key;
  return key > router->top ? router->top : key;
}

static inline uint32_t bucket(const td_router *router, uint64_t inner_key) {
  uint32_t at = (uint32_t)((inner_key - router->base) >> router->shift);
  return td_router_buckets(router)[at];
}

static inline uint32_t step(const td_router *router, uint32_t at,
                            uint32_t width, uint64_t key) {
  return at + (width & -(uint32_t)(router->starts[at + width] <= key));
}

static inline uint32_t by_buckets(const td_router *router, unsigned steps,
                                  uint64_t key) {
  key = inner(router, key);
  uint32_t at = bucket(router, key);
  if (steps >= 3) at = step(router, at, 4, key);
  if (steps >= 2) at = step(router, at, 2, key);
  return step(router, at, 1, key);
}

static inline uint32_t by_search(const td_router *router, uint64_t key) {
  uint32_t at = 0;
  for (uint32_t left = router->count; left > 1; left -= left / 2) {
    uint32_t half = left / 2;
    at += half & -(uint32_t)(router->starts[at + half] <= key);
  }
  return at;
}

static inline td_shard_id owner(const td_router *router, uint32_t range) {
  if (router->numbered) return (td_shard_id){(uint16_t)range};
  return (td_shard_id){td_router_owners(router)[range]};
}

uint64_t td_router_key(const td_router *router, td_entity_id entity) {
  return router->strategy == TD_STRATEGY_HASH_RANGES ? td_hash_entity(entity)
                                                     : entity.value;
}

td_shard_id td_router_route(const td_router *router, td_entity_id entity) {
  uint64_t key = td_router_key(router, entity);
  switch ((td_kernel)router->kernel) {
  case TD_KERNEL_CONSTANT:
    break;
  case TD_KERNEL_HASH:
    key = td_hash_entity(entity);
    return (td_shard_id){(uint16_t)(key % router->modulus)};
  case TD_KERNEL_EVEN:
    return owner(router, td_even_part(key, router->count));
  case TD_KERNEL_BUCKETS_1:
    return owner(router, by_buckets(router, 1, key));
  case TD_KERNEL_BUCKETS_2:
    return owner(router, by_buckets(router, 2, key));
  case TD_KERNEL_BUCKETS_3:
    return owner(router, by_buckets(router, 3, key));
  case TD_KERNEL_SEARCH:
    return owner(router, by_search(router, key));
  }
  return router->shard_max;
}

/* --- many ids ------------------------------------------------------------- */

static void many_same(const td_router *router, uint16_t *out, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = router->shard_max.value;
}

static void many_hash(const td_router *router, const uint64_t *ids,
                      uint16_t *out, size_t count) {
  uint64_t hashes[TD_CHUNK], modulus = router->modulus;
  for (size_t done = 0, now; done < count; done += now) {
    now = count - done < TD_CHUNK ? count - done : TD_CHUNK;
    td_hash_entities(ids + done, hashes, now);
    for (size_t i = 0; i < now; i++) {
      out[done + i] = (uint16_t)(hashes[i] % modulus);
    }
  }
}

TD_WIDE static void many_even(const uint64_t *keys, uint16_t *out,
                              size_t count, uint64_t parts) {
  for (size_t i = 0; i < count; i++) {
    out[i] = (uint16_t)td_even_part(keys[i], parts);
  }
}

/* From the numbers of ranges to their shards. */
static void many_owners(const td_router *router, uint16_t *out,
                        size_t count) {
  const uint16_t *owners = td_router_owners(router);
  if (router->numbered) return;
  for (size_t i = 0; i < count; i++) out[i] = owners[out[i]];
}

/* So that a signed comparison, which vector units have, orders them. */
static inline int64_t biased(uint64_t key) {
  return (int64_t)(key ^ UINT64_C(1) << 63);
}

/* The range is `ranges` - 1 less the inner starts above the key: counted for
 * a block of keys at once, four starts to a pass over it. Fills whole blocks
 * of `at`; returns how many keys it did. */
TD_WIDE static size_t many_count(const uint64_t *starts, uint32_t ranges,
                                 const uint64_t *keys, uint16_t *at,
                                 size_t count) {
  int64_t above[TD_COUNT_RANGES + 3];
  size_t done = 0;
  for (uint32_t i = 0; i < ranges + 3; i++) {
    above[i] = i < ranges ? biased(starts[i]) : INT64_MIN;
  }
  for (; count - done >= TD_BLOCK; done += TD_BLOCK) {
    int64_t left[TD_BLOCK];
    for (unsigned lane = 0; lane < TD_BLOCK; lane++) left[lane] = ranges - 1;
    for (uint32_t i = 1; i < ranges; i += 4) {
      int64_t a = above[i], b = above[i + 1];
      int64_t c = above[i + 2], d = above[i + 3];
      for (unsigned lane = 0; lane < TD_BLOCK; lane++) {
        int64_t key = biased(keys[done + lane]);
        left[lane] -= a > key;
        left[lane] -= b > key;
        left[lane] -= c > key;
        left[lane] -= d > key;
      }
    }
    for (unsigned lane = 0; lane < TD_BLOCK; lane++) {
      at[done + lane] = (uint16_t)left[lane];
    }
  }
  return done;
}

/* The steps of one id, sixteen in lock-step: their loads overlap. */
TD_LOOP static size_t many_buckets(const td_router *router, unsigned steps,
                           const uint64_t *keys, uint16_t *out,
                           size_t count) {
  size_t done = 0;
  for (; count - done >= TD_LANES; done += TD_LANES) {
    uint64_t key[TD_LANES];
    uint32_t at[TD_LANES];
    for (unsigned lane = 0; lane < TD_LANES; lane++) {
      key[lane] = inner(router, keys[done + lane]);
      at[lane] = bucket(router, key[lane]);
    }
    for (uint32_t width = 1u << steps >> 1; width > 0; width /= 2) {
      for (unsigned lane = 0; lane < TD_LANES; lane++) {
        at[lane] = step(router, at[lane], width, key[lane]);
      }
    }
    for (unsigned lane = 0; lane < TD_LANES; lane++) {
      out[done + lane] = owner(router, at[lane]).value;
    }
  }
  return done;
}

TD_LOOP static size_t many_search(const td_router *router, const uint64_t *keys,
                          uint16_t *out, size_t count) {
  const uint64_t *starts = router->starts;
  size_t done = 0;
  for (; count - done >= TD_LANES; done += TD_LANES) {
    const uint64_t *key = keys + done;
    uint32_t at[TD_LANES] = {0};
    for (uint32_t left = router->count; left > 1; left -= left / 2) {
      uint32_t half = left / 2;
      for (unsigned lane = 0; lane < TD_LANES; lane++) {
        at[lane] += half & -(uint32_t)(starts[at[lane] + half] <= key[lane]);
      }
    }
    for (unsigned lane = 0; lane < TD_LANES; lane++) {
      out[done + lane] = owner(router, at[lane]).value;
    }
  }
  return done;
}

/* Whole blocks by the wide loops, the rest one at a time. */
static void many_ranges(const td_router *router, const uint64_t *keys,
                        uint16_t *out, size_t count) {
  td_kernel kernel = (td_kernel)router->kernel;
  unsigned steps = 1u + kernel - TD_KERNEL_BUCKETS_1;
  size_t done;
  if (router->count <= TD_COUNT_RANGES) {
    done = many_count(router->starts, router->count, keys, out, count);
    many_owners(router, out, done);
  } else if (kernel == TD_KERNEL_SEARCH) {
    done = many_search(router, keys, out, count);
  } else {
    done = many_buckets(router, steps, keys, out, count);
  }
  for (; done < count; done++) {
    uint32_t at = kernel == TD_KERNEL_SEARCH
                    ? by_search(router, keys[done])
                    : by_buckets(router, steps, keys[done]);
    out[done] = owner(router, at).value;
  }
}

static void many_keys(const td_router *router, const uint64_t *keys,
                      uint16_t *out, size_t count) {
  switch ((td_kernel)router->kernel) {
  case TD_KERNEL_CONSTANT:
    many_same(router, out, count);
    break;
  case TD_KERNEL_HASH:
    many_hash(router, keys, out, count);
    break;
  case TD_KERNEL_EVEN:
    many_even(keys, out, count, router->count);
    many_owners(router, out, count);
    break;
  case TD_KERNEL_BUCKETS_1:
  case TD_KERNEL_BUCKETS_2:
  case TD_KERNEL_BUCKETS_3:
  case TD_KERNEL_SEARCH:
    many_ranges(router, keys, out, count);
    break;
  }
}

void td_router_route_many(const td_router *router, const uint64_t *ids,
                          uint16_t *out, size_t count) {
  if (router->strategy != TD_STRATEGY_HASH_RANGES) {
    many_keys(router, ids, out, count);
    return;
  }
  uint64_t keys[TD_CHUNK];
  for (size_t done = 0, now; done < count; done += now) {
    now = count - done < TD_CHUNK ? count - done : TD_CHUNK;
    td_hash_entities(ids + done, keys, now);
    many_keys(router, keys, out + done, now);
  }
}

void td_router_histogram(const td_router *router, const uint64_t *ids,
                         size_t count, uint64_t *counts) {
  uint16_t shards[TD_CHUNK];
  for (size_t done = 0, now; done < count; done += now) {
    now = count - done < TD_CHUNK ? count - done : TD_CHUNK;
    td_router_route_many(router, ids + done, shards, now);
    for (size_t i = 0; i < now; i++) counts[shards[i]]++;
  }
}

/* --- what it is ----------------------------------------------------------- */

const char *td_strategy_name(td_strategy strategy) {
  switch (strategy) {
  case TD_STRATEGY_SINGLE: return "single";
  case TD_STRATEGY_HASH: return "hash";
  case TD_STRATEGY_RANGES: return "ranges";
  case TD_STRATEGY_HASH_RANGES: break;
  }
  return "hash_ranges";
}

td_strategy td_router_strategy(const td_router *router) {
  return (td_strategy)router->strategy;
}

uint32_t td_router_range_count(const td_router *router) {
  return router->count;
}

uint32_t td_router_shard_count(const td_router *router) {
  return router->shard_count;
}

td_shard_id td_router_shard_max(const td_router *router) {
  return router->shard_max;
}

td_range td_router_range(const td_router *router, uint32_t index) {
  td_assert(index < router->count);
  uint64_t last = index + 1 < router->count ? router->starts[index + 1] - 1
                                            : UINT64_MAX;
  return (td_range){router->starts[index], last, owner(router, index), index};
}

const char *td_router_kernel(const td_router *router) {
  switch ((td_kernel)router->kernel) {
  case TD_KERNEL_CONSTANT: return "constant";
  case TD_KERNEL_HASH: return "hash";
  case TD_KERNEL_EVEN: return "even";
  case TD_KERNEL_BUCKETS_1:
  case TD_KERNEL_BUCKETS_2:
  case TD_KERNEL_BUCKETS_3: return "buckets";
  case TD_KERNEL_SEARCH: break;
  }
  return "search";
}
