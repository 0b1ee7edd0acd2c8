/* Covers io/wal_dir io/wal_cursor.
 * What a cursor accepts and what it refuses, over directories in memory. */
#include "test/test.h"

#include <string.h>

#include "test/log_maker.h"

/* Three segments of shard 3 from 2^63-2 on: 4, 5 and 6 batches of 1, 2, 3 ..
 * events, and a neighbour log on either side. */
#define HALF (UINT64_C(1) << 63)
static void make_neighbours(memory_store *store) {
  for (uint16_t shard = 2; shard <= 4; shard++) {
    log_maker maker = make_segment(shard, HALF - 2);
    maker.region.value = shard;
    for (uint32_t segment = 0; segment < 3; segment++) {
      for (uint32_t i = 1; i <= 4 + segment; i++) make_batch(&maker, i);
      make_stored(&maker, store);
    }
  }
  memory_store_put(store, "checkpoint-s00003.0", (td_span){NULL, 0});
  memory_store_put(store, "wal-3.seg", (td_span){NULL, 0});
}

static void case_order(void) {
  memory_store store;
  log_walk walk;
  memory_store_init(&store, test_seed());
  make_neighbours(&store);
  uint64_t digest = 0;
  for (uint32_t round = 0; round < 50; round++) {
    store.read_max = round;
    walk_store(&walk, &store, 3, 0);
    CHECK(walk.err.status == TD_END);
    CHECK_U64(walk.batches, 15);
    CHECK_U64(walk.first, HALF - 2);
    CHECK_U64(walk.events, 10 + 15 + 21);
    if (round == 0) digest = walk.digests[15];
    CHECK_U64(walk.digests[15], digest);
  }
  memory_store_deinit(&store);
}

static void case_logs(void) {
  memory_store store;
  td_wal_dir dir;
  uint32_t first;
  memory_store_init(&store, test_seed());
  make_neighbours(&store);
  td_env env = memory_store_env(&store);
  CHECK(td_wal_dir_open(&dir, &env, "memory", NULL) == TD_OK);
  CHECK_U64(dir.segment_count, 9);
  for (uint16_t shard = 2; shard <= 4; shard++) {
    CHECK_U64(td_wal_dir_log(&dir, (td_shard_id){shard}, &first), 3);
    CHECK_U64(first, 3 * (shard - 2u));
    CHECK_U64(dir.segments[first].size, 4 * 64 + 10 * 21);
  }
  CHECK_U64(td_wal_dir_log(&dir, (td_shard_id){0}, &first), 0);
  CHECK_U64(td_wal_dir_log(&dir, (td_shard_id){65535}, &first), 0);
  log_walk walk;
  walk_log(&walk, &dir, 5, 0);
  CHECK(walk.err.status == TD_END && walk.batches == 0);
  td_wal_dir_close(&dir);
  memory_store_deinit(&store);
}

static void case_from(void) {
  memory_store store;
  log_walk walk;
  memory_store_init(&store, test_seed());
  make_neighbours(&store);
  uint64_t starts[16], first = HALF - 2;
  uint32_t count = 0;
  for (uint32_t segment = 0; segment < 3; segment++) {
    for (uint32_t i = 1; i <= 4 + segment; i++) {
      starts[count++] = first;
      first += i;
    }
  }
  starts[count] = first;
  for (uint64_t from = HALF - 2; from < first + 3; from++) {
    uint32_t at = 0;
    while (at < count && starts[at + 1] <= from) at++;
    walk_store(&walk, &store, 3, from);
    CHECK(walk.err.status == TD_END);
    CHECK_U64(walk.batches, count - at);
    CHECK_U64(walk.first, at < count ? starts[at] : 0);
  }
  walk_store(&walk, &store, 3, UINT64_MAX);
  CHECK(walk.err.status == TD_END && walk.batches == 0);
  /* What was asked for and is gone is not passed over; 1 is the beginning. */
  walk_store(&walk, &store, 3, 1);
  CHECK(walk.err.status == TD_END && walk.batches == 15);
  walk_store(&walk, &store, 3, 2);
  check_fault(&walk, TD_MISSING, "wal-s00003-09223372036854775806.seg", 0, 0);
  CHECK_U64(walk.err.got, HALF - 2);
  CHECK_U64(walk.err.bound, 1);
  memory_store_deinit(&store);
}

