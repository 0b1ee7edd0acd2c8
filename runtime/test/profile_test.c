/* Covers model/profile.
 * The profile against counting everything. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/prng.h"
#include "format/record.h"
#include "model/profile.h"

#define EVENTS_MAX 200000u
#define HALF (UINT64_C(1) << 63)

/* Everything that was added, and the profile it was added to. */
typedef struct trial {
  td_router *router;
  td_profile *profile;
  uint64_t *keys;  /* of each event, in the order added */
  uint32_t events;
} trial;

static trial begin(td_strategy strategy, uint32_t slots) {
  trial t = {malloc(td_router_size(5)), malloc(td_profile_size(slots)),
             malloc(EVENTS_MAX * sizeof(uint64_t)), 0};
  memset(t.profile, 0xa5, td_profile_size(slots));
  CHECK(td_router_init_even(t.router, strategy, 5, NULL) == TD_OK);
  td_profile_init(t.profile, slots);
  return t;
}

static void end(trial *t) {
  free(t->router);
  free(t->profile);
  free(t->keys);
}

static void add(trial *t, const uint64_t *ids, uint32_t count,
                uint64_t *counts) {
  uint8_t *bytes = malloc((size_t)count * TD_RECORD_BYTES + 1);
  for (uint32_t i = 0; i < count; i++) {
    td_record record = {.entity = {ids[i]}, .timestamp_ns = i, .weight = 1};
    td_record_encode(&record, bytes + (size_t)i * TD_RECORD_BYTES);
    t->keys[t->events++] = td_router_key(t->router, record.entity);
  }
  td_profile_add(t->profile, t->router,
                 (td_span){bytes, (size_t)count * TD_RECORD_BYTES}, counts);
  free(bytes);
}

/* Events with a key in first..last. */
static uint64_t between(const trial *t, uint64_t first, uint64_t last) {
  uint64_t sum = 0;
  for (uint32_t i = 0; i < t->events; i++) {
    sum += first <= t->keys[i] && t->keys[i] <= last;
  }
  return sum;
}

static uint64_t distance(uint64_t a, uint64_t b) {
  return a > b ? a - b : b - a;
}

/* Ids from all over, with many repeats. */
static uint64_t any_id(td_prng *prng, uint64_t kinds) {
  uint64_t kind = td_prng_below(prng, kinds);
  if (kind == 0) return UINT64_MAX;
  return kind % 3 == 0 ? kind : kind % 3 == 1 ? HALF + kind : ~(kind << 40);
}

static void random_ids(trial *t, td_prng *prng, uint64_t kinds,
                       uint32_t count, uint64_t *counts) {
  uint64_t *ids = malloc(count * sizeof *ids);
  for (uint32_t i = 0; i < count; i++) ids[i] = any_id(prng, kinds);
  add(t, ids, count, counts);
  free(ids);
}

/* --- exact ---------------------------------------------------------------- */

static void counts_shards(void) {
  td_prng prng = {test_seed()};
  uint64_t counts[5] = {0};
  trial t = begin(TD_STRATEGY_RANGES, 1024);
  for (unsigned i = 0; i < 20; i++) {
    random_ids(&t, &prng, 300, 1 + i * 37, counts);
  }
  random_ids(&t, &prng, 300, 0, counts);
  for (uint32_t i = 0; i < 5; i++) {
    td_range range = td_router_range(t.router, i);
    CHECK_U64(counts[i], between(&t, range.first, range.last));
  }
  CHECK_U64(td_profile_events(t.profile), t.events);
  CHECK(td_profile_exact(t.profile));
  CHECK_U64(td_profile_slack(t.profile), 0);
  end(&t);
}

/* The hottest of all, one by one, as somebody would by hand. */
static void check_hottest(const trial *t, const td_heat *heats,
                          uint32_t count) {
  for (uint32_t i = 0; i < count; i++) {
    uint64_t key = td_router_key(t->router, heats[i].entity);
    CHECK_U64(heats[i].events, between(t, key, key));
    if (i == 0) continue;
    CHECK(heats[i - 1].events >= heats[i].events);
    CHECK(heats[i - 1].events > heats[i].events
          || heats[i - 1].entity.value < heats[i].entity.value);
  }
}

