/* Logs that are cut, grow or change: every length of a file, and damage at
 * random, against a plain model of the rules. */
#include "test/test.h"

#include <string.h>

#include "format/segment.h"
#include "test/log_maker.h"

#define LOG_SHARD 3u
#define FIRST_SEQ (UINT64_MAX / 2 - 3)

/* Two segments of one log: three and two small batches, zeros behind. */
typedef struct small_log {
  char names[2][TD_SEGNAME_TEXT_MAX];
  size_t sizes[2];
  uint32_t counts[2];
  size_t starts[2][4];  /* of the batches; the last is their end */
} small_log;

static small_log make_small_log(memory_store *store) {
  small_log log;
  log_maker maker = make_segment(LOG_SHARD, FIRST_SEQ);
  maker.region.value = 2;
  for (uint32_t s = 0; s < 2; s++) {
    log.counts[s] = 3 - s;
    for (uint32_t i = 0; i < log.counts[s]; i++) make_batch(&maker, i + 1);
    memcpy(log.starts[s], maker.starts, sizeof log.starts[s]);
    make_zeros(&maker, 40);
    log.sizes[s] = maker.size;
    td_segname_format(maker.name, log.names[s]);
    make_stored(&maker, store);
  }
  return log;
}

/* What a log cut to `size` bytes in segment `s` must give. */
typedef struct cut {
  td_status status;
  uint32_t segment;   /* of the fault */
  uint64_t offset;
  uint32_t batches;
} cut;

static cut expect_cut(const small_log *log, uint32_t s, size_t size,
                      bool after_listing) {
  uint32_t whole = 0;
  while (whole < log->counts[s] && log->starts[s][whole + 1] <= size) whole++;
  uint32_t batches = whole + (s == 1 ? log->counts[0] : 0);
  uint64_t start = log->starts[s][whole];
  if (whole < log->counts[s] && start < size) {
    return (cut){TD_SHORT, s, start, batches};
  }
  if (after_listing && size < log->sizes[s]) {
    return (cut){TD_SHORT, s, size, batches};
  }
  if (s == 0 && whole < log->counts[0]) {
    return (cut){TD_MISSING, 1, 0, batches};
  }
  if (s == 0) batches += log->counts[1];
  return (cut){TD_END, s, TD_NO_OFFSET, batches};
}

static void check_cut(memory_store *store, const small_log *log, uint32_t s,
                      size_t size, bool after_listing) {
  td_env env = memory_store_env(store);
  td_wal_dir dir;
  log_walk walk;
  memory_file *file = memory_store_find(store, log->names[s]);
  if (!after_listing) file->size = size;
  CHECK(td_wal_dir_open(&dir, &env, "memory", NULL) == TD_OK);
  file->size = size;
  walk_log(&walk, &dir, LOG_SHARD, 0);
  td_wal_dir_close(&dir);
  file->size = log->sizes[s];
  cut want = expect_cut(log, s, size, after_listing);
  bool good = want.status == TD_END;
  check_fault(&walk, want.status, good ? "" : log->names[want.segment],
              want.offset, want.batches);
}

static void case_cuts(void) {
  memory_store store;
  memory_store_init(&store, test_seed());
  small_log log = make_small_log(&store);
  for (uint32_t s = 0; s < 2; s++) {
    for (size_t size = 0; size <= log.sizes[s]; size++) {
      store.read_max = size % 100;
      check_cut(&store, &log, s, size, false);
      check_cut(&store, &log, s, size, true);
    }
  }
  memory_store_deinit(&store);
}