/* Segments below `from` are not even opened: damage there is not seen. */
static void case_from_skips(void) {
  memory_store store;
  log_walk walk;
  memory_store_init(&store, test_seed());
  log_maker maker = make_segment(0, 1);
  make_batch(&maker, 5);
  maker.bytes[70] ^= 1;
  make_stored(&maker, &store);
  make_batch(&maker, 5);
  make_stored(&maker, &store);
  walk_store(&walk, &store, 0, 5);
  check_fault(&walk, TD_PAYLOAD_HASH, "wal-00000000000000000001.seg", 0, 0);
  walk_store(&walk, &store, 0, 6);
  CHECK(walk.err.status == TD_END && walk.batches == 1);
  memory_store_deinit(&store);
}

static void case_last_number(void) {
  static const char *last = "wal-s00007-18446744073709551613.seg";
  memory_store store;
  log_walk walk;
  memory_store_init(&store, test_seed());
  log_maker maker = make_segment(7, UINT64_MAX - 5);
  make_batch(&maker, 3);
  make_stored(&maker, &store);
  make_batch(&maker, 3);
  CHECK_U64(maker.next_seq, 0);
  memory_store_put(&store, last, (td_span){maker.bytes, maker.size});
  walk_store(&walk, &store, 7, UINT64_MAX);
  CHECK(walk.err.status == TD_END && walk.batches == 1);
  walk_store(&walk, &store, 7, 0);
  CHECK(walk.err.status == TD_END && walk.batches == 2);
  CHECK_U64(walk.last, UINT64_MAX);
  /* Nothing follows 2^64-1: not number 1, and no other segment. */
  maker.next_seq = 1;
  make_batch(&maker, 1);
  make_stored(&maker, &store);
  walk_store(&walk, &store, 7, 0);
  check_fault(&walk, TD_SEQUENCE, last, 127, 2);
  CHECK_U64(walk.err.got, 1);
  CHECK_U64(walk.err.bound, UINT64_MAX);
  maker = make_segment(7, UINT64_MAX - 2);
  make_batch(&maker, 3);
  make_stored(&maker, &store);
  maker = make_segment(7, UINT64_MAX);
  make_stored(&maker, &store);
  walk_store(&walk, &store, 7, 0);
  check_fault(&walk, TD_SEQUENCE, "wal-s00007-18446744073709551615.seg", 0, 2);
  memory_store_deinit(&store);
}

/* One log of two segments, its second half as the case wants it. */
typedef struct half {
  uint16_t shard;       /* in the headers */
  uint16_t region;
  uint64_t first_seq;   /* of the first header; the name says 4 */
  uint64_t name_seq;
  td_status status;
  uint64_t got, bound;
} half;

static void case_neighbours_agree(void) {
  static const half halves[] = {
    {9, 1, 4, 4, TD_END, 0, 0},
    {8, 1, 4, 4, TD_MISMATCH, 8, 9},
    {9, 2, 4, 4, TD_MISMATCH, 2, 1},
    {9, 1, 5, 4, TD_MISMATCH, 5, 4},
    {9, 1, 3, 4, TD_MISMATCH, 3, 4},
    {9, 1, 5, 5, TD_MISSING, 5, 3},
    {9, 1, 3, 3, TD_SEQUENCE, 3, 3},
    {9, 1, 2, 2, TD_SEQUENCE, 2, 3},
    {9, 1, UINT64_MAX, UINT64_MAX, TD_MISSING, UINT64_MAX, 3},
  };
  for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
    memory_store store;
    log_walk walk;
    char name[TD_SEGNAME_TEXT_MAX];
    memory_store_init(&store, test_seed());
    log_maker maker = make_segment(9, 1);
    maker.region.value = 1;
    make_batch(&maker, 3);
    make_stored(&maker, &store);
    maker.name.shard.value = halves[i].shard;
    maker.region.value = halves[i].region;
    maker.next_seq = halves[i].first_seq;
    make_batch(&maker, 1);
    maker.name = (td_segname){{9}, {halves[i].name_seq}};
    td_segname_format(maker.name, name);
    make_stored(&maker, &store);
    walk_store(&walk, &store, 9, 0);
    bool good = halves[i].status == TD_END;
    check_fault(&walk, halves[i].status, good ? "" : name,
                good ? TD_NO_OFFSET : 0, good ? 2 : 1);
    CHECK_U64(walk.err.got, halves[i].got);
    CHECK_U64(walk.err.bound, halves[i].bound);
    const char *subject = walk.err.subject ? walk.err.subject : "";
    if (halves[i].region == 2) CHECK_TEXT(subject, "region id");
    memory_store_deinit(&store);
  }
}

