/* Power failures at every call, and again during the recovery.
 *
 * For every call of a random workload: the process ends there; every way in
 * which the un-synced pieces and names may be left (or a sample) is
 * recovered and held against what was acknowledged. For some of them the
 * recovery is cut at one of its own calls and fails again. And for every
 * call, the process alone ends, recovers from the cache, shows what it has,
 * and only then, or at some call of that recovery, the power fails. */
#include "test/test.h"

#include <stdlib.h>
#include <string.h>

#include "test/log_scene.h"

#define STEPS 20u
#define WORKLOADS_LEAST 50u
#define STATES_LEAST 1000000u
#define WAYS_MOST 48u         /* of one power failure; more are sampled */

static struct {
  uint64_t states;
  uint64_t torn, suspect, rewritten, truncated, in_flight;  /* seen */
  uint64_t ways_max;
} seen;

static scene work, next, last, third;  /* large: not on the stack */
static scene *const spares[] = {&next, &last, &third};
static uint32_t recoveries = 1;  /* crashes of recoveries in a row */

static void report(uint64_t seed, uint64_t call, uint64_t way,
                   const char *wrong) {
  char text[TD_ERROR_TEXT_MAX];
  td_error_format(&next.err, text, sizeof text);
  test_failed(__FILE__, __LINE__, "seed %llu, call %llu, way %llu: %s (%s)",
              (unsigned long long)seed, (unsigned long long)call,
              (unsigned long long)way, wrong, text);
}

static void note(const scene *at) {
  seen.states++;
  seen.torn += at->torn;
  seen.suspect += at->suspect;
  seen.rewritten += at->rewritten;
}

/* The power fails over `from`; what is left must survive. */
static const char *fail_and_survive(const scene *from, uint64_t way,
                                    td_prng *prng, scene *at) {
  td_disk_crash(&from->disk, way, prng, &at->disk);
  scene_init_over(at, from);
  const char *wrong = scene_survive(at);
  note(at);
  if (!wrong && at->disk.counts.files_open + at->disk.counts.dirs_open > 0) {
    wrong = "something was left open";
  }
  if (!wrong && at->memory.held > 0) wrong = "memory was left behind";
  if (at->open) scene_close(at, false);
  scene_deinit(at);
  return wrong;
}

/* Recovery is cut at one of its calls, and the power fails again; so often,
 * and the last time it is not cut. The scenes for it are given. */
static const char *fail_in_recovery(const scene *from, uint64_t way,
                                    td_prng *prng, td_prng *chance,
                                    scene *const *spare, uint32_t depth) {
  const char *wrong = NULL;
  scene *cut = *spare++;
  td_disk_crash(&from->disk, way, prng, &cut->disk);
  scene_init_over(cut, from);
  cut->disk.faults.last_call = 1 + td_prng_below(chance, 70);
  if (scene_open(cut) == TD_OK) {
    scene_append(cut, 2);
    scene_close(cut, td_prng_below(chance, 2));
  }
  uint64_t ways = td_disk_combinations(&cut->disk);
  for (uint32_t i = 0; i < 4 && !wrong; i++) {
    uint64_t again = td_prng_below(chance, ways);
    wrong = depth > 1
      ? fail_in_recovery(cut, again, NULL, chance, spare, depth - 1)
      : fail_and_survive(cut, again, NULL, *spare);
  }
  scene_deinit(cut);
  return wrong;
}

/* kill -9: the cache stays, is shown, and then the power fails; with `call`
 * the recovery from the cache gets no further than that. */
static const char *kill_then_fail(const scene *from, uint64_t call,
                                  td_prng *chance) {
  const char *wrong = NULL;
  td_disk_copy(&from->disk, &next.disk);
  scene_init_over(&next, from);
  next.disk.faults.last_call = call;
  if (scene_open(&next) != TD_OK && !call) wrong = "false alarm after kill -9";
  if (next.open && td_prng_below(chance, 2)) scene_append(&next, 1);
  if (!call) next.disk.faults.last_call = next.disk.counts.calls;
  scene_close(&next, false);
  uint64_t ways = td_disk_combinations(&next.disk);
  for (uint32_t i = 0; i < 8 && !wrong; i++) {
    uint64_t way = i == 0 ? 0 : td_prng_below(chance, ways);
    wrong = fail_and_survive(&next, way, NULL, &last);
  }
  scene_deinit(&next);
  return wrong;
}

static uint64_t crash_at(uint64_t seed, uint64_t call, uint32_t ways_most) {
  td_prng chance = {seed ^ call << 32};
  scene_init(&work, seed);
  scene_choose_policy(&work, seed);
  work.disk.faults.last_call = call;
  scene_run(&work, STEPS);
  scene_close(&work, false);
  uint64_t calls = work.disk.counts.calls;
  uint64_t ways = td_disk_combinations(&work.disk);
  if (ways > seen.ways_max) seen.ways_max = ways;
  if (work.model.line > 0) seen.truncated++;
  if (work.model.count > 0 && !work.model.list[work.model.count - 1].acked) {
    seen.in_flight++;
  }
  bool all = ways <= ways_most;
  uint64_t count = all ? ways : ways_most;
  for (uint64_t i = 0; i < count; i++) {
    td_prng way_prng = {seed * 31 + i};
    td_prng *prng = all ? NULL : &way_prng;
    const char *wrong = fail_and_survive(&work, i, prng, &next);
    if (wrong) report(seed, call, i, wrong);
    if (i % 4 != call % 4) continue;
    td_prng same = {seed * 31 + i};
    wrong = fail_in_recovery(&work, i, prng ? &same : NULL, &chance, spares,
                             recoveries);
    if (wrong) report(seed, call, i, wrong);
  }
  for (uint32_t i = 0; i < 4; i++) {
    uint64_t last_call = i == 0 ? 0 : 10 + td_prng_below(&chance, 40);
    const char *wrong = kill_then_fail(&work, last_call, &chance);
    if (wrong) report(seed, call, last_call, wrong);
  }
  scene_deinit(&work);
  return calls;
}

/* In a longer run recoveries crash twice in a row, every second workload. */
static void case_crashes(void) {
  uint64_t seed = test_seed();
  uint32_t workloads = 0;
  while (workloads < WORKLOADS_LEAST / SCENE_SHARE
         || seen.states < STATES_LEAST / SCENE_SHARE || test_again()) {
    recoveries = test_soak() && workloads % 2 ? 2 : 1;
    workloads++;
    for (uint64_t call = 1;; call++) {
      if (crash_at(seed, call, WAYS_MOST) <= call) break;
    }
    seed += 7919u;
  }
  printf("# %u workloads, %llu crash states, up to %llu ways; torn %llu, "
         "suspect %llu, rewritten %llu, in flight %llu, truncated %llu\n",
         workloads, (unsigned long long)seen.states,
         (unsigned long long)seen.ways_max, (unsigned long long)seen.torn,
         (unsigned long long)seen.suspect, (unsigned long long)seen.rewritten,
         (unsigned long long)seen.in_flight,
         (unsigned long long)seen.truncated);
  CHECK(seen.torn > 0 && seen.suspect > 0 && seen.rewritten > 0);
  CHECK(seen.in_flight > 0 && seen.truncated > 0);
}

void test_crash(void) {
  test_case("crash", "a crash at every call, twice", case_crashes);
}
