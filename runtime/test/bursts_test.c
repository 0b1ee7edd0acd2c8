/* Damage of the kinds that disks and their drivers do: bursts of bits, bytes
 * swapped; sectors zeroed, doubled, swapped, out of date, of another log;
 * batches dropped, doubled, swapped. Each time it is told, at its place, by
 * the writer's recovery and by the verifier, and both say the same.
 *
 * One thing cannot be told: that the last batches of a log that was not
 * closed never reached the disk at all, as if they had not been written. */
#define _GNU_SOURCE  /* memmem */

#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "format/segment.h"
#include "sim/disk_calls.h"
#include "test/battery.h"
#include "test/verify_run.h"

#define CASES_LEAST 1000000u
#define WORLD_CASES 50000u      /* with one log, then the next one */
#define SECTOR TD_DISK_SECTOR_BYTES
#define ROOM 8192u              /* for a segment with a batch too many */

typedef enum damage {
  BURST, BYTE_SWAP, SECTOR_ZERO, SECTOR_TWICE, SECTOR_SWAP, SECTOR_STALE,
  SECTOR_FOREIGN, BATCH_DROP, BATCH_TWICE, BATCH_SWAP, DAMAGES,
} damage;

static const char *const words[DAMAGES] = {
  "a burst", "swapped bytes", "a zeroed sector", "a doubled sector",
  "swapped sectors", "a stale sector", "a foreign sector", "a dropped batch",
  "a doubled batch", "swapped batches",
};

static battery log_, foreign;  /* large: not on the stack */
static uint64_t counts[DAMAGES], torn, refused, vanished;

typedef struct image {
  uint8_t bytes[ROOM];
  size_t size;
} image;

/* --- ten ways to do it --------------------------------------------------- */

static void burst(image *at, td_prng *prng) {
  uint64_t bits = at->size * 8, length = 2 + td_prng_below(prng, 63);
  uint64_t from = td_prng_below(prng, bits - length);
  for (uint64_t i = 0; i < length; i++) {
    bool edge = i == 0 || i == length - 1;
    if (!edge && td_prng_below(prng, 2)) continue;
    at->bytes[(from + i) / 8] ^= (uint8_t)(1u << (from + i) % 8);
  }
}

static void swap(uint8_t *a, uint8_t *b, size_t size) {
  for (size_t i = 0; i < size; i++) {
    uint8_t byte = a[i];
    a[i] = b[i];
    b[i] = byte;
  }
}

static void harm_bytes(image *at, td_prng *prng) {
  size_t a = (size_t)td_prng_below(prng, at->size - 1), b = a + 1;
  if (td_prng_below(prng, 2)) b = (size_t)td_prng_below(prng, at->size);
  swap(at->bytes + a, at->bytes + b, 1);
}

/* Bytes of a sector that lie in the file. */
static size_t sector_size(const image *at, size_t sector) {
  size_t left = at->size - sector * SECTOR;
  return left < SECTOR ? left : SECTOR;
}

static void harm_sectors(image *at, damage how, const battery_segment *in,
                         td_prng *prng) {
  size_t sectors = (at->size + SECTOR - 1) / SECTOR;
  size_t a = (size_t)td_prng_below(prng, sectors);
  size_t b = (size_t)td_prng_below(prng, sectors);
  uint8_t *to = at->bytes + a * SECTOR, *from = at->bytes + b * SECTOR;
  size_t size = sector_size(at, a), other = sector_size(at, b);
  size_t both = size < other ? size : other;
  if (how == SECTOR_ZERO) {
    memset(to, 0, size);
  } else if (how == SECTOR_TWICE) {
    memmove(to, from, both);
  } else if (how == SECTOR_SWAP) {
    if (a != b) swap(to, from, both);
  } else if (how == SECTOR_STALE) {  /* as it was before some batch */
    size_t then = in->starts[td_prng_below(prng, in->count)];
    for (size_t i = 0; i < size; i++) {
      if (a * SECTOR + i >= then) to[i] = 0;
    }
  } else {
    const battery_segment *there = &foreign.segments[0];
    const td_disk_bytes *bytes = battery_file(&foreign, there->name);
    size_t last = bytes->size / SECTOR;
    memcpy(to, bytes->data + td_prng_below(prng, last) * SECTOR, size);
  }
}