static void hottest(td_strategy strategy) {
  td_prng prng = {test_seed() + 1};
  td_heat some[10], all[400];
  trial t = begin(strategy, 1024);
  random_ids(&t, &prng, 300, 2000, NULL);
  uint32_t distinct = td_profile_distinct(t.profile);
  CHECK_U64(td_profile_hottest(t.profile, all, 0), 0);
  CHECK_U64(td_profile_hottest(t.profile, all, 400), distinct);
  CHECK(distinct > 250 && distinct <= 300);
  check_hottest(&t, all, distinct);
  uint64_t sum = 0;
  for (uint32_t i = 0; i < distinct; i++) sum += all[i].events;
  CHECK_U64(sum, t.events);
  CHECK_U64(td_profile_hottest(t.profile, some, 10), 10);
  for (uint32_t i = 0; i < 10; i++) {
    CHECK_U64(some[i].entity.value, all[i].entity.value);
    CHECK_U64(some[i].events, all[i].events);
  }
  end(&t);
}

static void hottest_ids(void) {
  hottest(TD_STRATEGY_RANGES);
}

static void hottest_hashed(void) {
  hottest(TD_STRATEGY_HASH_RANGES);
}

static void check_half(uint32_t slots) {
  uint32_t half = slots / 2;
  uint64_t *ids = malloc((half + 1) * sizeof *ids);
  trial t = begin(TD_STRATEGY_RANGES, slots);
  for (uint32_t i = 0; i <= half; i++) ids[i] = ~((uint64_t)i * 1000);
  add(&t, ids, half, NULL);
  add(&t, ids, half, NULL);
  CHECK(td_profile_exact(t.profile));
  CHECK_U64(td_profile_distinct(t.profile), half);
  add(&t, ids + half, 1, NULL);
  CHECK(!td_profile_exact(t.profile));
  CHECK(td_profile_distinct(t.profile) <= half / 2 + 2);
  CHECK_U64(td_profile_events(t.profile), 2 * (uint64_t)half + 1);
  free(ids);
  end(&t);
}

static void exact_up_to_half(void) {
  check_half(TD_PROFILE_SLOTS_MIN);
  check_half(TD_PROFILE_SLOTS_DEFAULT);
  CHECK(td_profile_size(TD_PROFILE_SLOTS_MAX)
        > 100 * td_profile_size(TD_PROFILE_SLOTS_DEFAULT));
}

/* --- splitting ------------------------------------------------------------ */

/* The lightest heaviest piece over every way to cut weights[0..count). */
static uint64_t best_cut(const uint64_t *weights, uint32_t count,
                         uint32_t parts) {
  uint64_t best = UINT64_MAX;
  for (uint32_t cuts = 0; cuts < 1u << (count - 1); cuts++) {
    uint64_t piece = 0, most = 0;
    uint32_t pieces = 1;
    for (uint32_t i = 0; i < count; i++) {
      piece += weights[i];
      if (piece > most) most = piece;
      if (i + 1 == count || (cuts >> i & 1) == 0) continue;
      piece = 0;
      pieces++;
    }
    if (pieces <= parts && most < best) best = most;
  }
  return best;
}

static void check_split(trial *t, uint32_t parts, uint64_t slack) {
  uint64_t *last = malloc(parts * sizeof *last), sum = 0;
  uint64_t *events = malloc(parts * sizeof *events);
  uint32_t pieces = td_profile_split(t->profile, parts, last, events);
  CHECK(pieces >= 1 && pieces <= parts);
  CHECK_U64(last[pieces - 1], UINT64_MAX);
  for (uint32_t i = 0; i < pieces; i++) {
    sum += events[i];
    CHECK(events[i] > 0);
    CHECK(i == 0 || last[i] > last[i - 1]);
    CHECK(distance(sum, between(t, 0, last[i])) <= slack);
  }
  CHECK_U64(sum, t->events);
  free(last);
  free(events);
}

