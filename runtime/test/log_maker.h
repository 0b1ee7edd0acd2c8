/* For the tests of logs: segments built batch by batch, and a walk over a log
 * that checks what must hold at every step. */
#ifndef TD_TEST_LOG_MAKER_H
#define TD_TEST_LOG_MAKER_H

#include "io/wal.h"
#include "test/memory_store.h"

#define MAKER_BATCHES_MAX 512u

typedef struct log_maker {
  td_segname name;        /* of the segment in the making */
  td_region_id region;
  uint16_t version;
  bool lazy;
  uint32_t epoch;
  uint64_t next_seq;
  uint8_t *bytes;
  size_t size;
  size_t room;
  uint32_t batch_count;   /* in this segment */
  size_t starts[MAKER_BATCHES_MAX + 1];  /* offsets; the last is the end */
} log_maker;

/* A segment that starts at first_seq; v2, region 0. */
log_maker make_segment(uint16_t shard, uint64_t first_seq);
/* A batch of so many events, made up from their numbers. */
void make_batch(log_maker *maker, uint32_t events);
/* A batch of one session event with a payload of so many bytes. */
void make_session(log_maker *maker, size_t size);
void make_zeros(log_maker *maker, size_t size);
/* Puts the segment into the store under its name; the next one starts. */
void make_stored(log_maker *maker, memory_store *store);

typedef struct log_walk {
  td_error err;      /* how it ended: TD_END, or what was wrong */
  uint32_t batches;
  uint64_t events;
  uint64_t first;    /* sequence number of the first event seen */
  uint64_t last;
  uint64_t digests[MAKER_BATCHES_MAX + 1];  /* over the first n headers */
} log_walk;

/* Walks a log to its end or its first fault. Checks that batches follow one
 * another and verify, that a fault leaves the output alone and comes again. */
void walk_log(log_walk *walk, const td_wal_dir *dir, uint16_t shard,
              uint64_t from);
/* The same over an open of the store's directory, which must succeed and
 * leave nothing behind. */
void walk_store(log_walk *walk, memory_store *store, uint16_t shard,
                uint64_t from);

/* Checks status, file and offset, and that `batches` came before it. */
void check_fault(const log_walk *walk, td_status status, const char *file,
                 uint64_t offset, uint32_t batches);

/* The other files of suite "wal", called by test_wal. */
void test_wal_golden(void);
void test_wal_faults(void);
void test_wal_damage(void);

#endif