static void take(image *to, const battery_segment *in, const uint8_t *bytes,
                 uint32_t batch) {
  size_t start = in->starts[batch], size = in->starts[batch + 1] - start;
  memcpy(to->bytes + to->size, bytes + start, size);
  to->size += size;
}

static void harm_batches(image *at, damage how, const battery_segment *in,
                         td_prng *prng) {
  static image from;
  uint32_t a = (uint32_t)td_prng_below(prng, in->count);
  uint32_t b = (uint32_t)td_prng_below(prng, in->count);
  size_t end = in->starts[in->count];
  from = *at;
  at->size = 0;
  for (uint32_t i = 0; i < in->count; i++) {
    if (how == BATCH_SWAP) {
      take(at, in, from.bytes, i == a ? b : i == b ? a : i);
    } else {
      if (how == BATCH_TWICE || i != a) take(at, in, from.bytes, i);
      if (how == BATCH_TWICE && i == a) take(at, in, from.bytes, i);
    }
  }
  memcpy(at->bytes + at->size, from.bytes + end, from.size - end);
  at->size += from.size - end;
}

static void harm(image *at, damage how, const battery_segment *in,
                 td_prng *prng) {
  if (how == BURST) burst(at, prng);
  else if (how == BYTE_SWAP) harm_bytes(at, prng);
  else if (how < BATCH_DROP) harm_sectors(at, how, in, prng);
  else harm_batches(at, how, in, prng);
}

/* --- what must be told --------------------------------------------------- */

/* The first byte that is another one; their size = none is. */
static size_t first_difference(const image *a, const td_disk_bytes *b) {
  size_t size = a->size < b->size ? a->size : b->size, at = 0;
  while (at < size && a->bytes[at] == b->data[at]) at++;
  return at;
}

/* Does a batch behind number `batch` still stand anywhere behind it? */
static bool later_stands(const image *at, const td_disk_bytes *whole,
                         const battery_segment *in, uint32_t batch) {
  size_t from = in->starts[batch];
  for (uint32_t i = batch + 1; i < in->count && from < at->size; i++) {
    size_t start = in->starts[i], size = in->starts[i + 1] - start;
    if (memmem(at->bytes + from, at->size - from, whole->data + start,
               size)) {
      return true;
    }
  }
  return false;
}

typedef struct expected {
  battery_answer want;
  bool nothing;       /* is left from there on: it is `want`, no other */
} expected;

static expected expect(const image *at, const td_disk_bytes *whole,
                       uint32_t segment, size_t byte) {
  const battery_segment *in = &log_.segments[segment];
  uint32_t batch = battery_batch_at(in, byte);
  size_t from = in->starts[batch];
  bool nothing = from >= at->size
    || td_segment_only_zeros((td_span){at->bytes + from, at->size - from});
  if (nothing) {
    return (expected){battery_expect_nothing(&log_, segment, batch), true};
  }
  bool later = later_stands(at, whole, in, batch);
  return (expected){battery_expect(&log_, segment, batch, true, later), false};
}

/* What may be torn may also be refused: there may be a header in it that
 * stands for something later, or for another log. */
static void check(const expected *out, const battery_answer *got,
                  const char *who, damage how, size_t byte) {
  battery_answer want = out->want;
  if (!out->nothing && want.what == BATTERY_TORN) {
    want.what = got->what == BATTERY_WHOLE ? BATTERY_TORN : got->what;
    want.suspect = got->suspect;
  }
  if (got->status == TD_MISMATCH && got->offset == 0) {
    want.status = TD_MISMATCH;  /* the name of the segment says otherwise */
  }
  battery_check(got, &want, who, words[how], byte);
}