static void best_splits(void) {
  td_prng prng = {test_seed() + 2};
  for (unsigned i = 0; i < 400; i++) {
    uint32_t count = 1 + (uint32_t)td_prng_below(&prng, 9);
    uint32_t parts = 1 + (uint32_t)td_prng_below(&prng, 8);
    uint64_t weights[9], last[8], events[8], most = 0;
    trial t = begin(TD_STRATEGY_RANGES, 64);
    for (uint32_t k = count; k-- > 0;) {
      uint64_t id = k < 4 ? HALF / 4 * k : UINT64_MAX - 2 * (8 - k);
      weights[k] = 1 + td_prng_below(&prng, 30);
      for (uint64_t w = 0; w < weights[k]; w++) add(&t, &id, 1, NULL);
    }
    uint32_t pieces = td_profile_split(t.profile, parts, last, events);
    CHECK_U64(pieces, parts < count ? parts : count);
    for (uint32_t p = 0; p < pieces; p++) {
      CHECK_U64(events[p], between(&t, p ? last[p - 1] + 1 : 0, last[p]));
      if (events[p] > most) most = events[p];
    }
    CHECK_U64(most, best_cut(weights, count, parts));
    check_split(&t, parts, 0);
    end(&t);
  }
}

static void split_of_nothing(void) {
  uint64_t last[2], events[2], id = UINT64_MAX;
  trial t = begin(TD_STRATEGY_RANGES, 64);
  CHECK_U64(td_profile_split(t.profile, 2, last, events), 0);
  add(&t, &id, 1, NULL);
  CHECK_U64(td_profile_split(t.profile, 0, last, events), 0);
  CHECK_U64(td_profile_split(t.profile, 2, last, events), 1);
  CHECK_U64(last[0], UINT64_MAX);
  end(&t);
}

/* Splitting sorts; counting goes on as if nothing had happened. */
static void counting_after_split(void) {
  td_prng prng = {test_seed() + 3};
  td_heat heats[300];
  trial t = begin(TD_STRATEGY_HASH_RANGES, 1024);
  for (unsigned i = 0; i < 10; i++) {
    random_ids(&t, &prng, 250, 300, NULL);
    check_split(&t, 1 + i, 0);
  }
  CHECK(td_profile_exact(t.profile));
  check_hottest(&t, heats, td_profile_hottest(t.profile, heats, 300));
  end(&t);
}

/* --- more ids than room --------------------------------------------------- */

typedef uint64_t id_fn(td_prng *prng, uint32_t i);

static uint64_t uniform(td_prng *prng, uint32_t i) {
  (void)i;
  return td_prng_next(prng);
}

static uint64_t ascending(td_prng *prng, uint32_t i) {
  return HALF - 20000 + i + td_prng_below(prng, 2);
}

static uint64_t descending(td_prng *prng, uint32_t i) {
  (void)prng;
  return ~(uint64_t)0 - i;
}

static uint64_t skewed(td_prng *prng, uint32_t i) {
  (void)i;
  return td_prng_next(prng) >> td_prng_below(prng, 64);
}

/* Three ids with 1/16, 1/8 and 1/4 of all events among ids of one or a few:
 * they stay single and whole, and no boundary is off by more than is said,
 * nor by more than was seen when this was written, twice over. */
