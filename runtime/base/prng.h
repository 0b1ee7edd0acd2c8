/* A seeded generator: chance is a parameter, so a seed repeats a run.
 * splitmix64 (Steele, Lea and Flood 2014): one u64 of state, any seed.
 *
 * Thread: owner. */
#ifndef TD_BASE_PRNG_H
#define TD_BASE_PRNG_H

#include <stdint.h>

typedef struct td_prng { uint64_t state; } td_prng;

static inline uint64_t td_prng_next(td_prng *prng) {
  uint64_t z = prng->state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

/* 0..bound-1; bound >= 1. The bias is below bound / 2^64. */
static inline uint64_t td_prng_below(td_prng *prng, uint64_t bound) {
  return td_prng_next(prng) % bound;
}

#endif
