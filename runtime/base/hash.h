/* The one door to xxhash. Every hash has seed 0 (FORMAT.md): it detects
 * accidents, not tampering.
 *
 * Values are those of XXH3-64 and XXH3-128 of libxxhash >= 0.8, on every
 * CPU; on x86-64 the widest vector unit present is chosen at run time.
 *
 * Thread: any. */
#ifndef TD_BASE_HASH_H
#define TD_BASE_HASH_H

#include <stdbool.h>

#include "base/bytes.h"
#include "base/id.h"
#include "base/status.h"

typedef struct td_hash128 {
  uint64_t low;   /* stored first */
  uint64_t high;
} td_hash128;

/* XXH3-64 and XXH3-128 of any bytes. */
TD_API uint64_t td_hash64(td_span bytes);
TD_API td_hash128 td_hash128_of(td_span bytes);

/* Adds, mod 2^128, the XXH3-128 of each of `count` pieces of `size` bytes that
 * follow one another: the same for the same pieces in any order. */
TD_API void td_hash128_add(td_hash128 *sum, const uint8_t *pieces,
                           size_t size, size_t count);

static inline bool td_hash128_eq(td_hash128 a, td_hash128 b) {
  return a.low == b.low && a.high == b.high;
}

/* XXH3-64 of the id's 8 little-endian bytes: the seed's routing hash. */
TD_API uint64_t td_hash_entity(td_entity_id entity);

/* The same for count ids at once; out may be the same array as in. */
TD_API void td_hash_entities(const uint64_t *in, uint64_t *out, size_t count);

#endif