/* The same inside one segment: the second batch is at byte 127. */
static void case_batches_agree(void) {
  static const half halves[] = {
    {9, 1, 4, 0, TD_END, 0, 0},
    {8, 1, 4, 0, TD_MISMATCH, 8, 9},
    {0, 1, 4, 0, TD_MISMATCH, 0, 9},
    {9, 65535, 4, 0, TD_MISMATCH, 65535, 1},
    {9, 1, 5, 0, TD_SEQUENCE, 5, 3},
    {9, 1, 1, 0, TD_SEQUENCE, 1, 3},
    {9, 1, HALF, 0, TD_SEQUENCE, HALF, 3},
  };
  for (size_t i = 0; i < sizeof halves / sizeof *halves; i++) {
    memory_store store;
    log_walk walk;
    memory_store_init(&store, test_seed());
    log_maker maker = make_segment(9, 1);
    maker.region.value = 1;
    make_batch(&maker, 3);
    maker.name.shard.value = halves[i].shard;
    maker.region.value = halves[i].region;
    maker.next_seq = halves[i].first_seq;
    make_batch(&maker, 1);
    maker.name.shard.value = 9;
    make_stored(&maker, &store);
    walk_store(&walk, &store, 9, 0);
    bool good = halves[i].status == TD_END;
    check_fault(&walk, halves[i].status,
                good ? "" : "wal-s00009-00000000000000000001.seg",
                good ? TD_NO_OFFSET : 127, good ? 2 : 1);
    CHECK_U64(walk.err.got, halves[i].got);
    CHECK_U64(walk.err.bound, halves[i].bound);
    memory_store_deinit(&store);
  }
}

/* Batches around and above the buffer, a small one behind each. */
static void case_large(void) {
  static const size_t sizes[] = {
    TD_WAL_BUFFER_BYTES - 64, TD_WAL_BUFFER_BYTES - 63, 300000, 700000,
    TD_WAL_BUFFER_BYTES, 500000, TD_BATCH_PAYLOAD_MAX, 1,
  };
  memory_store store;
  log_walk walk;
  memory_store_init(&store, test_seed());
  log_maker maker = make_segment(1, 1);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    make_session(&maker, sizes[i]);
    for (uint32_t small = 0; small < 3; small++) make_batch(&maker, 100);
  }
  make_stored(&maker, &store);
  for (uint32_t round = 0; round < 3; round++) {
    store.read_max = round * 70001;
    walk_store(&walk, &store, 1, 0);
    CHECK(walk.err.status == TD_END);
    CHECK_U64(walk.batches, 8 * 4);
  }
  memory_store_deinit(&store);
}

/* The buffer is back to its size behind a large batch. */
static void case_buffer_shrinks(void) {
  memory_store store;
  td_wal_dir dir;
  td_wal_cursor cursor;
  td_wal_batch batch;
  memory_store_init(&store, test_seed());
  log_maker maker = make_segment(1, 1);
  make_session(&maker, 400000);
  make_session(&maker, 350000);
  make_batch(&maker, 1);
  make_stored(&maker, &store);
  td_env env = memory_store_env(&store);
  CHECK(td_wal_dir_open(&dir, &env, "memory", NULL) == TD_OK);
  CHECK(td_wal_cursor_open(&cursor, &dir, (td_shard_id){1}, (td_seqno){0},
                           NULL) == TD_OK);
  CHECK_U64(cursor.room, TD_WAL_BUFFER_BYTES);
  CHECK(td_wal_cursor_next(&cursor, &batch, NULL) == TD_OK);
  CHECK_U64(cursor.room, 400064);
  CHECK(td_wal_cursor_next(&cursor, &batch, NULL) == TD_OK);
  CHECK_U64(cursor.room, 400064);
  CHECK(td_wal_cursor_next(&cursor, &batch, NULL) == TD_OK);
  CHECK_U64(cursor.room, TD_WAL_BUFFER_BYTES);
  td_wal_cursor_close(&cursor);
  td_wal_dir_close(&dir);
  memory_store_deinit(&store);
}