static void check_crowd(id_fn *next, uint32_t slots, uint64_t slack_max) {
  static const uint64_t hot[] = {UINT64_MAX, 3, HALF};
  td_prng prng = {test_seed() + 4};
  td_heat heats[3];
  uint64_t id, shares[3] = {0};
  trial t = begin(TD_STRATEGY_RANGES, slots);
  for (uint32_t i = 0; i < 40000; i++) {
    unsigned which = i % 4 == 0 ? 2 : i % 8 == 1 ? 1 : i % 16 == 2 ? 0 : 3;
    id = which < 3 ? hot[which] : next(&prng, i);
    if (which < 3) shares[which]++;
    add(&t, &id, 1, NULL);
  }
  CHECK(!td_profile_exact(t.profile));
  CHECK_U64(td_profile_hottest(t.profile, heats, 3), 3);
  for (unsigned i = 0; i < 3; i++) {
    CHECK_U64(heats[i].entity.value, hot[2 - i]);
    CHECK_U64(heats[i].events, between(&t, hot[2 - i], hot[2 - i]));
    CHECK(heats[i].events >= shares[2 - i]);
  }
  CHECK(td_profile_slack(t.profile) <= slack_max);
  check_split(&t, 7, td_profile_slack(t.profile));
  check_split(&t, slots, td_profile_slack(t.profile));
  end(&t);
}

static void crowds(void) {
  check_crowd(uniform, 256, 2500);
  check_crowd(uniform, 1024, 600);
  check_crowd(ascending, 1024, 4000);
  check_crowd(descending, 1024, 4000);
  check_crowd(skewed, 1024, 800);
}

/* One piece per key shows every cell: runs are light, nothing is lost. */
static void runs_are_light(void) {
  td_prng prng = {test_seed() + 5};
  static uint64_t last[128], events[128];
  trial t = begin(TD_STRATEGY_RANGES, 256);
  for (unsigned i = 0; i < 50; i++) {
    uint64_t ids[400];
    for (unsigned k = 0; k < 400; k++) ids[k] = td_prng_next(&prng);
    add(&t, ids, 400, NULL);
    uint32_t pieces = td_profile_split(t.profile, 128, last, events);
    CHECK(pieces >= 256 / 8);
    for (uint32_t p = 0; p < pieces; p++) {
      CHECK(events[p] <= t.events * 8 / 256);
    }
  }
  end(&t);
}

/* Ids that were merged while they were light come back and stay: each gets a
 * count of its own again, that of the run is not taken for it. */
static void late_heat(void) {
  enum { LATE = 12, EACH = 2000 };
  td_prng prng = {test_seed() + 7};
  td_heat heats[128];
  uint64_t ids[1000];
  trial t = begin(TD_STRATEGY_HASH_RANGES, 256);
  for (unsigned i = 0; i < 1000; i++) ids[i] = td_prng_next(&prng);
  add(&t, ids, 1000, NULL);
  uint32_t have = td_profile_hottest(t.profile, heats, 128);
  CHECK(have < td_profile_distinct(t.profile));
  for (uint32_t i = 0; i < have; i++) CHECK_U64(heats[i].events, 1);
  for (unsigned i = 0; i < LATE; i++) {
    for (unsigned k = 0; k < EACH; k++) add(&t, &ids[i * 80], 1, NULL);
  }
  CHECK_U64(td_profile_hottest(t.profile, heats, LATE), LATE);
  for (unsigned i = 0; i < LATE; i++) {
    CHECK(heats[i].events == EACH || heats[i].events == EACH + 1);
  }
  end(&t);
}

/* The same events give the same profile, also in a copy elsewhere. */
static void repeats(void) {
  td_prng one = {test_seed() + 6}, two = one;
  uint64_t last[2][9], events[2][9];
  trial a = begin(TD_STRATEGY_RANGES, 128);
  trial b = begin(TD_STRATEGY_RANGES, 128);
  random_ids(&a, &one, 5000, 3000, NULL);
  random_ids(&b, &two, 5000, 3000, NULL);
  td_profile *copy = malloc(td_profile_size(128));
  memcpy(copy, b.profile, td_profile_size(128));
  memset(b.profile, 0x5a, td_profile_size(128));
  free(b.profile);
  b.profile = copy;
  random_ids(&a, &one, 5000, 3000, NULL);
  random_ids(&b, &two, 5000, 3000, NULL);
  CHECK(!td_profile_exact(a.profile));
  CHECK_U64(td_profile_split(a.profile, 9, last[0], events[0]), 9);
  CHECK_U64(td_profile_split(b.profile, 9, last[1], events[1]), 9);
  CHECK(memcmp(last[0], last[1], sizeof last[0]) == 0);
  CHECK(memcmp(events[0], events[1], sizeof events[0]) == 0);
  end(&a);
  end(&b);
}