/* One damage, both answers. False = it changed nothing. */
static bool try_one(uint32_t segment, damage how, td_prng *prng) {
  static image at;
  const battery_segment *in = &log_.segments[segment];
  const td_disk_bytes *whole = td_disk_find(&log_.work.disk, in->name);
  td_assert(whole->size + 2048 <= ROOM);
  memcpy(at.bytes, whole->data, whole->size);
  at.size = whole->size;
  harm(&at, how, in, prng);
  size_t byte = first_difference(&at, whole);
  if (byte == whole->size && at.size == whole->size) return false;
  td_disk_bytes *file = battery_file(&log_, in->name);
  td_disk_resize(&log_.hurt.disk, file, at.size);
  memcpy(file->data, at.bytes, at.size);
  expected want = expect(&at, whole, segment, byte);
  battery_answer said = battery_verify(&log_);
  check(&want, &said, "verify", how, byte);
  battery_answer got = battery_recover(&log_);
  uint32_t left = got.batches;
  if (want.nothing && got.what == BATTERY_WHOLE) {
    got.harmed = false;
    vanished++;
  }
  check(&want, &got, "the writer", how, byte);
  battery_check(&got, &said, "the writer after verify", words[how], byte);
  if (got.what != BATTERY_REFUSED) CHECK_U64(left, want.want.batches);
  torn += got.what == BATTERY_TORN;
  refused += got.what == BATTERY_REFUSED;
  if (got.what == BATTERY_REFUSED) {
    file = battery_file(&log_, in->name);
    td_disk_resize(&log_.hurt.disk, file, whole->size);
    memcpy(file->data, whole->data, whole->size);
  }
  return true;
}

/* --- the runs ------------------------------------------------------------ */

static uint64_t run_world(uint64_t seed, uint64_t cases) {
  td_prng prng = {seed};
  uint64_t done = 0;
  battery_kind kind = seed % 4 == 1 ? BATTERY_LAZY : BATTERY_SMALL;
  battery_init(&log_, kind, seed % 3 == 0, seed);
  battery_init(&foreign, BATTERY_LARGE, false, seed + 1);
  while (done < cases) {
    uint32_t last = log_.segment_count - 1;
    uint32_t segment = done % 4 ? last : (uint32_t)td_prng_below(&prng, last);
    damage how = (damage)td_prng_below(&prng, DAMAGES);
    if (!try_one(segment, how, &prng)) continue;
    counts[how]++;
    done++;
  }
  battery_deinit(&foreign);
  battery_deinit(&log_);
  return done;
}

static void case_damages(void) {
  uint64_t done = 0, seed = test_seed();
  do {
    for (uint64_t least = done + CASES_LEAST / BATTERY_SHARE; done < least;) {
      done += run_world(seed, WORLD_CASES / BATTERY_SHARE);
      seed++;
    }
  } while (test_again());
  printf("# %llu cases: torn %llu, refused %llu, as if never written %llu\n",
         (unsigned long long)done, (unsigned long long)torn,
         (unsigned long long)refused, (unsigned long long)vanished);
  for (uint32_t i = 0; i < DAMAGES; i++) CHECK(counts[i] > done / 50);
  CHECK(torn > done / 100 && refused > done / 2 && vanished > 0);
}

/* One whole batch far behind the damage, its header across the end of the
 * buffer that is searched, at every byte. */
static void case_far(void) {
  static verify_run run;
  for (uint32_t i = 0; i <= 2 * TD_BATCH_HEADER_BYTES; i++) {
    memory_store store;
    memory_store_init(&store, test_seed());
    log_maker maker = make_segment(4, 1);
    char name[TD_SEGNAME_TEXT_MAX];
    td_segname_format(maker.name, name);
    make_session(&maker, TD_WAL_BUFFER_BYTES - 2 * TD_BATCH_HEADER_BYTES + i);
    make_batch(&maker, 1);
    size_t proof = maker.starts[1];
    make_stored(&maker, &store);
    memory_store_find(&store, name)->bytes[20] ^= 1;
    verify_store(&run, &store);
    check_only(&run, TD_VERDICT_CORRUPT, TD_EVIDENCE_BATCH, name, 0);
    CHECK_U64(run.findings[0].proof, proof);
    memory_store_deinit(&store);
  }
}

void test_bursts(void) {
  test_case("bursts", "a whole batch far behind the damage", case_far);
  test_case("bursts", "ten kinds of damage", case_damages);
}
