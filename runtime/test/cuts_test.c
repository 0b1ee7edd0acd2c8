/* Segments cut at every byte. One in use gives exactly the batches that are
 * whole before the cut; of a sealed one, and of a log that was closed
 * cleanly, no byte may be missing. */
#include "test/test.h"

#include <string.h>

#include "sim/disk_calls.h"
#include "test/battery.h"

#define GROWN_MOST 200u

static battery log_;  /* large: not on the stack */
static uint64_t cuts, torn, refused, whole;

/* What must be said of a segment of only so many bytes. */
static battery_answer expect(uint32_t segment, size_t size) {
  const battery_segment *in = &log_.segments[segment];
  uint32_t batch = battery_batch_at(in, size);
  bool between = size == in->starts[batch] || batch == in->count;
  return between ? battery_expect_nothing(&log_, segment, batch)
                 : battery_expect(&log_, segment, batch, true, false);
}

/* A cut between two batches leaves what looks like a shorter log. */
static battery_answer without_harm(battery_answer got) {
  if (got.what == BATTERY_WHOLE) got.harmed = false;
  return got;
}

static void note(const battery_answer *got) {
  torn += got->what == BATTERY_TORN;
  refused += got->what == BATTERY_REFUSED;
  whole += got->what == BATTERY_WHOLE;
}

static void cut_segment(uint32_t segment) {
  const battery_segment *in = &log_.segments[segment];
  for (size_t size = 0; size < in->size; size++) {
    if (size % BATTERY_SHARE) continue;
    battery_answer want = expect(segment, size);
    battery_file(&log_, in->name)->size = size;
    battery_answer got = battery_verify(&log_);
    battery_check(&got, &want, "verify", "a cut", size);
    got = battery_recover(&log_);
    uint32_t left = got.batches;
    got = without_harm(got);
    battery_check(&got, &want, "the writer", "a cut", size);
    if (got.what != BATTERY_REFUSED) CHECK_U64(left, want.batches);
    else battery_file(&log_, in->name)->size = in->size;
    note(&got);
    cuts++;
  }
}

static void cut_log(battery_kind kind, bool clean, uint64_t seed) {
  battery_init(&log_, kind, clean, seed);
  for (uint32_t i = 0; i < log_.segment_count; i++) cut_segment(i);
  battery_deinit(&log_);
}

static void report(void) {
  printf("# %llu cuts so far: torn %llu, refused %llu, between batches "
         "%llu\n", (unsigned long long)cuts, (unsigned long long)torn,
         (unsigned long long)refused, (unsigned long long)whole);
}

static void case_active(void) {
  cut_log(BATTERY_LARGE, false, test_seed());
  report();
  CHECK(cuts >= 65000 / BATTERY_SHARE && torn > 60000 / BATTERY_SHARE);
  /* Of the batch that was there at the checkpoint. */
  CHECK(refused < 1000);
}

static void case_v1(void) {
  uint64_t before = refused;
  cut_log(BATTERY_V1, false, test_seed());
  report();
  CHECK_U64(refused, before);
}

static void case_segments(void) {
  uint64_t seed = test_seed();
  do {
    cut_log(BATTERY_SMALL, false, seed++);
    cut_log(BATTERY_SMALL, false, seed++);
  } while (test_again());
  report();
}

static void case_clean(void) {
  uint64_t torn_before = torn, whole_before = whole;
  cut_log(BATTERY_SMALL, true, test_seed());
  cut_log(BATTERY_LARGE, true, test_seed());
  report();
  CHECK_U64(torn, torn_before);
  CHECK_U64(whole, whole_before);
}

/* Bytes that nobody wrote behind the end: a torn header, unless the end is
 * known to be the end. */
static void grow_log(bool clean) {
  battery_init(&log_, BATTERY_LARGE, clean, test_seed());
  const battery_segment *in = &log_.segments[0];
  for (size_t more = 1; more <= GROWN_MOST; more++) {
    battery_answer want = battery_expect(&log_, 0, in->count, true, false);
    size_t end = in->starts[in->count];
    td_disk_bytes *file = battery_file(&log_, in->name);
    td_disk_resize(&log_.hurt.disk, file, end + more);
    memset(file->data + end, 'T', more);
    battery_answer got = battery_verify(&log_);
    battery_check(&got, &want, "verify", "bytes behind the end", more);
    got = battery_recover(&log_);
    battery_check(&got, &want, "the writer", "bytes behind the end", more);
    if (got.what == BATTERY_TORN) CHECK_U64(got.batches, in->count);
  }
  battery_deinit(&log_);
}

static void case_grown(void) { grow_log(false); }
static void case_grown_clean(void) { grow_log(true); }

void test_cuts(void) {
  test_case("cuts", "64 KiB in use, at every byte", case_active);
  test_case("cuts", "64 KiB of v1, at every byte", case_v1);
  test_case("cuts", "sealed segments, at every byte", case_segments);
  test_case("cuts", "a log closed cleanly, at every byte", case_clean);
  test_case("cuts", "bytes behind the end", case_grown);
  test_case("cuts", "bytes behind a clean end", case_grown_clean);
}
