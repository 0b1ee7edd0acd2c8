/* Which shard an entity belongs to. Total over all 2^64 ids, a pure function
 * of the table; a router never changes after init.
 *
 * Strategies: single; hash (XXH3-64(id) mod n, the seed's formula); ranges
 * over the id; ranges over XXH3-64(id). Ranges are inclusive first..last;
 * only the starts are kept, so a gap cannot exist after init.
 *
 * One block of memory without inner pointers: header, starts, owners,
 * buckets; memcpy copies a router. How ranges are searched is chosen once:
 *   one range            a constant
 *   exact even split     floor(id * n / 2^64)
 *   else                 a bucket index between the first and the last inner
 *                        start, then 1..3 branch-free steps
 *   crowded buckets      branch-free binary search
 *
 * Thread: any, once made. */
#ifndef TD_MODEL_ROUTER_H
#define TD_MODEL_ROUTER_H

#include <stdbool.h>

#include "base/id.h"
#include "base/status.h"

#define TD_RANGES_MAX 65536u

typedef enum td_strategy {
  TD_STRATEGY_SINGLE,
  TD_STRATEGY_HASH,
  TD_STRATEGY_RANGES,
  TD_STRATEGY_HASH_RANGES,
} td_strategy;

/* first..last, both included. */
typedef struct td_range {
  uint64_t first;
  uint64_t last;
  td_shard_id shard;
  uint32_t index;  /* position in the caller's list, for messages */
} td_range;

typedef struct td_router td_router;

/* "single", "hash", "ranges", "hash_ranges". */
TD_API const char *td_strategy_name(td_strategy strategy);

/* Bytes of a router over so many ranges (0 for single and hash). Aligned as
 * malloc aligns. Above TD_RANGES_MAX as for that many: init refuses more. */
TD_API size_t td_router_size(uint32_t range_count);

/* Every id to one shard. The block has td_router_size(0) bytes. */
TD_API void td_router_init_single(td_router *router, td_shard_id shard);

/* Statuses: TD_OK, TD_NO_SHARDS (0), TD_TOO_MANY (above 65536). The block
 * has td_router_size(0) bytes. */
TD_API td_status td_router_init_hash(td_router *router, uint32_t num_shards,
                                     td_error *err);

/* Ranges in any order; they are sorted in place. `strategy` is
 * TD_STRATEGY_RANGES or TD_STRATEGY_HASH_RANGES. A shard may own several
 * ranges. The block has td_router_size(count) bytes. Statuses: TD_OK, else
 * the first fault that td_ranges_check finds. */
TD_API td_status td_router_init_ranges(td_router *router,
                                       td_strategy strategy,
                                       td_range *ranges, uint32_t count,
                                       td_error *err);

/* The even split: shard i starts at ceil(i * 2^64 / n), that is
 * shard = floor(id * n / 2^64). The block has td_router_size(num_shards)
 * bytes. Statuses: TD_OK, TD_NO_SHARDS, TD_TOO_MANY. */
TD_API td_status td_router_init_even(td_router *router, td_strategy strategy,
                                     uint32_t num_shards, td_error *err);

/* Called once per fault with the two entries concerned in err. */
typedef void td_fault_fn(void *ctx, const td_error *fault);

/* Sorts the ranges and reports every fault: TD_NO_RANGES, TD_TOO_MANY,
 * TD_INVERTED, TD_OVERLAP (both entries, the shared ids), TD_GAP (entries
 * before and behind, the missing ids), TD_NOT_FROM_ZERO, TD_NOT_TO_LAST.
 * Inverted ranges come first and are left out of the other checks; either
 * part is in order of the ids. A range that overlaps several before it is
 * reported once, with the one of them that ends last. `fault` may be NULL.
 * Returns the number of faults, at most count + 1; 0 = the ranges cover all
 * 2^64 ids exactly once. */
TD_API uint32_t td_ranges_check(td_range *ranges, uint32_t count,
                                td_fault_fn *fault, void *ctx);

/* First id of part `index` of an even split, 0 <= index < parts <= 65536. */
TD_API uint64_t td_even_first(uint32_t index, uint32_t parts);

/* --- asking ------------------------------------------------------------ */

/* The shard of one id. */
TD_API td_shard_id td_router_route(const td_router *router,
                                   td_entity_id entity);

/* The same for many: out[i] = shard of ids[i]. */
TD_API void td_router_route_many(const td_router *router,
                                 const uint64_t *ids, uint16_t *out,
                                 size_t count);

/* Adds 1 to counts[shard] for each id; counts has 65,536 entries, or as many
 * as the highest shard of the router plus one. */
TD_API void td_router_histogram(const td_router *router, const uint64_t *ids,
                                size_t count, uint64_t *counts);

/* The value that is looked up in the ranges: the id, or its hash under
 * TD_STRATEGY_HASH_RANGES. Without ranges it is the id. */
TD_API uint64_t td_router_key(const td_router *router, td_entity_id entity);

/* What init was given. */
TD_API td_strategy td_router_strategy(const td_router *router);
/* Ranges of a range strategy; 0 for single and hash. */
TD_API uint32_t td_router_range_count(const td_router *router);
/* Number of different shards. */
TD_API uint32_t td_router_shard_count(const td_router *router);
/* Highest shard number in use. */
TD_API td_shard_id td_router_shard_max(const td_router *router);
/* Range number index < range_count, ascending. */
TD_API td_range td_router_range(const td_router *router, uint32_t index);
/* Bytes this router uses, at most td_router_size. */
TD_API size_t td_router_bytes(const td_router *router);
/* "constant", "hash", "even", "buckets" or "search": how ranges are found. */
TD_API const char *td_router_kernel(const td_router *router);

#endif
