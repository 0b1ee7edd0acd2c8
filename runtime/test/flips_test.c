/* Every bit of a log, flipped: each flip must be told, with its verdict and
 * its place, by the writer's recovery and by the verifier. */
#include "test/test.h"

#include <string.h>

#include "format/batch.h"
#include "test/battery.h"

#define FLIPS_LEAST 1200000u  /* of all cases together */
#define CLEAN_BATCHES 16u     /* at the end of the log closed cleanly */

static battery log_;  /* large: not on the stack */
static uint64_t flips, torn, refused, silent;

static void note(const battery_answer *got) {
  torn += got->what == BATTERY_TORN;
  refused += got->what == BATTERY_REFUSED;
  silent += got->what == BATTERY_WHOLE || got->harmed;
}

/* The bits of the bytes [first, end). */
static void flip_segment(uint32_t segment, size_t first, size_t end) {
  const battery_segment *in = &log_.segments[segment];
  for (size_t bit = first * 8; bit < end * 8; bit++) {
    if (bit % BATTERY_SHARE) continue;
    size_t byte = bit / 8;
    uint8_t mask = (uint8_t)(1u << bit % 8);
    uint32_t batch = battery_batch_at(in, byte);
    bool header = byte - in->starts[batch] < TD_BATCH_HEADER_BYTES;
    battery_answer want = battery_expect(&log_, segment, batch, header,
                                         batch + 1 < in->count);
    battery_file(&log_, in->name)->data[byte] ^= mask;
    battery_answer got = battery_verify(&log_);
    battery_check(&got, &want, "verify", "a flipped bit", bit);
    note(&got);
    got = battery_recover(&log_);
    battery_check(&got, &want, "the writer", "a flipped bit", bit);
    if (got.what == BATTERY_TORN) CHECK_U64(got.batches, want.batches);
    note(&got);
    if (got.what == BATTERY_REFUSED) {
      battery_file(&log_, in->name)->data[byte] ^= mask;
    }
    flips++;
  }
}

static void flip_segments(void) {
  for (uint32_t i = 0; i < log_.segment_count; i++) {
    flip_segment(i, 0, log_.segments[i].size);
  }
}

/* A slot: told, and the other one serves. A layout or cuts: told. */
static void flip_small_file(const char *name) {
  bool slot = strncmp(name, "checkpoint-", 11) == 0;
  size_t size = battery_file(&log_, name)->size;
  for (size_t bit = 0; bit < size * 8; bit++) {
    if (bit % BATTERY_SHARE) continue;
    uint8_t mask = (uint8_t)(1u << bit % 8);
    battery_file(&log_, name)->data[bit / 8] ^= mask;
    battery_answer got = battery_verify(&log_);
    CHECK(got.what == BATTERY_REFUSED);
    CHECK_TEXT(got.file, name);
    note(&got);
    got = battery_recover(&log_);
    if (slot) CHECK(got.what == BATTERY_WHOLE);
    if (got.what == BATTERY_REFUSED) CHECK_TEXT(got.file, name);
    CHECK(got.what != BATTERY_TORN && !got.harmed);
    if (got.what == BATTERY_REFUSED) {
      battery_file(&log_, name)->data[bit / 8] ^= mask;
    }
    flips++;
  }
}

static void flip_small_files(void) {
  const td_disk_names *names = &log_.work.disk.cached;
  uint32_t files = 0;
  for (uint32_t i = 0; i < names->count; i++) {
    const char *name = names->list[i].text;
    if (strncmp(name, "wal-", 4) == 0 || strcmp(name, "LOCK") == 0) continue;
    flip_small_file(name);
    files++;
  }
  CHECK_U64(files, 4);  /* two slots, a layout, cuts */
}

static void report(void) {
  printf("# %llu flips so far, judged twice: torn %llu, refused %llu, "
         "silent %llu\n", (unsigned long long)flips, (unsigned long long)torn,
         (unsigned long long)refused, (unsigned long long)silent);
  CHECK_U64(silent, 0);
}

static void case_large(void) {
  uint64_t seed = test_seed();
  do {
    battery_init(&log_, BATTERY_LARGE, false, seed++);
    flip_segments();
    battery_deinit(&log_);
  } while (test_again());
  report();
}

static void case_v1(void) {
  battery_init(&log_, BATTERY_V1, false, test_seed());
  flip_segments();
  battery_deinit(&log_);
  report();
}

static void case_all_files(void) {
  for (uint32_t i = 0; i < 3; i++) {
    battery_init(&log_, BATTERY_SMALL, i == 2, test_seed() + i);
    CHECK(log_.segment_count > 2);
    flip_segments();
    flip_small_files();
    battery_deinit(&log_);
  }
  report();
}

/* After a clean end nothing is torn, whatever was in flight is known. */
static void case_clean(void) {
  uint64_t before = torn;
  battery_init(&log_, BATTERY_LARGE, true, test_seed());
  const battery_segment *in = &log_.segments[0];
  flip_segment(0, in->starts[in->count - CLEAN_BATCHES], in->size);
  battery_deinit(&log_);
  CHECK_U64(torn, before);
  report();
}

static void case_enough(void) {
  CHECK(flips >= FLIPS_LEAST / BATTERY_SHARE);
}

void test_flips(void) {
  test_case("flips", "every bit of every file", case_all_files);
  test_case("flips", "the end of a log closed cleanly", case_clean);
  test_case("flips", "every bit of 64 KiB of v1", case_v1);
  test_case("flips", "every bit of 64 KiB", case_large);
  test_case("flips", "as many as are promised", case_enough);
}
