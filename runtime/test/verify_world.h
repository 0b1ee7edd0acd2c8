/* For the tests of verdicts: one small log, r7:s4. */
#ifndef TD_TEST_VERIFY_WORLD_H
#define TD_TEST_VERIFY_WORLD_H

#include "test/test.h"
#include "test/verify_run.h"

#define SHARD 4u
#define REGION 7u
#define NAME_1 "wal-s00004-00000000000000000001.seg"
#define NAME_7 "wal-s00004-00000000000000000007.seg"

static inline log_maker start(memory_store *store) {
  memory_store_init(store, test_seed());
  log_maker maker = make_segment(SHARD, 1);
  maker.region.value = REGION;
  return maker;
}

/* Two segments of three batches with two events each: 1..6, 7..12. */
static inline void make_two(memory_store *store) {
  log_maker maker = start(store);
  for (uint32_t s = 0; s < 2; s++) {
    for (uint32_t i = 0; i < 3; i++) make_batch(&maker, 2);
    make_stored(&maker, store);
  }
}

static inline void flip(memory_store *store, const char *name, size_t at) {
  memory_store_find(store, name)->bytes[at] ^= 0x40;
}

#endif
