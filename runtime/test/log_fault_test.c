/* What the world can do to a writer: an error at every call, once and for
 * good, short transfers, failed syncs of three kinds, no memory, no space. */
#include "test/test.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "test/log_scene.h"

#define STEPS 16u
#define WORKLOADS 8u        /* each with every error at every call */
#define SYNC_WORKLOADS 32u
#define RUNS_LEAST 8000u

static scene work, after, left;  /* large: not on the stack */

static void report(const scene *at, const char *what, uint64_t call,
                   const char *wrong) {
  char text[TD_ERROR_TEXT_MAX];
  td_error_format(&at->err, text, sizeof text);
  test_failed(__FILE__, __LINE__, "%s at call %llu: %s (%s)", what,
              (unsigned long long)call, wrong, text);
}

/* Some ways in which a power failure may end now. */
static void lose_power(const scene *at, const char *what, uint64_t call,
                       td_prng *chance, uint32_t count) {
  uint64_t ways = td_disk_combinations(&at->disk);
  for (uint32_t i = 0; i < count; i++) {
    td_disk_crash(&at->disk, td_prng_below(chance, ways), NULL, &left.disk);
    scene_init_over(&left, at);
    const char *wrong = scene_survive(&left);
    if (wrong) report(&left, what, call, wrong);
    scene_deinit(&left);
  }
}

/* After the fault: nothing forbidden was done, nothing is left open, and
 * every acknowledged batch is there, from the cache and from the disk. */
static void check_after(scene *at, const char *what, uint64_t call) {
  const td_disk_counts *counts = &at->disk.counts;
  td_prng chance = {call};
  lose_power(at, what, call, &chance, 2);
  scene_close(at, td_prng_below(&chance, 2));
  if (counts->syncs_after_failed) report(at, what, call, "synced again");
  if (counts->writes_after_failed) report(at, what, call, "written again");
  if (counts->files_open || counts->dirs_open) {
    report(at, what, call, "something was left open");
  }
  if (at->memory.held) report(at, what, call, "memory was left behind");
  lose_power(at, what, call, &chance, 3);
  td_disk_copy(&at->disk, &after.disk);
  scene_init_over(&after, at);
  if (!after.disk.shut_down) {
    if (scene_open(&after) != TD_OK) report(&after, what, call, "no restart");
    else scene_append(&after, 2);
    scene_close(&after, false);
  }
  lose_power(&after, what, call, &chance, 1);
  scene_deinit(&after);
}

/* Goes on after a fault, as a program would: append, again and again. */
static void run_with_faults(uint64_t seed, const td_disk_faults *faults) {
  scene_init(&work, seed);
  scene_choose_policy(&work, seed);
  work.disk.faults = *faults;
  if (scene_open(&work) != TD_OK) {
    CHECK(work.status == TD_IO);
    return;
  }
  for (uint32_t i = 0; i < STEPS && work.open; i++) {
    if (scene_step(&work)) continue;
    td_status status = work.status;
    bool known = status == TD_POISONED || status == TD_FULL
              || status == TD_IO;
    if (!known) report(&work, "a fault", faults->fail_call, "wrong status");
    if (status == TD_FULL && faults->fail_call % 2) return;
    if (status != TD_POISONED || !work.open) continue;
    int32_t sys = work.err.sys;
    CHECK(scene_append(&work, 1) == TD_POISONED);
    work.model.count--;  /* this one was never tried */
    CHECK(work.err.sys == sys);
    CHECK(td_wal_log_sync(&work.log, NULL) == TD_POISONED);
    return;
  }
}

/* How many calls the workload makes when nothing fails. */
static uint64_t count_calls(uint64_t seed) {
  td_disk_faults none = {.fail_call = 0};
  run_with_faults(seed, &none);
  uint64_t calls = work.disk.counts.calls;
  scene_close(&work, false);
  scene_deinit(&work);
  CHECK(work.status == TD_OK);
  CHECK(calls > (work.model.lazy ? 30 : 50));
  return calls;
}

static const struct { const char *what; int32_t sys; td_disk_short part; }
kinds[] = {
  {"EIO", EIO, 0}, {"ENOSPC", ENOSPC, 0}, {"EDQUOT", EDQUOT, 0},
  {"EINTR", EINTR, 0}, {"EROFS", EROFS, 0}, {"EMFILE", EMFILE, 0},
  {"one byte", 0, TD_DISK_ONE}, {"half", 0, TD_DISK_HALF},
  {"all but one", 0, TD_DISK_BUT_ONE}, {"nothing", 0, TD_DISK_NOTHING},
};