/* Many small batches, over the buffer's edge again and again. */
static void case_long_segment(void) {
  memory_store store;
  log_walk walk;
  td_prng prng = {test_seed()};
  uint64_t events = 0;
  memory_store_init(&store, test_seed());
  log_maker maker = make_segment(0, HALF);
  for (uint32_t i = 0; i < MAKER_BATCHES_MAX; i++) {
    uint32_t count = 1 + (uint32_t)td_prng_below(&prng, 300);
    events += count;
    make_batch(&maker, count);
  }
  CHECK(maker.size > 4 * TD_WAL_BUFFER_BYTES);
  make_stored(&maker, &store);
  for (uint32_t round = 0; round < 4; round++) {
    store.read_max = round * round * 1000;
    walk_store(&walk, &store, 0, 0);
    CHECK(walk.err.status == TD_END);
    CHECK_U64(walk.events, events);
  }
  memory_store_deinit(&store);
}

/* Behind the last batch: zeros of any length are the end, anything else is
 * damage at the first of them. */
static void case_tails(void) {
  static const size_t tails[] = {1, 3, 4, 63, 64, 65, 1000000};
  for (size_t i = 0; i < 2 * sizeof tails / sizeof *tails; i++) {
    memory_store store;
    log_walk walk;
    size_t tail = tails[i / 2];
    memory_store_init(&store, i);
    store.read_max = 100000;
    log_maker maker = make_segment(0, 1);
    make_batch(&maker, 2);
    size_t end = maker.size;
    make_zeros(&maker, tail);
    if (i % 2 == 1) maker.bytes[maker.size - 1] = 1;
    make_stored(&maker, &store);
    make_batch(&maker, 2);
    make_stored(&maker, &store);
    walk_store(&walk, &store, 0, 0);
    if (i % 2 == 0) {
      CHECK(walk.err.status == TD_END && walk.batches == 2);
    } else {
      check_fault(&walk, tail < 64 ? TD_SHORT : TD_MAGIC,
                  "wal-00000000000000000001.seg", end, 1);
    }
    memory_store_deinit(&store);
  }
}

/* A segment without batches keeps its place in the sequence. */
static void case_empty_segments(void) {
  memory_store store;
  log_walk walk;
  memory_store_init(&store, test_seed());
  log_maker maker = make_segment(0, 7);
  make_stored(&maker, &store);
  walk_store(&walk, &store, 0, 0);
  CHECK(walk.err.status == TD_END && walk.batches == 0);
  maker = make_segment(0, 9);
  make_batch(&maker, 1);
  make_stored(&maker, &store);
  walk_store(&walk, &store, 0, 0);
  check_fault(&walk, TD_MISSING, "wal-00000000000000000009.seg", 0, 0);
  CHECK_U64(walk.err.bound, 6);
  maker = make_segment(0, 10);
  make_zeros(&maker, 500);
  make_stored(&maker, &store);
  walk_store(&walk, &store, 0, 9);
  CHECK(walk.err.status == TD_END && walk.batches == 1);
  memory_store_deinit(&store);
}

void test_wal(void) {
  test_wal_golden();
  test_case("wal", "any order of names, any short reads", case_order);
  test_case("wal", "the logs of a directory", case_logs);
  test_case("wal", "from a sequence number", case_from);
  test_case("wal", "segments below it are not read", case_from_skips);
  test_case("wal", "numbers up to 2^64-1", case_last_number);
  test_case("wal", "segments that do not follow", case_neighbours_agree);
  test_case("wal", "batches that do not follow", case_batches_agree);
  test_case("wal", "batches larger than the buffer", case_large);
  test_case("wal", "the buffer shrinks again", case_buffer_shrinks);
  test_case("wal", "a segment longer than the buffer", case_long_segment);
  test_case("wal", "zeros behind the last batch", case_tails);
  test_case("wal", "segments without batches", case_empty_segments);
  test_wal_faults();
  test_wal_damage();
}
