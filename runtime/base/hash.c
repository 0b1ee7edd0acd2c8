#include "base/hash.h"

#define RECORD_BYTES 21u  /* of format/record.h */

#define XXH_INLINE_ALL
#include <xxhash.h>

/* Inlined above: 8-byte ids. From the shared library: long inputs, with the
 * vector unit chosen at run time where libxxhash has that (x86-64). The
 * inlined and the imported names would collide, so the latter are declared
 * by hand. Under ASan everything is inlined: it does not see into a library,
 * and a hash that reads too far must not stay invisible. */
#if defined(__SANITIZE_ADDRESS__)
#define TD_SEES_ALL 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TD_SEES_ALL 1
#endif
#endif

#if defined(__x86_64__) && defined(__has_include) && !defined(TD_SEES_ALL)
#if __has_include(<xxh_x86dispatch.h>)
#define TD_XXH64 XXH3_64bits_dispatch
#define TD_XXH128 XXH3_128bits_dispatch
#endif
#endif

#ifdef TD_XXH64
extern XXH64_hash_t TD_XXH64(const void *input, size_t size);
extern XXH128_hash_t TD_XXH128(const void *input, size_t size);
#else
#define TD_XXH64 XXH3_64bits
#define TD_XXH128 XXH3_128bits
#endif

uint64_t td_hash64(td_span bytes) {
  return TD_XXH64(bytes.data, bytes.size);
}

td_hash128 td_hash128_of(td_span bytes) {
  XXH128_hash_t h = TD_XXH128(bytes.data, bytes.size);
  return (td_hash128){h.low64, h.high64};
}

/* Inlined for records: to call the library would take longer. */
static inline void add_each(td_hash128 *sum, const uint8_t *pieces,
                            size_t size, size_t count) {
  td_hash128 to = *sum;
  for (size_t i = 0; i < count; i++, pieces += size) {
    XXH128_hash_t h = XXH3_128bits(pieces, size);
    to.low += h.low64;
    to.high += h.high64 + (to.low < h.low64);
  }
  *sum = to;
}

void td_hash128_add(td_hash128 *sum, const uint8_t *pieces, size_t size,
                    size_t count) {
  if (size == RECORD_BYTES) add_each(sum, pieces, RECORD_BYTES, count);
  else add_each(sum, pieces, size, count);
}

static uint64_t hash_u64(uint64_t id) {
  uint8_t raw[8];
  td_put_u64(raw, id);
  return XXH3_64bits(raw, sizeof raw);
}

uint64_t td_hash_entity(td_entity_id entity) {
  return hash_u64(entity.value);
}

void td_hash_entities(const uint64_t *in, uint64_t *out, size_t count) {
  for (size_t i = 0; i < count; i++) out[i] = hash_u64(in[i]);
}