/* In a longer run another call fails as well, in every second workload. */
static uint32_t fail_each_call(uint64_t seed, bool pairs) {
  uint32_t runs = 0;
  uint64_t calls = count_calls(seed);
  td_prng chance = {seed};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    for (uint32_t on = 0; on < 2; on++) {
      for (uint64_t call = 1; call <= calls; call++) {
        td_disk_faults faults = {
          .fail_call = call, .fail_sys = kinds[k].sys,
          .fail_short = kinds[k].part, .fail_on = on && !pairs,
        };
        if (pairs) faults.fail_too = call + 1 + td_prng_below(&chance, 60);
        run_with_faults(seed, &faults);
        check_after(&work, kinds[k].what, call);
        scene_deinit(&work);
        runs++;
      }
    }
  }
  return runs;
}

static void case_every_call(void) {
  uint32_t runs = 0, workloads = 0;
  uint64_t seed = test_seed();
  while (workloads < WORKLOADS / SCENE_SHARE || test_again()) {
    runs += fail_each_call(seed, test_soak() && workloads % 2);
    seed += 104729u;
    workloads++;
  }
  printf("# %u runs in %u workloads\n", runs, workloads);
  CHECK(runs >= RUNS_LEAST / SCENE_SHARE);
}

static uint32_t fail_each_sync(uint64_t seed) {
  static const char *const names[] = {"ext4", "xfs", "btrfs"};
  uint32_t failed = 0;
  uint64_t calls = count_calls(seed);
  for (uint32_t personality = 0; personality < 3; personality++) {
    for (uint64_t call = 1; call <= calls; call++) {
      td_disk_faults faults = {
        .fail_call = call, .fail_sys = EIO,
        .personality = (td_disk_personality)personality,
      };
      run_with_faults(seed, &faults);
      failed += work.disk.counts.failed_syncs > 0;
      check_after(&work, names[personality], call);
      scene_deinit(&work);
    }
  }
  return failed;
}

static void case_failed_syncs(void) {
  uint32_t failed = 0, workloads = 0;
  uint64_t seed = test_seed();
  while (workloads < SYNC_WORKLOADS / SCENE_SHARE || test_again()) {
    failed += fail_each_sync(seed);
    seed += 1299709u;
    workloads++;
  }
  printf("# %u runs with a failed sync in %u workloads\n", failed, workloads);
  CHECK(failed > 1000 / SCENE_SHARE);
}

/* No request for memory is vital: the log says so and stays as it was. */
static void case_memory(void) {
  uint32_t refused = 0;
  for (uint32_t on = 0; on < 2; on++) {
    bool tried = true;
    for (uint64_t request = 1; tried; request++) {
      scene_init(&work, test_seed() + 1);
      work.memory.fail_request = request;
      work.memory.fail_on = on;
      scene_open(&work);
      for (uint32_t i = 0; i < 40 && work.open; i++) {
        if (scene_step(&work)) continue;
        CHECK(work.status == TD_NO_MEMORY);
        CHECK(!work.open || work.log.state == TD_WAL_OPEN);
        refused++;
        if (on) break;
      }
      tried = work.memory.requests >= request;
      scene_close(&work, true);
      work.memory.fail_request = 0;
      check_after(&work, "no memory", request);
      scene_deinit(&work);
    }
  }
  CHECK(refused > 20);
}

/* The disk is full, more and more of it becomes free, nothing is lost. */
static void case_full(void) {
  uint32_t full = 0, again = 0;
  for (uint64_t capacity = 0; capacity < 3000; capacity += 37) {
    scene_init(&work, test_seed() + 2);
    CHECK(scene_open(&work) == TD_OK);
    work.disk.faults.capacity = 200 + capacity;
    for (uint32_t i = 0; i < 12; i++) {
      td_status status = scene_append(&work, 1 + i % 9);
      if (status == TD_FULL) {
        CHECK(work.err.sys == ENOSPC);
        CHECK(work.log.state == TD_WAL_FULL);
        full++;
        work.disk.faults.capacity += 700;
        CHECK(scene_append(&work, 5) == TD_OK);
        CHECK(work.log.state == TD_WAL_OPEN);
        again++;
      } else {
        CHECK(status == TD_OK);
      }
    }
    work.disk.faults.capacity = 0;
    check_after(&work, "full", capacity);
    scene_deinit(&work);
  }
  CHECK(full > 50 && again == full);
}

/* Interrupted calls are made again; nobody sees them. */
static void case_interrupts(void) {
  for (uint32_t w = 0; w < 20; w++) {
    scene_init(&work, test_seed() + w);
    work.disk.faults.interrupts = true;
    CHECK(scene_open(&work) == TD_OK);
    for (uint32_t i = 0; i < STEPS; i++) CHECK(scene_step(&work));
    check_after(&work, "interrupts", w);
    scene_deinit(&work);
  }
}

void test_faults(void) {
  test_case("faults", "an error at every call, once and for good",
            case_every_call);
  test_case("faults", "a failed sync, restart, power failure",
            case_failed_syncs);
  test_case("faults", "every request for memory fails", case_memory);
  test_case("faults", "a full disk", case_full);
  test_case("faults", "interrupted writes and syncs", case_interrupts);
}