/* Every part of every span, against adding up by hand. */
static void cuts(void) {
  td_prng prng = {test_seed() + 8};
  trial t = begin(TD_STRATEGY_RANGES, 1024);
  random_ids(&t, &prng, 60, 400, NULL);
  for (unsigned i = 0; i < 3000; i++) {
    uint64_t a = t.keys[td_prng_below(&prng, t.events)];
    uint64_t b = i % 7 == 0 ? UINT64_MAX
               : t.keys[td_prng_below(&prng, t.events)] + i % 3;
    td_profile_part span = {a < b ? a : b, a < b ? b : a,
                            td_prng_below(&prng, 80)};
    td_profile_part part = span;
    bool upper = i % 2 == 0;
    bool fits = td_profile_cut(t.profile, &part, upper);
    CHECK(part.first >= span.first && part.last <= span.last);
    CHECK_U64(part.events, between(&t, part.first, part.last));
    if (!fits) {
      CHECK_U64(part.first, part.last);
      CHECK(part.events > span.events);
      CHECK_U64(upper ? between(&t, part.last, span.last)
                      : between(&t, span.first, part.first), part.events);
      continue;
    }
    CHECK(part.events <= span.events);
    CHECK_U64(upper ? part.last : part.first, upper ? span.last : span.first);
    if (part.first == span.first && part.last == span.last) continue;
    /* The next key would be too much. */
    uint64_t next = upper ? 0 : UINT64_MAX;
    for (uint32_t k = 0; k < t.events; k++) {
      uint64_t key = t.keys[k];
      if (upper && key < part.first && key > next) next = key;
      if (!upper && key > part.last && key < next) next = key;
    }
    CHECK(part.events + between(&t, next, next) > span.events);
  }
  end(&t);
}

/* The whole of a span without events, and of a profile without any. */
static void cuts_of_nothing(void) {
  uint64_t ids[] = {10, 20, HALF};
  trial t = begin(TD_STRATEGY_RANGES, 64);
  td_profile_part all = {0, UINT64_MAX, 0}, part = all;
  CHECK(td_profile_cut(t.profile, &part, true));
  CHECK(part.first == 0 && part.last == UINT64_MAX && part.events == 0);
  add(&t, ids, 3, NULL);
  part = (td_profile_part){11, 19, 5};
  CHECK(td_profile_cut(t.profile, &part, false));
  CHECK(part.first == 11 && part.last == 19 && part.events == 0);
  part = all;
  CHECK(!td_profile_cut(t.profile, &part, true));
  CHECK(part.first == HALF && part.last == HALF && part.events == 1);
  part = (td_profile_part){0, UINT64_MAX, 2};
  CHECK(td_profile_cut(t.profile, &part, true));
  CHECK(part.first == 20 && part.last == UINT64_MAX && part.events == 2);
  end(&t);
}

void test_profile(void) {
  test_case("profile", "events per shard", counts_shards);
  test_case("profile", "the hottest ids", hottest_ids);
  test_case("profile", "the hottest ids, keys hashed", hottest_hashed);
  test_case("profile", "exact up to half the slots", exact_up_to_half);
  test_case("profile", "the best split", best_splits);
  test_case("profile", "a split of nothing", split_of_nothing);
  test_case("profile", "parts of spans", cuts);
  test_case("profile", "parts without events", cuts_of_nothing);
  test_case("profile", "counting after a split", counting_after_split);
  test_case("profile", "hot ids in a crowd", crowds);
  test_case("profile", "runs are light", runs_are_light);
  test_case("profile", "heat that comes late", late_heat);
  test_case("profile", "the same events, the same profile", repeats);
}
