/* The files of suite "follow", and what they share: a log of three segments
 * in memory, files of other logs beside it, and a follower over it. */
#ifndef TD_TEST_FOLLOW_STAGE_H
#define TD_TEST_FOLLOW_STAGE_H

#include "io/wal_follow.h"
#include "test/log_maker.h"

#define STAGE_BATCHES 8u

typedef struct follow_stage {
  memory_store store;
  td_log_id log;
  uint64_t firsts[STAGE_BATCHES + 1];  /* the last one is behind the end */
  uint32_t segments[STAGE_BATCHES];    /* where each batch lies */
  size_t offsets[STAGE_BATCHES];
  td_segname names[3];
} follow_stage;

extern follow_stage stage;

/* `large`: one batch is larger than a buffer. */
void stage_make(uint64_t first, bool large);
/* The last number. */
uint64_t stage_last(void);
/* The bytes of a segment. */
uint8_t *stage_bytes(uint32_t segment, size_t *size);

/* There is one follower. Closing checks that nothing is left behind. */
td_wal_follow *stage_open(uint64_t from);
void stage_close(td_wal_follow *follow);
/* Reads batches number *at and up through `durable`, checks each, and that
 * what ends it leaves the output alone. */
td_status stage_read(td_wal_follow *follow, uint64_t durable, uint32_t *at,
                     td_error *err);
/* The same must end there, in front of batch number `want`. */
void stage_check_end(td_wal_follow *follow, uint64_t durable, uint32_t at,
                     uint32_t want);

/* Called by test_follow. */
void test_follow_places(void);
void test_follow_faults(void);

#endif
