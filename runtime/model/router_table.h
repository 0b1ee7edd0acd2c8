/* The inside of a router, for router_build.c (making) and router.c (asking).
 *
 * One block, no pointers in it: the struct, then for a range strategy
 *   starts   (count + PAD) u64   ascending, the first is 0; the pad is 2^64-1
 *   owners   (count + PAD) u16   shard of each range; the pad repeats the last
 *   buckets  bucket_count u16    range of the first key of each bucket
 *
 * Buckets cut base..top into pieces of 2^shift keys, base being one below
 * the first inner start and top the last one: keys outside behave as the
 * nearest inside. A bucket is only used if fewer than 2^steps starts lie
 * behind its first key, so `steps` comparisons find the range. They may look
 * up to PAD starts past the end, and step there if the last range starts at
 * 2^64-1: the padded owners make that the last range too.
 *
 * Private to model/router*.c.
 *
 * Thread: any, once made. */
#ifndef TD_MODEL_ROUTER_TABLE_H
#define TD_MODEL_ROUTER_TABLE_H

#include "model/router.h"

#define TD_ROUTER_PAD 7u            /* 2^3 - 1: what three steps can reach */
#define TD_ROUTER_STEPS 3u
#define TD_ROUTER_BUCKETS_PER_RANGE 16u  /* in tables up to SMALL ranges */
#define TD_ROUTER_BUCKETS_PER_RANGE_LARGE 4u
#define TD_ROUTER_SMALL 1024u

typedef enum td_kernel {
  TD_KERNEL_CONSTANT,   /* shard_max */
  TD_KERNEL_HASH,       /* XXH3-64(id) % modulus */
  TD_KERNEL_EVEN,
  TD_KERNEL_BUCKETS_1,  /* 1, 2 or 3 steps */
  TD_KERNEL_BUCKETS_2,
  TD_KERNEL_BUCKETS_3,
  TD_KERNEL_SEARCH,
} td_kernel;

struct td_router {
  uint64_t base;
  uint64_t top;
  uint32_t count;         /* ranges; 0 for single and hash */
  uint32_t modulus;       /* shards of the hash strategy */
  uint32_t bucket_count;  /* 0 unless the kernel is a bucket one */
  uint32_t shard_count;
  td_shard_id shard_max;
  uint8_t strategy;       /* td_strategy */
  uint8_t kernel;         /* td_kernel */
  uint8_t shift;
  bool numbered;          /* range i is shard i: owners need no look */
  uint64_t starts[];
};

static inline const uint16_t *td_router_owners(const td_router *router) {
  return (const uint16_t *)(router->starts + router->count + TD_ROUTER_PAD);
}

static inline const uint16_t *td_router_buckets(const td_router *router) {
  return td_router_owners(router) + router->count + TD_ROUTER_PAD;
}

/* floor(key * parts / 2^64) for parts <= 2^32, by halves: nothing overflows,
 * and compilers can do several at once. */
static inline uint32_t td_even_part(uint64_t key, uint64_t parts) {
  uint64_t low = (key & UINT32_MAX) * parts >> 32;
  return (uint32_t)(((key >> 32) * parts + low) >> 32);
}

#endif
