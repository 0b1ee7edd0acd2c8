/* What the two files of router tests share: tables made at random, and the
 * plainest possible answer to compare with. */
#ifndef TD_TEST_ROUTER_CASES_H
#define TD_TEST_ROUTER_CASES_H

#include "base/prng.h"
#include "model/router.h"

typedef enum table_shape {
  SHAPE_UNIFORM,
  SHAPE_SPREAD_LOW,   /* boundaries of every order of magnitude, upwards */
  SHAPE_SPREAD_HIGH,  /* the same, downwards from 2^64-1 */
  SHAPE_NEAR_ZERO,
  SHAPE_NEAR_LAST,
  SHAPE_ONE_ID,       /* ranges of one id and a few more, around 2^63 */
  SHAPE_EVEN,
  SHAPE_COUNT,
} table_shape;

/* `count` ranges that cover everything, ascending, shards at random: many
 * ranges of few shards, or shard i for range i. */
void router_make(td_range *ranges, uint32_t count, table_shape shape,
                 td_prng *prng);

void router_shuffle(td_range *ranges, uint32_t count, td_prng *prng);

/* The shard of the one range that holds the key. */
td_shard_id router_oracle(const td_range *ranges, uint32_t count,
                          uint64_t key);

/* The cases on lists that are not a table. */
void test_router_faults(void);

#endif