/* Batches appended while the log is read are read too, if they follow. */
static void case_grows(void) {
  memory_store store;
  td_wal_dir dir;
  log_walk walk;
  memory_store_init(&store, test_seed());
  log_maker maker = make_segment(0, 1);
  make_batch(&maker, 1);
  size_t listed = maker.size;
  make_batch(&maker, 2);
  make_stored(&maker, &store);
  memory_file *file = &store.files[0];
  size_t size = file->size;
  file->size = listed;
  td_env env = memory_store_env(&store);
  CHECK(td_wal_dir_open(&dir, &env, "memory", NULL) == TD_OK);
  file->size = size;
  walk_log(&walk, &dir, 0, 0);
  CHECK(walk.err.status == TD_END && walk.batches == 2);
  file->size = size - 1;
  walk_log(&walk, &dir, 0, 0);
  check_fault(&walk, TD_SHORT, "wal-00000000000000000001.seg", listed, 1);
  td_wal_dir_close(&dir);
  memory_store_deinit(&store);
}

/* The plain reading of the same rules, segment by segment in memory. */
static cut model(memory_store *store, const small_log *log) {
  uint64_t next = FIRST_SEQ;
  cut seen = {TD_END, 1, TD_NO_OFFSET, 0};
  td_region_id region = {0};
  for (uint32_t s = 0; s < 2; s++) {
    memory_file *file = memory_store_find(store, log->names[s]);
    td_segment segment = td_segment_init((td_span){file->bytes, file->size});
    td_segname name;
    td_batch batch;
    td_span payload;
    td_status status;
    td_segname_parse(file->name, strlen(file->name), &name, NULL);
    if (name.first_seq.value != next) {
      return (cut){TD_MISSING, s, 0, seen.batches};
    }
    uint64_t at = 0;
    while ((status = td_segment_next(&segment, &batch, &payload, NULL))
           == TD_OK) {
      if (batch.shard.value != LOG_SHARD
          || (seen.batches > 0 && batch.region.value != region.value)) {
        return (cut){TD_MISMATCH, s, at, seen.batches};
      }
      if (batch.first_seq.value != next) {
        td_status kind = at == 0 ? TD_MISMATCH : TD_SEQUENCE;
        return (cut){kind, s, at, seen.batches};
      }
      region = batch.region;
      next += batch.event_count;
      seen.batches++;
      at = segment.at;
    }
    if (status != TD_END) return (cut){status, s, at, seen.batches};
  }
  return seen;
}

/* One piece of damage: bytes set, zeroed, moved, left out or repeated. */
static void damage(memory_store *store, const char *name, td_prng *prng) {
  memory_file *file = memory_store_find(store, name);
  size_t size = file->size;
  size_t at = (size_t)td_prng_below(prng, size);
  size_t from = (size_t)td_prng_below(prng, size);
  size_t longest = size - (at > from ? at : from);
  size_t count = 1 + (size_t)td_prng_below(prng, longest);
  switch (td_prng_below(prng, 4)) {
  case 0:
    file->bytes[at] ^= (uint8_t)(1u << td_prng_below(prng, 8));
    break;
  case 1: memset(file->bytes + at, 0, count); break;
  case 2: memmove(file->bytes + at, file->bytes + from, count); break;
  default: file->size = at; break;
  }
}

static void case_damage(void) {
  td_prng prng = {test_seed()};
  uint32_t faults = 0, rounds = test_soak() ? 200000 : 3000;
  for (uint32_t round = 0; round < rounds; round++) {
    memory_store store;
    log_walk walk;
    memory_store_init(&store, round);
    small_log log = make_small_log(&store);
    damage(&store, log.names[round % 2], &prng);
    cut want = model(&store, &log);
    store.read_max = round % 300;
    walk_store(&walk, &store, LOG_SHARD, 0);
    bool good = want.status == TD_END;
    check_fault(&walk, want.status, good ? "" : log.names[want.segment],
                want.offset, want.batches);
    if (!good) faults++;
    memory_store_deinit(&store);
  }
  CHECK(faults > rounds / 2);
}

void test_wal_damage(void) {
  test_case("wal", "cut at every byte, before and after listing", case_cuts);
  test_case("wal", "a segment that grows", case_grows);
  test_case("wal", "damage at random, against a plain model", case_damage);
}
